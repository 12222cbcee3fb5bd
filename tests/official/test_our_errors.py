"""The official client of every dialect raises its own error for what our encoders make of an error."""

from __future__ import annotations

import re
from typing import Any

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
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    StreamTruncated,
    TimedOut,
    UpstreamTimeout,
)
from dragoman.values import Assembly, Event, Request, Target, Text, ToolCall
from tests.official.asking import Official
from tests.official.clients import JUDGED

_TARGET = Target(provider="gateway", issuer="gateway", model="m")
_REQUEST = Request(model="m", stream=True, stream_usage=True)

_STATUS: dict[type[DragomanError], int] = {
    InvalidRequest: 400,
    BadRequest: 400,
    ContextOverflow: 400,
    ContentBlocked: 400,
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
    if dialect == "bedrock":
        from botocore import exceptions  # pyright: ignore[reportMissingTypeStubs]

        return exceptions.ClientError
    import openai

    return openai.APIError


_KINDS: list[type[DragomanError]] = [
    *_STATUS,
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
@pytest.mark.parametrize("dialect", JUDGED)
def test_an_error_is_raised_by_the_client(dialect: str, kind: type[DragomanError], official: Official) -> None:
    encoded = dialects.load(dialect).encode_error(kind("Slow down, please"))
    assert encoded.status == _STATUS[kind] if kind in _STATUS else 400 <= encoded.status < 600
    client = official.given(dialect, encoded.body, status=encoded.status, headers=dict(encoded.headers))
    with pytest.raises(_status_error(dialect), match="Slow down, please") as caught:
        client.whole()
    error: Any = caught.value
    if dialect == "bedrock":
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    else:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
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


@pytest.mark.parametrize("dialect", JUDGED)
def test_an_error_in_mid_stream_is_raised_by_the_client(dialect: str, official: Official) -> None:
    encoder = dialects.load(dialect).stream_encoder(_REQUEST, _TARGET)
    body = b"".join(
        [*(encoder.feed(event) for event in _begun()), encoder.fail(Overloaded("Too busy", in_stream=True))]
    )
    client = official.given(dialect, body)
    with pytest.raises(_status_error(dialect), match="Too busy"):
        client.streamed()


@pytest.mark.parametrize("kind", [AuthenticationFailed, PermissionDenied], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dialect", JUDGED)
def test_what_a_provider_says_of_our_credential_stays_with_us(
    dialect: str, kind: type[ProviderError], official: Official
) -> None:
    refusal = kind("Incorrect API key: sk-live-12345", provider="openai", status=401, body={"key": "sk-live-12345"})
    encoded = dialects.load(dialect).encode_error(refusal)
    client = official.given(dialect, encoded.body, status=encoded.status, headers=dict(encoded.headers))
    with pytest.raises(_status_error(dialect)) as caught:
        client.whole()
    assert "sk-live" not in f"{caught.value} {encoded}"
    assert re.search("credential|key", str(caught.value))
