"""Usage: `tokens` and `cached_tokens` are what a call took, `billed_units` what it is charged for.

The two differ: a preamble of the vendor's own counts among the tokens and is not billed. Where `tokens` are missing, as
in answers with vectors, the billed ones are all that is known of the totals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.reading import integer, object_of
from dragoman.errors import ProtocolViolation
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_usage", "encode_usage"]


def decode_usage(wire: JsonObject, path: str = "usage") -> Usage:
    """The wire's object of usage (or, of vectors, `meta`)."""
    tokens = object_of(wire.get("tokens") or {}, f"{path}.tokens")
    billed = object_of(wire.get("billed_units") or {}, f"{path}.billed_units")
    billed_in, billed_out = (_count(billed, name, f"{path}.billed_units") for name in ("input_tokens", "output_tokens"))
    read = _count(tokens, "input_tokens", f"{path}.tokens")
    written = _count(tokens, "output_tokens", f"{path}.tokens")
    read = billed_in if read is None else read
    cached = _count(wire, "cached_tokens", path)
    return Usage(
        input_tokens=read,
        output_tokens=billed_out if written is None else written,
        cache_read_tokens=cached if cached is not None and read is not None and cached <= read else None,
        billed_input_tokens=billed_in,
        billed_output_tokens=billed_out,
        dialect=NAME,
        raw=wire,
    )


def _count(holder: JsonObject, name: str, path: str) -> int | None:
    count = integer(holder, name, path)
    if count is not None and count < 0:
        raise ProtocolViolation(f"{path}.{name} is negative", path=f"{path}.{name}")
    return count


def encode_usage(usage: Usage) -> JsonObject:
    """The wire's object: as it came, if it still says the same."""
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw) == usage:
        return usage.raw
    tokens = _counts(usage.input_tokens, usage.output_tokens)
    billed = _counts(usage.billed_input_tokens, usage.billed_output_tokens)
    wire: JsonObject = {"billed_units": billed or tokens, "tokens": tokens}
    if usage.cache_read_tokens is not None:
        wire["cached_tokens"] = usage.cache_read_tokens
    return wire


def _counts(read: int | None, written: int | None) -> JsonObject:
    pairs = (("input_tokens", read), ("output_tokens", written))
    return {name: count for name, count in pairs if count is not None}
