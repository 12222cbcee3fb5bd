"""Forms: what the codecs of this dialect carry along, and its notes beside those of `dialects.keeping`.

- `:spoken`   on a request: it came from this dialect, so nothing is mended that its author wrote;
- `:place`    "messages" for a system message that stood among the turns;
- `:beside`   members beside the one that names a block's kind, where there should be none;
- `:form`     "citationsContent" of a text, "json" of a result's text;
- `:content`  the pieces of a cited text, where they are not one;
- `:type`     the wire's type of a call or a result, `:status` that of a result that is no error;
- `:input`    [input] of a call whose input is no plain object, [] where there was none;
- `:format`   of media, where the MIME type does not tell it;
- `:textFormat`, `:toolChoice`, `:thinking`, `:serviceTier`  the wire's object, where the fields would say it otherwise;
- `:inferenceConfig`, `:toolConfig`, `:outputConfig`  the notes of those objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dragoman.dialects.keeping import kept, own, write_back
from dragoman.values import AdaptationLog, Replay, Target

if TYPE_CHECKING:
    from collections.abc import Collection

    from dragoman.values import Extras, JsonObject

__all__ = ["NAME", "Writing", "foreign_block", "mark", "nested", "note", "own_state", "tier_word", "write_nested"]

NAME = "bedrock"
_TIERS = {
    **dict.fromkeys(("auto", "default", "standard", "standard_only"), "default"),
    **{name: name for name in ("flex", "priority", "reserved")},
}


@dataclass(slots=True)
class Writing:
    """What an encoder carries along.

    `mend`: the values come from elsewhere, so what this wire forbids is mended and recorded. `answer`: a response is
    written, not a request. `names` are those of the documents so far: no two may have the same.
    """

    target: Target
    log: AdaptationLog
    mend: bool = True
    answer: bool = False
    names: set[str] = field(default_factory=set[str])


def note(extras: Extras, name: str) -> Any:
    """The note (or member) of this dialect, or None."""
    return own(extras, NAME).get(name)


def tier_word(tier: str | None, writing: Writing) -> str | None:
    """This wire's word for a service tier; None (recorded) where it has none."""
    if tier is None or not writing.mend:
        return tier
    said = _TIERS.get(tier)
    if said is None:
        writing.log.dropped("service_tier", "this wire has no such tier", tier)
    elif said != tier:
        writing.log.substituted("service_tier", "this wire's word for it", tier, said)
    return said


def nested(name: str, wire: JsonObject, known: Collection[str], read: JsonObject | None = None) -> JsonObject:
    """What of an object within a request its fields do not hold: members under its name, notes under its note."""
    members = own(kept(wire, known, NAME, read=read), NAME)
    notes = {key: value for key, value in members.items() if key.startswith(":")}
    rest = {key: value for key, value in members.items() if not key.startswith(":")}
    return {**({name: rest} if rest else {}), **({f":{name}": notes} if notes else {})}


def write_nested(wire: JsonObject, extras: Extras, name: str) -> JsonObject:
    """Writes what `nested` kept back into the object; returns it."""
    members = own(extras, NAME)
    return write_back(wire, {NAME: {**members.get(name, {}), **members.get(f":{name}", {})}}, NAME)


# -- whose state a part holds ------------------------------------------------------------------------------------------


def mark(target: Target) -> tuple[Replay, ...]:
    """Names the issuer of a block that is its own affair (system tools, kinds that we do not know)."""
    return (Replay(issuer=target.issuer, dialect=NAME, kind="block", data=None),)


def own_state(replays: tuple[Replay, ...], kind: str, target: Target) -> Replay | None:
    """The replay of this kind that `target` issued over this dialect; unlike its data, it may be told from None."""
    for replay in replays:
        if replay.kind == kind and replay.dialect == NAME and replay.issuer == target.issuer:
            return replay if replay.model in (None, target.model) else None
    return None


def foreign_block(replays: tuple[Replay, ...], target: Target) -> str | None:
    """The issuer of a marked block, or None if `target` may have it. A block made by hand has no mark and may go."""
    for replay in replays:
        if replay.dialect == NAME and replay.kind == "block" and replay.issuer != target.issuer:
            return replay.issuer or "another party"
    return None
