"""Usage: the wire's input excludes the cache; ours includes it. `cacheDetails` tells what was written for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.bedrock.forms import NAME
from dragoman.dialects.reading import integer, object_of, objects_in, text
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.dialects.bedrock.forms import Writing
    from dragoman.values import JsonObject

__all__ = ["decode_usage", "encode_usage"]


def decode_usage(raw: JsonObject, path: str = "usage") -> Usage:
    """The counts of a wire's object, which is kept as `raw`."""
    fresh = integer(raw, "inputTokens", path)
    read = integer(raw, "cacheReadInputTokens", path)
    written = integer(raw, "cacheWriteInputTokens", path)
    by_time: dict[str, int] = {}
    for detail in objects_in(raw, "cacheDetails", path):
        ttl, count = text(detail, "ttl", f"{path}.cacheDetails"), integer(detail, "inputTokens", f"{path}.cacheDetails")
        if ttl is not None and count is not None:
            by_time[ttl] = by_time.get(ttl, 0) + count
    if written is None and by_time:
        written = sum(by_time.values())
    return Usage(
        input_tokens=_sum(fresh, read, written),
        output_tokens=integer(raw, "outputTokens", path),
        total_tokens=integer(raw, "totalTokens", path),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_5m_tokens=by_time.get("5m"),
        cache_write_1h_tokens=by_time.get("1h"),
        tool_uses=_tool_uses(raw, path),
        dialect=NAME,
        raw=raw,
    )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _tool_uses(raw: JsonObject, path: str) -> dict[str, int] | None:
    if raw.get("serverToolUsage") is None:
        return None
    uses = object_of(raw["serverToolUsage"], f"{path}.serverToolUsage")
    counts = {name: count for name, count in uses.items() if isinstance(count, int) and not isinstance(count, bool)}
    return counts or None


def encode_usage(usage: Usage, writing: Writing) -> JsonObject:
    """The wire's object: its own where that still says the same, else one built from the fields."""
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw) == usage:
        return usage.raw
    if usage.input_tokens is None or usage.output_tokens is None:
        reason = "this wire wants the counts; what was not reported is written as 0"
        writing.log.defaulted("usage", reason, 0)
    read, write = usage.cache_read_tokens, usage.cache_write_tokens
    fresh = max(0, (usage.input_tokens or 0) - (read or 0) - (write or 0))
    built: JsonObject = {
        "inputTokens": fresh,
        "outputTokens": usage.output_tokens or 0,
        "totalTokens": (usage.input_tokens or 0) + (usage.output_tokens or 0),
    }
    if usage.total_tokens is not None:
        built["totalTokens"] = usage.total_tokens
    if read is not None:
        built["cacheReadInputTokens"] = read
    if write is not None:
        built["cacheWriteInputTokens"] = write
    times = (("1h", usage.cache_write_1h_tokens), ("5m", usage.cache_write_5m_tokens))
    details = [{"ttl": ttl, "inputTokens": count} for ttl, count in times if count is not None]
    if details:
        built["cacheDetails"] = details
    for name in _UNSAID:
        count: Any = getattr(usage, name)
        if count:
            writing.log.dropped(f"usage.{name}", "this wire does not count it apart", count)
    return built


_UNSAID = (
    "reasoning_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "input_tool_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "output_video_tokens",
    "citation_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
    "tool_uses",
)
