"""The channel between supervisor and worker: asks, deadlines, and what is done with nonsense."""

from __future__ import annotations

import asyncio
import socket

import pytest

from dragoman.gateway.workers import messages as say
from dragoman.gateway.workers.channel import LONGEST_FRAME, Answering, Channel, ChannelError
from dragoman.gateway.workers.restarts import LONGEST_SECONDS, Restarts
from dragoman.gateway.workers.sums import Sums
from dragoman.observe.metrics import Family, Metrics, Series, Snapshot
from tests.gateway.serving import running


async def nothing(_message: say.Message) -> say.Message | None:
    return None


async def pair(answering: Answering) -> tuple[Channel, Channel]:
    one, other = socket.socketpair()
    return await Channel.over(one, nothing), await Channel.over(other, answering)


def test_asks_are_answered_each_with_its_own_and_in_any_order() -> None:
    async def test() -> None:
        first = asyncio.Event()

        async def answering(message: say.Message) -> say.Message | None:
            if isinstance(message, say.Prepare):
                await first.wait()
                return say.Failed("not today")
            if isinstance(message, say.Commit):
                first.set()
                return say.Done()
            raise LookupError("a bug")

        asking, answerer = await pair(answering)
        late = asyncio.create_task(asking.ask(say.Prepare(1, "d"), 5))
        await asyncio.sleep(0)
        assert await asking.ask(say.Commit(1), 5) == say.Done()
        with pytest.raises(ChannelError, match="not today"):
            await late
        with pytest.raises(ChannelError, match="LookupError: a bug"):
            await asking.ask(say.Abort(1), 5)
        asking.close()
        assert await answerer.closed == ""

    running(test)


def test_an_ask_ends_at_its_deadline_or_when_the_other_side_goes() -> None:
    async def test() -> None:
        asking, silent = await pair(nothing)
        with pytest.raises(ChannelError, match=r"within 0\.05 s"):
            await asking.ask(say.MetricsAsk(), 0.05)
        waiting = asyncio.create_task(asking.ask(say.MetricsAsk(), 30))
        await asyncio.sleep(0)
        silent.close()
        with pytest.raises(ChannelError, match="has gone"):
            await waiting
        with pytest.raises(ChannelError, match="has gone"):
            await asking.ask(say.MetricsAsk(), 30)

    running(test)


def test_a_large_message_comes_whole() -> None:
    async def test() -> None:
        series = [Series((f"route-{number}", "d" * 50), float(number), list(range(17))) for number in range(20_000)]
        snapshot = Snapshot([Family("f", "histogram", "h", ("a", "b"), (1.0,), series)])

        async def answering(_message: say.Message) -> say.Message | None:
            return say.MetricsSnapshot(snapshot)

        asking, _ = await pair(answering)
        assert await asking.ask(say.MetricsAsk(), 10) == say.MetricsSnapshot(snapshot)
        asking.close()
        await asking.closed

    running(test)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((LONGEST_FRAME + 1).to_bytes(4, "big"), "a frame of"),
        (b"\0\0\0\0", "a frame of 0 bytes"),
        (b"\0\0\0\x01\xc1", "no message"),
        (b"\0\0\0\x0e\x93\0\xc2\x81\xa4kind\xa4what", "no message"),
    ],
    ids=["too long", "empty", "no msgpack", "an unknown kind"],
)
def test_nonsense_ends_the_channel_with_a_reason(data: bytes, reason: str) -> None:
    async def test() -> None:
        one, other = socket.socketpair()
        channel = await Channel.over(other, nothing)
        one.sendall(data)
        assert reason in await asyncio.wait_for(channel.closed, 5)
        one.close()

    running(test)


def test_whoever_sends_more_than_is_worked_on_is_cut_off() -> None:
    async def test() -> None:
        async def never(_message: say.Message) -> say.Message | None:
            await asyncio.Event().wait()
            return None

        flooding, flooded = await pair(never)
        for _ in range(1000):
            flooding.tell(say.MetricsAsk())
        assert "more messages" in await asyncio.wait_for(flooded.closed, 5)
        await flooding.closed
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel() if task.get_coro().__qualname__ == "Channel._work" else None  # type: ignore[union-attr]

    running(test)


def test_deaths_in_a_row_are_followed_by_longer_and_longer_waits() -> None:
    restarts = Restarts()
    waits = [restarts.delay(0.0) for _ in range(12)]
    assert waits[0] == 0.0
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_SECONDS
    assert restarts.delay(3600.0) == 0.0
    assert restarts.total == 13


def test_counters_of_the_dead_stay_and_their_gauges_go() -> None:
    sums = Sums()
    for worker in (0, 1):
        metrics = Metrics()
        metrics.request("r", "openai-chat", 200, 0.1)
        metrics.read_gauge("open", "open", lambda: 3)
        sums.note(worker, metrics.snapshot())

    def total(name: str) -> float:
        return sum(series.value for family in sums.total().families if family.name == name for series in family.series)

    assert (total("dragoman_requests"), total("open")) == (2, 6)
    sums.depart(0)
    assert (total("dragoman_requests"), total("open")) == (2, 3)
    sums.depart(1)
    sums.depart(1)
    assert (total("dragoman_requests"), total("open")) == (2, 0)
