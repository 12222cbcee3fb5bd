"""An upstream that takes anything, in every public dialect, and always says the same."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from dragoman.dialects import load
from dragoman.testing.wires import address_of
from dragoman.values import (
    Choice,
    EmbeddingResponse,
    Finish,
    Message,
    MessageRole,
    Request,
    Response,
    Target,
    Text,
    Usage,
)
from dragoman.values.unrolled import events_of

if TYPE_CHECKING:
    from tests.gateway.recorded_upstream import Answer, Received

__all__ = ["agree"]

_TARGET = Target(provider="agreeable", issuer="agreeable", model="m")
_RESPONSE = Response(
    id="answer_1",
    model="m",
    created=1_767_225_600,
    choices=(
        Choice(message=Message(MessageRole.ASSISTANT, (Text(text="As you say."),)), finish=Finish(reason="stop")),
    ),
    usage=Usage(input_tokens=5, output_tokens=3, total_tokens=8),
)
_JSON = {"content-type": "application/json"}


def agree(received: Received) -> Answer:
    """The answer in the dialect of the path; 404 for paths of none."""
    address = address_of(received.path)
    if address is None:
        return 404, _JSON, b'{"error":{"message":"nothing here","code":404}}'
    if address.kind == "chat":
        stream = address.path_streams or b'"stream":true' in received.body.replace(b" ", b"").replace(b"\n", b"")
        return _chat(address.wire.dialect, stream)
    return _other(address.wire.dialect, address.kind)


@cache
def _chat(dialect: str, stream: bool) -> Answer:
    codec = load(dialect)
    if not stream:
        return 200, _JSON, msgspec.json.encode(codec.encode_response(_RESPONSE, _TARGET).body)
    encoder = codec.stream_encoder(Request(model="m", stream=True, stream_usage=True), _TARGET)
    data = b"".join(encoder.feed(event) for event in events_of(_RESPONSE)) + encoder.close()
    return 200, {"content-type": "text/event-stream"}, data


@cache
def _other(dialect: str, kind: str) -> Answer:
    codec = load(dialect)
    if kind == "count":
        assert codec.encode_count_response is not None  # the addresses of the table have it
        return 200, _JSON, msgspec.json.encode(codec.encode_count_response(5, _TARGET).body)
    assert codec.encode_embedding_response is not None
    vectors = EmbeddingResponse(vectors=((0.5, 0.25),), model="m", usage=Usage(input_tokens=1, total_tokens=1))
    return 200, _JSON, msgspec.json.encode(codec.encode_embedding_response(vectors, _TARGET).body)
