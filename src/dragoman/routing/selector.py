"""The selector of one call: who of a route's candidates is asked next, and why the others are not.

It goes by a snapshot of standings and changes none of them, but for leave to probe, which it asks for whom it chooses.
In this order:

1. whom the call belongs to (`affinity`), if that one can be asked; a provider's own state is gone by even if not;
2. tier by tier, those that are *available*, which is well and not full: the tier's strategy chooses. Of a deployment
   that has just recovered, a part of its choices goes to the others. Holders of the opaque state that the request
   carries come first. Where nobody else is available, those count too that only a learned cap holds back;
3. those that are well and full, where a call may wait for room;
4. the least ill: nobody sees an error because a breaker may have been wrong. Waits that providers asked for are
   certain; those that are short are sat out, and for longer ones the call ends at once and says how long.

A candidate whose model is known not to fit the request is passed over everywhere. What fits is looked at only for whom
the choice falls on, which spares the look at a hundred others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.plan import LONGEST_BACKOFF_SECONDS, Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from dragoman.routing.affinity import Affinity
    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Lineup, Option
    from dragoman.routing.strategies import Strategy

__all__ = ["Selector"]

MOST_TOLD = 3


class Selector:
    """See the module's docstring. `fit` says why a candidate does not fit the request, or None."""

    __slots__ = ("_affinity", "_call", "_clean", "_fit", "_lineup", "_random", "_strategy", "_told", "unfit")

    def __init__(
        self,
        lineup: Lineup,
        call: Call,
        *,
        random: Callable[[], float],
        affinity: Affinity | None = None,
        fit: Callable[[int], str | None] | None = None,
        strategy: Strategy | None = None,
    ) -> None:
        """`strategy` stands for the route's own, for this call."""
        self._lineup = lineup
        self._call = call
        self._random = random
        self._affinity = affinity
        self._fit = fit
        self._strategy = strategy or lineup.across
        self._told: set[int] = set()
        self._clean = True
        self.unfit: dict[int, str] = {}

    # -- what the plan asks ------------------------------------------------------------------------------------------

    def choose(self, closed: AbstractSet[int], now: float) -> Choice | None:
        """Who comes next; None where nobody is left."""
        if self._affinity is not None and self._call.bonds != []:
            found = self._bound(closed, now)
            if found is not None:
                return found
        if self._strategy is not None:
            groups: Sequence[tuple[Sequence[Option], Strategy | None]] = ((self._lineup.options, self._strategy),)
        else:
            groups = self._lineup.tiers
        self._clean = True
        for options, strategy in groups:
            option = self._available(options, strategy, closed, now)
            if option is not None:
                note = "" if self._clean else self._passed_over(option, strategy is None, closed, now)
                return Choice(option.index, 0.0, note)
            self._clean = False
        for options, strategy in groups:
            option = self._available(options, strategy, closed, now, guessing=False)
            if option is not None:
                return Choice(option.index, 0.0, self._passed_over(option, strategy is None, closed, now))
        return self._full(groups, closed, now) or self._least_ill(closed, now)

    def ready(self, closed: AbstractSet[int], now: float) -> bool:
        """Whether somebody is left who can be asked now. Changes nothing, but looks whether they fit."""
        return any(
            option.index not in closed and self._is_open(option, now) and self._fits(option)
            for option in self._allowed()
        )

    def left(self, closed: AbstractSet[int]) -> bool:
        """Whether somebody is left at all. Changes nothing."""
        return any(option.index not in closed and self._fits(option) for option in self._allowed())

    def shut(self, target: int, now: float) -> bool:
        return self._lineup.options[target].standing.shut_until > now

    def not_larger(self, target: int) -> AbstractSet[int]:
        from dragoman.routing.suiting import window_of

        options = self._lineup.options
        most = window_of(options[target].candidate)
        if most is None:
            return frozenset()
        windows = ((option.index, window_of(option.candidate)) for option in options)
        return frozenset(index for index, window in windows if window is not None and window <= most)

    def unmarked(self) -> AbstractSet[int]:
        return frozenset(option.index for option in self._lineup.options if not option.candidate.on_blocked)

    # -- choosing ----------------------------------------------------------------------------------------------------

    def _allowed(self) -> Sequence[Option]:
        """Those who may be asked at all: some strategies leave some out."""
        if self._strategy is None:
            return self._lineup.options
        return self._strategy.allowed(self._call, self._lineup.options, self._random)

    def _fits(self, option: Option) -> bool:
        fit = self._fit
        if fit is None:
            return True
        if option.index in self.unfit:
            return False
        reason = fit(option.index)
        if reason is None:
            return True
        self.unfit[option.index] = reason
        return False

    def _available(
        self,
        options: Sequence[Option],
        strategy: Strategy | None,
        closed: AbstractSet[int],
        now: float,
        *,
        guessing: bool = True,
    ) -> Option | None:
        """The strategy's choice among the available ones; without `guessing`, learned caps hold nobody back."""
        # The comprehensions are the cost of a decision among many: about 70 ns an option (benchmarks/routing.py).
        ready = (
            [
                option
                for option in options
                if (standing := option.standing).shut_until <= now
                and (standing.capacity is None or standing.capacity.open(now, self._call.tokens))
            ]
            if guessing
            else [option for option in options if self._is_open(option, now)]
        )
        if len(ready) != len(options):
            self._clean = False
        if closed:
            ready = [option for option in ready if option.index not in closed]
        if self._lineup.issuers and ready and (issuer := self._call.issuer) is not None:
            ready = [option for option in ready if option.issuer == issuer] or ready
        spared: Option | None = None
        while ready:
            if strategy is None:
                option = ready[0]
            else:
                option = strategy.choose(self._call, ready, now, self._random)
                if option is None:
                    return spared
            standing = option.standing
            if self._fit is not None and not self._fits(option):
                self._clean = False
            elif standing.opened:
                if self._lineup.health.may_probe(standing, now):
                    return option
                self._clean = False
            elif standing.warm_from is None or len(ready) == 1 or self._warm(option, now):
                return option
            else:
                spared = spared or option
            ready = [each for each in ready if each is not option]
        return spared

    def _warm(self, option: Option, now: float) -> bool:
        """Whether a deployment that has just recovered keeps a choice that fell on it."""
        return self._random() < self._lineup.health.warmth(option.standing, now)

    def _is_open(self, option: Option, now: float) -> bool:
        """Well, and not full; a half-open one counts, whose probe may be another's."""
        standing = option.standing
        return standing.shut_until <= now and (
            standing.capacity is None or standing.capacity.has_room(now, self._call.tokens)
        )

    def _bound(self, closed: AbstractSet[int], now: float) -> Choice | None:
        assert self._affinity is not None  # asked by whoever has one
        found = self._affinity.find(self._call, now)
        if found is None:
            return None
        key, what = found
        for option in self._lineup.options:
            if option.key == key:
                if option.index in closed or not (what == "state" or self._is_open(option, now)):
                    return None
                standing = option.standing
                if not self._fits(option):
                    return None
                if standing.opened and not self._lineup.health.may_probe(standing, now) and what != "state":
                    return None
                return Choice(option.index, 0.0, f", kept by its {what}")
        return None

    def _full(
        self,
        groups: Sequence[tuple[Sequence[Option], Strategy | None]],
        closed: AbstractSet[int],
        now: float,
    ) -> Choice | None:
        """The full one that has room first, where calls may wait; of equals, the one with the shortest queue."""
        best: Option | None = None
        least = (float("inf"), float("inf"))
        for options, _ in groups:
            for option in options:
                standing = option.standing
                capacity = standing.capacity
                if capacity is None or option.index in closed or standing.opened or standing.shut_until > now:
                    continue
                wait = capacity.wait(now, self._call.tokens)
                known = min(wait, capacity.limits.queue_seconds)  # how long attempts take is not known
                if not capacity.may_queue or (wait < float("inf") and wait > capacity.limits.queue_seconds):
                    continue
                if (known, capacity.waiting) < least and self._fits(option):
                    best, least = option, (known, capacity.waiting)
        return None if best is None else Choice(best.index, 0.0, f"; all are full, and {best.name} is waited for")

    def _least_ill(self, closed: AbstractSet[int], now: float) -> Choice | None:
        """Nobody is available: the one that is soonest well again."""
        best: Option | None = None
        least = (2, float("inf"))
        soonest = float("inf")
        for option in self._allowed():
            if option.index in closed or not self._fits(option):
                continue
            standing = option.standing
            wait = standing.shut_until - now
            capacity = standing.capacity
            if wait <= 0 and not standing.opened and capacity is not None:
                wait = capacity.wait(now, self._call.tokens)
                if wait == float("inf"):
                    wait = 1.0  # full of attempts that end sometime: said to the caller as a guess of a second
                soonest = min(soonest, wait)
                continue
            if standing.certain and wait > 0:
                soonest = min(soonest, wait)
                if wait > LONGEST_BACKOFF_SECONDS:
                    continue
                rank = (0, wait)
            else:
                rank = (1 if standing.dead else 0, 0.0 if not standing.dead else wait)
            if rank < least:
                best, least = option, rank
        if best is None:
            return None if soonest == float("inf") else Choice(None, soonest)
        standing = best.standing
        wait = standing.shut_until - now if standing.certain else 0.0
        if standing.opened and wait <= 0:  # nothing is held while a call waits: it may be cancelled there
            self._lineup.health.may_probe(standing, now)
        return Choice(best.index, max(0.0, wait), f"; nobody is available, and {best.name} is the least ill")

    def _passed_over(self, chosen: Option, ordered: bool, closed: AbstractSet[int], now: float) -> str:
        """Why others of this tier (in order: those before it) and of tiers before it were not asked, each told once."""
        lineup = self._lineup
        told: list[str] = []
        more = 0
        for option in lineup.options:
            if option.tier > chosen.tier or option is chosen or option.index in self._told or option.index in closed:
                continue
            if ordered and option.tier == chosen.tier and option.index > chosen.index:
                continue
            why = self.unfit.get(option.index)
            if why is None:
                why = shut_reason(option, now)
                if why is None:
                    continue
                why = f"{option.name}, {why}"
            self._told.add(option.index)
            if len(told) < MOST_TOLD:
                told.append(f"; passed over: {why}")
            else:
                more += 1
        return "".join(told) + (f" and {more} more" if more else "")


def shut_reason(option: Option, now: float) -> str | None:
    """Why an option is not available now, in words; None where it is."""
    standing = option.standing
    if standing.shut_until > now:
        return f"{standing.why} ({standing.shut_until - now:.3g} s)"
    if standing.opened:
        return f"{standing.why} (a probe is under way)" if standing.probing else f"{standing.why} (to be probed)"
    capacity = standing.capacity
    if capacity is not None and not capacity.has_room(now):
        return "full"
    if capacity is not None and capacity.held_back(now):
        return "at the level at which it last refused"
    return None
