"""Token counts: `POST /messages/count_tokens`, both ways. It takes the members of a message that make up its prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.anthropic.request import decode_request, encode_request
from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.reading import count_of, object_of

if TYPE_CHECKING:
    from dragoman.values import Request, Target

__all__ = ["decode_count_request", "decode_count_response", "encode_count_request", "encode_count_response"]

_PATH = "/messages/count_tokens"
_COUNTED = (
    "model messages system tools tool_choice thinking output_config output_format cache_control context_management "
    "mcp_servers speed"
).split()


def encode_count_request(request: Request, target: Target) -> EncodedRequest:
    """The question for `target`; what is no part of a prompt is left out of it."""
    encoded = encode_request(request, target)
    body = {name: encoded.body[name] for name in _COUNTED if name in encoded.body}
    return EncodedRequest(_PATH, body, encoded.headers, encoded.adaptations)


def decode_count_request(body: Any, target: Target, path: str = "") -> Request:
    """The prompt that a client wants counted; `InvalidRequest` names the member that is wrong."""
    return decode_request(body, target, path)


def encode_count_response(tokens: int, target: Target) -> EncodedBody:
    """The answer for a client."""
    return EncodedBody({"input_tokens": tokens})


def decode_count_response(body: Any, target: Target) -> int:
    """The count in an answer."""
    return count_of(object_of(body, "body"), "input_tokens")
