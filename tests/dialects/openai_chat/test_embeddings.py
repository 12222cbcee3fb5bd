"""Embeddings, both ways."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from dragoman.dialects.openai_chat.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.errors import InvalidRequest, ProtocolViolation
from dragoman.values import EmbeddingRequest, EmbeddingResponse, Target, Usage, from_json, replace, to_json
from tests.dialects.openai_chat.wire import JSON, OPENAI, actions, target
from tests.wire.comparing import first_difference

VOYAGE = target(embedding_task_member="input_type", embedding_dimensions_member="output_dimension")
BASE64 = base64.b64encode(struct.pack("<2f", 0.5, -0.25)).decode()


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        ({"model": "m", "input": "a"}, OPENAI),
        ({"model": "m", "input": ["a"]}, OPENAI),
        ({"model": "m", "input": ["a", "b"], "dimensions": 3, "user": "u", "encoding_format": "base64"}, OPENAI),
        ({"model": "m", "input": [1, 2, 3]}, OPENAI),
        ({"model": "m", "input": [[1, 2], [3]]}, OPENAI),
        ({"model": "m", "input": []}, OPENAI),
        ({"model": "m", "input": "a", "dimensions": None, "user": None, "x": None, "y": {"z": 1}}, OPENAI),
        ({"model": "m", "input": "a", "dimensions": 3.0}, OPENAI),
        ({"model": "m", "input": ["a"], "input_type": "query", "output_dimension": None, "truncation": False}, VOYAGE),
        ({"model": "m", "input": ["a"], "input_type": "query", "output_dimension": 5}, OPENAI),
    ],
)
def test_a_request_survives(body: JSON, whom: Target) -> None:
    request = decode_embedding_request(body, whom)
    encoded = encode_embedding_request(request, whom)
    assert first_difference(body, encoded.body) is None
    assert (encoded.path, encoded.adaptations) == ("/embeddings", ())
    assert from_json(to_json(request)) == request


def test_a_request_of_ours() -> None:
    request = EmbeddingRequest(model="m", inputs=("a", "b"), dimensions=3, user="u")
    assert encode_embedding_request(request, OPENAI).body == {
        "model": "m",
        "input": ["a", "b"],
        "dimensions": 3,
        "user": "u",
    }


def test_the_use_is_told_to_hosts_that_ask() -> None:
    request = EmbeddingRequest(model="m", inputs=("a",), task="query", dimensions=3)
    assert encode_embedding_request(request, VOYAGE).body == {
        "model": "m",
        "input": ["a"],
        "input_type": "query",
        "output_dimension": 3,
    }
    assert actions(encode_embedding_request(request, OPENAI).adaptations) == [("dropped", "task")]
    refusing = target(refused=("dimensions",))
    assert ("dropped", "dimensions") in actions(encode_embedding_request(request, refusing).adaptations)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "body"),
        ({"input": "a"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": 1}, "input"),
        ({"model": "m", "input": ["a", 1]}, "input"),
        ({"model": "m", "input": "a", "dimensions": "x"}, "dimensions"),
    ],
)
def test_bad_input_is_refused_by_name(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_embedding_request(body, OPENAI)
    assert caught.value.path == path


def answer(*embeddings: Any, **members: Any) -> JSON:
    data = [{"object": "embedding", "index": index, "embedding": held} for index, held in enumerate(embeddings)]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 4, "total_tokens": 4}, **members}


@pytest.mark.parametrize(
    "body",
    [
        answer([0.5, -0.25], [1.0, 2.0]),
        answer([1, 2.5]),
        answer(BASE64),
        answer(BASE64, [0.5, -0.25]),
        answer([0.5], id="x", usage=None, y=None),
        answer([0.5], usage={"total_tokens": 4}),
        {"data": [{"embedding": [0.5]}]},
        {"data": [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}], "model": "m", "object": "x"},
        answer(),
    ],
)
def test_an_answer_survives(body: JSON) -> None:
    response = decode_embedding_response(body, OPENAI)
    encoded = encode_embedding_response(response, OPENAI)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()
    assert from_json(to_json(response)) == response


def test_vectors_stand_in_the_order_of_the_inputs() -> None:
    body = {"data": [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}]}
    assert decode_embedding_response(body, OPENAI).vectors == ((1.0,), (2.0,))


def test_base64_is_numbers() -> None:
    assert decode_embedding_response(answer(BASE64), OPENAI).vectors == ((0.5, -0.25),)


def test_usage() -> None:
    usage = decode_embedding_response(answer([0.5], usage={"total_tokens": 4}), OPENAI).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (4, None, 4)


@pytest.mark.parametrize(
    "body",
    [{}, {"data": {}}, answer("not base64!"), answer("AAAA"), answer(["a"]), answer(None), answer([True])],
)
def test_what_is_no_answer_is_a_violation(body: JSON) -> None:
    with pytest.raises(ProtocolViolation):
        decode_embedding_response(body, OPENAI)


def test_an_answer_of_another_dialect_is_complete() -> None:
    response = EmbeddingResponse(vectors=((0.5,),), model="m", dialect="gemini")
    encoded = encode_embedding_response(response, OPENAI)
    assert encoded.body == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "model": "m",
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }
    assert actions(encoded.adaptations) == [("defaulted", "usage")]
    measured = replace(response, usage=Usage(input_tokens=3))
    assert encode_embedding_response(measured, OPENAI).body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_changed_vectors_are_written_anew() -> None:
    response = replace(decode_embedding_response(answer(BASE64), OPENAI), vectors=((1.0,),))
    assert encode_embedding_response(response, OPENAI).body["data"][0]["embedding"] == [1.0]
