"""What chunks say of a candidate beside its content, put together as the unstreamed answer has it.

Lists inside groundingMetadata, citationMetadata, urlContextMetadata and logprobsResult go on from chunk to chunk; a
chunk that repeats the list so far and adds to it replaces it. Anything else is as the last chunk has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["merge_candidate"]

_GOING_ON = frozenset({"groundingMetadata", "citationMetadata", "urlContextMetadata", "logprobsResult"})


def merge_candidate(told: JsonObject, new: JsonObject) -> None:
    """Adds a chunk's members to those told so far."""
    for name, value in new.items():
        old = told.get(name)
        if name in _GOING_ON and isinstance(value, dict) and isinstance(old, dict):
            told[name] = _joined(cast("JsonObject", old), cast("JsonObject", value))
        else:
            told[name] = value


def _joined(old: JsonObject, new: JsonObject) -> JsonObject:
    joined = dict(old)
    for name, value in new.items():
        before: Any = old.get(name)
        if isinstance(value, list) and isinstance(before, list):
            items, earlier = cast("list[Any]", value), cast("list[Any]", before)
            joined[name] = items if items[: len(earlier)] == earlier else [*earlier, *items]
        else:
            joined[name] = value
    if "logProbabilitySum" in old and "logProbabilitySum" in new:
        joined["logProbabilitySum"] = old["logProbabilitySum"] + new["logProbabilitySum"]
    return joined
