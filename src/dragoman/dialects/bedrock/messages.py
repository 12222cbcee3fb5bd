"""Messages: `system` and the turns ↔ our messages.

System text stands before the turns: a system or developer message that comes first goes there as it is, a later one is
moved there and recorded, unless it came over this wire as a turn of its own. Turns alternate and begin with the user:
what other wires say in several messages of one side becomes one turn, results of tools first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.dialects.bedrock.blocks import decode_content
from dragoman.dialects.bedrock.forms import NAME, Writing, note
from dragoman.dialects.bedrock.parts import encode_blocks
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import objects_in, required_text
from dragoman.errors import ProtocolViolation
from dragoman.values import Message, MessageRole, Opaque, Text, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Request, Target

__all__ = ["decode_message", "decode_messages", "encode_messages"]

_KNOWN = frozenset({"role", "content"})
_ROLES = {"user": MessageRole.USER, "assistant": MessageRole.ASSISTANT, "system": MessageRole.SYSTEM}
_OPERATOR = frozenset({MessageRole.SYSTEM, MessageRole.DEVELOPER})
_OPENING = "Begin."


# -- from the wire -----------------------------------------------------------------------------------------------------


def decode_messages(body: JsonObject, target: Target) -> tuple[Message, ...]:
    """The system text and the turns of a request."""
    messages: list[Message] = []
    if body.get("system"):
        messages.append(Message(MessageRole.SYSTEM, parts=decode_content(body, "", target, "system")))
    for index, turn in enumerate(objects_in(body, "messages")):
        messages.append(decode_message(turn, f"messages[{index}]", target))
    return tuple(messages)


def decode_message(turn: JsonObject, path: str, target: Target) -> Message:
    """One turn of a request."""
    name = required_text(turn, "role", path)
    role = _ROLES.get(name)
    if role is None:
        raise ProtocolViolation(f"{path}.role {name!r} is not one of {', '.join(_ROLES)}", path=f"{path}.role")
    notes: JsonObject = {":place": "messages"} if role is MessageRole.SYSTEM else {}
    return Message(
        role,
        parts=decode_content(turn, path, target),
        extras=kept(turn, _KNOWN, NAME, complete=("content",), notes=notes),
    )


# -- to the wire -------------------------------------------------------------------------------------------------------


class _Turn:
    """A turn that is being written: its role, and its blocks, those of tools' results apart."""

    __slots__ = ("blocks", "extras", "foreign", "results", "role")

    def __init__(self, role: str, message: Message) -> None:
        self.role = role
        self.extras = message.extras
        self.results: list[JsonObject] = []
        self.blocks: list[JsonObject] = []
        self.foreign = message.role is MessageRole.TOOL

    def wire(self) -> JsonObject:
        return write_back({"role": self.role, "content": self.results + self.blocks}, self.extras, NAME)


def encode_messages(request: Request, writing: Writing) -> tuple[list[JsonObject], list[JsonObject]]:
    """`system` and `messages`."""
    system: list[JsonObject] = []
    turns: list[_Turn] = []
    for index, message in enumerate(request.messages):
        path = f"messages[{index}]"
        if message.name is not None:
            writing.log.dropped(f"{path}.name", "turns have no names on this wire", message.name)
        if message.extras:
            writing.log.foreign_extras(message.extras, NAME, path)
        if message.role in _OPERATOR and note(message.extras, ":place") != "messages":
            blocks = _system(message.parts, path, writing)
            if turns and blocks:
                writing.log.substituted(path, "this wire has system text before the turns alone; it is moved there")
            system += blocks
        else:
            _add_turn(turns, message, path, writing)
    wires = [turn.wire() for turn in turns]
    if writing.mend:
        system, wires = _opened(system, wires, writing)
    return system, wires


def _opened(
    system: list[JsonObject], turns: list[JsonObject], writing: Writing
) -> tuple[list[JsonObject], list[JsonObject]]:
    """With the user's turn first, which the API insists on."""
    if not turns and system:
        writing.log.substituted("messages", "this wire wants a user's turn; the system text is sent as one")
        return [], [{"role": "user", "content": system}]
    if turns and turns[0]["role"] == "assistant":
        writing.log.defaulted("messages", "a conversation begins with the user on this wire", _OPENING)
        return system, [{"role": "user", "content": [{"text": _OPENING}]}, *turns]
    return system, turns


def _system(parts: tuple[Part, ...], path: str, writing: Writing) -> list[JsonObject]:
    said: list[tuple[str, Part]] = []
    for index, part in enumerate(parts):
        where = f"{path}.parts[{index}]"
        if isinstance(part, (Text, Opaque)) or "guardContent" in own(part.extras, NAME):
            if isinstance(part, Text) and part.citations:
                writing.log.dropped(f"{where}.citations", "system text names no sources on this wire")
                part = msgspec.structs.replace(part, citations=())
            said.append((where, part))
        else:
            writing.log.dropped(where, "system text holds text alone on this wire")
    return encode_blocks(said, writing)


def _add_turn(turns: list[_Turn], message: Message, path: str, writing: Writing) -> None:
    role = "user" if message.role is MessageRole.TOOL else message.role.value
    turn = _Turn(role, message)
    places = [(f"{path}.parts[{index}]", part) for index, part in enumerate(message.parts)]
    # Results of tools stand before anything else in their turn; what its author put elsewhere stays there.
    if writing.mend or turn.foreign:
        turn.results = encode_blocks([place for place in places if _is_result(place[1])], writing)
        turn.blocks = encode_blocks([place for place in places if not _is_result(place[1])], writing)
    else:
        turn.blocks = encode_blocks(places, writing)
    if not turn.results and not turn.blocks and (writing.mend or message.parts):
        return
    last = turns[-1] if turns else None
    if last is not None and last.role == role and (writing.mend or turn.foreign or last.foreign):
        last.results += turn.results
        last.blocks += turn.blocks
    else:
        turns.append(turn)


def _is_result(part: Part) -> bool:
    return isinstance(part, ToolResult) and part.runner == "client"
