"""Limits of a key: requests in any 60 seconds, and requests at once, counted exactly by one process.

Requests are counted in a sliding window: the times of the last `rpm` admitted ones are kept, and another is admitted
if the oldest of them lies 60 seconds back. So no 60 seconds ever see more than `rpm`, and the time to wait is known to
the instant. Refused requests count for nothing. Memory is bounded by `rpm` times of day per key. Time is any steady
clock's seconds, passed in.

With several worker processes each counts for itself, and gets its share of a limit (`Limits.share`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.errors import RateLimited

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WINDOW_SECONDS", "Gauge", "Gauges", "Lease", "LimitReached", "Limits"]

WINDOW_SECONDS: Final = 60.0

_BUSY_RETRY_SECONDS: Final = 1.0
"""When a place will be free among requests at once nobody knows; clients are asked to wait this long."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`rpm`: requests in any 60 seconds; `concurrency`: requests at once. None: no limit."""

    rpm: int | None = None
    concurrency: int | None = None

    def share(self, worker: int, workers: int) -> Limits:
        """What one of several processes may admit, so that all together keep the limit; at least one each."""
        return Limits(rpm=_part(self.rpm, worker, workers), concurrency=_part(self.concurrency, worker, workers))


def _part(limit: int | None, worker: int, workers: int) -> int | None:
    return None if limit is None else max(1, limit // workers + (worker < limit % workers))


class LimitReached(RateLimited):
    """A key's own limit is reached; `retry_after` says in how many seconds to ask again, `limit` which one it is."""

    def __init__(self, key: str, limit: str, said: str, retry_after: float) -> None:
        super().__init__(said, status=429, code="rate_limit_exceeded", retry_after=retry_after)
        # The gateway itself refused: no provider was asked, so none is spoken of.
        self.message = f"{said} Retry after {retry_after:.3g} s."
        self.args = (self.message,)
        self.key = key
        self.limit = limit


class Lease:
    """One admitted request. `release` gives its place back; a second release does nothing."""

    __slots__ = ("_gauge",)

    def __init__(self, gauge: Gauge) -> None:
        self._gauge: Gauge | None = gauge

    def release(self) -> None:
        """The request is over."""
        gauge = self._gauge
        if gauge is not None:
            self._gauge = None
            gauge.in_flight -= 1


class Gauge:
    """What one key has used; it outlives the configuration that set its limits. Belongs to one thread."""

    __slots__ = ("_times", "concurrency", "in_flight", "name", "rpm")

    def __init__(self, name: str, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.name = name
        self.in_flight = 0
        self._times: deque[float] = deque()
        self.rpm: int | None = None
        self.concurrency: int | None = None
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """New limits, from now on; what was used counts on."""
        self.concurrency = limits.concurrency
        if limits.rpm != self.rpm:
            self.rpm = limits.rpm
            # A window of the new size keeps the newest times, which are those that a smaller limit goes by.
            self._times = deque(self._times if limits.rpm is not None else (), maxlen=limits.rpm)

    # A key found, admitted and released takes about 1 µs; benchmarks/accounts.py measures it.
    def admit(self, now: float) -> Lease:
        """Leave for one request at the time `now`. Raises `LimitReached`, which then counts for nothing."""
        if self.concurrency is not None and self.in_flight >= self.concurrency:
            raise LimitReached(
                self.name,
                "concurrency",
                f"The key {self.name!r} may have {self.concurrency} requests in flight, and has as many.",
                _BUSY_RETRY_SECONDS,
            )
        if self.rpm is not None:
            times = self._times
            if len(times) == self.rpm and (wait := times[0] + WINDOW_SECONDS - now) > 0:
                raise LimitReached(
                    self.name, "rpm", f"The key {self.name!r} may make {self.rpm} requests a minute.", wait
                )
            times.append(now)  # beyond its greatest length the deque lets go of the oldest
        self.in_flight += 1
        return Lease(self)

    @property
    def recent(self) -> int:
        """Times that are kept, at most `rpm`."""
        return len(self._times)


class Gauges:
    """The gauges of a process by the key's name, shared by one configuration after another."""

    def __init__(self) -> None:
        self._gauges: dict[str, Gauge] = {}

    def get(self, name: str) -> Gauge:
        """The gauge of a key; a new one, without limits yet, for a key that was not known."""
        return self._gauges.get(name) or Gauge(name)

    def keep(self, gauges: Iterable[Gauge]) -> None:
        """From now on these alone are known: those of the configuration that holds."""
        self._gauges = {gauge.name: gauge for gauge in gauges}

    def __len__(self) -> int:
        return len(self._gauges)
