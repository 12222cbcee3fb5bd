"""What a relay reads of a whole answer whose bytes pass: usage, tier and names, and nothing of what was said."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dragoman.dialects.openai_responses.usage import decode_usage
from dragoman.dialects.openai_responses.wire import NAME
from dragoman.values import Response, Target, Usage

__all__ = ["meter_response"]


class _Answer(msgspec.Struct):
    status: Literal["completed", "incomplete"]
    output: list[dict[str, msgspec.Raw]]
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None
    tool_usage: Any = None
    service_tier: str | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder(_Answer).decode


def meter_response(body: bytes, target: Target) -> Response | None:
    """An answer without its content; None for a body that only a whole reading can judge."""
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if bytes(read.error) != b"null":
        return None
    return Response(
        id=read.id,
        model=read.model or target.model,
        provider=target.provider,
        dialect=NAME,
        usage=Usage() if read.usage is None else decode_usage(read.usage, read.tool_usage),
        service_tier=read.service_tier,
    )
