"""Names of models: what clients may write, patterns with one star, and what a deployment's star stands for."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MOST_LETTERS", "is_name", "matched", "name_problem", "upstream_model"]

MOST_LETTERS: Final = 256

_VISIBLE: Final = re.compile(
    r"[^\x00-\x20\x7f-\xa0\u2028\u2029](?:[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029])?"
)


def is_name(name: str) -> bool:
    """Whether a client may ask for a model of this name at all: bounded, without control characters."""
    return 0 < len(name) <= MOST_LETTERS and _VISIBLE.fullmatch(name) is not None


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a model or a pattern in a configuration, if anything is."""
    if not is_name(name):
        return f"a model's name is 1 to {MOST_LETTERS} letters, without control characters and spaces around them"
    if name.count("*") > 1:
        return "a pattern has one star"
    return None


def matched(pattern: str, name: str) -> str | None:
    """What a pattern's star stands for in a name; None where the pattern does not match."""
    before, _, after = pattern.partition("*")
    if len(name) < len(before) + len(after) or not (name.startswith(before) and name.endswith(after)):
        return None
    return name[len(before) : len(name) - len(after)]


def upstream_model(model: str, pattern: str, name: str) -> str:
    """The model to ask the provider for, where a client's name matched a pattern.

    A star alone, as in `anthropic/*`, is the name that the client wrote, from the `/` on that the pattern has before
    its star: `claude-*` gives it whole, `eu/*` gives what follows `eu/`. A star among other letters is what the
    pattern's own star stood for: `claude-*` to `anthropic.claude-*-v1`.
    """
    if "*" not in model:
        return model
    if model == "*":
        before = pattern.partition("*")[0]
        return name[before.rfind("/") + 1 :]
    star = matched(pattern, name)
    assert star is not None  # the name was found by its pattern
    return model.replace("*", star, 1)
