"""Errors, both ways.

The envelope is google.rpc.Status, {"error": {"code": 429, "message": "…", "status": "RESOURCE_EXHAUSTED", "details": …
}}, in a list of one where a stream was asked for without `alt=sse`. `kind` is the status word, `code` the reason of an
ErrorInfo detail where there is one, `param` the first field that a BadRequest detail names; RetryInfo tells how long to
wait.

What decides the class, first match wins: a reason, a fragment of the message, the quota that a QuotaFailure names, the
status word, the HTTP status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.error_table import REASONS
from dragoman.dialects.gemini.quota import broken_quota
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.statuses import by_status
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextOverflow,
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "error_in"]

_BY_REASON: Mapping[str, type[ProviderError]] = {
    "API_KEY_INVALID": AuthenticationFailed,  # with status 400
    "API_KEY_EXPIRED": AuthenticationFailed,
    "ACCESS_TOKEN_EXPIRED": AuthenticationFailed,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": AuthenticationFailed,
    "ACCOUNT_STATE_INVALID": AuthenticationFailed,
    "CREDENTIALS_MISSING": AuthenticationFailed,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": PermissionDenied,
    "API_KEY_SERVICE_BLOCKED": PermissionDenied,
    "API_KEY_HTTP_REFERRER_BLOCKED": PermissionDenied,
    "API_KEY_IP_ADDRESS_BLOCKED": PermissionDenied,
    "API_KEY_ANDROID_APP_BLOCKED": PermissionDenied,
    "API_KEY_IOS_APP_BLOCKED": PermissionDenied,
    "CONSUMER_INVALID": PermissionDenied,
    "CONSUMER_SUSPENDED": PermissionDenied,
    "IAM_PERMISSION_DENIED": PermissionDenied,
    "SERVICE_DISABLED": PermissionDenied,
    "USER_PROJECT_DENIED": PermissionDenied,
    "BILLING_DISABLED": QuotaExhausted,
    "RATE_LIMIT_EXCEEDED": RateLimited,
    "RESOURCE_QUOTA_EXCEEDED": QuotaExhausted,
}
"""Reasons of google.api.ErrorInfo."""

_BY_FRAGMENT: tuple[tuple[str, str, type[ProviderError]], ...] = (
    # What these say, the status word (the first column) does not, and no detail comes with them.
    ("INVALID_ARGUMENT", "exceeds the maximum number of tokens allowed", ContextOverflow),
    ("INVALID_ARGUMENT", "request because the input token count is", ContextOverflow),  # Vertex
    ("INVALID_ARGUMENT", "Request payload size exceeds the limit", RequestTooLarge),
    ("INVALID_ARGUMENT", "API key not valid", AuthenticationFailed),
    ("INVALID_ARGUMENT", "API key expired", AuthenticationFailed),
    ("FAILED_PRECONDITION", "User location is not supported", PermissionDenied),
    ("RESOURCE_EXHAUSTED", "prepayment credits are depleted", QuotaExhausted),
    ("RESOURCE_EXHAUSTED", "exceeded its monthly spending cap", QuotaExhausted),
)
"""Status word, exact fragment of the message, class."""

_BY_WORD: Mapping[str, type[ProviderError]] = {
    "INVALID_ARGUMENT": BadRequest,
    "FAILED_PRECONDITION": BadRequest,
    "OUT_OF_RANGE": BadRequest,
    "ALREADY_EXISTS": BadRequest,
    "UNIMPLEMENTED": NotFound,
    "UNAUTHENTICATED": AuthenticationFailed,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "RESOURCE_EXHAUSTED": RateLimited,
    "ABORTED": Overloaded,
    "UNAVAILABLE": Overloaded,
    "DEADLINE_EXCEEDED": UpstreamTimeout,
    "CANCELLED": ServerFault,
    "INTERNAL": ServerFault,
    "DATA_LOSS": ServerFault,
    "UNKNOWN": ServerFault,
}
"""Words of google.rpc.Code."""

_LONGEST_TEXT = 500


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The error of an answer of status >= 400, whatever its body is."""
    parsed = _parsed(body)
    error = _error_object(parsed)
    if error is None:
        text = _plain(body[: 16 * _LONGEST_TEXT].decode("utf-8", "replace").strip())
        said = {"message": _short(parsed) or text}
        return _error(said, parsed if parsed is not None else text, target, status=status, headers=headers)
    return _error(error, parsed, target, status=status, headers=headers)


def error_in(body: JsonObject, target: Target, *, in_stream: bool = False) -> ProviderError | None:
    """The error that an answer of status 200, or a chunk of one, is instead; None for an answer."""
    error = _error_object(body) if "error" in body else None
    return None if error is None else _error(error, body, target, in_stream=in_stream)


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _error_object(parsed: Any) -> JsonObject | None:
    if isinstance(parsed, list) and parsed:
        parsed = cast("list[Any]", parsed)[0]
    if not isinstance(parsed, dict):
        return None
    error: Any = cast("JsonObject", parsed).get("error")
    if isinstance(error, str):
        return {"message": error}
    return cast("JsonObject", error) if isinstance(error, dict) else None


def _plain(text: str) -> str:
    """What a body that is no JSON says: the title of a page, or how it begins."""
    if not text.startswith("<"):
        return text[:_LONGEST_TEXT]
    start, end = text.lower().find("<title>"), text.lower().find("</title>")
    title = " ".join(text[start + 7 : end].split()) if 0 <= start < end else ""
    return f"a page of HTML in place of JSON{': ' if title else ''}{title}"[:_LONGEST_TEXT]


def _short(parsed: Any) -> str:
    """A message of a body that has no error object."""
    if isinstance(parsed, dict):
        message: Any = cast("JsonObject", parsed).get("message")
        if isinstance(message, str):
            return message[:_LONGEST_TEXT]
    return ""


def _error(
    error: JsonObject,
    body: Any,
    target: Target,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    in_stream: bool = False,
) -> ProviderError:
    message: Any = error.get("message")
    message = message if isinstance(message, str) else ""
    kind: Any = error.get("status")
    kind = kind if isinstance(kind, str) else None
    code: Any = error.get("code")
    if status is None and isinstance(code, int) and 400 <= code < 600:
        status = code
    details = list(_objects(error.get("details")))
    reason = _reason(details)
    found = headers or {}
    wait = retry_after(found)
    return _classified(status, kind, reason, message, details)(
        message,
        provider=target.provider,
        model=target.model or None,
        status=status,
        code=reason or (code if isinstance(code, str) else None),
        kind=kind,
        param=_field(details),
        request_id=request_id(found),
        retry_after=wait if wait is not None else _retry_delay(details),
        in_stream=in_stream,
        body=body,
    )


def _classified(
    status: int | None, kind: str | None, reason: str | None, message: str, details: list[JsonObject]
) -> type[ProviderError]:
    if reason is not None and (found := _BY_REASON.get(reason) or REASONS.get(reason)) is not None:
        return found
    for word, fragment, found in _BY_FRAGMENT:
        if kind == word and fragment in message:
            return found
    if kind == "RESOURCE_EXHAUSTED":
        return broken_quota(_objects_of_type(details, "QuotaFailure"))
    # A proxy's own status (413, 502) says more than a word that it put beside it; a word tells more than 400.
    if kind is not None and kind in _BY_WORD and (status is None or by_status(status) in (BadRequest, ServerFault)):
        return _BY_WORD[kind]
    return by_status(status)


# -- details -----------------------------------------------------------------------------------------------------------


def _objects(value: Any) -> Iterator[JsonObject]:
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("JsonObject", item)


def _objects_of_type(details: list[JsonObject], name: str) -> list[JsonObject]:
    return [detail for detail in details if str(detail.get("@type", "")).endswith(f".{name}")]


def _reason(details: list[JsonObject]) -> str | None:
    for detail in _objects_of_type(details, "ErrorInfo"):
        reason: Any = detail.get("reason")
        if isinstance(reason, str):
            return reason
    return None


def _field(details: list[JsonObject]) -> str | None:
    for detail in _objects_of_type(details, "BadRequest"):
        for violation in _objects(detail.get("fieldViolations")):
            field: Any = violation.get("field")
            if isinstance(field, str) and field:
                return field
    return None


def _retry_delay(details: list[JsonObject]) -> float | None:
    """Seconds of a RetryInfo: "27s", "0.5s", or the object that some proxies make of it."""
    for detail in _objects_of_type(details, "RetryInfo"):
        delay: Any = detail.get("retryDelay")
        if isinstance(delay, dict):
            parts = cast("JsonObject", delay)
            whole, nanos = _number(str(parts.get("seconds", 0))), _number(str(parts.get("nanos", 0)))
            return (whole or 0.0) + (nanos or 0.0) / 1e9
        if isinstance(delay, str) and delay.endswith("s"):
            return _number(delay[:-1])
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
