"""The share of traffic that may be retries, so that an ill provider is not beaten to death by its callers.

A token bucket after Finagle's retry budget: each first attempt earns a share of a retry, each retry costs one; a
reserve, refilled slowly, lets low traffic retry at all.
"""

from __future__ import annotations

__all__ = ["RetryBudget"]


class RetryBudget:
    """`share` retries are earned per first attempt, and `reserve_per_second` besides; `most` bounds what is saved up.

    Time is given, in seconds of any steady clock.
    """

    __slots__ = ("_at", "_balance", "_most", "_reserve_per_second", "_share")

    def __init__(self, *, share: float = 0.2, reserve_per_second: float = 1.0, most: float = 100.0) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share is a fraction of the traffic, from 0 to 1, and not {share!r}")
        self._share = share
        self._reserve_per_second = reserve_per_second
        self._most = most
        self._balance = min(10.0, most)
        self._at: float | None = None

    def first_attempt(self, now: float) -> None:
        """Notes a call's first attempt."""
        # As `_refill` first; written out, for every call comes here.
        at, most = self._at, self._most
        balance = self._balance + self._share
        if at is not None and now > at:
            balance += (now - at) * self._reserve_per_second
        self._balance = balance if balance < most else most
        self._at = now

    def may_retry(self, now: float) -> bool:
        """Takes leave for one retry; False when the share is used up."""
        self._refill(now)
        if self._balance < 1.0:
            return False
        self._balance -= 1.0
        return True

    def _refill(self, now: float) -> None:
        if self._at is not None and now > self._at:
            self._balance = min(self._most, self._balance + (now - self._at) * self._reserve_per_second)
        self._at = now
