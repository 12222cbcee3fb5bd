"""One request and its answer, as a handler sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from dragoman.gateway.server.refusals import Answer, Disconnected, RequestRefused

if TYPE_CHECKING:
    from dragoman.gateway.server.app import Route
    from dragoman.gateway.server.protocol import GuardedProtocol

__all__ = ["Call"]

JOINED_BYTES = 64 * 1024
"""Up to here head and body are joined into one buffer; beyond, copying costs more than a second buffer."""
UPLOAD_HIGH_WATER = 256 * 1024
BODILESS = frozenset((204, 304))


class Call:
    """One request. A handler is entered when the body is whole, or, on a route that says so, with the head.

    Defaults stand on the class, so that making a call sets only what differs: this is on the hot path.
    """

    task: asyncio.Task[None] | None = None
    refusal: RequestRefused | None = None
    """Set where the request was refused before a handler saw it; it is answered when its turn comes."""

    gone = False
    """The client has closed the connection."""
    expired = False
    """The server is stopping and has waited long enough: the handler was cancelled and should end its answer."""
    cancel_on_disconnect = False
    """Cancel the handler when the client goes; to be set by the handler where waiting for `disconnected` is dearer."""

    started = False
    """The head of the answer was written."""
    finished = False
    """The whole answer was written."""
    wants_continue = False
    complete = False
    """The whole request has come."""
    held_bytes = 0
    received_bytes = 0

    _gathered: BytesIO | None = None
    _status = 0
    _chunked = False
    _remaining: int | None = None
    _gone_signal: asyncio.Future[None] | None = None
    _arrival: asyncio.Future[None] | None = None
    _body_failure: RequestRefused | None = None

    def __init__(
        self,
        protocol: GuardedProtocol,
        method: str,
        path: str,
        raw_path: str,
        query: str,
        fields: dict[bytes, bytes],
        route: Route,
        keep_alive: bool,
        http11: bool,
    ) -> None:
        self._protocol = protocol
        self.method = method
        self.path = path
        """Decoded; `raw_path` as it came."""
        self.raw_path = raw_path
        self.query = query
        """As it came, without the question mark."""
        self.fields = fields
        """Headers by their names in lower case; the values of a repeated one are joined with commas."""
        self.route = route
        self.keep_alive = keep_alive
        self.http11 = http11
        self.began = protocol.loop.time()
        """When the head had come, in the loop's seconds."""
        self.pieces_held: list[bytes] = []

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as pairs, for ASGI."""
        return list(self.fields.items())

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of the client's end of the connection."""
        return self._protocol.client

    @property
    def server(self) -> tuple[str, int | None] | None:
        """Address and port of our end of the connection."""
        return self._protocol.server

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self._protocol.scheme or "http"

    @property
    def draining(self) -> bool:
        """The server is stopping: what can be finished soon should be."""
        return self._protocol.application.draining

    @property
    def disconnected(self) -> asyncio.Future[None]:
        """Done as soon as the client has gone. One future for all who wait: do not cancel it."""
        signal = self._gone_signal
        if signal is None:
            signal = self._gone_signal = self._protocol.loop.create_future()
            if self.gone:
                signal.set_result(None)
        return signal

    # -- the request ---------------------------------------------------------------------------------------------------

    async def body(self, limit: int | None = None) -> bytes:
        """The whole body.

        Raises:
            RequestRefused: 413, it is longer than `limit`.
            Disconnected: the client went before all of it had come.
        """
        while limit is None or self.received_bytes <= limit:
            if self.complete:
                break
            await self._more()
        else:
            raise too_large(limit, close=not self.complete)
        pieces = self.pieces_held if self._gathered is None else self._held()
        if len(pieces) == 1:
            return pieces[0]
        body = b"".join(pieces)
        self.pieces_held = [body]
        return body

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body as it comes, with back-pressure: no more is read than is taken from here.

        Raises:
            Disconnected: the client went before all of it had come.
        """
        while True:
            taken, self.pieces_held = self._held(), []
            for piece in taken:
                self._protocol.release_bytes(self, len(piece))
                yield piece
            if not self.pieces_held:
                if self.complete:
                    return
                await self._more()

    def gather(self, piece: bytes) -> None:
        """For the protocol: a further piece of a large body that nobody reads before it is whole.

        Joining pieces at the end would stop the loop for 8 ms where they are 20 MB. A `BytesIO` grows in place (see
        `memory`), and gives out what it holds without a copy.
        """
        gathered = self._gathered
        if gathered is None:
            gathered = self._gathered = BytesIO()
            gathered.write(b"".join(self.pieces_held))
            self.pieces_held = []
        gathered.write(piece)

    def _held(self) -> list[bytes]:
        gathered, self._gathered = self._gathered, None
        if gathered is not None:
            self.pieces_held.insert(0, gathered.getvalue())
        return self.pieces_held

    def forget_body(self) -> None:
        """For the protocol: nobody will read what is held of the body."""
        self.held_bytes = 0
        self.pieces_held = []
        self._gathered = None

    async def _more(self) -> None:
        if self._body_failure is not None:
            raise self._body_failure
        if self.gone:
            raise Disconnected("the client went before its request was whole")
        self._protocol.resume_body(self)
        self._arrival = self._protocol.loop.create_future()
        await self._arrival

    def fail_body(self, refusal: RequestRefused) -> None:
        """For the protocol: the rest of the body will not come; whoever waits for it is told why."""
        self._body_failure = refusal
        self.wake()

    def wake(self) -> None:
        """For the protocol: something came, or will not come any more."""
        arrival = self._arrival
        if arrival is not None and not arrival.done():
            arrival.set_result(None)

    # -- the answer ----------------------------------------------------------------------------------------------------

    async def respond(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes = b"") -> None:
        """Writes a whole answer; returns when the reader has made room. Content-Length and Date are added."""
        self._answer(status, headers, body)
        if self._protocol.flow.write_paused and not self.gone:
            await self._protocol.flow.drain()

    def answer(self, answer: Answer) -> None:
        """Writes a whole answer without waiting for the reader."""
        self._answer(*answer)

    def _answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        if self.started:
            raise RuntimeError("an answer was already begun")
        head = self._head(status, headers)
        if status in BODILESS:
            end, body = b"\r\n", b""
        else:
            end = b"content-length: %d\r\n\r\n" % len(body)
        self.started = self.finished = True
        if self.gone:
            return
        transport, outbox = self._protocol.transport, self._protocol.outbox
        if self.method == "HEAD":
            outbox.put(transport, head + end)
        elif len(body) <= JOINED_BYTES:
            outbox.put(transport, b"".join((head, end, body)))
        else:
            outbox.flush()
            transport.write(head + end)
            transport.write(body)

    def start_stream(self, status: int, headers: Sequence[tuple[bytes, bytes]], *, length: int | None = None) -> None:
        """Writes the head of an answer whose body follows in pieces; without a `length` in chunks."""
        if self.started:
            raise RuntimeError("an answer was already begun")
        if length is None and not self.http11:
            self.keep_alive = False  # HTTP/1.0 has no chunks: the body ends with the connection
        head = self._head(status, headers)
        if length is not None:
            head += b"content-length: %d\r\n" % length
            self._remaining = length
        elif self.http11:
            head += b"transfer-encoding: chunked\r\n"
            self._chunked = True
        self.started = True
        if not self.gone:
            self._protocol.outbox.put(self._protocol.transport, head + b"\r\n")

    async def write(self, data: bytes) -> None:
        """Writes a piece of a streamed answer; returns when the reader has made room.

        Raises:
            Disconnected: the client has gone.
        """
        if self.gone:
            raise Disconnected("the client has gone")
        self._write(data)
        if self._protocol.flow.write_paused:
            await self._protocol.flow.drain()
            if self.gone:
                raise Disconnected("the client has gone")

    def put(self, data: bytes) -> bool:
        """Writes a piece at once. False: the reader wants time, or has gone; the next `write` sees to it."""
        if self.gone:
            return False
        self._write(data)
        return not self._protocol.flow.write_paused

    def _write(self, data: bytes) -> None:
        if not self.started or self.finished:
            raise RuntimeError("no streamed answer is open")
        if not data:
            return
        if self._remaining is not None:
            self._remaining -= len(data)
            if self._remaining < 0:
                raise RuntimeError("more was written than the length that was announced")
        if self.method == "HEAD":
            return
        transport, outbox = self._protocol.transport, self._protocol.outbox
        if len(data) <= JOINED_BYTES:
            outbox.put(transport, b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            return
        outbox.flush()
        if not self._chunked:
            transport.write(data)
        else:
            transport.write(b"%x\r\n" % len(data))
            transport.write(data)
            transport.write(b"\r\n")

    async def end_stream(self) -> None:
        """Ends a streamed answer; returns when the reader has made room."""
        if not self.started or self.finished:
            raise RuntimeError("no streamed answer is open")
        if self._remaining:
            raise RuntimeError("less was written than the length that was announced")
        self.finished = True
        if self.gone:
            return
        if self._chunked and self.method != "HEAD":
            self._protocol.outbox.put(self._protocol.transport, b"0\r\n\r\n")
        if self._protocol.flow.write_paused:
            await self._protocol.flow.drain()

    def _head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        application = self._protocol.application
        lines = [STATUS_LINE[status], application.date_line]
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
        if application.draining or not self.complete:
            # A request whose end nobody will wait for leaves no place to begin the next one.
            self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        elif not self.http11:
            lines.append(b"connection: keep-alive\r\n")
        # Nothing that came from elsewhere may end a line early and begin a header, or a body, of its own.
        text = b"".join(lines)
        expected = len(headers) + 2 + (not self.keep_alive or not self.http11)
        if text.count(b"\n") != expected or text.count(b"\r") != expected or b"\0" in text:
            raise ValueError("a header holds a line break or a NUL")
        self._status = status
        return text

    @property
    def status(self) -> int:
        """The status of the answer, 0 before its head was written."""
        return self._status

    def lose(self) -> None:
        """For the protocol: the client has gone."""
        if self.gone:
            return
        self.gone = True
        if self._gone_signal is not None and not self._gone_signal.done():
            self._gone_signal.set_result(None)
        self.wake()
        if self.cancel_on_disconnect and self.task is not None:
            self.task.cancel()


def too_large(limit: int, *, close: bool) -> RequestRefused:
    """413 for a body beyond `limit` bytes."""
    return RequestRefused(413, "request_too_large", f"the body is larger than {limit} bytes", close=close)
