"""Items → parts and messages, as far as fields and notes of form go; see `items` for what makes that lossless.

The last part of an item carries the item's note (`:item`): its form members verbatim (`type`, `status`, `phase`, …) and
who issued its id. The last and not the first, since a stream tells them at the item's end, when the earlier parts of
a reasoning item have long been shown.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from dragoman.dialects.openai_responses.content import decode_content, decode_piece
from dragoman.dialects.openai_responses.rows import CALLS, OUTPUTS, argument_member, json_text, runner
from dragoman.dialects.openai_responses.wire import (
    CONTENT,
    ISSUER,
    ITEM,
    ITEM_EXTRAS,
    MINTED,
    NAME,
    NOBODY,
    TYPE,
    extras_of,
    noted,
    notes,
)
from dragoman.dialects.reading import object_of, objects_in, required_text, text, unknown
from dragoman.values import Media, Message, MessageRole, Opaque, Reasoning, Replay, Text, ToolCall, ToolResult
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects.openai_responses.content import Piece
    from dragoman.values import JsonObject, Target
    from dragoman.values.parts import Part

__all__ = ["as_run", "item_type", "read_item", "read_message", "read_reasoning_piece"]

_FORM = ("type", "status")
_MESSAGE_MEMBERS = ("type", "status", "phase", "id", "role", "content")
_REASONING_MEMBERS = ("type", "status", "id", "summary", "content", "encrypted_content")
_PIECES: tuple[tuple[str, Literal["full", "summary"]], ...] = (("summary", "summary"), ("content", "full"))
_STATE = ("id", "encrypted_content", "approval_request_id")
_NOTHING: JsonObject = {}


def item_type(item: JsonObject) -> str:
    """The item's type; without one, a thing with a role is a message, and a thing without is a reference."""
    kind = item.get("type")
    if isinstance(kind, str):
        return kind
    return "message" if "role" in item else "item_reference"


def read_item(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    """The parts of one item; one at least."""
    kind = item_type(item)
    if kind in CALLS:
        return (_call(item, kind, path, issuer),)
    if kind in OUTPUTS:
        return (_output(item, kind, path, issuer),)
    read = _READERS.get(kind)
    return read(item, path, issuer) if read is not None else (_opaque(item, path, issuer),)


def _note(item: JsonObject, names: tuple[str, ...], issuer: str) -> JsonObject:
    note = {name: item[name] for name in names if name in item}
    for name in _STATE:  # on the path of every item, so no generator
        if item.get(name):
            note[ISSUER] = _issuer(item, issuer)
            break
    return note


def _issuer(item: JsonObject, issuer: str) -> str:
    """Whose item it is: nobody's, where we minted its id for a client that now sends it back."""
    item_id = item.get("id")
    minted = isinstance(item_id, str) and item_id.partition("_")[2].startswith(MINTED)
    return NOBODY if minted else issuer


def _opaque(item: JsonObject, path: str, issuer: str) -> Opaque:
    kind = item_type(item)
    encrypted = text(item, "encrypted_content", path)
    if encrypted is None:
        return Opaque(dialect=NAME, kind=kind, data=item, extras={NAME: {ITEM: _note(item, (), issuer)}})
    return Opaque(
        dialect=NAME,
        kind=kind,
        data=unknown(item, ("encrypted_content",)),
        item_id=text(item, "id", path),
        replay=(Replay(issuer=issuer, dialect=NAME, kind="encrypted", data=encrypted),),
        extras={NAME: {ITEM: _note(item, (), issuer)}},
    )


# -- messages ----------------------------------------------------------------------------------------------------------


def read_message(item: JsonObject, path: str, issuer: str) -> Message:
    """A message of the caller's side."""
    parts: tuple[Piece, ...] = decode_content(item, "content", "input", path, issuer)
    own = unknown(item, _MESSAGE_MEMBERS)
    note = _note(item, ("type", "status", "phase", "id"), issuer)
    if note:
        own[ITEM] = note
    if isinstance(item.get("content"), list) and len(parts) == 1 and isinstance(parts[0], Text):
        own[CONTENT] = "list"
    return message_of(MessageRole(required_text(item, "role", path)), parts, extras_of(own))


def _assistant_message(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    if item.get("role") != "assistant":
        return (_opaque(item, path, issuer),)
    parts: tuple[Part, ...] = decode_content(item, "content", "output", path, issuer) or (Text(text=""),)
    item_id = text(item, "id", path)
    channel: Literal["answer", "commentary"] = "commentary" if text(item, "phase", path) == "commentary" else "answer"
    parts = tuple(
        replace(part, item_id=item_id, channel=channel) if isinstance(part, Text) else replace(part, item_id=item_id)
        for part in parts
    )
    note = _note(item, (*_FORM, "phase"), issuer)
    if isinstance(item.get("content"), str):
        note[CONTENT] = "text"
    elif not item.get("content"):
        note[CONTENT] = "empty"
    return _closed(parts, note, unknown(item, _MESSAGE_MEMBERS))


def _closed(parts: tuple[Part, ...], note: JsonObject, rest: JsonObject) -> tuple[Part, ...]:
    """The parts of an item, the last with the item's note."""
    last = noted(parts[-1], **{ITEM: note}, **({ITEM_EXTRAS: rest} if rest else {}))
    return (*parts[:-1], last)


# -- reasoning ---------------------------------------------------------------------------------------------------------


def read_reasoning_piece(piece: JsonObject, form: Literal["full", "summary"], path: str) -> Reasoning:
    """One summary, or one stretch of the thoughts themselves."""
    usual = "summary_text" if form == "summary" else "reasoning_text"
    kind = required_text(piece, "type", path)
    own = unknown(piece, ("type", "text"))
    if kind != usual:
        own[TYPE] = kind
    return Reasoning(text=required_text(piece, "text", path), form=form, extras=extras_of(own))


def _reasoning(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    item_id = text(item, "id", path)
    pieces: list[Reasoning] = []
    for name, form in _PIECES:
        for index, piece in enumerate(objects_in(item, name, path)):
            pieces.append(read_reasoning_piece(piece, form, f"{path}.{name}[{index}]"))
    if not pieces:
        pieces.append(Reasoning(form="redacted"))
    encrypted = text(item, "encrypted_content", path)
    owner = _issuer(item, issuer)
    kind, state = ("item", item_id or "") if encrypted is None else ("encrypted", encrypted)
    replay = () if owner == NOBODY else (Replay(issuer=owner, dialect=NAME, kind=kind, data=state),)
    note = _note(item, _FORM, issuer)
    note[ISSUER] = owner
    # What says nothing is kept as form: `content: []`, `encrypted_content: null`.
    note.update((name, item[name]) for name in ("content", "encrypted_content") if name in item and not item[name])
    parts: tuple[Part, ...] = tuple(replace(piece, item_id=item_id) for piece in pieces)
    return _closed((*parts[:-1], replace(parts[-1], replay=replay)), note, unknown(item, _REASONING_MEMBERS))


# -- calls and their outputs -------------------------------------------------------------------------------------------


def _call(item: JsonObject, kind: str, path: str, issuer: str) -> ToolCall:
    row = CALLS[kind]
    member = argument_member(row, item)
    item_id = text(item, "id", path)
    known = ["type", "status", "id", member]
    if row.identified == "call_id":
        known.append("call_id")
    if row.name is None:
        known.append("name")
    call_id = text(item, row.identified, path) or item_id or _minted(item)
    note = _note(item, _FORM, issuer)
    if member != row.member:
        note["member"] = member
    return ToolCall(
        id=call_id,
        name=row.name if row.name is not None else required_text(item, "name", path),
        arguments_text=_arguments(item, member, row.coding, path),
        item_id=item_id,
        runner=runner(row, item),
        input=row.input,
        extras={NAME: {**unknown(item, known), ITEM: note}},
    )


def as_run(part: Part, target: Target) -> Part:
    """A part of an answer with who runs it on this host: to some, a custom call is a trace of a tool of their own.

    What a tool came to, if an answer holds it (a shell in a container), was not the client's to find.
    """
    if isinstance(part, ToolResult):
        return replace(part, runner="provider")
    if target.quirks.responses.custom_calls == "client" or not isinstance(part, ToolCall):
        return part
    if notes(part.extras).get(ITEM, _NOTHING).get("type") != "custom_tool_call":
        return part
    return replace(part, runner="provider")


def _arguments(item: JsonObject, member: str, coding: Literal["text", "json"], path: str) -> str:
    if coding == "text":
        return text(item, member, path) or ""
    value = item.get(member)
    return "" if value is None else json_text(value)


def _minted(item: JsonObject) -> str:
    """An id for a call that came without one, the same each time."""
    return f"call_{sha256(msgspec.json.encode(item, order='deterministic')).hexdigest()[:24]}"


def _output(item: JsonObject, kind: str, path: str, issuer: str) -> ToolResult:
    identified = OUTPUTS[kind]
    named = identified == "call_id"  # else the item's own id is the call's
    known = ("type", "status", "id", "call_id", "output", "name") if named else ("type", "status", "id", "output")
    note = _note(item, (*_FORM, "id"), issuer) if named else {name: item[name] for name in _FORM if name in item}
    name = text(item, "name", path) if named else None
    if name is not None:
        note["name"] = True
    content = _output_content(item, kind, path, issuer)
    if isinstance(item.get("output"), list) and len(content) == 1 and isinstance(content[0], Text):
        note[CONTENT] = "list"
    return ToolResult(
        call_id=text(item, identified, path) or _minted(item),
        content=content,
        name=name,
        is_error=kind == "apply_patch_call_output" and item.get("status") == "failed",
        extras={NAME: {**unknown(item, known), ITEM: note}},
    )


def _output_content(item: JsonObject, kind: str, path: str, issuer: str) -> tuple[Text | Media | Opaque, ...]:
    where = f"{path}.output"
    if kind == "shell_call_output":
        return tuple(
            Opaque(dialect=NAME, kind="shell_output", data=entry) for entry in objects_in(item, "output", path)
        )
    output: Any = item.get("output")
    pieces = (
        (decode_piece(object_of(output, where), "input", where, issuer),)
        if kind == "computer_call_output"
        else decode_content(item, "output", "input", path, issuer)
    )
    return tuple(
        piece if isinstance(piece, Text | Media | Opaque) else Opaque(dialect=NAME, kind="refusal", data=output[index])
        for index, piece in enumerate(pieces)
    )


def _image(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    """A generated image; while it is not there, the item has nothing that a part could hold."""
    data = text(item, "result", path)
    if data is None:
        return (_opaque(item, path, issuer),)
    form = item.get("output_format")
    return (
        Media(
            kind="image",
            data=data,
            media_type=f"image/{form}" if isinstance(form, str) else None,
            item_id=text(item, "id", path),
            extras={NAME: {**unknown(item, ("type", "status", "id", "result")), ITEM: _note(item, _FORM, issuer)}},
        ),
    )


_READERS: dict[str, Callable[[JsonObject, str, str], tuple[Part, ...]]] = {
    "message": _assistant_message,
    "reasoning": _reasoning,
    "image_generation_call": _image,
}
