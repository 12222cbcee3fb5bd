"""Errors, both ways: `{"error": "words"}` in a body, and as a line of a stream.

The wire has no codes: the status decides, but where words alone tell a case apart (the table's rows say which). Proxies
in front of it answer objects with `message`, `code` and `type`, and pages of HTML; those are read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_words import client_message, plain_words, subject_of
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.statuses import by_status, status_of
from dragoman.errors import (
    AllAttemptsFailed,
    ContextOverflow,
    DragomanError,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "encode_error", "error_in_body", "error_in_stream"]


# The server reports these in prose alone; each fragment is from its source.
_BY_WORDS: Final[tuple[tuple[type[ProviderError], tuple[int | None, ...], str], ...]] = (
    (ContextOverflow, (400, 500, None), "exceeds the context length"),
    (ContextOverflow, (400, 500, None), "exceeds maximum context length"),
    (ContextOverflow, (400, 500, None), "exceeds the available context size"),  # the llama.cpp runner behind it
    (Overloaded, (500, 503, None), "maximum pending requests exceeded"),
    (QuotaExhausted, (429, None), "weekly usage limit"),  # the vendor's cloud: waiting a while does not help
    (QuotaExhausted, (429, None), "monthly usage limit"),
    (RateLimited, (None,), "rate limit"),  # the vendor's cloud, in mid-stream
)


# -- from a provider ---------------------------------------------------------------------------------------------------


def decode_error(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ProviderError:
    """The typed error for an answer of status >= 400; never raises."""
    try:
        parsed: Any = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = body.decode("utf-8", "replace")
    return _made(parsed, status, target, headers=headers)


def error_in_body(wire: JsonObject, target: Target) -> ProviderError | None:
    """The error that a body of status 200 holds in place of an answer, or None."""
    return _made(wire, _status_in(wire), target) if wire.get("error") else None


def error_in_stream(wire: JsonObject, target: Target) -> ProviderError | None:
    """The error that a line of a stream tells, or None."""
    return _made(wire, _status_in(wire), target, in_stream=True) if wire.get("error") else None


def _status_in(wire: JsonObject) -> int | None:
    for name in ("status_code", "StatusCode", "status"):
        value = wire.get(name)
        if type(value) is int and 400 <= value < 600:
            return value
    return None


def _made(
    body: Any, status: int | None, target: Target, *, headers: Mapping[str, str] | None = None, in_stream: bool = False
) -> ProviderError:
    headers = headers or {}
    holder: JsonObject = cast("JsonObject", body) if isinstance(body, dict) else {}
    error: Any = holder.get("error", body if not holder else holder.get("message"))
    inner: JsonObject = cast("JsonObject", error) if isinstance(error, dict) else {}
    words: Any = inner.get("message") if inner else cast("Any", error)
    message = plain_words(words if isinstance(words, str) else "")
    return _class_for(message, status)(
        message,
        provider=target.provider,
        model=target.model or None,
        status=status,
        code=_word(inner.get("code")),
        kind=_word(inner.get("type")),
        param=_word(inner.get("param")),
        request_id=request_id(headers),
        retry_after=retry_after(headers),
        in_stream=in_stream,
        body=body,
    )


def _class_for(message: str, status: int | None) -> type[ProviderError]:
    lowered = message.lower()
    for kind, statuses, fragment in _BY_WORDS:
        if status in statuses and fragment in lowered:
            return kind
    return by_status(status)


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


# -- to a client -------------------------------------------------------------------------------------------------------


def encode_error(error: DragomanError) -> EncodedError:
    """Status, body and headers for a client."""
    subject = subject_of(error)
    status = status_of(subject)
    headers: tuple[tuple[str, str], ...] = ()
    wait = subject.retry_after if isinstance(subject, ProviderError) else None
    if wait is not None:
        headers = (("retry-after", str(max(0, -int(-wait // 1)))),)
    if isinstance(error, AllAttemptsFailed):
        headers += (("x-should-retry", "false"),)  # what could be tried was tried
    return EncodedError(status, {"error": client_message(error)}, headers)
