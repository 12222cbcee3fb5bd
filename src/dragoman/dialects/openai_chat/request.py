"""Requests, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.caching import MarkRules, place_marks, retention, with_key
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.openai_chat.closed import mend
from dragoman.dialects.openai_chat.message_writer import MessageWriter
from dragoman.dialects.openai_chat.messages import MessageReader
from dragoman.dialects.openai_chat.notes import NAME, VOID, extras_of, own, rest, write_members
from dragoman.dialects.openai_chat.parameters import PARAMETERS, read_parameters, write_parameters
from dragoman.dialects.openai_chat.tools import (
    plain_tool,
    read_choice,
    read_function,
    read_tool,
    write_choice,
    write_function,
    write_plain_tool,
    write_tool,
)
from dragoman.dialects.reading import boolean, object_of, objects_in, reading_request, required_text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Media, Request, Text, Tool, ToolChoice, ToolDefinition

if TYPE_CHECKING:
    from dragoman.values import JsonObject, MessageRole, Part, Target

__all__ = ["PATH", "decode_request", "encode_request", "without_refused"]

PATH: Final = "/chat/completions"

_CHOOSING: Final = ("tool_choice", "function_call", "parallel_tool_calls")
_CHOICES: Final = frozenset(_CHOOSING)
_KNOWN: Final = frozenset(("model", "messages", "tools", "functions", *_CHOOSING, *PARAMETERS))


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """A client's request. A member of the wrong type raises `InvalidRequest` naming it."""
    with reading_request():
        return _decode(object_of(body, "body"), target)


def _decode(wire: JsonObject, target: Target) -> Request:
    void: JsonObject = {}
    members: JsonObject = {} if _KNOWN.issuperset(wire) else rest(wire, _KNOWN, void)
    messages = MessageReader(target).read_all(objects_in(wire, "messages"))
    if not messages:
        if wire.get("messages") is None:
            raise ProtocolViolation("messages is missing", path="messages")
        void["messages"] = []
    tools: tuple[Tool, ...] = ()
    if "tools" in wire or "functions" in wire:
        tools = _read_tools(wire, target, members, void)
    choice = None if _CHOICES.isdisjoint(wire) else _read_choice(wire, target, members, void)
    fields = read_parameters(wire, target, members, void)
    if void:
        members[VOID] = void
    return Request(
        model=required_text(wire, "model"),
        messages=messages,
        tools=tools,
        tool_choice=choice,
        extras=extras_of(members),
        **fields,
    )


def _read_tools(wire: JsonObject, target: Target, members: JsonObject, void: JsonObject) -> tuple[Tool, ...]:
    tools: tuple[Tool, ...] = tuple(
        [
            plain_tool(tool) or read_tool(tool, target, f"tools[{index}]")
            for index, tool in enumerate(objects_in(wire, "tools"))
        ]
    )
    if "tools" in wire and not tools:
        void["tools"] = wire["tools"]
    if "functions" not in wire:
        return tools
    if tools or not wire["functions"]:
        void["functions"] = wire["functions"]
        return tools
    members[":tools"] = "functions"
    return tuple(
        read_function(function, target, f"functions[{index}]")
        for index, function in enumerate(objects_in(wire, "functions"))
    )


def _read_choice(wire: JsonObject, target: Target, members: JsonObject, void: JsonObject) -> ToolChoice | None:
    choice, legacy = wire.get("tool_choice"), wire.get("function_call")
    if choice is not None and "function_call" not in wire and "parallel_tool_calls" not in wire:
        return read_choice(choice, None, target)
    parallel = boolean(wire, "parallel_tool_calls")
    for name in _CHOOSING:
        if name in wire and wire[name] is None:
            void[name] = None
    if choice is None and legacy is not None:
        members[":tool_choice"] = "function_call"
        return read_choice(legacy, parallel, target, "function_call")
    if legacy is not None:
        void["function_call"] = legacy
    if choice is None and parallel is None:
        return None
    return read_choice(choice, parallel, target)


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The request as the target takes it; what it does not take is recorded."""
    log = AdaptationLog()
    members = own(request.extras)
    if request.extras:
        log.foreign_extras(request.extras, NAME, "")
    if request.cache is not None:
        quirks = target.quirks.chat
        request = with_key(request, quirks.caching, log, marks=quirks.cache_marks)
        if quirks.cache_marks:
            request = place_marks(request, _MARKS, log)
    reader = MessageReader(target)
    writer = MessageWriter(target, log, reader=lambda original: reader.read(original, ""))
    messages = writer.write_all(request.messages)
    if not messages and "messages" not in members.get(VOID, ()):
        messages = [{"role": "user", "content": ""}]
        log.defaulted("messages", "the wire wants at least one message", messages)
    body: JsonObject = {"model": request.model, "messages": messages}
    if request.tools:
        _write_tools(request, body, members, target, log)
    if request.tool_choice is not None:
        _write_choice(request.tool_choice, body, members, target, log)
    write_parameters(request, body, target, log)
    if request.cache is not None and target.quirks.chat.caching == "key" and (kept := retention(request)):
        body["prompt_cache_retention"] = kept
    if members:
        write_members(body, members)
    mend(body, request, target.quirks.chat, log)
    without_refused(body, target, log)
    return EncodedRequest(PATH, body, adaptations=log.entries())


def _write_tools(request: Request, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog) -> None:
    legacy = members.get(":tools") == "functions"
    written: list[JsonObject] = []
    for index, tool in enumerate(request.tools):
        plain = None if legacy else write_plain_tool(tool)
        if plain is not None:
            written.append(plain)
            continue
        path = f"tools[{index}]"
        if legacy and isinstance(tool, ToolDefinition):
            written.append(write_function(tool, target, log, path))
        else:
            wire = write_tool(tool, target, log, path)
            if wire is not None:
                written.append(wire)
    if written:
        body["functions" if legacy else "tools"] = written


def _write_choice(
    choice: ToolChoice, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog
) -> None:
    legacy = members.get(":tool_choice") == "function_call"
    written = write_choice(choice, target, log)
    if legacy and isinstance(written, dict) and "function" in written:
        written = {"name": choice.names[0]}
    if written is not None:
        body["function_call" if legacy else "tool_choice"] = written
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def without_refused(body: JsonObject, target: Target, log: AdaptationLog) -> None:
    """Leaves out the members that the host answers with an error."""
    for member in target.quirks.chat.refused:
        if member in body:
            log.dropped(_FIELDS.get(member, member), "the host refuses it", body.pop(member))


def _holds_mark(part: Part, role: MessageRole) -> bool:
    return isinstance(part, (Text, Media))


_MARKS: Final = MarkRules(_holds_mark, pieces=True)
_FIELDS: Final = {
    "max_completion_tokens": "max_tokens",
    "n": "choices",
    "prompt_cache_key": "cache_key",
    "prompt_cache_retention": "cache.ttl",
    "response_format": "output",
    "reasoning_effort": "reasoning",
    "thinking": "reasoning",
    "stream_options": "stream_usage",
    "parallel_tool_calls": "tool_choice.parallel",
    "random_seed": "seed",
}
"""Our names for members that are called otherwise on the wire."""
