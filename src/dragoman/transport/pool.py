"""The connections of one event loop: lent out, taken back, bounded, and counted.

Kept per route (origin and proxy), the most recently used first, so that surplus ones grow old and end. A call that
finds all lent out waits in line; who waits longest is served first, and a place that becomes free anywhere goes to
somebody who may use it. Everything here happens between two awaits of the loop's thread, so nothing needs a lock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.errors import ConnectFailed, ConnectionLost, PoolExhausted
from dragoman.transport.limits import Statistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.transport.connection import Connection
    from dragoman.transport.limits import TransportLimits
    from dragoman.transport.proxy import Proxy
    from dragoman.transport.target import Origin

__all__ = ["Pool", "Route"]


_CLOSED: Final = "The transport was closed while the call waited."


class Route(NamedTuple):
    """What connections are alike in: whom they lead to, and through which proxy."""

    origin: Origin
    proxy: Proxy | None


class _Shelf:
    """The connections of one route. `taken` counts places: connections open and connections being opened."""

    __slots__ = ("idle", "route", "taken", "waiters")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.idle: list[Connection] = []
        self.taken = 0
        # A waiter is given a connection, or None for a place in which to open one.
        self.waiters: deque[asyncio.Future[Connection | None]] = deque()


class Pool:
    """Lends connections: `take_idle` or `acquire`, then `release`. A connection that closes leaves by itself.

    `connect` opens one for a route by a deadline (loop time) and is given what the connection calls when it closes.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: TransportLimits,
        connect: Callable[[Route, float, Callable[[Connection], None]], Awaitable[Connection]],
    ) -> None:
        self.loop = loop
        self._limits = limits
        self._connect = connect
        self._shelves: dict[Route, _Shelf] = {}
        self._in_use: dict[Connection, _Shelf] = {}
        self._resting: dict[Connection, _Shelf] = {}
        self._taken = 0
        self._waiting = 0
        self._times_closed = 0
        self._retired = False

    def statistics(self) -> Statistics:
        idle, in_use = len(self._resting), len(self._in_use)
        return Statistics(
            open=idle + in_use,
            idle=idle,
            in_use=in_use,
            connecting=self._taken - idle - in_use,
            waiting=self._waiting,
        )

    def take_idle(self, route: Route) -> Connection | None:
        """An idle connection that may be used at once, or None."""
        shelf = self._shelves.get(route)
        if shelf is None:
            return None
        now = self.loop.time()
        while shelf.idle:
            connection = shelf.idle.pop()
            del self._resting[connection]
            self._in_use[connection] = shelf
            if connection.is_fresh(now):
                return connection
            connection.abort()
        return None

    async def acquire(self, route: Route, connect_seconds: float | None, total_at: float) -> Connection:
        """A connection: a new one, or the next that becomes free. `total_at` (loop time) bounds it all.

        Raises `PoolExhausted` when too many wait already or none became free in time, and what `connect` raises. A
        cancelled call leaves its place to the next in line.
        """
        shelf = self._shelves.get(route)
        if shelf is None:
            shelf = self._shelves[route] = _Shelf(route)
        if self._may_open(shelf):
            self._take_place(shelf)
        else:
            connection = await self._wait(shelf, total_at)
            if connection is not None:
                return connection
        times_closed = self._times_closed
        deadline = total_at if connect_seconds is None else min(total_at, self.loop.time() + connect_seconds)
        try:
            connection = await self._connect(route, deadline, self._forget)
        except BaseException:
            self._free_place(shelf)
            raise
        if connection.closed or times_closed != self._times_closed:
            # `_forget` did not know it yet, so the place is freed here.
            connection.abort()
            self._free_place(shelf)
            raise ConnectFailed(f"The connection to {route.origin} was closed as soon as it was open.")
        self._in_use[connection] = shelf
        return connection

    def release(self, connection: Connection) -> None:
        """Take back a connection: to the next in line, to the idle ones, or, if it cannot be used again, to its end."""
        now = self.loop.time()
        if now - connection.born > self._limits.age_seconds or self._retired or not connection.rest(now):
            connection.abort()
            return
        shelf = self._in_use[connection]
        if shelf.waiters:
            waiter = self._next_waiter(shelf)
            if waiter is not None:
                waiter.set_result(connection)
                return
        if self._waiting and self._taken >= self._limits.connections:
            # Others wait for a place and this route has nobody in line: the place is worth more than the connection.
            connection.abort()
            return
        del self._in_use[connection]
        self._resting[connection] = shelf
        shelf.idle.append(connection)

    def close(self) -> list[Connection]:
        """Close every connection and turn away all who wait; returns what was open."""
        self._times_closed += 1
        open_ones = [*self._resting, *self._in_use]
        for shelf in list(self._shelves.values()):
            while shelf.waiters:
                waiter = shelf.waiters.popleft()
                if not waiter.done():
                    waiter.set_exception(PoolExhausted(_CLOSED))
        for connection in open_ones:
            connection.abort(ConnectionLost("The transport was closed in mid-exchange.", sent=connection.sent))
        return open_ones

    def retire(self) -> None:
        """Close what is idle now, and everything else when its exchange is over: nobody will ask for it again."""
        self._retired = True
        for connection in list(self._resting):
            connection.abort()

    def drop(self) -> list[Connection]:
        """Forget every connection and close its socket underneath it, without a word to its loop or its peer."""
        dropped = [*self._resting, *self._in_use]
        self._resting.clear()
        self._in_use.clear()
        self._shelves.clear()
        self._taken = self._waiting = 0
        for connection in dropped:
            connection.drop()
        return dropped

    # ------------------------------------------------------------------------------------------------------------------

    def _may_open(self, shelf: _Shelf) -> bool:
        if shelf.taken >= self._limits.connections_per_host or shelf.waiters:
            return False
        if self._taken < self._limits.connections:
            return True
        # Full, but somebody else's idle connection may go: the one that has lain there longest.
        oldest = next(iter(self._resting), None)
        if oldest is not None:
            oldest.abort()
        return self._taken < self._limits.connections

    def _take_place(self, shelf: _Shelf) -> None:
        shelf.taken += 1
        self._taken += 1

    def _free_place(self, shelf: _Shelf) -> None:
        shelf.taken -= 1
        self._taken -= 1
        if self._waiting:
            self._pass_on_place(shelf)
        if not shelf.taken and not shelf.waiters:
            # Routes come and go with addresses; an empty one is not remembered.
            self._shelves.pop(shelf.route, None)

    def _pass_on_place(self, first: _Shelf) -> None:
        for shelf in (first, *self._shelves.values()):
            if shelf.taken >= self._limits.connections_per_host or self._taken >= self._limits.connections:
                continue
            waiter = self._next_waiter(shelf)
            if waiter is not None:
                self._take_place(shelf)
                waiter.set_result(None)
                return

    def _next_waiter(self, shelf: _Shelf) -> asyncio.Future[Connection | None] | None:
        while shelf.waiters:
            waiter = shelf.waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    async def _wait(self, shelf: _Shelf, total_at: float) -> Connection | None:
        if self._waiting >= self._limits.waiters:
            raise PoolExhausted(
                f"{self._waiting} calls wait for a connection already; TransportLimits.waiters sets this bound."
            )
        give_up_at = min(total_at, self.loop.time() + self._limits.pool_wait_seconds)
        self._waiting += 1
        times_closed = self._times_closed
        try:
            connection = await self._stand_in_line(shelf, give_up_at)
            if times_closed != self._times_closed:
                # Closed between the handing over and now: what was handed over is of no use.
                if connection is None:
                    self._free_place(shelf)
                raise PoolExhausted(_CLOSED)
            while connection is not None and connection.closed:
                # It ended between being handed over and now, and with that its place became free.
                if self._may_open(shelf):
                    self._take_place(shelf)
                    return None
                connection = await self._stand_in_line(shelf, give_up_at, first=True)
            return connection
        finally:
            self._waiting -= 1

    async def _stand_in_line(self, shelf: _Shelf, give_up_at: float, *, first: bool = False) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = self.loop.create_future()
        if first:
            shelf.waiters.appendleft(waiter)
        else:
            shelf.waiters.append(waiter)
        self._shelves[shelf.route] = shelf
        timer = self.loop.call_at(give_up_at, self._give_up, shelf, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self._return_gift(shelf, waiter)
            raise
        finally:
            timer.cancel()

    def _return_gift(self, shelf: _Shelf, waiter: asyncio.Future[Connection | None]) -> None:
        """Pass on what a cancelled waiter had been given already; one that got nothing just leaves the line."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            connection = waiter.result()
            if connection is None:
                self._free_place(shelf)
            elif not connection.closed:
                self.release(connection)
        elif waiter in shelf.waiters:
            shelf.waiters.remove(waiter)
            if not shelf.taken and not shelf.waiters:
                self._shelves.pop(shelf.route, None)

    def _give_up(self, shelf: _Shelf, waiter: asyncio.Future[Connection | None]) -> None:
        if not waiter.done() and waiter in shelf.waiters:
            shelf.waiters.remove(waiter)
            waiter.set_exception(
                PoolExhausted(
                    f"No connection to {shelf.route.origin} became free in time: "
                    f"{shelf.taken} are lent out. TransportLimits.connections_per_host and connections set the bounds."
                )
            )

    def _forget(self, connection: Connection) -> None:
        shelf = self._in_use.pop(connection, None)
        if shelf is None:
            shelf = self._resting.pop(connection, None)
            if shelf is None:
                return
            if connection in shelf.idle:
                shelf.idle.remove(connection)
        self._free_place(shelf)
