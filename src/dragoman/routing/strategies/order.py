"""In order: the first that is available."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["InOrder", "Tiered"]


class InOrder(Strategy):
    """The options as they stand."""

    name = "order"
    declines = False

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        return options[0]

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        return list(options)

    def of_tier(self, tier: int) -> Strategy | None:
        return None


class Tiered(Strategy):
    """A strategy for each tier, as when routes stand in a route; tiers that are not named are taken in order."""

    name = "tiered"

    def __init__(self, strategies: Mapping[int, Strategy]) -> None:
        self._strategies = dict(strategies)
        self.wants = frozenset[str]().union(*(each.wants for each in self._strategies.values()))

    def of_tier(self, tier: int) -> Strategy | None:
        found = self._strategies.get(tier)
        return None if found is None else found.of_tier(tier)

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        found = self._strategies.get(options[0].tier)
        return options[0] if found is None else found.choose(call, options, now, random)

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        found = self._strategies.get(options[0].tier) if options else None
        return list(options) if found is None else found.rank(call, options, now)

    def __repr__(self) -> str:
        return f"Tiered({self._strategies!r})"
