"""Which class of its own the official client of each dialect raises for each class of ours, and what we read again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import dialects
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ConfigError,
    ConnectFailed,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    SpoolFull,
    TimedOut,
    Unsupported,
    UpstreamTimeout,
)
from dragoman.values import Target
from tests.official.asking import Official

PUBLIC = ("openai-chat", "openai-responses", "anthropic", "gemini")

# Our error, the class that OpenAI's client raises, Anthropic's, Google's.
_TABLE: list[tuple[DragomanError, str, str, str]] = [
    (InvalidRequest("m", path="x"), "BadRequestError", "BadRequestError", "ClientError"),
    (Unsupported("m", path="x"), "BadRequestError", "BadRequestError", "ClientError"),
    (BadRequest("m", provider="p"), "BadRequestError", "BadRequestError", "ClientError"),
    (ContextOverflow("m", provider="p"), "BadRequestError", "BadRequestError", "ClientError"),
    (ContentBlocked("m", provider="p"), "BadRequestError", "BadRequestError", "ClientError"),
    (AuthenticationFailed("m"), "AuthenticationError", "AuthenticationError", "ClientError"),
    (PermissionDenied("m"), "PermissionDeniedError", "PermissionDeniedError", "ClientError"),
    (NotFound("m", provider="p"), "NotFoundError", "NotFoundError", "ClientError"),
    (RequestTooLarge("m", provider="p"), "APIStatusError", "ContentTooLargeError", "ClientError"),
    (RateLimited("m", provider="p"), "RateLimitError", "RateLimitError", "ClientError"),
    (QuotaExhausted("m", provider="p"), "RateLimitError", "PaymentRequiredError", "ClientError"),
    (Overloaded("m", provider="p"), "InternalServerError", "OverloadedError", "ServerError"),
    (PoolExhausted("m"), "InternalServerError", "OverloadedError", "ServerError"),
    (SpoolFull("m"), "InternalServerError", "OverloadedError", "ServerError"),
    (UpstreamTimeout("m", provider="p"), "InternalServerError", "GatewayTimeoutError", "ServerError"),
    (TimedOut("m"), "InternalServerError", "GatewayTimeoutError", "ServerError"),
    (ServerFault("m", provider="p"), "InternalServerError", "InternalServerError", "ServerError"),
    (ConnectFailed("m"), "InternalServerError", "InternalServerError", "ServerError"),
    (ConfigError("m"), "InternalServerError", "InternalServerError", "ServerError"),
    (
        AllAttemptsFailed("m", errors=[ServerFault("a"), NotFound("b")]),
        "NotFoundError",
        "NotFoundError",
        "ClientError",
    ),
]
_COLUMN = {"openai-chat": 1, "openai-responses": 1, "anthropic": 2, "gemini": 3}


def _name(row: tuple[DragomanError, str, str, str]) -> str:
    return type(row[0]).__name__


@pytest.mark.parametrize("row", _TABLE, ids=_name)
@pytest.mark.parametrize("dialect", PUBLIC)
def test_the_client_raises_its_own_class(
    dialect: str, row: tuple[DragomanError, str, str, str], official: Official
) -> None:
    encoded = dialects.load(dialect).encode_error(row[0])
    client = official.given(dialect, encoded.body, status=encoded.status, headers=dict(encoded.headers))
    with pytest.raises(Exception, match=r".") as caught:
        client.whole()
    assert type(caught.value).__name__ == row[_COLUMN[dialect]]


_KEPT: list[type[ProviderError]] = [
    AuthenticationFailed,
    PermissionDenied,
    QuotaExhausted,
    NotFound,
    BadRequest,
    ContextOverflow,
    ContentBlocked,
    RequestTooLarge,
    RateLimited,
    Overloaded,
    UpstreamTimeout,
    ServerFault,
]


@pytest.mark.parametrize("kind", _KEPT, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dialect", PUBLIC)
def test_a_client_of_ours_reads_the_same_class(dialect: str, kind: type[ProviderError]) -> None:
    codec = dialects.load(dialect)
    encoded = codec.encode_error(kind("m", provider="upstream", retry_after=1.5))
    headers = dict(encoded.headers)
    again = codec.decode_error(encoded.status, headers, msgspec.json.encode(encoded.body), Target(provider="gateway"))
    assert type(again) is kind
    assert again.retry_after == 1.5
    assert headers["retry-after-ms"] == "1500"
    assert ("x-should-retry" in headers) == (kind is QuotaExhausted)


@pytest.mark.parametrize("dialect", PUBLIC)
def test_what_concerns_our_own_side_is_said_alike_everywhere(dialect: str) -> None:
    codec = dialects.load(dialect)

    def message(error: DragomanError) -> str:
        told: Any = codec.encode_error(error).body
        return told["error"]["message"]

    for kind in (AuthenticationFailed, PermissionDenied, QuotaExhausted):
        said = message(kind("sk-live of org-9", provider="openai"))
        assert said == "openai did not accept the credential or account that it was called with"
    assert message(ConfigError("/etc/secret.yaml")) == (
        "The gateway's configuration does not allow this request to be answered."
    )


def test_an_error_of_vertex_comes_in_a_list() -> None:
    body = b'[{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}]'
    error = dialects.load("anthropic").decode_error(429, {}, body, Target(provider="vertex"))
    assert type(error) is RateLimited
    assert (error.provider_message, error.kind) == ("Quota exceeded", "RESOURCE_EXHAUSTED")
