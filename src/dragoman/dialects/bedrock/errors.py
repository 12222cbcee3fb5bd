"""Errors: the exceptions of the service, both ways, in answers and in streams.

The exception's name stands in the header `x-amzn-errortype` (before a colon), in the body's `__type` (behind a `#`) or
in the headers of a stream's message; the body is `{"message": …}`. A class is chosen by the first that speaks: words
that stand for a code (below), the name, the status.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_words import subject_of
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.statuses import by_status
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
    PoolExhausted,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    TimedOut,
    UnknownName,
    Unsupported,
    UpstreamTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "encode_error", "error_in_body", "error_in_stream", "name_in_stream"]

# Names without "Exception", which not all of them end in; statuses as the service's description gives them.
_BY_NAME: dict[str, tuple[int, type[ProviderError]]] = {
    "Validation": (400, BadRequest),
    "Serialization": (400, BadRequest),
    "ServiceQuotaExceeded": (400, QuotaExhausted),
    "AccessDenied": (403, PermissionDenied),
    "NotAuthorized": (403, PermissionDenied),
    "OptInRequired": (403, PermissionDenied),
    "ExpiredToken": (403, AuthenticationFailed),
    "UnrecognizedClient": (403, AuthenticationFailed),
    "InvalidClientTokenId": (403, AuthenticationFailed),
    "InvalidSignature": (403, AuthenticationFailed),
    "IncompleteSignature": (403, AuthenticationFailed),
    "SignatureDoesNotMatch": (403, AuthenticationFailed),
    "MissingAuthenticationToken": (403, AuthenticationFailed),
    "RequestExpired": (403, AuthenticationFailed),
    "ResourceNotFound": (404, NotFound),
    "UnknownOperation": (404, NotFound),
    "ModelTimeout": (408, UpstreamTimeout),
    "RequestEntityTooLarge": (413, RequestTooLarge),
    "ModelError": (424, ServerFault),
    "ModelStreamError": (424, ServerFault),
    "Throttling": (429, RateLimited),
    "TooManyRequests": (429, RateLimited),
    "ModelNotReady": (429, Overloaded),
    "InternalServer": (500, ServerFault),
    "InternalFailure": (500, ServerFault),
    "ServiceUnavailable": (503, Overloaded),
}

_BY_WORDS: tuple[tuple[str, str, type[ProviderError]], ...] = (
    # The service hands on what its models say as ValidationException without any code; failover hangs on telling a
    # prompt that is too long from a request that is merely wrong. Each is a whole fragment of one family's words.
    ("Validation", "Input is too long for requested model", ContextOverflow),
    ("Validation", "prompt is too long", ContextOverflow),
    ("Validation", "exceed context limit", ContextOverflow),
    ("Validation", "Input Tokens Exceeded", ContextOverflow),
    ("Validation", "Too many input tokens", ContextOverflow),
    ("Validation", "maximum context length", ContextOverflow),
    ("Validation", "Output blocked by content filtering policy", ContentBlocked),
    ("Validation", "blocked by our content filters", ContentBlocked),
)


# -- from a provider ---------------------------------------------------------------------------------------------------


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The error in an answer of status >= 400; never raises."""
    try:
        parsed: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = _as_text(body)
    name = headers.get("x-amzn-errortype", "").partition(":")[0].strip()
    return _error(name, parsed, target, status=status, headers=headers)


def error_in_body(wire: JsonObject, target: Target) -> ProviderError | None:
    """The error that a body of status 200 holds in place of an answer, or None."""
    if "output" in wire:
        return None
    held = wire.get("Output")  # a front end of the service answers so where it does not know the operation
    inner = cast("JsonObject", held) if isinstance(held, dict) else wire
    if "__type" in inner or "message" in inner:
        return _error("", inner, target)
    return None


def name_in_stream(headers: Mapping[str, Any]) -> str | None:
    """The name of the exception, if a stream's message is one."""
    kind = headers.get(":message-type")
    if kind == "exception":
        return str(headers.get(":exception-type", "exception"))
    if kind == "error":
        return str(headers.get(":error-code", "error"))
    return None


def error_in_stream(name: str, headers: Mapping[str, Any], payload: bytes, target: Target) -> ProviderError:
    """The error of a stream's message."""
    try:
        parsed: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = _as_text(payload) or headers.get(":error-message", "")
    return _error(name, parsed, target, in_stream=True)


def _as_text(body: bytes) -> str:
    text = body[:4000].decode("utf-8", "replace").strip()
    if text[:1] == "<":
        start = text.lower().find("<title>")
        title = text[start + 7 :].partition("<")[0].strip() if start >= 0 else ""
        return f"a page of HTML instead of JSON: {title}"[:300] if title else "a page of HTML instead of JSON"
    return text[:300]


def _error(
    name: str,
    parsed: Any,
    target: Target,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    in_stream: bool = False,
) -> ProviderError:
    wire: JsonObject = cast("JsonObject", parsed) if isinstance(parsed, dict) else {}
    name = name or (_text(wire, "__type") or _text(wire, "code") or "").rpartition("#")[2]
    message = _text(wire, "message") or _text(wire, "Message") or _text(wire, "originalMessage")
    headers = headers or {}
    named, kind = _class_of(name, status, message or "")
    return kind(
        message or (parsed if isinstance(parsed, str) else ""),
        provider=target.provider,
        model=target.model or None,
        status=named if status is None else status,
        code=name or None,
        request_id=request_id(headers),
        retry_after=retry_after(headers),
        in_stream=in_stream,
        body=parsed,
    )


def _text(holder: JsonObject, name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) and value else None


def _class_of(name: str, status: int | None, message: str) -> tuple[int | None, type[ProviderError]]:
    """The status that the name stands for, and the class."""
    # In streams the names begin with a small letter.
    plain = (name[:1].upper() + name[1:]).removesuffix("Exception")
    if not plain and status == 400:
        plain = "Validation"  # a proxy left the header out; nothing else has this status without a name
    known, kind = _BY_NAME.get(plain, (None, None))
    for of_name, words, wanted in _BY_WORDS:
        if plain == of_name and words in message:
            return known, wanted
    if kind is not None:
        return known, kind
    return None, by_status(status)


# -- to a client -------------------------------------------------------------------------------------------------------

_BY_CLASS: tuple[tuple[type[DragomanError], int, str], ...] = (
    (InvalidRequest, 400, "ValidationException"),
    (Unsupported, 400, "ValidationException"),
    (UnknownName, 404, "ResourceNotFoundException"),
    (ConfigError, 500, "InternalServerException"),
    (AuthenticationFailed, 403, "UnrecognizedClientException"),
    (PermissionDenied, 403, "AccessDeniedException"),
    (QuotaExhausted, 400, "ServiceQuotaExceededException"),
    (NotFound, 404, "ResourceNotFoundException"),
    (BadRequest, 400, "ValidationException"),
    (RequestTooLarge, 413, "RequestEntityTooLargeException"),
    (RateLimited, 429, "ThrottlingException"),
    (Overloaded, 503, "ServiceUnavailableException"),
    (UpstreamTimeout, 408, "ModelTimeoutException"),
    (ServerFault, 500, "InternalServerException"),
    (PoolExhausted, 503, "ServiceUnavailableException"),
    (TimedOut, 408, "ModelTimeoutException"),
)
_OURS = (AuthenticationFailed, PermissionDenied, QuotaExhausted)


def encode_error(error: DragomanError) -> EncodedError:
    """The exception for our clients. Of an upstream's refusal of our own credential the words do not pass."""
    cause = subject_of(error)
    status, name = next(
        ((status, name) for wanted, status, name in _BY_CLASS if isinstance(cause, wanted)),
        (500, "InternalServerException"),
    )
    message = error.message
    if isinstance(cause, ProviderError):
        message = cause.provider_message.strip() or cause.message
        if isinstance(cause, _OURS) and cause.provider:
            message = f"{cause.provider} did not accept the credential that it was called with"
    elif isinstance(cause, ConfigError) and not isinstance(cause, UnknownName):
        message = "the gateway is not set up to answer this"
    headers: list[tuple[str, str]] = [("x-amzn-errortype", name)]
    if isinstance(cause, ProviderError):
        if cause.request_id is not None:
            headers.append(("x-amzn-requestid", cause.request_id))
        if cause.retry_after is not None:
            headers += [
                ("retry-after", str(math.ceil(cause.retry_after))),
                ("retry-after-ms", str(round(cause.retry_after * 1000))),
            ]
    if isinstance(error, AllAttemptsFailed):
        headers.append(("x-should-retry", "false"))
    return EncodedError(status, {"message": message}, tuple(headers))
