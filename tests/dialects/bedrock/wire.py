"""What these tests share: targets, hand-written bodies and streams, and runs of the two machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.bedrock.dialect import DIALECT
from dragoman.framing import encode_event_headers, encode_event_message
from dragoman.values import Ping, Request, Target
from tests.wire.binary_frames import binary_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.dialects import EncodedRequest
    from dragoman.values import Adaptation, Event, Response

TARGET = Target(provider="bedrock", issuer="bedrock", model="us.maker.model-v1:0")
ELSEWHERE = Target(provider="other", issuer="other", model="us.maker.model-v1:0")
PATH = "/model/us.maker.model-v1%3A0/converse"

Wire = dict[str, Any]


def said(role: str, *blocks: Any) -> Wire:
    return {"role": role, "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def asked(*messages: Wire, **members: Any) -> Wire:
    return {"messages": list(messages), **members}


def answer(*blocks: Any, stop: str = "end_turn", **members: Any) -> Wire:
    return {
        "output": {"message": said("assistant", *blocks)},
        "stopReason": stop,
        "usage": {"inputTokens": 10, "outputTokens": 3, "totalTokens": 13},
        "metrics": {"latencyMs": 5},
        **members,
    }


def request(body: Wire, target: Target = TARGET, path: str = PATH) -> Request:
    return DIALECT.decode_request(body, target, path)


def encoded(asking: Request, target: Target = TARGET) -> EncodedRequest:
    return DIALECT.encode_request(asking, target)


def paths(adaptations: Iterable[Adaptation]) -> list[tuple[str, str]]:
    return [(entry.path, entry.action) for entry in adaptations]


# -- streams -----------------------------------------------------------------------------------------------------------


def event(name: str, **payload: Any) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_event_message(msgspec.json.encode({**payload, "p": "abcd"}), encode_event_headers(headers))


def exception(name: str, message: str) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return encode_event_message(msgspec.json.encode({"message": message}), encode_event_headers(headers))


BEGIN = event("messageStart", role="assistant")
METADATA = event("metadata", usage={"inputTokens": 10, "outputTokens": 3, "totalTokens": 13}, metrics={"latencyMs": 5})


def begin(index: int, **start: Any) -> bytes:
    return event("contentBlockStart", start=start, contentBlockIndex=index)


def delta(index: int, **piece: Any) -> bytes:
    return event("contentBlockDelta", delta=piece, contentBlockIndex=index)


def end(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def stop(reason: str = "end_turn", **members: Any) -> bytes:
    return event("messageStop", stopReason=reason, **members)


def text_block(index: int, *pieces: str) -> bytes:
    return b"".join(delta(index, text=piece) for piece in pieces) + end(index)


def whole(*pieces: bytes, reason: str = "end_turn") -> bytes:
    return b"".join([BEGIN, *pieces, stop(reason), METADATA])


def decoded(data: bytes, cuts: Iterable[int] = (), target: Target = TARGET) -> list[Event]:
    """All events of a stream, fed in pieces, without pings."""
    decoder = DIALECT.stream_decoder(target)
    events: list[Event] = []
    last = 0
    for cut in [*cuts, len(data)]:
        events += decoder.feed(data[last:cut])
        last = cut
    events += decoder.close()
    return [each for each in events if not isinstance(each, Ping)]


def streamed(events: Sequence[Event], target: Target = TARGET) -> tuple[bytes, tuple[Adaptation, ...]]:
    encoder = DIALECT.stream_encoder(Request(model=target.model), target)
    data = b"".join(encoder.feed(each) for each in events) + encoder.close()
    return data, encoder.adaptations()


def messages_in(data: bytes) -> list[tuple[str, Wire]]:
    return [(frame.name, msgspec.json.decode(frame.payload)) for frame in binary_frames(data)]


def whole_answer(response: Response, target: Target = TARGET) -> Response:
    return DIALECT.decode_response(DIALECT.encode_response(response, target).body, target)
