"""Output: `outputConfig.textFormat` ↔ `OutputFormat`. The schema travels as a JSON text, kept as it was.

The wire has JSON by schema alone. "json_object", and a schema towards a host without schema output, are asked for in
words at the end of the system text, and recorded as emulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.forms import NAME, Writing, nested, note, write_nested
from dragoman.dialects.reading import object_of, text
from dragoman.values import OutputFormat

if TYPE_CHECKING:
    from dragoman.values import Extras, JsonObject

__all__ = ["decode_output", "encode_output", "instruction"]

_PATH = "outputConfig.textFormat"


def decode_output(body: JsonObject) -> tuple[OutputFormat | None, str | None, JsonObject]:
    """The format, the effort, and what of `outputConfig` the request's extras have to keep."""
    config = body.get("outputConfig")
    if config is None:
        return None, None, {}
    config = object_of(config, "outputConfig")
    wire = config.get("textFormat")
    output = None if wire is None else _decode_format(object_of(wire, _PATH))
    known = ("effort",) if wire is not None and output is None else ("effort", "textFormat")
    return output, text(config, "effort", "outputConfig") or None, nested("outputConfig", config, known)


def _decode_format(wire: JsonObject) -> OutputFormat | None:
    """The format; None for one that is no JSON schema, which stays an extra."""
    structure: Any = wire.get("structure")
    inner: Any = cast("JsonObject", structure).get("jsonSchema") if isinstance(structure, dict) else None
    if not isinstance(inner, dict):
        return None
    definition = cast("JsonObject", inner)
    path = f"{_PATH}.structure.jsonSchema"
    schema = _parsed(text(definition, "schema", path))
    if schema is None:
        return None
    output = OutputFormat(
        type="json_schema",
        schema=schema,
        name=text(definition, "name", path),
        description=text(definition, "description", path),
    )
    if _format(output) != wire:
        output = msgspec.structs.replace(output, extras={NAME: {":textFormat": wire}})
    return output


def _parsed(schema: str | None) -> JsonObject | None:
    try:
        value: Any = msgspec.json.decode(schema or "")
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


def _format(output: OutputFormat) -> JsonObject:
    definition: JsonObject = {"schema": msgspec.json.encode(output.schema or {}).decode()}
    for name in ("name", "description"):
        if getattr(output, name) is not None:
            definition[name] = getattr(output, name)
    return {"type": "json_schema", "structure": {"jsonSchema": definition}}


def encode_output(output: OutputFormat | None, effort: str | None, extras: Extras, writing: Writing) -> JsonObject:
    """`outputConfig`; empty where there is none."""
    config: JsonObject = {}
    if effort is not None:
        config["effort"] = effort
    if output is not None and output.type == "json_schema" and _has_schemas(writing):
        if output.extras:
            writing.log.foreign_extras(output.extras, NAME, "output")
        config["textFormat"] = _encode_format(output, writing)
    return write_nested(config, extras, "outputConfig")


def _has_schemas(writing: Writing) -> bool:
    """Whether the model follows schemas, or its own client says so by sending one."""
    return writing.target.quirks.bedrock.schema_output or not writing.mend


def _encode_format(output: OutputFormat, writing: Writing) -> JsonObject:
    original = note(output.extras, ":textFormat")
    if original is not None:
        before = _decode_format(original)
        if before is not None and _format(before) == _format(output):
            return original
    if not writing.mend:
        return _format(output)
    if output.strict is False:
        writing.log.substituted("output.strict", "this wire always follows the schema exactly", False, True)
    closed: JsonObject = _closed(output.schema or {})
    if closed != output.schema:
        reason = "this wire takes closed objects alone (additionalProperties false)"
        writing.log.substituted("output.schema", reason)
    return _format(msgspec.structs.replace(output, schema=closed))


_MAPS = frozenset({"properties", "$defs", "definitions"})
_SCHEMAS = frozenset({"items", "prefixItems", "anyOf", "oneOf", "allOf"})


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    closed: JsonObject = dict(cast("JsonObject", schema))
    for name, value in closed.items():
        if name in _MAPS and isinstance(value, dict):
            closed[name] = {key: _closed(inner) for key, inner in cast("JsonObject", value).items()}
        elif name in _SCHEMAS:
            closed[name] = _closed(value)
    if closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def instruction(output: OutputFormat | None, writing: Writing) -> str | None:
    """The words that ask for what the wire cannot say; None where it can."""
    if output is None or output.type == "text":
        return None
    if output.type == "json_schema":
        if _has_schemas(writing):
            return None
        schema = msgspec.json.encode(output.schema or {}).decode()
        writing.log.emulated("output", "this host has no schema output; the schema is asked for in words")
        return f"Answer with one JSON value that matches this JSON Schema, and with nothing else: {schema}"
    writing.log.emulated("output", "this wire has no JSON mode without a schema; it is asked for in words")
    return "Answer with one JSON object and with nothing else: no prose before or after it, no code fence."
