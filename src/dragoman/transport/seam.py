"""The seam between the engine and HTTP: two methods, and the values that cross it.

A transport never resends, never follows a redirect with credentials, and never decides about retrying: it reports
what happened as a `TransportError` whose `sent` says whether the request reached the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from types import TracebackType

__all__ = ["HttpRequest", "HttpResponse", "HttpStream", "Timeout", "Transport"]


class Timeout(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one exchange, in seconds; None switches a limit off.

    `connect` covers name, TCP, proxy and TLS; `first_byte` the wait from the sent request to the answer's head (for a
    stream: to its first body byte); `idle` the longest silence between two reads of the body; `total` everything.
    """

    connect: float | None = 10.0
    first_byte: float | None = 120.0
    idle: float | None = 60.0
    total: float | None = 600.0


class HttpRequest(msgspec.Struct, frozen=True):
    """One request: absolute URL, header pairs in order, and a whole body.

    It prints neither headers nor query nor body: keys and prompts are there.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    timeout: Timeout = Timeout()

    def __repr__(self) -> str:
        from dragoman.transport.target import without_query

        return f"HttpRequest({self.method} {without_query(self.url)}, {len(self.body)} bytes, {self.timeout!r})"


class HttpResponse(msgspec.Struct, frozen=True):
    """One whole answer. Header names are lower case; a repeated header keeps its first value here."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@runtime_checkable
class HttpStream(Protocol):
    """An answer whose body is still coming. Owns its connection until `aclose`.

    Iterating yields body bytes as they arrive, decoded from any content encoding, and ends when the body is complete;
    a body that is cut raises `ConnectionLost`. `aclose` is idempotent, never raises, and returns only after the
    connection was either given back to the pool (body complete) or closed.

    A stream may have `async pour(sink)`, too, which gives what comes to `sink(data)` until that says False, and leaves
    the rest, the end and failures to be read by iterating (see `Http1Stream`); it may leave all of it.
    """

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aread(self) -> bytes:
        """The rest of the body; for error answers, which are small and bounded."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Transport(Protocol):
    """Sends requests. Safe to share between the tasks of one event loop; pools belong to the running loop."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Exchange one request for its whole answer. Cancellation closes the connection at once."""
        ...

    async def stream(self, request: HttpRequest) -> HttpStream:
        """Exchange one request for its head; the caller reads the body and must `aclose` it."""
        ...

    async def aclose(self) -> None:
        """Close every connection of the running loop. The transport may be used again afterwards."""
        ...

    async def __aenter__(self) -> Transport: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
