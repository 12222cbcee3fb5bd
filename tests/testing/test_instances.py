"""Instances of schemas: what the small model says is valid by an independent judge."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from dragoman.testing.instances import instance_of

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}, "b": {"type": ["null", "string"]}}},
    {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 3},
    {
        "$defs": {"n": {"type": "number", "exclusiveMinimum": 1}},
        "type": "object",
        "properties": {"n": {"$ref": "#/$defs/n"}},
    },
    {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
    {"oneOf": [{"const": 3}, {"type": "string"}]},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "integer", "multipleOf": 4, "minimum": 3}}, "required": ["b"]},
        ]
    },
    {"type": "string", "format": "date", "minLength": 10},
    {"type": "string", "minLength": 6, "maxLength": 6},
    {"type": "string", "maxLength": 2},
    {"type": "integer", "maximum": -3},
    {"type": "object", "properties": {"none": {"type": "null"}, "kept": {"default": [1]}}},
    {
        "$defs": {
            "tree": {"type": "object", "properties": {"left": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/tree"}]}}}
        },
        "$ref": "#/$defs/tree",
    },
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_instance_is_valid_and_always_the_same(schema: dict[str, Any]) -> None:
    made = instance_of(schema)
    jsonschema.validate(made, schema)  # pyright: ignore[reportUnknownMemberType]
    assert instance_of(schema) == made


def test_a_schema_that_holds_itself_ends() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"below": {"$ref": "#"}}}
    assert list(instance_of(schema)) == ["below"]
