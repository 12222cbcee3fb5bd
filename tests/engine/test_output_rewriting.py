"""Schemas as each target takes them: what is said otherwise, what is lost, and that answers still fit the original."""

from __future__ import annotations

from typing import Any, cast

import jsonschema
import pytest

from dragoman.engine.output.rewriting import has_maps, is_object, rewrite, wrap
from dragoman.engine.output.rules import AS_IS, rules_for

NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}},
    "required": ["name"],
}
FULL: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "pattern": "^[A-Z]", "default": "A"},
        "when": {"type": "string", "format": "date-time"},
        "at": {"type": "string", "format": "json-pointer"},
        "kind": {"const": "city"},
        "either": {"oneOf": [{"type": "integer"}, {"$ref": "#/$defs/Place", "description": "where"}]},
        "size": {"type": "integer", "minimum": 1, "multipleOf": 2},
        "both": {"allOf": [{"$ref": "#/$defs/Place"}, {"properties": {"more": {"type": "boolean"}}}]},
        "some": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 5, "uniqueItems": True},
    },
    "required": ["name", "kind"],
    "$defs": {"Place": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
}
ANSWER: dict[str, Any] = {
    "name": "Aa",
    "when": "2026-01-01T00:00:00Z",
    "at": "/a",
    "kind": "city",
    "either": {"x": 1.5},
    "size": 4,
    "both": {"x": 1, "more": True},
    "some": ["a", "b"],
}
STRICT = ["openai-chat", "openai-responses", "anthropic", "bedrock", "gemini", "cohere"]


def _valid(value: Any, schema: dict[str, Any]) -> bool:
    validator: Any = jsonschema.Draft202012Validator(schema)
    return validator.is_valid(value)


def _each(schema: Any) -> list[dict[str, Any]]:
    """Every object in a schema that is a schema, or holds some."""
    if isinstance(schema, list):
        return [found for item in cast("list[Any]", schema) for found in _each(item)]
    if not isinstance(schema, dict):
        return []
    members = cast("dict[str, Any]", schema)
    return [members, *(found for value in members.values() for found in _each(value))]


@pytest.mark.parametrize("dialect", STRICT)
def test_a_rewritten_schema_is_a_schema_that_keeps_the_rules(dialect: str) -> None:
    rules = rules_for(dialect, strict=True)
    written = rewrite(FULL, rules)
    jsonschema.Draft202012Validator.check_schema(written.schema)
    assert _valid(ANSWER, written.schema)
    for found in _each({name: value for name, value in written.schema.items() if name != "properties"}):
        assert not set(found) & {"oneOf", "allOf"} or rules.one_of
    for found in _each(written.schema["properties"]):
        assert not set(found) & rules.refused
        if rules.closed and found.get("type") == "object":
            assert found["additionalProperties"] is False
        if rules.all_required and "properties" in found:
            assert found["required"] == list(found["properties"])
        if "$ref" in found:
            assert set(found) == {"$ref"}
    assert rewrite(written.schema, rules).schema == written.schema


@pytest.mark.parametrize("dialect", STRICT)
def test_what_is_not_enforced_is_named_and_told_to_the_model(dialect: str) -> None:
    written = rewrite(FULL, rules_for(dialect, strict=True))
    assert ".properties.name.minLength" in written.lost
    assert ".properties.at.format" in written.lost
    assert "minLength: 2" in str(written.schema["properties"]["name"])
    assert not any("$schema" in where or "default" in where for where in written.lost)


def test_what_has_no_rules_is_left_alone() -> None:
    assert rewrite(FULL, AS_IS).schema == FULL
    assert rewrite(FULL, rules_for("ollama", strict=False)).schema == FULL
    assert not rewrite(FULL, AS_IS).lost


def test_optional_properties_of_strict_schemas_may_be_null() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "c": {"enum": [1, 2]},
            "d": {"$ref": "#/$defs/D"},
        },
        "$defs": {"D": {"type": "object", "properties": {}}},
    }
    properties = rewrite(schema, rules_for("openai-chat", strict=True)).schema["properties"]
    assert properties["a"] == {"type": ["string", "null"]}
    assert properties["b"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert properties["c"] == {"anyOf": [{"enum": [1, 2], "type": "integer"}, {"type": "null"}]}
    assert properties["d"] == {"anyOf": [{"$ref": "#/$defs/D"}, {"type": "null"}]}


def test_a_schema_that_leads_back_to_itself_stays_or_ends() -> None:
    schema = {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}
    assert is_object(schema)
    openai = rewrite(schema, rules_for("openai-chat", strict=True))
    assert openai.schema["type"] == "object"
    assert openai.schema["$defs"]["Node"]["required"] == ["name", "next"]
    assert not openai.lost
    anthropic = rewrite(schema, rules_for("anthropic", strict=True))
    assert "$ref" not in str(anthropic.schema)
    assert anthropic.lost


def test_maps_are_seen_wherever_they_stand() -> None:
    assert has_maps({"type": "object", "additionalProperties": {"type": "integer"}})
    assert has_maps({"type": "array", "items": {"type": "object"}})
    assert has_maps({"$defs": {"A": {"anyOf": [{"type": "object"}]}}})
    assert not has_maps({"type": "object", "properties": {"additionalProperties": {"type": "string"}}})
    assert not has_maps({"type": "object", "properties": {}, "additionalProperties": False})


def test_references_still_lead_somewhere_in_a_wrapped_schema() -> None:
    schema = {"type": "array", "items": {"$ref": "#/$defs/Node"}, "$defs": {"Node": NODE}}
    assert not is_object(schema)
    assert _valid({"value": [{"name": "a", "next": {"name": "b"}}]}, wrap(schema))
    assert is_object(wrap(schema))


_NO_SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": True, "b": 1, "c": []}, "required": [{}, [], "a"]},
    {"type": "object", "properties": {"a": {"format": {}}, "b": {"format": []}}, "required": 7},
    {"enum": 7},
    {"anyOf": 7, "oneOf": [{"type": "string"}]},
    {"type": ["string", {}], "anyOf": None},
    {"allOf": [{"properties": 7, "required": {}}, {"properties": {"a": {}}, "required": [{}]}], "properties": {}},
]


@pytest.mark.parametrize("schema", _NO_SCHEMAS)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "gemini", "bedrock", "cohere"])
def test_what_is_no_schema_is_passed_on_for_the_host_to_refuse(
    schema: dict[str, Any], dialect: str, strict: bool
) -> None:
    written = rewrite(schema, rules_for(dialect, strict=strict)).schema
    assert set(schema) - {"oneOf", "allOf"} <= {*written, "enum"}
