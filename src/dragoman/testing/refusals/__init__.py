"""What each real provider refuses, as rows: a dialect's file holds its own.

The codecs refuse members of a wrong type; the rows here are about what is missing or does not fit together. A row
looks at the request's body as it came and tells the member to blame and the words of the refusal, or nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dragoman.errors import InvalidRequest

if TYPE_CHECKING:
    from dragoman.testing.refusals.row import Refusal
    from dragoman.values import JsonObject

__all__ = ["refusals_of", "refuse"]

_FILES = {
    "openai-chat": "openai_chat",
    "openai-responses": "openai_responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
}


def refusals_of(dialect: str) -> tuple[Refusal, ...]:
    """The rows of a dialect; none for one whose refusals are its codec's alone."""
    file = _FILES.get(dialect)
    return () if file is None else import_module(f".{file}", __name__).ROWS


def refuse(dialect: str, body: JsonObject) -> None:
    """Raises `InvalidRequest` for the first row that does not let the body pass."""
    for row in refusals_of(dialect):
        found = row.find(body)
        if found is not None:
            path, words = found
            raise InvalidRequest(words, path=path)
