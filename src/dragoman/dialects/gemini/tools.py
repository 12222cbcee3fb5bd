"""`tools` and `toolConfig.functionCallingConfig` ↔ tools and the choice among them.

A tool object may hold several tools: each function declaration becomes a `ToolDefinition`, each other member an
`Opaque` whose kind is the member's name. They are written back a tool object for neighbouring functions and one for
each other tool; where the wire grouped them otherwise, the note ":group" on a function, or the "group" of an Opaque,
tells. A declaration carries the note ":schema": the member its schema stood in, or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.gemini.members import NAME, Reading, extras_of, listed, own, read, shape, snake, write
from dragoman.dialects.gemini.schemas import from_json_schema, to_json_schema
from dragoman.dialects.gemini.words import MODES, word
from dragoman.dialects.reading import object_of, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Opaque, ToolChoice, ToolDefinition, replace

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Target, Tool

__all__ = ["read_choice", "read_tools", "write_choice", "write_tools"]

_DECLARATION = shape("name", "description", "parameters", "parametersJsonSchema")
_TOOL = shape("functionDeclarations")
_CHOICE = shape("mode", "allowedFunctionNames")
_WORD_OF_MODE = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}

_WHOLE = "tool"
"""The kind of an Opaque that is a whole tool object: one that holds nothing, or an empty list of functions."""


def read_tools(wires: list[JsonObject], path: str) -> tuple[Tool, ...]:
    """The tools of all tool objects, in their order."""
    groups = [_group(wire, f"{path}[{index}]") for index, wire in enumerate(wires)]
    tools = tuple(tool for group in groups for tool in group)
    if _grouped(tools) == wires:
        return tools
    return tuple(_marked(tool, index) for index, group in enumerate(groups) for tool in group)


def _group(wire: JsonObject, path: str) -> list[Tool]:
    reading = read(wire, _TOOL, path)
    declarations = listed(reading, "functionDeclarations", path)
    written = next((name for name in wire if _TOOL.get(name)), "functionDeclarations")
    if reading.notes.get(":null") or (not declarations and (reading.found or not reading.rest)):
        return [Opaque(dialect=NAME, kind=_WHOLE, data=wire)]
    tools: list[Tool] = [_declaration(item, f"{path}.{written}[{index}]") for index, item in enumerate(declarations)]
    tools.extend(_other(name, value) for name, value in reading.rest.items())
    if reading.notes and tools:
        tools[0] = _noted(tools[0], {":tool": reading.notes})
    return tools


def _other(written: str, data: Any) -> Opaque:
    """A tool that the provider runs, by its camelCase name."""
    first, *others = written.split("_")
    kind = first + "".join(word.capitalize() for word in others)
    if snake(kind) != written:
        kind = written
    return Opaque(dialect=NAME, kind=kind, data=data, extras=extras_of({":snake": True} if kind != written else {}))


def _noted(tool: Tool, notes: JsonObject) -> Tool:
    return replace(tool, extras=extras_of({**own(tool.extras), **notes}))


def _marked(tool: Tool, group: int) -> Tool:
    return _noted(tool, {":group": group})


def _declaration(wire: JsonObject, path: str) -> ToolDefinition:
    reading = read(wire, _DECLARATION, path)
    found = reading.found
    schema, form = _schema(reading, path)
    reading.notes[":schema"] = form
    if form == "parameters" and from_json_schema(schema or {}, []) != found["parameters"]:
        reading.notes[":parameters"] = found["parameters"]
    return ToolDefinition(
        name=required_text(found, "name", path),
        description=text(found, "description", path),
        input_schema=schema,
        extras=reading.extras,
    )


def _schema(reading: Reading, path: str) -> tuple[JsonObject | None, str | None]:
    found = reading.found
    if "parametersJsonSchema" in found:
        if "parameters" in found:
            reading.rest["parameters"] = found["parameters"]
        return object_of(found["parametersJsonSchema"], f"{path}.parametersJsonSchema"), "parametersJsonSchema"
    if "parameters" in found:
        where = f"{path}.parameters"
        return to_json_schema(object_of(found["parameters"], where), where), "parameters"
    return None, None


# -- writing -----------------------------------------------------------------------------------------------------------


def write_tools(tools: tuple[Tool, ...], target: Target, log: AdaptationLog) -> list[JsonObject]:
    """The tool objects; what this wire has no word for is recorded."""
    kept: list[Tool] = []
    schemas: dict[int, JsonObject] = {}
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if isinstance(tool, Opaque):
            if tool.dialect != NAME:
                log.dropped(path, f"only {tool.dialect} has the tool {tool.kind}")
            elif tool.kind in target.quirks.gemini.refused:
                log.dropped(path, "the host refuses it", tool.kind)
            else:
                kept.append(tool)
            continue
        log.foreign_extras(tool.extras, NAME, path)
        if tool.strict:
            log.dropped(f"{path}.strict", "there are no strict functions here", tool.strict)
        if tool.cache is not None:
            log.dropped(f"{path}.cache", "the host caches prefixes by itself", tool.cache.ttl)
        schemas[len(kept)] = _schema_members(tool, target, log, path)
        kept.append(tool)
    return _grouped(tuple(kept), schemas)


def _grouped(tools: tuple[Tool, ...], schemas: dict[int, JsonObject] | None = None) -> list[JsonObject]:
    objects: list[JsonObject] = []
    last: Any = None
    notes: JsonObject = {}
    for index, tool in enumerate(tools):
        extras = own(tool.extras)
        function = isinstance(tool, ToolDefinition)
        group: Any = extras.get(":group", "functions" if function else ("other", index))
        if group != last:
            if objects and notes:
                objects[-1] = write(objects[-1], notes)
            objects.append({})
            notes = extras.get(":tool", {})
            last = group
        if isinstance(tool, ToolDefinition):
            schema = schemas[index] if schemas is not None else _own_schema(tool)
            objects[-1].setdefault("functionDeclarations", []).append(_declared(tool, schema))
        elif tool.kind == _WHOLE:
            objects[-1] = cast("JsonObject", tool.data)
        else:
            objects[-1][snake(tool.kind) if ":snake" in extras else tool.kind] = tool.data
    if objects and notes:
        objects[-1] = write(objects[-1], notes)
    return objects


def _declared(tool: ToolDefinition, schema: JsonObject) -> JsonObject:
    members: JsonObject = {"name": tool.name}
    if tool.description is not None:
        members["description"] = tool.description
    members.update(schema)
    return write(members, own(tool.extras))


def _own_schema(tool: ToolDefinition) -> JsonObject:
    """The schema member of a declaration that came over this wire."""
    extras = own(tool.extras)
    original = extras.get(":parameters")
    if original is not None and to_json_schema(original, "") == tool.input_schema:
        return {"parameters": original}
    if tool.input_schema is None:
        return {}
    if extras.get(":schema") == "parameters":
        return {"parameters": from_json_schema(tool.input_schema, [])}
    return {"parametersJsonSchema": tool.input_schema}


def _schema_members(tool: ToolDefinition, target: Target, log: AdaptationLog, path: str) -> JsonObject:
    members = _own_schema(tool)
    if "parametersJsonSchema" in members and not target.quirks.gemini.json_schema:
        lost: list[str] = []
        members = {"parameters": from_json_schema(tool.input_schema or {}, lost)}
        for where in lost:
            log.dropped(f"{path}.input_schema{where}", "the host's schemas have no such keyword")
    return members


# -- the choice --------------------------------------------------------------------------------------------------------


def read_choice(wire: JsonObject, path: str) -> ToolChoice:
    """`functionCallingConfig`. The object itself is kept where the choice would be written otherwise."""
    found, rest, notes = read(wire, _CHOICE, path)
    names = found.get("allowedFunctionNames", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[Any]", names)):
        where = f"{path}.allowedFunctionNames"
        raise ProtocolViolation(f"{where} should be a list of names: {names!r:.80}", path=where)
    mode = word(found["mode"], MODES, f"{path}.mode") if "mode" in found else None
    choice = _choice(mode, tuple(cast("list[str]", names)))
    told = {name: value for name, value in wire.items() if name not in rest}
    if notes or not told or _choice_members(choice) != told:
        rest = {**rest, ":wire": told}
    return replace(choice, extras=extras_of(rest))


def _choice(mode: str | None, names: tuple[str, ...]) -> ToolChoice:
    if mode == "ANY":
        return ToolChoice(mode="named", names=names) if names else ToolChoice(mode="required")
    if mode == "NONE":
        return ToolChoice(mode="none")
    if mode in ("AUTO", "VALIDATED"):  # calls that keep to their schemas, or text
        return ToolChoice(mode="auto")
    return ToolChoice()


def _choice_members(choice: ToolChoice) -> JsonObject:
    members: JsonObject = {}
    if choice.mode is not None:
        members["mode"] = _WORD_OF_MODE[choice.mode]
        if choice.mode == "named":
            members["allowedFunctionNames"] = list(choice.names)
    return members


def write_choice(choice: ToolChoice, log: AdaptationLog) -> JsonObject | None:
    """`functionCallingConfig`; None where there is nothing to say."""
    log.foreign_extras(choice.extras, NAME, "tool_choice")
    if choice.parallel is False:
        log.dropped("tool_choice.parallel", "the model may always make several calls", choice.parallel)
    extras = own(choice.extras)
    original = extras.get(":wire")
    rest = {name: value for name, value in extras.items() if not name.startswith(":")}
    if original is not None:
        again = read_choice(original, "")
        if (again.mode, again.names) == (choice.mode, choice.names):
            return {**original, **rest}
    members = {**_choice_members(choice), **rest}
    return members if members or original is not None else None
