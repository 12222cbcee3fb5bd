"""The server of one process: it listens, keeps the deadlines of all connections, and stops without cutting anyone off.

uvicorn's server holds the configuration of its protocol, and what there is of connections. How they are accepted, kept
and ended is ours: many in one turn of the loop, one tick for all instead of a timer for each, and a drain with bounds.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, cast

from uvicorn.config import Config
from uvicorn.server import Server

from dragoman.gateway.server.accepting import Accepting
from dragoman.gateway.server.encrypted import EncryptedProtocol
from dragoman.gateway.server.memory import keep_large_blocks_apart
from dragoman.gateway.server.protocol import GuardedProtocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Generator

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

    from dragoman.gateway.server.app import App

__all__ = ["GatewayServer"]

BACKLOG = 2048
DATE_SECONDS = 1.0
POLL_SECONDS = 0.02


async def _no_asgi(_scope: Scope, _receive: ASGIReceiveCallable, _send: ASGISendCallable) -> None:
    """What uvicorn is told to run; the protocol hands requests to the `App` itself, without a scope between them."""
    raise RuntimeError("requests do not go through ASGI here")


class GatewayServer(Server):
    """Serves one `App` on sockets that listen already, until `drain`.

    Signals are not its business: who owns the process handles them.
    """

    def __init__(self, application: App, *, tls: ssl.SSLContext | None = None) -> None:
        config = Config(
            _no_asgi,
            http=cast("type[asyncio.Protocol]", partial(GuardedProtocol, application)),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self.application = application
        self._tls = tls
        self._accepting: Accepting | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def start(self, sockets: list[socket.socket]) -> None:
        """Begins to accept."""
        keep_large_blocks_apart()
        if not self.config.loaded:
            self.config.load()
        self._accepting = Accepting(self._connection, self._encrypted_connection, self._tls)
        self._accepting.begin(sockets, BACKLOG)
        self.started = True
        self._ticking = asyncio.create_task(self._tick(), name="dragoman-deadlines")

    def _connection(self) -> GuardedProtocol:
        return GuardedProtocol(self.application, self.config, self.server_state, {})

    def _encrypted_connection(self) -> EncryptedProtocol:
        return EncryptedProtocol(self.application, self.config, self.server_state, {})

    def renew(self, tls: ssl.SSLContext) -> None:
        """Connections from now on are made with this context; a server that speaks no TLS goes on so."""
        if self._tls is not None:
            self._tls = tls
            if self._accepting is not None:
                self._accepting.tls = tls

    async def drain(self, *, bound_seconds: float, grace_seconds: float = 5.0) -> None:
        """Stops accepting, lets what runs come to its end, and returns when no connection is left.

        After `bound_seconds` the handlers that still run are cancelled, with `Call.expired` set: each may end its
        answer with an error in its own dialect. `grace_seconds` later connections are cut.
        """
        self.application.draining = True
        self.stop_accepting()
        for connection in self._open():
            connection.shutdown()
        if not await self._emptied(bound_seconds):
            await self._cut(grace_seconds)
        if self._accepting is not None:
            self._accepting.cut()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)

    async def _cut(self, grace_seconds: float) -> None:
        for call in list(self.application.running):
            call.expired = True
            if call.task is not None:
                call.task.cancel()
        for connection in self._open():
            if not connection.is_busy:
                connection.transport.abort()  # a request that is half sent
        if not await self._emptied(grace_seconds):
            for connection in self._open():
                connection.transport.abort()
            for call in list(self.application.running):
                if call.task is not None:
                    call.task.cancel()
            await self._emptied(grace_seconds)

    def stop_accepting(self) -> None:
        """Connections are no longer taken by this process; those there are stay."""
        if self._accepting is not None:
            self._accepting.end()

    def _open(self) -> list[GuardedProtocol]:
        return cast("list[GuardedProtocol]", list(self.server_state.connections))

    @property
    def arriving(self) -> int:
        """Connections that were taken and have no protocol yet: a drain that overlooked them would end before them."""
        return 0 if self._accepting is None else self._accepting.arriving

    async def _emptied(self, seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while self.server_state.connections or self.application.running or self.arriving:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def _tick(self) -> None:
        application, loop = self.application, asyncio.get_running_loop()
        dated = 0.0
        while True:
            await asyncio.sleep(application.limits.tick_seconds)
            now = loop.time()
            if now - dated >= DATE_SECONDS:
                dated = now
                application.refresh_date()
            for connection in self._open():
                connection.enforce(now)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """None: see the class."""
        yield
