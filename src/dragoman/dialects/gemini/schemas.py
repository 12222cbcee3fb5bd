"""The wire's own schema form ↔ JSON Schema.

`parameters`, `response` and `responseSchema` hold a subset of OpenAPI 3.0: types in capitals (or as numbers),
`nullable`, 64-bit integers as text, no unions of types; Vertex adds `defs`, `ref` and `additionalProperties`. The newer
`parametersJsonSchema` and `responseJsonSchema` take JSON Schema as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.gemini.members import shape
from dragoman.dialects.gemini.words import SCHEMA_TYPES, word
from dragoman.dialects.reading import object_of
from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject

__all__ = ["from_json_schema", "to_json_schema"]

_SAME = (
    "title",
    "description",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "required",
    "enum",
    "default",
)
_LONG = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_MEMBERS = shape(
    *_SAME,
    *_LONG,
    "type",
    "nullable",
    "items",
    "properties",
    "anyOf",
    "example",
    "propertyOrdering",
    "additionalProperties",
    "defs",
    "ref",
)


def to_json_schema(wire: JsonObject, path: str) -> JsonObject:
    """The JSON Schema that a schema in the wire's form means; keywords that are not of that form stay as they are."""
    schema: JsonObject = {}
    nullable = False
    for written, value in wire.items():
        name = _MEMBERS.get(written)
        where = f"{path}.{written}"
        if value is None or name == "propertyOrdering":
            continue  # the order of properties is asked of one host alone, and says nothing about what is valid
        if name == "nullable":
            nullable = value is True
        elif name == "type":
            kind = _type_read(value, where)
            if kind is not None:
                schema["type"] = kind
        elif name == "example":
            schema["examples"] = [value]
        elif name in _LONG:
            schema[name] = int(value) if isinstance(value, str) and value.isdigit() else value
        elif name is not None and name in _NESTED_READ:
            schema[_NESTED_NAME.get(name, name)] = _NESTED_READ[name](value, where)
        elif name == "ref" and isinstance(value, str):
            schema["$ref"] = value.replace("#/defs/", "#/$defs/", 1)
        else:
            schema[name or written] = value
    return _nullable(schema) if nullable else schema


def _type_read(value: Any, path: str) -> str | list[str] | None:
    if isinstance(value, list):  # JSON Schema's own form, which some clients send here
        return [word(item, SCHEMA_TYPES, path).lower() for item in cast("list[Any]", value)]
    kind = word(value, SCHEMA_TYPES, path)
    return None if kind == "TYPE_UNSPECIFIED" else kind.lower()


def _nullable(schema: JsonObject) -> JsonObject:
    kind: Any = schema.get("type")
    if isinstance(kind, str):
        nullable = {**schema, "type": [kind, "null"]}
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            nullable["enum"] = [*schema["enum"], None]
        return nullable
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


def _one(value: Any, path: str) -> Any:
    return to_json_schema(object_of(value, path), path) if isinstance(value, dict) else value


def _many(value: Any, path: str) -> Any:
    if not isinstance(value, list):
        raise ProtocolViolation(f"{path} should be a list, and is {type(value).__name__}: {value!r:.80}", path=path)
    return [_one(item, f"{path}[{index}]") for index, item in enumerate(cast("list[Any]", value))]


def _named(value: Any, path: str) -> Any:
    return {name: _one(item, f"{path}.{name}") for name, item in object_of(value, path).items()}


_NESTED_READ: dict[str, Callable[[Any, str], Any]] = {
    "items": _one,
    "additionalProperties": _one,
    "anyOf": _many,
    "properties": _named,
    "defs": _named,
}
_NESTED_NAME = {"defs": "$defs"}


def from_json_schema(schema: JsonObject, lost: list[str], path: str = "") -> JsonObject:
    """The wire's form of a JSON Schema; keywords that it has no words for are named in `lost`, with their paths.

    References to `$defs` are put in place of their names; one that leads back to itself ends as a plain object.
    """
    return _Writer(schema, lost).write(schema, path, ())


class _Writer:
    def __init__(self, root: JsonObject, lost: list[str]) -> None:
        self._root = root
        self._lost = lost

    def write(self, schema: JsonObject, path: str, within: tuple[str, ...]) -> JsonObject:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(schema, reference, path, within)
        wire: JsonObject = {}
        for name, value in schema.items():
            where = f"{path}.{name}"
            if name in _SAME:
                self._same(wire, name, value, where)
            elif name == "type":
                self._type(wire, value)
            elif name in _LONG:
                wire[name] = str(value)
            elif name == "items" and isinstance(value, dict):
                wire["items"] = self.write(cast("JsonObject", value), where, within)
            elif name == "properties" and isinstance(value, dict):
                wire["properties"] = {
                    key: self._child(item, f"{where}.{key}", within)
                    for key, item in cast("dict[str, Any]", value).items()
                }
            elif name in ("anyOf", "oneOf") and isinstance(value, list):
                self._union(wire, cast("list[Any]", value), where, within)
            elif name == "const":
                wire["enum"] = [value]
            elif name == "examples" and isinstance(value, list) and value:
                wire["example"] = value[0]
            elif name not in ("$defs", "definitions", "$schema", "$id"):
                self._lost.append(where)
        return wire

    def _child(self, value: Any, path: str, within: tuple[str, ...]) -> JsonObject:
        return self.write(cast("JsonObject", value), path, within) if isinstance(value, dict) else {}

    def _referred(self, schema: JsonObject, reference: str, path: str, within: tuple[str, ...]) -> JsonObject:
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            found = cast("JsonObject", found).get(step) if isinstance(found, dict) else None
        if reference in within or not isinstance(found, dict):
            self._lost.append(f"{path}.$ref")
            return {"type": "OBJECT"}
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return self.write({**cast("JsonObject", found), **beside}, path, (*within, reference))

    def _same(self, wire: JsonObject, name: str, value: Any, path: str) -> None:
        if name != "enum" or not isinstance(value, list):
            wire[name] = value
            return
        value = cast("list[Any]", value)
        words = [item for item in value if isinstance(item, str)]
        if None in value:
            wire["nullable"] = True
        if words:
            wire["enum"] = words
        if len(words) + (None in value) < len(value):
            self._lost.append(path)

    def _type(self, wire: JsonObject, value: Any) -> None:
        kinds = cast("list[Any]", value) if isinstance(value, list) else [value]
        if not all(isinstance(kind, str) for kind in kinds):
            wire["type"] = value
            return
        named = [kind.upper() for kind in kinds if kind != "null"]
        if named and len(named) < len(kinds):
            wire["nullable"] = True
        if len(named) == 1:
            wire["type"] = named[0]
        elif named:
            wire["anyOf"] = [{"type": kind} for kind in named]
        else:
            wire["type"] = "NULL"

    def _union(self, wire: JsonObject, branches: list[Any], path: str, within: tuple[str, ...]) -> None:
        others = [branch for branch in branches if branch != {"type": "null"}]
        if len(others) < len(branches):
            wire["nullable"] = True
        written = [self._child(branch, f"{path}[{index}]", within) for index, branch in enumerate(others)]
        if len(written) == 1:
            wire.update(written[0])
        else:
            wire["anyOf"] = written
