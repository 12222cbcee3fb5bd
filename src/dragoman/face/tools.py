"""Tools in the shapes that people have them: a definition, a typed function, or a dictionary of one of three kinds."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.values import Opaque, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.values import JsonObject, Tool

    ToolLike = ToolDefinition | Opaque | Callable[..., Any] | Mapping[str, Any]

__all__ = ["ToolLike", "as_tool"]


def as_tool(tool: ToolLike) -> Tool:
    """A `ToolDefinition` from whatever was given.

    Dictionaries: OpenAI's `{"type": "function", "function": {…}}` or its flat Responses form, a bare
    `{"name", "description", "parameters" | "input_schema"}`, or Anthropic's `{"name", "input_schema"}`. A function's
    signature gives the schema, its docstring the description.
    """
    if isinstance(tool, (ToolDefinition, Opaque)):
        return tool
    if isinstance(tool, dict):
        return _from_dictionary(cast("dict[str, Any]", tool))
    if callable(tool):
        return _from_function(tool)
    raise InvalidRequest(
        f"a tool is a ToolDefinition, a typed function or a dictionary, and not {type(tool).__name__}", path="tools"
    )


_MEMBERS = {"name", "description", "parameters", "input_schema", "strict", "type"}


def _from_dictionary(given: JsonObject) -> ToolDefinition:
    held: Any = given.get("function", given)
    if not isinstance(held, dict):
        raise InvalidRequest(f"a tool's function is an object, and not {held!r:.80}", path="tools")
    function = cast("JsonObject", held)
    name = function.get("name")
    schema: Any = function.get("parameters", function.get("input_schema"))
    unknown = sorted(set(function) - _MEMBERS)
    kind = given.get("type", "function")
    if not isinstance(name, str) or not name or kind not in ("function", "custom"):
        raise InvalidRequest(
            "a tool given as a dictionary is a function with a name, as in "
            f'{{"name": "add", "description": "…", "input_schema": {{…}}}}; found {given!r:.120}. '
            "A tool that a provider runs itself is given as Opaque(dialect=…, kind=…, data=…).",
            path="tools",
        )
    if unknown:
        raise InvalidRequest(f"tool {name!r} has unknown members: {', '.join(unknown)}", path="tools")
    if schema is not None and not isinstance(schema, dict):
        raise InvalidRequest(
            f"the schema of tool {name!r} is a JSON Schema object, and not {schema!r:.80}", path="tools"
        )
    return ToolDefinition(
        name=name,
        description=function.get("description"),
        input_schema=cast("JsonObject | None", schema),
        strict=function.get("strict"),
    )


def _from_function(function: Callable[..., Any]) -> ToolDefinition:
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        raise InvalidRequest(
            f"{function!r:.80} has no name to offer to a model; give a ToolDefinition instead", path="tools"
        )
    return ToolDefinition(
        name=name,
        description=inspect.getdoc(function),
        input_schema=_schema_of(function, name),
    )


def _schema_of(function: Callable[..., Any], name: str) -> JsonObject:
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise InvalidRequest(
                f"tool {name!r}: a model gives arguments by name, so parameter {parameter} cannot be offered",
                path="tools",
            )
        if parameter.name not in hints:
            raise InvalidRequest(f"tool {name!r}: parameter {parameter.name!r} has no type annotation", path="tools")
        field: tuple[Any, ...] = (parameter.name, hints[parameter.name])
        if parameter.default is not parameter.empty:
            default = parameter.default
            field = (*field, msgspec.field(default_factory=lambda default=default: default))
        fields.append(field)
    try:
        made = msgspec.defstruct(name, fields, kw_only=True)
        (schema,), definitions = msgspec.json.schema_components([made], ref_template="#/$defs/{name}")
    except TypeError as error:
        raise InvalidRequest(
            f"tool {name!r}: its parameters have no JSON Schema ({error}); give a ToolDefinition instead", path="tools"
        ) from None
    root: JsonObject = definitions.pop(name, schema)
    root.pop("title", None)
    _set_defaults(root, function)
    return {**root, "$defs": definitions} if definitions else root


def _set_defaults(schema: JsonObject, function: Callable[..., Any]) -> None:
    """Shows the defaults that JSON can say, which a factory hides from the schema."""
    properties: dict[str, JsonObject] = schema.get("properties", {})
    for parameter in inspect.signature(function).parameters.values():
        if isinstance(parameter.default, (str, int, float, bool)) and parameter.name in properties:
            properties[parameter.name]["default"] = parameter.default
