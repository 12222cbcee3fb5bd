"""embedContent and batchEmbedContents, both ways.

A value asks for texts with one task and one size for all; a batch asks for contents, each with its own. What the
canonical batch does not say (parts that are not text, a title, differing tasks) stays in the note ":wire", the body as
it came, which is used as long as it still reads as the value. The note ":method" is the method of the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.gemini.errors import error_in
from dragoman.dialects.gemini.members import NAME, extras_of, own, read, shape, write
from dragoman.dialects.gemini.paths import model_in, parse_path, path_of
from dragoman.dialects.gemini.usage import decode_embedding_usage
from dragoman.dialects.reading import integer, object_of, objects_in, reading_request, text
from dragoman.errors import InvalidRequest, ProtocolViolation, Unsupported
from dragoman.values import AdaptationLog, EmbeddingRequest, EmbeddingResponse, Usage, replace

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = [
    "decode_embedding_request",
    "decode_embedding_response",
    "encode_embedding_request",
    "encode_embedding_response",
]

_ONE = "embedContent"
_BATCH = "batchEmbedContents"
_REQUEST = shape("model", "content", "taskType", "outputDimensionality", "embedContentConfig")
_CONFIG = shape("taskType", "outputDimensionality")
_CONTENT = shape("parts")
_ANSWER = shape("embedding", "embeddings", "usageMetadata")


def decode_embedding_request(body: JsonObject, target: Target, path: str = "") -> EmbeddingRequest:
    """A client's request. Without a path the body tells which of the two methods it is for."""
    with reading_request():
        return _decode(object_of(body, "body"), target, path)


def _decode(body: JsonObject, target: Target, path: str) -> EmbeddingRequest:
    model, method, _ = parse_path(path)
    if method not in (None, _ONE, _BATCH):
        raise InvalidRequest(f"{method!r} is not a method that embeds", path="path")
    if method is None:
        method = _BATCH if "requests" in body else _ONE
    if method == _BATCH:
        wires = objects_in(body, "requests")
        if not wires:
            raise InvalidRequest("requests is missing: give at least one content to embed", path="requests")
    else:
        wires = [body]
    asked = [_asked(wire, f"requests[{index}]" if method == _BATCH else "") for index, wire in enumerate(wires)]
    named = next((item.model for item in asked if item.model), None) or text(body, "model")
    first = asked[0]
    request = EmbeddingRequest(
        model=model or model_in(named or target.model),
        inputs=tuple(item.inputs[0] for item in asked),
        dimensions=first.dimensions,
        task=first.task,
        extras=extras_of({":method": method}),
    )
    if _canonical(request, method) == body:
        return request
    return replace(request, extras=extras_of({":method": method, ":wire": body}))


def _asked(wire: JsonObject, path: str) -> EmbeddingRequest:
    """One content, as a request of its own."""
    found, _, _ = read(wire, _REQUEST, path)
    config: JsonObject = {}
    if "embedContentConfig" in found:
        where = f"{path}.embedContentConfig".lstrip(".")
        config, _, _ = read(object_of(found["embedContentConfig"], where), _CONFIG, where)
    members = {**found, **config}
    task = text(members, "taskType", path)
    where = f"{path}.content".lstrip(".")
    if "content" not in found:
        raise ProtocolViolation(f"{where} is missing", path=where)
    return EmbeddingRequest(
        model=text(found, "model", path) or "",
        inputs=(_words(object_of(found["content"], where), where),),
        dimensions=integer(members, "outputDimensionality", path),
        task=task.lower() if task else None,
    )


def _words(content: JsonObject, path: str) -> str:
    """The texts of a content, joined; what is no text is in the note alone."""
    found, _, _ = read(content, _CONTENT, path)
    parts: Any = found.get("parts")
    if isinstance(parts, dict):
        parts = [parts]
    return "".join(text(part, "text", path) or "" for part in objects_in({"parts": parts}, "parts", path))


def _canonical(request: EmbeddingRequest, method: str) -> JsonObject:
    name = request.model if "/" in request.model else f"models/{request.model}"
    asked: list[JsonObject] = []
    for words in request.inputs:
        members: JsonObject = {"model": name, "content": {"parts": [{"text": words}]}}
        if request.task is not None:
            members["taskType"] = request.task.upper()
        if request.dimensions is not None:
            members["outputDimensionality"] = request.dimensions
        asked.append(members)
    return asked[0] if method == _ONE else {"requests": asked}


def encode_embedding_request(request: EmbeddingRequest, target: Target) -> EncodedRequest:
    """The call for `target`: a batch, or a single content where that was asked for or the host takes no more."""
    log = AdaptationLog()
    log.foreign_extras(request.extras, NAME, "")
    if request.user is not None:
        log.dropped("user", "the wire has nothing of the kind", request.user)
    if not request.inputs:
        raise InvalidRequest("there is nothing to embed", path="inputs")
    model = request.model or target.model
    request = replace(request, model=model)
    extras = own(request.extras)
    method: str = extras.get(":method", _BATCH if target.quirks.gemini.batch_embeddings else _ONE)
    if len(request.inputs) > 1 and method == _ONE:
        if not target.quirks.gemini.batch_embeddings:
            raise Unsupported("this host embeds one text a request: send them one by one", path="inputs")
        method = _BATCH
    path = path_of(model, method)
    original = extras.get(":wire")
    if original is not None and _still(original, request, target, path):
        return EncodedRequest(path, original, adaptations=log.entries())
    return EncodedRequest(path, _canonical(request, method), adaptations=log.entries())


def _still(original: JsonObject, request: EmbeddingRequest, target: Target, path: str) -> bool:
    """Whether the body as it came still says what the value says."""
    again = _decode(original, target, path)
    return (again.inputs, again.dimensions, again.task) == (request.inputs, request.dimensions, request.task)


# -- answers -----------------------------------------------------------------------------------------------------------


def decode_embedding_response(body: Any, target: Target) -> EmbeddingResponse:
    """The vectors. Members of a vector beside its values (`shape`, `statistics`) stay in the note ":vectors"."""
    answer = object_of(body, "answer")
    failed = error_in(answer, target)
    if failed is not None:
        raise failed
    found, rest, notes = read(answer, _ANSWER, "")
    if "embedding" in found:
        notes[":single"] = ["embeddings"]
        wires = [object_of(found["embedding"], "embedding")]
    elif "embeddings" in found:
        wires = objects_in(found, "embeddings")
    else:
        raise ProtocolViolation("embeddings is missing", path="embeddings")
    others = [{name: value for name, value in wire.items() if name != "values"} for wire in wires]
    if any(others):
        notes[":vectors"] = others
    usage = Usage()
    if "usageMetadata" in found:
        usage = decode_embedding_usage(object_of(found["usageMetadata"], "usageMetadata"))
    return EmbeddingResponse(
        vectors=tuple(_vector(wire, index) for index, wire in enumerate(wires)),
        model=target.model,
        provider=target.provider,
        dialect=NAME,
        usage=usage,
        extras=extras_of({**rest, **notes}),
    )


def _vector(wire: JsonObject, index: int) -> tuple[float, ...]:
    path = f"embeddings[{index}].values"
    values: Any = wire.get("values", [])
    if not isinstance(values, list) or not all(type(value) in (float, int) for value in cast("list[Any]", values)):
        raise ProtocolViolation(f"{path} should be a list of numbers", path=path)
    return tuple(cast("list[float]", values))


def encode_embedding_response(response: EmbeddingResponse, target: Target) -> EncodedBody:
    """The answer as this dialect's clients read it."""
    log = AdaptationLog()
    log.foreign_extras(response.extras, NAME, "")
    extras = own(response.extras)
    wires: list[JsonObject] = [{"values": list(vector)} for vector in response.vectors]
    others: list[JsonObject] = extras.get(":vectors", [])
    if len(others) == len(wires):
        wires = [{**wire, **other} for wire, other in zip(wires, others, strict=True)]
    members: JsonObject = {}
    if extras.get(":single") == ["embeddings"] and len(wires) == 1:
        members["embedding"] = wires[0]
    else:
        members["embeddings"] = wires
    if response.usage:
        members["usageMetadata"] = _encode_usage(response.usage)
    rest = {name: value for name, value in extras.items() if name != ":single"}
    return EncodedBody(write(members, rest), log.entries())


def _encode_usage(usage: Usage) -> JsonObject:
    if usage.dialect == NAME and usage.raw is not None and decode_embedding_usage(usage.raw) == usage:
        return usage.raw
    return {} if usage.input_tokens is None else {"promptTokenCount": usage.input_tokens}
