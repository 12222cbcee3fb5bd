"""What Google's generateContent refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dragoman.testing.refusals.row import Found, Refusal, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]

_TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}\Z")
_SCHEMA_KINDS = {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}
_SCHEMA_UNKNOWN = (
    "$ref",
    "$defs",
    "$schema",
    "additionalProperties",
    "const",
    "oneOf",
    "allOf",
    "not",
    "patternProperties",
)


def _either(holder: JsonObject, camel: str, snake: str) -> Any:
    """A member under either of its names: the API reads JSON in both cases."""
    return holder.get(camel, holder.get(snake))


def _nothing_asked(body: JsonObject) -> Found | None:
    if not body.get("contents"):
        return "contents", "* GenerateContentRequest.contents: contents is not specified"
    return None


def _empty(body: JsonObject) -> Found | None:
    for index, content in enumerate(objects(body, "contents")):
        if not objects(content, "parts"):
            return f"contents[{index}].parts", (
                f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty."
            )
        if any(part == {} for part in objects(content, "parts")):
            return f"contents[{index}].parts", (
                f"* GenerateContentRequest.contents[{index}].parts[0].data: required oneof field 'data' must have one "
                "initialized field"
            )
    return None


def _named(content: JsonObject, camel: str, snake: str) -> list[str]:
    found = [_either(part, camel, snake) for part in objects(content, "parts")]
    return sorted(str(one.get("name")) for one in found if isinstance(one, dict))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _unpaired(body: JsonObject) -> Found | None:
    """The turn after function calls holds a response for each of them, by name; responses stand nowhere else."""
    expected: list[str] = []
    for index, content in enumerate(objects(body, "contents")):
        given = _named(content, "functionResponse", "function_response")
        if given != expected:
            return f"contents[{index}]", (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        expected = _named(content, "functionCall", "function_call")
        if expected and content.get("role") == "user":
            return f"contents[{index}]", "Function calls must come from the model's turn."
    if expected:
        return "contents", "Please ensure that function call turn is followed by a function response turn."
    return None


def _calls_first(body: JsonObject) -> Found | None:
    contents = objects(body, "contents")
    for index, content in enumerate(contents):
        if not _named(content, "functionCall", "function_call"):
            continue
        if index == 0 or contents[index - 1].get("role") == "model":
            return f"contents[{index}]", (
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
    return None


def _tools(body: JsonObject) -> Found | None:
    for place, tool in enumerate(objects(body, "tools")):
        declared = objects(tool, "functionDeclarations") or objects(tool, "function_declarations")
        for index, function in enumerate(declared):
            where = f"tools[{place}].function_declarations[{index}]"
            if not _TOOL_NAME.match(str(function.get("name") or "")):
                return f"{where}.name", f"* GenerateContentRequest.{where}.name: Invalid function name."
            schema: Any = function.get("parameters")
            if isinstance(schema, dict):
                found = _schema(schema, f"{where}.parameters")  # pyright: ignore[reportUnknownArgumentType]
                if found:
                    return found
    return None


def _answer_schema(body: JsonObject) -> Found | None:
    config: Any = _either(body, "generationConfig", "generation_config")
    schema: Any = _either(config, "responseSchema", "response_schema") if isinstance(config, dict) else None  # pyright: ignore[reportUnknownArgumentType]
    return _schema(schema, "generation_config.response_schema") if isinstance(schema, dict) else None  # pyright: ignore[reportUnknownArgumentType]


def _schema(schema: JsonObject, path: str) -> Found | None:
    """`parameters` and `responseSchema` are of the API's own schema language, which lacks much of JSON Schema."""
    for name in _SCHEMA_UNKNOWN:
        if name in schema:
            return path, f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
    kind: Any = schema.get("type")
    if isinstance(kind, str) and kind.upper() not in _SCHEMA_KINDS:
        return path, f"Invalid value at '{path}.type', {kind!r}"
    properties: dict[str, Any] = schema.get("properties") or {}
    if str(kind).upper() == "OBJECT" and "properties" in schema and not properties:
        return path, f"* GenerateContentRequest.{path}.properties: should be non-empty for OBJECT type"
    below: list[tuple[str, Any]] = [(name, each) for name, each in properties.items() if isinstance(each, dict)]
    below += [("items", schema["items"])] if isinstance(schema.get("items"), dict) else []
    for name, each in below:
        found = _schema(each, f"{path}.{name}")
        if found:
            return found
    return None


ROWS = (
    Refusal("something is asked", _nothing_asked),
    Refusal("contents and parts are not empty", _empty),
    Refusal("calls and responses are paired", _unpaired),
    Refusal("calls come after a user's turn", _calls_first),
    Refusal("functions have names and schemas of the API's own language", _tools),
    Refusal("the answer's schema is of the API's own language", _answer_schema),
)
