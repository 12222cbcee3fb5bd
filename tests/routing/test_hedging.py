"""Hedging: a second attempt where the first is slow, the loser cancelled and booked, answers never mixed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from dragoman.errors import AllAttemptsFailed
from dragoman.routing import Candidate, Health, Hedging, RetryBudget, Route, RoutedStream, run, run_with
from dragoman.routing.lineup import lineup_of
from dragoman.transport import FakeTransport
from dragoman.transport.fake import HANG
from dragoman.values import Cost, Finished, Request, Usage, user
from tests.face.chat_wire import answer, failure, streamed
from tests.routing.virtual import VirtualClock, candidate, route_of, run_virtual, settings_of

if TYPE_CHECKING:
    from dragoman.engine import Meter

REQUEST = Request(model="m", messages=(user("Hi"),))
SOON = Hedging(after_seconds=1.0)


def hedged(first: Any, second: Any, hedging: Hedging = SOON, **fields: Any) -> Route:
    return route_of(
        candidate("a", lambda _request: first, max_retries=0),
        candidate("b", lambda _request: second, max_retries=0),
        hedging=hedging,
        health=Health(),
        **fields,
    )


def outcomes(attempts: Any) -> list[tuple[str, str]]:
    return [(each.model, each.outcome) for each in attempts]


def in_flight(route: Route) -> int:
    return sum(option.in_flight for option in lineup_of(route).options)


def settings(**fields: Any) -> Any:
    return settings_of(clock=VirtualClock(), **fields)


def test_a_slow_answer_is_overtaken_and_its_loser_cancelled_and_booked() -> None:
    route = hedged(HANG, answer("Second."))
    response = run_virtual(run(route, REQUEST, settings()))
    assert response.content == "Second."
    assert outcomes(response.attempts) == [("b", "ok"), ("a", "cancelled")]
    assert in_flight(route) == 0


def test_a_quick_answer_is_not_hedged() -> None:
    route = hedged(answer("First."), answer("Second."))
    response = run_virtual(run(route, REQUEST, settings()))
    assert outcomes(response.attempts) == [("a", "ok")]


def test_a_stream_is_overtaken_until_it_shows_something() -> None:
    beginning = FakeTransport.streamed([HANG], headers={"content-type": "text/event-stream"})
    route = hedged(beginning, streamed("Sec", "ond."))

    async def read() -> Finished:
        stream = RoutedStream(route, REQUEST, settings())
        events = [event async for event in stream]
        last = events[-1]
        assert isinstance(last, Finished)
        return last

    last = run_virtual(read())
    assert last.response.content == "Second."
    assert outcomes(last.response.attempts) == [("a", "cancelled"), ("b", "ok")]
    assert in_flight(route) == 0


def test_a_closed_race_leaves_nothing_behind() -> None:
    route = hedged(HANG, HANG)

    async def scenario() -> None:
        task = asyncio.ensure_future(run(route, REQUEST, settings()))
        await asyncio.sleep(5)
        assert in_flight(route) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert in_flight(route) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(scenario())


def test_a_call_that_acts_on_the_world_is_never_hedged() -> None:
    route = hedged(HANG, answer())

    async def scenario() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run(route, Request(model="m", messages=(user("Hi"),), store=True), settings()), 60)

    run_virtual(scenario())


def test_hedges_stay_within_the_share_of_retries() -> None:
    budget = RetryBudget(share=0.0, reserve_per_second=0.0, most=1.0)
    route = hedged(HANG, answer(), budget=budget)

    async def scenario() -> list[bool]:
        answered: list[bool] = []
        for _ in range(2):
            try:
                await asyncio.wait_for(run(route, REQUEST, settings()), 60)
                answered.append(True)
            except TimeoutError:
                answered.append(False)
        return answered

    assert run_virtual(scenario()) == [True, False]


def test_when_both_fail_both_are_told() -> None:
    route = hedged(failure(500), failure(500), Hedging(after_seconds=0.0))
    with pytest.raises(AllAttemptsFailed) as caught:
        run_virtual(run(route, REQUEST, settings()))
    assert {attempt.model for attempt in caught.value.attempts} == {"a", "b"}
    assert in_flight(route) == 0


class Slow:
    usage = Usage()
    cost: Cost | None = None


def test_the_wait_is_the_p95_of_what_was_seen() -> None:
    route = route_of("a", "b", hedging=Hedging(least_samples=20), health=Health())
    pace = lineup_of(route).options[0].standing.pace
    assert pace is not None
    asked: list[tuple[str, float]] = []

    async def once(candidate: Candidate, _meter: Meter) -> Slow:
        asked.append((candidate.deployment.target.model, asyncio.get_running_loop().time()))
        await asyncio.sleep(100 if candidate.deployment.target.model == "a" else 1)
        return Slow()

    def observe(seconds: float) -> None:
        pace.observe(0.0, streamed=False, first_seconds=seconds, seconds=seconds, input_tokens=None, output_tokens=None)

    for _ in range(19):
        observe(2.0)

    async def scenario() -> list[tuple[str, float]]:
        asked.clear()
        start = asyncio.get_running_loop().time()
        await run_with(route, once, settings(), acts=False)
        return [(name, at - start) for name, at in asked]

    assert run_virtual(scenario()) == [("a", 0.0)]  # 19 answers are too few to go by
    for _ in range(30):
        observe(2.0)
    assert run_virtual(scenario()) == [("a", 0.0), ("b", 2.0)]
