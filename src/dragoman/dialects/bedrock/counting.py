"""Token counts: `POST /model/{modelId}/count-tokens`, both ways, for the prompt of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.bedrock.request import decode_request, encode_request
from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.reading import count_of, object_of, reading_request

if TYPE_CHECKING:
    from dragoman.values import Request, Target

__all__ = ["decode_count_request", "decode_count_response", "encode_count_request", "encode_count_response"]

_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_OPERATION = "/count-tokens"


def encode_count_request(request: Request, target: Target) -> EncodedRequest:
    """The question for `target`; what is no part of a prompt is left out of it."""
    encoded = encode_request(request, target)
    converse = {name: encoded.body[name] for name in _COUNTED if name in encoded.body}
    path = encoded.path.rpartition("/")[0] + _OPERATION
    return EncodedRequest(path, {"input": {"converse": converse}}, encoded.headers, encoded.adaptations)


def decode_count_request(body: Any, target: Target, path: str = "") -> Request:
    """The prompt that a client wants counted; `InvalidRequest` names the member that is wrong."""
    with reading_request():
        given = object_of(object_of(body, "body").get("input"), "input")
        converse = object_of(given.get("converse"), "input.converse")
    return decode_request(converse, target, path.replace(_OPERATION, "/converse"))


def encode_count_response(tokens: int, target: Target) -> EncodedBody:
    """The answer for a client."""
    return EncodedBody({"inputTokens": tokens})


def decode_count_response(body: Any, target: Target) -> int:
    """The count in an answer."""
    return count_of(object_of(body, "body"), "inputTokens")
