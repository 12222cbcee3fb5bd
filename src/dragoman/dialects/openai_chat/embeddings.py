"""Embeddings, both ways."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.openai_chat.errors import error_in_body
from dragoman.dialects.openai_chat.notes import (
    ABSENT,
    EXACT,
    NAME,
    VOID,
    extras_of,
    non_empty,
    own,
    rest,
    write_members,
)
from dragoman.dialects.openai_chat.request import without_refused
from dragoman.dialects.openai_chat.usage import decode_usage, encode_usage
from dragoman.dialects.reading import integer, object_of, objects_in, reading_request, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, EmbeddingRequest, EmbeddingResponse, Usage, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = [
    "decode_embedding_request",
    "decode_embedding_response",
    "encode_embedding_request",
    "encode_embedding_response",
]

_PATH: Final = "/embeddings"


# -- requests ----------------------------------------------------------------------------------------------------------


def decode_embedding_request(body: Any, target: Target, path: str = "") -> EmbeddingRequest:
    """A client's request. Inputs given as token numbers stay a member: they are no texts."""
    with reading_request():
        wire = object_of(body, "body")
        quirks = target.quirks.chat
        known = {"model", "input", "user", quirks.embedding_dimensions_member, quirks.embedding_task_member}
        void: JsonObject = {}
        members = rest(wire, known - {None}, void)  # pyright: ignore[reportArgumentType]
        inputs = _read_inputs(wire, members)
        task = quirks.embedding_task_member
        dimensions = integer(wire, quirks.embedding_dimensions_member)
        given = wire.get(quirks.embedding_dimensions_member)
        if isinstance(given, float):
            members[EXACT] = {quirks.embedding_dimensions_member: given}
        void.update((name, None) for name in known if name in wire and wire[name] is None)
        if void:
            members[VOID] = void
        return EmbeddingRequest(
            model=required_text(wire, "model"),
            inputs=inputs,
            dimensions=dimensions,
            task=text(wire, task) if task is not None else None,
            user=text(wire, "user"),
            extras=extras_of(members),
        )


def _read_inputs(wire: JsonObject, members: JsonObject) -> tuple[str, ...]:
    given = wire.get("input")
    if isinstance(given, str):
        members[":input"] = "text"
        return (given,)
    if not isinstance(given, list):
        raise ProtocolViolation(f"input should be a text or a list, and is {given!r:.80}", path="input")
    items = cast("list[Any]", given)
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) == len(items):
        return tuple(texts)
    if texts or not all(isinstance(item, (int, list)) for item in items):
        raise ProtocolViolation("input should be texts, or token numbers, not both", path="input")
    members["input"] = items
    return ()


def encode_embedding_request(request: EmbeddingRequest, target: Target) -> EncodedRequest:
    """The request as the target takes it."""
    log = AdaptationLog()
    quirks = target.quirks.chat
    members = own(request.extras)
    if request.extras:
        log.foreign_extras(request.extras, NAME, "")
    body: JsonObject = {"model": request.model}
    if request.inputs or "input" not in members:
        alone = len(request.inputs) == 1 and members.get(":input") == "text"
        body["input"] = request.inputs[0] if alone else list(request.inputs)
    if request.dimensions is not None:
        body[quirks.embedding_dimensions_member] = request.dimensions
    if request.user is not None:
        body["user"] = request.user
    if request.task is not None:
        if quirks.embedding_task_member is not None:
            body[quirks.embedding_task_member] = request.task
        else:
            log.dropped("task", "the host does not ask what vectors are for", request.task)
    if members:
        write_members(body, members)
    without_refused(body, target, log)
    return EncodedRequest(_PATH, body, adaptations=log.entries())


# -- answers -----------------------------------------------------------------------------------------------------------


def decode_embedding_response(body: Any, target: Target) -> EmbeddingResponse:
    """Vectors in the order of the inputs. Base64, which official clients ask for, is little-endian 32-bit floats."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    if wire.get("data") is None:
        raise ProtocolViolation("data is missing: this is no answer with embeddings", path="data")
    found = objects_in(wire, "data")
    void: JsonObject = {}
    members = rest(wire, ("object", "data", "model", "usage"), void)
    if "object" in wire and wire["object"] != "list":
        void["object"] = wire["object"]
    absent = [name for name in ("object", "model") if name not in wire]
    if absent:
        members[ABSENT] = absent
    usage = wire.get("usage")
    if usage is None and "usage" in wire:
        void["usage"] = None
    order = sorted(range(len(found)), key=lambda place: integer(found[place], "index", f"data[{place}]") or 0)
    vectors = tuple(_vector(found[place].get("embedding"), f"data[{place}].embedding") for place in order)
    if _plain_items(vectors) != found:
        members[":data"] = found
    model = non_empty(wire, "model", void) or ""
    if void:
        members[VOID] = void
    return EmbeddingResponse(
        vectors=vectors,
        model=model,
        provider=target.provider,
        dialect=NAME,
        usage=Usage() if usage is None else _usage(object_of(usage, "usage"), target),
        extras=extras_of(members),
    )


def _vector(given: Any, path: str) -> tuple[float, ...]:
    if isinstance(given, str):
        try:
            data = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            raise ProtocolViolation(f"{path} should be numbers or base64, and is {given!r:.60}", path=path) from None
        if len(data) % 4:
            raise ProtocolViolation(f"{path} holds {len(data)} bytes, which are no 32-bit floats", path=path)
        return struct.unpack(f"<{len(data) // 4}f", data)
    if isinstance(given, list):
        numbers = cast("list[Any]", given)
        if all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
            return tuple(numbers)
    raise ProtocolViolation(f"{path} should be numbers or base64, and is {given!r:.60}", path=path)


def _usage(wire: JsonObject, target: Target) -> Usage:
    usage = decode_usage(wire, target)
    if usage.input_tokens is None and usage.output_tokens is None and usage.total_tokens is not None:
        return replace(usage, input_tokens=usage.total_tokens)  # Voyage: all of it is input
    return usage


def _plain_items(vectors: tuple[tuple[float, ...], ...]) -> list[JsonObject]:
    return [{"object": "embedding", "index": index, "embedding": list(vector)} for index, vector in enumerate(vectors)]


def encode_embedding_response(response: EmbeddingResponse, target: Target) -> EncodedBody:
    """The answer as an official client of this dialect reads it."""
    log = AdaptationLog()
    members = own(response.extras)
    if response.extras:
        log.foreign_extras(response.extras, NAME, "")
    items = _plain_items(response.vectors)
    original = members.get(":data")
    if original is not None and _vectors_of(original) == response.vectors:
        items = original
    wire: JsonObject = {"object": "list", "data": items, "model": response.model}
    usage = response.usage
    if usage:
        wire["usage"] = _written_usage(usage, target)
    elif response.dialect != NAME:
        wire["usage"] = {"prompt_tokens": 0, "total_tokens": 0}
        log.defaulted("usage", "the wire wants usage", wire["usage"])
    if members:
        write_members(wire, members)
    return EncodedBody(wire, log.entries())


def _vectors_of(items: list[JsonObject]) -> tuple[tuple[float, ...], ...]:
    ordered = sorted(items, key=lambda item: item.get("index") or 0)
    return tuple(_vector(item.get("embedding"), "embedding") for item in ordered)


def _written_usage(usage: Usage, target: Target) -> JsonObject:
    if usage.dialect == NAME and usage.raw is not None and _usage(usage.raw, target) == usage:
        return usage.raw
    wire = encode_usage(usage, target)
    return {"prompt_tokens": wire["prompt_tokens"], "total_tokens": wire["prompt_tokens"]}
