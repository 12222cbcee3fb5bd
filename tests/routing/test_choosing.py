"""Playbooks of plan and selector together: what happened in, who is asked next and what is told of it out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from dragoman.errors import (
    AuthenticationFailed,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    RateLimited,
    ServerFault,
    Unavailable,
)
from dragoman.routing import CallSettings, GiveUp, Health, HealthSettings, Limits, Route, Try
from dragoman.routing.call import Call
from dragoman.routing.dispatch import Dispatch
from dragoman.routing.lineup import lineup_of
from dragoman.values.profile import Profile
from tests.routing.virtual import candidate, route_of, settings_of


class Book:
    """One call over a route, on a clock of its own: `start` and `fails` give what the plan says."""

    def __init__(self, route: Route, now: float = 0.0, *, call: Call | None = None, acts: bool = False) -> None:
        self.time = now
        self.route = route
        settings: CallSettings = settings_of(clock=self, call=call)
        self.dispatch = Dispatch(route, settings, acts=acts)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    def start(self) -> Try | GiveUp:
        return self.dispatch.make_plan().start(self.time)

    def fails(self, error: DragomanError, after: float = 0.0) -> Try | GiveUp:
        """The attempt at hand fails, after so many seconds; its deployment's health is told, as a runner would."""
        self.time += after
        lineup = lineup_of(self.route)
        lineup.health.failed(lineup.options[self.dispatch.plan.target].standing, error, self.time)
        return self.dispatch.plan.failed(error, self.time)


def shut(route: Route, index: int, error: DragomanError, now: float = 0.0, times: int = 5) -> None:
    """A deployment of the route fails so often."""
    lineup = lineup_of(route)
    for _ in range(times):
        lineup.health.failed(lineup.options[index].standing, error, now)


DOWN = ServerFault("down", status=500)


def test_tiers_are_turned_to_in_ascending_order() -> None:
    route = route_of(candidate("c", tier=3), candidate("a", tier=1), candidate("b", tier=2), health=Health())
    book = Book(route)
    assert book.start() == Try(1, 0.0, "first choice")
    assert book.fails(AuthenticationFailed("no", status=401)) == Try(2, 0.0, "after AuthenticationFailed")
    assert book.fails(AuthenticationFailed("no", status=401)) == Try(0, 0.0, "after AuthenticationFailed")


def test_an_open_breaker_is_passed_over_and_told_once() -> None:
    route = route_of("a", "b", "c", health=Health())
    shut(route, 0, DOWN)
    book = Book(route, 1.0)
    assert book.start() == Try(1, 0.0, "first choice; passed over: chat_completions/a, ServerFault, 5 in a row (9 s)")
    assert book.fails(AuthenticationFailed("no", status=401)) == Try(2, 0.0, "after AuthenticationFailed")


def test_a_breaker_that_opens_within_a_call_sends_it_elsewhere_at_once() -> None:
    route = route_of(candidate("a", max_retries=9), "b", health=Health())
    book = Book(route)
    book.start()
    told = [book.fails(DOWN) for _ in range(5)]
    assert [command.target for command in told if isinstance(command, Try)] == [0, 0, 0, 0, 1]
    assert isinstance(told[3], Try)
    assert told[3].wait_seconds > 0


def test_a_rate_limited_deployment_is_left_at_once_where_another_one_is_well() -> None:
    route = route_of("a", "b", health=Health())
    book = Book(route)
    book.start()
    assert book.fails(RateLimited("slow", status=429, retry_after=2.0)) == Try(1, 0.0, "after RateLimited")
    later = Book(route, 1.0)
    assert later.start() == Try(
        1, 0.0, "first choice; passed over: chat_completions/a, RateLimited, which asks for 2 s (1 s)"
    )
    assert Book(route, 2.5).start() == Try(0, 0.0, "first choice")


def test_when_all_are_cooling_a_short_wait_is_sat_out() -> None:
    route = route_of("a", "b", health=Health())
    shut(route, 0, RateLimited("slow", status=429, retry_after=5.0), times=1)
    shut(route, 1, RateLimited("slow", status=429, retry_after=3.0), times=1)
    command = Book(route, 1.0).start()
    assert isinstance(command, Try)
    assert (command.target, command.wait_seconds) == (1, 2.0)
    assert "nobody is available" in command.reason


def test_when_all_are_cooling_for_long_the_call_ends_at_once_and_says_how_long() -> None:
    route = route_of("a", "b", health=Health())
    shut(route, 0, RateLimited("slow", status=429, retry_after=50.0), times=1)
    shut(route, 1, RateLimited("slow", status=429, retry_after=30.0), times=1)
    book = Book(route, 10.0)
    with pytest.raises(Unavailable, match="b, RateLimited, which asks for 30 s") as caught:
        book.dispatch.start()
    assert caught.value.retry_after == pytest.approx(20.0)
    assert caught.value.attempts == ()


def test_when_all_breakers_are_open_the_least_ill_is_asked() -> None:
    route = route_of("a", "b", health=Health())
    shut(route, 0, AuthenticationFailed("no", status=401), times=1)
    shut(route, 1, DOWN)
    command = Book(route, 1.0).start()
    assert isinstance(command, Try)
    assert command.target == 1
    assert "the least ill" in command.reason


def test_the_last_resort_is_whoever_is_merely_ill_then_a_dead_credential_and_no_certain_wait() -> None:
    route = route_of(*(candidate(name, max_retries=0) for name in "abcd"), health=Health())
    shut(route, 0, AuthenticationFailed("no", status=401), times=1)
    shut(route, 1, RateLimited("slow", status=429, retry_after=60.0), times=1)
    shut(route, 2, DOWN)
    shut(route, 3, DOWN)
    book = Book(route, 1.0)
    first = book.start()
    assert isinstance(first, Try)
    assert (first.target, first.wait_seconds) == (2, 0.0)
    assert "nobody is available, and chat_completions/c is the least ill" in first.reason
    targets = [command.target for command in (book.fails(DOWN), book.fails(DOWN)) if isinstance(command, Try)]
    assert targets == [3, 0]
    assert isinstance(book.fails(AuthenticationFailed("no", status=401)), GiveUp)


def test_whom_another_call_probes_is_asked_all_the_same_where_nobody_else_is_left() -> None:
    route = route_of(*(candidate(name, max_retries=0) for name in "ab"), health=Health())
    shut(route, 0, DOWN)
    shut(route, 1, DOWN)
    probing = Book(route, 11.0)
    assert isinstance(probing.start(), Try)
    other = Book(route, 11.0)
    asked: list[int] = []
    command = other.start()
    while isinstance(command, Try):
        asked.append(command.target)
        command = other.fails(DOWN)
    assert sorted(asked) == [0, 1]


def test_a_call_whose_targets_all_open_in_its_midst_has_asked_each_of_them() -> None:
    health = Health(HealthSettings(failures_in_a_row=1))
    route = route_of(*(candidate(name, max_retries=2) for name in "abcde"), health=health)
    book = Book(route)
    asked: list[int] = []
    command = book.start()
    while isinstance(command, Try):
        asked.append(command.target)
        command = book.fails(DOWN)
    assert set(asked) == set(range(5))


def test_half_open_lets_one_probe_through() -> None:
    route = route_of("a", "b", health=Health())
    shut(route, 0, DOWN)
    first, second = Book(route, 11.0), Book(route, 11.0)
    assert first.start() == Try(0, 0.0, "first choice")
    assert second.start() == Try(
        1, 0.0, "first choice; passed over: chat_completions/a, ServerFault, 5 in a row (a probe is under way)"
    )


def windowed(name: str, tokens: int | None) -> Any:
    made = candidate(name)
    profile = Profile(provider="chat_completions", model=name, context_tokens=tokens)
    return replace(made, deployment=replace(made.deployment, profile=profile))


def test_a_prompt_that_is_too_long_goes_to_a_larger_window_or_one_that_is_not_known() -> None:
    route = route_of(windowed("a", 8_000), windowed("b", 4_000), windowed("c", 8_000), windowed("d", 32_000), "e")
    book = Book(route)
    book.start()
    assert book.fails(ContextOverflow("too long", status=400)) == Try(3, 0.0, "after ContextOverflow")
    assert book.fails(ContextOverflow("too long", status=400)) == Try(4, 0.0, "after ContextOverflow")
    assert isinstance(book.fails(ContextOverflow("too long", status=400)), GiveUp)


def test_blocked_content_goes_to_those_marked_for_it_alone() -> None:
    route = route_of("a", "b", candidate("c", on_blocked=True), "d")
    book = Book(route)
    book.start()
    assert book.fails(ContentBlocked("no", status=400)) == Try(2, 0.0, "after ContentBlocked")
    assert book.fails(AuthenticationFailed("no", status=401)) == GiveUp("every target had its tries")
    unmarked = Book(route_of("a", "b"))
    unmarked.start()
    assert unmarked.fails(ContentBlocked("no", status=400)) == GiveUp("ContentBlocked is not retried")


def test_a_refused_permit_is_no_attempt_and_its_candidate_is_passed_over() -> None:
    book = Book(route_of("a", "b"))
    book.start()
    assert book.dispatch.plan.refused(Unavailable("a is full"), 0.0) == Try(
        1, 0.0, "first choice; passed over: a is full"
    )
    assert book.dispatch.plan.attempts == 1
    assert book.dispatch.plan.refused(Unavailable("b is full"), 0.0) == GiveUp("every target had its tries")
    assert book.dispatch.plan.attempts == 0


def test_a_refusal_that_waiting_does_not_help_ends_the_call() -> None:
    book = Book(route_of("a", "b"))
    book.start()
    assert isinstance(book.dispatch.plan.refused(DragomanError("the ledger is full"), 0.0), GiveUp)


def test_a_full_deployment_is_passed_over_and_the_next_tier_taken_before_anybody_waits() -> None:
    route = route_of(candidate("a", limits=Limits(concurrency=1)), candidate("b", tier=2), health=Health())
    capacity = lineup_of(route).options[0].standing.capacity
    assert capacity is not None
    capacity.in_flight = 1
    assert Book(route).start() == Try(1, 0.0, "first choice; passed over: chat_completions/a, full")


def test_where_all_are_full_the_first_with_room_to_wait_is_waited_for() -> None:
    route = route_of(
        candidate("a", limits=Limits(concurrency=1, queue_seconds=0.0)),
        candidate("b", limits=Limits(concurrency=1)),
        health=Health(),
    )
    for option in lineup_of(route).options:
        assert option.standing.capacity is not None
        option.standing.capacity.in_flight = 1
    command = Book(route).start()
    assert isinstance(command, Try)
    assert command.target == 1
    assert "waited for" in command.reason


def test_a_deployment_that_recovered_gets_its_traffic_back_slowly() -> None:
    health = Health()
    route = route_of("a", "b", health=health)
    standing = lineup_of(route).options[0].standing
    shut(route, 0, DOWN)
    assert health.may_probe(standing, 11.0)
    health.answered(standing, 11.0)
    assert [health.warmth(standing, now) for now in (11.0, 26.0, 41.0)] == [0.1, 0.5, 1.0]
    shut(route, 0, DOWN, 50.0)
    health.answered(standing, 61.0)
    command = Book(route, 62.0).start()  # dice of 0.999 are above the share of one second
    assert isinstance(command, Try)
    assert command.target == 1
    assert isinstance(Book(route, 95.0).start(), Try)


def test_replay_state_goes_to_its_issuer_where_that_one_is_well() -> None:
    first, second = candidate("a"), candidate("b")
    access = second.deployment.access
    own = access.with_target(replace(access.target, issuer="other"))
    second = replace(second, deployment=replace(second.deployment, access=own))
    route = route_of(first, second, health=Health())
    command = Book(route, call=Call(issuer="other")).start()
    assert isinstance(command, Try)
    assert command.target == 1
    shut(route, 1, DOWN)
    fallen = Book(route, 1.0, call=Call(issuer="other")).start()
    assert isinstance(fallen, Try)
    assert fallen.target == 0


def test_a_hedge_is_a_retry_once_and_never_with_side_effects() -> None:
    book = Book(route_of("a", "b", "c"))
    book.start()
    command = book.dispatch.plan.hedge(1.0)
    assert command == Try(1, 0.0, "hedge, since the first is slow")
    assert book.dispatch.plan.hedge(1.0) is None
    acting = Book(route_of("a", "b"), acts=True)
    acting.start()
    assert acting.dispatch.plan.hedge(1.0) is None


def test_prices_are_no_part_of_choosing_in_order() -> None:
    route = route_of("a", candidate("b", max_price=Decimal(0)))
    assert Book(route).start() == Try(0, 0.0, "first choice")
