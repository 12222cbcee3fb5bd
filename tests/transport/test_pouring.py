"""A body that is poured: each piece given from within the loop's callback, and everything else left to reading."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from dragoman.errors import ConnectionLost, TimedOut
from dragoman.transport import HttpTransport, Timeout
from dragoman.transport.limits import Statistics
from tests.transport.fault_server import FaultServer, Gone, Peer, Script, Seen, running_fault_server
from tests.transport.scenarios import CHUNKED, chunks, say_and_stall
from tests.transport.talking import get, run

IDLE_ONE = Statistics(open=1, idle=1)


class Steps:
    """Sends a piece each time `next` is set, until it is told that nobody will ask for more."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.next = threading.Event()
        self._over = False

    def end(self) -> None:
        self._over = True
        self.next.set()

    def wait(self) -> None:
        if not self.next.wait(10) or self._over:
            raise Gone
        self.next.clear()

    def __call__(self, peer: Peer, seen: Seen) -> None:
        for piece in self._pieces:
            self.wait()
            peer.send(piece)


FOUR = (CHUNKED + chunks(b"one"), chunks(b"two"), chunks(b"three"), chunks(b"four", b""))


@pytest.fixture
def steps() -> Steps:
    return Steps(*FOUR)


@pytest.fixture
def server(steps: Steps) -> Generator[FaultServer]:
    def cut(peer: Peer, seen: Seen) -> None:
        peer.send(CHUNKED + chunks(b"one"))
        steps.wait()
        peer.send(chunks(b"two"))
        raise Gone

    scripts: dict[str, Script] = {"steps": steps, "cut": cut, "open": say_and_stall(CHUNKED + chunks(b"one"))}
    with running_fault_server(scripts) as running:
        yield running
        steps.end()


def test_pieces_are_given_as_they_come_and_the_end_is_read(server: FaultServer, steps: Steps) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            for _ in range(2):  # the second exchange of the same connection knows nothing of the first one's sink
                steps.next.set()
                stream = await transport.stream(get(server.url + "/steps"))
                assert await anext(stream) == b"one"
                taken: list[bytes] = []

                def sink(data: bytes, taken: list[bytes] = taken) -> bool:
                    taken.append(data)
                    steps.next.set()
                    return True

                steps.next.set()
                await stream.pour(sink)
                assert taken == [b"two", b"three"]
                assert [piece async for piece in stream] == [b"four"]
                assert transport.statistics() == IDLE_ONE

    run(main)


def test_a_sink_that_has_enough_is_given_no_more(server: FaultServer, steps: Steps) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            steps.next.set()
            stream = await transport.stream(get(server.url + "/steps"))
            assert await anext(stream) == b"one"
            taken: list[bytes] = []

            def sink(data: bytes) -> bool:
                taken.append(data)
                return False

            steps.next.set()
            await stream.pour(sink)
            steps.next.set()
            assert await anext(stream) == b"three"
            assert taken == [b"two"]
            steps.next.set()
            assert [piece async for piece in stream] == [b"four"]

    run(main)


def test_what_is_there_already_is_read_first(server: FaultServer, steps: Steps) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            steps.next.set()
            stream = await transport.stream(get(server.url + "/steps"))
            taken: list[bytes] = []
            await stream.pour(lambda data: not taken.append(data))
            read = [await anext(stream)]
            assert b"".join(taken + read) == b"one"
            await stream.aclose()

    run(main)


def test_what_a_sink_raises_is_raised_and_closes_the_connection(server: FaultServer, steps: Steps) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            steps.next.set()
            stream = await transport.stream(get(server.url + "/steps"))
            assert await anext(stream) == b"one"

            def sink(data: bytes) -> bool:
                raise KeyError(data)

            steps.next.set()
            with pytest.raises(KeyError, match="two"):
                await stream.pour(sink)
            assert transport.statistics() == Statistics()

    run(main)


def test_a_cut_body_fails_when_it_is_read(server: FaultServer, steps: Steps) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(server.url + "/cut"))
            assert await anext(stream) == b"one"
            taken: list[bytes] = []

            def sink(data: bytes) -> bool:
                taken.append(data)
                return True

            steps.next.set()
            await stream.pour(sink)
            with pytest.raises(ConnectionLost):
                taken += [piece async for piece in stream]
            assert taken == [b"two"]

    run(main)


def test_silence_is_bounded(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(server.url + "/open", timeout=Timeout(idle=0.1)))
            assert await anext(stream) == b"one"
            await stream.pour(lambda _: True)
            with pytest.raises(TimedOut):
                await anext(stream)

    run(main)


def test_cancelling_closes_the_connection(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(server.url + "/open"))
            assert await anext(stream) == b"one"
            pouring = asyncio.ensure_future(stream.pour(lambda _: True))
            await asyncio.sleep(0)
            pouring.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pouring
            assert transport.statistics() == Statistics()

    run(main)
