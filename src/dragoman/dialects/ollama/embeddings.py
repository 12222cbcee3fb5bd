"""Embeddings: `POST /api/embed`, both ways. Inputs are texts; the vectors are those of the answer, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.ollama.errors import error_in_body
from dragoman.dialects.ollama.names import NAME, Writing
from dragoman.dialects.ollama.request import without_refused
from dragoman.dialects.ollama.usage import COUNTS, decode_usage, encode_usage
from dragoman.dialects.reading import integer, object_of, reading_request, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, EmbeddingRequest, EmbeddingResponse

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = [
    "decode_embedding_request",
    "decode_embedding_response",
    "encode_embedding_request",
    "encode_embedding_response",
]

_PATH = "/embed"
_REQUEST = frozenset({"model", "input", "dimensions"})
_ANSWER = frozenset({"model", "embeddings", *COUNTS})


def decode_embedding_request(body: Any, target: Target, path: str = "") -> EmbeddingRequest:
    """A client's request."""
    with reading_request():
        wire = object_of(body, "body")
        given: Any = wire.get("input")
        dimensions = integer(wire, "dimensions")
        notes = {":input": "text"} if isinstance(given, str) else {}
        return EmbeddingRequest(
            model=required_text(wire, "model"),
            inputs=(given,) if isinstance(given, str) else _texts(given),
            dimensions=dimensions,
            extras=kept(wire, _REQUEST, NAME, complete=("input",), read={"dimensions": dimensions}, notes=notes),
        )


def _texts(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(item, str) for item in cast("list[Any]", given)):
        raise ProtocolViolation("input should be a text or a list of texts", path="input")
    return tuple(cast("list[str]", given))


def encode_embedding_request(request: EmbeddingRequest, target: Target) -> EncodedRequest:
    """The body, and what could not be said."""
    writing = Writing(target, AdaptationLog())
    writing.log.foreign_extras(request.extras, NAME, "")
    alone = own(request.extras, NAME).get(":input") == "text" and len(request.inputs) == 1
    body: JsonObject = {"model": request.model, "input": request.inputs[0] if alone else list(request.inputs)}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    for name in ("task", "user"):
        if (value := getattr(request, name)) is not None:
            writing.log.dropped(name, "this wire does not have it", value)
    write_back(body, request.extras, NAME)
    return EncodedRequest(_PATH, without_refused(body, writing), (), writing.log.entries())


def decode_embedding_response(body: Any, target: Target) -> EmbeddingResponse:
    """The vectors in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    vectors: Any = wire.get("embeddings")
    if not isinstance(vectors, list):
        raise ProtocolViolation("embeddings should be a list of vectors", path="embeddings")
    return EmbeddingResponse(
        vectors=tuple(_vector(item, index) for index, item in enumerate(cast("list[Any]", vectors))),
        model=text(wire, "model") or target.model,
        provider=target.provider,
        dialect=NAME,
        usage=decode_usage(wire),
        extras=kept(wire, _ANSWER, NAME, complete=("model",), notes=_whole_numbers(cast("list[Any]", vectors))),
    )


def _vector(item: Any, index: int) -> tuple[float, ...]:
    if not isinstance(item, list) or not all(type(number) in (int, float) for number in cast("list[Any]", item)):
        raise ProtocolViolation(f"embeddings[{index}] should be a list of numbers", path=f"embeddings[{index}]")
    return tuple(float(number) for number in cast("list[float]", item))


def _whole_numbers(vectors: list[list[Any]]) -> JsonObject:
    """The vectors as they came, where some number in them is written without a fraction."""
    return {":embeddings": vectors} if any(type(number) is int for item in vectors for number in item) else {}


def encode_embedding_response(response: EmbeddingResponse, target: Target) -> EncodedBody:
    """The body for a client."""
    log = AdaptationLog()
    log.foreign_extras(response.extras, NAME, "")
    members = own(response.extras, NAME)
    vectors: list[Any] = [list(vector) for vector in response.vectors]
    original: list[Any] = members.get(":embeddings", [])
    if original == vectors:  # 1 equals 1.0
        vectors = original
    body: JsonObject = {"model": response.model, "embeddings": vectors, **encode_usage(response.usage)}
    write_back(body, response.extras, NAME)
    if "model" in members.get(":absent", ()):
        del body["model"]
    return EncodedBody(body, log.entries())
