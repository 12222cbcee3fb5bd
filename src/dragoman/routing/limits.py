"""Limits of a deployment, and the windows that count against them."""

from __future__ import annotations

import math

import msgspec

__all__ = ["Limits", "Window"]

_BUCKETS = 61  # 60 whole seconds, and the one that is running


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment may be asked: requests and tokens a minute, and attempts at once; None is no limit.

    A call that finds every deployment full waits up to `queue_seconds` for room, first come, first served, behind
    `queue_length` others at most.
    """

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    queue_seconds: float = 5.0
    queue_length: int = 100

    def __post_init__(self) -> None:
        for name in ("rpm", "tpm", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is a whole number from 1 up, and not {value!r}")

    def tightened(self, other: Limits) -> Limits:
        """The narrower of both, each by each."""
        return Limits(
            rpm=_least(self.rpm, other.rpm),
            tpm=_least(self.tpm, other.tpm),
            concurrency=_least(self.concurrency, other.concurrency),
            queue_seconds=min(self.queue_seconds, other.queue_seconds),
            queue_length=min(self.queue_length, other.queue_length),
        )


def _least(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


class Window:
    """How much there was within the last minute, in steps of a second.

    What is counted leaves after 60 to 61 seconds, so that no minute ever sees more than the limit that is held to.
    """

    __slots__ = ("_counts", "_second", "_total")

    def __init__(self) -> None:
        self._counts = [0.0] * _BUCKETS
        self._second = 0
        self._total = 0.0

    def total(self, now: float) -> float:
        """The sum over the last minute."""
        if now >= self._second + 1:  # spares the usual question a call
            self._turn(now)
        return self._total

    def add(self, now: float, amount: float) -> int:
        """Counts an amount; gives the second it is counted in, for `correct`."""
        self._turn(now)
        self._counts[self._second % _BUCKETS] += amount
        self._total += amount
        return self._second

    def correct(self, second: int, amount: float) -> None:
        """Changes what was counted in a second, if that is still within the minute."""
        if self._second - second < _BUCKETS:
            self._counts[second % _BUCKETS] += amount
            self._total += amount

    def wait(self, now: float, amount: float, limit: float) -> float:
        """Seconds until the amount fits under the limit; one that never fits is let in when nothing else is there."""
        self._turn(now)
        over = self._total + min(amount, limit) - limit
        if over <= 1e-9:
            return 0.0
        for age in range(_BUCKETS - 1, -1, -1):
            second = self._second - age
            over -= self._counts[second % _BUCKETS]
            if over <= 1e-9:
                return max(0.0, second + _BUCKETS - now)
        return float(_BUCKETS)

    def _turn(self, now: float) -> None:
        second = math.floor(now)
        passed = second - self._second
        if passed <= 0:
            return
        if passed >= _BUCKETS:
            self._counts = [0.0] * _BUCKETS
            self._total = 0.0
        else:
            for each in range(self._second + 1, second + 1):
                index = each % _BUCKETS
                self._total -= self._counts[index]
                self._counts[index] = 0.0
        self._second = second
