"""Embeddings: one content or a batch, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.gemini.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.errors import InvalidRequest, NotFound, ProtocolViolation, Unsupported
from dragoman.values import EmbeddingRequest, EmbeddingResponse, Usage, replace
from tests.dialects.gemini.wire import TARGET, target
from tests.wire.comparing import first_difference

BATCH = "/v1beta/models/emb:batchEmbedContents"
ONE = "/v1beta/models/emb:embedContent"


def content(*words: str) -> Any:
    return {"parts": [{"text": word} for word in words]}


def survives(body: Any, path: str) -> EmbeddingRequest:
    request = decode_embedding_request(body, TARGET, path)
    encoded = encode_embedding_request(request, TARGET)
    assert first_difference(body, encoded.body) is None
    assert path.endswith(encoded.path)
    return request


def test_a_batch() -> None:
    asked = {"model": "models/emb", "content": content("a"), "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 8}
    request = survives({"requests": [asked, {**asked, "content": content("b")}]}, BATCH)
    assert (request.model, request.inputs, request.task, request.dimensions) == (
        "emb",
        ("a", "b"),
        "retrieval_query",
        8,
    )
    assert ":wire" not in request.extras["gemini"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"content": content("a")}, ONE),
        ({"model": "models/emb", "content": content("a", "b"), "title": "T"}, ONE),
        ({"content": {"parts": {"text": "a"}}, "embed_content_config": {"task_type": "CLUSTERING"}}, ONE),
        ({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]}}, ONE),
        ({"requests": [{"content": content("a"), "taskType": "CLUSTERING"}, {"content": content("b")}]}, BATCH),
    ],
)
def test_odd_forms_survive(body: Any, path: str) -> None:
    survives(body, path)


def test_an_edited_request_is_not_written_from_its_old_form() -> None:
    request = decode_embedding_request({"content": content("a", "b")}, TARGET, ONE)
    changed = encode_embedding_request(replace(request, inputs=("c",)), TARGET)
    assert changed.body == {"model": "models/emb", "content": content("c")}


def test_a_request_of_another_wire_is_a_batch() -> None:
    request = EmbeddingRequest(model="emb", inputs=("a", "b"), dimensions=4, user="u")
    encoded = encode_embedding_request(request, TARGET)
    assert encoded.path == "/models/emb:batchEmbedContents"
    assert encoded.body["requests"][1] == {"model": "models/emb", "content": content("b"), "outputDimensionality": 4}
    assert [entry.path for entry in encoded.adaptations] == ["user"]


def test_a_host_without_batches_takes_one_at_a_time() -> None:
    one = encode_embedding_request(EmbeddingRequest(model="emb", inputs=("a",)), target(batch_embeddings=False))
    assert one.path == "/models/emb:embedContent"
    with pytest.raises(Unsupported):
        encode_embedding_request(EmbeddingRequest(model="emb", inputs=("a", "b")), target(batch_embeddings=False))


_WRONG: list[Any] = [
    ({"requests": []}, BATCH),
    ({"requests": [{}]}, BATCH),
    ({"content": "a"}, ONE),
    ({"content": {"parts": [{"text": 1}]}}, ONE),
    ({"content": content("a")}, "/v1beta/models/emb:generateContent"),
]


@pytest.mark.parametrize(("body", "path"), _WRONG)
def test_wrong_requests_are_refused_by_name(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_embedding_request(body, TARGET, path)
    assert refused.value.path


@pytest.mark.parametrize(
    "body",
    [
        {"embeddings": [{"values": [0.5, -1.0]}, {"values": [1, 2]}]},
        {"embedding": {"values": [0.5], "shape": [1]}},
        {"embedding": {"values": [0.5]}, "truncated": False, "usageMetadata": {"promptTokenCount": 3}},
        {"embeddings": [{"values": [0.5], "statistics": {"tokenCount": 2}}], "usageMetadata": {}},
    ],
)
def test_answers_survive(body: Any) -> None:
    response = decode_embedding_response(body, TARGET)
    assert first_difference(body, encode_embedding_response(response, TARGET).body) is None
    assert (response.model, response.provider, response.dialect) == ("gemini-x", "google", "gemini")
    assert response.vectors[0][0] == 0.5


def test_usage_of_embeddings() -> None:
    body = {"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 3}}
    usage = decode_embedding_response(body, TARGET).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (3, None)
    other = EmbeddingResponse(vectors=((0.5,),), usage=Usage(input_tokens=7))
    assert encode_embedding_response(other, TARGET).body == {
        "embeddings": [{"values": [0.5]}],
        "usageMetadata": {"promptTokenCount": 7},
    }


def test_what_is_no_answer() -> None:
    with pytest.raises(ProtocolViolation):
        decode_embedding_response({"data": []}, TARGET)
    with pytest.raises(ProtocolViolation):
        decode_embedding_response({"embeddings": [{"values": ["x"]}]}, TARGET)
    with pytest.raises(NotFound):
        decode_embedding_response({"error": {"code": 404, "status": "NOT_FOUND"}}, TARGET)
