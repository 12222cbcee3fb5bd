"""The first choice of a call: made without a selector where nothing keeps calls away, and always the selector's own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    DragomanError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFault,
)
from dragoman.routing import Affinity, GiveUp, Health, Limits, Route, Try, run_with, strategy_of
from dragoman.routing.call import Call
from dragoman.routing.dispatch import Dispatch
from dragoman.routing.lineup import lineup_of
from dragoman.routing.news import StandingNews
from dragoman.routing.strategies import STRATEGY_NAMES, Strategy
from dragoman.values import Cost, Usage
from tests.routing.virtual import candidate, route_of, run_virtual, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.engine import Meter
    from dragoman.routing import CallSettings, Candidate
    from dragoman.routing.lineup import Option
    from dragoman.routing.standing import Standing

ERRORS: list[DragomanError] = [
    AuthenticationFailed("no", status=401),
    BadRequest("no", status=400),
    Overloaded("busy", status=529),
    QuotaExhausted("none", status=402),
    RateLimited("slow", status=429),
    RateLimited("slow", status=429, retry_after=4.0),
    ServerFault("down", status=500),
]
EVENTS = ("answered", "bound", "failed", "failed often", "heard", "limited", "nothing", "reset", "taken")


class Scene:
    """A route on a clock and with dice of its own, to which things happen."""

    def __init__(self, strategy: str, tiers: list[int], seed: int, *, affinity: bool) -> None:
        self.time = 0.0
        self.dice = random.Random(seed)
        self.health = Health()
        self.route = route_of(
            *(candidate(f"m{number}", tier=tier) for number, tier in enumerate(tiers)),
            strategy=strategy_of(strategy),
            health=self.health,
            affinity=Affinity() if affinity else None,
        )

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    def settings(self, call: Call) -> CallSettings:
        return settings_of(random=self.dice.random, clock=self, call=call)

    def started(self, call: Call) -> Try | None:
        """What a call does first."""
        try:
            return Dispatch(self.route, self.settings(call), acts=False).start()
        except DragomanError:
            return None

    def selected(self, call: Call) -> Try | None:
        """The same by the selector."""
        command = Dispatch(self.route, self.settings(call), acts=False).make_plan().start(self.time)
        return None if isinstance(command, GiveUp) else command

    def happens(self, what: str, index: int, error: DragomanError) -> None:
        option = lineup_of(self.route).options[index]
        standing, health, now = option.standing, self.health, self.time
        if what.startswith("failed"):
            for _ in range(5 if what == "failed often" else 1):
                health.failed(standing, error, now)
        elif what == "answered":
            health.answered(standing, now)
        elif what == "bound" and self.route.affinity is not None:
            self.route.affinity.bind(Call(conversation="c"), option.key, None, now)
        elif what == "heard":
            health.hear(_news_of(standing), now)
        elif what == "reset":
            health.reset()
        elif what == "taken":
            standing.in_flight += 1
        elif what == "limited":  # by another route, which has the same deployment
            limited = replace(self.route.candidates[index], limits=Limits(rpm=2))
            lineup_of(route_of(limited, health=health))


def _news_of(standing: Standing) -> StandingNews:
    return StandingNews(key=standing.key, name="", credential="", seconds=5.0, opened=True, why="told")


@settings(deadline=None)
@given(
    st.sampled_from(STRATEGY_NAMES),
    st.lists(st.integers(1, 2), min_size=1, max_size=4),
    st.integers(0, 1000),
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(EVENTS),
            st.integers(0, 3),
            st.sampled_from(ERRORS),
            st.sampled_from((0.0, 0.1, 3.0, 11.0, 31.0, 301.0)),
            st.sampled_from((None, "m0", "c")),
        ),
        max_size=25,
    ),
)
def test_the_first_choice_is_the_selectors_whatever_has_happened(
    strategy: str,
    tiers: list[int],
    seed: int,
    affinity: bool,
    events: list[tuple[str, int, DragomanError, float, str | None]],
) -> None:
    quick, slow = (Scene(strategy, tiers, seed, affinity=affinity) for _ in range(2))
    for what, index, error, seconds, said in events:
        calls: list[Call] = []
        for scene in (quick, slow):
            scene.happens(what, index % len(tiers), error)
            scene.time += seconds
            issuer = lineup_of(scene.route).options[0].issuer if said == "m0" else None
            calls.append(Call(issuer=issuer, conversation="c" if said == "c" else None))
        assert quick.started(calls[0]) == slow.selected(calls[1])
        assert quick.dice.random() == slow.dice.random(), "as many numbers were drawn"


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_where_all_are_well_nobody_is_looked_at_twice(strategy: str) -> None:
    route = route_of("a", "b", strategy=strategy_of(strategy), health=Health())
    for _ in range(3):
        assert Dispatch(route, settings_of(call=Call()), acts=False).start().wait_seconds == 0
    lineup = lineup_of(route)
    assert lineup.at_ease
    assert lineup.seen is lineup.health.version


def _failed(health: Health, standing: Standing) -> None:
    for _ in range(5):
        health.failed(standing, ServerFault("down", status=500), 0.0)


def _asked_to_wait(health: Health, standing: Standing) -> None:
    health.failed(standing, RateLimited("slow", status=429, retry_after=4.0), 0.0)


def _heard_of(health: Health, standing: Standing) -> None:
    health.hear(_news_of(standing), 0.0)


@pytest.mark.parametrize("happens", [_failed, _asked_to_wait, _heard_of])
def test_what_shuts_a_deployment_is_seen_by_the_next_call(happens: Callable[[Health, Standing], None]) -> None:
    route = route_of("a", "b", health=Health())
    scene = settings_of(call=Call(), clock=Scene("order", [1], 0, affinity=False))
    assert Dispatch(route, scene, acts=False).start().target == 0
    lineup = lineup_of(route)
    happens(lineup.health, lineup.options[0].standing)
    assert Dispatch(route, scene, acts=False).start().target == 1
    assert not lineup.at_ease
    assert lineup.health.reset() == 2
    assert Dispatch(route, scene, acts=False).start().target == 0
    assert lineup.at_ease == (lineup.options[0].standing.capacity is None)


def test_a_deployment_that_has_recovered_is_at_ease_again() -> None:
    scene = Scene("order", [1, 1], 0, affinity=False)
    lineup = lineup_of(scene.route)
    scene.happens("failed often", 0, ERRORS[-1])
    first = scene.started(Call())
    assert first is not None
    assert first.target == 1
    scene.time = 20.0
    assert scene.started(Call()) is not None  # the probe
    scene.happens("answered", 0, ERRORS[0])
    scene.time = 100.0
    while not lineup.at_ease and scene.time < 110.0:
        scene.time += 1.0
        assert scene.started(Call()) == Try(0, 0.0, "first choice")
    assert lineup.at_ease


class Answer:
    usage = Usage()
    cost: Cost | None = None


def test_an_answer_that_tells_of_little_left_is_seen_by_the_next_call() -> None:
    route = route_of("a", "b", health=Health())
    left = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60s"}

    async def once(_candidate: Candidate, meter: Meter) -> Answer:
        meter.headers = left
        return Answer()

    async def asked() -> list[str]:
        answers = [await run_with(route, once, settings_of(call=Call()), acts=False) for _ in range(2)]
        return [attempts[0].model for _, attempts in answers]

    assert run_virtual(asked()) == ["a", "b"]


class Picky(Strategy):
    """Wants none of the first tier."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        self.asked.append(options[0].tier)
        return None if options[0].tier == 1 else options[0]


def test_a_strategy_that_may_decline_is_asked_once_a_tier_until_somebody_is_found() -> None:
    picky = Picky()
    route = route_of(candidate("a", tier=1), candidate("b", tier=2), strategy=picky, health=Health())
    assert Dispatch(route, settings_of(call=Call()), acts=False).start().target == 1
    assert picky.asked == [1, 2]


# -- what a call tells -------------------------------------------------------------------------------------------------


class Secretive(Call):
    """Counts how often it was made to tell."""

    untold = True
    times = 0

    def tell(self) -> None:
        self.times += 1
        self.model = "m"
        self.bonds = []


def test_a_call_tells_nothing_until_something_is_asked_and_then_once() -> None:
    call = Secretive()
    assert call.times == 0
    assert (call.user, call.model, call.metadata, call.state) == (None, "m", {}, None)
    assert (call.bonds, call.prompt_tokens, call.issuer, call.times) == ([], 0, None, 1)


def test_a_call_in_order_need_not_tell_anything() -> None:
    made = [candidate("a"), candidate("a", on_blocked=True)]
    route: Route = route_of(*made, health=Health())  # of one issuer
    call = Secretive()
    assert Dispatch(route, settings_of(call=call), acts=False).start().target == 0
    assert call.times == 0
