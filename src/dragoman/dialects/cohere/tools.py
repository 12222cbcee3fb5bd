"""Tools and how they may be chosen. Another type of tool than a function is Opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text
from dragoman.values import Opaque, ToolChoice, ToolDefinition

if TYPE_CHECKING:
    from dragoman.dialects.cohere.names import Writing
    from dragoman.values import JsonObject, Request, Tool

__all__ = ["decode_choice", "decode_tools", "write_tools"]

_TOOL = frozenset({"type", "function"})
_FUNCTION = frozenset({"name", "description", "parameters"})
_MODES: dict[str, Any] = {"REQUIRED": "required", "NONE": "none"}
_WORDS = {"required": "REQUIRED", "named": "REQUIRED", "none": "NONE"}


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The tools of a request; `strict_tools` is said of each."""
    strict = True if boolean(body, "strict_tools") else None
    return tuple(_tool(wire, f"tools[{index}]", strict) for index, wire in enumerate(objects_in(body, "tools")))


def _tool(wire: JsonObject, path: str, strict: bool | None) -> Tool:
    kind = text(wire, "type", path)
    function: Any = wire.get("function")
    if kind not in (None, "function") or function is None:
        return Opaque(dialect=NAME, kind=kind or "tool", data=wire)
    function = object_of(function, f"{path}.function")
    schema: Any = function.get("parameters")
    inner = own(kept(function, _FUNCTION, NAME, complete=("parameters",)), NAME)
    return ToolDefinition(
        name=required_text(function, "name", f"{path}.function"),
        description=text(function, "description", f"{path}.function") or None,
        input_schema=object_of(schema, f"{path}.function.parameters") if schema is not None else None,
        strict=strict,
        # The inner object's extras stand under two members of the outer one's: what it says, and how.
        extras=kept(wire, _TOOL, NAME, complete=("type",), notes=_split(inner)),
    )


def _split(inner: JsonObject) -> JsonObject:
    notes = {name: value for name, value in inner.items() if name.startswith(":")}
    rest = {name: value for name, value in inner.items() if not name.startswith(":")}
    return {name: members for name, members in ((":function", notes), ("function", rest)) if members}


def decode_choice(body: JsonObject) -> tuple[ToolChoice | None, JsonObject]:
    """How tools may be chosen, and the member to keep where we do not know its word."""
    word = text(body, "tool_choice")
    if not word:
        return None, {}
    mode = _MODES.get(word)
    return (ToolChoice(mode=mode), {}) if mode is not None else (None, {"tool_choice": word})


def write_tools(body: JsonObject, request: Request, writing: Writing) -> None:
    """Sets `tools`, `strict_tools` and `tool_choice`."""
    log = writing.log
    choice = request.tool_choice or ToolChoice()
    log.foreign_extras(choice.extras, NAME, "tool_choice")
    if choice.parallel is False:
        log.dropped("tool_choice.parallel", "this wire cannot ask for one call at a time", False)
    wires: list[JsonObject] = []
    for index, tool in enumerate(request.tools):
        path = f"tools[{index}]"
        if isinstance(tool, ToolDefinition):
            if choice.mode == "named" and tool.name not in choice.names:
                log.dropped(path, "it may not be chosen, and this wire cannot choose by name", tool.name)
            else:
                wires.append(_write(tool, path, writing))
        elif tool.dialect == NAME:
            wires.append(cast("JsonObject", tool.data))
        else:
            log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}", tool.kind)
    if wires:
        body["tools"] = wires
    _write_strictness(body, request, writing)
    if choice.mode == "named":
        log.emulated("tool_choice", "this wire cannot choose by name; other tools are left out", list(choice.names))
    if choice.mode in _WORDS:
        if wires or not writing.mend:
            body["tool_choice"] = _WORDS[choice.mode]
        else:
            log.dropped("tool_choice", "there are no tools to choose from", choice.mode)


def _write_strictness(body: JsonObject, request: Request, writing: Writing) -> None:
    tools = [(index, tool) for index, tool in enumerate(request.tools) if isinstance(tool, ToolDefinition)]
    if not any(tool.strict for _, tool in tools):
        return
    body["strict_tools"] = True
    for index, tool in tools:
        if not tool.strict:
            reason = "this wire has strict tools all together or not at all"
            writing.log.substituted(f"tools[{index}].strict", reason, tool.strict, True)


def _write(tool: ToolDefinition, path: str, writing: Writing) -> JsonObject:
    log = writing.log
    log.foreign_extras(tool.extras, NAME, path)
    if tool.cache is not None:
        log.dropped(f"{path}.cache", "this wire has no cache marks", tool.cache.ttl)
    members = own(tool.extras, NAME)
    notes: JsonObject = members.get(":function", {})
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.input_schema is not None:
        function["parameters"] = tool.input_schema
    elif "parameters" not in notes.get(":absent", ()) and "parameters" not in notes.get(":void", {}):
        function["parameters"] = {"type": "object", "properties": {}}
        log.defaulted(f"{path}.input_schema", "this wire wants a schema", function["parameters"])
    function.update(members.get("function", {}))
    wire: JsonObject = {"type": "function", "function": write_back(function, {NAME: notes}, NAME)}
    outer = {name: value for name, value in members.items() if name != "function"}
    if "type" in outer.get(":absent", ()):
        del wire["type"]
    return write_back(wire, {NAME: outer}, NAME)
