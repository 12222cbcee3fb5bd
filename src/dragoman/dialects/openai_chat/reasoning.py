"""Reasoning on this wire: half a dozen members of a message, by host, for one thing.

The text stands in `reasoning_content` or `reasoning`; what the issuer wants back (signatures, encrypted thoughts) in
`reasoning_details`, `thinking_blocks`, `extra_content` or `thought_signature`. One `Reasoning` part holds it all: the
text, and a replay of kind "reasoning" with the member that held the text and the state, as they came:

    {"member": "reasoning", "state": {"reasoning_details": […]}}

A missing "member" is `reasoning_content`, "content" a thought in a content list, and null no member at all: the words
are those in the state. A part with words stands first in its message; state without words last, since hosts send it
before the text or behind it.

Reasoning that a client's request carries has the note `:said`, and is written as it was said; reasoning taken from an
answer goes back only to its issuer, under the member that the host's quirks name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.openai_chat.notes import NAME, extras_of
from dragoman.dialects.openai_chat.parts import drop_foreign_state
from dragoman.dialects.reading import object_of, objects_in, text
from dragoman.values import Reasoning, Replay, own_replay

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Target

__all__ = [
    "REASONING_MEMBERS",
    "STATE_MEMBERS",
    "TEXT_MEMBERS",
    "member_of",
    "merge_state",
    "read_reasoning",
    "reasoning_replay",
    "state_form",
    "state_shape",
    "state_text",
    "words_under",
    "write_answer_reasoning",
    "write_request_reasoning",
]

TEXT_MEMBERS: Final = ("reasoning_content", "reasoning")
STATE_MEMBERS: Final = ("reasoning_details", "thinking_blocks", "extra_content", "thought_signature")
REASONING_MEMBERS: Final = frozenset((*TEXT_MEMBERS, *STATE_MEMBERS))

_LISTS: Final = ("reasoning_details", "thinking_blocks")
_SPOKEN: Final = ("text", "summary", "thinking")
"""The members that hold text in an item of `reasoning_details` and `thinking_blocks`."""


def read_reasoning(
    message: JsonObject, target: Target, path: str, void: JsonObject, *, answer: bool
) -> Reasoning | None:
    """The message's reasoning, or None. Members of ours that say nothing are put into `void`."""
    said = member = None
    state: JsonObject = {}
    for name in REASONING_MEMBERS.intersection(message):
        if not message[name]:
            void[name] = message[name]
        elif name in STATE_MEMBERS:
            state[name] = _checked(message, name, path)
    for name in TEXT_MEMBERS:
        value = words_under(message, name, path)
        if value and not said:
            said, member = value, name
        elif value == "" and said is None and not answer:
            said, member = value, name  # DeepSeek wants an empty thought back, too
        elif value:
            void[name] = value  # said twice, under two names
    if said is None and not state:
        return None
    state = {name: state[name] for name in STATE_MEMBERS if name in state}
    spoken = said if said is not None else state_text(state)
    return Reasoning(
        text=spoken,
        form=state_form(spoken, state) if state else "full",
        replay=(reasoning_replay(member, state, target),),
        extras={} if answer else extras_of({":said": True}),
    )


def words_under(holder: JsonObject, name: str, path: str) -> str | None:
    """The words under a name: text, or Bedrock's object around it (Envoy's gateway)."""
    value = holder.get(name)
    if not isinstance(value, dict):
        return text(holder, name, path)
    inner: Any = cast("JsonObject", value).get("reasoningText", value)
    where = f"{path}.{name}"
    return text(object_of(inner, where), "text", where) or ""


def reasoning_replay(member: str | None, state: JsonObject, target: Target) -> Replay:
    """The replay of a reasoning part: which member held the words, and the state as it came."""
    data: JsonObject = {}
    if member != "reasoning_content":
        data["member"] = member
    if state:
        data["state"] = state
    return Replay(issuer=target.issuer, dialect=NAME, kind="reasoning", data=data)


def member_of(data: JsonObject) -> str | None:
    """The member that held the words of a part with this replay; None where the state itself holds them."""
    return data.get("member", "reasoning_content")


def _checked(holder: JsonObject, name: str, path: str) -> Any:
    return objects_in(holder, name, path) if name in _LISTS else holder[name]


def state_text(state: JsonObject) -> str:
    """The words that state holds besides what is for its issuer alone."""
    for name in _LISTS:
        items = state.get(name)
        if isinstance(items, list):
            return "".join(_words(item) for item in cast("list[object]", items))
    return ""


def _words(item: object) -> str:
    if isinstance(item, dict):
        for name in _SPOKEN:
            words = cast("JsonObject", item).get(name)
            if isinstance(words, str):
                return words
    return ""


def state_form(spoken: str, state: JsonObject) -> Any:
    """Full thoughts, their summary, or nothing that can be read."""
    if not spoken:
        return "redacted"
    details = state.get("reasoning_details")
    if isinstance(details, list) and details:
        items = [cast("JsonObject", item) for item in cast("list[Any]", details) if isinstance(item, dict)]
        kinds = [item.get("type") for item in items]
        if "reasoning.summary" in kinds and "reasoning.text" not in kinds:
            return "summary"
    return "full"


def state_shape(state: JsonObject) -> JsonObject:
    """The state without its words: what a stream's encoder puts around each piece of them."""
    return {
        name: [
            {member: "" if member in _SPOKEN else value for member, value in cast("JsonObject", item).items()}
            for item in cast("list[Any]", items)
        ]
        for name, items in state.items()
        if name in _LISTS
    }


def merge_state(state: JsonObject, name: str, delta: JsonObject, path: str) -> None:
    """Adds the state member `name` of a delta to what came before.

    Items of a list are put together by their index and kind: texts are joined, anything else is replaced by what comes
    later and is not null. A new id, or a kind of item other than the last, begins another item.
    """
    piece = delta[name]
    if name not in _LISTS:
        held = state.get(name)
        if isinstance(held, dict) and isinstance(piece, dict):
            piece = {**cast("JsonObject", held), **cast("JsonObject", piece)}
        state[name] = piece
        return
    items: list[JsonObject] = state.setdefault(name, [])
    for item in objects_in(delta, name, path):
        known = _continued(items, item)
        if known is None:
            items.append(dict(item))
        else:
            _extend(known, item)


def _continued(items: list[JsonObject], new: JsonObject) -> JsonObject | None:
    index = new.get("index")
    for old in reversed(items):
        if old.get("type") == new.get("type") and old.get("index") == index:
            fresh_id = old.get("id") is not None and new.get("id") is not None and old["id"] != new["id"]
            # Without an index, a signature is the last word of its item.
            closed = index is None and bool(old.get("signature"))
            return None if fresh_id or closed else old
        if index is None:
            return None
    return None


def _extend(old: JsonObject, new: JsonObject) -> None:
    for name, value in new.items():
        held = old.get(name)
        if isinstance(value, str) and isinstance(held, str) and name in (*_SPOKEN, "data"):
            old[name] = held + value
        elif value is not None and (value or not held):
            old[name] = value
        else:
            old.setdefault(name, value)


# -- writing -----------------------------------------------------------------------------------------------------------


def write_request_reasoning(
    part: Reasoning, wire: JsonObject, target: Target, log: AdaptationLog, path: str, *, said: bool
) -> None:
    """Puts earlier reasoning into an assistant's message of a request, where its issuer may and will have it."""
    data = own_replay(part.replay, "reasoning", target, NAME)
    if data is None:
        issuer = part.replay[0].issuer if part.replay else "another provider"
        log.dropped(path, f"reasoning and replay state of {issuer}", part.form)
        return
    wanted = target.quirks.chat.reasoning_member
    if wanted is None and not said:
        log.dropped(path, "the host takes no earlier reasoning back", part.form)
        return
    member = member_of(data)
    if member is not None and wanted in TEXT_MEMBERS and member != wanted:
        log.substituted(path, "the host's member for reasoning", member, wanted)
        member = wanted
    _write(part, wire, member, data.get("state"), log, path)


def write_answer_reasoning(part: Reasoning, wire: JsonObject, target: Target, log: AdaptationLog, path: str) -> None:
    """Puts reasoning into an answer's message; state only where `target` issued it over this dialect."""
    data = own_replay(part.replay, "reasoning", target, NAME)
    drop_foreign_state(part, target, log, path)
    if data is None:
        wanted = target.quirks.chat.reasoning_member
        if not part.text:
            log.dropped(path, "reasoning without words", part.form)
            return
        _write(part, wire, wanted if wanted in TEXT_MEMBERS else "reasoning_content", None, log, path)
        return
    _write(part, wire, member_of(data), data.get("state"), log, path)


def _write(
    part: Reasoning, wire: JsonObject, member: str | None, state: JsonObject | None, log: AdaptationLog, path: str
) -> None:
    if member is None and part.text != state_text(state or {}):
        log.dropped(f"{path}.replay", "the words were changed since the state was issued", "reasoning")
        member, state = "reasoning_content", None
    if member is not None and not part.text:
        wire.setdefault(member, "")
    elif member is not None:
        held = wire.get(member)
        wire[member] = f"{held}\n\n{part.text}" if held else part.text
    if state:
        for name, value in state.items():
            held = wire.get(name)
            wire[name] = [*held, *value] if isinstance(held, list) and isinstance(value, list) else value
