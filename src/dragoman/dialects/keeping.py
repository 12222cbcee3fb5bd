"""Keeping what a wire object says beyond a value's fields, so that encoding gives the same JSON again.

All stands in `extras[dialect]`: members that no field holds under their own names, and notes of form under names that
begin with ":".

    :void    {member: value} members that were written and say nothing (null, false, an empty list or text)
    :absent  [member] members that the complete form has and the object lacked
    :exact   {member: value} numbers whose JSON type a field does not keep (5.0 for an integer)

Further notes belong to a dialect alone and are told where they are set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dragoman.values import Extras, JsonObject

__all__ = ["kept", "own", "write_back"]

_NOTHING: Final[dict[str, Any]] = {}


def own(extras: Extras, dialect: str) -> JsonObject:
    """The members and notes of one dialect; not to be changed."""
    return extras.get(dialect, _NOTHING)


def kept(
    wire: JsonObject,
    known: Collection[str],
    dialect: str,
    *,
    complete: Iterable[str] = (),
    read: JsonObject | None = None,
    notes: JsonObject | None = None,
) -> Extras:
    """What of a wire object the fields read from it do not hold.

    `known` are members that have fields, `complete` those of them that the encoder always writes, `read` the numbers
    that were read, by their members, `notes` further notes.
    """
    members: JsonObject = {}
    void: JsonObject = {}
    for name, value in wire.items():
        if name in known:
            if _says_nothing(value):
                void[name] = value
        elif value is None or name.startswith(":"):
            void[name] = value
        else:
            members[name] = value
    if void:
        members[":void"] = void
    absent = [name for name in complete if name not in wire]
    if absent:
        members[":absent"] = absent
    exact = {
        name: wire[name]
        for name, value in (read or _NOTHING).items()
        if value is not None and type(wire.get(name)) is not type(value)
    }
    if exact:
        members[":exact"] = exact
    if notes:
        members.update(notes)
    return {dialect: members} if members else {}


def write_back(wire: JsonObject, extras: Extras, dialect: str) -> JsonObject:
    """Writes kept members back into an encoded object and gives it the form it had; returns it."""
    members = extras.get(dialect)
    if not members:
        return wire
    for name, value in members.items():
        if not name.startswith(":"):
            wire.setdefault(name, value)
    for name, value in members.get(":void", _NOTHING).items():
        if _says_nothing(wire.get(name)):
            wire[name] = value
    for name, value in members.get(":exact", _NOTHING).items():
        if wire.get(name) == value:
            wire[name] = value
    for name in members.get(":absent", ()):
        if _says_nothing(wire.get(name)):
            wire.pop(name, None)
    return wire


def _says_nothing(value: Any) -> bool:
    return value is None or value is False or value == "" or value == [] or value == {}
