"""Messages: the top-level `system` and the turns ↔ our messages.

System text stands before the turns: a system or developer message that comes first goes there as it is, a later one is
moved there and recorded, unless it came over this wire as a turn of its own (which newer models take). Tool results
are blocks of a user's turn: the results of one round, which other wires send one message each, become one turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.anthropic.blocks import decode_blocks
from dragoman.dialects.anthropic.forms import NAME, Writing, kept, note, noted, restore
from dragoman.dialects.anthropic.parts import encode_part, is_plain
from dragoman.dialects.reading import objects_in, required_text
from dragoman.errors import ProtocolViolation
from dragoman.values import Message, MessageRole, Opaque, Text, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Request, Target

__all__ = ["decode_messages", "encode_messages"]

_KNOWN = frozenset({"role", "content"})
_ROLES = {"user": MessageRole.USER, "assistant": MessageRole.ASSISTANT, "system": MessageRole.SYSTEM}
_WORDS = {role: "user" if role is MessageRole.TOOL else role.value for role in MessageRole}
_OPERATOR = frozenset({MessageRole.SYSTEM, MessageRole.DEVELOPER})


# -- from the wire -----------------------------------------------------------------------------------------------------


def decode_messages(body: JsonObject, target: Target) -> tuple[Message, ...]:
    """The system text and the turns of a request."""
    messages: list[Message] = []
    if body.get("system") is not None:
        messages.append(_decode_system(body, target))
    if body.get("messages") is None:
        raise ProtocolViolation("messages is missing", path="messages")
    for index, turn in enumerate(objects_in(body, "messages")):
        path = f"messages[{index}]"
        name = required_text(turn, "role", path)
        role = _ROLES.get(name)
        if role is None:
            raise ProtocolViolation(f"{path}.role {name!r} is not one of {', '.join(_ROLES)}", path=f"{path}.role")
        message = _decode(role, turn, path, target)
        if role is MessageRole.SYSTEM:
            message = msgspec.structs.replace(message, extras=noted(message.extras, place="messages"))
        messages.append(message)
    return tuple(messages)


def _decode_system(body: JsonObject, target: Target) -> Message:
    system = body["system"]
    if isinstance(system, str):
        return Message(MessageRole.SYSTEM, parts=(Text(text=system),), extras={NAME: {":content": "string"}})
    return Message(MessageRole.SYSTEM, parts=decode_blocks(body, "", target, "system"))


def _decode(role: MessageRole, turn: JsonObject, path: str, target: Target) -> Message:
    content = turn.get("content")
    notes: dict[str, Any] | None = None
    parts: tuple[Part, ...]
    if isinstance(content, str):
        parts, notes = (Text(text=content),), {":content": "string"}
    elif content is None:
        if role is not MessageRole.SYSTEM:
            raise ProtocolViolation(f"{path}.content is missing", path=f"{path}.content")
        parts, notes = (), {":content": "absent"}
    else:
        parts = decode_blocks(turn, path, target)
    return Message(role, parts=parts, extras=kept(turn, _KNOWN, notes=notes))


# -- to the wire -------------------------------------------------------------------------------------------------------


def encode_messages(request: Request, writing: Writing) -> tuple[str | list[JsonObject] | None, list[JsonObject]]:
    """`system` and `messages`."""
    system: list[str | list[JsonObject]] = []
    turns: list[JsonObject] = []
    after_tool = False
    for index, message in enumerate(request.messages):
        path = f"messages[{index}]"
        if message.name is not None:
            writing.log.dropped(f"{path}.name", "turns have no names on this wire", message.name)
        if message.extras:
            writing.log.foreign_extras(message.extras, NAME, path)
        if message.role in _OPERATOR and note(message.extras, ":place") != "messages":
            content = _content(message.parts, message, path, writing, system=True)
            if turns and content:
                reason = "this wire has system text before the turns alone; it is moved there"
                writing.log.substituted(path, reason)
            if content or not writing.mend:
                system.append(content)
            continue
        turn = _turn(message, path, writing)
        if turn is None:
            continue
        is_tool = message.role is MessageRole.TOOL
        if is_tool and after_tool:
            turns[-1]["content"] += turn["content"]
        else:
            turns.append(turn)
        after_tool = is_tool
    return _system(system), turns


def _turn(message: Message, path: str, writing: Writing) -> JsonObject | None:
    content = _content(message.parts, message, path, writing)
    turn: JsonObject = {"role": _WORDS[message.role]}
    if content or note(message.extras, ":content") != "absent":
        turn["content"] = content
    if not content and (writing.mend or (message.parts and not isinstance(content, str))):
        return None
    return restore(turn, message.extras) if message.extras else turn


def _content(
    parts: tuple[Part, ...], message: Message, path: str, writing: Writing, *, system: bool = False
) -> str | list[JsonObject]:
    if message.extras and note(message.extras, ":content") == "string" and len(parts) == 1 and is_plain(parts[0]):
        return cast("Text", parts[0]).text
    if len(parts) == 1 and type(only := parts[0]) is Text and _is_bare(only):
        return [{"type": "text", "text": only.text}]
    blocks: list[JsonObject] = []
    late: list[JsonObject] = []
    # The API wants the results of the client's tools before anything else in their turn.
    results_first = len(parts) > 1 and writing.mend and any(_is_result(part) for part in parts)
    for index, part in enumerate(parts):
        where = f"{path}.parts[{index}]"
        if system and not isinstance(part, (Text, Opaque)):
            writing.log.dropped(where, "system text holds text alone on this wire")
            continue
        block = encode_part(part, where, writing)
        if block is not None:
            (late if results_first and not _is_result(part) else blocks).append(block)
    return blocks + late


def _is_bare(part: Text) -> bool:
    """Whether there is nothing to a part but its text."""
    bare = part.text and part.channel == "answer" and part.cache is None
    return bool(bare) and not (part.extras or part.replay or part.citations)


def _is_result(part: Part) -> bool:
    return isinstance(part, ToolResult) and part.runner == "client"


def _system(pieces: list[str | list[JsonObject]]) -> str | list[JsonObject] | None:
    if not pieces:
        return None
    if len(pieces) == 1:
        return pieces[0]
    blocks: list[JsonObject] = []
    for piece in pieces:
        if isinstance(piece, str):
            blocks.append({"type": "text", "text": piece})
        else:
            blocks.extend(piece)
    return blocks
