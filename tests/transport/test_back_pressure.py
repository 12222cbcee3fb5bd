"""A slow side makes the fast one wait; nobody holds what nobody takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from dragoman.errors import ConnectionLost
from dragoman.transport import HttpTransport, TransportLimits
from dragoman.transport.limits import Statistics
from tests.transport.conftest import Authority
from tests.transport.fault_server import Gone, Peer, Seen, running_fault_server
from tests.transport.scenarios import CHUNKED, chunks, with_length
from tests.transport.talking import get, post, until

Run = Callable[[Coroutine[Any, Any, None]], None]
RUNNERS: list[Run] = [asyncio.run, uvloop.run]
MANY = 400
PIECE = b"x" * 65536


class Pouring:
    """Sends 25 MB as fast as it is taken, and counts what was taken."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, peer: Peer, seen: Seen) -> None:
        peer.send(CHUNKED)
        for _ in range(MANY):
            peer.send(chunks(PIECE))
            self.sent += len(PIECE)
        peer.send(chunks(b""))


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("run", RUNNERS, ids=["asyncio", "uvloop"])
def test_a_stream_that_nobody_reads_is_held_back(
    run: Callable[..., None], encrypted: bool, authority: Authority
) -> None:
    pouring = Pouring()

    async def main() -> None:
        settings = TransportLimits(unread_bytes=100_000)
        async with HttpTransport(limits=settings, ssl_context=authority.client_context) as transport:
            stream = await transport.stream(get(server.url + "/pour"))
            seen = -1
            # Wait until the other side makes no headway: its and our kernel's buffers are full.
            while seen != pouring.sent:
                seen = pouring.sent
                await asyncio.sleep(0.1)
            assert pouring.sent < MANY * len(PIECE) / 2
            first = await anext(stream)
            assert len(first) < 1_500_000
            size = len(first)
            async for piece in stream:
                size += len(piece)
            assert size == MANY * len(PIECE)
            assert transport.statistics() == Statistics(open=1, idle=1)

    context = authority.server_context if encrypted else None
    with running_fault_server({"pour": pouring}, context) as server:
        run(main())


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("run", RUNNERS, ids=["asyncio", "uvloop"])
def test_a_large_request_goes_out_as_it_is_taken(
    run: Callable[..., None], encrypted: bool, authority: Authority
) -> None:
    """While the server does not read, the loop's buffer holds a slice or two, not the whole body."""
    body = bytes(range(256)) * 200_000
    may_read = threading.Event()
    got: list[bool] = []

    def read_late(peer: Peer, seen: Seen) -> None:
        may_read.wait(10)
        got.append(peer.read_body(int(seen.headers["content-length"])) == body)
        peer.send(with_length(b"taken"))

    async def main() -> None:
        async with HttpTransport(ssl_context=authority.client_context) as transport:
            call = asyncio.create_task(transport.send(post(server.url + "/late/unread", body)))
            await until(lambda: len(server.requests) == 1, "the head arrived")
            await asyncio.sleep(0.1)
            assert buffered_by(call) < 2_500_000
            may_read.set()
            assert (await call).body == b"taken"
            assert transport.statistics() == Statistics(open=1, idle=1)

    def buffered_by(call: asyncio.Task[object]) -> int:
        # The connection is a local of the coroutine that waits.
        frame = call.get_stack()[0]
        connection = frame.f_locals["connection"]
        return connection._transport.get_write_buffer_size()

    context = authority.server_context if encrypted else None
    with running_fault_server({"late/unread": read_late}, context) as server:
        run(main())
    assert got == [True]


@pytest.mark.parametrize("verb", ["send", "stream"])
def test_an_answer_that_comes_before_the_request_is_out_ends_the_sending(verb: str) -> None:
    """A 413 from a server that reads no further is an answer, not a lost connection."""
    enough = threading.Event()

    def refuse(peer: Peer, seen: Seen) -> None:
        peer.send(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large")
        enough.wait(10)
        raise Gone

    async def main() -> None:
        async with HttpTransport() as transport:
            request = post(server.url + "/unread", b"x" * 30_000_000)
            if verb == "send":
                response = await transport.send(request)
                assert (response.status, response.body) == (413, b"too large")
            else:
                stream = await transport.stream(request)
                assert (stream.status, await stream.aread()) == (413, b"too large")
            # The rest of the body was never sent, so nothing else can be.
            assert transport.statistics() == Statistics()

    with running_fault_server({"unread": refuse}) as server:
        asyncio.run(main())
        enough.set()


def test_a_connection_that_ends_while_a_body_goes_out() -> None:
    def hang_up(peer: Peer, seen: Seen) -> None:
        peer.reset()

    async def main() -> None:
        async with HttpTransport() as transport:
            with pytest.raises(ConnectionLost) as caught:
                await transport.send(post(server.url + "/unread", b"x" * 30_000_000))
            assert caught.value.sent == "maybe"
            assert transport.statistics() == Statistics()

    with running_fault_server({"unread": hang_up}) as server:
        asyncio.run(main())
