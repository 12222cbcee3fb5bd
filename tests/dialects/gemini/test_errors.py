"""Errors of this wire become the right class, and ours become this wire's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import errors
from dragoman.dialects.gemini.dialect import DIALECT
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ContextOverflow,
    DragomanError,
    InvalidRequest,
    MissingKey,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    TimedOut,
    UnknownName,
    UpstreamTimeout,
)
from tests.dialects.gemini.wire import TARGET

RPC = "type.googleapis.com/google.rpc."


def decoded(status: int, error: Any, headers: Any = None) -> ProviderError:
    body = error if isinstance(error, bytes) else msgspec.json.encode({"error": error})
    return DIALECT.decode_error(status, headers or {}, body, TARGET)


def quota(*violations: Any) -> Any:
    details = [{"@type": f"{RPC}QuotaFailure", "violations": list(violations)}]
    return {"code": 429, "message": "You exceeded your quota.", "status": "RESOURCE_EXHAUSTED", "details": details}


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"status": "INVALID_ARGUMENT", "message": "Bad."}, BadRequest),
        (
            400,
            {
                "status": "INVALID_ARGUMENT",
                "message": "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
            },
            ContextOverflow,
        ),
        (
            400,
            {
                "status": "INVALID_ARGUMENT",
                "message": "Unable to submit request because the input token count is 9 but model only supports up"
                " to 8. Reduce the input token count and try again.",
            },
            ContextOverflow,
        ),
        (
            400,
            {"status": "INVALID_ARGUMENT", "message": "Request payload size exceeds the limit: 20971520 bytes."},
            RequestTooLarge,
        ),
        (
            400,
            {
                "status": "INVALID_ARGUMENT",
                "message": "API key not valid. Please pass a valid API key.",
                "details": [{"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID"}],
            },
            AuthenticationFailed,
        ),
        (400, {"status": "INVALID_ARGUMENT", "message": "API key expired. Please renew it."}, AuthenticationFailed),
        (
            400,
            {"status": "FAILED_PRECONDITION", "message": "User location is not supported for the API use."},
            PermissionDenied,
        ),
        (400, {"status": "FAILED_PRECONDITION", "message": "Precondition check failed."}, BadRequest),
        (401, {"status": "UNAUTHENTICATED"}, AuthenticationFailed),
        (403, {"status": "PERMISSION_DENIED"}, PermissionDenied),
        (
            403,
            {"status": "PERMISSION_DENIED", "details": [{"@type": f"{RPC}ErrorInfo", "reason": "BILLING_DISABLED"}]},
            QuotaExhausted,
        ),
        (404, {"status": "NOT_FOUND"}, NotFound),
        (408, {}, UpstreamTimeout),
        (409, {"status": "ABORTED"}, Overloaded),
        (413, {}, RequestTooLarge),
        (
            429,
            {"status": "RESOURCE_EXHAUSTED", "message": "Resource has been exhausted (e.g. check quota)."},
            RateLimited,
        ),
        (
            429,
            quota({"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "10"}),
            RateLimited,
        ),
        (
            429,
            quota(
                {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"},
                {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
            ),
            QuotaExhausted,
        ),
        (429, quota({"quotaId": "GenerateContentInputTokensPerModelPerMinute", "quotaValue": "0"}), QuotaExhausted),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "Your prepayment credits are depleted."}, QuotaExhausted),
        (
            429,
            {"status": "RESOURCE_EXHAUSTED", "message": "Your project has exceeded its monthly spending cap."},
            QuotaExhausted,
        ),
        (499, {"status": "CANCELLED"}, ServerFault),
        (500, {"status": "INTERNAL"}, ServerFault),
        (500, {"status": "UNKNOWN"}, ServerFault),
        (501, {"status": "UNIMPLEMENTED"}, NotFound),
        (502, {}, ServerFault),
        (503, {"status": "UNAVAILABLE", "message": "The model is overloaded. Please try again later."}, Overloaded),
        (504, {"status": "DEADLINE_EXCEEDED"}, UpstreamTimeout),
        (418, {"status": "TEAPOT"}, BadRequest),
    ],
)
def test_the_class_of_an_error(status: int, error: Any, kind: type[ProviderError]) -> None:
    raised = decoded(status, error)
    assert type(raised) is kind
    assert (raised.status, raised.provider, raised.model) == (status, "google", "gemini-x")
    assert raised.kind == error.get("status")


def test_what_an_error_tells() -> None:
    details = [
        {"@type": f"{RPC}ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"},
        {"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": "contents[0]", "description": "no"}]},
        {"@type": f"{RPC}RetryInfo", "retryDelay": "27.5s"},
    ]
    error = {"code": 429, "message": "Slow.", "status": "RESOURCE_EXHAUSTED", "details": details}
    raised = decoded(429, error, {"x-request-id": "q-1"})
    assert (raised.code, raised.kind, raised.param) == ("RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "contents[0]")
    assert (raised.retry_after, raised.request_id, raised.provider_message) == (27.5, "q-1", "Slow.")
    assert raised.body == {"error": error}
    assert decoded(429, error, {"retry-after": "5"}).retry_after == 5
    odd = {"@type": f"{RPC}RetryInfo", "retryDelay": {"seconds": "3", "nanos": 500_000_000}}
    assert decoded(429, {**error, "details": [odd]}).retry_after == 3.5
    assert decoded(429, {**error, "details": [{"@type": f"{RPC}RetryInfo", "retryDelay": "soon"}]}).retry_after is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'[{"error": {"code": 503, "message": "Busy.", "status": "UNAVAILABLE"}}]', "Busy."),
        (b'{"error": "Busy."}', "Busy."),
        (b'{"message": "Busy."}', "Busy."),
        (
            b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title>",
            "a page of HTML in place of JSON: 502 Bad Gateway",
        ),
        (b"<html>", "a page of HTML in place of JSON"),
        (b"upstream connect error", "upstream connect error"),
        (b"", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[]", "[]"),
        (b"[" * 100_000, "[" * 500),
    ],
)
def test_any_body_will_do(body: bytes, message: str) -> None:
    raised = decoded(503, body)
    assert type(raised) is Overloaded
    assert raised.provider_message == message


# -- ours --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InvalidRequest("No contents.", path="contents"), 400, "INVALID_ARGUMENT"),
        (UnknownName("no such model"), 404, "NOT_FOUND"),
        (MissingKey("set X_API_KEY", provider="x"), 500, "INTERNAL"),
        (AuthenticationFailed("bad key sk-123", provider="x", status=401), 401, "UNAUTHENTICATED"),
        (PermissionDenied("not yours", provider="x"), 403, "PERMISSION_DENIED"),
        (QuotaExhausted("pay", provider="x"), 429, "RESOURCE_EXHAUSTED"),
        (NotFound("where", provider="x"), 404, "NOT_FOUND"),
        (ContextOverflow("long", provider="x"), 400, "INVALID_ARGUMENT"),
        (RequestTooLarge("big", provider="x"), 413, "INVALID_ARGUMENT"),
        (RateLimited("slow", provider="x", retry_after=1.2), 429, "RESOURCE_EXHAUSTED"),
        (Overloaded("busy", provider="x"), 503, "UNAVAILABLE"),
        (UpstreamTimeout("late", provider="x"), 504, "DEADLINE_EXCEEDED"),
        (ServerFault("oops", provider="x"), 502, "UNAVAILABLE"),
        (TimedOut("late", phase="idle"), 504, "DEADLINE_EXCEEDED"),
        (AllAttemptsFailed("all", errors=[TimedOut("late"), Overloaded("busy", provider="x")]), 503, "UNAVAILABLE"),
        (DragomanError("odd"), 500, "INTERNAL"),
    ],
)
def test_our_errors_for_its_clients(error: DragomanError, status: int, word: str) -> None:
    written = DIALECT.encode_error(error)
    told = written.body["error"]
    assert (written.status, told["code"], told["status"]) == (status, status, word)
    assert told["message"]
    assert "sk-123" not in str(written.body)
    assert "X_API_KEY" not in str(written.body)


def test_every_class_of_ours_can_be_told() -> None:
    kinds = [kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)]
    for kind in kinds:
        if issubclass(kind, ProviderError):
            assert DIALECT.encode_error(kind("x")).status >= 400


def test_what_helps_a_client_is_told() -> None:
    refused = DIALECT.encode_error(InvalidRequest("No.", path="contents[0]")).body["error"]
    assert refused["details"][0]["fieldViolations"] == [{"field": "contents[0]", "description": "No."}]
    limited = DIALECT.encode_error(RateLimited("slow", provider="x", retry_after=1.2))
    assert limited.headers == (("retry-after", "2"), ("retry-after-ms", "1200"))
    assert decoded(429, limited.body["error"]).retry_after == 1.2
