"""Messages: wire → values, in requests and in answers.

A message's members become parts in the order thoughts, plan, the other content, calls, which is the order of streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.cohere.citations import PLAN, decode_citation, subject_of
from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.cohere.parts import read_block
from dragoman.dialects.keeping import kept
from dragoman.dialects.reading import object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Media, Message, MessageRole, Opaque, Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Target

__all__ = ["decode_assistant", "decode_messages", "read_call"]

_SPEECH = frozenset({"role", "content"})
_ASSISTANT = frozenset({"role", "content", "tool_plan", "tool_calls", "citations"})
_RESULT = frozenset({"role", "content", "tool_call_id"})
_CALL = frozenset({"id", "type", "function"})
_FUNCTION = frozenset({"name", "arguments"})
_ROLES = {"system": MessageRole.SYSTEM, "user": MessageRole.USER}


def decode_messages(body: JsonObject, target: Target) -> tuple[Message, ...]:
    """The conversation of a request."""
    return tuple(
        _message(wire, target, f"messages[{index}]") for index, wire in enumerate(objects_in(body, "messages"))
    )


def _message(wire: JsonObject, target: Target, path: str) -> Message:
    role = required_text(wire, "role", path)
    if role == "assistant":
        return decode_assistant(wire, target, path)
    if role == "tool":
        return _result(wire, target, path)
    if role not in _ROLES:
        raise ProtocolViolation(f"{path}.role {role!r} is none of system, user, assistant, tool", path=f"{path}.role")
    parts, form = _content(wire, target, path)
    return Message(_ROLES[role], parts=parts, extras=kept(wire, _SPEECH, NAME, notes=form))


def _content(wire: JsonObject, target: Target, path: str) -> tuple[tuple[Part, ...], JsonObject]:
    """The parts of `content`, and the form it had."""
    value: Any = wire.get("content")
    if value is None:
        return (), {":content": "null" if "content" in wire else "absent"}
    if isinstance(value, str):
        return ((Text(text=value),) if value else ()), {":content": "text"}
    blocks = objects_in(wire, "content", path)
    parts = tuple(read_block(block, target, f"{path}.content[{index}]") for index, block in enumerate(blocks))
    return parts, {":content": "list"}


def _result(wire: JsonObject, target: Target, path: str) -> Message:
    parts, form = _content(wire, target, path)
    content = tuple(part for part in parts if isinstance(part, (Text, Media, Opaque)))
    if len(content) != len(parts):
        raise ProtocolViolation(f"{path}.content holds what no tool's result may hold", path=f"{path}.content")
    call_id = text(wire, "tool_call_id", path)
    result = ToolResult(call_id=call_id or "unknown", content=content)
    notes = {**form, **({} if call_id else {":id": "unknown"})}
    return Message(MessageRole.TOOL, parts=(result,), extras=kept(wire, _RESULT, NAME, notes=notes))


# -- the assistant -----------------------------------------------------------------------------------------------------


def decode_assistant(wire: JsonObject, target: Target, path: str) -> Message:
    """An assistant's message, of a request or of an answer."""
    content, form = _content(wire, target, path)
    plan = text(wire, "tool_plan", path)
    texts: dict[int, Text] = {index: part for index, part in enumerate(content) if isinstance(part, Text)}
    if plan:
        texts[PLAN] = Text(text=plan, channel="commentary")
    rest = _cite(wire, texts, path)
    if rest:
        form["citations"] = list(rest.values())
        form[":places"] = list(rest)
    role = text(wire, "role", path)
    if role not in (None, "assistant"):
        form[":role"] = role
    thoughts = next((n for n, part in enumerate(content) if not isinstance(part, Reasoning)), len(content))
    parts: list[Part] = list(content[:thoughts])
    if plan:
        parts.append(texts[PLAN])
    parts.extend(texts.get(index, part) for index, part in enumerate(content) if index >= thoughts)
    parts.extend(
        read_call(call, f"{path}.tool_calls[{number}]", number)
        for number, call in enumerate(objects_in(wire, "tool_calls", path))
    )
    extras = kept(wire, _ASSISTANT, NAME, complete=("role",), notes=form)
    return Message(MessageRole.ASSISTANT, parts=tuple(parts), extras=extras)


def _cite(wire: JsonObject, texts: dict[int, Text], path: str) -> dict[int, JsonObject]:
    """Puts the citations to the texts they speak of; gives those that speak of none, by their places."""
    rest: dict[int, JsonObject] = {}
    for place, citation in enumerate(objects_in(wire, "citations", path)):
        where = f"{path}.citations[{place}]"
        subject = subject_of(citation, where)
        if subject in texts:
            part = texts[subject]
            cited = decode_citation(citation, place, where)
            texts[subject] = msgspec.structs.replace(part, citations=(*part.citations, cited))
        else:
            rest[place] = citation
    return rest


def read_call(wire: JsonObject, path: str, number: int) -> ToolCall:
    """One call. What is not a function call, or names none, is refused."""
    function = object_of(wire.get("function"), f"{path}.function")
    arguments: Any = function.get("arguments")
    notes: JsonObject = {}
    if isinstance(arguments, dict):
        arguments = msgspec.json.encode(arguments).decode()
        notes[":arguments"] = "object"
    elif arguments is None:
        arguments = ""
        notes[":arguments"] = "null" if "arguments" in function else "absent"
    elif not isinstance(arguments, str):
        raise ProtocolViolation(f"{path}.function.arguments should be text", path=f"{path}.function.arguments")
    rest = {name: value for name, value in function.items() if name not in _FUNCTION}
    if rest:
        notes["function"] = rest
    call_id = text(wire, "id", path)
    name = required_text(function, "name", f"{path}.function")
    return ToolCall(
        id=call_id or f"{name}_{number}",
        name=name,
        arguments_text=arguments,
        extras=kept(wire, _CALL, NAME, complete=("type", "id"), notes=notes),
    )
