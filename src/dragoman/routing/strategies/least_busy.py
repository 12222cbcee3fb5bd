"""The one with the fewest attempts under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["LeastBusy"]


class LeastBusy(Strategy):
    """The fewest attempts in flight, in proportion to the weights; among equals, in turn."""

    name = "least-busy"
    declines = False

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        last = self._last.get(options[0].tier, -1)
        best = None
        least = float("inf")
        behind = False  # whether the best so far stands behind the one that was chosen last
        for option in options:
            load = option.standing.in_flight / (option.weight or 1e-9)
            if load < least or (load == least and not behind and option.index > last):
                best, least, behind = option, load, option.index > last
        assert best is not None  # there is at least one
        self._last[best.tier] = best.index
        return best

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        last = self._last.get(options[0].tier, -1) if options else -1
        return sorted(
            options,
            key=lambda option: (option.in_flight / (option.weight or 1e-9), option.index <= last, option.index),
        )

    def told(self, call: Call, option: Option, now: float) -> str:
        return f"{option.in_flight} in flight"
