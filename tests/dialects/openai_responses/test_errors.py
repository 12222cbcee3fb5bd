"""Errors of this wire: the right class whatever the shape, and an envelope for our own clients."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ConfigError,
    ConnectionLost,
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
    TimedOut,
    Unsupported,
    UpstreamTimeout,
)
from tests.dialects.openai_responses.bodies import JSON, OPENAI


def _error(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return DIALECT.decode_error(status, headers or {}, content, OPENAI)


def _told(code: Any = None, kind: str | None = "invalid_request_error", message: str = "Oh.") -> JSON:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, _told("context_length_exceeded"), ContextOverflow),
        (400, _told(400, "exceed_context_size_error"), ContextOverflow),
        (400, _told(message="This model's maximum context length is 8192 tokens."), ContextOverflow),
        (400, _told("content_filter", None), ContentBlocked),
        (400, {"error": {"message": "", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, ContentBlocked),
        (400, _told("invalid_prompt"), ContentBlocked),
        (400, _told("model_not_found"), NotFound),
        (400, _told("previous_response_not_found"), NotFound),
        (400, _told("unknown_parameter"), BadRequest),
        (400, _told("invalid_request_error"), BadRequest),
        (401, _told("invalid_api_key"), AuthenticationFailed),
        (401, {"error": {"code": "401", "message": "Access denied."}}, AuthenticationFailed),
        (402, _told(402, None), QuotaExhausted),
        (403, _told("unsupported_country_region_territory", "request_forbidden"), PermissionDenied),
        (404, _told("DeploymentNotFound"), NotFound),
        (408, _told(), UpstreamTimeout),
        (413, _told("rate_limit_exceeded", "tokens"), RequestTooLarge),
        (
            429,
            _told("rate_limit_exceeded", "tokens", "Request too large for gpt-5.6: Limit 10, Requested 20."),
            RequestTooLarge,
        ),
        (422, _told(), BadRequest),
        (429, _told("rate_limit_exceeded", "tokens"), RateLimited),
        (429, _told("insufficient_quota", "insufficient_quota"), QuotaExhausted),
        (429, _told("billing_hard_limit_reached"), QuotaExhausted),
        (500, _told(None, "server_error"), ServerFault),
        (502, _told(502, None), ServerFault),
        (503, _told(None, "server_error"), Overloaded),
        (503, _told("slow_down", "server_error"), Overloaded),
        (504, _told(None, "server_error"), UpstreamTimeout),
        (529, _told(None, "overloaded_error"), Overloaded),
        (418, _told(), BadRequest),
        (
            400,
            {
                "error": {
                    "code": 400,
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error":{"code":"context_length_exceeded"}}'},
                }
            },
            ContextOverflow,
        ),
        # As over chat completions: hosts of both wires say the same.
        (400, _told(message="Please reduce the length of the messages or completion."), ContextOverflow),
        (400, _told(message="input length and `max_tokens` exceed context limit: 9 + 9 > 10"), ContextOverflow),
        (
            400,
            {"error": "Incorrect API key provided: xa**", "code": "Client specified an invalid argument"},
            AuthenticationFailed,
        ),
        (403, {"error": {"message": "Flagged", "code": 403, "metadata": {"flagged_input": "x"}}}, ContentBlocked),
        (403, {"error": "Content violates usage guidelines.", "code": "permission"}, ContentBlocked),
        (429, {"error": "Your team has used all available credits.", "code": "exhausted"}, QuotaExhausted),
        (404, {"errors": [{"code": "model_not_supported", "message": "No such model"}]}, NotFound),
    ],
)
def test_the_class_of_an_error(status: int, body: JSON, kind: type[ProviderError]) -> None:
    assert type(_error(status, body)) is kind


def test_an_error_tells_all_that_the_wire_does() -> None:
    body = {
        "error": {"message": "Bad.", "type": "invalid_request_error", "param": "input", "code": "unknown_parameter"}
    }
    error = _error(400, body, {"x-request-id": "req_1", "retry-after": "3"})
    assert (error.provider, error.model, error.status) == ("openai", "gpt-5.6", 400)
    assert (error.code, error.kind, error.param) == ("unknown_parameter", "invalid_request_error", "input")
    assert (error.request_id, error.retry_after, error.in_stream) == ("req_1", 3.0, False)
    assert error.provider_message == "Bad."
    assert error.body == body
    assert "Change the request" in str(error)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "a page instead of JSON: 502 Bad Gateway"),
        (b"<html></html>", "a page instead of JSON"),
        (b"upstream connect\n error", "upstream connect error"),
        (b"x" * 5000, "x" * 300),
        (b"", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"null", ""),
        (b"7", ""),
        (b"[]", ""),
        (b'"text"', "text"),
        (b'{"error": "text", "code": "word"}', "text"),
        (b'{"detail": "text"}', "text"),
        (b'{"message": "text"}', "text"),
        (b'{"error": {"message": 5}}', ""),
        (b'[{"error": {"message": "text"}}]', "text"),
        (b'{"errors": [{"message": "text"}], "success": false}', "text"),
        (b'{"detail": [{"loc": ["body", "input"], "msg": "text"}]}', "body.input: text"),
        (b'{"object": "error", "message": {"detail": [{"loc": ["body"], "msg": "text"}]}}', "body: text"),
    ],
)
def test_a_body_of_any_kind_will_do(body: bytes, message: str) -> None:
    error = _error(502, body)
    assert isinstance(error, ServerFault)
    assert error.provider_message == message


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("Bad.", path="input[0]"), 400, None),
        (Unsupported("No.", path="top_k"), 400, "unsupported_parameter"),
        (BadRequest("Bad.", code="unknown_parameter", provider="openai"), 400, "unknown_parameter"),
        (ContextOverflow("Long.", provider="openai"), 400, "context_length_exceeded"),
        (ContentBlocked("No.", provider="openai"), 400, "content_filter"),
        (AuthenticationFailed("sk-12345", provider="openai"), 401, "invalid_api_key"),
        (PermissionDenied("sk-12345", provider="openai"), 403, "permission_denied"),
        (QuotaExhausted("Pay.", provider="openai"), 429, "insufficient_quota"),
        (NotFound("None.", provider="openai"), 404, "model_not_found"),
        (RequestTooLarge("Big.", provider="openai"), 413, "request_too_large"),
        (RateLimited("Wait.", provider="openai"), 429, "rate_limit_exceeded"),
        (Overloaded("Busy.", provider="openai"), 503, "overloaded"),
        (UpstreamTimeout("Slow.", provider="openai"), 504, "timeout"),
        (ServerFault("Oh.", provider="openai"), 502, "upstream_error"),
        (TimedOut("Slow."), 504, "timeout"),
        (PoolExhausted("Full."), 503, "overloaded"),
        (ConnectionLost("Gone."), 502, "connection_lost"),
        (ConfigError("Wrong."), 500, "configuration_error"),
        (AllAttemptsFailed("None.", errors=[ServerFault("Oh."), RateLimited("Wait.")]), 429, "rate_limit_exceeded"),
        (AllAttemptsFailed("None."), 500, None),
    ],
)
def test_our_own_envelope(error: DragomanError, status: int, code: str | None) -> None:
    encoded = DIALECT.encode_error(error)
    assert encoded.status == status
    assert encoded.body["error"].keys() == {"message", "type", "param", "code"}
    assert encoded.body["error"]["code"] == code
    assert encoded.body["error"]["message"]
    assert "sk-12345" not in str(encoded.body)


def test_our_envelope_tells_when_to_come_back_and_what_is_wrong() -> None:
    encoded = DIALECT.encode_error(RateLimited("Wait.", retry_after=1.25))
    assert dict(encoded.headers) == {"retry-after": "2", "retry-after-ms": "1250"}
    assert DIALECT.encode_error(InvalidRequest("Bad.", path="input[0]")).body["error"]["param"] == "input[0]"
    tried = DIALECT.encode_error(AllAttemptsFailed("None.", errors=[Overloaded("Busy.")]))
    assert ("x-should-retry", "false") in tried.headers


def test_what_we_write_we_read_alike() -> None:
    for error in (RateLimited("Wait."), ContextOverflow("Long."), Overloaded("Busy."), QuotaExhausted("Pay.")):
        encoded = DIALECT.encode_error(error)
        assert type(_error(encoded.status, encoded.body)) is type(error)
