"""Errors, both ways: the exception's name, words that stand for one, the status."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.bedrock.dialect import DIALECT
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ConfigError,
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
    UpstreamTimeout,
)
from tests.dialects.bedrock.wire import TARGET


def _decoded(status: int, name: str = "", message: str = "No.", **headers: str) -> ProviderError:
    given = {"x-amzn-errortype": name, "x-amzn-requestid": "r-1", **headers} if name else headers
    return DIALECT.decode_error(status, given, msgspec.json.encode({"message": message}), TARGET)


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException", BadRequest),
        (400, "ServiceQuotaExceededException", QuotaExhausted),
        (403, "AccessDeniedException:http://internal.amazon.com/coral/", PermissionDenied),
        (403, "ExpiredTokenException:http://internal.amazon.com/coral/", AuthenticationFailed),
        (403, "UnrecognizedClientException", AuthenticationFailed),
        (403, "InvalidSignatureException", AuthenticationFailed),
        (403, "MissingAuthenticationTokenException", AuthenticationFailed),
        (404, "ResourceNotFoundException", NotFound),
        (404, "UnknownOperationException", NotFound),
        (408, "ModelTimeoutException", UpstreamTimeout),
        (424, "ModelErrorException", ServerFault),
        (429, "ThrottlingException", RateLimited),
        (429, "ModelNotReadyException", Overloaded),
        (500, "InternalServerException", ServerFault),
        (503, "ServiceUnavailableException", Overloaded),
        (418, "NewException", BadRequest),
        (401, "", AuthenticationFailed),
        (502, "", ServerFault),
    ],
)
def test_the_name_decides_and_else_the_status(status: int, name: str, kind: type[ProviderError]) -> None:
    error = _decoded(status, name)
    assert type(error) is kind
    assert (error.status, error.provider, error.model) == (status, "bedrock", TARGET.model)
    assert error.code == (name.partition(":")[0] or None)
    assert error.provider_message == "No."
    assert error.request_id == ("r-1" if name else None)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Input is too long for requested model.", ContextOverflow),
        (
            "The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum",
            ContextOverflow,
        ),
        ("Input Tokens Exceeded: Number of input tokens exceeds maximum length.", ContextOverflow),
        ("This model's maximum context length is 8192 tokens.", ContextOverflow),
        ("Output blocked by content filtering policy", ContentBlocked),
        ("The provided model identifier is invalid.", BadRequest),
    ],
)
@pytest.mark.parametrize("name", ["ValidationException", ""])
def test_words_that_stand_for_a_code(message: str, kind: type[ProviderError], name: str) -> None:
    assert type(_decoded(400, name, message)) is kind


def test_the_name_may_stand_in_the_body() -> None:
    body = b'{"__type":"com.amazon.coral.service#ThrottlingException","Message":"Slow."}'
    error = DIALECT.decode_error(400, {}, body, TARGET)
    assert isinstance(error, RateLimited)
    assert (error.code, error.provider_message) == ("ThrottlingException", "Slow.")


def test_the_wait_is_told() -> None:
    assert _decoded(429, "ThrottlingException", **{"retry-after": "3"}).retry_after == 3


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff", b"<html><title>502 Bad</title>", b'{"message":[1]}'])
def test_whatever_the_body_is_there_is_an_error(body: bytes) -> None:
    error = DIALECT.decode_error(502, {}, body, TARGET)
    assert isinstance(error, ServerFault)
    assert len(error.message) < 500


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (InvalidRequest("No."), 400, "ValidationException"),
        (ContextOverflow("No."), 400, "ValidationException"),
        (RequestTooLarge("No."), 413, "RequestEntityTooLargeException"),
        (AuthenticationFailed("No."), 403, "UnrecognizedClientException"),
        (PermissionDenied("No."), 403, "AccessDeniedException"),
        (NotFound("No."), 404, "ResourceNotFoundException"),
        (RateLimited("No.", retry_after=1.5), 429, "ThrottlingException"),
        (Overloaded("No."), 503, "ServiceUnavailableException"),
        (DragomanError("No."), 500, "InternalServerException"),
    ],
)
def test_our_errors_are_exceptions_of_the_service(error: DragomanError, status: int, name: str) -> None:
    encoded = DIALECT.encode_error(error)
    headers = dict(encoded.headers)
    assert (encoded.status, headers["x-amzn-errortype"]) == (status, name)
    assert encoded.body == {"message": "No."}
    again = DIALECT.decode_error(status, headers, msgspec.json.encode(encoded.body), TARGET)
    waited = again.retry_after
    if type(error) not in (InvalidRequest, ContextOverflow, DragomanError):
        assert type(again) is type(error)
    if name == "ThrottlingException":
        assert waited == 1.5


def test_secrets_stay_with_us_and_clients_are_told_not_to_multiply() -> None:
    refused = AuthenticationFailed("key ABSK-secret is wrong", provider="openai", request_id="r-9")
    encoded = DIALECT.encode_error(AllAttemptsFailed("All failed.", errors=[refused]))
    assert "ABSK" not in str(encoded)
    headers = dict(encoded.headers)
    assert (headers["x-should-retry"], headers["x-amzn-requestid"]) == ("false", "r-9")
    assert "key.txt" not in str(DIALECT.encode_error(ConfigError("cannot read key.txt")).body)
