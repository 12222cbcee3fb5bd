"""A value that fits a JSON Schema: what a model that obeys says when it has nothing of its own to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["instance_of"]

_FORMATS = {
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "date-time": "2026-01-02T03:04:05Z",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}
DEEPEST = 12  # a schema that holds itself ends here


def instance_of(schema: JsonObject) -> Any:
    """The same value for the same schema: all properties, the least items, the first alternative.

    Patterns and conditions between members are not looked at.
    """
    return _instance(schema, schema, 0)


def _instance(schema: Any, root: JsonObject, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return "text" if schema is True else None
    members = _resolved(cast("JsonObject", schema), root)
    for word in ("const", "default"):
        if word in members:
            return members[word]
    if members.get("enum"):
        return members["enum"][0]
    for word in ("anyOf", "oneOf"):
        if members.get(word):
            return _instance({**members, **members[word][0], word: None}, root, depth + 1)
    if members.get("allOf"):
        merged = {**members, "allOf": None}
        for branch in members["allOf"]:
            merged = _merged(merged, _resolved(branch, root))
        return _instance(merged, root, depth + 1)
    return _by_type(members, root, depth)


def _resolved(schema: JsonObject, root: JsonObject) -> JsonObject:
    reference = schema.get("$ref")
    seen = 0
    while isinstance(reference, str) and reference.startswith("#") and seen < DEEPEST:
        found: Any = root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = cast("JsonObject", found).get(step.replace("~1", "/").replace("~0", "~"), {}) if step else found
        schema = {**schema, "$ref": None, **found}
        reference = schema.get("$ref")
        seen += 1
    return schema


def _merged(first: JsonObject, second: JsonObject) -> JsonObject:
    merged = {**first, **second}
    for word in ("properties",):
        if first.get(word) and second.get(word):
            merged[word] = {**first[word], **second[word]}
    return merged


def _by_type(schema: JsonObject, root: JsonObject, depth: int) -> Any:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in cast("list[str]", kind) if one != "null"), "null")
    kind = str(kind).lower() if kind else ("object" if "properties" in schema else "string")
    if kind == "object":
        properties: JsonObject = schema.get("properties") or {}
        return {name: _instance(each, root, depth + 1) for name, each in properties.items()}
    if kind == "array":
        count = max(1, schema.get("minItems") or 0)
        return [_instance(schema.get("items", True), root, depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema)


def _number(schema: JsonObject, *, whole: bool) -> float | int:
    value: float = 1
    if schema.get("minimum") is not None:
        value = max(value, schema["minimum"])
    if schema.get("exclusiveMinimum") is not None:
        value = max(value, schema["exclusiveMinimum"] + 1)
    if schema.get("maximum") is not None:
        value = min(value, schema["maximum"])
    step: Any = schema.get("multipleOf")
    if step:
        value = step * max(1, -(-value // step))
    return int(value) if whole else value


def _text(schema: JsonObject) -> str:
    value = _FORMATS.get(str(schema.get("format")), "text")
    value = value.ljust(schema.get("minLength") or 0, "x")
    most: int | None = schema.get("maxLength")
    return value if most is None else value[:most]
