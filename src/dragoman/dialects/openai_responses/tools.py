"""Tools and the choice among them ↔ `ToolDefinition`, `Opaque` (tools that only this wire knows) and `ToolChoice`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.openai_responses.wire import ABSENT, NAME, NULL, WIRE, extras_of, members, notes, same_json
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text, unknown
from dragoman.errors import ProtocolViolation
from dragoman.values import Opaque, ToolChoice, ToolDefinition

if TYPE_CHECKING:
    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject, Tool

__all__ = ["decode_choice", "decode_tools", "encode_choice", "encode_tools"]

_MEMBERS = ("description", "parameters", "strict")
_NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The member `tools`."""
    return tuple(_read_tool(tool, f"tools[{index}]") for index, tool in enumerate(objects_in(body, "tools")))


def _read_tool(tool: JsonObject, path: str) -> Tool:
    kind = required_text(tool, "type", path)
    if kind != "function":
        return Opaque(dialect=NAME, kind=kind, data=tool)
    own = unknown(tool, ("type", "name", *_MEMBERS))
    absent = [name for name in ("parameters", "strict") if name not in tool]
    nulls = [name for name in _MEMBERS if name in tool and tool[name] is None]
    if absent:
        own[ABSENT] = absent
    if nulls:
        own[NULL] = nulls
    parameters = tool.get("parameters")
    return ToolDefinition(
        name=required_text(tool, "name", path),
        description=text(tool, "description", path),
        input_schema=None if parameters is None else object_of(parameters, f"{path}.parameters"),
        strict=boolean(tool, "strict", path),
        extras={NAME: own},
    )


def encode_tools(tools: tuple[Tool, ...], fit: Fit) -> list[JsonObject]:
    """The list of tools; one that another dialect alone knows is recorded as dropped."""
    written: list[JsonObject] = []
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if isinstance(tool, ToolDefinition):
            written.append(_write_tool(tool, fit, path))
        elif tool.dialect == NAME:
            written.append(tool.data)
        else:
            fit.log.dropped(path, f"only {tool.dialect} has it ({tool.kind})")
    return written


def _write_tool(tool: ToolDefinition, fit: Fit, path: str) -> JsonObject:
    own = notes(tool.extras)
    silent = (*own.get(ABSENT, ()), *own.get(NULL, ()))
    body: JsonObject = {"type": "function", "name": tool.name}
    given: dict[str, Any] = {"description": tool.description, "parameters": tool.input_schema, "strict": tool.strict}
    body.update((name, value) for name, value in given.items() if value is not None)
    body.update((name, None) for name in own.get(NULL, ()) if given[name] is None)
    if tool.input_schema is None and "parameters" not in silent:
        body["parameters"] = dict(_NO_PARAMETERS)
        fit.log.defaulted(f"{path}.input_schema", "the wire requires it", body["parameters"])
    if tool.strict is None and "strict" not in silent:
        # Left out it would mean true on this wire, and rewrite the schema; elsewhere it means false.
        body["strict"] = False
        fit.log.defaulted(f"{path}.strict", "the wire requires it", False)
    fit.log.foreign_extras(tool.extras, NAME, path)
    if tool.cache is not None:
        fit.log.dropped(f"{path}.cache", "a tool cannot be marked for the cache")
    return body | members(tool.extras)


# -- the choice --------------------------------------------------------------------------------------------------------


def decode_choice(body: JsonObject, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """The members `tool_choice` and `parallel_tool_calls`."""
    parallel = boolean(body, "parallel_tool_calls")
    wire: Any = body.get("tool_choice")
    if wire is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    choice = _read_choice(wire)
    if not same_json(_write_choice(choice, tools), wire):
        choice = ToolChoice(mode=choice.mode, names=choice.names, extras={NAME: {WIRE: wire}})
    return ToolChoice(mode=choice.mode, names=choice.names, parallel=parallel, extras=choice.extras)


def _read_choice(wire: Any) -> ToolChoice:
    if isinstance(wire, str):
        if wire in ("auto", "none", "required"):
            return ToolChoice(mode=wire)
        raise ProtocolViolation(
            f"tool_choice should be auto, none, required or an object, and is {wire!r:.80}", path="tool_choice"
        )
    chosen = object_of(wire, "tool_choice")
    kind = required_text(chosen, "type", "tool_choice")
    if kind in ("function", "custom"):
        return ToolChoice(mode="named", names=(required_text(chosen, "name", "tool_choice"),))
    names = _allowed(chosen) if kind == "allowed_tools" else ()
    if names:
        return ToolChoice(mode="named" if chosen.get("mode") == "required" else "auto", names=names)
    return ToolChoice(extras=extras_of({"tool_choice": chosen}))


def _allowed(chosen: JsonObject) -> tuple[str, ...]:
    """The names of the allowed tools, where all of them are functions or custom tools."""
    entries = objects_in(chosen, "tools", "tool_choice")
    names = [entry["name"] for entry in entries if entry.get("type") in ("function", "custom") and "name" in entry]
    return tuple(names) if len(names) == len(entries) and all(isinstance(name, str) for name in names) else ()


def encode_choice(choice: ToolChoice, tools: tuple[Tool, ...], fit: Fit) -> Any:
    """The member `tool_choice`, or None where nothing was asked."""
    own = notes(choice.extras)
    fit.log.foreign_extras(choice.extras, NAME, "tool_choice")
    if WIRE in own:
        read = _read_choice(own[WIRE])
        if (read.mode, read.names) == (choice.mode, choice.names):
            return own[WIRE]
    return _write_choice(choice, tools)


def _write_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> Any:
    kept = notes(choice.extras).get("tool_choice")
    if kept is not None and choice.mode is None and not choice.names:
        return kept
    if not choice.names:
        return "required" if choice.mode == "named" else choice.mode
    custom = {
        cast("JsonObject", tool.data).get("name")
        for tool in tools
        if isinstance(tool, Opaque) and tool.dialect == NAME and tool.kind == "custom"
    }
    named = [{"type": "custom" if name in custom else "function", "name": name} for name in choice.names]
    if choice.mode == "none":
        return "none"
    if len(named) == 1 and choice.mode != "auto":
        return named[0]
    return {"type": "allowed_tools", "mode": "auto" if choice.mode == "auto" else "required", "tools": named}
