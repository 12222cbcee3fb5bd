"""Asking those who give credentials: small exchanges over the transport seam, with limits and errors of their own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.errors import (
    AuthenticationFailed,
    Overloaded,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    ServerFault,
    TransportError,
)
from dragoman.transport.seam import HttpRequest, HttpResponse, Timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.transport.seam import Transport

__all__ = ["NEARBY", "REMOTE", "ask", "probe", "read_object", "read_text", "read_time", "refusal"]

NEARBY = Timeout(connect=1.0, first_byte=2.0, idle=2.0, total=3.0)
"""For the machine's own metadata server: it answers at once, or it is not there."""

REMOTE = Timeout(connect=5.0, first_byte=10.0, idle=10.0, total=20.0)
"""For a token service."""

_KINDS: dict[int, type[ProviderError]] = {403: PermissionDenied, 429: RateLimited, 503: Overloaded}


async def ask(transport: Transport, request: HttpRequest) -> HttpResponse:
    """The answer, whatever its status. A transport's error says that the call itself was not sent."""
    try:
        return await transport.send(request)
    except TransportError as error:
        error.sent = "no"  # what was sent is the question for a credential, not the caller's request
        raise


async def probe(
    transport: Transport, method: str, url: str, headers: Sequence[tuple[str, str]] = ()
) -> HttpResponse | None:
    """The answer of a server on this machine or beside it; None if there is none, or if it is not that server."""
    try:
        answer = await transport.send(HttpRequest(method, url, headers, b"", NEARBY))
    except TransportError:
        return None
    return answer if answer.status == 200 else None


def refusal(provider: str, who: str, answer: HttpResponse, code: str = "", message: str = "") -> ProviderError:
    """The error for a credential that was refused by `who`; the body is not shown, for it may repeat a secret."""
    kind: type[ProviderError] = _KINDS.get(answer.status, ServerFault if answer.status >= 500 else AuthenticationFailed)
    return kind(
        f"{who} gave no credentials: {message or 'no reason given'}",
        provider=provider,
        status=answer.status,
        code=code or None,
        advice="Check the credentials that calls are signed with: are they valid, and may they be used here?",
    )


def read_object(answer: HttpResponse, who: str) -> dict[str, Any]:
    """The JSON object in an answer."""
    try:
        value: Any = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        raise ProtocolViolation(f"{who} answered {answer.status} with something that is no JSON object", sent="no")
    return cast("dict[str, Any]", value)


def read_text(members: dict[str, Any], name: str, who: str) -> str:
    """A member that must be a text."""
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolViolation(f"The answer of {who} has no {name}", path=name, sent="no")
    return value


def read_time(text: str, who: str) -> float:
    """An ISO time as seconds since the epoch."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ProtocolViolation(f"{who} gave a time that is none: {text!r}", sent="no") from None
