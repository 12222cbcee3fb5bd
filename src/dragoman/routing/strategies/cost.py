"""The cheapest by what calls come to in fact: list prices over the tokens that are measured.

A provider that keeps prompts may be cheaper than one with a lower list price, and a model that writes twice as much
dearer than one that costs half more. A price that is not known, or in another currency than US dollars, comes last: it
is never taken for 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.facts.price_lists import PriceList
    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option
    from dragoman.routing.mix import Mix

__all__ = ["Cheapest"]

LEAST_ANSWERS = 5.0
ANSWERS_BETWEEN = 16
INPUT_TOKENS, OUTPUT_TOKENS = 1000, 300
"""The call that prices are compared by, where nothing was measured yet."""


class Cheapest(Strategy):
    """The lowest effective price; among equals, in turn by attempts in flight."""

    name = "cost"
    declines = False
    wants = frozenset({"mix"})

    def __init__(self) -> None:
        self._prices: dict[str, tuple[int, float]] = {}

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        prices = self._prices
        best = options[0]
        least = (float("inf"), 0)
        for option in options:
            known = prices.get(option.key)
            mix = option.standing.mix
            if known is None or (mix is not None and mix.version - known[0] >= ANSWERS_BETWEEN):
                known = self._work_out(option)
            score = (known[1], option.standing.in_flight)
            if score < least:
                best, least = option, score
        return best

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        return sorted(options, key=lambda option: (self.price(option), option.in_flight, option.index))

    def price(self, option: Option) -> float:
        """US dollars for a call such as are usual there; infinite where the price is not known."""
        known = self._prices.get(option.key)
        return self._work_out(option)[1] if known is None else known[1]

    def told(self, call: Call, option: Option, now: float) -> str:
        price = self.price(option)
        return "its price is not known" if price == float("inf") else f"about {price:.3g} USD a call"

    def _work_out(self, option: Option) -> tuple[int, float]:
        mix = option.standing.mix
        found = (0 if mix is None else mix.version, _effective(option, mix))
        if len(self._prices) > 4096:
            self._prices.clear()
        self._prices[option.key] = found
        return found


def _effective(option: Option, mix: Mix | None) -> float:
    prices = _prices(option)
    if prices is None or prices.currency != "USD":
        return float("inf")
    from dragoman.facts.costing import list_cost
    from dragoman.values import Usage

    reads, writes, output = 0, 0, OUTPUT_TOKENS
    if mix is not None and mix.answers >= LEAST_ANSWERS and mix.input > 0:
        # The same prompt for all, with each one's own share of kept tokens and its own length of answers.
        reads = round(INPUT_TOKENS * min(1.0, mix.cache_read / mix.input))
        writes = round(INPUT_TOKENS * min(1.0, mix.cache_write / mix.input))
        output = round(mix.output / mix.answers)
    usage = Usage(input_tokens=INPUT_TOKENS, output_tokens=output, cache_read_tokens=reads, cache_write_tokens=writes)
    cost = list_cost(usage, prices, partial=True)
    return float("inf") if cost is None else float(cost.amount)


def _prices(option: Option) -> PriceList | None:
    deployment = option.deployment
    if deployment.prices is not None or not deployment.facts:
        return deployment.prices
    from dragoman.facts import prices

    return prices(deployment.facts_provider, deployment.access.target.model)
