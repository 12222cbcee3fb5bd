"""Playbooks of the plan: what happened in, what is to be done out, on a clock and dice of the test's own."""

from __future__ import annotations

import pytest

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContentBlocked,
    ContextOverflow,
    DragomanError,
    NotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    StreamTruncated,
    TimedOut,
)
from dragoman.routing import Bounds, GiveUp, Plan, RetryBudget, Try


def plan_of(
    *tries: int,
    bounds: Bounds | None = None,
    budget: RetryBudget | None = None,
    acts: bool = False,
    dice: float = 1.0,
) -> Plan:
    """A plan whose waits are the longest that the rules allow (`dice` 1)."""
    return Plan(tries, bounds=bounds or Bounds(), budget=budget, acts_on_world=acts, random=lambda: dice)


ILL: list[DragomanError] = [
    ServerFault("down", status=500),
    Overloaded("busy", status=503),
    ConnectFailed("refused"),
    ConnectionLost("reset", sent="maybe"),
    TimedOut("no first byte", phase="first_byte"),
    StreamTruncated("cut"),
]


@pytest.mark.parametrize("error", ILL, ids=lambda error: type(error).__name__)
def test_an_ill_target_is_tried_three_times_and_then_the_next_one(error: DragomanError) -> None:
    plan = plan_of(3, 3)
    assert plan.start(0.0) == Try(0, 0.0, "first choice")
    assert plan.failed(error, 1.0) == Try(0, 0.5, f"retry after {type(error).__name__}")
    assert plan.failed(error, 2.0) == Try(0, 1.0, f"retry after {type(error).__name__}")
    assert plan.failed(error, 3.0) == Try(1, 0.0, f"after {type(error).__name__}")
    assert plan.failed(error, 4.0) == Try(1, 0.5, f"retry after {type(error).__name__}")
    assert plan.failed(error, 5.0) == Try(1, 1.0, f"retry after {type(error).__name__}")
    assert plan.failed(error, 6.0) == GiveUp("every target had its tries")


@pytest.mark.parametrize("error", [BadRequest("wrong", status=400), ContentBlocked("no", status=400)])
def test_a_wrong_request_is_asked_of_nobody_else(error: DragomanError) -> None:
    plan = plan_of(3, 3)
    plan.start(0.0)
    assert plan.failed(error, 0.0) == GiveUp(f"{type(error).__name__} is not retried")


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed("key", status=401),
        QuotaExhausted("no credit", status=402),
        NotFound("no such model", status=404),
        ContextOverflow("too long", status=400),
    ],
)
def test_what_will_not_change_here_is_tried_elsewhere_at_once(error: DragomanError) -> None:
    plan = plan_of(3, 3)
    plan.start(0.0)
    assert plan.failed(error, 0.0) == Try(1, 0.0, f"after {type(error).__name__}")
    assert plan.failed(error, 0.0) == GiveUp("every target had its tries")


def test_retry_after_is_honoured_and_moves_on_when_long() -> None:
    plan = plan_of(3, 3)
    plan.start(0.0)
    assert plan.failed(RateLimited("slow down", status=429, retry_after=3.0), 0.0) == Try(
        0, 3.0, "retry after RateLimited"
    )
    assert plan.failed(RateLimited("slow down", status=429, retry_after=20.0), 3.0) == Try(1, 0.0, "after RateLimited")


def test_a_long_retry_after_is_sat_out_when_nobody_else_is_there() -> None:
    plan = plan_of(3)
    plan.start(0.0)
    assert plan.failed(RateLimited("slow", status=429, retry_after=59.0), 0.0) == Try(
        0, 59.0, "retry after RateLimited"
    )
    assert plan.failed(RateLimited("slow", status=429, retry_after=61.0), 59.0) == GiveUp(
        "the provider asks for 61 s, which is longer than a call waits"
    )


def test_waits_double_up_to_eight_seconds_with_jitter() -> None:
    error = ServerFault("down", status=500)
    longest, shortest = plan_of(9, dice=1.0), plan_of(9, dice=0.0)
    longest.start(0.0)
    shortest.start(0.0)
    waits = [_wait(longest.failed(error, 0.0)) for _ in range(7)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert [_wait(shortest.failed(error, 0.0)) for _ in range(7)] == [wait / 2 for wait in waits]


def _wait(command: Try | GiveUp) -> float:
    assert isinstance(command, Try)
    return command.wait_seconds


def test_one_bound_on_attempts_holds_over_all_targets() -> None:
    plan = plan_of(3, 3, 3, bounds=Bounds(attempts=4))
    plan.start(0.0)
    error = ServerFault("down", status=500)
    targets = [command.target for command in (plan.failed(error, 0.0) for _ in range(3)) if isinstance(command, Try)]
    assert targets == [0, 1, 2]
    assert plan.failed(error, 0.0) == GiveUp("the bound of 4 attempts is reached")


@pytest.mark.parametrize(
    ("targets", "asked"),
    [
        (3, [0, 0, 0, 1, 1, 1, 2, 2, 2]),
        (4, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]),
        (5, [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]),
        (7, [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]),
        (12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_retries_leave_an_attempt_for_each_target_that_had_none(targets: int, asked: list[int]) -> None:
    plan = plan_of(*[3] * targets)
    command = plan.start(0.0)
    found: list[int] = []
    while isinstance(command, Try):
        found.append(command.target)
        command = plan.failed(ServerFault("down", status=500), 0.0)
    assert found == asked


def test_targets_that_nobody_may_turn_to_are_left_no_attempt() -> None:
    plan = Plan(
        (3, 3, 3),
        bounds=Bounds(attempts=3),
        budget=None,
        acts_on_world=False,
        random=lambda: 0.0,
        unfit=dict.fromkeys((1, 2), ""),
    )
    plan.start(0.0)
    error = ServerFault("down", status=500)
    assert [plan.failed(error, 0.0) for _ in range(2)] == [
        Try(0, wait, "retry after ServerFault") for wait in (0.25, 0.5)
    ]


def test_one_bound_on_time_holds_over_all_targets() -> None:
    plan = plan_of(3, 3, bounds=Bounds(seconds=30.0))
    plan.start(100.0)
    error = ServerFault("down", status=500)
    assert plan.failed(error, 110.0) == Try(0, 0.5, "retry after ServerFault")
    assert plan.failed(error, 129.0) == Try(1, 0.0, "after ServerFault")
    assert plan.failed(error, 130.0) == GiveUp("the bound of 30 s is reached")


@pytest.mark.parametrize(
    ("targets", "asked"),
    [
        (1, [0, 0, 0]),
        (2, [0, 0, 0, 1, 1]),
        (3, [0, 0, 1, 2, 2]),
        (4, [0, 0, 1, 2, 3]),
        (5, [0, 1, 2, 3, 4]),
    ],
)
def test_retries_leave_time_for_each_target_that_had_none(targets: int, asked: list[int]) -> None:
    plan = plan_of(*[3] * targets)
    command, now = plan.start(0.0), 0.0
    found: list[int] = []
    while isinstance(command, Try):
        found.append(command.target)
        now += command.wait_seconds + 120.0
        command = plan.failed(TimedOut("no first byte", phase="first_byte"), now)
    assert found[: len(asked)] == asked


def test_after_something_was_shown_nothing_is_tried_again() -> None:
    plan = plan_of(3, 3)
    plan.start(0.0)
    plan.shown()
    assert plan.failed(ServerFault("down", status=500), 0.0) == GiveUp("part of the answer was already shown")


def test_a_request_that_acts_on_the_world_is_retried_only_if_provably_unsent() -> None:
    plan = plan_of(3, 3, acts=True)
    plan.start(0.0)
    assert plan.failed(ConnectFailed("refused"), 0.0) == Try(0, 0.5, "retry after ConnectFailed")
    assert plan.failed(ConnectionLost("reset", sent="maybe"), 1.0) == GiveUp("ConnectionLost is not retried")


def test_whoever_says_that_asking_again_is_no_use_is_not_asked_again() -> None:
    final = Overloaded("tried everything", status=503)
    final.final = True
    alone, plan = plan_of(3), plan_of(3, 3)
    alone.start(0.0)
    plan.start(0.0)
    assert alone.failed(final, 1.0) == GiveUp("every target had its tries")
    assert plan.failed(final, 1.0) == Try(1, 0.0, "after Overloaded")


@pytest.mark.parametrize("error", [ServerFault("down", status=500), RateLimited("slow", status=429)])
def test_an_answered_request_that_acts_on_the_world_is_not_sent_again(error: ProviderError) -> None:
    plan = plan_of(3, 3, acts=True)
    plan.start(0.0)
    assert isinstance(plan.failed(error, 0.0), GiveUp)


def test_no_retries_means_one_try_each() -> None:
    plan = plan_of(1, 1)
    error = ServerFault("down", status=500)
    plan.start(0.0)
    assert plan.failed(error, 0.0) == Try(1, 0.0, "after ServerFault")
    assert plan.failed(error, 0.0) == GiveUp("every target had its tries")


def test_the_share_of_retries_is_bounded_and_another_target_costs_nothing_of_it() -> None:
    budget = RetryBudget(share=0.0, reserve_per_second=0.0, most=1.0)
    error = ServerFault("down", status=500)
    first = plan_of(3, 3, budget=budget)
    first.start(0.0)
    assert first.failed(error, 0.0) == Try(0, 0.5, "retry after ServerFault")
    second = plan_of(3, 3, budget=budget)
    second.start(0.0)
    assert second.failed(error, 0.0) == Try(1, 0.0, "after ServerFault")
    assert second.failed(error, 0.0) == GiveUp("the share of traffic that may be retries is used up")


def test_a_plan_needs_a_target() -> None:
    with pytest.raises(ValueError, match="at least one target"):
        plan_of()


# -- targets that are passed over --------------------------------------------------------------------------------------


def _unfit(*tries: int, **unfit: str) -> Plan:
    reasons = {int(name.removeprefix("t")): why for name, why in unfit.items()}
    return Plan(tries, bounds=Bounds(), budget=None, acts_on_world=False, random=lambda: 1.0, unfit=reasons)


def test_an_unfit_target_is_passed_over_and_the_reason_told() -> None:
    plan = _unfit(1, 1, 1, 1, t0="a, it lacks tools", t2="c, too dear")
    assert plan.start(0.0) == Try(1, 0.0, "first choice; passed over: a, it lacks tools")
    assert plan.failed(ServerFault("down", status=500), 1.0) == Try(
        3, 0.0, "after ServerFault; passed over: c, too dear"
    )
    assert plan.failed(ServerFault("down", status=500), 2.0) == GiveUp("every target had its tries")


def test_a_retry_does_not_tell_of_it_again() -> None:
    plan = _unfit(1, 2, t0="a, it lacks tools")
    plan.start(0.0)
    assert plan.failed(ServerFault("down", status=500), 1.0) == Try(1, 0.5, "retry after ServerFault")


def test_unfit_targets_at_the_end_are_no_targets() -> None:
    plan = _unfit(1, 1, t1="b, it lacks tools")
    assert plan.start(0.0) == Try(0, 0.0, "first choice")
    assert plan.failed(ServerFault("down", status=500), 1.0) == GiveUp("every target had its tries")


def test_a_plan_needs_a_target_that_fits() -> None:
    with pytest.raises(ValueError, match="at least one target"):
        _unfit(1, t0="a")
