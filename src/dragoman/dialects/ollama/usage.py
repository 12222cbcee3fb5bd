"""Usage: `prompt_eval_count` and `eval_count`, which stand among the other members of an answer.

A count that is missing (older servers leave out that of a prompt they had in their cache) stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.ollama.names import NAME
from dragoman.dialects.reading import integer
from dragoman.errors import ProtocolViolation
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["COUNTS", "decode_usage", "encode_usage"]

COUNTS = ("prompt_eval_count", "eval_count")


def decode_usage(wire: JsonObject) -> Usage:
    """What an answer's members say of usage."""
    raw = {name: wire[name] for name in COUNTS if wire.get(name) is not None}
    if not raw:
        return Usage()
    read, written = (_count(wire, name) for name in COUNTS)
    return Usage(input_tokens=read, output_tokens=written, dialect=NAME, raw=raw)


def _count(wire: JsonObject, name: str) -> int | None:
    count = integer(wire, name)
    if count is not None and count < 0:
        raise ProtocolViolation(f"{name} is negative", path=name)
    return count


def encode_usage(usage: Usage) -> JsonObject:
    """The members for a usage."""
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw) == usage:
        return dict(usage.raw)
    counts = zip(COUNTS, (usage.input_tokens, usage.output_tokens), strict=True)
    return {name: count for name, count in counts if count is not None}
