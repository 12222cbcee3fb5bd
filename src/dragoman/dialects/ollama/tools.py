"""Tools: functions of the caller's, as this wire says them; another type of tool is Opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.ollama.names import NAME
from dragoman.dialects.reading import object_of, objects_in, required_text, text
from dragoman.values import Opaque, ToolDefinition

if TYPE_CHECKING:
    from dragoman.dialects.ollama.names import Writing
    from dragoman.values import JsonObject, Request, Tool

__all__ = ["decode_tools", "write_tools"]

_TOOL = frozenset({"type", "function"})
_FUNCTION = frozenset({"name", "description", "parameters"})


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The tools of a request."""
    return tuple(_tool(wire, f"tools[{index}]") for index, wire in enumerate(objects_in(body, "tools")))


def _tool(wire: JsonObject, path: str) -> Tool:
    kind = text(wire, "type", path)
    function: Any = wire.get("function")
    if kind not in (None, "function") or function is None:
        return Opaque(dialect=NAME, kind=kind or "tool", data=wire)
    function = object_of(function, f"{path}.function")
    schema: Any = function.get("parameters")
    # The inner object's extras stand under one member of the outer one's.
    inner = kept(function, _FUNCTION, NAME, complete=("parameters",))
    return ToolDefinition(
        name=required_text(function, "name", f"{path}.function"),
        description=text(function, "description", f"{path}.function") or None,
        input_schema=object_of(schema, f"{path}.function.parameters") if schema is not None else None,
        extras=_with_inner(kept(wire, _TOOL, NAME, complete=("type",)), inner.get(NAME)),
    )


def _with_inner(outer: Any, inner: JsonObject | None) -> Any:
    if not inner:
        return outer
    members = dict(outer.get(NAME, {}))
    notes = {name: value for name, value in inner.items() if name.startswith(":")}
    rest = {name: value for name, value in inner.items() if not name.startswith(":")}
    if notes:
        members[":function"] = notes
    if rest:
        members["function"] = rest
    return {NAME: members}


def write_tools(request: Request, writing: Writing) -> list[JsonObject]:
    """The tools that may be chosen; this wire has no tool_choice, so others are left out."""
    choice = request.tool_choice
    mode = choice.mode if choice is not None else None
    names = choice.names if choice is not None and mode == "named" else None
    log = writing.log
    if choice is not None:
        log.foreign_extras(choice.extras, NAME, "tool_choice")
        if choice.parallel is False:
            log.dropped("tool_choice.parallel", "this wire cannot ask for one call at a time", False)
        if mode in ("none", "named"):
            log.emulated("tool_choice", "this wire has no tool_choice; other tools are left out", mode)
        if mode in ("required", "named"):
            log.dropped("tool_choice", "this wire cannot force a call", mode)
    wires: list[JsonObject] = []
    for index, tool in enumerate(request.tools):
        path = f"tools[{index}]"
        if mode == "none" or (names is not None and not (isinstance(tool, ToolDefinition) and tool.name in names)):
            log.dropped(path, "it may not be chosen, and this wire has no tool_choice", _name(tool))
        elif isinstance(tool, ToolDefinition):
            wires.append(_write(tool, path, writing))
        elif tool.dialect == NAME:
            wires.append(cast("JsonObject", tool.data))
        else:
            log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}", tool.kind)
    return wires


def _name(tool: Tool) -> str:
    return tool.name if isinstance(tool, ToolDefinition) else tool.kind


def _write(tool: ToolDefinition, path: str, writing: Writing) -> JsonObject:
    log = writing.log
    log.foreign_extras(tool.extras, NAME, path)
    if tool.strict:
        log.dropped(f"{path}.strict", "this wire has no strict tools", True)
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
