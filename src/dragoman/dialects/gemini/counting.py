"""Token counts: `POST /models/{model}:countTokens`, both ways.

Bare contents are counted as they are. With anything besides, the Gemini API wants the whole request inside
`generateContentRequest`, and Vertex (the quirk `count_wrapped` False) its members one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.contract import EncodedBody, EncodedRequest
from dragoman.dialects.gemini.paths import path_of
from dragoman.dialects.gemini.request import decode_request, encode_request
from dragoman.dialects.reading import count_of, object_of, reading_request

if TYPE_CHECKING:
    from dragoman.values import Request, Target

__all__ = ["decode_count_request", "decode_count_response", "encode_count_request", "encode_count_response"]

_METHOD = "countTokens"
_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")
_WRAPPED = ("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent")
_WRAPPERS = ("generateContentRequest", "generate_content_request")


def encode_count_request(request: Request, target: Target) -> EncodedRequest:
    """The question for `target`; what is no part of a prompt is left out of it."""
    encoded = encode_request(request, target)
    model = request.model or target.model
    counted = _WRAPPED if target.quirks.gemini.count_wrapped else _COUNTED
    body = {name: encoded.body[name] for name in counted if name in encoded.body}
    if target.quirks.gemini.count_wrapped and body.keys() - {"contents"}:
        body = {_WRAPPERS[0]: {"model": path_of(model, "")[1:-1], **body}}
    return EncodedRequest(path_of(model, _METHOD), body, encoded.headers, encoded.adaptations)


def decode_count_request(body: Any, target: Target, path: str = "") -> Request:
    """The prompt that a client wants counted; `InvalidRequest` names the member that is wrong."""
    with reading_request():
        given = object_of(body, "body")
        for name in _WRAPPERS:
            if given.get(name) is not None:
                given = object_of(given[name], name)
    return decode_request(given, target, path.replace(f":{_METHOD}", ":generateContent"))


def encode_count_response(tokens: int, target: Target) -> EncodedBody:
    """The answer for a client."""
    return EncodedBody({"totalTokens": tokens})


def decode_count_response(body: Any, target: Target) -> int:
    """The count in an answer."""
    return count_of(object_of(body, "body"), "totalTokens")
