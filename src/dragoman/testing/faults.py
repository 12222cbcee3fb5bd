"""Faults that a fake provider commits on demand, one for each request, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dragoman.dialects.statuses import by_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import DragomanError, ProviderError

__all__ = [
    "Cut",
    "ErrorIn200",
    "ErrorInStream",
    "Fault",
    "Garbage",
    "Malformed",
    "Reset",
    "SlowHead",
    "Stall",
    "Status",
]


@dataclass(frozen=True)
class Status:
    """An error answer in the dialect's own shape; `retry_after` in seconds becomes a header.

    `kind` is the class of error where the status does not tell it: a 429 that is `QuotaExhausted`, a 400 that is
    `ContextOverflow`.
    """

    status: int
    message: str = "not now"
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    kind: type[ProviderError] | None = None

    def error(self) -> ProviderError:
        """The error that is written."""
        kind = self.kind or by_status(self.status)
        return kind(self.message, status=self.status, retry_after=self.retry_after)


@dataclass(frozen=True)
class Garbage:
    """A whole answer that is no JSON of any dialect, such as a proxy's page."""

    body: bytes = b"<html><title>502 Bad Gateway</title></html>"
    status: int = 200
    content_type: str = "text/html"


@dataclass(frozen=True)
class Reset:
    """The connection is reset when the request was read, before anything is answered.

    With `after` it is reset in the midst of the answer: after so many events of a stream, half of a whole one.
    """

    after: int | None = None


@dataclass(frozen=True)
class SlowHead:
    """Nothing is answered for `seconds`; then the answer is as it would have been."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """A stream ends after `after` events: reset, or (`clean`) with a proper end of the body and no finish.

    A whole answer is cut in its middle.
    """

    after: int = 4
    clean: bool = False


@dataclass(frozen=True)
class Stall:
    """A stream stands still after `after` events until the caller leaves; a whole answer, before its head."""

    after: int = 4


@dataclass(frozen=True)
class Malformed:
    """After `after` events comes one that is no JSON; a whole answer loses its last quarter."""

    after: int = 4


@dataclass(frozen=True)
class ErrorInStream:
    """After `after` events the stream says that it failed; to a request for a whole answer the error is the answer."""

    error: DragomanError
    after: int = 4


@dataclass(frozen=True)
class ErrorIn200:
    """The error's body with status 200, as some hosts answer."""

    error: DragomanError


Fault = Status | Garbage | Reset | SlowHead | Cut | Stall | Malformed | ErrorInStream | ErrorIn200
