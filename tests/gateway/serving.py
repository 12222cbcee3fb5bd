"""A gateway's server in the test's own loop, and raw connections to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvloop

from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.loopback import KeylessGuard
from dragoman.gateway.server.protocol import GuardedProtocol
from dragoman.gateway.server.serving import GatewayServer

DEADLINE_SECONDS = 10.0
JSON = (b"content-type", b"application/json")


async def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Returns once the condition holds; fails naming it after a while."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come about"
        await asyncio.sleep(0.002)


def running(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a test's coroutine on the loop that the gateway uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(test(), 60))


def listening() -> socket.socket:
    """A socket that listens on a free port of the loopback."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen(2048)
    return held


async def echo(call: Call) -> None:
    await call.respond(200, [JSON], await call.body())


class Client:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            status, headers = await self.head()
            return status, headers, await self._body(headers)

    async def head(self) -> tuple[int, dict[str, str]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        return int(first.split(" ")[1]), {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", "0")))
        body = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            piece = (await self.reader.readexactly(size + 2))[:-2]
            if not size:
                return body
            body += piece

    async def rest(self) -> bytes:
        """All that comes until the server closes; a reset counts as its end."""
        pieces: list[bytes] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            try:
                while piece := await self.reader.read(65536):
                    pieces.append(piece)
            except ConnectionError:
                pass
        return b"".join(pieces)

    async def close(self) -> None:
        self.writer.transport.abort() if self.writer.transport.get_write_buffer_size() else self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


class Serving:
    """The server under test, and what it holds."""

    def __init__(self, app: App, server: GatewayServer, port: int) -> None:
        self.app, self.server, self.port = app, server, port
        self._clients: list[Client] = []

    async def connect(self, *, receive_buffer: int | None = None) -> Client:
        held = socket.socket()
        if receive_buffer is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        held.setblocking(False)
        await asyncio.get_running_loop().sock_connect(held, ("127.0.0.1", self.port))
        client = Client(*await asyncio.open_connection(sock=held))
        self._clients.append(client)
        return client

    def connection(self) -> GuardedProtocol:
        """The one connection that the server holds."""
        (held,) = self.server.server_state.connections
        assert isinstance(held, GuardedProtocol)
        return held

    async def exchanged(self, data: bytes) -> bytes:
        """All that comes back for these bytes, until the server closes."""
        client = await self.connect()
        await client.send(data)
        return await client.rest()

    async def close_clients(self) -> None:
        for client in self._clients:
            await client.close()

    async def left_nothing(self) -> None:
        """Waits until the server holds nothing of anybody."""
        state = self.server.server_state
        await until(
            lambda: (
                not state.connections
                and not self.app.running
                and self.app.connections == 0
                and self.app.bytes_in_flight == 0
            ),
            f"nothing left ({len(state.connections)} connections, {len(self.app.running)} calls, "
            f"{self.app.bytes_in_flight} bytes)",
        )


@asynccontextmanager
async def serving(
    handler: Callable[[Call], Awaitable[None]] = echo,
    *,
    keyless: KeylessGuard | None = None,
    route: Route | None = None,
    **limits: Any,
) -> AsyncGenerator[Serving]:
    """Serves the handler at `/`; at the end nothing may be left: no connection, call, byte or task."""
    app = App(msgspec.structs.replace(ServerLimits(tick_seconds=0.02), **limits), keyless=keyless)
    app.add("POST", "/", route or Route(handler))
    app.add("GET", "/", route or Route(handler))
    server = GatewayServer(app)
    held = listening()
    port = held.getsockname()[1]
    await server.start([held])
    before = asyncio.all_tasks()
    served = Serving(app, server, port)
    try:
        yield served
        await served.close_clients()
        await served.left_nothing()
        await until(lambda: asyncio.all_tasks() <= before, "the end of all tasks")
    finally:
        await served.close_clients()
        await server.drain(bound_seconds=1.0, grace_seconds=1.0)
