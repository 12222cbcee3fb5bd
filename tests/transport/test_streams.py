"""A streamed answer: piece by piece, closed for certain, given back when it is complete."""

from __future__ import annotations

import asyncio
import gc
import gzip
import threading
from collections.abc import Generator

import pytest

from dragoman.errors import ConnectionLost, ProtocolViolation, StreamStateError
from dragoman.transport import AiohttpTransport, HttpStream, HttpTransport, TransportLimits
from dragoman.transport.limits import Statistics
from tests.transport.fault_server import FaultServer, Gone, Peer, Script, Seen, running_fault_server
from tests.transport.scenarios import CHUNKED, OK, chunks, say_and_stall, says, with_length
from tests.transport.talking import get, run, until

IDLE_ONE = Statistics(open=1, idle=1)
KINDS = [HttpTransport, AiohttpTransport]
Kind = type[HttpTransport | AiohttpTransport]


class Steps:
    """Sends a piece each time `next` is set."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.next = threading.Event()

    def __call__(self, peer: Peer, seen: Seen) -> None:
        for piece in self._pieces:
            if not self.next.wait(10):
                raise Gone
            self.next.clear()
            peer.send(piece)


@pytest.fixture
def server() -> Generator[FaultServer]:
    scripts: dict[str, Script] = {
        "whole": says(with_length(b"whole")),
        "three": says(CHUNKED + chunks(b"one"), chunks(b"two"), chunks(b"three", b"")),
        "open": say_and_stall(CHUNKED + chunks(b"one")),
        "large": says(with_length(b"x" * 100_000)),
    }
    with running_fault_server(scripts) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_stream_of_the_seam(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind() as transport:
            stream = await transport.stream(get(server.url + "/three"))
            assert isinstance(stream, HttpStream)
            assert stream.status == 200
            assert stream.headers["transfer-encoding"] == "chunked"
            assert dict(stream.headers) == {"transfer-encoding": "chunked"}
            assert b"".join([piece async for piece in stream]) == b"onetwothree"

    run(main)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", [b"identity", b"gzip"])
def test_each_piece_is_there_as_soon_as_it_has_come(kind: Kind, encoding: bytes) -> None:
    """Nothing waits for a buffer to fill: the server sends the next piece only after the last was read."""
    pieces = [b"event: %d\n\n" % number for number in range(5)]
    wire = [gzip.compress(piece) for piece in pieces] if encoding == b"gzip" else pieces
    head = OK + b"content-encoding: " + encoding + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    steps = Steps(head, *[chunks(piece) for piece in wire], chunks(b""))

    async def main() -> None:
        async with kind() as transport:
            steps.next.set()
            stream = await transport.stream(get(server.url + "/steps"))
            for piece in pieces:
                steps.next.set()
                assert await anext(stream.__aiter__()) == piece
            steps.next.set()
            assert await stream.aread() == b""

    with running_fault_server({"steps": steps}) as server:
        run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_the_iteration_gives_the_connection_back(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind() as transport:
            for _ in range(3):
                stream = await transport.stream(get(server.url + "/three"))
                assert await stream.aread() == b"onetwothree"
            if isinstance(transport, HttpTransport):
                assert transport.statistics() == IDLE_ONE

    run(main)
    assert server.connections == 1


def test_aclose_gives_back_what_is_complete(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(server.url + "/whole"))
            await stream.aclose()
            assert transport.statistics() == IDLE_ONE
            await stream.aclose()

    run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_aclose_ends_what_is_not_complete(kind: Kind, server: FaultServer) -> None:
    """When it returns the socket is closed, so the other side sees it while our loop stands still."""

    async def main() -> None:
        async with kind() as transport:
            stream = await transport.stream(get(server.url + "/open"))
            assert await anext(stream.__aiter__()) == b"one"
            await stream.aclose()
            server.wait_until_quiet()
            await stream.aclose()
            with pytest.raises(StreamStateError):
                await anext(stream.__aiter__())

    run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_break_closes(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind() as transport:
            async for piece in await transport.stream(get(server.url + "/open")):
                assert piece == b"one"
                break
            await asyncio.sleep(0)
            server.wait_until_quiet()

    run(main)


def test_letting_go_in_another_thread_closes(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            held = [await transport.stream(get(server.url + "/open"))]
            await asyncio.to_thread(held.clear)
            gc.collect()
            await until(lambda: transport.statistics() == Statistics(), "the connection closed")

    run(main)
    server.wait_until_quiet()


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_end_there_is_nothing_more(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind() as transport:
            stream = await transport.stream(get(server.url + "/whole"))
            assert await stream.aread() == b"whole"
            assert [piece async for piece in stream] == []
            assert await stream.aread() == b""

    run(main)


def test_closing_while_somebody_reads_wakes_the_reader(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(server.url + "/open"))
            assert await anext(stream) == b"one"
            reading = asyncio.create_task(stream.aread())
            await asyncio.sleep(0.01)
            await stream.aclose()
            with pytest.raises(ConnectionLost):
                await reading
            assert transport.statistics() == Statistics()

    run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_whole_is_bounded(kind: Kind, server: FaultServer) -> None:
    async def main() -> None:
        async with kind(limits=TransportLimits(body_bytes=50_000)) as transport:
            stream = await transport.stream(get(server.url + "/large"))
            with pytest.raises(ProtocolViolation, match="body_bytes"):
                await stream.aread()
            with pytest.raises(ProtocolViolation, match="body_bytes"):
                await transport.send(get(server.url + "/large"))
            stream = await transport.stream(get(server.url + "/large"))
            assert sum([len(piece) async for piece in stream]) == 100_000

    run(main)
    server.wait_until_quiet()


def test_a_piece_that_came_is_not_lost_when_the_connection_is(server: FaultServer) -> None:
    def send_and_vanish(peer: Peer, seen: Seen) -> None:
        peer.send(CHUNKED + chunks(b"last words"))
        raise Gone

    async def main() -> None:
        async with HttpTransport() as transport:
            stream = await transport.stream(get(vanishing.url + "/vanish"))
            await until(lambda: transport.statistics() == Statistics(), "the connection is lost")
            assert await anext(stream) == b"last words"
            with pytest.raises(ConnectionLost):
                await anext(stream)

    with running_fault_server({"vanish": send_and_vanish}) as vanishing:
        run(main)
