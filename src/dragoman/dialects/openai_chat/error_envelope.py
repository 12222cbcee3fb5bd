"""The errors that our gateway's clients get in this dialect: status, type and code for each class of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_words import client_message, subject_of, withheld
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
    MissingModel,
    NotFound,
    OutputError,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
    ProtocolViolation,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    TimedOut,
    TransportError,
    UnknownName,
    UnknownProvider,
    Unsupported,
    UpstreamTimeout,
)

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["encode_error", "error_object"]

# The first class that an error is an instance of decides, so special ones stand before general ones.
_ROWS: Final[tuple[tuple[type[DragomanError], int, str, str | None], ...]] = (
    (InvalidRequest, 400, "invalid_request_error", None),
    (Unsupported, 400, "invalid_request_error", "unsupported_parameter"),
    (UnknownName, 404, "invalid_request_error", "model_not_found"),
    (UnknownProvider, 404, "invalid_request_error", "model_not_found"),
    (MissingModel, 400, "invalid_request_error", "model_required"),
    (ConfigError, 500, "server_error", "configuration_error"),
    (AuthenticationFailed, 401, "invalid_request_error", "invalid_api_key"),
    (PermissionDenied, 403, "invalid_request_error", "permission_denied"),
    (QuotaExhausted, 429, "insufficient_quota", "insufficient_quota"),
    (NotFound, 404, "invalid_request_error", "model_not_found"),
    (ContextOverflow, 400, "invalid_request_error", "context_length_exceeded"),
    (ContentBlocked, 400, "invalid_request_error", "content_filter"),
    (BadRequest, 400, "invalid_request_error", None),
    (RequestTooLarge, 413, "invalid_request_error", "request_too_large"),
    (RateLimited, 429, "rate_limit_error", "rate_limit_exceeded"),
    (Overloaded, 503, "server_error", "overloaded"),
    (UpstreamTimeout, 504, "server_error", "timeout"),
    (ServerFault, 502, "server_error", "upstream_error"),
    (ProviderError, 502, "server_error", "upstream_error"),
    (ConnectFailed, 502, "server_error", "connection_failed"),
    (TimedOut, 504, "server_error", "timeout"),
    (PoolExhausted, 503, "server_error", "overloaded"),
    (ProtocolViolation, 502, "server_error", "bad_upstream_answer"),
    (TransportError, 502, "server_error", "connection_lost"),
    (OutputError, 502, "server_error", "bad_upstream_answer"),
)


def encode_error(error: DragomanError) -> EncodedError:
    """Status, body and headers for a client."""
    subject = subject_of(error)
    status, _, _ = _row(subject)
    headers = _headers(subject)
    if isinstance(error, AllAttemptsFailed):
        headers += (("x-should-retry", "false"),)  # what could be tried was tried
    return EncodedError(status, {"error": error_object(error)}, headers)


def error_object(error: DragomanError) -> JsonObject:
    """The object that stands under `error`, in a body and in a stream."""
    subject = subject_of(error)
    _, kind, code = _row(subject)
    param: str | None = None
    if isinstance(subject, ProviderError) and not withheld(subject):
        param = subject.param
        code = code or subject.code
    elif isinstance(subject, (InvalidRequest, Unsupported)):
        param = subject.path or None
    return {"message": client_message(subject), "type": kind, "param": param, "code": code}


def _row(error: DragomanError) -> tuple[int, str, str | None]:
    for kind, status, word, code in _ROWS:
        if isinstance(error, kind):
            return status, word, code
    return 500, "server_error", None


def _headers(error: DragomanError) -> tuple[tuple[str, str], ...]:
    wait = error.retry_after if isinstance(error, ProviderError) else None
    if wait is None:
        return ()
    return (("retry-after", str(max(0, -int(-wait // 1)))), ("retry-after-ms", str(round(wait * 1000))))
