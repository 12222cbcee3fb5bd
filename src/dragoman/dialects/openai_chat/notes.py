"""Notes: how the form that a wire object had is remembered, so that encoding gives back what was decoded.

All stand in `extras["openai-chat"]`, beside the members that no field holds:

    :void     {member: value} members that said nothing (null, an empty list …) and are written back as they were
    :absent   [member] members that the complete form has and the object lacked
    :exact    {member: value} numbers whose JSON type a field does not keep (5.0 for an integer)
    :wire     the object itself, where its form is not kept by other means; it is written back only if decoding it
              again gives the value at hand, so that an edited value is never replaced by what it was made of

The others (`:content`, `:said`, `:id` …) are told where they are set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.reading import text

if TYPE_CHECKING:
    from collections.abc import Collection

    from dragoman.values import Extras, JsonObject

__all__ = [
    "ABSENT",
    "EXACT",
    "NAME",
    "VOID",
    "WIRE",
    "extras_of",
    "keep_exact",
    "non_empty",
    "own",
    "rest",
    "write_members",
]

NAME: Final = "openai-chat"
VOID: Final = ":void"
ABSENT: Final = ":absent"
EXACT: Final = ":exact"
WIRE: Final = ":wire"

_NOTHING: Final[dict[str, Any]] = {}


def own(extras: Extras) -> JsonObject:
    """This dialect's members and notes; not to be changed."""
    return extras.get(NAME, _NOTHING)


def extras_of(members: JsonObject) -> Extras:
    """Extras that hold these members and notes; none for none."""
    return {NAME: members} if members else {}


def non_empty(holder: JsonObject, name: str, void: JsonObject, path: str = "") -> str | None:
    """The text member `name`; an empty or null one says nothing, and is remembered in `void`."""
    value = text(holder, name, path)
    if value:
        return value
    if name in holder:
        void[name] = value
    return None


def rest(holder: JsonObject, known: Collection[str], void: JsonObject) -> JsonObject:
    """The members that are not among `known`. Nulls go to `void`, and so do names that look like notes."""
    members: JsonObject = {}
    for name, value in holder.items():
        if name not in known:
            if value is None or name.startswith(":"):
                void[name] = value
            else:
                members[name] = value
    return members


def keep_exact(holder: JsonObject, name: str, value: object, members: JsonObject) -> None:
    """Notes the number as it stood, where the value read from it is of another type."""
    if value is not None and type(holder.get(name)) is not type(value):
        members.setdefault(EXACT, {})[name] = holder[name]


def write_members(wire: JsonObject, members: JsonObject) -> None:
    """Adds to an encoded object the members its value kept, and gives it back the form it had."""
    for name, value in members.items():
        if not name.startswith(":"):
            wire.setdefault(name, value)
    for name, value in members.get(VOID, _NOTHING).items():
        if name in _FIXED or _is_void(wire.get(name)):
            wire[name] = value
    for name, value in members.get(EXACT, _NOTHING).items():
        if wire.get(name) == value:
            wire[name] = value
    for name in members.get(ABSENT, ()):
        if name in _FIXED or _is_void(wire.get(name)):
            wire.pop(name, None)


_FIXED: Final = ("role", "object", "index")
"""Members that follow from their place, so that no field can say them otherwise."""


def _is_void(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}
