"""Words of the wire: finish reasons, block reasons, modalities, schema types; and the numbers that stand for them.

A client that asks for `$alt=json;enum-encoding=int` gets numbers for words (protobuf enums). The Gemini API and Vertex
number some finish reasons differently; the quirk `enum_numbers` tells whose numbers they are. Numbers that are in no
public description keep their digits as the word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import FinishReason, Target

__all__ = ["ASKED_MODALITIES", "FINISH_WORDS", "MODALITIES", "MODES", "REASONS", "SCHEMA_TYPES", "finish_word", "word"]

REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",  # also after function calls, which then make it "tool_calls"
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "PUP_LIMITED_DISABLED": "error",
    "CONTINUATION": "paused",  # goes on with the continuationToken
    "IMAGE_OTHER": "other",
    "NO_IMAGE": "other",
    "OTHER": "other",
    "FINISH_REASON_UNSPECIFIED": "other",
}
"""Finish reason → ours; a word that is not here is "other"."""

FINISH_WORDS: Mapping[FinishReason, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "paused": "OTHER",
    "error": "OTHER",
    "other": "OTHER",
}
"""Ours → the finish reason that says it, or comes nearest."""

_FINISH_NUMBERS: Mapping[str, Mapping[int, str]] = {
    "gemini": {
        0: "FINISH_REASON_UNSPECIFIED",
        1: "STOP",
        2: "MAX_TOKENS",
        3: "SAFETY",
        4: "RECITATION",
        5: "OTHER",
        6: "LANGUAGE",
        7: "BLOCKLIST",
        8: "PROHIBITED_CONTENT",
        9: "SPII",
        10: "MALFORMED_FUNCTION_CALL",
        11: "IMAGE_SAFETY",
        12: "UNEXPECTED_TOOL_CALL",
    },
    "vertex": {
        0: "FINISH_REASON_UNSPECIFIED",
        1: "STOP",
        2: "MAX_TOKENS",
        3: "SAFETY",
        4: "RECITATION",
        5: "OTHER",
        6: "BLOCKLIST",
        7: "PROHIBITED_CONTENT",
        8: "SPII",
        9: "MALFORMED_FUNCTION_CALL",
    },
}

MODALITIES: Mapping[int, str] = {
    0: "MODALITY_UNSPECIFIED",
    1: "TEXT",
    2: "IMAGE",
    3: "VIDEO",
    4: "AUDIO",
    5: "DOCUMENT",
}
"""Numbers of the modalities in token counts."""

ASKED_MODALITIES: Mapping[int, str] = {1: "TEXT", 2: "IMAGE", 3: "AUDIO"}
"""Numbers of the modalities that a request asks for."""

SCHEMA_TYPES: Mapping[int, str] = {
    0: "TYPE_UNSPECIFIED",
    1: "STRING",
    2: "NUMBER",
    3: "INTEGER",
    4: "BOOLEAN",
    5: "ARRAY",
    6: "OBJECT",
    7: "NULL",
}

MODES: Mapping[int, str] = {0: "MODE_UNSPECIFIED", 1: "AUTO", 2: "ANY", 3: "NONE"}
"""Numbers of the function calling modes."""


def word(value: Any, numbers: Mapping[int, str], path: str) -> str:
    """An enum's word, given as a word or as its number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers.get(value, str(value))
    raise ProtocolViolation(f"{path} should be a word, and is {type(value).__name__}: {value!r:.80}", path=path)


def finish_word(value: Any, target: Target, path: str) -> str:
    """The word of a finish reason."""
    return word(value, _FINISH_NUMBERS[target.quirks.gemini.enum_numbers], path)
