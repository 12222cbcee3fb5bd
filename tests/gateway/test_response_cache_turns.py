"""The cache's turns, in a loop of the test's own: expiry, bounds, and who waits for whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import assistant
from dragoman.errors import ServerFault
from dragoman.face.middleware.answer_memory import AnswerMemory
from dragoman.gateway.response_cache import ENTRY_BYTES, PIECE_BYTES, Hit, Recording, ResponseCache, Wish
from dragoman.gateway.server.refusals import Disconnected
from dragoman.testing.models import parts_of_model, row_of
from dragoman.values import Choice, Finish, Response

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dragoman.values import FinishReason

DEPLOYMENT = parts_of_model(row_of("fake", "openai-chat", "http://nowhere.invalid/v1"), "m")[0].candidates[0].deployment
KEY = b"what was asked"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def cache_of(clock: Clock | None = None, *, most_bytes: int = 100_000, most_entries: int = 10) -> ResponseCache:
    return ResponseCache(most_bytes=most_bytes, most_entries=most_entries, clock=clock or Clock())


def ended(reason: FinishReason = "stop") -> Response:
    return Response(choices=(Choice(message=assistant("…"), finish=Finish(reason=reason)),))


def keep(recording: Recording, *pieces: bytes, reason: FinishReason = "stop") -> None:
    for piece in pieces:
        recording.add(piece)
    recording.keep(ended(reason), DEPLOYMENT, "relay", ())


async def recorded(cache: ResponseCache, wish: Wish = Wish(300), key: bytes = KEY) -> Recording:  # noqa: B008 - frozen
    turn = await cache.turn(key, wish, 5)
    assert isinstance(turn, Recording)
    return turn


async def hit(cache: ResponseCache, wish: Wish = Wish(300), key: bytes = KEY) -> Hit:  # noqa: B008 - frozen
    turn = await cache.turn(key, wish, 5)
    assert isinstance(turn, Hit)
    return turn


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def empty(cache: ResponseCache) -> bool:
    return (len(cache.memory), cache.memory.bytes, cache.under_way) == (0, 0, 0)


def test_an_answer_is_kept_as_long_as_wished_and_given_only_while_young_enough() -> None:
    async def test() -> None:
        clock = Clock()
        cache = cache_of(clock)
        with await recorded(cache, Wish(100)) as recording:
            keep(recording, b"one")
        clock.now += 60
        assert (await hit(cache, Wish(3600))).seconds == 60
        with await recorded(cache, Wish(60)):
            pass  # too old for this one, and not worth keeping: the older answer stays
        assert (await hit(cache, Wish(61))).cached.pieces == (b"one",)
        clock.now += 40
        with await recorded(cache, Wish(3600)):
            assert len(cache.memory) == 0
        assert empty(cache)

    run(test())


@pytest.mark.parametrize("reason", ["content_filter", "refusal", "paused", "error", "other"])
def test_answers_that_did_not_end_well_are_not_kept(reason: FinishReason) -> None:
    async def test() -> None:
        cache = cache_of()
        with await recorded(cache) as recording:
            keep(recording, b"half", reason=reason)
        assert empty(cache)

    run(test())


def test_pieces_are_joined_up_to_a_size_and_never_cut() -> None:
    async def test() -> None:
        cache = cache_of(most_bytes=10 * PIECE_BYTES)
        events = [b"x" * 1000] * 100 + [b"y" * (2 * PIECE_BYTES)] + [b"z"] * 3
        with await recorded(cache) as recording:
            keep(recording, *events)
        pieces = (await hit(cache)).cached.pieces
        assert b"".join(pieces) == b"".join(events)
        assert [len(piece) for piece in pieces] == [65_000, 35_000, 2 * PIECE_BYTES, 3]

    run(test())


def test_what_is_larger_than_the_memory_is_not_kept_and_nobody_waits_for_it() -> None:
    async def test() -> None:
        cache = cache_of(most_bytes=10_000)
        with await recorded(cache, key=b"small") as recording:
            keep(recording, b"x" * 5_000)
        with await recorded(cache) as large:
            waiting = asyncio.create_task(cache.turn(KEY, Wish(300), 5))
            await asyncio.sleep(0)
            large.add(b"x" * 6_000)
            large.add(b"x" * 6_000)
            alone = await waiting
            assert isinstance(alone, Recording)
            with alone:
                alone.add(b"x")
            keep(large, b"x")
        assert empty(cache)

    run(test())


def test_recordings_and_answers_share_the_bound() -> None:
    async def test() -> None:
        cache = cache_of(most_bytes=10_000)
        for name in (b"a", b"b", b"c"):
            with await recorded(cache, key=name) as recording:
                keep(recording, b"x" * (3_000 - ENTRY_BYTES))
        await hit(cache, key=b"a")
        with await recorded(cache) as recording:
            recording.add(b"y" * 3_500)
            assert cache.memory.bytes == 9_500
        assert [isinstance(await cache.turn(name, Wish(300), 5), Hit) for name in (b"a", b"b", b"c")] == [
            True,
            False,
            True,
        ]

    run(test())


def test_the_least_recently_used_goes_first() -> None:
    async def test() -> None:
        cache = cache_of(most_entries=2)
        for name in (b"a", b"b"):
            with await recorded(cache, key=name) as recording:
                keep(recording, name)
        await hit(cache, key=b"a")
        with await recorded(cache, key=b"c") as recording:
            keep(recording, b"c")
        assert len(cache.memory) == 2
        await hit(cache, key=b"a")
        await hit(cache, key=b"c")

    run(test())


# -- one call for several ----------------------------------------------------------------------------------------------


def test_all_who_wait_get_the_answer_of_the_first() -> None:
    async def test() -> None:
        cache = cache_of()
        with await recorded(cache) as recording:
            waiting = [asyncio.create_task(hit(cache)) for _ in range(5)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            keep(recording, b"one")
            found = await asyncio.gather(*waiting)
        assert {each.cached.pieces for each in found} == {(b"one",)}
        assert cache.under_way == 0

    run(test())


async def ended_by(error: BaseException, cache: ResponseCache) -> list[asyncio.Task[Hit | Recording]]:
    """The tasks of four who waited while the first one's call ended so."""
    waiting: list[asyncio.Task[Hit | Recording]] = []

    async def first() -> None:
        with await recorded(cache):
            waiting.extend(asyncio.create_task(cache.turn(KEY, Wish(300), 5)) for _ in range(4))
            await asyncio.sleep(0)
            raise error

    with pytest.raises(type(error)):
        await first()
    return waiting


@pytest.mark.parametrize("error", [asyncio.CancelledError(), Disconnected("gone")], ids=["cancelled", "gone"])
def test_when_the_first_goes_one_other_takes_over_and_the_rest_wait_for_it(error: BaseException) -> None:
    async def test() -> None:
        cache = cache_of()
        waiting = await ended_by(error, cache)
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        (taken_over,) = done
        recording = taken_over.result()
        assert isinstance(recording, Recording)
        with recording:
            keep(recording, b"one")
        assert all(isinstance(each, Hit) for each in await asyncio.gather(*others))

    run(test())


def test_when_the_first_fails_each_makes_its_own_call() -> None:
    async def test() -> None:
        cache = cache_of()
        turns = await asyncio.gather(*await ended_by(ServerFault("no"), cache))
        assert all(isinstance(turn, Recording) for turn in turns)
        assert cache.under_way == 0
        for turn in turns:
            assert isinstance(turn, Recording)
            with turn:
                keep(turn, b"one")
        assert (len(cache.memory), cache.memory.bytes) == (1, 3 + ENTRY_BYTES)

    run(test())


def test_who_has_waited_long_enough_makes_its_own_call() -> None:
    async def test() -> None:
        cache = cache_of()
        with await recorded(cache) as slow:
            turn = await cache.turn(KEY, Wish(300), 0.01)
            assert isinstance(turn, Recording)
            with turn:
                keep(turn, b"two")
            await hit(cache)
            keep(slow, b"one")
        assert (await hit(cache)).cached.pieces == (b"one",)

    run(test())


def test_who_is_cancelled_while_waiting_takes_nothing_with_it() -> None:
    async def test() -> None:
        cache = cache_of()
        with await recorded(cache) as recording:
            leaving, staying = (asyncio.create_task(hit(cache)) for _ in range(2))
            await asyncio.sleep(0)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            keep(recording, b"one")
            assert (await staying).cached.pieces == (b"one",)

    run(test())


def test_a_refresh_waits_for_nobody_and_later_ones_wait_for_it() -> None:
    async def test() -> None:
        cache = cache_of()
        with await recorded(cache) as before:
            early = asyncio.create_task(hit(cache))
            await asyncio.sleep(0)
            with await recorded(cache, Wish(300, refresh=True)) as fresh:
                late = asyncio.create_task(hit(cache))
                await asyncio.sleep(0)
                assert cache.under_way == 1
                keep(fresh, b"new")
                assert (await late).cached.pieces == (b"new",)
            assert not early.done()
            keep(before, b"old")
            assert (await early).cached.pieces == (b"old",)
        assert cache.under_way == 0

    run(test())


# -- the memory that the library's cache stands on too -----------------------------------------------------------------

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("keep"), st.integers(0, 5), st.integers(0, 60), st.integers(1, 20)),
        st.tuples(st.just("aside"), st.integers(0, 60)),
        st.tuples(st.just("back")),
        st.tuples(st.just("find"), st.integers(0, 5), st.integers(1, 20)),
        st.tuples(st.just("wait"), st.integers(1, 10)),
    ),
    max_size=40,
)


@given(steps=_STEPS)
def test_bounds_hold_and_nothing_old_is_given(steps: list[tuple[Any, ...]]) -> None:
    clock = Clock()
    memory: AnswerMemory[tuple[int, float]] = AnswerMemory(most_entries=3, most_bytes=100, clock=clock)
    aside: list[int] = []
    for step in steps:
        match step:
            case ("keep", key, size, seconds):
                fits = sum(aside) + size <= 100
                assert memory.keep(b"%d" % key, (key, clock.now + seconds), size, seconds) == fits
            case ("aside", size):
                if memory.set_aside(size):
                    aside.append(size)
            case ("back",):
                if aside:
                    memory.give_back(aside.pop())
            case ("find", key, youngest):
                found = memory.find(b"%d" % key, youngest)
                if found is not None:
                    (kept, until), age = found
                    assert (kept, age < youngest, clock.now < until) == (key, True, True)
            case (_, seconds):
                clock.now += seconds
            case _:
                raise AssertionError(step)
        assert len(memory) <= 3
        assert sum(aside) <= memory.bytes <= 100
    for size in aside:
        memory.give_back(size)
    memory.clear()
    assert memory.bytes == 0
