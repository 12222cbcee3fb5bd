"""One row of what a provider refuses, and the readings of a body that rows share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dragoman.values import JsonObject

__all__ = ["Found", "Refusal", "above", "missing", "objects"]

Found = tuple[str, str]
"""The member to blame, and what the provider says."""


@dataclass(frozen=True)
class Refusal:
    """`what` names the rule in words; `find` looks for a breach of it."""

    what: str
    find: Callable[[JsonObject], Found | None]


def objects(holder: Any, name: str) -> list[JsonObject]:
    """The objects in a list member; what is no list, or no object, is the codec's to refuse."""
    found: Any = holder.get(name) if isinstance(holder, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(found, list):
        return []
    return [cast("JsonObject", item) for item in cast("list[Any]", found) if isinstance(item, dict)]


def missing(*names: str) -> Callable[[JsonObject], Found | None]:
    """Finds members that must be there and are not."""

    def find(body: JsonObject) -> Found | None:
        for name in names:
            if body.get(name) is None:
                return name, f"Missing required parameter: '{name}'."
        return None

    return find


def above(most: float, *names: str) -> Callable[[JsonObject], Found | None]:
    """Finds numbers that are below nought or above the most."""

    def find(body: JsonObject) -> Found | None:
        for name in _numbers(body, names):
            return name, f"Invalid '{name}': it must lie between 0 and {most:g}."
        return None

    def _numbers(body: JsonObject, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            value: Any = body.get(name)
            if isinstance(value, (int, float)) and not 0 <= value <= most:
                yield name

    return find
