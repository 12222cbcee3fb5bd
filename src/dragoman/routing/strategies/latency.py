"""The faster of two: power of two choices over decaying estimates of how long this call would take.

Two options are drawn, and the better one is taken: where every caller took the best of all, all would run to it at
once (Mitzenmacher, 2001). The estimate is of this call, by its size (`pace`), times the attempts that are under way
there already. A small share of calls goes anywhere, so that who has become fast again is noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["Latency"]

UNKNOWN_SECONDS = 1e-6
"""Taken for what is not known, so that it is tried."""


class Latency(Strategy):
    """`margin`: the one that was chosen last keeps its place against another that is not faster by this share.

    `explore` is the share of calls that go to any option.
    """

    name = "latency"
    declines = False
    wants = frozenset({"pace"})

    def __init__(self, *, margin: float = 0.15, explore: float = 0.02) -> None:
        self.margin = margin
        self.explore = explore
        self._last: dict[int, str] = {}

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option:
        count = len(options)
        if count == 1:
            return options[0]
        first = int(random() * count)
        if random() < self.explore:
            return options[first]
        second = int(random() * (count - 1))
        if second >= first:
            second += 1
        one, other = options[first], options[second]
        last = self._last.get(one.tier)
        if other.key == last:
            one, other = other, one
        margin = 1.0 - self.margin if one.key == last else 1.0
        # As `_score`, written out: two are asked for every call. The prompt matters to streams alone.
        streamed, output = call.streamed, call.output_tokens
        prompt = call.prompt_tokens if streamed else 0
        standing, pace = one.standing, one.standing.pace
        its = None if pace is None else pace.expected(now, streamed, prompt, output)
        score = (UNKNOWN_SECONDS if its is None else its) * ((standing.in_flight + 1) / (one.weight or 1e-9))
        standing, pace = other.standing, other.standing.pace
        its = None if pace is None else pace.expected(now, streamed, prompt, output)
        others = (UNKNOWN_SECONDS if its is None else its) * ((standing.in_flight + 1) / (other.weight or 1e-9))
        chosen = other if others < score * margin else one
        self._last[chosen.tier] = chosen.key
        return chosen

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        size = (call.streamed, call.prompt_tokens, call.output_tokens)
        return sorted(options, key=lambda option: (_score(size, option, now), option.index))

    def told(self, call: Call, option: Option, now: float) -> str:
        expected = _expected((call.streamed, call.prompt_tokens, call.output_tokens), option, now)
        pace = "its pace is not known yet" if expected is None else f"about {expected:.3g} s"
        return f"{pace}, {option.in_flight} in flight"

    def __repr__(self) -> str:
        return f"Latency(margin={self.margin:g}, explore={self.explore:g})"


# Whether it streams, the tokens of its prompt, and those of its answer: what of a call its time depends on.
_Size = tuple[bool, int, int]


def _expected(size: _Size, option: Option, now: float) -> float | None:
    pace = option.standing.pace
    return None if pace is None else pace.expected(now, *size)


def _score(size: _Size, option: Option, now: float) -> float:
    """Seconds times the load; an option of which nothing is known is tried before others."""
    standing = option.standing
    expected = None if standing.pace is None else standing.pace.expected(now, *size)
    load = (standing.in_flight + 1) / (option.weight or 1e-9)
    return (UNKNOWN_SECONDS if expected is None else expected) * load
