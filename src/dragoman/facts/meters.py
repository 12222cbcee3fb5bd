"""Meters: what of a usage each one counts, and which of them lie within which.

A token is charged by the narrowest meter with a price that it belongs to, so a meter charges what the priced meters
within it leave over. Two meters that cross (cached tokens, tokens of audio) share those that both hold, which have a
meter of their own: their join.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dragoman.facts.price_lists import Meter
    from dragoman.values import Usage

    Counter = Callable[[Usage], int | None]

__all__ = ["COUNTERS", "JOINS", "STANDARD_TIERS", "TOOLS", "WITHIN"]


def _input(usage: Usage) -> int | None:
    return usage.input_tokens if usage.billed_input_tokens is None else usage.billed_input_tokens


def _output(usage: Usage) -> int | None:
    return usage.output_tokens if usage.billed_output_tokens is None else usage.billed_output_tokens


COUNTERS: Final[Mapping[Meter, Counter]] = {
    "input": _input,
    "output": _output,
    "cache_read": attrgetter("cache_read_tokens"),
    "cache_write": attrgetter("cache_write_tokens"),
    "cache_write_1h": attrgetter("cache_write_1h_tokens"),
    "input_audio": attrgetter("input_audio_tokens"),
    "input_image": attrgetter("input_image_tokens"),
    "input_video": attrgetter("input_video_tokens"),
    "cache_read_audio": attrgetter("cache_read_audio_tokens"),
    "cache_read_image": attrgetter("cache_read_image_tokens"),
    "cache_read_video": attrgetter("cache_read_video_tokens"),
    "output_audio": attrgetter("output_audio_tokens"),
    "output_image": attrgetter("output_image_tokens"),
    "output_video": attrgetter("output_video_tokens"),
    "output_reasoning": attrgetter("reasoning_tokens"),
    "output_citation": attrgetter("citation_tokens"),
}
"""The count of each meter of tokens; None where it was not reported. What is billed stands before what was taken."""

WITHIN: Final[Mapping[Meter, tuple[Meter, ...]]] = {
    "cache_read": ("input",),
    "cache_write": ("input",),
    "cache_write_1h": ("cache_write", "input"),
    "input_audio": ("input",),
    "input_image": ("input",),
    "input_video": ("input",),
    "cache_read_audio": ("cache_read", "input_audio", "input"),
    "cache_read_image": ("cache_read", "input_image", "input"),
    "cache_read_video": ("cache_read", "input_video", "input"),
    "output_audio": ("output",),
    "output_image": ("output",),
    "output_video": ("output",),
    "output_reasoning": ("output",),
    "output_citation": ("output",),
    "input": (),
    "output": (),
}
"""The wider meters that each one lies within."""

JOINS: Final[Mapping[tuple[Meter, Meter], Meter | None]] = {
    ("cache_read", "input_audio"): "cache_read_audio",
    ("cache_read", "input_image"): "cache_read_image",
    ("cache_read", "input_video"): "cache_read_video",
    ("cache_write", "input_audio"): None,
    ("cache_write", "input_image"): None,
    ("cache_write", "input_video"): None,
    ("output_reasoning", "output_audio"): None,
    ("output_reasoning", "output_image"): None,
    ("output_reasoning", "output_video"): None,
}
"""Meters that cross, and the one that counts what both hold; None: nothing does."""

TOOLS: Final[Mapping[Meter, tuple[str, ...]]] = {
    "web_search": ("web_search",),
    "storage_search": ("file_search",),
    "social_search": ("x_search",),
    "code_execution": ("code_execution", "code_interpreter"),
}
"""The names under which `tool_uses` counts what a meter charges for, each use."""

STANDARD_TIERS: Final = frozenset(
    ("auto", "default", "standard", "standard_only", "on_demand", "unspecified", "service_tier_unspecified")
)
"""Words of service tiers that mean the list price: an answer of one of them is charged by a table without a tier."""
