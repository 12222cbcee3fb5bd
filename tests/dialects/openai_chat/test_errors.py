"""Errors: the right class for what hosts answer, and the envelope that our own clients get."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
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
    ProtocolViolation,
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
from tests.dialects.openai_chat.wire import JSON, OPENAI


def openai(message: str = "m", kind: str | None = None, code: Any = None, param: str | None = None) -> JSON:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def openrouter(code: int, **metadata: Any) -> JSON:
    return {"error": {"code": code, "message": "Provider returned error", "metadata": metadata}, "user_id": "u"}


def decoded(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return DIALECT.decode_error(status, headers or {}, raw, OPENAI)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # the status decides
        (400, openai(kind="invalid_request_error"), BadRequest),
        (401, openai(), AuthenticationFailed),
        (402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), QuotaExhausted),
        (403, openai(kind="invalid_request_error"), PermissionDenied),
        (404, openai(), NotFound),
        (408, openai(), UpstreamTimeout),
        (413, openai("too large", "tokens", "rate_limit_exceeded"), RequestTooLarge),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, BadRequest),
        (429, openai(kind="credit_limit"), RateLimited),
        (498, openai(code="capacity_exceeded"), Overloaded),
        (500, openai(kind="server_error"), ServerFault),
        (502, b"<html>", ServerFault),
        (503, openai(kind="server_error"), Overloaded),
        (504, b"", UpstreamTimeout),
        (524, {"error": {"code": 524, "message": "m"}}, UpstreamTimeout),
        (529, openrouter(529), Overloaded),
        # the code decides
        (400, openai(code="context_length_exceeded"), ContextOverflow),
        (400, {"error": {"code": 400, "message": "m", "type": "exceed_context_size_error"}}, ContextOverflow),
        (400, openai(code="content_filter"), ContentBlocked),
        (400, openai(code="content_policy_violation"), ContentBlocked),
        (400, {"error": {"message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, ContentBlocked),
        (429, openai(kind="insufficient_quota", code="insufficient_quota"), QuotaExhausted),
        (429, {"error": {"code": "1113", "message": "m"}}, QuotaExhausted),
        (429, openai(kind="exceeded_current_quota_error"), QuotaExhausted),
        (
            429,
            {"object": "error", "message": "m", "type": "service_tier_capacity_exceeded", "code": "3505"},
            Overloaded,
        ),
        (429, openai(code="rate_limit_exceeded", kind="tokens"), RateLimited),
        (429, {"error": {"code": "429", "message": "m"}}, RateLimited),
        (400, openai(code="invalid_api_key"), AuthenticationFailed),
        (400, openai(code="model_decommissioned"), NotFound),
        (404, {"error": {"code": "DeploymentNotFound", "message": "m"}}, NotFound),
        (400, openai(code="tool_use_failed"), BadRequest),
        (403, openai(kind="request_forbidden", code="unsupported_country_region_territory"), PermissionDenied),
        (
            400,
            [{"error": {"code": 400, "message": "m", "details": [{"reason": "API_KEY_INVALID"}], "status": "X"}}],
            AuthenticationFailed,
        ),
        (400, {"object": "error", "message": "m", "type": "invalid_model", "code": "1500"}, NotFound),
        # words alone tell
        (400, openai("Please reduce the length of the messages or completion."), ContextOverflow),
        (429, openai("you (me) have reached your weekly usage limit"), QuotaExhausted),
        (400, openai("This model's maximum context length is 8192 tokens."), ContextOverflow),
        (400, {"code": "c", "error": "This model's maximum prompt length is 131072"}, ContextOverflow),
        (400, openrouter(400, raw='{"error": {"message": "prompt is too long: 210000 tokens"}}'), ContextOverflow),
        (422, {"error": "`inputs` must have less than 4095 tokens. Given: 5000", "error_type": "v"}, ContextOverflow),
        (400, {"message": "input length and `max_tokens` exceed context limit: 9 + 9 > 10"}, ContextOverflow),
        (
            400,
            {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***"},
            AuthenticationFailed,
        ),
        (429, {"code": "c", "error": "Your team has either used all available credits or …"}, QuotaExhausted),
        (429, openai("Request too large for gpt-4o in organization", "tokens", "rate_limit_exceeded"), RequestTooLarge),
        (403, openrouter(403, raw='{"error": "Content violates usage guidelines."}'), ContentBlocked),
        (403, openrouter(403, reasons=["violence"], flagged_input="x"), ContentBlocked),
        # what another host said, quoted
        (400, openrouter(400, raw='{"error": {"code": "context_length_exceeded", "message": "x"}}'), ContextOverflow),
        (429, openrouter(429, raw="temporarily rate-limited upstream"), RateLimited),
        (402, openrouter(402), QuotaExhausted),
    ],
)
def test_classes(status: int, body: Any, expected: type[ProviderError]) -> None:
    error = decoded(status, body)
    assert type(error) is expected
    assert (error.status, error.provider, error.model) == (status, "openai", "gpt-4o")
    assert error.advice in str(error)


@pytest.mark.parametrize(
    ("body", "message", "code", "kind", "param"),
    [
        (openai("m", "t", "c", "p"), "m", "c", "t", "p"),
        ({"error": {"message": "m", "code": 404}}, "m", "404", None, None),
        ({"code": "A sentence", "error": "m"}, "m", "A sentence", None, None),
        ({"detail": "m"}, "m", None, None, None),
        ({"detail": [{"loc": ["body", "n"], "msg": "bad"}, {"msg": "worse"}]}, "body.n: bad; worse", None, None, None),
        ({"object": "error", "message": "m", "type": "t", "code": None}, "m", None, "t", None),
        (
            [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}],
            "m",
            "400",
            "INVALID_ARGUMENT",
            None,
        ),
        ({"errors": [{"message": "m", "code": 3043}]}, "m", "3043", None, None),
        (
            openrouter(400, raw='{"error": {"message": "q", "param": "max_output_tokens"}}', provider_name="OpenAI"),
            "Provider returned error",
            "400",
            None,
            "max_output_tokens",
        ),
        (
            b"<html><head><title>502 Bad\n Gateway</title></head></html>",
            "a web page instead of an answer: 502 Bad Gateway",
            None,
            None,
            None,
        ),
        (b"upstream  connect error", "upstream connect error", None, None, None),
        (b"", "", None, None, None),
        (b"\xff\xfe", "\ufffd\ufffd", None, None, None),
    ],
)
def test_what_an_error_says(body: Any, message: str, code: str | None, kind: str | None, param: str | None) -> None:
    error = decoded(500, body)
    assert (error.provider_message, error.code, error.kind, error.param) == (message, code, kind, param)


def test_what_openrouter_quotes_is_told() -> None:
    error = decoded(502, openrouter(502, raw='{"error": {"message": "boom"}}', provider_name="X"))
    assert "It quotes X: boom" in str(error)


def test_headers_tell_the_wait_and_the_id() -> None:
    headers = {"retry-after": "20", "retry-after-ms": "18642", "x-request-id": "req_1"}
    error = decoded(429, openai(), headers)
    assert (error.retry_after, error.request_id) == (18.642, "req_1")
    assert decoded(500, {"error": "m", "request_id": "req_2"}).request_id == "req_2"


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"7", b'"x"', b"[[[[]]]]", b'{"error": null}', b'{"error": [1]}', b"{"]
)
def test_any_body_gives_an_error(body: bytes) -> None:
    assert type(decoded(500, body)) is ServerFault


def test_nesting_without_end_gives_an_error() -> None:
    assert type(decoded(500, b"[" * 100_000)) is ServerFault
    assert type(decoded(500, b'{"errors":[' * 500 + b"1" + b"]}" * 500)) is ServerFault


@pytest.mark.parametrize(
    ("body", "expected", "status"),
    [
        (openrouter(502), ServerFault, 502),
        ({"error": {"message": "m", "code": "content_filter", "status": 400}}, ContentBlocked, 400),
        ({"object": "error", "message": "m", "code": 404}, NotFound, 404),
        ({"error": "m"}, ServerFault, None),
        ({"message": "m", "code": 10013}, ServerFault, None),
        ({"success": False, "result": None, "errors": [{"message": "m", "code": "model_not_found"}]}, NotFound, None),
        (
            {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
            QuotaExhausted,
            None,
        ),
        ({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, RateLimited, None),
    ],
)
def test_an_error_in_place_of_an_answer(body: JSON, expected: type[ProviderError], status: int | None) -> None:
    for decode in (DIALECT.decode_response, DIALECT.decode_embedding_response):
        assert decode is not None
        with pytest.raises(ProviderError) as caught:
            decode(body, OPENAI)
        assert type(caught.value) is expected
        assert (caught.value.status, caught.value.in_stream) == (status, False)


# -- the envelope ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (InvalidRequest("m", path="messages[0]"), 400, "invalid_request_error", None),
        (Unsupported("m", path="top_k"), 400, "invalid_request_error", "unsupported_parameter"),
        (UnknownName("m"), 404, "invalid_request_error", "model_not_found"),
        (ConfigError("m"), 500, "server_error", "configuration_error"),
        (AuthenticationFailed("m"), 401, "invalid_request_error", "invalid_api_key"),
        (PermissionDenied("m"), 403, "invalid_request_error", "permission_denied"),
        (QuotaExhausted("m"), 429, "insufficient_quota", "insufficient_quota"),
        (NotFound("m"), 404, "invalid_request_error", "model_not_found"),
        (BadRequest("m", code="c"), 400, "invalid_request_error", "c"),
        (ContextOverflow("m"), 400, "invalid_request_error", "context_length_exceeded"),
        (ContentBlocked("m"), 400, "invalid_request_error", "content_filter"),
        (RequestTooLarge("m"), 413, "invalid_request_error", "request_too_large"),
        (RateLimited("m"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (Overloaded("m"), 503, "server_error", "overloaded"),
        (UpstreamTimeout("m"), 504, "server_error", "timeout"),
        (ServerFault("m"), 502, "server_error", "upstream_error"),
        (ConnectFailed("m"), 502, "server_error", "connection_failed"),
        (TimedOut("m"), 504, "server_error", "timeout"),
        (PoolExhausted("m"), 503, "server_error", "overloaded"),
        (ProtocolViolation("m"), 502, "server_error", "bad_upstream_answer"),
        (StreamTruncated("m"), 502, "server_error", "connection_lost"),
        (DragomanError("m"), 500, "server_error", None),
        (AllAttemptsFailed("m"), 500, "server_error", None),
        (
            AllAttemptsFailed("m", errors=[ServerFault("a"), RateLimited("b")]),
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
        ),
    ],
)
def test_the_envelope(error: DragomanError, status: int, kind: str, code: str | None) -> None:
    encoded = DIALECT.encode_error(error)
    assert encoded.status == status
    assert encoded.body.keys() == {"error"}
    assert encoded.body["error"].keys() == {"message", "type", "param", "code"}
    assert (encoded.body["error"]["type"], encoded.body["error"]["code"]) == (kind, code)


@pytest.mark.parametrize(
    "kind",
    [
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
    ],
)
def test_a_client_of_ours_that_is_ours_too_gets_the_same_class(kind: type[ProviderError]) -> None:
    encoded = DIALECT.encode_error(kind("m", provider="x"))
    assert type(decoded(encoded.status, encoded.body)) is kind


@pytest.mark.parametrize("kind", [AuthenticationFailed, PermissionDenied, QuotaExhausted])
def test_words_about_our_credential_do_not_pass(kind: type[ProviderError]) -> None:
    encoded = DIALECT.encode_error(kind("Key sk-secret of org-1", provider="x", body={"key": "sk-secret"}))
    assert "sk-secret" not in str(encoded)


def test_the_wait_is_passed_on() -> None:
    encoded = DIALECT.encode_error(RateLimited("m", retry_after=1.2))
    assert dict(encoded.headers) == {"retry-after": "2", "retry-after-ms": "1200"}
    everything = AllAttemptsFailed("m", errors=[RateLimited("m", retry_after=1.0)])
    assert dict(DIALECT.encode_error(everything).headers)["x-should-retry"] == "false"


def test_the_member_to_blame_is_named() -> None:
    assert DIALECT.encode_error(InvalidRequest("m", path="messages[0]")).body["error"]["param"] == "messages[0]"
    assert DIALECT.encode_error(BadRequest("m", param="n")).body["error"]["param"] == "n"
