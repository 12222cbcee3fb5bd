"""Wire objects in either spelling, and the notes that give a decoded object its form back.

Google's servers read every member in camelCase and in snake_case, take one object where a list is due, and read null
as absent. A value has none of that, so `read` splits an object into the members that values have fields for, under
their camelCase names, the members that they have none for, as written, and notes of form, whose names begin with ":":

    :snake   camelCase names of the members that were written in snake_case
    :null    members that were written as null, as written
    :single  camelCase names of lists that were written as one object

`write` puts the three together again. An object inside another (`inlineData` in a part) keeps its own rest and notes
in the outer extras, under its name and under ":" and its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dragoman.dialects.reading import object_of
from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from dragoman.values import Extras, JsonObject

__all__ = [
    "NAME",
    "Reading",
    "Shape",
    "extras_of",
    "inner",
    "listed",
    "own",
    "read",
    "shape",
    "snake",
    "write",
    "write_inner",
]

NAME = "gemini"

Shape = dict[str, str]
"""The members of one kind of object that values have fields for: each spelling → the camelCase name."""


def snake(name: str) -> str:
    """`inlineData` → `inline_data`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def shape(*names: str) -> Shape:
    """The shape that has these members, given in camelCase."""
    return {spelling: name for name in names for spelling in (name, snake(name))}


class Reading(NamedTuple):
    """What `read` found: see the module's docstring."""

    found: JsonObject
    rest: JsonObject
    notes: JsonObject

    @property
    def extras(self) -> Extras:
        return extras_of({**self.rest, **self.notes})


def extras_of(members: JsonObject) -> Extras:
    """Extras of this dialect; none for no members."""
    return {NAME: members} if members else {}


def own(extras: Extras) -> JsonObject:
    """What extras hold of this dialect."""
    return extras.get(NAME) or {}


def read(wire: JsonObject, shape: Shape, path: str) -> Reading:
    """Splits an object. A member given in both spellings, or named like a note, is a violation."""
    found: JsonObject = {}
    rest: JsonObject = {}
    notes: JsonObject = {}
    for written, value in wire.items():
        name = shape.get(written)
        if name is None:
            if written.startswith(":"):
                raise ProtocolViolation(f"{path} has no member {written!r}", path=f"{path}.{written}")
            rest[written] = value
        elif value is None:
            notes.setdefault(":null", []).append(written)
        elif name in found:
            raise ProtocolViolation(f"{path}.{name} is given in both spellings", path=f"{path}.{name}")
        else:
            found[name] = value
            if written != name:
                notes.setdefault(":snake", []).append(name)
    return Reading(found, rest, notes)


def write(members: JsonObject, extras: JsonObject) -> JsonObject:
    """The object that `members` (camelCase names), and a rest and notes together in `extras`, make."""
    if not extras:
        return members
    whole = {**members, **{name: value for name, value in extras.items() if not name.startswith(":")}}
    for name in cast("list[str]", extras.get(":single", ())):
        if name in whole and len(whole[name]) == 1:
            whole[name] = whole[name][0]
    for written in cast("list[str]", extras.get(":null", ())):
        whole.setdefault(written, None)
    spelled = cast("list[str]", extras.get(":snake", ()))
    if spelled:
        return {snake(name) if name in spelled else name: value for name, value in whole.items()}
    return whole


def inner(reading: Reading, name: str, shape: Shape, path: str) -> JsonObject:
    """The members of the object inside `name`; what they leave goes to the outer object's rest and notes."""
    inside = read(object_of(reading.found[name], f"{path}.{name}"), shape, f"{path}.{name}")
    if inside.rest:
        reading.rest[name] = inside.rest
    if inside.notes:
        reading.notes[f":{name}"] = inside.notes
    return inside.found


def write_inner(members: JsonObject, name: str, extras: JsonObject) -> JsonObject:
    """The object inside `name`, of `members` and of what the outer extras keep for it."""
    rest = extras.get(name)
    notes = extras.get(f":{name}")
    if rest is None and notes is None:
        return members
    return write(members, {**(rest or {}), **(notes or {})})


def listed(reading: Reading, name: str, path: str) -> list[JsonObject]:
    """The objects in the list `name`; a single object counts as a list of one, and a note says so."""
    value: Any = reading.found.get(name)
    if value is None:
        return []
    where = f"{path}.{name}" if path else name
    if isinstance(value, dict):
        reading.notes.setdefault(":single", []).append(name)
        return [cast("JsonObject", value)]
    if not isinstance(value, list):
        raise ProtocolViolation(f"{where} should be a list, and is {type(value).__name__}: {value!r:.80}", path=where)
    return [object_of(item, f"{where}[{index}]") for index, item in enumerate(cast("list[Any]", value))]
