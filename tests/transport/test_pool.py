"""Connections are lent, kept, bounded and counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from dragoman.errors import ConfigError, ConnectionLost, PoolExhausted
from dragoman.transport import HttpResponse, HttpTransport, TransportLimits
from dragoman.transport.connection import Connection
from dragoman.transport.limits import Statistics
from dragoman.transport.pool import Pool
from tests.transport.fault_server import FaultServer, Gone, Peer, Script, Seen, running_fault_server
from tests.transport.scenarios import say_and_stall, says, with_length
from tests.transport.talking import get, run, until

IDLE_ONE = Statistics(open=1, idle=1)


class Gate:
    """A script that answers when it is told to."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, peer: Peer, seen: Seen) -> None:
        if not self.opened.wait(10):
            raise Gone
        peer.send(with_length(b"through"))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Generator[FaultServer]:
    def once_more_then_close(peer: Peer, seen: Seen) -> None:
        peer.send(with_length(b"last"))
        raise Gone

    scripts: dict[str, Script] = {
        "answer": says(with_length(b"fine")),
        "gate": gate,
        "stall": say_and_stall(b""),
        "last": once_more_then_close,
        "brief": says(with_length(b"fine", b"keep-alive: timeout=1")),
        "late-408": lambda peer, seen: peer.send(
            with_length(b"fine") + b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
        ),
    }
    with running_fault_server(scripts) as running:
        yield running


def test_a_connection_is_used_again(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            for _ in range(5):
                await transport.send(get(server.url + "/answer"))
            assert transport.statistics() == IDLE_ONE

    run(main)
    assert server.connections == 1
    server.wait_until_quiet()


def test_statistics_tell_what_is_open_connecting_and_waiting(server: FaultServer, gate: Gate) -> None:
    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(connections_per_host=2)) as transport:
            assert transport.statistics() == Statistics()
            calls = [asyncio.create_task(transport.send(get(server.url + "/gate"))) for _ in range(3)]
            await asyncio.sleep(0)
            assert transport.statistics() == Statistics(connecting=2, waiting=1)
            await until(lambda: transport.statistics().in_use == 2, "two connections in use")
            assert transport.statistics() == Statistics(open=2, in_use=2, waiting=1)
            gate.opened.set()
            await asyncio.gather(*calls)
            assert transport.statistics() == Statistics(open=2, idle=2)

    run(main)
    assert server.connections == 2


def test_who_waits_longest_is_served_first(server: FaultServer, gate: Gate) -> None:
    done: list[int] = []

    async def call(transport: HttpTransport, number: int) -> None:
        await transport.send(get(f"{server.url}/gate"))
        done.append(number)

    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(connections_per_host=1)) as transport:
            calls = [asyncio.create_task(call(transport, number)) for number in range(5)]
            await until(lambda: transport.statistics().waiting == 4, "four waiting")
            gate.opened.set()
            await asyncio.gather(*calls)

    run(main)
    assert done == [0, 1, 2, 3, 4]
    assert server.connections == 1


def test_too_many_waiters_are_turned_away_at_once(server: FaultServer, gate: Gate) -> None:
    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(connections_per_host=1, waiters=1)) as transport:
            calls = [asyncio.create_task(transport.send(get(server.url + "/gate"))) for _ in range(2)]
            await until(lambda: transport.statistics().waiting == 1, "one waiting")
            with pytest.raises(PoolExhausted, match="waiters") as caught:
                await transport.send(get(server.url + "/gate"))
            assert caught.value.sent == "no"
            gate.opened.set()
            await asyncio.gather(*calls)

    run(main)


def test_waiting_ends_in_time(server: FaultServer) -> None:
    async def main() -> None:
        limits = TransportLimits(connections_per_host=1, pool_wait_seconds=0.05)
        async with HttpTransport(limits=limits) as transport:
            first = asyncio.create_task(transport.send(get(server.url + "/stall")))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            with pytest.raises(PoolExhausted, match="1 are lent out"):
                await transport.send(get(server.url + "/answer"))
            assert transport.statistics().waiting == 0
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert transport.statistics() == Statistics()

    run(main)


def test_a_place_that_a_cancelled_call_had_goes_to_the_next(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(connections_per_host=1)) as transport:
            first = asyncio.create_task(transport.send(get(server.url + "/stall")))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            second = asyncio.create_task(transport.send(get(server.url + "/answer")))
            third = asyncio.create_task(transport.send(get(server.url + "/answer")))
            await until(lambda: transport.statistics().waiting == 2, "two waiting")
            first.cancel()
            second.cancel()
            assert (await third).body == b"fine"
            assert transport.statistics() == IDLE_ONE

    run(main)


def test_a_gift_to_a_cancelled_waiter_is_passed_on(
    server: FaultServer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is cancelled in the very turn in which it was handed a connection hands it to the next in line."""
    to_cancel: list[asyncio.Task[HttpResponse]] = []
    release = Pool.release

    def release_and_cancel(pool: Pool, connection: Connection) -> None:
        release(pool, connection)
        while to_cancel:
            to_cancel.pop().cancel()

    monkeypatch.setattr(Pool, "release", release_and_cancel)

    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(connections_per_host=1)) as transport:
            first = asyncio.create_task(transport.send(get(server.url + "/gate")))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            second = asyncio.create_task(transport.send(get(server.url + "/answer")))
            third = asyncio.create_task(transport.send(get(server.url + "/answer")))
            await until(lambda: transport.statistics().waiting == 2, "two waiting")
            to_cancel.append(second)
            gate.opened.set()
            await first
            assert (await third).body == b"fine"
            with pytest.raises(asyncio.CancelledError):
                await second
            assert transport.statistics() == IDLE_ONE

    run(main)
    assert server.connections == 1


def test_a_full_pool_gives_up_an_idle_connection_of_another_host(server: FaultServer) -> None:
    async def main() -> None:
        other = server.url.replace("127.0.0.1", "localhost")
        async with HttpTransport(limits=TransportLimits(connections=1)) as transport:
            await transport.send(get(server.url + "/answer"))
            await transport.send(get(other + "/answer"))
            assert transport.statistics() == IDLE_ONE

    run(main)
    assert server.connections == 2


def test_a_full_pool_serves_waiters_of_every_host(server: FaultServer, gate: Gate) -> None:
    async def main() -> None:
        other = server.url.replace("127.0.0.1", "localhost")
        async with HttpTransport(limits=TransportLimits(connections=1)) as transport:
            first = asyncio.create_task(transport.send(get(server.url + "/gate")))
            await until(lambda: transport.statistics().in_use == 1, "one in use")
            second = asyncio.create_task(transport.send(get(other + "/answer")))
            await until(lambda: transport.statistics().waiting == 1, "one waiting")
            gate.opened.set()
            assert (await first).body == b"through"
            assert (await second).body == b"fine"
            assert transport.statistics() == IDLE_ONE

    run(main)


def test_an_idle_connection_ends(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(idle_seconds=0.05)) as transport:
            await transport.send(get(server.url + "/answer"))
            assert transport.statistics() == IDLE_ONE
            await until(lambda: transport.statistics() == Statistics(), "the idle connection closed")

    run(main)
    server.wait_until_quiet()


def test_a_server_that_announces_a_shorter_time_gets_it(server: FaultServer) -> None:
    """`Keep-Alive: timeout=1` means: a second less than that is safe, so this connection is not kept at all."""

    async def main() -> None:
        async with HttpTransport() as transport:
            await transport.send(get(server.url + "/brief"))
            await until(lambda: transport.statistics() == Statistics(), "the connection closed")

    run(main)


def test_an_old_connection_is_not_used_again(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport(limits=TransportLimits(age_seconds=0.000_001)) as transport:
            await transport.send(get(server.url + "/answer"))
            await transport.send(get(server.url + "/answer"))

    run(main)
    assert server.connections == 2


def test_a_connection_that_ended_while_nobody_looked_is_not_picked(server: FaultServer) -> None:
    """The loop has not run since the server hung up, so only the kernel knows."""

    async def main() -> None:
        async with HttpTransport() as transport:
            await transport.send(get(server.url + "/last"))
            server.wait_until_quiet()  # blocks the loop on purpose
            assert (await transport.send(get(server.url + "/answer"))).body == b"fine"

    run(main)
    assert server.connections == 2


def test_a_connection_with_something_unasked_on_it_is_not_used_again(server: FaultServer) -> None:
    async def main() -> None:
        async with HttpTransport() as transport:
            for _ in range(2):
                assert (await transport.send(get(server.url + "/late-408"))).status == 200

    run(main)
    assert server.connections == 2


def test_a_request_on_a_stale_connection_is_not_resent(server: FaultServer) -> None:
    hung_up = threading.Event()

    def answer_then_vanish(peer: Peer, seen: Seen) -> None:
        if peer.answered:
            hung_up.set()
            raise Gone
        peer.send(with_length(b"once"))

    async def main() -> None:
        async with HttpTransport() as transport:
            await transport.send(get(stale.url + "/stale"))
            with pytest.raises(ConnectionLost) as caught:
                await transport.send(get(stale.url + "/stale"))
            assert caught.value.sent == "maybe"
            assert transport.statistics() == Statistics()

    with running_fault_server({"stale": answer_then_vanish}) as stale:
        run(main)
        assert len(stale.requests) == 2
        assert stale.connections == 1


def test_aclose_ends_calls_and_waiters_and_the_transport_can_be_used_again(server: FaultServer) -> None:
    async def main() -> None:
        transport = HttpTransport(limits=TransportLimits(connections_per_host=1))
        running = asyncio.create_task(transport.send(get(server.url + "/stall")))
        await until(lambda: transport.statistics().in_use == 1, "one in use")
        server.wait_for_requests(1)
        waiting = asyncio.create_task(transport.send(get(server.url + "/answer")))
        await until(lambda: transport.statistics().waiting == 1, "one waiting")
        await transport.aclose()
        with pytest.raises(ConnectionLost, match="closed") as lost:
            await running
        assert lost.value.sent == "maybe"
        with pytest.raises(PoolExhausted, match="closed") as turned_away:
            await waiting
        assert turned_away.value.sent == "no"
        assert (await transport.send(get(server.url + "/answer"))).body == b"fine"
        await transport.aclose()

    run(main)
    server.wait_until_quiet()


def test_closing_reaches_who_has_just_been_handed_a_connection(
    server: FaultServer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Pool.release

    def release_and_close(pool: Pool, connection: Connection) -> None:
        release(pool, connection)
        pool.close()

    async def main() -> None:
        transport = HttpTransport(limits=TransportLimits(connections_per_host=1))
        first = asyncio.create_task(transport.send(get(server.url + "/gate")))
        await until(lambda: transport.statistics().in_use == 1, "one in use")
        second = asyncio.create_task(transport.send(get(server.url + "/answer")))
        await until(lambda: transport.statistics().waiting == 1, "one waiting")
        monkeypatch.setattr(Pool, "release", release_and_close)
        gate.opened.set()
        await first
        with pytest.raises(PoolExhausted, match="closed"):
            await second
        assert transport.statistics() == Statistics()

    run(main)
    server.wait_until_quiet()
    assert server.connections == 1


def test_a_transport_that_nobody_holds_lets_its_connections_go(server: FaultServer) -> None:
    async def main() -> None:
        transport = HttpTransport()
        await transport.send(get(server.url + "/answer"))
        del transport
        await until(lambda: server.open_sockets == 0, "the connection closed")

    run(main)


@pytest.mark.parametrize("name", ["connections", "idle_seconds", "head_bytes"])
def test_bounds_have_to_be_positive(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        TransportLimits(**{name: 0})
