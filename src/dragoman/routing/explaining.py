"""What a route would do with a call, and why, without sending anything or changing anything."""

from __future__ import annotations

import time
from inspect import isawaitable
from typing import TYPE_CHECKING

import msgspec

from dragoman.routing.call import Call
from dragoman.routing.lineup import lineup_of
from dragoman.routing.selector import shut_reason
from dragoman.routing.strategies import InOrder
from dragoman.routing.suiting import Suiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.routing.lineup import Lineup, Option
    from dragoman.routing.route import Route
    from dragoman.routing.standing import State
    from dragoman.routing.strategies import Strategy
    from dragoman.values import Request

__all__ = ["Explained", "Explanation", "aexplain", "explain"]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate. `rank` is its place among those who would be asked (0: it would not), `reason` why so."""

    name: str
    rank: int
    reason: str
    tier: int
    weight: float
    state: State
    in_flight: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`candidates` in the order in which they would be asked, those who would not be asked behind them.

    `chosen` is the first of them, None where nobody could be asked. Strategies that draw lots (latency, splits without
    a user) are told by their ranks; a call may be sent to another.
    """

    strategy: str
    chosen: str | None
    candidates: tuple[Explained, ...]

    def __str__(self) -> str:
        lines = (
            f"{each.rank or '-':>3} {each.name} (tier {each.tier}, {each.state}): {each.reason}"
            for each in self.candidates
        )
        return "\n".join((f"strategy {self.strategy}: {self.chosen or 'nobody can be asked'}", *lines))


def explain(
    route: Route,
    request: Request | None = None,
    *,
    call: Call | None = None,
    order: tuple[int, ...] | None = None,
    now: float | None = None,
) -> Explanation:
    """Who would be asked, in which order, and why; `now` is the time of the calls' clock.

    Give the `request`, or what is known of the call. Raises `ConfigError` for a routing function that is asynchronous.
    """
    call = call or Call(request)
    moment = time.monotonic() if now is None else now
    lineup = lineup_of(route)
    suiting = Suiting(route, request) if request is not None and Suiting.concerns(route) else None
    unfit = {
        option.index: reason
        for option in lineup.options
        if suiting is not None and (reason := suiting.reason(option.index)) is not None
    }
    ranked = _ranked(route, lineup, call, order, moment)
    bound = None if route.affinity is None else route.affinity.find(call, moment)
    return _told(route, lineup, call, ranked, unfit, bound, moment)


async def aexplain(
    route: Route, request: Request | None = None, *, call: Call | None = None, now: float | None = None
) -> Explanation:
    """As `explain`, for routing functions that are asynchronous too."""
    from dragoman.routing.strategies.custom import Custom

    order: tuple[int, ...] | None = None
    call = call or Call(request)
    if isinstance(route.strategy, Custom):
        decided = route.strategy.decide(call, lineup_of(route).options)
        order = await decided if isawaitable(decided) else decided
    return explain(route, request, call=call, order=order, now=now)


def _ranked(
    route: Route, lineup: Lineup, call: Call, order: tuple[int, ...] | None, now: float
) -> list[tuple[Option, Strategy]]:
    """The options with what ranked them; those that a strategy leaves out are not there."""
    if order is not None:
        from dragoman.routing.strategies.custom import Ordered

        ordered = Ordered(order)
        return [(option, ordered) for option in ordered.rank(call, lineup.options, now)]
    across = lineup.across
    if across is not None:
        return [(option, across) for option in across.rank(call, lineup.options, now)]
    ranked: list[tuple[Option, Strategy]] = []
    for options, strategy in lineup.tiers:
        chosen = strategy or InOrder()
        ranked += [(option, chosen) for option in chosen.rank(call, options, now)]
    return ranked


def _told(
    route: Route,
    lineup: Lineup,
    call: Call,
    ranked: Sequence[tuple[Option, Strategy]],
    unfit: dict[int, str],
    bound: tuple[str, str] | None,
    now: float,
) -> Explanation:
    first: list[tuple[Option, str]] = []
    there: list[tuple[Option, str]] = []
    shut: list[tuple[Option, str]] = []
    for option, strategy in ranked:
        reason = unfit.get(option.index)
        if reason is not None:
            shut.append((option, f"does not fit: {reason}"))
            continue
        reason = shut_reason(option, now)
        if reason is not None and not (option.standing.opened and option.standing.shut_until <= now):
            shut.append((option, reason))
        elif bound is not None and option.key == bound[0]:
            first.append((option, f"kept by its {bound[1]}"))
        else:
            words = (strategy.name, strategy.told(call, option, now), reason or "")
            there.append((option, ", ".join(word for word in words if word)))
    asked = [*first, *there]
    named = {option.index for option, _ in ranked}
    out = [(option, "left out by the strategy") for option in lineup.options if option.index not in named]
    candidates = tuple(
        Explained(
            name=option.name,
            rank=place if place <= len(asked) else 0,
            reason=reason,
            tier=option.tier,
            weight=option.weight,
            state=option.standing.state(now),
            in_flight=option.in_flight,
        )
        for place, (option, reason) in enumerate([*asked, *shut, *out], 1)
    )
    strategy = route.strategy
    return Explanation(
        strategy="order" if strategy is None else strategy.name,
        chosen=asked[0][0].name if asked else None,
        candidates=candidates,
    )
