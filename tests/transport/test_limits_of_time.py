"""Each limit passes in its own phase, and says what was sent by then."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from dragoman.errors import TimedOut
from dragoman.transport import HttpTransport, Timeout, TransportLimits
from dragoman.transport.limits import Statistics
from tests.transport.conftest import Authority
from tests.transport.fault_server import Gone, Peer, Seen, running_fault_server
from tests.transport.proxy_server import ProxyServer
from tests.transport.scenarios import CHUNKED, chunks, say_and_stall
from tests.transport.silence import listener
from tests.transport.talking import get, post, run, until


async def expect(transport: HttpTransport, url: str, timeout: Timeout, phase: str, sent: str) -> TimedOut:
    start = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        await transport.send(get(url, timeout=timeout))
    assert (caught.value.phase, caught.value.sent) == (phase, sent)
    assert time.monotonic() - start < 5
    assert transport.statistics() == Statistics()
    return caught.value


def test_connect_while_the_kernel_does_not_answer() -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            await expect(transport, f"http://127.0.0.1:{port}/", Timeout(connect=0.1), "connect", "no")

    with listener(accepting=False) as port:
        run(main)


def test_connect_while_nobody_shakes_hands(authority: Authority) -> None:
    async def main() -> None:
        async with HttpTransport(ssl_context=authority.client_context) as transport:
            await expect(transport, f"https://127.0.0.1:{port}/", Timeout(connect=0.1), "connect", "no")

    with listener() as port:
        run(main)


def test_connect_while_a_proxy_says_nothing(authority: Authority) -> None:
    async def main() -> None:
        proxy = f"http://127.0.0.1:{port}"
        async with HttpTransport(ssl_context=authority.client_context, proxy=proxy) as transport:
            await expect(transport, "https://origin.test/", Timeout(connect=0.1), "connect", "no")

    with listener() as port:
        run(main)


def test_connect_while_the_origin_behind_a_proxy_does_not_shake_hands(authority: Authority) -> None:
    async def main() -> None:
        address = f"http://127.0.0.1:{proxy.port}"
        async with HttpTransport(proxy=address, ssl_context=authority.client_context) as transport:
            await expect(transport, f"https://127.0.0.1:{port}/", Timeout(connect=0.2), "connect", "no")

    with listener() as port:
        proxy = ProxyServer()
        run(main)
        proxy.close()


def test_total_counts_while_connecting_too() -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            timeout = Timeout(connect=None, total=0.1)
            await expect(transport, f"http://127.0.0.1:{port}/", timeout, "connect", "no")

    with listener(accepting=False) as port:
        run(main)


def test_first_byte_of_a_stream_is_the_first_of_its_body() -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            timeout = Timeout(first_byte=0.1, idle=5, total=5)
            stream = await transport.stream(get(server.url + "/head", timeout=timeout))
            with pytest.raises(TimedOut) as caught:
                await anext(stream)
            assert (caught.value.phase, caught.value.sent) == ("first_byte", "yes")
            assert transport.statistics() == Statistics()

    with running_fault_server({"head": say_and_stall(CHUNKED)}) as server:
        run(main)


def test_idle_begins_anew_with_each_piece() -> None:
    def drip_slowly(peer: Peer, seen: Seen) -> None:
        peer.send(CHUNKED)
        for _ in range(8):
            peer.pause(0.05)
            peer.send(chunks(b"x"))
        peer.send(chunks(b""))

    async def main() -> None:
        async with HttpTransport() as transport:
            timeout = Timeout(first_byte=5, idle=0.25, total=5)
            response = await transport.send(get(server.url + "/drip", timeout=timeout))
            assert response.body == b"x" * 8
            stream = await transport.stream(get(server.url + "/drip", timeout=timeout))
            assert await stream.aread() == b"x" * 8

    with running_fault_server({"drip": drip_slowly}) as server:
        run(main)


def test_what_came_before_the_silence_can_be_read() -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            timeout = Timeout(first_byte=5, idle=0.1, total=5)
            stream = await transport.stream(get(server.url + "/part", timeout=timeout))
            await until(lambda: transport.statistics().in_use == 0, "the limit passed")
            assert await anext(stream) == b"part"
            with pytest.raises(TimedOut) as caught:
                await anext(stream)
            assert caught.value.phase == "idle"

    with running_fault_server({"part": say_and_stall(CHUNKED + chunks(b"part"))}) as server:
        run(main)


def test_a_reader_that_takes_its_time_is_not_the_servers_silence() -> None:
    """The idle limit rests while back-pressure holds the other side."""

    def pour(peer: Peer, seen: Seen) -> None:
        peer.send(CHUNKED)
        for _ in range(64):
            peer.send(chunks(b"x" * 65536))
        peer.send(chunks(b""))

    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(unread_bytes=1000)) as transport:
            timeout = Timeout(first_byte=5, idle=0.05, total=20)
            stream = await transport.stream(get(server.url + "/pour", timeout=timeout))
            size = len(await anext(stream))
            await asyncio.sleep(0.2)  # four times the limit
            async for piece in stream:
                size += len(piece)
            assert size == 64 * 65536

    with running_fault_server({"pour": pour}) as server:
        run(main)


def test_a_server_that_takes_no_more_of_the_request() -> None:
    def never_read(peer: Peer, seen: Seen) -> None:
        stop.wait(10)
        raise Gone

    async def main() -> None:
        async with HttpTransport() as transport:
            timeout = Timeout(first_byte=5, idle=0.2, total=10)
            with pytest.raises(TimedOut, match="took no more") as caught:
                await transport.send(post(server.url + "/unread", b"x" * 50_000_000, timeout=timeout))
            assert (caught.value.phase, caught.value.sent) == ("idle", "maybe")
            assert transport.statistics() == Statistics()

    stop = threading.Event()
    with running_fault_server({"unread": never_read}) as server:
        run(main)
        stop.set()


def test_no_limits_at_all() -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            nothing = Timeout(connect=None, first_byte=None, idle=None, total=None)
            call = asyncio.create_task(transport.send(get(server.url + "/silent", timeout=nothing)))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            await asyncio.sleep(0.05)
            assert not call.done()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    with running_fault_server({"silent": say_and_stall(b"")}) as server:
        run(main)
