"""What a relay reads of a whole answer whose bytes pass: usage, tier and names, and nothing of what was said."""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman.dialects.gemini.members import NAME
from dragoman.dialects.gemini.usage import decode_usage
from dragoman.values import Response, Target

__all__ = ["meter_response"]


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate]
    usage_metadata: dict[str, Any]
    response_id: str | None = None
    model_version: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def meter_response(body: bytes, target: Target) -> Response | None:
    """An answer without its content; None for a body that only a whole reading can judge."""
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not read.candidates:
        return None
    usage = decode_usage(read.usage_metadata)
    tier = read.usage_metadata.get("serviceTier")
    return Response(
        id=read.response_id,
        model=target.model if read.model_version is None else read.model_version,
        provider=target.provider,
        dialect=NAME,
        usage=usage,
        service_tier=tier if isinstance(tier, str) else None,
    )
