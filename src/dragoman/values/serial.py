"""The one JSON form of values, versioned: `{"v": 1, "type": "request", "value": {…}}`.

The schema is published as `docs/schema/values-v1.json`. A member that a version does not know is an error, never lost.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast, overload

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.values.adaptations import Adaptation
from dragoman.values.attempts import Attempt
from dragoman.values.embeddings import EmbeddingRequest, EmbeddingResponse
from dragoman.values.events import Event
from dragoman.values.messages import Message
from dragoman.values.parts import Opaque
from dragoman.values.request import Request
from dragoman.values.response import Response
from dragoman.values.tools import Tool, ToolDefinition
from dragoman.values.usage import Usage

__all__ = ["VERSION", "from_json", "json_schema", "to_json"]

VERSION = 1

_TYPES: dict[str, Any] = {
    "message": Message,
    "messages": tuple[Message, ...],
    "tools": tuple[Tool, ...],
    "request": Request,
    "response": Response,
    "event": Event,
    "usage": Usage,
    "adaptation": Adaptation,
    "attempt": Attempt,
    "embedding_request": EmbeddingRequest,
    "embedding_response": EmbeddingResponse,
}

_T = TypeVar("_T")


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    type: str
    value: msgspec.Raw


def to_json(value: Any) -> bytes:
    """A value (or a list of messages, or of tools) in the versioned form."""
    return msgspec.json.encode({"v": VERSION, "type": _name_of(value), "value": value})


def _name_of(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        items = cast("tuple[object, ...]", value)
        if all(isinstance(item, Message) for item in items):
            return "messages"
        if all(isinstance(item, (ToolDefinition, Opaque)) for item in items):
            return "tools"
    else:
        for name, kind in _TYPES.items():
            if isinstance(kind, type) and isinstance(value, kind):
                return name
        if isinstance(value, Event):
            return "event"
    raise InvalidRequest(
        f"there is no JSON form for {type(cast('object', value)).__name__}; known are: {', '.join(sorted(_TYPES))}"
    )


@overload
def from_json(data: bytes | str, kind: type[_T]) -> _T: ...
@overload
def from_json(data: bytes | str, kind: None = None) -> Any: ...
def from_json(data: bytes | str, kind: Any = None) -> Any:
    """The value that `to_json` wrote; with `kind`, checked to be of that type. Else raises `InvalidRequest`."""
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        if envelope.v != VERSION:
            raise InvalidRequest(f"this is version {envelope.v!r} of the JSON form; this release reads {VERSION}")
        if envelope.type not in _TYPES:
            raise InvalidRequest(f"unknown type {envelope.type!r}; known are: {', '.join(sorted(_TYPES))}")
        value = msgspec.json.decode(envelope.value, type=_TYPES[envelope.type])
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"this is not a value in our JSON form: {error}") from None
    if kind is not None and not isinstance(value, kind):
        raise InvalidRequest(f"expected a {kind.__name__}, found {envelope.type!r}")
    return value


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the versioned form."""
    from inspect import cleandoc  # here: who imports dragoman does not wait for it

    kinds = [_TYPES[name] for name in _TYPES]
    schemas, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = cleandoc(definition["description"])  # as Python has it itself from 3.13 on
    branches: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {"v": {"const": VERSION}, "type": {"const": name}, "value": schema},
            "required": ["v", "type", "value"],
            "additionalProperties": False,
        }
        for name, schema in zip(_TYPES, schemas, strict=True)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Dragoman values, version 1",
        "oneOf": branches,
        "$defs": definitions,
    }
