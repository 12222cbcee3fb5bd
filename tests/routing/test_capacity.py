"""Capacity: limits, what providers tell, learned caps, and who waits for room."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import Overloaded, RateLimited, Unavailable
from dragoman.routing import Health, Limits
from dragoman.routing.capacity import Capacity, Room
from dragoman.routing.learned import Learned
from dragoman.routing.limits import Window
from dragoman.routing.rate_headers import read_rate_headers
from tests.routing.virtual import VirtualClock, candidate, run_virtual
from tests.wire.recordings import exchanges, require_recordings

CLOCK = VirtualClock()


# -- windows -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(1, 5)), max_size=60), st.integers(1, 20))
def test_no_minute_sees_more_than_the_limit(asked: list[tuple[float, int]], limit: int) -> None:
    window = Window()
    now = 0.0
    let_in: list[tuple[float, int]] = []
    for pause, amount in asked:
        now += pause
        if window.wait(now, amount, limit) <= 0:
            window.add(now, amount)
            let_in.append((now, amount))
    for start, _ in let_in:
        within = [amount for at, amount in let_in if start <= at < start + 60]
        assert sum(within) <= limit or len(within) == 1  # one that never fits goes in alone


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 5)), min_size=1, max_size=40))
def test_what_a_window_says_to_wait_for_is_enough(asked: list[tuple[float, int]]) -> None:
    window = Window()
    now = 0.0
    for pause, amount in asked:
        now += pause
        window.add(now, amount)
    wait = window.wait(now, 3, 10)
    assert window.wait(now + wait, 3, 10) <= 1e-6


def test_a_correction_changes_what_was_counted() -> None:
    window = Window()
    second = window.add(5.0, 100)
    window.correct(second, -60)
    assert window.total(5.0) == 40
    assert window.total(70.0) == 0


# -- limits ------------------------------------------------------------------------------------------------------------


def test_requests_tokens_and_attempts_at_once_are_limited() -> None:
    async def scenario() -> None:
        by_rate = Capacity("a", Limits(rpm=2))
        for _ in range(2):
            (await by_rate.acquire(CLOCK)).release(CLOCK.now())
        assert not by_rate.has_room(CLOCK.now())
        assert 59 < by_rate.wait(CLOCK.now()) <= 61
        by_tokens = Capacity("a", Limits(tpm=1000))
        room = await by_tokens.acquire(CLOCK, 800)
        assert not by_tokens.has_room(CLOCK.now(), 300)
        room.release(CLOCK.now(), 500)
        assert by_tokens.has_room(CLOCK.now(), 300)
        at_once = Capacity("a", Limits(concurrency=1))
        room = await at_once.acquire(CLOCK)
        assert at_once.wait(CLOCK.now()) == float("inf")
        room.release(CLOCK.now())
        assert at_once.has_room(CLOCK.now())

    run_virtual(scenario())


def test_a_wait_that_is_certain_to_be_too_long_is_refused_at_once() -> None:
    async def scenario() -> float:
        capacity = Capacity("a", Limits(rpm=1, queue_seconds=10))
        (await capacity.acquire(CLOCK)).release(CLOCK.now())
        with pytest.raises(Unavailable, match="a is full") as caught:
            await capacity.acquire(CLOCK)
        assert caught.value.retry_after is not None
        assert 59 < caught.value.retry_after <= 61
        return CLOCK.now()

    assert run_virtual(scenario()) == 0


def test_who_waits_longest_gets_the_room_and_the_queue_is_bounded() -> None:
    async def scenario() -> list[int]:
        capacity = Capacity("a", Limits(concurrency=1, queue_seconds=100, queue_length=3))
        served: list[int] = []

        async def call(number: int) -> None:
            room = await capacity.acquire(CLOCK)
            await asyncio.sleep(1)
            served.append(number)
            room.release(CLOCK.now())

        tasks: list[asyncio.Task[None]] = []
        for number in range(4):
            tasks.append(asyncio.ensure_future(call(number)))
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable):
            await capacity.acquire(CLOCK)
        await asyncio.gather(*tasks)
        assert capacity.in_flight == capacity.waiting == 0
        return served

    assert run_virtual(scenario()) == [0, 1, 2, 3]


def test_a_queue_ends_after_its_seconds() -> None:
    async def scenario() -> float:
        capacity = Capacity("a", Limits(concurrency=1, queue_seconds=7))
        await capacity.acquire(CLOCK)
        with pytest.raises(Unavailable):
            await capacity.acquire(CLOCK)
        assert capacity.waiting == 0
        return CLOCK.now()

    assert run_virtual(scenario()) == pytest.approx(7)


@given(st.data())
def test_no_room_is_lost_however_calls_are_cancelled(data: st.DataObject) -> None:
    async def scenario() -> None:
        capacity = Capacity("a", Limits(concurrency=2, rpm=40, queue_seconds=20, queue_length=10))

        async def call(seconds: float) -> None:
            room: Room | None = None
            try:
                room = await capacity.acquire(CLOCK)
                await asyncio.sleep(seconds)
            finally:
                if room is not None:
                    room.release(CLOCK.now())

        tasks = [asyncio.ensure_future(call(data.draw(st.floats(0, 5)))) for _ in range(data.draw(st.integers(1, 10)))]
        for task in tasks:
            await asyncio.sleep(data.draw(st.floats(0, 2)))
            if data.draw(st.booleans()):
                task.cancel()
        await asyncio.wait(tasks, timeout=200)
        assert all(task.done() for task in tasks)
        assert capacity.in_flight == 0
        assert capacity.waiting == 0
        if capacity.wait(CLOCK.now()) <= 0:
            assert capacity.has_room(CLOCK.now())

    run_virtual(scenario())


# -- what providers tell -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1m30.5s", 90.5),
        ("2h", 7200.0),
        ("1d2h", 93_600.0),
        ("59.7", 59.7),
    ],
)
def test_lengths_of_time_are_read(text: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": text}
    (told,) = read_rate_headers(headers)
    assert (told.kind, told.remaining) == ("requests", 0.0)
    assert told.reset_seconds == pytest.approx(seconds)


def test_moments_are_taken_by_the_senders_own_clock() -> None:
    headers = {
        "anthropic-ratelimit-tokens-remaining": "10",
        "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:30Z",
        "date": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    (told,) = read_rate_headers(headers)
    assert told.reset_seconds == pytest.approx(30)
    unix = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767225645000", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    (told,) = read_rate_headers(unix)
    assert told.reset_seconds == pytest.approx(45)


@pytest.mark.parametrize(("reset", "remaining", "seconds"), [("1971", "48", 2.4), ("55", "0", 60.0)])
def test_a_number_beside_a_period_is_read_by_the_period(reset: str, remaining: str, seconds: float) -> None:
    """Azure: milliseconds beside an answer, seconds beside a refusal."""
    headers = {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": remaining,
        "x-ratelimit-reset-requests": reset,
        "x-ratelimit-renewalperiod-requests": "60",
    }
    (told,) = read_rate_headers(headers)
    assert (told.remaining, told.limit) == (float(remaining), 50.0)
    assert told.reset_seconds == pytest.approx(seconds)
    del headers["x-ratelimit-limit-requests"]
    (told,) = read_rate_headers(headers)
    assert told.reset_seconds == pytest.approx(min(float(reset), 60.0))


@pytest.mark.parametrize("text", ["soon", "", "-", "1x"])
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    assert read_rate_headers({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": text}) == []
    assert read_rate_headers({"x-ratelimit-remaining-requests": text, "x-ratelimit-reset-requests": "1s"}) == []


def told(now: float, **headers: str) -> Capacity:
    capacity = Capacity("a")
    capacity.told(now, {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in headers.items()})
    return capacity


def test_a_limit_that_is_used_up_shuts_until_it_begins_anew() -> None:
    capacity = told(10.0, remaining_requests="1", reset_requests="30s")
    assert capacity.has_room(10.0)
    capacity.enter(10.0, 1.0)
    assert capacity.wait(10.0) == 30.0
    assert capacity.has_room(40.0)


def test_a_limit_that_fills_steadily_shuts_until_there_is_enough() -> None:
    capacity = told(10.0, remaining_tokens="0", limit_tokens="6000", reset_tokens="60s")
    assert capacity.wait(10.0, 100) == pytest.approx(1.0)  # 100 a second come back
    assert capacity.has_room(12.0, 200)
    capacity.enter(12.0, 200)
    assert capacity.wait(12.0, 100) == pytest.approx(1.0)


# -- what is learned ---------------------------------------------------------------------------------------------------


def test_a_cap_falls_at_a_refusal_and_grows_only_while_it_binds() -> None:
    learned = Learned()
    learned.refused(0.0, 100.0)
    assert learned.cap == pytest.approx(70)
    learned.refused(1.0, 70.0)
    assert learned.cap == pytest.approx(70)  # the same burst
    learned.answered(11.0)
    assert learned.cap == pytest.approx(70)  # it held nothing back
    learned.bound(12.0)
    learned.answered(13.0)
    assert learned.cap == pytest.approx(73.5)
    learned.answered(30.0)
    assert learned.cap == pytest.approx(73.5)
    learned.answered(1000.0)
    assert learned.cap is None


def refused(health: Health, error: Any, in_flight: int = 0, uses: int = 0, now: float = 30.0) -> Capacity:
    standing = health.standing(candidate("a").deployment)
    capacity = standing.limit(None)
    capacity.in_flight = in_flight
    for _ in range(uses):
        capacity.uses.add(now - 1, 1)
        capacity.used.add(now - 1, 1000)
    health.failed(standing, error, now)
    return capacity


def test_caps_are_learned_apart_for_requests_tokens_and_overload() -> None:
    requests = refused(Health(), RateLimited("slow", status=429, kind="requests"), uses=50)
    assert (requests.requests.cap, requests.tokens.cap, requests.overload.cap) == (pytest.approx(35), None, None)
    tokens = refused(Health(), RateLimited("slow", status=429, kind="tokens"), uses=50)
    assert (tokens.requests.cap, tokens.tokens.cap) == (None, pytest.approx(35_000))
    overload = refused(Health(), Overloaded("busy", status=529), in_flight=9)
    assert (overload.requests.cap, overload.overload.cap) == (None, pytest.approx(7))


def test_where_headers_say_until_when_nothing_is_learned() -> None:
    health = Health()
    standing = health.standing(candidate("a").deployment)
    capacity = standing.limit(None)
    capacity.uses.add(0.0, 50)
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10s"}
    health.failed(standing, RateLimited("slow", status=429), 1.0, headers)
    assert capacity.requests.cap is None
    assert capacity.wait(1.0) == 10.0


@pytest.mark.parametrize(("name", "least"), [("x-ratelimit-reset-tokens", 10), ("anthropic-ratelimit-tokens-reset", 1)])
def test_recorded_answers_tell_what_is_left(name: str, least: int) -> None:
    require_recordings()
    found = 0
    for exchange in exchanges():
        headers = exchange.response.headers
        if name in headers and ("date" in headers or name.startswith("x-")):
            remaining = float(headers[name.replace("reset", "remaining")])
            told = read_rate_headers(headers, 0.0)
            assert all(0 < each.reset_seconds < 8 * 86_400 for each in told)
            found += any(each.remaining == remaining for each in told)
    assert found >= least
