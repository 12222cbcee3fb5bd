"""Errors, both ways: `{"id", "message"}` in a body, and an error in the `message-end` of a stream.

The wire has no codes: the status decides, with the vendor's own meanings of some, but where words alone tell a case
apart (the table's rows say which).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from dragoman.dialects.contract import EncodedError
from dragoman.dialects.error_words import LONGEST_WORDS, client_message, plain_words, subject_of
from dragoman.dialects.headers import request_id, retry_after
from dragoman.dialects.statuses import by_status, status_of
from dragoman.errors import (
    AllAttemptsFailed,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    ProviderError,
    QuotaExhausted,
    ServerFault,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values import JsonObject, Target

__all__ = ["decode_error", "encode_error", "error_in_body", "error_in_stream"]

_TRACE: Final = "x-debug-trace-id"

# The vendor's page of errors: what its statuses mean where others use them otherwise.
_BY_STATUS: Final[dict[int, type[ProviderError]]] = {
    498: ContentBlocked,  # the request or the answer holds a deny-listed token
    499: BadRequest,  # the request was cancelled
    501: BadRequest,  # what was asked for is not implemented
}
# The host reports these in prose alone.
_BY_WORDS: Final[tuple[tuple[type[ProviderError], tuple[int | None, ...], str], ...]] = (
    (ContextOverflow, (400, 422, None), "too many tokens"),
    (QuotaExhausted, (429,), "api calls / month"),  # a trial key's month is used up: waiting does not help
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
    told = wire.get("error") or wire.get("message")
    return _made(wire, None, target) if isinstance(told, str) and told else None


def error_in_stream(words: str, data: JsonObject, target: Target) -> ProviderError:
    """The error that an event of a stream tells in these words."""
    kind = _class_for(words, None)
    return kind(
        words[:LONGEST_WORDS],
        provider=target.provider,
        model=target.model or None,
        in_stream=True,
        body=data,
    )


def _made(body: Any, status: int | None, target: Target, *, headers: Mapping[str, str] | None = None) -> ProviderError:
    headers = headers or {}
    holder: JsonObject = cast("JsonObject", body) if isinstance(body, dict) else {}
    words: Any = (holder.get("message") or holder.get("error")) if holder else cast("Any", body)
    if isinstance(words, dict):
        words = cast("Any", words.get("message"))  # pyright: ignore[reportUnknownMemberType]
    message = plain_words(words) if isinstance(words, str) else ""
    quoted = request_id(headers) or headers.get(_TRACE) or holder.get("id")
    return _class_for(message, status)(
        message,
        provider=target.provider,
        model=target.model or None,
        status=status,
        request_id=quoted if isinstance(quoted, str) else None,
        retry_after=retry_after(headers),
        body=body,
    )


def _class_for(message: str, status: int | None) -> type[ProviderError]:
    lowered = message.lower()
    for kind, statuses, fragment in _BY_WORDS:
        if status in statuses and fragment in lowered:
            return kind
    known = _BY_STATUS.get(status) if status is not None else ServerFault
    return known if known is not None else by_status(status)


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
    return EncodedError(status, {"message": client_message(error)}, headers)
