"""Which models write a prompt out alike: families by declared patterns, tried in order; the first that matches wins.

A family shares a tokenizer or nearly, and a template for turns and tools. `most_tools`, `most_turn` and `most_request`
are the most tokens that the template adds for having tools at all (and for each), for a turn or a part, and once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

__all__ = ["FAMILIES", "Family", "family_of", "searches_itself"]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """`pattern` is searched in the model's name in lower case, `providers` are whose other models are of it too."""

    name: str
    pattern: str
    providers: tuple[str, ...] = ()
    most_tools: int = 600
    most_turn: int = 16
    most_request: int = 100


FAMILIES: Final = (
    Family(name="gpt-oss", pattern="gpt-oss", most_request=200),
    Family(name="claude", pattern="claude", providers=("anthropic",), most_tools=1000, most_request=250),
    Family(name="gemini", pattern="gemini|gemma", providers=("google", "vertex")),
    Family(name="gpt", pattern=r"\bgpt|\bo[134]\b|chatgpt|codex|computer-use", providers=("openai", "azure")),
    Family(name="mistral", pattern=r"mi[sn]i?stral|magistral|pixtral|codestral|devstral|mixtral|voxtral",
           providers=("mistral",)),
    Family(name="llama", pattern="llama", most_tools=1200),
    Family(name="qwen", pattern="qwen|qwq"),
    Family(name="deepseek", pattern="deepseek", providers=("deepseek",)),
    Family(name="command", pattern="command|c4ai|aya", providers=("cohere",), most_tools=2000, most_request=500),
    Family(name="nova", pattern=r"\bnova", most_tools=1000),
    Family(name="grok", pattern="grok", providers=("xai",), most_request=500),
    Family(name="glm", pattern=r"\bglm", providers=("zai",)),
    Family(name="other", pattern="", most_tools=2000, most_request=500),
)  # fmt: skip
"""The last one takes every model."""

_PATTERNS: Final = tuple((re.compile(family.pattern), family) for family in FAMILIES)
_OF_PROVIDER: Final = {name: family for family in FAMILIES for name in family.providers}


@lru_cache(maxsize=1024)
def family_of(provider: str, model: str) -> Family:
    """The family of a model: by its name, else by who serves it."""
    name = model.lower()
    for pattern, family in _PATTERNS[:-1]:
        if pattern.search(name):
            return family
    return _OF_PROVIDER.get(provider, FAMILIES[-1])


_SEARCHING: Final = re.compile(r"compound|sonar|deep-research|search-preview|search-api|:online\b")
"""Models that search by themselves, and read what they find, without being offered a tool for it."""


@lru_cache(maxsize=1024)
def searches_itself(model: str) -> bool:
    """Whether a model reads what nobody sent it."""
    return _SEARCHING.search(model.lower()) is not None
