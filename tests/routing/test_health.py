"""Health: what opens a breaker, for how long, and what closes it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContentBlocked,
    DragomanError,
    NotFound,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
    QuotaExhausted,
    RateLimited,
    ServerFault,
)
from dragoman.routing import Health, HealthSettings, LocalGate
from dragoman.routing.standing import Standing
from tests.routing.virtual import candidate

DOWN = ServerFault("down", status=500)


def standing_of(health: Health, name: str = "a") -> Standing:
    return health.standing(candidate(name).deployment)


def fail(health: Health, standing: Standing, error: DragomanError = DOWN, times: int = 1, now: float = 0.0) -> None:
    for _ in range(times):
        health.failed(standing, error, now)


@pytest.mark.parametrize("error", [DOWN, Overloaded("busy", status=503), NotFound("no such model", status=404)])
def test_five_faults_in_a_row_open_a_breaker(error: DragomanError) -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, error, 4)
    assert standing.state(0.0) == "closed"
    fail(health, standing, error)
    assert standing.state(9.9) == "open"
    assert standing.state(10.0) == "half-open"


def test_an_answer_between_faults_begins_the_count_anew() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=4)
    health.answered(standing, 0.0)
    fail(health, standing, times=4)
    assert standing.state(0.0) == "closed"


def test_half_of_ten_recent_attempts_open_it_too() -> None:
    health = Health()
    standing = standing_of(health)
    for _ in range(5):
        health.answered(standing, 0.0)
        fail(health, standing)
    assert standing.state(0.0) == "open"


def test_a_probe_that_fails_doubles_the_pause_up_to_a_bound_and_one_that_succeeds_closes_it() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=5)
    pauses: list[float] = []
    now = 0.0
    for _ in range(6):
        pauses.append(standing.shut_until - now)
        now = standing.shut_until
        assert health.may_probe(standing, now)
        fail(health, standing, now=now)
    assert pauses == [10, 20, 40, 80, 120, 120]
    now = standing.shut_until
    assert health.may_probe(standing, now)
    assert not health.may_probe(standing, now)
    health.answered(standing, now)
    assert standing.state(now) == "closed"


def test_a_cancelled_probe_gives_the_next_one_leave() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=5)
    assert health.may_probe(standing, 10.0)
    health.passed(standing, 11.0)
    assert standing.state(11.0) == "half-open"
    assert health.may_probe(standing, 11.0)


def test_one_probe_for_all_who_share_a_gate() -> None:
    gate = LocalGate()
    here, there = Health(gate=gate), Health(gate=gate)
    ours, theirs = standing_of(here), standing_of(there)
    for health, standing in ((here, ours), (there, theirs)):
        fail(health, standing, times=5)
    assert here.may_probe(ours, 10.0)
    assert not there.may_probe(theirs, 10.0)
    here.answered(ours, 12.0)
    assert there.may_probe(theirs, 12.0)


def test_answers_from_before_do_not_close_an_open_breaker() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=5)
    health.answered(standing, 1.0)
    assert standing.state(1.0) == "open"


def test_faults_of_attempts_that_were_in_flight_do_not_prolong_it() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=9)
    assert standing.shut_until == 10.0


def test_retry_after_is_clamped_and_needs_no_probe_afterwards() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, RateLimited("slow", status=429, retry_after=3.0))
    assert (standing.state(2.9), standing.state(3.0)) == ("cooling", "closed")
    fail(health, standing, RateLimited("slow", status=429, retry_after=86_400.0), now=10.0)
    assert standing.shut_until == 310.0


def test_a_short_retry_after_makes_no_certain_wait_of_an_open_breaker() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=5)
    fail(health, standing, RateLimited("slow", status=429, retry_after=1.0), now=1.0)
    assert (standing.state(5.0), standing.shut_until, standing.certain) == ("open", 10.0, False)


def test_a_dead_credential_shuts_all_that_use_it_and_nobody_else() -> None:
    health = Health()
    one, other = standing_of(health, "a"), health.standing(
        replace(candidate("a").deployment, access=candidate("a").deployment.access.with_model("b"))
    )  # fmt: skip
    foreign = standing_of(health, "c")
    fail(health, one, AuthenticationFailed("no", status=401))
    assert [each.state(1.0) for each in (one, other, foreign)] == ["open", "open", "closed"]
    assert one.dead
    assert other.dead
    late = health.standing(replace(candidate("a").deployment, access=candidate("a").deployment.access.with_model("d")))
    assert late.dead
    health.answered(one, 301.0)
    assert [each.state(301.0) for each in (one, other, late)] == ["closed", "closed", "closed"]


def test_no_quota_is_a_dead_credential_and_one_refused_thing_is_not() -> None:
    health = Health()
    one, other = standing_of(health, "a"), standing_of(health, "b")
    fail(health, one, QuotaExhausted("no credit", status=402))
    assert one.dead
    fail(health, other, PermissionDenied("not this", status=403), 2)
    assert other.state(0.0) == "closed"
    fail(health, other, PermissionDenied("not this", status=403))
    assert other.dead


@pytest.mark.parametrize("error", [BadRequest("wrong", status=400), ContentBlocked("no", status=400)])
def test_what_is_no_fault_shows_that_it_answers(error: DragomanError) -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, times=4)
    fail(health, standing, error)
    fail(health, standing, times=4)
    assert standing.state(0.0) == "closed"


def test_our_own_pool_says_nothing_of_the_deployment() -> None:
    health = Health()
    standing = standing_of(health)
    fail(health, standing, PoolExhausted("no connection"), 20)
    assert standing.state(0.0) == "closed"
    assert standing.failures == 0


def test_who_does_not_watch_shuts_nobody() -> None:
    health = Health(watching=False)
    standing = standing_of(health)
    fail(health, standing, times=50)
    fail(health, standing, AuthenticationFailed("no", status=401))
    assert standing.state(0.0) == "closed"


def test_view_tells_and_reset_closes() -> None:
    health = Health(HealthSettings(failures_in_a_row=2))
    standing = standing_of(health)
    fail(health, standing, times=2)
    (view,) = health.view(4.0)
    assert (view.name, view.state, view.seconds, view.reason) == (
        "chat_completions/a",
        "open",
        6.0,
        "ServerFault, 2 in a row",
    )
    assert health.reset("other") == 0
    assert health.reset("chat_completions/a") == 1
    assert health.view(4.0)[0].state == "closed"


def test_deployments_that_nobody_uses_are_forgotten() -> None:
    health = Health()
    first = candidate("a").deployment
    for number in range(5000):
        health.standing(replace(first, label=f"m{number}"))
    assert len(health.view(0.0)) <= 4096
