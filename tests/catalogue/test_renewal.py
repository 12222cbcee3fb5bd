"""Renewal: one fetch for all who wait, before the end, under cancellation and failure."""

from __future__ import annotations

import asyncio

import pytest

from dragoman.catalogue.clouds.renewal import Lasting, Renewing
from dragoman.errors import AuthenticationFailed, ServerFault
from dragoman.transport import FakeTransport, Transport

NOWHERE = FakeTransport()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Counts what is asked of it, and answers when its gate is open."""

    def __init__(self, clock: Clock, life: float | None = 3600.0) -> None:
        self.clock = clock
        self.life = life
        self.asked = 0
        self.error: Exception | None = None
        self.begun = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, transport: Transport) -> Lasting[str]:
        self.asked += 1
        number = self.asked
        self.begun.release()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Lasting(f"token-{number}", None if self.life is None else self.clock.now + self.life)


def test_it_is_kept_until_five_minutes_before_its_end() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        renewing = Renewing(source.fetch, clock)
        assert [await renewing.get(NOWHERE) for _ in range(3)] == ["token-1"] * 3
        clock.now += 3600 - 301
        assert await renewing.get(NOWHERE) == "token-1"
        clock.now += 2
        assert await renewing.get(NOWHERE) == "token-2"
        assert source.asked == 2

    asyncio.run(run())


def test_a_short_life_is_used_for_its_first_half() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock, life=100)
        renewing = Renewing(source.fetch, clock)
        assert await renewing.get(NOWHERE) == "token-1"
        clock.now += 49
        assert await renewing.get(NOWHERE) == "token-1"
        clock.now += 2
        assert await renewing.get(NOWHERE) == "token-2"

    asyncio.run(run())


def test_what_has_no_end_is_fetched_once() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock, life=None)
        renewing = Renewing(source.fetch, clock)
        await renewing.get(NOWHERE)
        clock.now += 1e9
        assert await renewing.get(NOWHERE) == "token-1"

    asyncio.run(run())


def test_many_at_once_fetch_once() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        source.gate.clear()
        renewing = Renewing(source.fetch, clock)
        tasks = [asyncio.create_task(renewing.get(NOWHERE)) for _ in range(100)]
        await source.begun.acquire()
        source.gate.set()
        assert set(await asyncio.gather(*tasks)) == {"token-1"}
        assert source.asked == 1

    asyncio.run(run())


def test_who_comes_while_a_good_one_is_renewed_uses_the_good_one() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        renewing = Renewing(source.fetch, clock)
        await renewing.get(NOWHERE)
        await source.begun.acquire()
        clock.now += 3600 - 200
        source.gate.clear()
        first = asyncio.create_task(renewing.get(NOWHERE))
        await source.begun.acquire()
        assert await renewing.get(NOWHERE) == "token-1"
        source.gate.set()
        assert await first == "token-2"

    asyncio.run(run())


def test_a_failure_is_raised_for_all_who_waited_and_asked_again_by_the_next() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        source.gate.clear()
        source.error = AuthenticationFailed("no")
        renewing = Renewing(source.fetch, clock)
        tasks = [asyncio.create_task(renewing.get(NOWHERE)) for _ in range(20)]
        await source.begun.acquire()
        source.gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(error) for error in found} == {AuthenticationFailed}
        assert len({id(error) for error in found}) == 20  # attempts are noted on errors, so nobody shares one
        assert source.asked == 1
        source.error = None
        assert await renewing.get(NOWHERE) == "token-2"

    asyncio.run(run())


def test_a_good_one_is_used_on_when_fetching_another_fails() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        renewing = Renewing(source.fetch, clock)
        await renewing.get(NOWHERE)
        source.error = ServerFault("ill")
        clock.now += 3600 - 200
        assert await renewing.get(NOWHERE) == "token-1"
        assert await renewing.get(NOWHERE) == "token-1"
        assert source.asked == 2  # not once per call
        clock.now += 31
        assert await renewing.get(NOWHERE) == "token-1"
        assert source.asked == 3
        clock.now += 200
        with pytest.raises(ServerFault):
            await renewing.get(NOWHERE)

    asyncio.run(run())


def test_who_is_cancelled_hands_over() -> None:
    async def run() -> None:
        clock = Clock()
        source = Source(clock)
        source.gate.clear()
        renewing = Renewing(source.fetch, clock)
        first = asyncio.create_task(renewing.get(NOWHERE))
        await source.begun.acquire()
        second = asyncio.create_task(renewing.get(NOWHERE))
        await asyncio.sleep(0)
        first.cancel()
        source.gate.set()
        assert await second == "token-2"
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(run())


def test_loops_come_and_go() -> None:
    clock = Clock()
    sources: list[Source] = []

    async def fetch(transport: Transport) -> Lasting[str]:
        return await sources[-1].fetch(transport)

    renewing = Renewing(fetch, clock)

    async def run() -> list[str]:
        sources.append(Source(clock))
        return await asyncio.gather(*(renewing.get(NOWHERE) for _ in range(5)))

    for _ in range(3):
        assert len(set(asyncio.run(run()))) == 1
        clock.now += 4000
    assert [source.asked for source in sources] == [1, 1, 1]
    assert "token" not in repr(renewing)
