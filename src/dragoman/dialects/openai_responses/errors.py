"""Errors of this wire ↔ the tree of errors.

The provider's own code decides first, then its type, then the status; only what neither code nor status tells apart is
looked for in the message, among fragments that hosts are known to write where they have no code for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_table import blamed, code_of, row_of, waiting_headers
from dragoman.dialects.error_words import client_message
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.reading import parse
from dragoman.dialects.statuses import by_status
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    UpstreamTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Response, Target

__all__ = ["decode_error", "encode_error", "error_body", "error_in_answer", "error_in_stream"]

_BY_WORD: dict[str, type[ProviderError]] = {
    # The prompt is too long.
    "context_length_exceeded": ContextOverflow,
    "exceed_context_size_error": ContextOverflow,  # llama.cpp
    "context_window_exceeded": ContextOverflow,
    # A policy or filter.
    "content_filter": ContentBlocked,
    "content_policy_violation": ContentBlocked,
    "ResponsibleAIPolicyViolation": ContentBlocked,  # Azure, in `innererror`
    "image_content_policy_violation": ContentBlocked,
    "moderation_blocked": ContentBlocked,
    "bio_policy": ContentBlocked,
    "cyber_policy": ContentBlocked,
    "invalid_prompt": ContentBlocked,  # OpenAI: a prompt flagged as against the usage policy
    # Money.
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_not_active": QuotaExhausted,
    "billing_error": QuotaExhausted,
    "insufficient_credits": QuotaExhausted,
    # The credential.
    "invalid_api_key": AuthenticationFailed,
    "authentication_error": AuthenticationFailed,
    "account_deactivated": AuthenticationFailed,
    "unsupported_country_region_territory": PermissionDenied,
    "permission_error": PermissionDenied,
    "permission_denied": PermissionDenied,
    # What is asked for.
    "model_not_found": NotFound,
    "DeploymentNotFound": NotFound,
    "not_found_error": NotFound,
    "previous_response_not_found": NotFound,
    # Capacity.
    "slow_down": Overloaded,
    "overloaded_error": Overloaded,
    "server_overloaded": Overloaded,
    "capacity_exceeded": Overloaded,
}
"""Codes and types that decide whatever the status is."""

_BY_WORD_ALONE: dict[str, type[ProviderError]] = {
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "too_many_requests": RateLimited,
    "server_error": ServerFault,
    "api_error": ServerFault,
    "internal_error": ServerFault,
    "internal_server_error": ServerFault,
    "vector_store_timeout": ServerFault,
    "timeout": UpstreamTimeout,
    "request_timeout": UpstreamTimeout,
    "service_unavailable": Overloaded,
    "overloaded": Overloaded,
    "request_too_large": RequestTooLarge,
    "invalid_request_error": BadRequest,
    "invalid_image": BadRequest,
    "invalid_image_format": BadRequest,
    "invalid_base64_image": BadRequest,
    "invalid_image_url": BadRequest,
    "image_too_large": BadRequest,
    "image_too_small": BadRequest,
    "image_parse_error": BadRequest,
    "invalid_image_mode": BadRequest,
    "image_file_too_large": BadRequest,
    "unsupported_image_media_type": BadRequest,
    "empty_image_file": BadRequest,
    "failed_to_download_image": BadRequest,
    "image_file_not_found": BadRequest,
    "data_residency_mismatch": PermissionDenied,
}
"""Codes and types that decide where there is no status: in a stream, or in the object of a failed answer."""

_TOO_LONG_WORDS = (
    # vLLM, DeepSeek, Bedrock, OpenRouter and their upstreams answer 400 with a generic code, and these words.
    "maximum context length",
    "exceeds the context window",
    "exceeds the available context size",
    "Input is too long",
    "prompt is too long",
)
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class _Told:
    """What an error object says, whatever its shape."""

    message: str
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    words: tuple[str, ...] = ()
    """Every code and type in the object, its own first, then those of the error it wraps."""
    status: int | None = None


# -- reading -----------------------------------------------------------------------------------------------------------


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The error for an answer of status >= 400; a body of any kind will do."""
    try:
        parsed: Any = parse(body) if body else None
    except ProtocolViolation:
        parsed = body.decode("utf-8", "replace")
    told = _told(parsed)
    kind = _classified(told, status)
    return kind(
        told.message,
        provider=target.provider,
        model=target.model or None,
        status=status,
        # Some hosts give the status as the code; their own word for the error then is the type.
        code=None if told.kind is not None and told.code == str(status) else told.code,
        kind=told.kind,
        param=told.param,
        request_id=request_id(headers) or _request_id_in(parsed),
        retry_after=retry_after(headers),
        body=parsed,
    )


def error_in_answer(wire: JsonObject, response: Response, target: Target) -> ProviderError:
    """The error for a response object that failed, with what was answered by then."""
    error = _without_status(wire, target, in_stream=False)
    error.partial = response
    error.usage = response.usage
    return error


def error_in_stream(event: JsonObject, target: Target) -> ProviderError:
    """The error for an `error` event, or for the object of `response.failed`."""
    return _without_status(event, target, in_stream=True)


def _without_status(wire: JsonObject, target: Target, *, in_stream: bool) -> ProviderError:
    told = _told(wire)
    kind = _classified(told, told.status)
    return kind(
        told.message,
        provider=target.provider,
        model=target.model or None,
        status=told.status,
        code=told.code,
        kind=told.kind,
        param=told.param,
        in_stream=in_stream,
        body=wire,
    )


def _classified(told: _Told, status: int | None) -> type[ProviderError]:
    for word in told.words:
        if word in _BY_WORD:
            return _BY_WORD[word]
    if status in (None, 400, 413, 422) and any(words in told.message for words in _TOO_LONG_WORDS):
        return ContextOverflow
    if status is not None:
        return by_status(status)
    for word in told.words:
        if word in _BY_WORD_ALONE:
            return _BY_WORD_ALONE[word]
    return ServerFault


def _told(body: Any) -> _Told:
    if isinstance(body, list) and body:
        return _told(cast("list[Any]", body)[0])
    if not isinstance(body, dict):
        return _Told(_short_text(body) if isinstance(body, str) else "")
    members = cast("JsonObject", body)
    inner: Any = members.get("error")
    error = cast("JsonObject", inner) if isinstance(inner, dict) else members
    message = error.get("message") if inner is None or isinstance(inner, dict) else inner
    if not isinstance(message, str):
        message = next((members[name] for name in ("detail", "message") if isinstance(members.get(name), str)), "")
    code, kind, param = (_word(error.get(name)) for name in ("code", "type", "param"))
    if error is members and kind in ("error", "response.failed"):
        kind = None  # the type of the event, and no type of error
    return _Told(message, code, kind, param, tuple(_words(error)), _status(error))


def _word(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _words(error: JsonObject) -> Iterator[str]:
    for name in ("code", "type"):
        word = error.get(name)
        if isinstance(word, str):
            yield word
    deeper = error.get("innererror")
    if isinstance(deeper, dict):
        yield from _words(cast("JsonObject", deeper))
    metadata = error.get("metadata")
    raw = cast("JsonObject", metadata).get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str):  # OpenRouter wraps the upstream's answer as text
        try:
            wrapped: Any = parse(raw)
        except ProtocolViolation:
            return
        if isinstance(wrapped, dict):
            within = cast("JsonObject", wrapped).get("error", wrapped)
            if isinstance(within, dict):
                yield from _words(cast("JsonObject", within))


def _status(error: JsonObject) -> int | None:
    """The HTTP status that the object itself names."""
    for name in ("status", "status_code", "code"):
        value = error.get(name)
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
    return None


def _request_id_in(body: Any) -> str | None:
    value = cast("JsonObject", body).get("request_id") if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def _short_text(body: str) -> str:
    """What a proxy wrote instead of JSON: the title of its page, or the beginning of its text."""
    words = body.strip()
    if words.startswith("<"):
        start = words.lower().find("<title>")
        end = words.lower().find("</title>")
        title = words[start + 7 : end].strip() if 0 <= start < end else ""
        return f"a page instead of JSON: {title[:_LONGEST_TEXT]}" if title else "a page instead of JSON"
    return " ".join(words[:_LONGEST_TEXT].split())


# -- writing -----------------------------------------------------------------------------------------------------------


def error_body(error: DragomanError) -> tuple[int, JsonObject]:
    """The status and the error object for a client of ours; a provider's word on our credentials is not repeated."""
    row = row_of(error)
    told: JsonObject = {
        "message": client_message(error),
        "type": row.openai_type,
        "param": blamed(error),
        "code": code_of(error),
    }
    return row.status, told


def encode_error(error: DragomanError) -> EncodedError:
    """The error envelope, with the time to wait where it is known."""
    status, body = error_body(error)
    return EncodedError(status=status, body={"error": body}, headers=waiting_headers(error))
