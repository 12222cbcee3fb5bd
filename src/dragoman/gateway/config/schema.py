"""The published JSON Schema of a configuration, made from the structs by which it is read."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final, cast

import msgspec

from dragoman.catalogue.rows import BUILT_IN
from dragoman.gateway.config.reading import OPEN_BLOCKS
from dragoman.gateway.config.structs import ConfigBlock, ProviderBlock

__all__ = ["json_schema"]

_OPTION_SHAPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string", "minLength": 1},
    "object": {"type": "object"},
    "list": {"type": "array"},
    "document": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]},
}
_BLOCK: Final = "ProviderBlock"


def json_schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) for the file as it is written, references such as `${NAME}` still in place.

    It knows the options of every provider of the catalogue; what stands between blocks (names that have to exist,
    circles, weak keys) only the reader knows.
    """
    schema = msgspec.json.schema(ConfigBlock, schema_hook=lambda _type: {"type": "string", "minLength": 1})
    definitions = cast("dict[str, dict[str, Any]]", schema["$defs"])
    block = definitions[_BLOCK]
    block["properties"].pop(OPEN_BLOCKS[ProviderBlock])
    named: dict[str, Any] = {}
    anyones: dict[str, list[str]] = {}
    for name, row in sorted(BUILT_IN.items()):
        own = {option: row.options[option].shape for option in sorted(row.options)}
        for option, shape in own.items():
            shapes = anyones.setdefault(option, [])
            if shape not in shapes:
                shapes.append(shape)
        # Most have no options of their own, and share one definition.
        definition = f"{_BLOCK}.{name}" if own else f"{_BLOCK}.plain"
        definitions[definition] = _with_options(block, {option: _OPTION_SHAPES[own[option]] for option in own})
        named[name] = {"$ref": f"#/$defs/{definition}"}
    # Under a name of one's own it may be like any of them.
    definitions[_BLOCK] = _with_options(block, {option: _any_of(anyones[option]) for option in sorted(anyones)})
    providers = definitions["ConfigBlock"]["properties"]["providers"]
    providers["properties"] = named
    _tidy(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Dragoman gateway",
        "$ref": schema["$ref"],
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _with_options(block: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    return {**block, "properties": {**block["properties"], **options}}


def _any_of(shapes: list[str]) -> dict[str, Any]:
    return _OPTION_SHAPES[shapes[0]] if len(shapes) == 1 else {"anyOf": [_OPTION_SHAPES[shape] for shape in shapes]}


def _tidy(node: Any) -> None:
    """Takes out titles, the names of our classes, and the indentation of docstrings, as Python itself from 3.13 on."""
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        if isinstance(members.get("title"), str):
            del members["title"]
        if isinstance(members.get("description"), str):
            members["description"] = cleandoc(members["description"])
        for value in members.values():
            _tidy(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            _tidy(item)
