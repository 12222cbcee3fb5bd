"""An answer whose body is still coming, over a connection of our own client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.errors import ConnectionLost, ProtocolViolation, StreamStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.transport.connection import Connection
    from dragoman.transport.pool import Pool

__all__ = ["Http1Stream"]


class Http1Stream:
    """Iterate it for the body; see `seam.HttpStream`. One reader at a time.

    The connection goes back to the pool with the end of the iteration, or with `aclose` if the body had come by then.
    A cancelled read closes it, and so does letting go of an unfinished stream: where CPython frees the object, after a
    plain `break` too.
    """

    __slots__ = ("__weakref__", "_body_bytes", "_complete", "_connection", "_pool", "headers", "status")

    def __init__(self, pool: Pool, connection: Connection, body_bytes: int) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._body_bytes = body_bytes
        self._complete = False
        self.status: int = connection.reader.status
        self.headers: Mapping[str, str] = connection.reader.headers

    def __aiter__(self) -> Http1Stream:
        return self

    async def __anext__(self) -> bytes:
        connection = self._connection
        if connection is None:
            if self._complete:
                raise StopAsyncIteration
            raise StreamStateError("The stream was closed before its end; it has no more to give.")
        reader = connection.reader
        while True:
            if reader.body:
                return reader.take_body()
            if reader.complete:
                self._complete = True
                self._let_go(connection)
                raise StopAsyncIteration
            if connection.closed:
                self._connection = None
                raise connection.take_failure()
            try:
                await connection.wait_body()
            except BaseException:
                self._let_go(connection)
                raise
            if self._connection is not connection:
                raise ConnectionLost("The stream was closed while it was being read.", sent="yes")

    async def pour(self, sink: Callable[[bytes], bool]) -> None:
        """Gives what comes to `sink` as soon as it has come, and returns when that says False, or with the body's end.

        It spares a reader its task's turn for each piece. What `sink` was not given, the end and
        failures among it, is read by iterating; what `sink` raises is raised here.
        """
        connection = self._connection
        if connection is None or connection.reader.body or connection.reader.complete or connection.closed:
            return
        try:
            await connection.pour_body(sink)
        except BaseException:
            self._let_go(connection)
            raise
        if self._connection is not connection:
            raise ConnectionLost("The stream was closed while it was being read.", sent="yes")

    async def aread(self) -> bytes:
        """The rest of the body, up to `TransportLimits.body_bytes`; beyond that it raises `ProtocolViolation`."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size > self._body_bytes:
                await self.aclose()
                raise ProtocolViolation(
                    f"The answer's body is larger than {self._body_bytes} bytes; "
                    "TransportLimits.body_bytes sets this bound."
                )
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Give the connection back if the body is complete, else close it; returns once that is done."""
        connection = self._connection
        if connection is None:
            return
        self._let_go(connection)
        if connection.closed:
            await connection.wait_closed()

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is None or connection.loop.is_closed():
            return
        # The collector may run in any thread, a loop is to be touched in its own.
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is connection.loop:
            self._let_go(connection)
        else:
            try:
                connection.loop.call_soon_threadsafe(connection.abort)
            except RuntimeError:
                return  # the loop was closed in the meantime

    def _let_go(self, connection: Connection) -> None:
        if self._connection is not connection:
            return
        self._connection = None
        if connection.closed:
            return
        if connection.reader.complete:
            self._pool.release(connection)
        else:
            connection.abort()
