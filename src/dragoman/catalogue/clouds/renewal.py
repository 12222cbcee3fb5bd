"""Renewing: a credential that is fetched once, kept, and fetched anew before it ends."""

from __future__ import annotations

import asyncio
import copy
import time
from threading import Lock
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from dragoman.errors import DragomanError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.transport.seam import Transport

__all__ = ["Lasting", "Renewing"]

EARLY_SECONDS = 300.0
"""How long before its end a credential is fetched anew; half its life, for one that lives shorter than twice this."""

PAUSE_SECONDS = 30.0
"""How long a good credential is used on after fetching a new one has failed."""

MARGIN_SECONDS = 10.0
"""A credential is not used for a call that may arrive after its end."""

T = TypeVar("T")


class Lasting(NamedTuple, Generic[T]):
    """A value, and when it ends (seconds since the epoch; None: never)."""

    value: T
    ends: float | None = None


class _Held(NamedTuple, Generic[T]):
    value: T
    renew: float
    ends: float


class Renewing(Generic[T]):
    """Fetches once for all who wait. Safe to share between tasks, loops and threads.

    Who is cancelled while fetching hands over to the next who waits. An error is raised for all who waited for it; a
    value that is still good is used on when fetching another fails. While one task of a loop fetches a new value before
    the old one's end, the others use the old one. Two loops at once may fetch twice.
    """

    def __init__(
        self, fetch: Callable[[Transport], Awaitable[Lasting[T]]], clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: _Held[T] | None = None
        self._failures = 0
        self._error: DragomanError | None = None
        self._locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}
        self._guard = Lock()  # loops of several threads may come for the first time at once

    async def get(self, transport: Transport) -> T:
        """The value, fetched if need be."""
        held = self._held
        now = self._clock()
        if held is not None and now < held.renew:
            return held.value
        lock = self._lock()
        if held is not None and now < held.ends and lock.locked():
            return held.value
        failures = self._failures
        async with lock:
            return await self._renewed(transport, failures)

    async def _renewed(self, transport: Transport, failures: int) -> T:
        held, now = self._held, self._clock()
        if held is not None and now < held.renew:
            return held.value
        if self._failures != failures and self._error is not None:
            # Whoever held the lock before has failed: to ask again in turn would keep the last waiter for ever.
            raise copy.copy(self._error)
        try:
            fetched = await self._fetch(transport)
        except DragomanError as error:
            if held is not None and now < held.ends:
                self._held = held._replace(renew=min(held.ends, now + PAUSE_SECONDS))
                return held.value
            self._failures += 1
            self._error = copy.copy(error)
            raise
        self._held = _timed(fetched, self._clock())
        return fetched.value

    def _lock(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        with self._guard:
            lock = self._locks.get(loop)
            if lock is None:
                # A lock may hold its loop, so weak keys would keep both; loops that are closed are let go here.
                self._locks = {known: kept for known, kept in self._locks.items() if not known.is_closed()}
                lock = self._locks[loop] = asyncio.Lock()
            return lock

    def __repr__(self) -> str:
        return "Renewing(nothing yet)" if self._held is None else "Renewing(***)"


def _timed(fetched: Lasting[T], now: float) -> _Held[T]:
    if fetched.ends is None:
        return _Held(fetched.value, float("inf"), float("inf"))
    life = fetched.ends - now
    return _Held(
        fetched.value, fetched.ends - min(EARLY_SECONDS, life / 2), fetched.ends - min(MARGIN_SECONDS, life / 2)
    )
