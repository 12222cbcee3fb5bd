"""The errors that our gateway's clients get, alike in every dialect: one row for each class of ours.

A row says the HTTP status and the word of each vendor for it. A dialect writes its own envelope around that; the words
for people, the time to wait and the member to blame are found here too, once for all.
"""

from __future__ import annotations

from math import ceil
from typing import Final, NamedTuple

from dragoman.dialects.error_words import subject_of, withheld
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
    SpoolFull,
    TimedOut,
    TransportError,
    UnknownName,
    UnknownProvider,
    Unsupported,
    UpstreamTimeout,
)

__all__ = ["REASONS", "ErrorRow", "blamed", "code_of", "row_of", "waiting_headers"]


class ErrorRow(NamedTuple):
    """One class of error on the wires.

    `openai_type` and `code` are OpenAI's (None: the provider's own code), `anthropic` and `google` the words of those.
    `reason` tells classes apart that a vendor has one word for: it goes into the details of an error.
    """

    error: type[DragomanError]
    status: int
    openai_type: str
    code: str | None
    anthropic: str
    google: str
    reason: str = ""


SPOOL_SECONDS: Final = 1.0
"""When to come back to a ledger without room: the drain makes some within a second, if it can at all."""

_REQUEST: Final = "invalid_request_error"
_SERVER: Final = "server_error"

# The first class that an error is an instance of decides, so special ones stand before general ones.
_ROWS: Final = (
    ErrorRow(InvalidRequest, 400, _REQUEST, None, _REQUEST, "INVALID_ARGUMENT"),
    ErrorRow(Unsupported, 400, _REQUEST, "unsupported_parameter", _REQUEST, "INVALID_ARGUMENT"),
    ErrorRow(UnknownName, 404, _REQUEST, "model_not_found", "not_found_error", "NOT_FOUND"),
    ErrorRow(UnknownProvider, 404, _REQUEST, "model_not_found", "not_found_error", "NOT_FOUND"),
    ErrorRow(MissingModel, 400, _REQUEST, "model_required", _REQUEST, "INVALID_ARGUMENT"),
    ErrorRow(ConfigError, 500, _SERVER, "configuration_error", "api_error", "INTERNAL"),
    ErrorRow(SpoolFull, 503, _SERVER, "overloaded", "overloaded_error", "UNAVAILABLE"),
    ErrorRow(AuthenticationFailed, 401, _REQUEST, "invalid_api_key", "authentication_error", "UNAUTHENTICATED"),
    ErrorRow(PermissionDenied, 403, _REQUEST, "permission_denied", "permission_error", "PERMISSION_DENIED"),
    ErrorRow(
        QuotaExhausted,
        429,
        "insufficient_quota",
        "insufficient_quota",
        "billing_error",
        "RESOURCE_EXHAUSTED",
        "RESOURCE_QUOTA_EXCEEDED",
    ),
    ErrorRow(NotFound, 404, _REQUEST, "model_not_found", "not_found_error", "NOT_FOUND"),
    ErrorRow(
        ContextOverflow,
        400,
        _REQUEST,
        "context_length_exceeded",
        _REQUEST,
        "INVALID_ARGUMENT",
        "CONTEXT_LENGTH_EXCEEDED",
    ),
    ErrorRow(ContentBlocked, 400, _REQUEST, "content_filter", _REQUEST, "INVALID_ARGUMENT", "CONTENT_FILTER"),
    ErrorRow(BadRequest, 400, _REQUEST, None, _REQUEST, "INVALID_ARGUMENT"),
    ErrorRow(RequestTooLarge, 413, _REQUEST, "request_too_large", "request_too_large", "INVALID_ARGUMENT"),
    ErrorRow(RateLimited, 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    ErrorRow(Overloaded, 503, _SERVER, "overloaded", "overloaded_error", "UNAVAILABLE"),
    ErrorRow(UpstreamTimeout, 504, _SERVER, "timeout", "timeout_error", "DEADLINE_EXCEEDED"),
    ErrorRow(ServerFault, 502, _SERVER, "upstream_error", "api_error", "UNAVAILABLE", "UPSTREAM_ERROR"),
    ErrorRow(ProviderError, 502, _SERVER, "upstream_error", "api_error", "UNAVAILABLE", "UPSTREAM_ERROR"),
    ErrorRow(ConnectFailed, 502, _SERVER, "connection_failed", "api_error", "UNAVAILABLE"),
    ErrorRow(TimedOut, 504, _SERVER, "timeout", "timeout_error", "DEADLINE_EXCEEDED"),
    ErrorRow(PoolExhausted, 503, _SERVER, "overloaded", "overloaded_error", "UNAVAILABLE"),
    ErrorRow(ProtocolViolation, 502, _SERVER, "bad_upstream_answer", "api_error", "UNAVAILABLE"),
    ErrorRow(TransportError, 502, _SERVER, "connection_lost", "api_error", "UNAVAILABLE"),
    ErrorRow(OutputError, 502, _SERVER, "bad_upstream_answer", "api_error", "INTERNAL"),
    ErrorRow(DragomanError, 500, _SERVER, None, "api_error", "INTERNAL"),
)

REASONS: Final[dict[str, type[ProviderError]]] = {
    row.reason: row.error for row in _ROWS if row.reason and issubclass(row.error, ProviderError)
} | {"UPSTREAM_ERROR": ServerFault}
"""What our own reasons say when they are read again."""


def row_of(error: DragomanError) -> ErrorRow:
    """The row of an error; of several attempts that of the last one's."""
    subject = subject_of(error)
    return next(row for row in _ROWS if isinstance(subject, row.error))


def code_of(error: DragomanError) -> str | None:
    """The code, in OpenAI's words; an error of our own may have one that says more."""
    subject = subject_of(error)
    row = row_of(subject)
    if not isinstance(subject, ProviderError) or withheld(subject) or not subject.code:
        return row.code
    return subject.code if row.code is None or not subject.provider else row.code


def blamed(error: DragomanError) -> str | None:
    """The member that is to blame, where one is known."""
    subject = subject_of(error)
    if isinstance(subject, (InvalidRequest, Unsupported)):
        return subject.path or None
    return subject.param if isinstance(subject, ProviderError) and not withheld(subject) else None


def waiting_headers(error: DragomanError) -> tuple[tuple[str, str], ...]:
    """When to come back, or that it is no use: what was tried was tried, and money does not come by waiting."""
    subject = subject_of(error)
    wait = subject.retry_after if isinstance(subject, ProviderError) else None
    if isinstance(subject, SpoolFull):
        wait = SPOOL_SECONDS
    headers: tuple[tuple[str, str], ...] = ()
    if wait is not None:
        headers = (("retry-after", str(ceil(wait))), ("retry-after-ms", str(ceil(wait * 1000))))
    if isinstance(error, AllAttemptsFailed) or isinstance(subject, QuotaExhausted):
        headers += (("x-should-retry", "false"),)
    return headers
