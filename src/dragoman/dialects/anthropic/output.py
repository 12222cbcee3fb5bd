"""Output: `output_config.format` (or `output_format`, as its beta called it) ↔ `OutputFormat`.

The wire has JSON by schema alone. "json_object", and a schema towards a host without schema output, are asked for in
words at the end of the system text, and recorded as emulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.anthropic.forms import NAME, Writing, note, own_members
from dragoman.dialects.reading import object_of, text
from dragoman.values import OutputFormat

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_output", "encode_output", "instruction"]

_FORMAT = frozenset({"type", "schema"})
_CONFIG = frozenset({"effort", "format"})


def decode_output(body: JsonObject) -> tuple[OutputFormat | None, str | None, dict[str, Any]]:
    """The format, the effort, and what of both members the request's extras have to keep."""
    kept: dict[str, Any] = {}
    output = None
    if body.get("output_format") is not None:
        output = _decode_format(object_of(body["output_format"], "output_format"), "output_format")
        if output is None:
            kept["output_format"] = body["output_format"]
    config: Any = body.get("output_config")
    if config is None:
        return output, None, kept
    config = object_of(config, "output_config")
    effort = text(config, "effort", "output_config")
    rest = {name: value for name, value in config.items() if name not in _CONFIG}
    wire = config.get("format")
    if wire is not None:
        inner = _decode_format(object_of(wire, "output_config.format"), "output_config")
        if inner is None:
            rest["format"] = wire
        else:
            if output is not None:
                kept["output_format"] = body["output_format"]
            output = inner
    if rest:
        kept["output_config"] = rest
    if _config(inner_format(output), effort, rest) != config:
        kept[":output_config"] = config
    return output, effort, kept


def _decode_format(wire: JsonObject, member: str) -> OutputFormat | None:
    schema = wire.get("schema")
    if wire.get("type") != "json_schema" or not isinstance(schema, dict):
        return None
    members: dict[str, Any] = {name: value for name, value in wire.items() if name not in _FORMAT}
    members[":member"] = member
    return OutputFormat(type="json_schema", schema=cast("JsonObject", schema), extras={NAME: members})


def inner_format(output: OutputFormat | None) -> JsonObject | None:
    """The format as it stands in `output_config`, if it stands there."""
    if output is None or output.type != "json_schema" or note(output.extras, ":member") == "output_format":
        return None
    return _format(output)


def _format(output: OutputFormat) -> JsonObject:
    return {"type": "json_schema", "schema": output.schema or {}, **own_members(output.extras)}


def _config(wire: JsonObject | None, effort: str | None, rest: JsonObject) -> JsonObject:
    config: JsonObject = dict(rest)
    if effort is not None:
        config["effort"] = effort
    if wire is not None:
        config["format"] = wire
    return config


def encode_output(body: JsonObject, output: OutputFormat | None, effort: str | None, extras: Any, w: Writing) -> None:
    """Writes `output_config` and `output_format` into `body`."""
    wire: JsonObject | None = None
    if output is not None and output.type == "json_schema" and w.target.quirks.anthropic.schema_output:
        w.log.foreign_extras(output.extras, NAME, "output")
        wire = _format(_fitted(output, w))
        if note(output.extras, ":member") == "output_format":
            body["output_format"] = wire
            wire = None
    rest: JsonObject = note(extras, "output_config") or {}
    config = _config(wire, effort, rest)
    original = note(extras, ":output_config")
    if original is not None:
        before, before_effort, _ = decode_output({"output_config": original})
        if (inner_format(before), before_effort) == (wire, effort):
            body["output_config"] = original
            return
    if config:
        body["output_config"] = config


def _fitted(output: OutputFormat, writing: Writing) -> OutputFormat:
    """What came from elsewhere, as the wire takes it: no labels, closed objects."""
    if NAME in output.extras:
        return output
    for member in ("name", "description"):
        if getattr(output, member) is not None:
            writing.log.dropped(f"output.{member}", "schemas have no labels on this wire", getattr(output, member))
    if output.strict is False:
        writing.log.substituted("output.strict", "this wire always follows the schema exactly", False, True)
    schema = output.schema or {}
    closed = _closed(schema)
    if closed != schema:
        reason = "this wire takes closed objects alone (additionalProperties false)"
        writing.log.substituted("output.schema", reason)
    return OutputFormat(type="json_schema", schema=closed)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast("JsonObject", schema)
    closed = {
        name: {key: _closed(inner) for key, inner in cast("JsonObject", value).items()}
        if name in _MAPS and isinstance(value, dict)
        else _closed(value)
        if name in _SCHEMAS
        else value
        for name, value in members.items()
    }
    if members.get("type") == "object" and members.get("additionalProperties") is not False:
        closed["additionalProperties"] = False
    return closed


_MAPS = frozenset({"properties", "$defs", "definitions"})
_SCHEMAS = frozenset({"items", "prefixItems", "anyOf", "oneOf", "allOf"})


def instruction(output: OutputFormat | None, writing: Writing) -> str | None:
    """The words that ask for what the wire cannot say; None where it can."""
    if output is None or output.type == "text":
        return None
    if output.type == "json_schema":
        if writing.target.quirks.anthropic.schema_output:
            return None
        schema = msgspec.json.encode(output.schema or {}).decode()
        writing.log.emulated("output", "this host has no schema output; the schema is asked for in words")
        return f"Answer with one JSON value that matches this JSON Schema, and with nothing else: {schema}"
    writing.log.emulated("output", "this wire has no JSON mode without a schema; it is asked for in words")
    return "Answer with one JSON object and with nothing else: no prose before or after it, no code fence."
