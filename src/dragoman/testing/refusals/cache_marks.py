"""What wires with cache marks refuse: too many of them, and longer times behind shorter ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.testing.refusals.row import Found, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.values import JsonObject

__all__ = ["cache_marks"]

MOST = 4
_LONG = "1h"


def cache_marks(name: str, *members: str) -> Refusal:
    """The row for marks called `name`; `members` of the body are in the order in which a prompt is made of them."""

    def find(body: JsonObject) -> Found | None:
        times = [mark.get("ttl") for member in members for mark in _marks(body.get(member), name)]
        if len(times) > MOST:
            return members[-1], f"A maximum of {MOST} blocks with {name} may be provided. Found {len(times)}."
        shorter = next((index for index, ttl in enumerate(times) if ttl != _LONG), len(times))
        if _LONG in times[shorter:]:
            return members[-1], f"a ttl='{_LONG}' {name} block must not come after a ttl='5m' {name} block"
        return None

    return Refusal(f"there are four of {name} at most, the longer times first", find)


def _marks(value: Any, name: str) -> Iterator[JsonObject]:
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _marks(item, name)
    elif isinstance(value, dict):
        members = cast("JsonObject", value)
        if isinstance(members.get(name), dict):
            yield members[name]
        for member in ("content", "tools"):
            yield from _marks(members.get(member), name)
