"""Connections that come together are taken together, and none is lost where accepting fails or ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trustme

from dragoman.gateway.server import accepting
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.serving import GatewayServer
from tests.gateway.serving import echo, listening, running, serving, until

MANY = 50
REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"


def test_connections_that_come_together_are_taken_together() -> None:
    async def test() -> None:
        async with serving() as server:
            clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MANY)]
            try:
                turns = 0
                while server.app.connections < MANY:
                    await asyncio.sleep(0)
                    turns += 1
                assert turns < MANY / 2
            finally:
                for client in clients:
                    client.close()

    running(test)


class _Failing:
    """A socket that cannot accept for once."""

    def __init__(self, held: socket.socket) -> None:
        self._held = held
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.failed:
            self.failed += 1
            raise OSError(errno.EMFILE, "too many open files")
        return self._held.accept()


def test_a_lack_of_descriptors_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "PAUSE_SECONDS", 0.01)

    async def test() -> None:
        app = App()
        app.add("POST", "/", Route(echo, json=False))
        server = GatewayServer(app)
        held = listening()
        failing: Any = _Failing(held)
        await server.start([failing])
        reader, writer = await asyncio.open_connection(*held.getsockname())
        writer.write(REQUEST)
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200 ")
        assert failing.failed == 1
        writer.close()
        await server.drain(bound_seconds=5)

    running(test)


def test_after_the_end_nobody_is_accepted_and_who_was_is_answered() -> None:
    async def test() -> None:
        async with serving() as server:
            client = await server.connect()
            await until(lambda: server.app.connections == 1)
            server.server.stop_accepting()
            server.server.stop_accepting()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.port))
            await client.send(REQUEST)
            assert (await client.answer())[2] == b"hi"

    running(test)


@contextlib.asynccontextmanager
async def _encrypted() -> AsyncGenerator[tuple[GatewayServer, int, ssl.SSLContext]]:
    authority: Any = trustme.CA()  # its signatures name types of a package that is not there
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    app = App()
    app.add("POST", "/", Route(echo, json=False))
    server, held = GatewayServer(app, tls=context), listening()
    await server.start([held])
    try:
        yield server, held.getsockname()[1], trusting
    finally:
        await server.drain(bound_seconds=0.05, grace_seconds=5)
        assert app.connections == 0
        assert not app.running


def test_tls_is_spoken() -> None:
    async def test() -> None:
        async with _encrypted() as (_, port, trusting):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
            writer.write(REQUEST)
            async with asyncio.timeout(10):
                assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200 ")
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    running(test)


def test_a_client_that_speaks_no_tls_or_says_nothing_holds_nothing_up() -> None:
    before: set[asyncio.Task[Any]] = set()

    async def test() -> None:
        before.update(asyncio.all_tasks())
        async with _encrypted() as (_, port, _trusting):
            plain, silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            plain[1].write(REQUEST)
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionError):
                    await plain[0].read()
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert await silent[0].read() == b""
        for _, writer in (plain, silent):
            writer.close()
        await until(lambda: asyncio.all_tasks() <= before, "the end of all tasks")

    running(test)


def test_a_drain_does_not_end_before_those_that_were_just_taken() -> None:
    async def test() -> None:
        app = App()
        server = GatewayServer(app)
        held = listening()
        await server.start([held])
        clients = [socket.create_connection(held.getsockname()) for _ in range(MANY)]
        try:
            for _ in range(100):
                if server.arriving:
                    break
                await asyncio.sleep(0)
            assert server.arriving == MANY
            await server.drain(bound_seconds=5)
            for _ in range(10):  # nothing comes behind it, for what books requests may be closed now
                assert not server.arriving
                assert not app.connections
                await asyncio.sleep(0)
        finally:
            for client in clients:
                client.close()

    running(test)
