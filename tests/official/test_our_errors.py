"""The official client of every dialect raises its own error for what our encoders make of an error."""

from __future__ import annotations

import msgspec
import pytest

from dragoman import dialects
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ConnectFailed,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    StreamTruncated,
    TimedOut,
    UpstreamTimeout,
)
from dragoman.values import Assembly, Event, Request, Target, Text, ToolCall
from tests.official.clients import client_of
from tests.official.replay_server import ReplayServer
from tests.wire.recordings import DIALECT_OF

_TARGET = Target(provider="gateway", issuer="gateway", model="m")
_REQUEST = Request(model="m", stream=True, stream_usage=True)

_STATUS: dict[type[DragomanError], int] = {
    InvalidRequest: 400,
    BadRequest: 400,
    ContextOverflow: 400,
    ContentBlocked: 400,
    PermissionDenied: 403,
    NotFound: 404,
    RequestTooLarge: 413,
    RateLimited: 429,
}
"""Classes whose status is no choice of ours; the rest must be errors of the server's side, or of its account."""


def _status_error(dialect: str) -> type[Exception]:
    if dialect == "anthropic":
        import anthropic

        return anthropic.APIStatusError
    if dialect == "gemini":
        from google.genai import errors

        return errors.APIError
    import openai

    return openai.APIError


_KINDS: list[type[DragomanError]] = [
    *_STATUS,
    AuthenticationFailed,
    QuotaExhausted,
    Overloaded,
    UpstreamTimeout,
    ServerFault,
    ConnectFailed,
    TimedOut,
    StreamTruncated,
    AllAttemptsFailed,
]


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dialect", DIALECT_OF.values())
def test_an_error_is_raised_by_the_client(dialect: str, kind: type[DragomanError], replay_server: ReplayServer) -> None:
    encoded = dialects.load(dialect).encode_error(kind("Slow down, please"))
    assert encoded.status == _STATUS[kind] if kind in _STATUS else 400 <= encoded.status < 600
    address = replay_server.serve(
        msgspec.json.encode(encoded.body), status=encoded.status, headers=dict(encoded.headers)
    )
    with pytest.raises(_status_error(dialect), match="Slow down, please") as caught:
        client_of(dialect, address).whole()
    status = getattr(caught.value, "status_code", None) or getattr(caught.value, "code", None)
    assert status == encoded.status


def _begun() -> list[Event]:
    assembly = Assembly(provider="here", dialect="elsewhere", model="m")
    return [
        *assembly.start(id="r1"),
        assembly.open(0, Text(text="")),
        *assembly.delta(0, "Half an "),
        *assembly.end(0),
        assembly.open(1, ToolCall(id="call_1", name="weather")),
        *assembly.delta(1, '{"city":'),
    ]


@pytest.mark.parametrize("dialect", DIALECT_OF.values())
def test_an_error_in_mid_stream_is_raised_by_the_client(dialect: str, replay_server: ReplayServer) -> None:
    encoder = dialects.load(dialect).stream_encoder(_REQUEST, _TARGET)
    body = b"".join(
        [*(encoder.feed(event) for event in _begun()), encoder.fail(Overloaded("Too busy", in_stream=True))]
    )
    address = replay_server.serve(body, headers={"content-type": "text/event-stream"})
    with pytest.raises(_status_error(dialect), match="Too busy"):
        client_of(dialect, address).streamed()
