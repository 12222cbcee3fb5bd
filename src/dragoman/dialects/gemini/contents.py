"""`contents` and `systemInstruction` → messages.

    systemInstruction              the first message, SYSTEM
    role "user"                    USER; TOOL where all its parts are function responses
    role "model"                   ASSISTANT
    role "function" or "tool"      TOOL
    no role                        USER

Notes on a message: ":role" where it is not the usual word; ":parts" "absent" or "empty"; ":apart" on a TOOL message
that follows one (written together otherwise, since the answers to parallel calls belong in one turn); ":mixed" on a
USER message that holds function responses among other parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.gemini.members import listed, read, shape
from dragoman.dialects.gemini.parts import PartReader
from dragoman.dialects.reading import text
from dragoman.errors import ProtocolViolation
from dragoman.values import Message, MessageRole, ToolResult
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from dragoman.dialects.gemini.members import Reading
    from dragoman.values import JsonObject, Part

__all__ = ["read_answer", "read_contents", "read_system"]

_CONTENT = shape("role", "parts")
_CONVERSATION = "contents"
"""What minted ids are made of beside their place: an edited call keeps its id."""
_ROLES = {
    "user": MessageRole.USER,
    "model": MessageRole.ASSISTANT,
    "function": MessageRole.TOOL,
    "tool": MessageRole.TOOL,
}


def read_system(wire: JsonObject, issuer: str, path: str) -> Message:
    """`systemInstruction`; its role says nothing and is kept as it is."""
    reading = read(wire, _CONTENT, path)
    role = text(reading.found, "role", path)
    if role is not None:
        reading.notes[":role"] = role
    parts = _parts(reading, PartReader(issuer), path)
    return message_of(MessageRole.SYSTEM, parts, reading.extras)


def read_contents(wires: list[JsonObject], issuer: str, path: str) -> list[Message]:
    """The turns of a conversation."""
    reader = PartReader(issuer, _CONVERSATION)
    messages: list[Message] = []
    for index, wire in enumerate(wires):
        messages.append(_turn(wire, reader, messages[-1] if messages else None, f"{path}[{index}]"))
    return messages


def _turn(wire: JsonObject, reader: PartReader, last: Message | None, path: str) -> Message:
    reading = read(wire, _CONTENT, path)
    word = text(reading.found, "role", path)
    role = MessageRole.USER if word is None or word == "" else _ROLES.get(word)
    if role is None:
        raise ProtocolViolation(
            f"{path}.role should be 'user', 'model' or 'function', and is {word!r}", path=f"{path}.role"
        )
    parts = _parts(reading, reader, path)
    if role is MessageRole.USER:
        results = sum(isinstance(part, ToolResult) and part.runner == "client" for part in parts)
        if results and results == len(parts):
            role = MessageRole.TOOL
        elif results:
            reading.notes[":mixed"] = True
    if word != ("model" if role is MessageRole.ASSISTANT else "user") and "role" not in reading.notes.get(":null", ()):
        reading.notes[":role"] = word
    if role is MessageRole.TOOL and last is not None and last.role is MessageRole.TOOL:
        reading.notes[":apart"] = True
    return message_of(role, parts, reading.extras)


def read_answer(wire: JsonObject, reader: PartReader, path: str) -> Message:
    """A candidate's content: the model's words, whatever role they are given."""
    reading = read(wire, _CONTENT, path)
    word = text(reading.found, "role", path)
    if word != "model" and "role" not in reading.notes.get(":null", ()):
        reading.notes[":role"] = word
    return message_of(MessageRole.ASSISTANT, _parts(reading, reader, path), reading.extras)


def _parts(reading: Reading, reader: PartReader, path: str) -> tuple[Part, ...]:
    wires = listed(reading, "parts", path)
    if not wires and "parts" not in reading.notes.get(":null", ()):
        reading.notes[":parts"] = "empty" if "parts" in reading.found else "absent"
    return tuple([reader.read(wire, f"{path}.parts[{index}]") for index, wire in enumerate(wires)])
