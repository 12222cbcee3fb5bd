"""Hedging: a second attempt where the first is slow to begin, and the first to answer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dragoman.routing.standing import Standing

__all__ = ["Hedging"]


class Hedging(msgspec.Struct, frozen=True, kw_only=True):
    """When a second deployment is asked beside the first.

    After `after_seconds`, or, without it, when the first has taken longer than this `quantile` of its last answers took
    to begin (whole answers: to end), of which at least `least_samples` are known. It counts as a retry, and so keeps
    within the route's share of retries. The loser is cancelled, and booked with what it took. A request that may act on
    the world is never hedged.
    """

    quantile: float = 0.95
    least_samples: int = 20
    after_seconds: float | None = None

    def delay(self, standing: Standing, *, streamed: bool) -> float | None:
        """How long to wait for the first; None where too little is known."""
        if self.after_seconds is not None:
            return self.after_seconds
        if standing.pace is None:
            return None
        return standing.pace.quantile(self.quantile, streamed=streamed, least=self.least_samples)
