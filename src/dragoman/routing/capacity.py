"""Capacity of one deployment: what may be asked of it now, and who waits for room.

What bounds it: the limits that were written down, what the provider told in the headers of its last answers, and what
was learned from its refusals, apart for requests, tokens and overload. The last is a guess: it sends calls to others,
and refuses none that nobody else could take. Room for a call is taken before any other permit of the attempt, and given
back however it ends.
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


class _Left:
    """What is left of a provider's limit by its own words.

    Such limits fill up steadily: the time that is told is when they are full, and a part of it brings a part of them.
    Where the limit's size is not told, nothing comes back before that time.
    """

    __slots__ = ("amount", "at", "rate", "until")

    def __init__(self, now: float, amount: float, reset_seconds: float, limit: float) -> None:
        self.amount = amount
        self.at = now
        self.until = now + reset_seconds
        self.rate = max(0.0, limit - amount) / reset_seconds

    def wait(self, now: float, amount: float) -> float:
        """Seconds until so much is there."""
        if now >= self.until:
            return 0.0
        missing = amount - self.amount - self.rate * (now - self.at)
        if missing <= 0:
            return 0.0
        return min(self.until - now, missing / self.rate) if self.rate > 0 else self.until - now


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
        self.requests = Learned(least=10.0)
        self.tokens = Learned(least=10_000.0)
        self.overload = Learned(least=2.0)
        self._told: dict[str, _Left] = {}
        self._waiters: deque[_Waiter] = deque()

    # -- asking ------------------------------------------------------------------------------------------------------

    def open(self, now: float, tokens: float = 1.0) -> bool:
        """Whether an attempt would be let in now, and nothing that was learned speaks against it."""
        # Asked of every option at every choice: the usual answer comes without working out a wait.
        limits = self.limits
        if self._waiters or (limits.concurrency is not None and self.in_flight >= limits.concurrency):
            return False
        if limits.rpm is not None and self.uses.total(now) + 1.0 > limits.rpm:
            return False
        if (limits.tpm is not None and self.used.total(now) + tokens > limits.tpm) or self._told:
            return self.has_room(now, tokens) and not self.held_back(now, tokens)
        return not self.held_back(now, tokens)

    def has_room(self, now: float, tokens: float = 1.0) -> bool:
        """Whether an attempt would be let in now; not while others wait."""
        return not self._waiters and self.wait(now, tokens) <= 0.0

    def wait(self, now: float, tokens: float = 1.0) -> float:
        """Seconds until there is room as far as is known; infinite where it depends on attempts in flight.

        By what was written down and what the provider told; what was learned is a guess, and refuses nobody.
        """
        limits = self.limits
        if limits.concurrency is not None and self.in_flight >= limits.concurrency:
            return float("inf")
        wait = 0.0
        if limits.rpm is not None:
            wait = self.uses.wait(now, 1.0, limits.rpm)
        if limits.tpm is not None:
            wait = max(wait, self.used.wait(now, tokens, limits.tpm))
        if self._told:
            for kind, told in self._told.items():
                wait = max(wait, told.wait(now, 1.0 if kind == "requests" else tokens))
        return wait

    def held_back(self, now: float, tokens: float = 1.0) -> bool:
        """Whether a learned cap says that another one should be asked, if there is one."""
        if self.overload.cap is None and self.requests.cap is None and self.tokens.cap is None:
            return False
        held = False
        for learned, level in (
            (self.overload, float(self.in_flight + 1)),
            (self.requests, self.uses.total(now) + 1.0 if self.requests.cap is not None else 0.0),
            (self.tokens, self.used.total(now) + tokens if self.tokens.cap is not None else 0.0),
        ):
            if learned.cap is not None and level > learned.cap:
                learned.bound(now)
                held = True
        return held

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
            return self.enter(now, tokens)
        if not self.may_queue:
            raise self._full(now, tokens)
        return await self._queue(clock, now, tokens)

    def enter(self, now: float, tokens: float) -> Room:
        """Takes the room, there or not."""
        self.in_flight += 1
        second = self.uses.add(now, 1.0)
        self.used.add(now, tokens)
        for kind, amount in (("requests", 1.0), ("tokens", tokens)):
            told = self._told.get(kind)
            if told is not None:
                told.amount -= amount
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
                    return self.enter(now, tokens)
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
        found: dict[str, _Left] = {}
        for each in read_rate_headers(headers):
            known = found.get(each.kind)
            if known is None or each.remaining < known.amount:
                found[each.kind] = _Left(now, each.remaining, each.reset_seconds, each.limit)
        self._told.update(found)

    def refused(self, now: float, headers: Mapping[str, str] | None, kind: Kind | None, *, overload: bool) -> None:
        """The provider refused an attempt; `kind` is what it says there was too much of."""
        if overload:
            self.overload.refused(now, float(self.in_flight + 1))
            return
        if headers:
            self.told(now, headers)
            if any(told.wait(now, 1.0) > 0 for told in self._told.values()):
                return  # it says itself until when: nothing is left to be learned
        if kind == "tokens":
            self.tokens.refused(now, self.used.total(now))
        else:
            self.requests.refused(now, self.uses.total(now))
