"""Limits of a key: exact in any 60 seconds, released exactly once, bounded in memory."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.accounts import Gauge, Gauges, Lease, LimitReached, Limits
from dragoman.errors import RateLimited, Remedy


def admitted(gauge: Gauge, now: float) -> Lease | None:
    try:
        return gauge.admit(now)
    except LimitReached:
        return None


def test_the_refusal_says_who_how_much_and_when_to_ask_again() -> None:
    gauge = Gauge("ci", Limits(rpm=2))
    gauge.admit(10.0)
    gauge.admit(25.0)
    with pytest.raises(RateLimited) as caught:
        gauge.admit(40.0)
    error = caught.value
    assert str(error) == "The key 'ci' may make 2 requests a minute. Retry after 30 s."
    assert (error.retry_after, error.status, error.code, error.provider) == (30.0, 429, "rate_limit_exceeded", "")
    assert error.remedy is Remedy.WAIT


def test_asking_again_when_told_to_is_admitted() -> None:
    gauge = Gauge("ci", Limits(rpm=1))
    gauge.admit(7.25)
    with pytest.raises(LimitReached) as caught:
        gauge.admit(8.0)
    assert caught.value.retry_after is not None
    gauge.admit(8.0 + caught.value.retry_after)


def test_refused_requests_count_for_nothing() -> None:
    gauge = Gauge("ci", Limits(rpm=1))
    gauge.admit(0.0)
    for second in range(1, 60):
        assert admitted(gauge, float(second)) is None
    assert admitted(gauge, 60.0) is not None


def test_requests_at_once_are_bounded_and_free_their_place() -> None:
    gauge = Gauge("ci", Limits(concurrency=2))
    first, _ = gauge.admit(0.0), gauge.admit(0.0)
    with pytest.raises(
        LimitReached, match=r"may have 2 requests in flight, and has as many\. Retry after 1 s"
    ) as caught:
        gauge.admit(0.0)
    assert caught.value.limit == "concurrency"
    first.release()
    assert admitted(gauge, 0.0) is not None


def test_a_request_refused_for_its_number_at_once_is_not_counted_in_the_minute() -> None:
    gauge = Gauge("ci", Limits(rpm=2, concurrency=1))
    lease = gauge.admit(0.0)
    for _ in range(5):
        assert admitted(gauge, 0.0) is None
    lease.release()
    assert admitted(gauge, 0.0) is not None


def test_a_place_is_given_back_once() -> None:
    gauge = Gauge("ci", Limits(concurrency=1))
    first = gauge.admit(0.0)
    first.release()
    second = gauge.admit(0.0)
    first.release()
    assert gauge.in_flight == 1
    second.release()
    assert gauge.in_flight == 0


def test_memory_is_bounded_by_the_limit() -> None:
    gauge = Gauge("ci", Limits(rpm=50))
    for number in range(10_000):
        lease = admitted(gauge, number * 0.9)
        if lease is not None:
            lease.release()
    assert gauge.recent == 50
    free = Gauge("free")
    for number in range(1000):
        free.admit(float(number)).release()
    assert free.recent == 0


@given(
    st.integers(1, 6),
    st.lists(st.floats(0, 40, allow_nan=False), max_size=80),
)
def test_no_sixty_seconds_ever_see_more_and_nothing_less_is_refused(rpm: int, gaps: list[float]) -> None:
    gauge = Gauge("ci", Limits(rpm=rpm))
    let_in: deque[float] = deque()
    now = 0.0
    for gap in gaps:
        now += gap
        recent = [at for at in let_in if at + 60.0 - now > 0]
        lease = admitted(gauge, now)
        assert (lease is not None) == (len(recent) < rpm)
        if lease is not None:
            let_in.append(now)


@given(
    st.lists(st.tuples(st.sampled_from(["admit", "release", "limit"]), st.integers(1, 5)), max_size=60),
)
def test_requests_in_flight_never_exceed_the_limit_that_held_when_they_began(steps: list[tuple[str, int]]) -> None:
    gauge = Gauge("ci", Limits(concurrency=3))
    most, leases = 3, list[Lease]()
    for step, number in steps:
        if step == "limit":
            most = number
            gauge.limit(Limits(concurrency=number))
        elif step == "release" and leases:
            leases.pop(number % len(leases)).release()
        elif step == "admit":
            before = gauge.in_flight
            lease = admitted(gauge, 0.0)
            assert (lease is not None) == (before < most)
            leases += [lease] if lease is not None else []
        assert gauge.in_flight == len(leases)


@given(st.integers(1, 1000), st.integers(1, 16))
def test_workers_share_a_limit_without_exceeding_it(limit: int, workers: int) -> None:
    shares = [Limits(rpm=limit).share(worker, workers).rpm for worker in range(workers)]
    assert sum(share or 0 for share in shares) == max(limit, workers)
    assert Limits().share(0, workers) == Limits()


def test_a_wider_limit_keeps_what_was_used() -> None:
    gauge = Gauge("ci", Limits(rpm=2))
    gauge.admit(0.0)
    gauge.admit(1.0)
    gauge.limit(Limits(rpm=3))
    gauge.admit(2.0)
    with pytest.raises(LimitReached) as caught:
        gauge.admit(3.0)
    assert caught.value.retry_after == 57.0


def test_gauges_are_those_of_the_configuration_that_holds() -> None:
    gauges = Gauges()
    first = gauges.get("a")
    assert len(gauges) == 0  # a configuration that is only prepared leaves nothing behind
    gauges.keep([first])
    assert gauges.get("a") is first
    gauges.keep([])
    assert gauges.get("a") is not first
