"""Messages: the top-level `system` and the turns ↔ our messages.

System text stands before the turns: a system or developer message that comes first goes there as it is, a later one is
moved there and recorded, unless it came over this wire as a turn of its own (which newer models take). Tool results
are blocks of a user's turn: the results of one round, which other wires send one message each, become one turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.anthropic.blocks import decode_blocks, plain_block
from dragoman.dialects.anthropic.forms import NAME, Writing, kept, note, noted, restore
from dragoman.dialects.anthropic.parts import encode_part, is_plain, plain_call, tool_id
from dragoman.dialects.reading import objects_in, required_text
from dragoman.errors import ProtocolViolation
from dragoman.values import Message, MessageRole, Opaque, Text, ToolCall, ToolResult, replace
from dragoman.values.adaptations import are_foreign_notes
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Request, Target

__all__ = ["decode_messages", "encode_messages"]

_KNOWN = frozenset({"role", "content"})
_ROLES = {"user": MessageRole.USER, "assistant": MessageRole.ASSISTANT, "system": MessageRole.SYSTEM}
_SPEAKERS = frozenset({"user", "assistant"})
_WORDS = {role: "user" if role is MessageRole.TOOL else role.value for role in MessageRole}
_ASSISTANT, _TOOL = MessageRole.ASSISTANT, MessageRole.TOOL  # a member of an enumeration is dear to look up
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
        plain = _plain(turn)
        if plain is not None:
            messages.append(plain)
            continue
        path = f"messages[{index}]"
        name = required_text(turn, "role", path)
        role = _ROLES.get(name)
        if role is None:
            raise ProtocolViolation(f"{path}.role {name!r} is not one of {', '.join(_ROLES)}", path=f"{path}.role")
        message = _decode(role, turn, path, target)
        if role is MessageRole.SYSTEM:
            message = replace(message, extras=noted(message.extras, place="messages"))
        messages.append(message)
    return tuple(messages)


def _plain(turn: JsonObject) -> Message | None:
    """A turn of the commonest shapes; None for any other.

    On the path of every request that is translated, where conversations of hundreds of turns come again and again.
    """
    role, content = turn.get("role"), turn.get("content")
    if len(turn) != 2 or not isinstance(role, str) or role not in _SPEAKERS:
        return None
    if isinstance(content, str):
        return message_of(_ROLES[role], (Text(text=content),), {NAME: {":content": "string"}})
    if not isinstance(content, list):
        return None
    parts: list[Any] = [plain_block(block) for block in content]  # pyright: ignore[reportUnknownVariableType]  # JSON
    return None if None in parts else message_of(_ROLES[role], tuple(parts))


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
    return message_of(role, parts, kept(turn, _KNOWN, notes=notes))


# -- to the wire -------------------------------------------------------------------------------------------------------


def encode_messages(request: Request, writing: Writing) -> tuple[str | list[JsonObject] | None, list[JsonObject]]:
    """`system` and `messages`."""
    system: list[str | list[JsonObject]] = []
    turns: list[JsonObject] = []
    after_tool = False
    for index, message in enumerate(request.messages):
        parts, role = message.parts, message.role
        plain: list[JsonObject] | None = None
        if message.name is None and (not message.extras or are_foreign_notes(message.extras, NAME)):
            # On the path of every request: nearly all turns are texts and calls, or one result of a tool.
            plain = _plain_content(parts, role, writing)
        if plain is None or (turns and role in _OPERATOR):
            turn = _said(message, f"messages[{index}]", system, bool(turns), writing)
            if turn is None:
                continue
        elif role in _OPERATOR:
            system.append(plain)
            continue
        else:
            turn = {"role": _WORDS[role], "content": plain}
        is_tool = role is _TOOL
        if is_tool and after_tool:
            turns[-1]["content"] += turn["content"]
        else:
            turns.append(turn)
        after_tool = is_tool
    return _system(system), turns


def _said(
    message: Message, path: str, system: list[str | list[JsonObject]], begun: bool, writing: Writing
) -> JsonObject | None:
    """A message as a turn; None for one that says nothing, and for system text, which is added to `system`."""
    writing.plain = False
    if message.name is not None:
        writing.log.dropped(f"{path}.name", "turns have no names on this wire", message.name)
    if message.extras:
        writing.log.foreign_extras(message.extras, NAME, path)
    if message.role not in _OPERATOR or note(message.extras, ":place") == "messages":
        return _turn(message, path, writing)
    content = _content(message.parts, message, path, writing, system=True)
    if begun and content:
        writing.log.substituted(path, "this wire has system text before the turns alone; it is moved there")
    if content or not writing.mend:
        system.append(content)
    return None


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


def _plain_content(parts: tuple[Part, ...], role: MessageRole, writing: Writing) -> list[JsonObject] | None:
    """The content of a message of these parts, where there is nothing to them but words and calls; None for others."""
    blocks: list[JsonObject] = []
    for part in parts:
        if part.extras or part.replay or part.cache is not None:
            return None
        if type(part) is Text:
            if not part.text or part.citations or part.channel != "answer":
                return None
            blocks.append({"type": "text", "text": part.text})
        elif type(part) is ToolCall and role is _ASSISTANT:
            block = plain_call(part, writing)
            if block is None:
                return None
            blocks.append(block)
        elif type(part) is ToolResult and len(parts) == 1 and role not in _OPERATOR:
            return _plain_result(part, writing)
        else:
            return None
    return blocks or None


def _plain_result(part: ToolResult, writing: Writing) -> list[JsonObject] | None:
    if len(part.content) != 1 or part.runner != "client":
        return None
    said = part.content[0]
    if type(said) is not Text or not said.text or said.citations or said.channel != "answer":
        return None
    if said.extras or said.replay or said.cache is not None:
        return None
    result: JsonObject = {"type": "tool_result", "tool_use_id": tool_id(part.call_id, writing)}
    result["content"] = [{"type": "text", "text": said.text}]
    if part.is_error:
        result["is_error"] = True
    return [result]


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
