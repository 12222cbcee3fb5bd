"""Errors: the right class from status and code, whatever the body; and the envelope for our own clients."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
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
    MissingKey,
    NotFound,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    StreamTruncated,
    TimedOut,
    UnknownName,
    Unsupported,
    UpstreamTimeout,
)
from tests.dialects.anthropic.wire import TARGET

_ROWS: list[tuple[int, str, str, str | None, type[ProviderError]]] = [
    (400, "invalid_request_error", "max_tokens: field required", None, BadRequest),
    (400, "invalid_request_error", "prompt is too long: 200082 tokens > 200000 maximum", None, ContextOverflow),
    (
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 184915 + 20000 > 204648",
        None,
        ContextOverflow,
    ),
    (400, "invalid_request_error", "Output blocked by content filtering policy", None, ContentBlocked),
    (400, "invalid_request_error", "Your credit balance is too low to access the API.", None, QuotaExhausted),
    (400, "invalid_request_error", "You have reached your specified API usage limits.", None, QuotaExhausted),
    (400, "invalid_request_error", "x", "request_body_too_large_after_decoding", RequestTooLarge),
    (401, "authentication_error", "invalid x-api-key", None, AuthenticationFailed),
    (402, "billing_error", "x", None, QuotaExhausted),
    (403, "permission_error", "x", None, PermissionDenied),
    (403, "permission_error", "x", "organization_on_hold", PermissionDenied),
    (404, "not_found_error", "model: x", None, NotFound),
    (404, "invalid_request_error", "x", None, NotFound),
    (409, "conflict_error", "x", None, BadRequest),
    (413, "request_too_large", "x", None, RequestTooLarge),
    (413, "invalid_request_error", "x", None, RequestTooLarge),
    (429, "rate_limit_error", "x", None, RateLimited),
    (429, "rate_limit_error", "x", "ramp_limit_exceeded", RateLimited),
    (429, "rate_limit_error", "x", "enforced_spend_limit_reached", QuotaExhausted),
    (500, "api_error", "x", None, ServerFault),
    (502, "api_error", "x", None, ServerFault),
    (503, "api_error", "x", None, Overloaded),
    (504, "timeout_error", "x", None, UpstreamTimeout),
    (529, "overloaded_error", "Overloaded", None, Overloaded),
    (500, "overloaded_error", "Overloaded", None, Overloaded),
    (400, "exceed_context_size_error", "x", None, ContextOverflow),
    (418, "a_future_error", "x", None, BadRequest),
]


@pytest.mark.parametrize(("status", "kind", "message", "code", "wanted"), _ROWS)
def test_an_error_gets_its_class(
    status: int, kind: str, message: str, code: str | None, wanted: type[ProviderError]
) -> None:
    details = {"error_code": code} if code else None
    body = {"type": "error", "error": {"type": kind, "message": message, "details": details}, "request_id": "req_1"}
    error = DIALECT.decode_error(status, {"retry-after": "3"}, msgspec.json.encode(body), TARGET)
    assert type(error) is wanted
    assert (error.provider, error.model, error.status) == ("anthropic", "claude-x", status)
    assert (error.kind, error.code, error.request_id, error.retry_after) == (kind, code, "req_1", 3.0)
    assert error.provider_message == message
    assert error.body == body


_BODIES: list[tuple[bytes, str]] = [
    (b"", ""),
    (b"upstream connect error", "upstream connect error"),
    (b"<html><head><title>502 Bad Gateway</title></head></html>", "a page of HTML instead of JSON: 502 Bad Gateway"),
    (b"<!doctype html><p>no title", "a page of HTML instead of JSON"),
    (b'"just text"', "just text"),
    (b"[1, 2]", ""),
    (b'{"error": "flat"}', "flat"),
    (b'{"message": "bare"}', "bare"),
    (b'{"detail": "fast"}', "fast"),
    (b'{"error": {"message": 3, "type": [], "code": 502}}', ""),
    (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
    (b"[" * 100_000, "[" * 300),
]


@pytest.mark.parametrize(("body", "message"), _BODIES, ids=[str(body[:20]) for body, _ in _BODIES])
def test_any_body_becomes_an_error(body: bytes, message: str) -> None:
    error = DIALECT.decode_error(502, {"request-id": "req_head"}, body, TARGET)
    assert type(error) is ServerFault
    assert (error.provider_message, error.request_id) == (message, "req_head")


_ENVELOPES: list[tuple[DragomanError, int, str]] = [
    (InvalidRequest("bad", path="x"), 400, "invalid_request_error"),
    (Unsupported("no", path="x"), 400, "invalid_request_error"),
    (ContextOverflow("long", provider="anthropic", request_id="req_1"), 400, "invalid_request_error"),
    (ContentBlocked("no"), 400, "invalid_request_error"),
    (AuthenticationFailed("who are you"), 401, "authentication_error"),
    (PermissionDenied("no"), 403, "permission_error"),
    (QuotaExhausted("no"), 402, "billing_error"),
    (NotFound("no"), 404, "not_found_error"),
    (UnknownName("no"), 404, "not_found_error"),
    (RequestTooLarge("no"), 413, "request_too_large"),
    (RateLimited("slow", retry_after=1.5), 429, "rate_limit_error"),
    (Overloaded("busy"), 529, "overloaded_error"),
    (UpstreamTimeout("slow"), 504, "timeout_error"),
    (ServerFault("broken"), 500, "api_error"),
    (TimedOut("slow"), 504, "timeout_error"),
    (PoolExhausted("full"), 529, "overloaded_error"),
    (ConnectFailed("no"), 502, "api_error"),
    (StreamTruncated("cut"), 502, "api_error"),
    (ConfigError("secret path"), 500, "api_error"),
    (AllAttemptsFailed("all", errors=[ServerFault("a"), RateLimited("b", retry_after=2)]), 429, "rate_limit_error"),
    (AllAttemptsFailed("all"), 502, "api_error"),
]


@pytest.mark.parametrize(("error", "status", "kind"), _ENVELOPES, ids=[str(row[0]) for row in _ENVELOPES])
def test_our_clients_get_the_wires_own_envelope(error: DragomanError, status: int, kind: str) -> None:
    encoded = DIALECT.encode_error(error)
    assert (encoded.status, encoded.body["type"], encoded.body["error"]["type"]) == (status, "error", kind)
    assert set(encoded.body) == {"type", "error", "request_id"}
    assert encoded.body["error"]["message"]


def test_waiting_is_said_in_headers() -> None:
    headers = dict(DIALECT.encode_error(RateLimited("slow", retry_after=1.5)).headers)
    assert headers == {"retry-after": "2", "retry-after-ms": "1500"}
    spent = AllAttemptsFailed("all", errors=[RateLimited("b", retry_after=2)])
    assert dict(DIALECT.encode_error(spent).headers)["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed("key sk-secret is wrong", provider="anthropic"),
        PermissionDenied("sk-secret may not", provider="anthropic"),
        QuotaExhausted("account sk-secret is empty", provider="anthropic"),
        MissingKey("set sk-secret", provider="x"),
    ],
)
def test_words_about_our_own_credential_do_not_pass(error: DragomanError) -> None:
    assert "sk-secret" not in str(DIALECT.encode_error(error).body)


def test_an_error_goes_there_and_back() -> None:
    encoded = DIALECT.encode_error(RateLimited("slow down", retry_after=2, provider="x", request_id="req_9"))
    again = DIALECT.decode_error(encoded.status, dict(encoded.headers), msgspec.json.encode(encoded.body), TARGET)
    assert type(again) is RateLimited
    assert (again.provider_message, again.retry_after, again.request_id) == ("slow down", 2, "req_9")
