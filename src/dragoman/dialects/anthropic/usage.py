"""Usage: the wire's counts exclude the cache; ours include it.

`input_tokens` here = the wire's `input_tokens` + `cache_creation_input_tokens` + `cache_read_input_tokens`. A
compaction made on the way is billed but not in the wire's own totals (it stands in `iterations`), so it is added.
Another model's work (an advisor's iterations) is left in `raw`: it has other prices.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.anthropic.forms import NAME
from dragoman.dialects.reading import integer, number, object_of, objects_in
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.dialects.anthropic.forms import Writing
    from dragoman.values import JsonObject

__all__ = ["decode_usage", "encode_usage", "service_tier"]

_REQUESTS = "_requests"
_TIERS = {"standard": "standard", "default": "standard", "priority": "priority", "batch": "batch"}


class _Counts(msgspec.Struct):
    fresh: int | None = None
    read: int | None = None
    write: int | None = None
    write_5m: int | None = None
    write_1h: int | None = None
    output: int | None = None

    def plus(self, other: _Counts) -> _Counts:
        return _Counts(*(_sum(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__))


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def decode_usage(raw: JsonObject, path: str = "usage") -> Usage:
    """The counts of a wire's object, which is kept as `raw`."""
    # On the path of every answer: what is not there is passed over at once.
    counts = _counts(raw, path)
    if "iterations" in raw:
        for index, iteration in enumerate(objects_in(raw, "iterations", path)):
            if iteration.get("type") == "compaction":
                counts = counts.plus(_counts(iteration, f"{path}.iterations[{index}]"))
    details = raw.get("output_tokens_details")
    cost = number(raw, "cost", path) if "cost" in raw else None
    cached = counts.read or counts.write
    return Usage(
        input_tokens=_sum(counts.fresh, counts.read, counts.write) if cached or counts.fresh is None else counts.fresh,
        output_tokens=counts.output,
        cache_read_tokens=counts.read,
        cache_write_tokens=counts.write,
        cache_write_5m_tokens=counts.write_5m,
        cache_write_1h_tokens=counts.write_1h,
        reasoning_tokens=None
        if details is None
        else integer(object_of(details, f"{path}.output_tokens_details"), "thinking_tokens", path),
        tool_uses=_tool_uses(raw, path) if "server_tool_use" in raw else None,
        reported_cost=None if cost is None else Decimal(str(cost)),
        dialect=NAME,
        raw=raw,
    )


def _counts(raw: JsonObject, path: str) -> _Counts:
    write, fresh = raw.get("cache_creation_input_tokens"), raw.get("input_tokens")
    read, output = raw.get("cache_read_input_tokens"), raw.get("output_tokens")
    if not _PLAIN.issuperset(map(type, (write, fresh, read, output))):
        write, fresh, read, output = [integer(raw, name, path) for name in _COUNTS]
    by_duration = raw.get("cache_creation")
    short = long = None
    if by_duration is not None:
        by_duration = object_of(by_duration, f"{path}.cache_creation")
        short = integer(by_duration, "ephemeral_5m_input_tokens", f"{path}.cache_creation")
        long = integer(by_duration, "ephemeral_1h_input_tokens", f"{path}.cache_creation")
        summed = _sum(short, long)
        if write is None:
            write = summed
        elif summed != write:
            short, long = _adding_up(write, short or 0, long or 0)
    return _Counts(fresh, read, write, short, long, output)


def _adding_up(write: int, short: int, long: int) -> tuple[int | None, int | None]:
    """The writes by their duration where the two do not add up to all of them.

    A stream tells them at its start alone, while the total goes on with what the tools of the host make of the turn.
    The rest has the duration that the start named, of two the shorter one; where it named none, it is not known.
    """
    if not short and not long:
        return None, None
    if not short:
        return 0, write
    long = min(long, write)
    return write - long, long


_COUNTS = ("cache_creation_input_tokens", "input_tokens", "cache_read_input_tokens", "output_tokens")
_PLAIN = frozenset((int, type(None)))


def service_tier(usage: Usage) -> str | None:
    """The tier that an answer was served in; "fast" for fast mode, which has a member and prices of its own."""
    raw: JsonObject = usage.raw or {}
    tier = raw.get("speed") if raw.get("speed") not in (None, "standard") else raw.get("service_tier")
    return tier if isinstance(tier, str) else None


def _tool_uses(raw: JsonObject, path: str) -> dict[str, int] | None:
    uses = raw.get("server_tool_use")
    if uses is None:
        return None
    counts = {
        name.removesuffix(_REQUESTS): count
        for name, count in object_of(uses, f"{path}.server_tool_use").items()
        if isinstance(count, int)
    }
    return counts or None


def encode_usage(usage: Usage, tier: str | None, writing: Writing) -> JsonObject:
    """The wire's object: its own where that still says the same, else one built from the fields."""
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw) == usage:
        return usage.raw
    read, write = usage.cache_read_tokens, usage.cache_write_tokens
    log = writing.log
    if usage.input_tokens is None or usage.output_tokens is None:
        log.defaulted("usage", "this wire wants both counts; what was not reported is written as 0", 0)
    built: JsonObject = {
        "input_tokens": max(0, (usage.input_tokens or 0) - (read or 0) - (write or 0)),
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        "cache_creation": _by_duration(usage),
        "output_tokens": usage.output_tokens or 0,
        "server_tool_use": _server_tools(usage),
        "service_tier": _tier(tier, writing),
        "inference_geo": None,
    }
    if usage.reasoning_tokens is not None:
        built["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    for name in _UNSAID:
        count: Any = getattr(usage, name)
        if count:
            log.dropped(f"usage.{name}", "this wire does not count it apart", count)
    return built


_UNSAID = (
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
)


def _by_duration(usage: Usage) -> JsonObject | None:
    short, long = usage.cache_write_5m_tokens, usage.cache_write_1h_tokens
    if short is None and long is None:
        return None
    return {"ephemeral_5m_input_tokens": short or 0, "ephemeral_1h_input_tokens": long or 0}


def _server_tools(usage: Usage) -> JsonObject | None:
    if not usage.tool_uses:
        return None
    counts: JsonObject = {"web_search_requests": 0, "web_fetch_requests": 0}
    counts.update({f"{name}{_REQUESTS}": count for name, count in usage.tool_uses.items()})
    return counts


def _tier(tier: str | None, writing: Writing) -> str | None:
    said = _TIERS.get(tier) if tier else None
    if tier and said is None:
        writing.log.dropped("service_tier", "this wire does not name it", tier)
    return said
