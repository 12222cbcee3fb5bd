"""The errors that our gateway's clients get in this dialect: HTTP status and status word for each class of ours."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_words import subject_of
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ConfigError,
    DragomanError,
    InvalidRequest,
    MissingModel,
    NotFound,
    OutputError,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
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
_ROWS: Final[tuple[tuple[type[DragomanError], int, str], ...]] = (
    (InvalidRequest, 400, "INVALID_ARGUMENT"),
    (Unsupported, 400, "INVALID_ARGUMENT"),
    (UnknownName, 404, "NOT_FOUND"),
    (UnknownProvider, 404, "NOT_FOUND"),
    (MissingModel, 400, "INVALID_ARGUMENT"),
    (ConfigError, 500, "INTERNAL"),
    (AuthenticationFailed, 401, "UNAUTHENTICATED"),
    (PermissionDenied, 403, "PERMISSION_DENIED"),
    (QuotaExhausted, 429, "RESOURCE_EXHAUSTED"),
    (NotFound, 404, "NOT_FOUND"),
    (BadRequest, 400, "INVALID_ARGUMENT"),
    (RequestTooLarge, 413, "INVALID_ARGUMENT"),
    (RateLimited, 429, "RESOURCE_EXHAUSTED"),
    (Overloaded, 503, "UNAVAILABLE"),
    (UpstreamTimeout, 504, "DEADLINE_EXCEEDED"),
    (ServerFault, 502, "UNAVAILABLE"),
    (ProviderError, 502, "UNAVAILABLE"),
    (TimedOut, 504, "DEADLINE_EXCEEDED"),
    (PoolExhausted, 503, "UNAVAILABLE"),
    (TransportError, 502, "UNAVAILABLE"),
    (OutputError, 502, "INTERNAL"),
)

_TYPE: Final = "type.googleapis.com/google.rpc."
_WITHHELD: Final = "The provider did not accept the credentials that were used for this request."
_UNSAID: Final = "The gateway's configuration does not allow this request to be answered."


def encode_error(error: DragomanError) -> EncodedError:
    """Status, body and headers for a client. What a provider says about credentials does not pass."""
    subject = subject_of(error)
    status, _ = _row(subject)
    return EncodedError(status, {"error": error_object(error)}, _headers(subject))


def error_object(error: DragomanError) -> JsonObject:
    """The object that stands under `error`, in a body and in a stream."""
    subject = subject_of(error)
    status, word = _row(subject)
    message = subject.message
    details: list[JsonObject] = []
    field: str | None = None
    if isinstance(subject, (AuthenticationFailed, PermissionDenied)):
        message = _WITHHELD
    elif isinstance(subject, ProviderError):
        message = subject.provider_message or subject.message
        field = subject.param
    elif isinstance(subject, (InvalidRequest, Unsupported)):
        field = subject.path or None
    elif isinstance(subject, ConfigError) and not isinstance(subject, (UnknownName, UnknownProvider, MissingModel)):
        message = _UNSAID
    if field is not None:
        violation = {"field": field, "description": message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if isinstance(subject, ProviderError) and subject.retry_after is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{subject.retry_after:g}s"})
    told: JsonObject = {"code": status, "message": message, "status": word}
    if details:
        told["details"] = details
    return told


def _row(error: DragomanError) -> tuple[int, str]:
    for kind, status, word in _ROWS:
        if isinstance(error, kind):
            return status, word
    return 500, "INTERNAL"


def _headers(error: DragomanError) -> tuple[tuple[str, str], ...]:
    wait = error.retry_after if isinstance(error, ProviderError) else None
    if wait is None:
        return ()
    return (("retry-after", str(ceil(wait))), ("retry-after-ms", str(round(wait * 1000))))
