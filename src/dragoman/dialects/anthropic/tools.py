"""Tools and the choice among them. A tool without a type (or of type "custom") is a function; others are Opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from dragoman.dialects.anthropic.forms import NAME, Writing, cache_of, cache_out, kept, note, own_members, restore
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Opaque, ToolChoice, ToolDefinition

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Request, Tool

__all__ = ["decode_choice", "decode_tools", "encode_choice", "encode_tools"]

_TOOL = frozenset({"type", "name", "description", "input_schema", "strict"})
_CHOICE = frozenset({"type", "name", "disable_parallel_tool_use"})
_Mode = Literal["auto", "none", "required", "named"]
_MODES: dict[str, _Mode] = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}
_TYPES: dict[_Mode | None, str] = {None: "auto", "auto": "auto", "required": "any", "named": "tool", "none": "none"}


def decode_tools(body: JsonObject) -> tuple[Tool, ...]:
    """The tools of a request."""
    return tuple(
        [
            _plain_definition(tool) or _decode_tool(tool, f"tools[{index}]")
            for index, tool in enumerate(objects_in(body, "tools"))
        ]
    )


def _plain_definition(tool: JsonObject) -> ToolDefinition | None:
    """A function of the commonest shape; None for any other tool."""
    name, description, schema = tool.get("name"), tool.get("description"), tool.get("input_schema")
    if len(tool) != 3 or not isinstance(name, str) or not isinstance(description, str) or not isinstance(schema, dict):
        return None
    return ToolDefinition(name=name, description=description, input_schema=schema)  # pyright: ignore[reportUnknownArgumentType]  # JSON


def _decode_tool(tool: JsonObject, path: str) -> Tool:
    kind = text(tool, "type", path)
    if kind is not None and kind != "custom":
        return Opaque(dialect=NAME, kind=kind, data=tool)
    schema = tool.get("input_schema")
    if schema is None:
        raise ProtocolViolation(f"{path}.input_schema is missing", path=f"{path}.input_schema")
    cache = cache_of(tool, path)
    return ToolDefinition(
        name=required_text(tool, "name", path),
        description=text(tool, "description", path),
        input_schema=object_of(schema, f"{path}.input_schema"),
        strict=boolean(tool, "strict", path),
        cache=cache,
        extras=kept(
            tool,
            _TOOL,
            silent=[name for name in ("type", "description", "strict") if tool.get(name, "") is None],
            cache=cache,
            notes={":type": kind} if kind else None,
        ),
    )


def encode_tools(request: Request, writing: Writing) -> list[JsonObject]:
    """The tools; of several allowed names (which this wire cannot say) only the named functions are offered."""
    choice = request.tool_choice
    allowed = choice.names if choice is not None and choice.mode == "named" and len(choice.names) > 1 else None
    tools: list[JsonObject] = []
    for index, tool in enumerate(request.tools):
        if allowed is None and type(tool) is ToolDefinition:
            plain = _plain_tool(tool)
            if plain is not None:
                tools.append(plain)
                continue
        path = f"tools[{index}]"
        if allowed is not None and isinstance(tool, ToolDefinition) and tool.name not in allowed:
            writing.log.dropped(path, "tool_choice does not allow it", tool.name)
            continue
        wire = _encode_opaque(tool, path, writing) if isinstance(tool, Opaque) else _encode_tool(tool, path, writing)
        if wire is not None:
            tools.append(wire)
    if allowed is not None:
        writing.log.emulated("tool_choice.names", "this wire names one tool; the others are not offered", allowed)
    return tools


def _encode_opaque(tool: Opaque, path: str, writing: Writing) -> JsonObject | None:
    data: Any = tool.data
    if tool.dialect != NAME or not isinstance(data, dict):
        writing.log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}")
        return None
    return cast("JsonObject", data)


def _plain_tool(tool: ToolDefinition) -> JsonObject | None:
    """A function of which nothing has to be mended or marked; None for any other. On the path of every request."""
    schema = tool.input_schema
    if not schema or schema.get("type") != "object" or tool.extras or tool.cache is not None:
        return None
    wire: JsonObject = {"name": tool.name, "input_schema": schema}
    if tool.description is not None:
        wire["description"] = tool.description
    if tool.strict is not None:
        wire["strict"] = tool.strict
    return wire


def _encode_tool(tool: ToolDefinition, path: str, writing: Writing) -> JsonObject:
    writing.log.foreign_extras(tool.extras, NAME, path)
    wire: JsonObject = {"name": tool.name, "input_schema": _schema(tool, path, writing)}
    kind = note(tool.extras, ":type")
    if kind is not None:
        wire["type"] = kind
    if tool.description is not None:
        wire["description"] = tool.description
    if tool.strict is not None:
        wire["strict"] = tool.strict
    if tool.cache is not None:
        wire["cache_control"] = cache_out(tool.cache, path, writing)
    return restore(wire, tool.extras)


def _schema(tool: ToolDefinition, path: str, writing: Writing) -> JsonObject:
    schema: JsonObject = tool.input_schema or {}
    if not schema and writing.mend:
        return {"type": "object", "properties": {}}
    if writing.mend and schema.get("type") != "object":
        applied = {**schema, "type": "object"}
        writing.log.substituted(f"{path}.input_schema", "this wire wants a schema of type object", schema, applied)
        schema = applied
    return schema


# -- the choice --------------------------------------------------------------------------------------------------------


def decode_choice(body: JsonObject) -> ToolChoice | None:
    """The choice among the tools, or None where the request names none."""
    wire: Any = body.get("tool_choice")
    if wire is None:
        return None
    wire = object_of(wire, "tool_choice")
    kind = required_text(wire, "type", "tool_choice")
    mode = _MODES.get(kind)
    if mode is None:
        raise ProtocolViolation(f"tool_choice.type {kind!r} is not one of {', '.join(_MODES)}", path="tool_choice.type")
    single = boolean(wire, "disable_parallel_tool_use", "tool_choice")
    name = required_text(wire, "name", "tool_choice") if mode == "named" else None
    choice = ToolChoice(
        mode=mode,
        names=() if name is None else (name,),
        parallel=None if single is None else not single,
        extras=kept(wire, _CHOICE),
    )
    # Members in a place where they mean nothing (a name beside "auto") would not come back from the fields.
    if _wire_choice(choice) != wire:
        own = {**choice.extras.get(NAME, {}), ":tool_choice": wire}
        choice = ToolChoice(mode=choice.mode, names=choice.names, parallel=choice.parallel, extras={NAME: own})
    return choice


def _wire_choice(choice: ToolChoice) -> JsonObject:
    wire: JsonObject = {"type": _TYPES[choice.mode]}
    if choice.mode == "named":
        if len(choice.names) == 1:
            wire["name"] = choice.names[0]
        else:
            wire["type"] = "any"
    if choice.parallel is not None and choice.mode != "none":
        wire["disable_parallel_tool_use"] = not choice.parallel
    if choice.extras:
        wire.update(own_members(choice.extras))
    return wire


def encode_choice(request: Request, tools: list[JsonObject], writing: Writing) -> JsonObject | None:
    """`tool_choice` beside these tools."""
    choice = request.tool_choice
    if choice is None:
        return None
    original: JsonObject | None = None
    if choice.extras:
        writing.log.foreign_extras(choice.extras, NAME, "tool_choice")
        original = note(choice.extras, ":tool_choice")
    if original is not None:
        before = decode_choice({"tool_choice": original})
        if before is not None and (before.mode, before.names, before.parallel) == (
            choice.mode,
            choice.names,
            choice.parallel,
        ):
            return original
    if writing.mend and not tools:
        if choice.mode not in (None, "auto", "none"):
            writing.log.dropped("tool_choice", "this wire takes a choice only beside tools", choice.mode)
        return None
    return _wire_choice(choice)
