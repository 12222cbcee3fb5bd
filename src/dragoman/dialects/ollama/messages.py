"""Messages: wire → values, in requests and in answers.

A message has one text, one thought, a list of images and a list of calls; they become parts in the order thinking,
text, images, calls. A call's arguments are an object on this wire (a text, which some servers write, is kept with the
note `:arguments`). Calls without an id get one that depends on the place alone; a result that names no call answers the
first open call of its tool, or the first open call at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.keeping import kept
from dragoman.dialects.ollama.names import NAME, minted_id
from dragoman.dialects.reading import object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Media, Message, MessageRole, Reasoning, Replay, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Target

__all__ = ["THINKING", "decode_answer_parts", "decode_messages", "images_in", "thought"]

THINKING = "thinking"
"""The kind of replay that marks thoughts as this wire's own."""

_SPEECH = frozenset({"role", "content", "thinking", "images", "tool_calls"})
_RESULT = frozenset({"role", "content", "images", "tool_name", "tool_call_id"})
_CALL = frozenset({"id", "function"})
_FUNCTION = frozenset({"name", "arguments", "index"})
_ROLES = {role.value: role for role in MessageRole if role is not MessageRole.DEVELOPER}


def decode_messages(body: JsonObject, target: Target) -> tuple[Message, ...]:
    """The conversation of a request."""
    reader = _Conversation(target)
    return tuple(
        reader.read(wire, f"messages[{index}]", index) for index, wire in enumerate(objects_in(body, "messages"))
    )


def decode_answer_parts(message: JsonObject, target: Target, seed: str, first: int = 0) -> tuple[Part, ...]:
    """The parts of an answer's message.

    `seed` tells this answer from others, for the ids of its calls, and `first` is the number of the first of them.
    """
    return _parts(message, "message", target, seed, first)


class _Conversation:
    """Reads messages in order, since results may name their calls by order alone."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._open: list[ToolCall] = []

    def read(self, wire: JsonObject, path: str, index: int) -> Message:
        word = required_text(wire, "role", path)
        if word == "tool":
            return self._result(wire, path, index)
        role = _ROLES.get(word, MessageRole.SYSTEM)  # templates know roles of their own, such as "control"
        parts = _parts(wire, path, self._target, f"messages {index}")
        self._open.extend(part for part in parts if isinstance(part, ToolCall))
        notes = {} if word in _ROLES else {":role": word}
        return Message(role, parts=parts, extras=kept(wire, _SPEECH, NAME, complete=("content",), notes=notes))

    def _result(self, wire: JsonObject, path: str, index: int) -> Message:
        name, call_id = text(wire, "tool_name", path), text(wire, "tool_call_id", path)
        notes: JsonObject = {} if call_id else {":id": "minted"}
        content = text(wire, "content", path)
        result = ToolResult(
            call_id=self._answered(call_id, name, index),
            name=name or None,
            content=(*((Text(text=content),) if content else ()), *images_in(wire, path)),
            extras={NAME: notes} if notes else {},
        )
        return Message(MessageRole.TOOL, parts=(result,), extras=kept(wire, _RESULT, NAME, complete=("content",)))

    def _answered(self, call_id: str | None, name: str | None, index: int) -> str:
        """The id of the call that a result answers; the call is open no longer."""
        for call in self._open:
            if call.id == call_id or (not call_id and name in (None, "", call.name)):
                self._open.remove(call)
                return call.id
        if call_id:
            return call_id
        return self._open.pop(0).id if self._open else minted_id("result", index)


# -- parts -------------------------------------------------------------------------------------------------------------


def _parts(wire: JsonObject, path: str, target: Target, seed: str, first: int = 0) -> tuple[Part, ...]:
    thinking, content = text(wire, "thinking", path), text(wire, "content", path)
    parts: list[Part] = [thought(thinking, target)] if thinking else []
    if content:
        parts.append(Text(text=content))
    parts.extend(images_in(wire, path))
    for number, call in enumerate(objects_in(wire, "tool_calls", path)):
        parts.append(_call(call, f"{path}.tool_calls[{number}]", f"{seed} {first + number}"))
    return tuple(parts)


def thought(words: str, target: Target) -> Reasoning:
    """Thinking, marked as this issuer's: it goes back to it, and to nobody else."""
    return Reasoning(text=words, replay=(Replay(issuer=target.issuer, dialect=NAME, kind=THINKING, data=True),))


def images_in(wire: JsonObject, path: str) -> tuple[Media, ...]:
    """The images beside a text, which are base64 alone."""
    images: Any = wire.get("images")
    if images is None:
        return ()
    if not isinstance(images, list) or not all(isinstance(item, str) for item in cast("list[Any]", images)):
        raise ProtocolViolation(f"{path}.images should be a list of texts", path=f"{path}.images")
    return tuple(Media(kind="image", data=data) for data in cast("list[str]", images))


def _call(wire: JsonObject, path: str, seed: str) -> ToolCall:
    function = object_of(wire.get("function"), f"{path}.function")
    name = required_text(function, "name", f"{path}.function")
    arguments, notes = _arguments(function, f"{path}.function")
    call_id = text(wire, "id", path)
    if not call_id:
        call_id = minted_id(seed, name, arguments)
        notes[":id"] = "minted"
    if "index" in function:
        notes[":index"] = function["index"]
    rest = {member: value for member, value in function.items() if member not in _FUNCTION}
    if rest:
        notes["function"] = rest
    return ToolCall(id=call_id, name=name, arguments_text=arguments, extras=kept(wire, _CALL, NAME, notes=notes))


def _arguments(function: JsonObject, path: str) -> tuple[str, JsonObject]:
    arguments: Any = function.get("arguments")
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode(), {}
    if isinstance(arguments, str):
        return arguments, {":arguments": "text"}
    if arguments is None:
        return "", {":arguments": "null" if "arguments" in function else "absent"}
    raise ProtocolViolation(f"{path}.arguments should be an object", path=f"{path}.arguments")
