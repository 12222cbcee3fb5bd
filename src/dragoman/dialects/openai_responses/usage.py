"""Usage objects ↔ `Usage`. The wire's totals are inclusive already; hosts report their own cost and uses of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.charges import host_cost, host_tool_uses
from dragoman.dialects.openai_responses.wire import NAME
from dragoman.dialects.reading import integer, object_of
from dragoman.values import Usage, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_usage", "encode_usage"]

_INPUT_DETAILS = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
    "video_tokens": "input_video_tokens",
}
_OUTPUT_DETAILS = {
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
    "accepted_prediction_tokens": "accepted_prediction_tokens",
    "rejected_prediction_tokens": "rejected_prediction_tokens",
}
_REQUIRED = ("cached_tokens", "cache_write_tokens", "reasoning_tokens")


def decode_usage(wire: JsonObject, tool_usage: Any = None) -> Usage:
    """The member `usage`, with the counts of provider-run tools that stand beside it."""
    fields: dict[str, Any] = {
        name: integer(wire, name, "usage") for name in ("input_tokens", "output_tokens", "total_tokens")
    }
    for member, names in (("input_tokens_details", _INPUT_DETAILS), ("output_tokens_details", _OUTPUT_DETAILS)):
        if wire.get(member) is not None:
            details = object_of(wire[member], f"usage.{member}")
            for name, field in names.items():
                fields[field] = integer(details, name, f"usage.{member}")
    return Usage(
        **fields,
        reported_cost=host_cost(wire),
        tool_uses=_tool_uses(wire, tool_usage),
        dialect=NAME,
        raw=wire,
    )


def _tool_uses(wire: JsonObject, tool_usage: Any) -> dict[str, int] | None:
    uses = {tool: count for tool, count in (host_tool_uses(wire) or {}).items() if count}
    if not isinstance(tool_usage, dict):
        return uses or None
    for tool, told in cast("JsonObject", tool_usage).items():
        if isinstance(told, dict):
            count = cast("JsonObject", told).get("num_requests")
            if isinstance(count, int) and count > 0:
                uses[tool] = count
    return uses or None


def encode_usage(usage: Usage) -> JsonObject:
    """The wire's object: as it came while it still says the same, else built; a required count that is unknown is 0."""
    if usage.dialect == NAME and usage.raw is not None:
        again = decode_usage(usage.raw)
        if replace(again, tool_uses=None) == replace(usage, tool_uses=None):
            return usage.raw
    said = usage.input_tokens or 0
    wrote = usage.output_tokens or 0
    return {
        "input_tokens": said,
        "input_tokens_details": _details(usage, _INPUT_DETAILS),
        "output_tokens": wrote,
        "output_tokens_details": _details(usage, _OUTPUT_DETAILS),
        "total_tokens": usage.total_tokens if usage.total_tokens is not None else said + wrote,
    }


def _details(usage: Usage, names: dict[str, str]) -> JsonObject:
    counts = {name: getattr(usage, field) for name, field in names.items()}
    return {
        name: count or 0 for name, count in counts.items() if name in _REQUIRED or (count is not None and count > 0)
    }
