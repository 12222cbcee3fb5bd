"""Errors of this wire ↔ the tree of errors.

A code of this wire alone decides first, then the table of all OpenAI's wires (`dialects.openai_errors`), then the
status.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_table import blamed, code_of, row_of, waiting_headers
from dragoman.dialects.error_words import client_message
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.openai_errors import class_of, prose_of
from dragoman.dialects.reading import parse
from dragoman.dialects.statuses import by_status
from dragoman.errors import (
    BadRequest,
    ContentBlocked,
    DragomanError,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    ServerFault,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Response, Target

__all__ = ["decode_error", "encode_error", "error_body", "error_in_answer", "error_in_stream"]

_BY_WORD: dict[str, type[ProviderError]] = {
    "image_content_policy_violation": ContentBlocked,
    "bio_policy": ContentBlocked,
    "cyber_policy": ContentBlocked,
    "invalid_prompt": ContentBlocked,  # OpenAI: a prompt flagged as against the usage policy
    "previous_response_not_found": NotFound,
}
"""Codes of this wire alone that decide whatever the status is; those of all OpenAI's wires: `openai_errors`."""

_BY_WORD_ALONE: dict[str, type[ProviderError]] = {
    "too_many_requests": RateLimited,
    "api_error": ServerFault,
    "vector_store_timeout": ServerFault,
    "service_unavailable": Overloaded,
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
    members: frozenset[str] = frozenset()


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
    tables = (_BY_WORD,) if status is not None else (_BY_WORD, _BY_WORD_ALONE)
    for table in tables:
        for word in told.words:
            if word in table:
                return table[word]
    kind = class_of(frozenset(told.words), told.members, told.message, status)
    if kind is None or (kind is RateLimited and status == 413):  # of one request's size, whatever the code says
        return by_status(status)
    return kind


def _told(body: Any) -> _Told:
    if isinstance(body, list) and body:
        return _told(cast("list[Any]", body)[0])
    if not isinstance(body, dict):
        return _Told(_short_text(body) if isinstance(body, str) else "")
    members = cast("JsonObject", body)
    inner: Any = members.get("error")
    listed: Any = members.get("errors")
    if inner is None and isinstance(listed, list) and listed and "message" not in members:
        return _told(cast("list[Any]", listed))
    error = cast("JsonObject", inner) if isinstance(inner, dict) else members
    message = inner if isinstance(inner, str) else prose_of(error) or prose_of(members)
    code, kind, param = (_word(error.get(name)) for name in ("code", "type", "param"))
    if error is members and kind in ("error", "response.failed"):
        kind = None  # the type of the event, and no type of error
    metadata: Any = error.get("metadata")
    names = {*error, *(cast("JsonObject", metadata) if isinstance(metadata, dict) else ())}
    return _Told(message, code, kind, param, tuple(_words(error)), _status(error), frozenset(names))


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
