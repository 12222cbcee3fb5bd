"""Capacity of one deployment: what may be asked of it now, and who waits for room.

What bounds it, in this order: the limits that were written down, what the provider told in the headers of its last
answers, and what was learned from its refusals, apart for requests, tokens and overload. Room for a call is taken
before any other permit of the attempt, and given back however it ends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from dragoman.errors import Unavailable
from dragoman.routing.learned import Learned
from dragoman.routing.limits import Limits, Window
from dragoman.routing.rate_headers import read_rate_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.routing.rate_headers import Kind
    from dragoman.routing.settings import Clock

__all__ = ["Capacity", "Room"]

_NO_LIMITS = Limits()


class Room:
    """Room for one attempt. `release` gives it back, once."""

    __slots__ = ("_capacity", "_second", "tokens")

    def __init__(self, capacity: Capacity, second: int, tokens: float) -> None:
        self._capacity: Capacity | None = capacity
        self._second = second
        self.tokens = tokens

    def release(self, now: float, tokens: float | None = None) -> None:
        """The attempt has ended, having taken so many tokens; None leaves what was expected."""
        capacity, self._capacity = self._capacity, None
        if capacity is not None:
            capacity.left(now, self._second, 0.0 if tokens is None else tokens - self.tokens)


class _Waiter:
    __slots__ = ("future", "loop", "tokens")

    def __init__(self, tokens: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.tokens = tokens

    def wake(self) -> None:
        # Whoever makes room may stand on another thread's loop.
        self.loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Capacity:
    """See the module's docstring. `now` is seconds of the call's clock."""

    __slots__ = ("_told", "_waiters", "in_flight", "limits", "name", "overload", "requests", "tokens", "used", "uses")

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        self.name = name
        self.limits = limits or _NO_LIMITS
        self.in_flight = 0
        self.uses = Window()  # requests
        self.used = Window()  # tokens
        self.requests = Learned(least=1.0)
        self.tokens = Learned(least=1_000.0)
        self.overload = Learned(least=1.0)
        self._told: dict[str, tuple[float, float]] = {}  # by kind: what is left, and until when
        self._waiters: deque[_Waiter] = deque()

    # -- asking ------------------------------------------------------------------------------------------------------

    def has_room(self, now: float, tokens: float = 1.0) -> bool:
        """Whether an attempt would be let in now; not while others wait."""
        return not self._waiters and self.wait(now, tokens) <= 0.0

    def wait(self, now: float, tokens: float = 1.0) -> float:
        """Seconds until there is room as far as is known; infinite where it depends on attempts in flight."""
        limits = self.limits
        most = limits.concurrency
        if self.overload.cap is not None:
            most = int(self.overload.cap) if most is None else min(most, int(self.overload.cap))
        if most is not None and self.in_flight >= most:
            if most != limits.concurrency:
                self.overload.bound(now)
            return float("inf")
        wait = 0.0
        if limits.rpm is not None:
            wait = self.uses.wait(now, 1.0, limits.rpm)
        if limits.tpm is not None:
            wait = max(wait, self.used.wait(now, tokens, limits.tpm))
        for kind, learned, window, amount in (
            ("requests", self.requests, self.uses, 1.0),
            ("tokens", self.tokens, self.used, tokens),
        ):
            if learned.cap is not None:
                more = window.wait(now, amount, learned.cap)
                if more > 0.0:
                    learned.bound(now)
                    wait = max(wait, more)
            told = self._told.get(kind) if self._told else None
            if told is not None and now < told[1] and told[0] < amount:
                wait = max(wait, told[1] - now)
        return wait

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._waiters)

    @property
    def may_queue(self) -> bool:
        """Whether another call may wait."""
        return self.limits.queue_seconds > 0 and len(self._waiters) < self.limits.queue_length

    # -- taking ------------------------------------------------------------------------------------------------------

    async def acquire(self, clock: Clock, tokens: float = 1.0) -> Room:
        """Room for one attempt, after a wait of `queue_seconds` at most. Raises `Unavailable`."""
        now = clock.now()
        if self.has_room(now, tokens):
            return self._enter(now, tokens)
        if not self.may_queue:
            raise self._full(now, tokens)
        return await self._queue(clock, now, tokens)

    def _enter(self, now: float, tokens: float) -> Room:
        self.in_flight += 1
        second = self.uses.add(now, 1.0)
        self.used.add(now, tokens)
        for kind, amount in (("requests", 1.0), ("tokens", tokens)):
            told = self._told.get(kind)
            if told is not None:
                self._told[kind] = (told[0] - amount, told[1])
        return Room(self, second, tokens)

    def _full(self, now: float, tokens: float) -> Unavailable:
        wait = self.wait(now, tokens)
        return Unavailable(f"{self.name} is full", retry_after=wait if 0 < wait < float("inf") else None)

    async def _queue(self, clock: Clock, now: float, tokens: float) -> Room:
        deadline = now + self.limits.queue_seconds
        waiter = _Waiter(tokens)
        self._waiters.append(waiter)
        try:
            while True:
                first = self._waiters[0] is waiter
                wait = self.wait(now, tokens) if first else float("inf")
                if first and wait <= 0.0:
                    return self._enter(now, tokens)
                left = deadline - now
                if left <= 0.0 or left < wait < float("inf"):
                    raise self._full(now, tokens)  # at once where it is known that waiting is no use
                await self._woken(waiter, clock, min(left, wait))
                now = clock.now()
        finally:
            self._waiters.remove(waiter)
            self._wake()

    async def _woken(self, waiter: _Waiter, clock: Clock, seconds: float) -> None:
        """Until somebody makes room, or so long. Cancelled, nothing is left behind."""
        timer = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait((waiter.future, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            if waiter.future.done():
                waiter.future = waiter.loop.create_future()

    def _wake(self) -> None:
        if self._waiters:
            self._waiters[0].wake()

    # -- afterwards --------------------------------------------------------------------------------------------------

    def left(self, now: float, second: int, tokens: float) -> None:
        """An attempt has ended; `tokens` corrects what was expected of it."""
        self.in_flight -= 1
        if tokens:
            self.used.correct(second, tokens)
        self._wake()

    def answered(self, now: float, headers: Mapping[str, str] | None) -> None:
        """An attempt was answered: caps may grow, and the provider may have told what is left."""
        self.requests.answered(now)
        self.tokens.answered(now)
        self.overload.answered(now)
        if headers:
            self.told(now, headers)

    def told(self, now: float, headers: Mapping[str, str]) -> None:
        """Notes what the provider says is left: of two limits of a kind, the narrower one."""
        found: dict[str, tuple[float, float]] = {}
        for kind, remaining, seconds in read_rate_headers(headers):
            known = found.get(kind)
            if known is None or remaining < known[0]:
                found[kind] = (remaining, now + seconds)
        self._told.update(found)

    def refused(self, now: float, headers: Mapping[str, str] | None, kind: Kind | None, *, overload: bool) -> None:
        """The provider refused an attempt; `kind` is what it says there was too much of."""
        if overload:
            self.overload.refused(now, float(self.in_flight + 1))
            return
        if headers:
            self.told(now, headers)
            if any(left < 1 and until > now for left, until in self._told.values()):
                return  # it says itself until when: nothing is left to be learned
        if kind == "tokens":
            self.tokens.refused(now, self.used.total(now))
        else:
            self.requests.refused(now, self.uses.total(now))
