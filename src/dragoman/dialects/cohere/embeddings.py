"""Embeddings: `POST /v2/embed`, both ways.

`input_type` is required by the host and is our `task`; `embedding_types` asks for plain numbers unless its author asked
for others. Images and mixed inputs stay members: they are no texts.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.cohere.errors import error_in_body
from dragoman.dialects.cohere.names import NAME, Writing
from dragoman.dialects.cohere.request import without_refused
from dragoman.dialects.cohere.usage import decode_usage, encode_usage
from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import integer, object_of, reading_request, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, EmbeddingRequest, EmbeddingResponse, Usage

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = [
    "decode_embedding_request",
    "decode_embedding_response",
    "encode_embedding_request",
    "encode_embedding_response",
]

_PATH: Final = "/embed"
_REQUEST: Final = frozenset({"model", "texts", "output_dimension", "input_type"})
_ANSWER: Final = frozenset({"embeddings", "meta"})
_TASKS: Final = {
    "RETRIEVAL_QUERY": "search_query",
    "query": "search_query",
    "RETRIEVAL_DOCUMENT": "search_document",
    "document": "search_document",
    "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering",
}
"""Other vendors' words for the uses that this wire knows."""
_OWN_TASKS: Final = frozenset({"search_document", "search_query", "classification", "clustering", "image"})
_PREFERRED: Final = ("float", "base64", "int8", "uint8", "binary", "ubinary")


# -- requests ----------------------------------------------------------------------------------------------------------


def decode_embedding_request(body: Any, target: Target, path: str = "") -> EmbeddingRequest:
    """A client's request."""
    with reading_request():
        wire = object_of(body, "body")
        texts: Any = wire.get("texts")
        if texts is None:
            texts = []
        if not isinstance(texts, list) or not all(isinstance(item, str) for item in cast("list[Any]", texts)):
            raise ProtocolViolation("texts should be a list of texts", path="texts")
        dimensions = integer(wire, "output_dimension")
        read = {"output_dimension": dimensions}
        return EmbeddingRequest(
            model=required_text(wire, "model"),
            inputs=tuple(cast("list[str]", texts)),
            dimensions=dimensions,
            task=text(wire, "input_type") or None,
            extras=kept(wire, _REQUEST, NAME, complete=("texts",), read=read, notes={":spoken": True}),
        )


def encode_embedding_request(request: EmbeddingRequest, target: Target) -> EncodedRequest:
    """The body, and what could not be said."""
    writing = Writing(target, AdaptationLog())
    log = writing.log
    log.foreign_extras(request.extras, NAME, "")
    spoken = ":spoken" in own(request.extras, NAME)
    body: JsonObject = {"model": request.model, "texts": list(request.inputs)}
    task = request.task
    if task is None and not spoken:
        task = "search_document"
        log.defaulted("task", "this wire wants to know the use", task)
    elif task is not None and not spoken and task not in _OWN_TASKS:
        task = _TASKS.get(task, "search_document")
        log.substituted("task", "this wire has words of its own for uses", request.task, task)
    if task is not None:
        body["input_type"] = task
    if not spoken:
        body["embedding_types"] = ["float"]
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    if request.user is not None:
        log.dropped("user", "this wire does not have it", request.user)
    write_back(body, request.extras, NAME)
    return EncodedRequest(_PATH, without_refused(body, writing), (), log.entries())


# -- answers -----------------------------------------------------------------------------------------------------------


def decode_embedding_response(body: Any, target: Target) -> EmbeddingResponse:
    """The vectors in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    embeddings: Any = wire.get("embeddings")
    if embeddings is None:
        error = error_in_body(wire, target)
        raise error or ProtocolViolation("embeddings are missing", path="embeddings")
    vectors, plain = _vectors(embeddings)
    meta = wire.get("meta")
    return EmbeddingResponse(
        vectors=vectors,
        model=target.model,
        provider=target.provider,
        dialect=NAME,
        usage=Usage() if meta is None else decode_usage(object_of(meta, "meta"), "meta"),
        extras=kept(wire, _ANSWER, NAME, notes={} if plain else {":embeddings": embeddings}),
    )


def _vectors(embeddings: Any) -> tuple[tuple[tuple[float, ...], ...], bool]:
    """The vectors in `embeddings`, and whether they stand there plainly: as lists of fractions under `float`."""
    if isinstance(embeddings, list):
        return _read(cast("list[Any]", embeddings), "embeddings")[0], False
    holder = object_of(embeddings, "embeddings")
    kind = next((name for name in _PREFERRED if isinstance(holder.get(name), list)), None)
    if kind is None:
        raise ProtocolViolation("embeddings hold no vectors of a known type", path="embeddings")
    vectors, plain = _read(holder[kind], f"embeddings.{kind}")
    return vectors, plain and kind == "float" and len(holder) == 1


def _read(items: list[Any], path: str) -> tuple[tuple[tuple[float, ...], ...], bool]:
    plain = True
    vectors: list[tuple[float, ...]] = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            vectors.append(_unpacked(item, f"{path}[{index}]"))
            plain = False
        elif isinstance(item, list) and all(type(number) in (int, float) for number in cast("list[Any]", item)):
            numbers = cast("list[float]", item)
            plain = plain and all(type(number) is float for number in numbers)
            vectors.append(tuple(float(number) for number in numbers))
        else:
            raise ProtocolViolation(f"{path}[{index}] should be a list of numbers", path=f"{path}[{index}]")
    return tuple(vectors), plain


def _unpacked(packed: str, path: str) -> tuple[float, ...]:
    try:
        data = base64.b64decode(packed, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    except (binascii.Error, ValueError, struct.error):
        raise ProtocolViolation(f"{path} should be base64 of 32-bit floats", path=path) from None


def encode_embedding_response(response: EmbeddingResponse, target: Target) -> EncodedBody:
    """The body for a client."""
    log = AdaptationLog()
    log.foreign_extras(response.extras, NAME, "")
    embeddings: Any = own(response.extras, NAME).get(":embeddings")
    if embeddings is None or _vectors(embeddings)[0] != response.vectors:
        embeddings = {"float": [list(vector) for vector in response.vectors]}
    body: JsonObject = {"embeddings": embeddings}
    if response.usage:
        body["meta"] = _meta(response.usage)
    write_back(body, response.extras, NAME)
    if response.dialect != NAME:
        body.setdefault("id", response.request_id or "")
        body.setdefault("response_type", "embeddings_by_type")
    return EncodedBody(body, log.entries())


def _meta(usage: Usage) -> JsonObject:
    if usage.dialect == NAME and usage.raw is not None and decode_usage(usage.raw, "meta") == usage:
        return usage.raw
    return {"billed_units": encode_usage(usage)["billed_units"]}
