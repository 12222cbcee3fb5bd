"""Usage: the wire's `usage` object, both ways, with what hosts added to it.

The wire's totals are inclusive as OpenAI counts. Some hosts leave thoughts out of `completion_tokens` and count them in
`total_tokens` alone: where prompt + completion + reasoning is that total (xAI), or the quirk `output_from_total` says
so (Gemini's compatible endpoint, which names no reasoning figure), they are added, since `output_tokens` includes them.
Perplexity counts thoughts and the tokens of cited sources beside `completion_tokens` and in no total (quirk
`output_beside`); both are charged as parts of the answer, and added too.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from dragoman.dialects.charges import CHARGES, host_cost, host_tool_uses
from dragoman.dialects.openai_chat.notes import NAME
from dragoman.dialects.reading import integer, object_of
from dragoman.values import Usage

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = ["decode_usage", "encode_usage"]

_INPUT_DETAILS: Final = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_creation_tokens": "cache_write_tokens",  # LiteLLM
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
    "video_tokens": "input_video_tokens",
}
_OUTPUT_DETAILS: Final = {
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
    "accepted_prediction_tokens": "accepted_prediction_tokens",
    "rejected_prediction_tokens": "rejected_prediction_tokens",
}
_BESIDE: Final = {
    "prompt_cache_hit_tokens": "cache_read_tokens",  # DeepSeek
    "cached_tokens": "cache_read_tokens",  # Together, Moonshot
    "cache_read_input_tokens": "cache_read_tokens",  # LiteLLM
    "cache_creation_input_tokens": "cache_write_tokens",  # LiteLLM
    "reasoning_tokens": "reasoning_tokens",  # Perplexity
    "citation_tokens": "citation_tokens",  # Perplexity
}
_SEARCHES: Final = ("num_sources_used", "num_search_queries")  # xAI, Perplexity

# A few hosts name the totals as the Responses API does.
_INPUT_NAMES: Final = ("prompt_tokens", "input_tokens")
_OUTPUT_NAMES: Final = ("completion_tokens", "output_tokens")
_TOTAL_NAMES: Final = ("total_tokens",)
_RARE: Final = frozenset((*_BESIDE, *_SEARCHES, *CHARGES))
"""Members that few hosts send: without them there is nothing beside the totals and their details."""


def decode_usage(wire: JsonObject, target: Target, path: str = "usage") -> Usage:
    """The usage of an answer. A figure of the wrong type raises `ProtocolViolation`."""
    # On the path of every answer, and for most hosts of every stream: what is not there is passed over at once.
    counts: dict[str, int] = {}
    rare = not _RARE.isdisjoint(wire)
    if rare:
        _gather(wire, _BESIDE, counts, path)
    _details(wire, ("prompt_tokens_details", "input_tokens_details"), _INPUT_DETAILS, counts, path)
    _details(wire, ("completion_tokens_details", "output_tokens_details"), _OUTPUT_DETAILS, counts, path)
    taken, given, total = wire.get("prompt_tokens"), wire.get("completion_tokens"), wire.get("total_tokens")
    if type(taken) is not int or taken < 0:
        taken = _first(wire, _INPUT_NAMES, path)
    if type(given) is not int or given < 0:
        given = _first(wire, _OUTPUT_NAMES, path)
    if type(total) is not int or total < 0:
        total = _first(wire, _TOTAL_NAMES, path)
    if target.quirks.chat.output_beside and given is not None:
        beside = (integer(wire, name, path) or 0 for name in ("reasoning_tokens", "citation_tokens"))
        given += sum(count for count in beside if count > 0)
    elif "reasoning_tokens" in counts or target.quirks.chat.output_from_total:
        given = _inclusive(taken, given, total, counts.get("reasoning_tokens"), target)
    if counts:
        _bound(counts, _INPUT_FIELDS, taken)
        _bound(counts, _OUTPUT_FIELDS, given)
    return Usage(
        input_tokens=taken,
        output_tokens=given,
        total_tokens=total,
        **counts,
        tool_uses=_tool_uses(wire, path) if rare else None,
        reported_cost=host_cost(wire) if rare else None,
        dialect=NAME,
        raw=wire,
    )


def _first(wire: JsonObject, names: tuple[str, ...], path: str) -> int | None:
    for name in names:
        count = wire.get(name)
        if count is None:
            continue
        if type(count) is not int:
            count = integer(wire, name, path)
        if count is not None and count >= 0:  # a negative count is none
            return count
    return None


def _gather(holder: JsonObject, names: dict[str, str], counts: dict[str, int], path: str) -> None:
    for name, field in names.items():
        if name in holder:
            count = integer(holder, name, path)
            if count is not None and count >= 0:
                counts[field] = count


def _details(
    wire: JsonObject, members: tuple[str, str], names: dict[str, str], counts: dict[str, int], path: str
) -> None:
    for member in members:
        holder = wire.get(member)
        if holder is not None:
            _gather(object_of(holder, f"{path}.{member}"), names, counts, f"{path}.{member}")


def _inclusive(
    taken: int | None, given: int | None, total: int | None, reasoning: int | None, target: Target
) -> int | None:
    if taken is None or total is None:
        return given
    if reasoning and given is not None and total == taken + given + reasoning:
        return given + reasoning
    if target.quirks.chat.output_from_total and total >= taken + (given or 0):
        return total - taken
    return given


_INPUT_FIELDS: Final = frozenset(_INPUT_DETAILS.values())
_OUTPUT_FIELDS: Final = frozenset((*_OUTPUT_DETAILS.values(), "citation_tokens"))


def _bound(counts: dict[str, int], fields: frozenset[str], total: int | None) -> None:
    # A subset is never more than its total (OpenRouter has reported 11 reasoning tokens among 10); `raw` keeps both.
    if total is not None:
        for field, count in counts.items():
            if count > total and field in fields:
                counts[field] = total


def _tool_uses(wire: JsonObject, path: str) -> dict[str, int] | None:
    uses = host_tool_uses(wire)
    if uses is not None:
        return uses
    for name in _SEARCHES:
        if name in wire:
            count = integer(wire, name, path)
            return {"web_search": count} if count is not None else None
    return None


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_usage(usage: Usage, target: Target) -> JsonObject:
    """The wire's object: as it came, if it came over this dialect and still says the same; else built anew."""
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw, target) == usage:
        return usage.raw
    taken, given = usage.input_tokens or 0, usage.output_tokens or 0
    wire: JsonObject = {
        "prompt_tokens": taken,
        "completion_tokens": given,
        "total_tokens": taken + given,
    }
    if _WRITTEN(usage) != _NONE_WRITTEN:  # few answers have any, and one look is cheaper than nine
        for member, fields in _DETAILS:
            details = {name: count for name, field in fields if (count := getattr(usage, field)) is not None}
            if details:
                wire[member] = details
    if usage.reported_cost is not None:
        wire["cost"] = float(usage.reported_cost)
    return wire


_WRITTEN_INPUT: Final = tuple(
    item for item in _INPUT_DETAILS.items() if item[0] not in ("cache_creation_tokens", "video_tokens")
)
_WRITTEN_OUTPUT: Final = tuple(item for item in _OUTPUT_DETAILS.items() if item[0] != "image_tokens")
_DETAILS: Final = (("prompt_tokens_details", _WRITTEN_INPUT), ("completion_tokens_details", _WRITTEN_OUTPUT))
_WRITTEN: Final = attrgetter(*(field for _, fields in _DETAILS for _, field in fields))
_NONE_WRITTEN: Final = _WRITTEN(Usage())
