"""A request that the server refuses, and the answer that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from dragoman.errors import DragomanError, Remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JSON_TYPE", "Answer", "Disconnected", "RequestRefused", "plain_answer", "refusal_headers"]

JSON_TYPE = (b"content-type", b"application/json")


class RequestRefused(DragomanError):
    """The server does not take this request: too large, too slow, not HTTP, not found, or too many at once.

    `code` is short and stable, for programs. With `close` the connection ends with the answer.
    """

    remedy = Remedy.WRONG

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        close: bool = False,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.close = close
        self.headers = tuple(headers)


class Disconnected(DragomanError):
    """The client has gone: nothing more can be written to it."""


class Answer(NamedTuple):
    """A whole answer, without the headers of framing, which the server adds."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def last_words(self, date_line: bytes) -> bytes:
        """All of it as it is sent, where the connection ends with it."""
        lines = [STATUS_LINE[self.status], date_line, b"connection: close\r\n"]
        for name, value in self.headers:
            lines += (name, b": ", value, b"\r\n")
        lines += (b"content-length: %d\r\n\r\n" % len(self.body), self.body)
        return b"".join(lines)


def plain_answer(refusal: RequestRefused) -> Answer:
    """The refusal as JSON that belongs to no dialect: `{"error": {"message", "type", "code"}}`."""
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    body = msgspec.json.encode({"error": {"message": refusal.message, "type": kind, "code": refusal.code}})
    return Answer(refusal.status, refusal_headers(refusal), body)


def refusal_headers(refusal: RequestRefused) -> list[tuple[bytes, bytes]]:
    """The headers of a refusal in JSON, in whichever dialect."""
    headers = [JSON_TYPE, *refusal.headers]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    return headers
