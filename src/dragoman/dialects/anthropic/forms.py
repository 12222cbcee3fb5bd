"""Forms: what the wire said beyond our values, kept as notes so that encoding gives the same JSON again.

The notes of this dialect, all in `extras["anthropic"]`:

- `:explicit`  members that were written and say nothing (null, false, an empty list): written again unless a field
  speaks now;
- `:content`   "string" where text stood as a string, "absent" where the member was missing;
- `:type`      the wire's type where several share one part (`server_tool_use`, `mcp_tool_use`, a tool's "custom");
- `:input`     on a call: "wrapped" when its arguments, being no JSON object, came wrapped in one; "absent";
- `:place`     "messages" for a system message that stood among the turns;
- `:absent`    required members that an answer lacked, `:null` those that were null, `:role` an unusual one;
- `:spoken`    on a request: it came from this dialect, so nothing is mended that its author wrote;
- `:thinking`, `:member`, `:metadata`, `:output_config`, `:tool_choice`: see `reasoning`, `output`, `request`, `tools`;
- `:members`   members whose own name begins with a colon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.reading import object_of
from dragoman.values import AdaptationLog, CacheHint, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.values import Extras, JsonObject, Part
    from dragoman.values.replay import Replay

__all__ = [
    "NAME",
    "Writing",
    "cache_of",
    "cache_out",
    "foreign_block",
    "kept",
    "note",
    "noted",
    "own_members",
    "own_state",
    "restore",
]

NAME = "anthropic"
_NOTHING: dict[str, Any] = {}
_TTLS = {"5m", "1h"}


class Writing(msgspec.Struct):
    """What an encoder carries along.

    `mend`: the values come from elsewhere, so what this wire forbids is mended and recorded. `answer`: a response is
    written, not a request. `plain`: all turns so far are texts, calls and results, to which there is nothing else.
    """

    target: Target
    log: AdaptationLog
    mend: bool = True
    answer: bool = False
    plain: bool = True


def kept(
    wire: JsonObject,
    known: Iterable[str],
    *,
    silent: Iterable[str] = (),
    cache: CacheHint | None = None,
    notes: dict[str, Any] | None = None,
) -> Extras:
    """The extras of a wire object: members that are not `known`, notes, and what was written but says nothing.

    `silent` names members that the encoder leaves out when their field is empty; `cache` is the hint that was read
    from `cache_control` (without one, the member is kept as it came).
    """
    members: JsonObject = {}
    if not (isinstance(known, frozenset) and known.issuperset(wire)):  # most objects have none that is unknown
        members = {name: value for name, value in wire.items() if name not in known}
    if cache is not None:
        del members["cache_control"]
    explicit: JsonObject = {}
    for name in silent:
        if name in wire and not wire[name]:
            explicit[name] = wire[name]
    if members:
        colons = [name for name in members if name.startswith(":")]
        if colons:
            members[":members"] = {name: members.pop(name) for name in colons}
        for name in [name for name, value in members.items() if value is None]:
            explicit[name] = members.pop(name)
    if explicit:
        members[":explicit"] = explicit
    if notes:
        members.update(notes)
    return {NAME: members} if members else {}


def note(extras: Extras, name: str) -> Any:
    """The note (or member) of this dialect, or None."""
    return extras.get(NAME, _NOTHING).get(name)


def noted(extras: Extras, **notes: Any) -> Extras:
    """The extras with notes added; keywords stand for the names without their colon."""
    own = {**extras.get(NAME, _NOTHING), **{f":{name}": value for name, value in notes.items()}}
    return {**extras, NAME: own}


def own_members(extras: Extras) -> dict[str, Any]:
    """The members of this dialect without the notes."""
    return {name: value for name, value in extras.get(NAME, _NOTHING).items() if not name.startswith(":")}


def restore(block: JsonObject, extras: Extras) -> JsonObject:
    """Writes kept members and explicit nothings back into `block`, where no field has spoken; returns it."""
    own = extras.get(NAME)
    if own:
        for name, value in own.items():
            if not name.startswith(":"):
                block.setdefault(name, value)
        for kind in (":members", ":explicit"):
            for name, value in own.get(kind, _NOTHING).items():
                block.setdefault(name, value)
    return block


# -- cache marks -------------------------------------------------------------------------------------------------------


def cache_of(wire: Mapping[str, Any], path: str) -> CacheHint | None:
    """The hint in `cache_control`; None where there is none or it is not the known kind (then it is an extra)."""
    mark = wire.get("cache_control")
    if mark is None:
        return None
    mark = object_of(mark, f"{path}.cache_control")
    ttl = mark.get("ttl")
    if mark.get("type") == "ephemeral" and (mark.keys() == {"type"} or (len(mark) == 2 and isinstance(ttl, str))):
        return CacheHint(ttl=ttl)
    return None


def cache_out(cache: CacheHint, path: str, writing: Writing) -> JsonObject:
    """`cache_control` for a hint; a duration that the wire does not know becomes the nearest it does."""
    if cache.ttl is None:
        return {"type": "ephemeral"}
    if writing.mend and cache.ttl not in _TTLS:
        writing.log.substituted(f"{path}.cache.ttl", "this wire keeps prefixes for 5m or 1h", cache.ttl, "1h")
        return {"type": "ephemeral", "ttl": "1h"}
    return {"type": "ephemeral", "ttl": cache.ttl}


# -- whose state a part holds ------------------------------------------------------------------------------------------


def own_state(replays: tuple[Replay, ...], kind: str, target: Target) -> Replay | None:
    """The replay of this kind that `target` issued over this dialect; unlike its data, it may be told from None."""
    for replay in replays:
        if replay.kind == kind and replay.dialect == NAME and replay.issuer == target.issuer:
            return replay if replay.model in (None, target.model) else None
    return None


def foreign_block(part: Part, target: Target) -> str | None:
    """The issuer of a block of this dialect that holds another party's state, or None if `target` may have it.

    A block made by hand has no mark and may go.
    """
    for replay in part.replay:
        if replay.dialect == NAME and replay.kind == "block" and replay.issuer != target.issuer:
            return replay.issuer or "another party"
    return None
