"""Errors: the wire's envelope `{"type": "error", "error": {"type", "message", "details"}, "request_id"}`, both ways.

A class is chosen by the first that speaks: the stable code in `details.error_code`, words that stand for a code
(below), the type, the status. Two types are too general to overrule a status: `invalid_request_error`, `api_error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_table import row_of, waiting_headers
from dragoman.dialects.error_words import client_message, subject_of
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.statuses import by_status
from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
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
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "encode_error", "error_in_body", "error_in_stream"]

_BY_TYPE: dict[str, type[ProviderError]] = {
    "invalid_request_error": BadRequest,
    "authentication_error": AuthenticationFailed,
    "billing_error": QuotaExhausted,
    "permission_error": PermissionDenied,
    "not_found_error": NotFound,
    "conflict_error": BadRequest,
    "request_too_large": RequestTooLarge,
    "rate_limit_error": RateLimited,
    "timeout_error": UpstreamTimeout,
    "api_error": ServerFault,
    "overloaded_error": Overloaded,
    "exceed_context_size_error": ContextOverflow,  # llama.cpp's server
}
_GENERAL = frozenset({"invalid_request_error", "api_error"})

_BY_CODE: dict[str, type[ProviderError]] = {
    "contract_spend_limit_reached": QuotaExhausted,
    "enforced_spend_limit_reached": QuotaExhausted,
    "linked_organization_spend_limit_reached": QuotaExhausted,
    "linked_organization_billing_unavailable": QuotaExhausted,
    "user_profile_not_billable": QuotaExhausted,
    "storage_quota_exceeded": QuotaExhausted,
    "ramp_limit_exceeded": RateLimited,
    "api_key_scope_missing": PermissionDenied,
    "organization_on_hold": PermissionDenied,
    "organization_not_enrolled_in_beta": PermissionDenied,
    "workspace_policy_violation": PermissionDenied,
    "request_body_too_large_after_decoding": RequestTooLarge,
    "content_filter": ContentBlocked,  # a gateway of ours
}

_TOO_LONG = "prompt is too long"

_BY_WORDS: tuple[tuple[str, str, type[ProviderError]], ...] = (
    # The API says these as `invalid_request_error` without any code; retrying and failover hang on telling them from
    # a request that is merely wrong. The words are whole fragments that it has used unchanged for years.
    ("invalid_request_error", _TOO_LONG, ContextOverflow),
    ("invalid_request_error", "exceed context limit", ContextOverflow),
    ("invalid_request_error", "Output blocked by content filtering policy", ContentBlocked),
    ("invalid_request_error", "credit balance is too low", QuotaExhausted),
    ("invalid_request_error", "reached your specified API usage limits", QuotaExhausted),
)


# -- from a provider ---------------------------------------------------------------------------------------------------


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The error in an answer of status >= 400; never raises."""
    try:
        parsed: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = _as_text(body)
    return _error(parsed, target, status=status, headers=headers)


def error_in_body(wire: JsonObject, target: Target) -> ProviderError | None:
    """The error that a body of status 200 holds in place of a message, or None."""
    if wire.get("type") == "error" or ("error" in wire and wire["error"] is not None and "content" not in wire):
        return _error(wire, target)
    return None


def error_in_stream(wire: JsonObject, target: Target) -> ProviderError:
    """The error of an `error` event."""
    return _error(wire, target, in_stream=True)


def _as_text(body: bytes) -> str:
    text = body[:4000].decode("utf-8", "replace").strip()
    if text[:1] == "<":
        start = text.lower().find("<title>")
        title = text[start + 7 :].partition("<")[0].strip() if start >= 0 else ""
        return f"a page of HTML instead of JSON: {title}"[:300] if title else "a page of HTML instead of JSON"
    return text[:300]


def _error(
    parsed: Any,
    target: Target,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    in_stream: bool = False,
) -> ProviderError:
    found: Any = parsed
    if isinstance(parsed, list) and parsed:  # Google's, on Vertex
        found = cast("list[Any]", parsed)[0]
    envelope: JsonObject = cast("JsonObject", found) if isinstance(found, dict) else {}
    inner: Any = envelope.get("error")
    error: JsonObject = cast("JsonObject", inner) if isinstance(inner, dict) else {}
    kind = _text(error, "type") or _text(error, "status")
    message = _text(error, "message") or (inner if isinstance(inner, str) else None)
    message = message or _text(envelope, "message") or _text(envelope, "detail")
    details: Any = error.get("details")
    code = _text(cast("JsonObject", details), "error_code") if isinstance(details, dict) else None
    headers = headers or {}
    return _class_of(status, kind, code, message or "")(
        message or (parsed if isinstance(parsed, str) else ""),
        provider=target.provider,
        model=target.model or None,
        status=status,
        code=code or _code(error),
        kind=kind,
        param=_text(error, "param"),
        request_id=request_id(headers) or _text(envelope, "request_id"),
        retry_after=retry_after(headers),
        in_stream=in_stream,
        body=parsed,
    )


def _text(holder: JsonObject, name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) and value else None


def _code(error: JsonObject) -> str | None:
    """`code`, which some hosts of this wire add, as a word or as a number."""
    code = error.get("code")
    return str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else None


def _class_of(status: int | None, kind: str | None, code: str | None, message: str) -> type[ProviderError]:
    if code is not None and code in _BY_CODE:
        return _BY_CODE[code]
    for in_kind, words, wanted in _BY_WORDS:
        if kind == in_kind and words in message:
            return wanted
    by_type = _BY_TYPE.get(kind or "")
    if by_type is None:
        return by_status(status)
    if kind in _GENERAL and status is not None and status >= 400:
        return by_status(status)
    return by_type


# -- to a client -------------------------------------------------------------------------------------------------------

_OWN_STATUSES = {"overloaded_error": 529, "billing_error": 402}
"""Statuses that this vendor alone has, by type."""


def encode_error(error: DragomanError) -> EncodedError:
    """The envelope for our clients. Of an upstream's refusal of our own credential the words do not pass."""
    cause = subject_of(error)
    row = row_of(cause)
    status = _OWN_STATUSES.get(row.anthropic, row.status)
    if isinstance(cause, ServerFault):
        status = 500  # the one status that the vendor's own API has for its faults
    elif cause is error and isinstance(error, AllAttemptsFailed):
        status = 502
    message = client_message(cause)
    if isinstance(cause, ContextOverflow) and _TOO_LONG not in message:
        # The vendor has no code for it: its clients know by these words that they have to shorten the conversation.
        message = f"{_TOO_LONG}: {message}"
    told: JsonObject = {"type": row.anthropic, "message": message}
    if isinstance(cause, ContentBlocked):
        told["details"] = {"error_code": row.code}
    own_id = cause.request_id if isinstance(cause, ProviderError) else None
    return EncodedError(status, {"type": "error", "error": told, "request_id": own_id}, waiting_headers(error))
