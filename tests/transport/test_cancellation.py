"""Cancelled at any await, a call leaves no connection, no task and no place behind, and its socket closes at once."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport, Transport, TransportLimits
from dragoman.transport.limits import Statistics
from tests.transport.conftest import Authority
from tests.transport.fault_server import FaultServer, Gone, Peer, Seen, running_fault_server
from tests.transport.proxy_server import running_proxy
from tests.transport.scenarios import CHUNKED, OK, chunks, say_and_stall, says
from tests.transport.silence import listener
from tests.transport.talking import get, post, until

RUNNERS: dict[str, Callable[[Coroutine[Any, Any, None]], None]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}
# Turns of the loop in which a socket has to be closed: TLS within TLS passes the word on twice.
TURNS = {"plain": 1, "gathered": 1, "tls": 2, "tunnel": 2}


def read_nothing(peer: Peer, seen: Seen) -> None:
    for _ in range(1000):
        # Looked at without taking anything; a reset is told all the same.
        peer.pause()
        if peer.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            break
    raise Gone


SCRIPTS = {
    "answer": says(CHUNKED + chunks(b"one"), chunks(b"two", b"")),
    "silent": say_and_stall(b""),
    "head": say_and_stall(OK + b"x-half: "),
    "body": say_and_stall(CHUNKED + chunks(b"one")),
    "unread": read_nothing,
}


@dataclass(frozen=True)
class Place:
    server: FaultServer
    settings: dict[str, Any]


@contextmanager
def reached(way: str, authority: Authority) -> Generator[Place]:
    with ExitStack() as stack:
        context = None if way in {"plain", "gathered"} else authority.server_context
        server = stack.enter_context(running_fault_server(SCRIPTS, context))
        settings: dict[str, Any] = {"ssl_context": authority.client_context}
        if way == "gathered":
            settings["gathers"] = True
        if way == "tunnel":
            settings["proxy"] = f"http://127.0.0.1:{stack.enter_context(running_proxy()).port}"
        yield Place(server, settings)


@pytest.fixture(params=list(TURNS))
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def place(way: str, authority: Authority) -> Generator[Place]:
    with reached(way, authority) as found:
        yield found


async def read_whole(transport: Transport, request: HttpRequest) -> bytes:
    stream = await transport.stream(request)
    return b"".join([piece async for piece in stream])


async def send_whole(transport: Transport, request: HttpRequest) -> bytes:
    return (await transport.send(request)).body


VERBS = {"send": send_whole, "stream": read_whole}


@pytest.mark.parametrize("verb", VERBS)
def test_at_every_turn_of_the_loop(verb: str, place: Place) -> None:
    check_every_turn(verb, HttpTransport, place)


@pytest.mark.parametrize("verb", VERBS)
def test_aiohttp_at_every_turn_of_the_loop(verb: str, authority: Authority) -> None:
    """Plain only: cancelled just before its handshake, a TLS connection as aiohttp asks for it is lost by asyncio."""
    with reached("plain", authority) as place:
        check_every_turn(verb, AiohttpTransport, place)


def check_every_turn(verb: str, kind: type[HttpTransport | AiohttpTransport], place: Place) -> None:
    """Cancel in the first turn, in the second, and so on until calls are over before they are cancelled."""

    async def cancel_at(turn: int) -> bool:
        transport = kind(**place.settings)
        call = asyncio.create_task(VERBS[verb](transport, get(place.server.url + "/answer")))
        for _ in range(turn):
            time.sleep(0.002)  # noqa: ASYNC251  # the other side catches up, so that each turn of the loop finds news
            await asyncio.sleep(0)
        over = not call.cancel()
        result = (await asyncio.gather(call, return_exceptions=True))[0]
        if isinstance(result, asyncio.CancelledError):
            if isinstance(transport, HttpTransport):
                # A stream may be cancelled when all of it has come; its connection is then as good as new.
                left = transport.statistics()
                assert left == Statistics(open=left.idle, idle=left.idle)
                assert left.idle == 0 or verb == "stream"
        else:
            assert result == b"onetwo"
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await transport.aclose()
        return over

    turn, finished = 0, 0
    while finished < 3:
        finished += asyncio.run(cancel_at(turn))
        turn += 1
        assert turn < 500
    assert turn > 4
    place.server.wait_until_quiet()


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("stage", ["silent", "head", "body", "unread"])
def test_the_socket_closes_in_the_same_turn(stage: str, verb: str, runner: str, way: str, place: Place) -> None:
    """The other side sees the end while our loop stands still."""

    async def main() -> None:
        transport = HttpTransport(**place.settings)
        body = b"x" * 20_000_000 if stage == "unread" else b""
        call = asyncio.create_task(VERBS[verb](transport, post(f"{place.server.url}/{stage}", body)))
        await until(lambda: len(place.server.requests) == 1, "the request arrived")
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert transport.statistics() == Statistics()
        for _ in range(TURNS[way]):
            await asyncio.sleep(0)
        if stage != "unread":  # there the script looks at nothing
            place.server.wait_until_quiet()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    RUNNERS[runner](main())


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("stage", ["connect", "handshake", "proxy", "handshake in a tunnel"])
def test_while_connecting(stage: str, runner: str, authority: Authority) -> None:
    async def main(url: str, proxy: str | None) -> None:
        transport = HttpTransport(ssl_context=authority.client_context, proxy=proxy)
        call = asyncio.create_task(transport.send(get(url)))
        await asyncio.sleep(0.05)
        assert transport.statistics() == Statistics(connecting=1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert transport.statistics() == Statistics()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await transport.aclose()

    run = RUNNERS[runner]
    with listener(accepting=stage != "connect") as port, running_proxy() as proxy:
        silent = f"127.0.0.1:{port}"
        if stage == "connect":
            run(main(f"http://{silent}/", None))
        elif stage == "handshake":
            run(main(f"https://{silent}/", None))
        elif stage == "proxy":
            run(main("https://origin.test/", f"http://{silent}"))
        else:
            run(main(f"https://{silent}/", f"http://127.0.0.1:{proxy.port}"))
            proxy.wait_until_quiet()


def test_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*arguments: object, **options: object) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        transport = HttpTransport()
        call = asyncio.create_task(transport.send(get("http://name.test/")))
        await asyncio.sleep(0.01)
        assert transport.statistics() == Statistics(connecting=1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert transport.statistics() == Statistics()

    asyncio.run(main())


def test_while_waiting_for_a_connection(place: Place) -> None:
    async def main() -> None:
        limits = TransportLimits(connections_per_host=1)
        async with HttpTransport(limits=limits, **place.settings) as transport:
            first = asyncio.create_task(transport.send(get(place.server.url + "/silent")))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            second = asyncio.create_task(transport.send(get(place.server.url + "/answer")))
            await until(lambda: transport.statistics().waiting == 1, "one waiting")
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            assert transport.statistics() == Statistics(open=1, in_use=1)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert transport.statistics() == Statistics()

    asyncio.run(main())
    place.server.wait_until_quiet()


def test_a_burst_of_cancelled_calls_leaves_the_pool_sound(place: Place) -> None:
    """Many calls over few connections, half of them cancelled at odd moments; the rest still get their answers."""

    async def main() -> None:
        limits = TransportLimits(connections_per_host=3)
        async with HttpTransport(limits=limits, **place.settings) as transport:
            request = get(place.server.url + "/answer")
            calls = [asyncio.create_task(send_whole(transport, request)) for _ in range(60)]
            for number, call in enumerate(calls[::2]):
                for _ in range(number % 5):
                    await asyncio.sleep(0.001)
                call.cancel()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(result == b"onetwo" for result in results[1::2])
            found = transport.statistics()
            assert found.in_use == found.connecting == found.waiting == 0
            assert found.open == found.idle <= 3

    asyncio.run(main())
    place.server.wait_until_quiet()
