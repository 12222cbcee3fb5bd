"""Names of this dialect's notes and the small operations on them that every file here needs.

Members of the wire that no value has a field for stand in `extras["openai-responses"]` under their own names; notes of
form stand there too, under names that begin with ":" (see the package's docstring for the list).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

if TYPE_CHECKING:
    from dragoman.values import Extras, JsonObject, Message, Request, Response
    from dragoman.values.parts import Citation, Part

__all__ = [
    "ABSENT",
    "BEYOND",
    "CONTENT",
    "ECHO",
    "INPUT",
    "INSTRUCTIONS",
    "ISSUER",
    "ITEM",
    "ITEM_EXTRAS",
    "MARK",
    "MINTED",
    "NAME",
    "NOBODY",
    "NULL",
    "OUTPUT_TEXT",
    "PATH",
    "TYPE",
    "WIRE",
    "extras_of",
    "members",
    "noted",
    "notes",
    "same_json",
    "without_note",
]

NAME = "openai-responses"

ITEM = ":item"
"""On the last part of an item: `type`, `status`, `phase` and the like as the wire had them, and `:issuer`."""
ISSUER = ":issuer"
"""Inside `:item`: who gave the item its id; the id means nothing to anybody else."""
ITEM_EXTRAS = "item_members"
"""On the last part of a message or reasoning item: the item's own members that no field holds."""
NOBODY = "nobody"
"""The issuer of ids that we minted: a client sends them back, and no provider knows them."""
MINTED = "local_"
"""How the ids that we mint go on behind their prefix (`msg_local_…`)."""
TYPE = ":type"
"""The wire's type of a content part, where it is not the usual one."""
CONTENT = ":content"
"""Whether content was "text" or "list", where it is not what we would write."""
ABSENT = ":absent"
"""Members that we would write and the wire did not have."""
NULL = ":null"
"""Members that were null."""
WIRE = ":wire"
"""The wire's original where decoding is not invertible; used only while it still decodes to the value's content."""
MARK = ":mark"
"""On a part: the wire had a cache breakpoint here."""
ECHO = ":echo"
"""Members of a response that repeat the request, frame the object, or are null."""
OUTPUT_TEXT = ":output_text"
"""On a response: it repeated the text of its messages as `output_text`."""
INSTRUCTIONS = ":instructions"
"""On a system message: it came as the `instructions` member."""
INPUT = ":input"
"""On a request: `input` was "text", or "absent"."""
BEYOND = ":beyond"
"""On a request: members that hosts take beyond the vendor's own."""
PATH = ":path"
"""On a request: the path it was sent to, where it is not `responses`."""

_NOTHING: dict[str, Any] = {}

_T = TypeVar("_T", bound="Part | Message | Request | Response | Citation")


def notes(extras: Extras) -> JsonObject:
    """This dialect's members and notes; never to be changed."""
    return extras.get(NAME, _NOTHING)


def members(extras: Extras) -> JsonObject:
    """This dialect's members alone, without notes and without those of the item around, in a new mapping."""
    own = extras.get(NAME, _NOTHING)
    return {name: value for name, value in own.items() if name[:1] != ":" and name != ITEM_EXTRAS}


def extras_of(members: JsonObject) -> Extras:
    """Extras that hold `members`; empty when there are none."""
    return {NAME: members} if members else {}


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, 1, 1.0 and true being three different things."""
    # Loops, and a look at identity first, since what is written shares most of its leaves with what was read: this
    # runs for every item of every request.
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        mine, its = cast("JsonObject", one), cast("JsonObject", other)
        if len(mine) != len(its):
            return False
        for name, value in mine.items():
            if name not in its or (value is not its[name] and not same_json(value, its[name])):
                return False
        return True
    if isinstance(one, list):
        ours, theirs = cast("list[Any]", one), cast("list[Any]", other)
        return len(ours) == len(theirs) and all(map(same_json, ours, theirs))
    return one == other


def noted(value: _T, **members: Any) -> _T:
    """`value` with further members or notes of this dialect."""
    extras = {**value.extras, NAME: {**value.extras.get(NAME, _NOTHING), **members}}
    return replace(value, extras=extras)


def without_note(value: _T, name: str) -> _T:
    """`value` without one note."""
    own = {member: what for member, what in notes(value.extras).items() if member != name}
    extras = {dialect: what for dialect, what in value.extras.items() if dialect != NAME}
    if own:
        extras[NAME] = own
    return replace(value, extras=extras)
