"""Tools and the choice among them: `toolConfig`. A system tool, and whatever is no toolSpec, is Opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.blocks import cache_point
from dragoman.dialects.bedrock.forms import NAME, Writing, nested, note, write_nested
from dragoman.dialects.bedrock.parts import cache_block
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text
from dragoman.values import Opaque, ToolCall, ToolChoice, ToolDefinition, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Request, Tool

__all__ = ["decode_tools", "encode_tools"]

_SPEC = frozenset({"name", "description", "inputSchema", "strict"})
_CONFIG = frozenset({"tools", "toolChoice"})
_ANY_OBJECT: JsonObject = {"type": "object", "properties": {}}


def decode_tools(body: JsonObject) -> tuple[tuple[Tool, ...], ToolChoice | None, JsonObject]:
    """The tools, the choice, and what of `toolConfig` the request's extras have to keep."""
    config = body.get("toolConfig")
    if config is None:
        return (), None, {}
    config = object_of(config, "toolConfig")
    tools: list[Tool] = []
    for index, wire in enumerate(objects_in(config, "tools", "toolConfig")):
        hint = cache_point(wire)
        if hint is not None and tools and tools[-1].cache is None:
            tools[-1] = msgspec.structs.replace(tools[-1], cache=hint)
        else:
            tools.append(_decode_tool(wire, f"toolConfig.tools[{index}]"))
    return tuple(tools), _decode_choice(config), nested("toolConfig", config, _CONFIG)


def _decode_tool(wire: JsonObject, path: str) -> Tool:
    if wire.keys() != {"toolSpec"}:
        return Opaque(dialect=NAME, kind=next(iter(wire), "nothing"), data=wire)
    path = f"{path}.toolSpec"
    spec = object_of(wire["toolSpec"], path)
    holder = object_of(spec.get("inputSchema"), f"{path}.inputSchema")
    rest = {name: value for name, value in holder.items() if name != "json"}
    extras = kept(spec, _SPEC, NAME)
    if rest:
        extras = {NAME: {**own(extras, NAME), "inputSchema": rest}}
    return ToolDefinition(
        name=required_text(spec, "name", path),
        description=text(spec, "description", path) or None,
        input_schema=object_of(holder.get("json"), f"{path}.inputSchema.json"),
        strict=boolean(spec, "strict", path),
        extras=extras,
    )


def _decode_choice(config: JsonObject) -> ToolChoice | None:
    if config.get("toolChoice") is None:
        return None
    path = "toolConfig.toolChoice"
    wire = object_of(config["toolChoice"], path)
    if wire.get("tool") is not None:
        named = object_of(wire["tool"], f"{path}.tool")
        choice = ToolChoice(mode="named", names=(required_text(named, "name", f"{path}.tool"),))
    elif wire.get("any") is not None:
        choice = ToolChoice(mode="required")
    elif wire.get("auto") is not None:
        choice = ToolChoice(mode="auto")
    else:
        choice = ToolChoice()
    if _wire_choice(choice) != wire:
        choice = msgspec.structs.replace(choice, extras={NAME: {":toolChoice": wire}})
    return choice


def _wire_choice(choice: ToolChoice) -> JsonObject | None:
    if choice.mode == "named":
        return {"tool": {"name": choice.names[0]}} if len(choice.names) == 1 else {"any": {}}
    return {"any": {}} if choice.mode == "required" else {"auto": {}} if choice.mode == "auto" else None


# -- to a provider -----------------------------------------------------------------------------------------------------


def encode_tools(request: Request, writing: Writing) -> JsonObject:
    """`toolConfig`; empty where there is none."""
    choice = request.tool_choice
    config: JsonObject = {}
    tools = _encode_list(request, _offered(request, writing), writing)
    if not tools and writing.mend and (names := _spoken_of(request)):
        # The API refuses calls and results in the turns without a toolConfig.
        tools = [{"toolSpec": {"name": name, "inputSchema": {"json": _ANY_OBJECT}}} for name in names]
        writing.log.defaulted("tools", "this wire wants the tools that the conversation speaks of", names)
    if tools:
        config["tools"] = tools
    if choice is not None:
        wire = _encode_choice(choice, tools, writing)
        if wire is not None:
            config["toolChoice"] = wire
    return write_nested(config, request.extras, "toolConfig")


def _spoken_of(request: Request) -> list[str]:
    """The names of the client's tools that the turns hold calls or results of."""
    parts = [part for message in request.messages for part in message.parts]
    names = [part.name for part in parts if isinstance(part, ToolCall) and part.runner == "client"]
    names += [part.name or "tool" for part in parts if isinstance(part, ToolResult) and part.runner == "client"]
    return list(dict.fromkeys(names))


def _offered(request: Request, writing: Writing) -> list[int]:
    """The tools that are offered: of several allowed names the named ones, and none where none may be called."""
    choice = request.tool_choice
    every = list(range(len(request.tools)))
    if choice is None:
        return every
    if choice.mode == "named" and len(choice.names) > 1:
        writing.log.emulated("tool_choice.names", "this wire names one tool; others are not offered", choice.names)
        left_out = [index for index in every if _name(request.tools[index]) not in (None, *choice.names)]
        for index in left_out:
            writing.log.dropped(f"tools[{index}]", "tool_choice does not allow it")
        return [index for index in every if index not in left_out]
    if choice.mode == "none" and every:
        if _spoken_of(request):
            reason = "this wire has no such choice, and wants the tools that the conversation speaks of"
            writing.log.dropped("tool_choice", reason, choice.mode)
            return every
        writing.log.emulated("tool_choice", "this wire has no such choice; no tool is offered", choice.mode)
        for index in every:
            writing.log.dropped(f"tools[{index}]", "tool_choice does not allow it")
        return []
    return every


def _name(tool: Tool) -> str | None:
    return tool.name if isinstance(tool, ToolDefinition) else None


def _encode_list(request: Request, offered: list[int], writing: Writing) -> list[JsonObject]:
    tools: list[JsonObject] = []
    for index in offered:
        tool, path = request.tools[index], f"tools[{index}]"
        wire = _encode_opaque(tool, path, writing) if isinstance(tool, Opaque) else _encode_spec(tool, path, writing)
        if wire is not None:
            tools.append(wire)
            if tool.cache is not None:
                tools.append(cache_block(tool.cache, path, writing))
    return tools


def _encode_opaque(tool: Opaque, path: str, writing: Writing) -> JsonObject | None:
    data: Any = tool.data
    if tool.dialect != NAME or not isinstance(data, dict):
        writing.log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}")
        return None
    return cast("JsonObject", data)


def _encode_spec(tool: ToolDefinition, path: str, writing: Writing) -> JsonObject:
    if tool.extras:
        writing.log.foreign_extras(tool.extras, NAME, path)
    schema = tool.input_schema or {}
    if writing.mend and not schema:
        schema = _ANY_OBJECT
    elif writing.mend and schema.get("type") != "object":
        applied: JsonObject = {**schema, "type": "object"}
        writing.log.substituted(f"{path}.input_schema", "this wire wants a schema of type object", schema, applied)
        schema = applied
    spec: JsonObject = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    if tool.strict is not None:
        spec["strict"] = tool.strict
    members = own(tool.extras, NAME)
    plain = {name: value for name, value in members.items() if name != "inputSchema"}
    write_back(spec, {NAME: plain}, NAME)
    spec["inputSchema"] = {"json": schema, **members.get("inputSchema", {})}
    return {"toolSpec": spec}


def _encode_choice(choice: ToolChoice, tools: list[JsonObject], writing: Writing) -> JsonObject | None:
    if choice.extras:
        writing.log.foreign_extras(choice.extras, NAME, "tool_choice")
    if choice.parallel is False and tools:
        writing.log.dropped("tool_choice.parallel", "this wire cannot ask for one call at a time", False)
    original = note(choice.extras, ":toolChoice")
    if original is not None:
        before = _decode_choice({"toolChoice": original})
        if before is not None and (before.mode, before.names) == (choice.mode, choice.names):
            return original
    if writing.mend and not tools:
        if choice.mode not in (None, "auto", "none"):
            writing.log.dropped("tool_choice", "this wire takes a choice only beside tools", choice.mode)
        return None
    return _wire_choice(choice)
