"""The wire's own schema form and JSON Schema say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.dialects.gemini.schemas import from_json_schema, to_json_schema
from dragoman.values import Opaque
from tests.dialects.gemini.wire import asked, survives

PAIRS: list[tuple[Any, Any]] = [
    ({"type": "STRING"}, {"type": "string"}),
    (
        {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
        {"type": "object", "properties": {"a": {"type": "integer"}}},
    ),
    (
        {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "2"},
        {"type": "array", "items": {"type": "number"}, "minItems": 2},
    ),
    ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "STRING", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
    ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    (
        {"anyOf": [{"type": "STRING"}], "nullable": True},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
    ),
    ({"type": "STRING", "example": "x"}, {"type": "string", "examples": ["x"]}),
    ({"type": "NULL"}, {"type": "null"}),
]


@pytest.mark.parametrize(("wire", "schema"), PAIRS)
def test_reading(wire: Any, schema: Any) -> None:
    assert to_json_schema(wire, "") == schema


@pytest.mark.parametrize(("wire", "schema"), [pair for pair in PAIRS if len(pair[0].get("anyOf", [1, 2])) > 1])
def test_writing(wire: Any, schema: Any) -> None:
    lost: list[str] = []
    assert from_json_schema(schema, lost) == wire
    assert lost == []


def test_numbers_stand_for_types_and_snake_case_is_read() -> None:
    wire = {
        "type": 6,
        "properties": {"a": {"type": 5, "items": {"type": 1}, "max_items": 3}},
        "property_ordering": ["a"],
    }
    assert to_json_schema(wire, "") == {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}, "maxItems": 3}},
    }


def test_vertex_references() -> None:
    wire = {"type": "OBJECT", "properties": {"pet": {"ref": "#/defs/Pet"}}, "defs": {"Pet": {"type": "STRING"}}}
    schema = to_json_schema(wire, "")
    assert schema["properties"]["pet"] == {"$ref": "#/$defs/Pet"}
    assert schema["$defs"] == {"Pet": {"type": "string"}}
    assert from_json_schema(schema, []) == {"type": "OBJECT", "properties": {"pet": {"type": "STRING"}}}


def test_what_has_no_word_is_named() -> None:
    lost: list[str] = []
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["string", "integer"]}, "b": {"enum": [1, "x"]}, "c": {"const": "k"}},
        "additionalProperties": False,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }
    assert from_json_schema(schema, lost) == {
        "type": "OBJECT",
        "properties": {
            "a": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
            "b": {"enum": ["x"]},
            "c": {"enum": ["k"]},
        },
    }
    assert lost == [".properties.b.enum", ".additionalProperties"]


def test_a_schema_that_holds_itself_ends() -> None:
    lost: list[str] = []
    schema = {"$ref": "#/$defs/N", "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}}
    assert from_json_schema(schema, lost) == {"type": "OBJECT", "properties": {"next": {"type": "OBJECT"}}}
    assert lost == [".properties.next.$ref"]


_WIRE = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["STRING", "INTEGER", "BOOLEAN", 1, 3])},
        optional={
            "nullable": st.booleans(),
            "description": st.text(max_size=3),
            "minLength": st.sampled_from(["1", 1]),
        },
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(["ARRAY", "array"]), "items": inner}),
        st.fixed_dictionaries(
            {"type": st.just("OBJECT"), "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)}
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=3)}),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(_WIRE, _WIRE)
def test_a_tool_s_schema_survives_in_either_form(parameters: Any, output: Any) -> None:
    survives(
        {
            "contents": [],
            "tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseSchema": output},
        }
    )


@pytest.mark.parametrize(
    "tools",
    [
        [{"googleSearch": {}}, {"codeExecution": {}}],
        [{"google_search": {}, "url_context": {}}],
        [{"functionDeclarations": [{"name": "f"}], "googleSearch": {"timeRangeFilter": None}}],
        [{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}],
        [{"functionDeclarations": []}],
        [{"functionDeclarations": None, "googleSearch": {}}],
        [{"functionDeclarations": {"name": "f"}}],
        [{"function_declarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}],
        [{}],
        [],
        [{"functionDeclarations": [{"name": "f", "response": {"type": "STRING"}, "behavior": "BLOCKING"}]}],
        [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}, "parametersJsonSchema": {}}]}],
        [{"functionDeclarations": [{"name": "f", "description": None, "parameters": None}]}],
    ],
)
def test_tools_in_every_grouping_survive(tools: Any) -> None:
    survives({"contents": [], "tools": tools})


def test_tools_are_told_apart() -> None:
    request = asked({"contents": [], "tools": [{"functionDeclarations": [{"name": "f"}], "google_search": {"a": 1}}]})
    function, search = request.tools
    assert not isinstance(function, Opaque)
    assert isinstance(search, Opaque)
    assert (search.kind, search.data) == ("googleSearch", {"a": 1})


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "AUTO"},
        {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        {"mode": 2, "allowedFunctionNames": []},
        {"mode": "MODE_UNSPECIFIED"},
        {"allowed_function_names": ["f"], "mode": "ANY"},
        {"mode": None},
        {},
        {"mode": "AUTO", "streamFunctionCallArguments": True},
    ],
)
def test_choices_survive(config: Any) -> None:
    survives({"contents": [], "toolConfig": {"functionCallingConfig": config}})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"responseMimeType": "text/plain"},
        {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}},
        {"responseSchema": {"type": "OBJECT"}},
        {"responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "object"}}}},
        {"responseFormat": {"audio": {"mimeType": "AUDIO_MP3"}}},
        {"responseModalities": [1, 3]},
        {"responseModalities": ["Text"]},
        {"responseModalities": []},
        {"stopSequences": []},
        {"thinkingConfig": {"thinkingLevel": "high"}},
        {"thinkingConfig": {"thinkingLevel": "XHIGH"}},
        {"thinkingConfig": {"thinkingLevel": "ULTRA"}},
        {"thinkingConfig": {"include_thoughts": None, "other": 1}},
        {"maxOutputTokens": 5.0, "temperature": None},
    ],
)
def test_settings_survive(config: Any) -> None:
    survives({"contents": [], "generationConfig": config})


def test_schemas_reach_other_wires_as_json_schema() -> None:
    request = asked(
        {
            "contents": [],
            "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}],
            "generationConfig": {
                "responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "object"}}}
            },
        }
    )
    (tool,) = request.tools
    assert not isinstance(tool, Opaque)
    assert tool.input_schema == {"type": "object", "properties": {}}
    assert request.output is not None
    assert (request.output.type, request.output.schema) == ("json_schema", {"type": "object"})
