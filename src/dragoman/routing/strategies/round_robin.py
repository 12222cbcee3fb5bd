"""In turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["RoundRobin"]


class RoundRobin(Strategy):
    """Each option after the one before it, in every tier for itself; weights do not count."""

    name = "round-robin"
    declines = False

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        chosen = self._next(options)
        self._last[chosen.tier] = chosen.index
        return chosen

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        if not options:
            return []
        first = self._next(options).index
        return sorted(options, key=lambda option: (option.index < first, option.index))

    def _next(self, options: Sequence[Option]) -> Option:
        """The first option behind the one that was chosen last; options stand by their index."""
        last = self._last.get(options[0].tier, -1)
        if options[-1].index <= last:
            return options[0]
        low, high = 0, len(options) - 1
        while low < high:
            middle = (low + high) // 2
            if options[middle].index <= last:
                low = middle + 1
            else:
                high = middle
        return options[low]
