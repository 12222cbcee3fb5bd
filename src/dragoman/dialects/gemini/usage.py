"""`usageMetadata` ↔ usage with inclusive totals.

    input   = promptTokenCount (cached tokens are in it) + toolUsePromptTokenCount
    output  = candidatesTokenCount + thoughtsTokenCount
    total   = totalTokenCount, which is the sum of both

The wire leaves zeros out: a count that is absent where the total is given is what the total leaves for it. A modality
count above its total, which hosts have been seen to give, is cut to the total; the wire's own object is in `raw`.
Pages of documents are charged as images (ai.google.dev, "Document understanding") and counted among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.gemini.members import NAME
from dragoman.dialects.gemini.words import MODALITIES, word
from dragoman.dialects.reading import integer, objects_in
from dragoman.values import Usage, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_embedding_usage", "decode_usage", "encode_usage"]

_PATH = "usageMetadata"
_INPUT_DETAILS = ("promptTokensDetails", "toolUsePromptTokensDetails")
_OUTPUT_DETAILS = ("candidatesTokensDetails", "responseTokensDetails")
_CACHE_DETAILS = ("cacheTokensDetails",)
_KINDS = {"IMAGE": "IMAGE", "DOCUMENT": "IMAGE", "AUDIO": "AUDIO", "VIDEO": "VIDEO"}


def decode_usage(wire: JsonObject) -> Usage:
    """The usage that an answer, or a chunk of one, reports."""
    tools = integer(wire, "toolUsePromptTokenCount", _PATH)
    thoughts = integer(wire, "thoughtsTokenCount", _PATH)
    total = integer(wire, "totalTokenCount", _PATH)
    answered = integer(wire, "candidatesTokenCount", _PATH)
    if answered is None:
        answered = integer(wire, "responseTokenCount", _PATH)  # the name that live sessions use
    taken = _sum(integer(wire, "promptTokenCount", _PATH), tools)
    given = _sum(answered, thoughts)
    if given is None and taken is not None and total is not None:
        given = max(0, total - taken)
    cached = _within(integer(wire, "cachedContentTokenCount", _PATH), taken)
    pictures, sounds, films = _modalities(wire, _INPUT_DETAILS, taken)
    drawn, spoken, filmed = _modalities(wire, _OUTPUT_DETAILS, given)
    cached_pictures, cached_sounds, cached_films = _modalities(wire, _CACHE_DETAILS, cached)
    return Usage(
        input_tokens=taken,
        output_tokens=given,
        total_tokens=total,
        cache_read_tokens=cached,
        cache_read_audio_tokens=cached_sounds,
        cache_read_image_tokens=cached_pictures,
        cache_read_video_tokens=cached_films,
        input_audio_tokens=sounds,
        input_image_tokens=pictures,
        input_video_tokens=films,
        input_tool_tokens=tools,
        reasoning_tokens=thoughts,
        output_audio_tokens=spoken,
        output_image_tokens=drawn,
        output_video_tokens=filmed,
        dialect=NAME,
        raw=wire,
    )


def _sum(first: int | None, second: int | None) -> int | None:
    if first is None:
        return second
    return first if second is None else first + second


def _within(count: int | None, total: int | None) -> int | None:
    return count if count is None or total is None else max(0, min(count, total))


def _modalities(
    wire: JsonObject, names: tuple[str, ...], total: int | None
) -> tuple[int | None, int | None, int | None]:
    """Tokens of images, audio and video, together no more than the total."""
    counts: dict[str, int] = {}
    for name in names:
        if name in wire:
            for index, detail in enumerate(objects_in(wire, name, _PATH)):
                where = f"{_PATH}.{name}[{index}]"
                kind = word(detail.get("modality", "TEXT"), MODALITIES, f"{where}.modality")
                if kind in _KINDS:
                    counted = _KINDS[kind]
                    counts[counted] = counts.get(counted, 0) + (integer(detail, "tokenCount", where) or 0)
    left = total
    for kind in counts:
        if left is not None:
            counts[kind] = max(0, min(counts[kind], left))
            left -= counts[kind]
    return counts.get("IMAGE"), counts.get("AUDIO"), counts.get("VIDEO")


def encode_usage(usage: Usage) -> JsonObject:
    """The wire's own object where it still says what the value says, else one made of the fields."""
    if usage.dialect == NAME and usage.raw is not None:
        told = decode_usage(usage.raw)
        if told == usage or told == replace(usage, tool_uses=None, reported_cost=None):
            return usage.raw
    wire: JsonObject = {}
    if usage.input_tokens is not None:
        wire["promptTokenCount"] = usage.input_tokens - (usage.input_tool_tokens or 0)
    if usage.output_tokens is not None:
        wire["candidatesTokenCount"] = usage.output_tokens - (usage.reasoning_tokens or 0)
    for name, count in (
        ("thoughtsTokenCount", usage.reasoning_tokens),
        ("toolUsePromptTokenCount", usage.input_tool_tokens),
        ("cachedContentTokenCount", usage.cache_read_tokens),
    ):
        if count is not None:
            wire[name] = count
    if usage.input_tokens is not None and usage.output_tokens is not None:
        wire["totalTokenCount"] = usage.input_tokens + usage.output_tokens
    elif usage.total_tokens is not None:
        wire["totalTokenCount"] = usage.total_tokens
    _details(
        wire,
        "promptTokensDetails",
        wire.get("promptTokenCount"),
        IMAGE=usage.input_image_tokens,
        AUDIO=usage.input_audio_tokens,
        VIDEO=usage.input_video_tokens,
    )
    _details(
        wire,
        "candidatesTokensDetails",
        wire.get("candidatesTokenCount"),
        IMAGE=usage.output_image_tokens,
        AUDIO=usage.output_audio_tokens,
        VIDEO=usage.output_video_tokens,
    )
    _details(
        wire,
        "cacheTokensDetails",
        usage.cache_read_tokens,
        IMAGE=usage.cache_read_image_tokens,
        AUDIO=usage.cache_read_audio_tokens,
        VIDEO=usage.cache_read_video_tokens,
    )
    return wire


def _details(wire: JsonObject, name: str, total: int | None, **counts: int | None) -> None:
    """Counts by modality; text is what the others leave."""
    told = {kind: count for kind, count in counts.items() if count is not None}
    if not told:
        return
    details = [{"modality": kind, "tokenCount": count} for kind, count in told.items()]
    if total is not None and total > sum(told.values()):
        details.insert(0, {"modality": "TEXT", "tokenCount": total - sum(told.values())})
    wire[name] = details


def decode_embedding_usage(wire: JsonObject) -> Usage:
    """The usage of an embedding call: there is nothing but input."""
    taken = integer(wire, "promptTokenCount", _PATH)
    pictures, sounds, films = _modalities(wire, ("promptTokenDetails", "promptTokensDetails"), taken)
    return Usage(
        input_tokens=taken,
        total_tokens=integer(wire, "totalTokenCount", _PATH),
        input_audio_tokens=sounds,
        input_image_tokens=pictures,
        input_video_tokens=films,
        dialect=NAME,
        raw=wire,
    )
