"""What a relay reads of a whole answer whose bytes pass: usage, tier and names, and nothing of what was said."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dragoman.dialects.anthropic.forms import NAME
from dragoman.dialects.anthropic.usage import decode_usage, service_tier
from dragoman.values import Response, Target, Usage

__all__ = ["meter_response"]


class _Message(msgspec.Struct):
    type: Literal["message"]
    content: list[msgspec.Raw]
    stop_reason: str
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Message).decode


def meter_response(body: bytes, target: Target) -> Response | None:
    """An answer without its content; None for a body that only a whole reading can judge."""
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    usage = Usage() if read.usage is None else decode_usage(read.usage)
    return Response(
        id=read.id,
        model=target.model if read.model is None else read.model,
        provider=target.provider,
        dialect=NAME,
        usage=usage,
        service_tier=service_tier(usage),
    )
