"""Definitions of tools from classes and typed functions; loaded when the first of them is made."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.face.docstrings import Documented, read_docstring
from dragoman.face.hints import hints_of, mentions_pydantic, own_doc, said_of
from dragoman.face.schemas import TypeSchema, type_schema
from dragoman.values import ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject

__all__ = ["documented", "from_class", "function_name", "parameter_names", "parameters_of"]


def documented(function: Callable[..., Any]) -> Documented:
    """What a function's docstring says."""
    return read_docstring(inspect.getdoc(function))


# -- classes -----------------------------------------------------------------------------------------------------------


def from_class(kind: type) -> ToolDefinition:
    """A tool of the class's name whose arguments are its fields."""
    schema = dict(type_schema(kind).schema)
    if schema.get("type") != "object":
        raise InvalidRequest(
            f"{kind.__name__} is no object in JSON, as a tool's arguments are; give a class with fields", path="tools"
        )
    schema.pop("title", None)
    described: Any = schema.pop("description", None)
    described = described or read_docstring(own_doc(kind)).description or None
    return ToolDefinition(name=kind.__name__, description=described, input_schema=schema)


# -- functions ---------------------------------------------------------------------------------------------------------


def function_name(function: Callable[..., Any]) -> str:
    """The name to offer a function by."""
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        raise InvalidRequest(
            f"{function!r:.80} has no name to offer to a model; give it one: tool(function, name=…)", path="tools"
        )
    return name


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def parameters_of(function: Callable[..., Any], name: str, said: dict[str, str]) -> TypeSchema[Any]:
    """The schema of a function's parameters, and the means to check arguments against it."""
    hints = _hints(function, name)
    fields: list[tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise InvalidRequest(
                f"tool {name!r}: a model gives arguments by name, so parameter {parameter} cannot be offered",
                path="tools",
            )
        if parameter.name not in hints:
            raise InvalidRequest(f"tool {name!r}: parameter {parameter.name!r} has no type annotation", path="tools")
        fields.append((parameter.name, hints[parameter.name], parameter.default))
    try:
        made = type_schema(_parameter_class(name, fields))
    except (TypeError, InvalidRequest) as error:
        raise InvalidRequest(
            f"tool {name!r}: its parameters have no JSON Schema ({error}); give a ToolDefinition instead", path="tools"
        ) from None
    _finish_schema(made.schema, fields, said)
    return made


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return hints_of(function if hasattr(function, "__annotations__") else type(function).__call__)
    except NameError as error:
        raise InvalidRequest(
            f"tool {name!r}: an annotation names what its module does not have: {error}", path="tools"
        ) from None


def _parameter_class(name: str, fields: list[tuple[str, Any, Any]]) -> Any:
    if any(mentions_pydantic(hint) for _, hint, _ in fields):
        from pydantic import create_model

        given: dict[str, Any] = {
            field: (hint, ... if default is inspect.Parameter.empty else default) for field, hint, default in fields
        }
        return create_model(name, **given)
    return msgspec.defstruct(
        name,
        [
            (field, hint)
            if default is inspect.Parameter.empty
            else (field, hint, msgspec.field(default_factory=lambda default=default: default))
            for field, hint, default in fields
        ],
        kw_only=True,
    )


def _finish_schema(schema: JsonObject, fields: list[tuple[str, Any, Any]], said: dict[str, str]) -> None:
    """Adds what is said of the parameters, and the defaults that JSON can say, which a factory hides."""
    schema.pop("title", None)
    schema.pop("description", None)
    properties: dict[str, JsonObject] = schema.get("properties", {})
    for name, hint, default in fields:
        if name not in properties:
            continue
        words = said_of(hint) or said.get(name)
        if words:
            properties[name].setdefault("description", words)
        if isinstance(default, (str, int, float, bool)):
            properties[name].setdefault("default", default)
        properties[name].pop("title", None)
