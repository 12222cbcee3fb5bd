"""By weights, smoothly: exact shares over any run of calls, and no bursts to the heaviest.

Every option's credit grows by its weight; the one with the most is chosen, and pays the sum of all weights. It is the
smooth weighted round-robin of nginx (2012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["Weighted"]

MOST_KEPT = 4096


class Weighted(Strategy):
    """Shares of the calls by `weight`. A weight of 0 is asked when no other option of its tier is available."""

    name = "weighted"
    declines = False

    def __init__(self) -> None:
        self._credits: dict[str, float] = {}

    # The loop takes about 0.1 µs an option (benchmarks/routing.py).
    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        credits = self._credits
        if len(credits) > MOST_KEPT:
            credits.clear()
        best = options[0]
        most = float("-inf")
        total = 0.0
        for option in options:
            weight = option.weight
            if weight <= 0.0:
                continue
            credit = credits[option.key] = credits.get(option.key, 0.0) + weight
            total += weight
            if credit > most:
                best, most = option, credit
        if total:
            credits[best.key] = most - total
        return best

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        credits = self._credits
        return sorted(
            options,
            key=lambda option: (option.weight <= 0, -(credits.get(option.key, 0.0) + option.weight), option.index),
        )

    def told(self, call: Call, option: Option, now: float) -> str:
        return f"weight {option.weight:g}"
