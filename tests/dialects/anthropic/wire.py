"""What these tests share: a target, hand-written streams, and runs of the two machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import InvalidArguments
from dragoman.values import Message, Ping, Request, Response, Target, ToolCall, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.values import Adaptation, Event

TARGET = Target(provider="anthropic", issuer="anthropic", model="claude-x")
ELSEWHERE = Target(provider="other", issuer="other", model="claude-x")

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
}
STOP: dict[str, Any] = {"type": "message_stop"}
PING: dict[str, Any] = {"type": "ping"}


def begin(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **piece: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": piece}


def text_delta(index: int, text: str) -> dict[str, Any]:
    return delta(index, type="text_delta", text=text)


def end(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def finish(reason: str | None = "end_turn", output: int = 7, **members: Any) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None, **members},
        "usage": {"output_tokens": output},
    }


def text_block(index: int, *pieces: str) -> list[dict[str, Any]]:
    return [begin(index, type="text", text=""), *(text_delta(index, piece) for piece in pieces), end(index)]


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n" for event in events
    )


def decoded(data: bytes, cuts: Iterable[int] = (), target: Target = TARGET) -> list[Event]:
    """All events of a stream, fed in pieces, without pings."""
    decoder = DIALECT.stream_decoder(target)
    events: list[Event] = []
    last = 0
    for cut in [*cuts, len(data)]:
        events += decoder.feed(data[last:cut])
        last = cut
    events += decoder.close()
    return [event for event in events if not isinstance(event, Ping)]


def encoded(events: Sequence[Event], target: Target = TARGET) -> tuple[bytes, tuple[Adaptation, ...]]:
    encoder = DIALECT.stream_encoder(Request(model="claude-x"), target)
    data = b"".join(encoder.feed(event) for event in events) + encoder.close()
    return data, encoder.adaptations()


def answer(*content: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 3},
        **members,
    }


def asked(*messages: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"model": "claude-x", "max_tokens": 100, "messages": list(messages), **members}


def said(role: str, *content: Any) -> dict[str, Any]:
    return {"role": role, "content": content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)}


def request(body: dict[str, Any], target: Target = TARGET) -> Request:
    return DIALECT.decode_request(body, target)


def paths(adaptations: Iterable[Adaptation]) -> list[tuple[str, str]]:
    return [(entry.path, entry.action) for entry in adaptations]


def respelled(response: Response) -> Response:
    """The arguments of calls as canonical JSON: a wire that holds them as objects cannot keep their spaces."""
    message = response.message
    parts = tuple(_respelled(part) if isinstance(part, ToolCall) else part for part in message.parts)
    choice = replace(response.choices[0], message=Message(message.role, parts=parts, extras=message.extras))
    return replace(response, choices=(choice,))


def _respelled(call: ToolCall) -> ToolCall:
    try:
        return replace(call, arguments_text=msgspec.json.encode(call.arguments).decode())
    except InvalidArguments:
        return call
