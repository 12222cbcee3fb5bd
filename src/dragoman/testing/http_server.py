"""A small HTTP/1.1 server on the loopback, in a thread of its own: requests in, and a connection to answer on.

It writes what it is told to, broken answers too, which no server made for production lets one do.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

__all__ = ["Connection", "HttpServer", "Received"]

LONGEST_HEAD = 64 * 1024
LARGEST_BODY = 64 * 1024 * 1024
START_SECONDS = 10.0
SETTLING_TURNS = 5
BACKLOG = 512

_PHRASES = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Received:
    """One request; header names are lower case, a repeated header's values are joined with commas."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Bad(Exception):
    """What came is not HTTP/1.1 as we read it."""


class _Reader(asyncio.StreamReader):
    """Tells that the other side has gone without taking a byte of what it may still ask."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.left = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.left.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.left.set()


class Connection:
    """The answering side of one connection, for one request."""

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.usable = True
        """Whether another request may come on this connection."""

    async def head(self, status: int, headers: Iterable[tuple[str, str]], *, length: int | None) -> None:
        """The head; without a `length` the body comes in chunks."""
        framing = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
        lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in (*headers, framing)]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def whole(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """A whole answer."""
        await self.head(status, headers, length=len(body))
        await self.raw(body)

    async def chunk(self, data: bytes) -> None:
        """One piece of a body in chunks; an empty one ends it."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """Ends the connection with a reset, so that the other side reads an error and no end."""
        self.usable = False
        held: socket.socket | None = self._writer.get_extra_info("socket")
        if held is not None and not self._writer.is_closing():  # closed by the other side, it is no socket any more
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._writer.transport.abort()

    async def until_left(self, seconds: float | None) -> bool:
        """Waits for the other side to go, so long (None: however long it takes); tells whether it went."""
        try:
            async with asyncio.timeout(seconds):
                await self._reader.left.wait()
        except TimeoutError:
            return False
        self.usable = False
        return True


class HttpServer:
    """Serves `answer(request, connection)` on a free port from `start` to `stop`.

    `answer` runs on the server's loop. An error that it raises closes the connection and is kept in `failures`.
    """

    def __init__(self, answer: Callable[[Received, Connection], Awaitable[None]]) -> None:
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="dragoman-fake", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Ends every connection, and the thread."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def refuse(self) -> None:
        """From now on connections are refused; those there are end."""
        self._call(self._end())

    def listen_again(self) -> None:
        """Takes connections again, on the same port."""
        self._call(self._listen())

    def _call(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(START_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(self._protocol, "127.0.0.1", self.port, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = _Reader(LONGEST_HEAD, self._loop)

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(reader, writer)

        return asyncio.StreamReaderProtocol(reader, serve, self._loop)

    async def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            # A connection that was just accepted has its task only some turns of the loop later, and one whose server
            # is closed in between is left open by asyncio: so accepting ends first, and the server then.
            for listening in server.sockets:
                self._stop_accepting(listening.fileno())
            await _settle()
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await _settle()  # a transport, too, ends some turns after it was closed

    def _stop_accepting(self, listening: int) -> None:
        try:
            self._loop.remove_reader(listening)
        except NotImplementedError:
            pass  # Windows' loop accepts without readers

    async def _serve(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # start_server runs this as a task
        self._connections.add(task)
        try:
            await self._exchanges(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # callers that leave, and our own end, are what is tested
        except Exception as error:  # noqa: BLE001 - shown to the test by whoever holds the server
            self.failures.append(error)
        finally:
            self._connections.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _exchanges(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        while True:
            connection = Connection(reader, writer)
            try:
                received = await _read(reader, connection)
            except _Bad as error:
                await connection.whole(
                    400, [("content-type", "text/plain"), ("connection", "close")], str(error).encode()
                )
                return
            await self._answer(received, connection)
            if not connection.usable or received.headers.get("connection", "").lower() == "close":
                return


async def _settle() -> None:
    for _ in range(SETTLING_TURNS):
        await asyncio.sleep(0)


async def _read(reader: asyncio.StreamReader, connection: Connection) -> Received:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _Bad("the head of the request is too long") from None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Bad(f"this is not a request: {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _Bad(f"this is not a header: {line[:80]!r}")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        await connection.raw(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Received(words[0], words[1], headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise _Bad(f"this length is not taken: {length[:40]!r}")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    pieces: list[bytes] = []
    total = 0
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise _Bad(f"this is not the size of a chunk: {line[:40]!r}") from None
        total += size
        if total > LARGEST_BODY:
            raise _Bad("the body is too large")
        if size == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
            return b"".join(pieces)
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
