"""LiteLLM's map: capability flags, the longest prompt and answer, mode and the day a model is switched off.

A flag that is absent says nothing; it is False only where the map says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from dragoman.values.profile import CacheFacts, ReasoningFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.facts.tables.providers import CacheManner, Party

__all__ = ["litellm_fields", "litellm_name"]

_FLAGS = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_tool_choice": "tool_choice",
    "supports_response_schema": "schema_output",
    "supports_system_messages": "system_messages",
    "supports_assistant_prefill": "prefill",
    "supports_reasoning": "reasoning",
}
_TAKES = {
    "supports_vision": "image",
    "supports_image_input": "image",
    "supports_audio_input": "audio",
    "supports_video_input": "video",
    "supports_pdf_input": "document",
}
_MODALITIES = ("text", "image", "audio", "video", "document")
_MODES = {
    "chat": "chat",
    "responses": "chat",
    "completion": "chat",
    "embedding": "embedding",
    "image_generation": "image",
    "image_edit": "image",
    "audio_transcription": "audio",
    "audio_speech": "audio",
    "rerank": "rerank",
    "moderation": "moderation",
}
_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_DAY = re.compile(r"20\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


def litellm_name(key: str, party: Party) -> str | None:
    """The provider's own name of what a key stands for; None for a price of a region, a size or a commitment."""
    name = key
    for prefix in party.litellm_prefixes:
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            break
    return name if party.slashes or "/" not in name else None


def litellm_fields(entry: Mapping[str, Any], cache: CacheManner | None = None) -> dict[str, Any]:
    """Fields of `Profile` that one entry states; `cache` tells how the provider caches, where it does."""
    fields: dict[str, Any] = {
        "mode": _MODES.get(entry.get("mode") or "chat", "other") if entry.get("mode") else None,
        "input_tokens": _count(entry.get("max_input_tokens")),
        "output_tokens": _count(entry.get("max_output_tokens")),
        "input_modalities": _modalities(entry),
        "some_input_modalities": _some_modalities(entry),
        "output_modalities": _listed(entry.get("supported_output_modalities")),
        "reasoning_facts": _reasoning(entry),
        "refused": _SAMPLING if entry.get("supports_sampling_params") is False else None,
        "cache": _cache(entry, cache),
        "retired": _day(entry.get("deprecation_date")),
    }
    for flag, name in _FLAGS.items():
        fields[name] = entry[flag] if isinstance(entry.get(flag), bool) else None
    return {name: value for name, value in fields.items() if value is not None}


def _count(told: Any) -> int | None:
    """A number of tokens; the map has some as floats and a few as text."""
    try:
        return int(float(told)) or None
    except (TypeError, ValueError):
        return None


def _day(told: Any) -> str | None:
    return told if isinstance(told, str) and _DAY.fullmatch(told) else None


def _listed(told: Any) -> tuple[str, ...] | None:
    if not isinstance(told, list) or not told:
        return None
    words = set(cast("list[str]", told))
    return tuple(word for word in _MODALITIES if word in words) or None


def _modalities(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    listed = _listed(entry.get("supported_modalities"))
    if listed is None:
        return None
    whole = {*listed, *(_some_modalities(entry) or ())}
    return tuple(word for word in _MODALITIES if word in whole)


def _some_modalities(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    found = {word for flag, word in _TAKES.items() if entry.get(flag) is True}
    return tuple(word for word in _MODALITIES if word in found) or None


def _reasoning(entry: Mapping[str, Any]) -> ReasoningFacts | None:
    told = entry.get("reasoning_effort_levels")
    efforts = tuple(cast("list[str]", told)) if isinstance(told, list) and told else None
    always = entry.get("thinking_always_on")
    optional = None if always is None else not always
    if optional is None and isinstance(entry.get("supports_none_reasoning_effort"), bool):
        # Without a level "none" thinking may still be switched off in another way: only True says something.
        optional = True if entry["supports_none_reasoning_effort"] else None
    if efforts is None and optional is None:
        return None
    if efforts is not None and "none" in efforts:
        optional = True
    return ReasoningFacts(efforts=efforts, form=None, optional=optional)


def _cache(entry: Mapping[str, Any], manner: CacheManner | None) -> CacheFacts | None:
    told = entry.get("supports_prompt_caching")
    if told is False:
        return CacheFacts(kinds=())
    least = _count(entry.get("prompt_cache_min_tokens"))
    if told is not True or (manner is None and least is None):
        return None
    return CacheFacts(
        kinds=None if manner is None else cast("Any", manner.kinds),
        least_tokens=least,
        most_marks=None if manner is None else manner.most_marks,
        ttls=None if manner is None else manner.ttls,
    )
