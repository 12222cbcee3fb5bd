"""Tools in the shapes that people have them: a definition, a typed function, a class, or one of three dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast, overload

from dragoman.errors import InvalidArguments, InvalidRequest
from dragoman.values import Opaque, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.face.schemas import TypeSchema
    from dragoman.values import JsonObject, Tool, ToolCall

    ToolLike = ToolDefinition | Opaque | Callable[..., Any] | Mapping[str, Any]

__all__ = ["FunctionTool", "ToolLike", "as_tool", "functions_of", "tool", "with_functions"]


class FunctionTool:
    """A function with its definition, as `tool` makes it. Calling it calls the function."""

    def __init__(
        self, function: Callable[..., Any], definition: ToolDefinition, parameters: TypeSchema[Any] | None = None
    ) -> None:
        self.function = function
        self.definition = definition
        self._parameters = parameters

    @property
    def name(self) -> str:
        """The name that a model calls it by."""
        return self.definition.name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def __repr__(self) -> str:
        return f"FunctionTool({self.name!r})"

    def arguments(self, call: ToolCall) -> dict[str, Any]:
        """The call's arguments as the function's parameters have them. Raises `InvalidArguments`."""
        given = call.arguments
        if self._parameters is None:
            return given
        from dragoman.face.schemas import Mismatch
        from dragoman.face.tool_shapes import parameter_names

        try:
            parsed = self._parameters.parse(call.arguments_text.strip() or "{}")
        except Mismatch as mismatch:
            raise InvalidArguments(
                f"the arguments of tool call {call.name!r} are not what it takes: {mismatch}",
                name=call.name,
                text=call.arguments_text,
            ) from None
        return {name: getattr(parsed, name) for name in parameter_names(self.function)}


@overload
def tool(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    input_schema: JsonObject | None = None,
    strict: bool | None = None,
) -> FunctionTool: ...
@overload
def tool(
    function: None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    input_schema: JsonObject | None = None,
    strict: bool | None = None,
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    input_schema: JsonObject | None = None,
    strict: bool | None = None,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """A tool of a function: its signature gives the schema, its docstring the descriptions. Also a decorator.

    What is given by name replaces what the function says. `strict` asks for exact arguments, of providers that can.
    With an `input_schema` the function gets the arguments as they are in JSON.

    >>> @tool(strict=True)
    ... def weather(city: str) -> str:
    ...     \"\"\"The weather of a city.\"\"\"
    """

    def made(function: Callable[..., Any]) -> FunctionTool:
        from dragoman.face.tool_shapes import documented, function_name, parameters_of

        called = name or function_name(function)
        said = documented(function)
        parameters = None if input_schema is not None else parameters_of(function, called, said.parameters)
        definition = ToolDefinition(
            name=called,
            description=description or said.description or None,
            input_schema=input_schema if parameters is None else parameters.schema,
            strict=strict,
        )
        return FunctionTool(function, definition, parameters)

    return made if function is None else made(function)


def as_tool(given: ToolLike) -> Tool:
    """A `ToolDefinition` from whatever was given.

    Dictionaries: OpenAI's `{"type": "function", "function": {…}}` or its flat Responses form, a bare
    `{"name", "description", "parameters" | "input_schema"}`, or Anthropic's `{"name", "input_schema"}`. A function's
    signature gives the schema, its docstring the description; a class (pydantic model, dataclass, TypedDict, msgspec
    struct) is a tool of its name whose arguments are its fields.
    """
    if isinstance(given, (ToolDefinition, Opaque)):
        return given
    if isinstance(given, FunctionTool):
        return given.definition
    if isinstance(given, dict):
        return _from_dictionary(cast("dict[str, Any]", given))
    if isinstance(given, type):
        from dragoman.face.tool_shapes import from_class

        return from_class(given)
    if callable(given):
        return tool(given).definition
    raise InvalidRequest(
        f"a tool is a ToolDefinition, a typed function, a class or a dictionary, and not {type(given).__name__}",
        path="tools",
    )


def with_functions(tools: Iterable[ToolLike]) -> list[ToolLike]:
    """The tools with each function as a `FunctionTool`, so that its schema is worked out once."""
    return [
        tool(given)
        if callable(given) and not isinstance(given, (FunctionTool, type, ToolDefinition, Opaque))
        else given
        for given in tools
    ]


def functions_of(tools: Iterable[ToolLike]) -> dict[str, FunctionTool]:
    """The functions among the tools, by the names that a model calls them by."""
    return {given.name: given for given in tools if isinstance(given, FunctionTool)}


# -- dictionaries ------------------------------------------------------------------------------------------------------

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
