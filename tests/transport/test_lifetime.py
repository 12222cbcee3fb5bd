"""Loops come and go, processes fork, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Generator

import pytest
import uvloop

from dragoman.transport import AiohttpTransport, HttpTransport
from dragoman.transport.limits import Statistics
from tests.servers.process import ROOT
from tests.transport.conftest import Authority
from tests.transport.fault_server import FaultServer, running_fault_server
from tests.transport.scenarios import say_and_stall, says, with_length
from tests.transport.talking import get, run, until

SCRIPTS = {"answer": says(with_length(b"fine")), "stall": say_and_stall(b"")}


@pytest.fixture
def server() -> Generator[FaultServer]:
    with running_fault_server(SCRIPTS) as running:
        yield running


@pytest.mark.parametrize("kind", [HttpTransport, AiohttpTransport])
def test_repeated_runs_without_aclose_leave_nothing(
    server: FaultServer, kind: type[HttpTransport | AiohttpTransport]
) -> None:
    transport = kind()

    async def main() -> None:
        assert (await transport.send(get(server.url + "/answer"))).body == b"fine"

    for _ in range(10):
        run(main)
    server.wait_until_quiet()
    assert server.connections == 10
    gc.collect()


def test_repeated_runs_with_tls(authority: Authority) -> None:
    transport = HttpTransport(ssl_context=authority.client_context)

    async def main() -> None:
        assert (await transport.send(get(server.url + "/answer"))).body == b"fine"

    with running_fault_server(SCRIPTS, authority.server_context) as server:
        for _ in range(5):
            run(main)
        server.wait_until_quiet()
    gc.collect()


def test_a_stream_left_open_ends_with_its_loop(server: FaultServer) -> None:
    transport = HttpTransport()
    kept: list[object] = []

    async def main() -> None:
        kept.append(asyncio.create_task(transport.send(get(server.url + "/stall"))))
        await until(lambda: transport.statistics().in_use == 1, "one in use")

    asyncio.run(main())
    server.wait_until_quiet()


def test_uvloop_too(server: FaultServer) -> None:
    transport = HttpTransport()

    async def main() -> None:
        assert (await transport.send(get(server.url + "/answer"))).body == b"fine"
        assert transport.statistics() == Statistics(open=1, idle=1)

    for _ in range(3):
        uvloop.run(main())
    server.wait_until_quiet()


def test_a_loop_that_was_closed_without_a_farewell_is_noticed_by_the_next(server: FaultServer) -> None:
    transport = HttpTransport()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(transport.send(get(server.url + "/answer")))
    # Whoever closes a loop that way hears it from asyncio; the socket is gone all the same.
    with pytest.warns(ResourceWarning, match="unclosed"):  # noqa: PT031  # the collector is a part of it
        close_and_use_another(transport, loop, server)
        del loop
        gc.collect()


def close_and_use_another(transport: HttpTransport, loop: asyncio.AbstractEventLoop, server: FaultServer) -> None:
    loop.close()
    assert server.open_sockets == 1

    async def main() -> None:
        await transport.send(get(server.url + "/answer"))

    run(main)
    server.wait_until_quiet()


def test_loops_of_several_threads_have_pools_of_their_own(server: FaultServer) -> None:
    transport = HttpTransport()

    async def main() -> None:
        await transport.send(get(server.url + "/answer"))
        # The other thread's loop runs to its end while this one's is at rest.
        await asyncio.to_thread(asyncio.run, other())
        assert transport.statistics() == Statistics(open=1, idle=1)

    async def other() -> None:
        assert transport.statistics() == Statistics()
        await transport.send(get(server.url + "/answer"))

    asyncio.run(main())
    server.wait_until_quiet()
    assert server.connections == 2


FORK = """
import asyncio, os, sys
from dragoman.transport import HttpRequest, HttpTransport

PATIENCE_SECONDS = 60
transport = HttpTransport(trust_env=False)
url = sys.argv[1]

async def main():
    # This loop stands still until the child has ended, and in development mode it would complain of that.
    asyncio.get_running_loop().slow_callback_duration = PATIENCE_SECONDS
    await transport.send(HttpRequest("GET", url))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        # The parent's loop runs in this frame; leave it and use one of our own.
        os.close(read)
        asyncio.events._set_running_loop(None)
        try:
            loop = asyncio.new_event_loop()
            loop.slow_callback_duration = PATIENCE_SECONDS
            body = loop.run_until_complete(transport.send(HttpRequest("GET", url))).body
            os.write(write, body)
        finally:
            os._exit(0)
    os.close(write)
    said = os.read(read, 100)
    os.waitpid(child, 0)
    # The parent's connection is as it was.
    again = await transport.send(HttpRequest("GET", url))
    print(said.decode(), again.body.decode(), transport.statistics().open)

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_the_child_opens_connections_of_its_own(server: FaultServer) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", FORK, server.url + "/answer"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert (done.stdout.strip(), done.stderr) == ("fine fine 1", "")
    assert server.connections == 2
    server.wait_until_quiet()


ROOMS = """
import sys
import dragoman.transport
loaded = [name for name in ("ssl", "asyncio", "aiohttp", "zlib", "httptools", "urllib.parse") if name in sys.modules]
print(*loaded)
"""


def test_the_room_is_light_to_enter() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", ROOMS], capture_output=True, text=True, timeout=60, cwd=ROOT, check=True
    )
    assert shown.stdout.split() == []
