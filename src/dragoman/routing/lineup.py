"""The line-up of a route: its candidates with their standings, in tiers, worked out once per route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import force_setattr

from dragoman.routing.plan import FIRST_CHOICE, Choice, Try

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.routing.health import Health
    from dragoman.routing.route import Candidate, Route
    from dragoman.routing.standing import Standing
    from dragoman.routing.strategies import Strategy

__all__ = ["Lineup", "Option", "lineup_of"]


class Option:
    """A candidate of a route, as strategies see it. `index` is its place in the route.

    `choice` and `first_try` say in the plan's words that it comes next, and first, with nothing to note.
    """

    __slots__ = (
        "candidate",
        "choice",
        "dialect",
        "first_try",
        "index",
        "issuer",
        "key",
        "name",
        "standing",
        "tier",
        "weight",
    )

    def __init__(self, index: int, candidate: Candidate, standing: Standing) -> None:
        self.index = index
        self.candidate = candidate
        self.standing = standing
        self.key = standing.key
        self.name = standing.name
        self.tier = candidate.tier
        self.weight = candidate.weight
        self.issuer = candidate.deployment.access.issuer
        self.dialect = candidate.deployment.access.dialect
        self.choice = Choice(index)
        self.first_try = Try(index, 0.0, FIRST_CHOICE)

    @property
    def deployment(self) -> Deployment:
        return self.candidate.deployment

    @property
    def in_flight(self) -> int:
        """Attempts under way at it now."""
        return self.standing.in_flight

    def __repr__(self) -> str:
        return f"Option({self.index}, {self.name!r}, tier={self.tier})"


class Lineup:
    """`tiers` hold the options in the order in which tiers are turned to, each tier with its strategy (None: in order).

    `across` is a strategy that looks at all tiers at once. `issuers`: the options have several.

    `first` and `leading` are the options of the first tier and its strategy. `at_ease`: nothing keeps calls away from
    them (in order: from the first), so that a selector would have the strategy choose among them all, and note nothing.
    It was so at the health's version that was `seen`; else `look` again.
    """

    __slots__ = (
        "_candidates",
        "_strategy",
        "across",
        "at_ease",
        "first",
        "health",
        "issuers",
        "leading",
        "options",
        "seen",
        "tiers",
        "tries",
        "wants",
    )

    def __init__(self, route: Route, health: Health) -> None:
        self._candidates = route.candidates
        self._strategy = route.strategy
        self.health = health
        seen: dict[str, int] = {}
        options: list[Option] = []
        for index, candidate in enumerate(route.candidates):
            plain = health.standing(candidate.deployment)
            number = seen[plain.key] = seen.get(plain.key, 0) + 1
            standing = plain if number == 1 else health.standing(candidate.deployment, number)
            if candidate.limits is not None:
                standing.limit(candidate.limits)
            options.append(Option(index, candidate, standing))
        self.options = tuple(options)
        self.tries = tuple(1 + candidate.max_retries for candidate in route.candidates)
        strategy = route.strategy
        self.across: Strategy | None = strategy if strategy is not None and strategy.across else None
        tiers = sorted({option.tier for option in options})
        self.tiers: tuple[tuple[tuple[Option, ...], Strategy | None], ...] = tuple(
            (
                tuple(option for option in options if option.tier == tier),
                None if strategy is None else strategy.of_tier(tier),
            )
            for tier in tiers
        )
        self.issuers = len({option.issuer for option in options}) > 1
        self.wants: frozenset[str] = frozenset() if strategy is None else strategy.wants
        if route.hedging is not None:
            self.wants |= {"pace"}
        self._prepare()
        self.first, self.leading = self.tiers[0]
        self.seen: object = None
        self.at_ease = False

    def _prepare(self) -> None:
        """Gives the standings what the strategy goes by, and has others look again at those that have limits now."""
        for option in self.options:
            standing = option.standing
            if "pace" in self.wants and standing.pace is None:
                from dragoman.routing.pace import Pace

                standing.pace = Pace()
            if "mix" in self.wants and standing.mix is None:
                from dragoman.routing.mix import Mix

                standing.mix = Mix()
        self.health.changed()

    def look(self) -> None:
        """Looks whether the strategy alone decides, which holds until health says that something has changed."""
        strategy = self.leading
        self.seen = self.health.version  # before the look: what changes meanwhile is seen at the next one
        self.at_ease = (
            self.across is None
            and (strategy is None or not strategy.declines)
            and all(option.standing.at_ease for option in (self.first[:1] if strategy is None else self.first))
        )

    def fits(self, route: Route) -> bool:
        """Whether this is the route's line-up, and not that of one it was copied from."""
        return (
            self._candidates is route.candidates
            and self._strategy is route.strategy
            and (route.health is None or route.health is self.health)
        )


def lineup_of(route: Route) -> Lineup:
    """The line-up, made at the first call of a route; a copy of a route keeps the standings of its model."""
    found = route.lineup
    if found is not None and route.lined_up:
        return found
    health = route.health
    if health is None:
        from dragoman.routing.health import Health

        health = found.health if found is not None and not found.health.watching else Health(watching=False)
    made = Lineup(route, health)
    force_setattr(route, "lineup", made)
    force_setattr(route, "lined_up", True)
    return made
