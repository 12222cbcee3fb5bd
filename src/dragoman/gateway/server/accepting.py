"""Connections are taken from the queue as they come, many in one turn of the loop.

uvloop's own server takes one in each turn (libuv 1.52). Under load a turn lasts 10 ms, so the last of 256 clients that
come together would wait seconds for its first answer, while those before it are answered again and again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from dragoman.gateway.server.encrypted import EncryptedProtocol
    from dragoman.gateway.server.protocol import GuardedProtocol

__all__ = ["Accepting"]

logger = logging.getLogger("dragoman.gateway")

AT_ONCE: Final = 64
"""In one turn, for each socket; what waits longer waits in the kernel's queue."""
PAUSE_SECONDS: Final = 1.0
"""After a failure to accept, which is a lack of descriptors or memory."""


CLOSING_SECONDS: Final = 86_400.0
"""In which the loop lets a connection over TLS end: deadlines are the protocol's, which knows whether it is read."""


class Accepting:
    """Takes connections from sockets, from `begin` to `end`; `make` and `make_encrypted` make the protocol of one.

    `tls` is the context of the next connection. Whether there is one is said once, at the beginning.
    """

    def __init__(
        self,
        make: Callable[[], GuardedProtocol],
        make_encrypted: Callable[[], EncryptedProtocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._make = make
        self._make_encrypted = make_encrypted
        self.tls = tls
        self._loop = asyncio.get_running_loop()
        self._sockets: Sequence[socket.socket] = ()
        self._arriving: set[asyncio.Task[None]] = set()
        self._ended = False

    def begin(self, sockets: Sequence[socket.socket], backlog: int) -> None:
        """Listens on these sockets, which are closed by `end`."""
        self._sockets = sockets
        for held in sockets:
            held.setblocking(False)
            held.listen(backlog)
            self._loop.add_reader(held, self._accept, held)

    def end(self) -> None:
        """Takes no more. Connections that were taken stay; one whose TLS handshake is under way is closed with it."""
        if self._ended:
            return
        self._ended = True
        for held in self._sockets:
            self._loop.remove_reader(held)
            held.close()
        if self.tls is not None:
            self.cut()

    @property
    def arriving(self) -> int:
        """Connections that were taken from the queue and are not with their protocols yet."""
        return len(self._arriving)

    def cut(self) -> None:
        """Drops connections that are not with their protocols yet, which is for long where TLS is spoken alone."""
        for task in self._arriving:
            task.cancel()

    def _accept(self, held: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                taken, _ = held.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.warning("no connection can be taken: %s", error)
                self._loop.remove_reader(held)
                self._loop.call_later(PAUSE_SECONDS, self._go_on, held)
                return
            task = self._loop.create_task(self._arrive(taken))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    def _go_on(self, held: socket.socket) -> None:
        if not self._ended:
            self._loop.add_reader(held, self._accept, held)

    async def _arrive(self, taken: socket.socket) -> None:
        try:
            taken.setblocking(False)
            if taken.family in (socket.AF_INET, socket.AF_INET6):
                # uvloop leaves this to whoever accepts. A small answer must not wait for an acknowledgement.
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            protocol = await (self._connect(taken) if self.tls is None else self._shake_hands(taken, self.tls))
        except (OSError, RuntimeError) as error:
            # It ended as it began, or spoke no TLS: that is the client's business.
            logger.debug("a connection ended as it began: %s", error)
            taken.close()
            return
        except BaseException:
            taken.close()
            raise
        if self._ended:
            protocol.shutdown()

    async def _connect(self, taken: socket.socket) -> GuardedProtocol:
        _, protocol = await self._loop.connect_accepted_socket(self._make, taken)
        return protocol

    async def _shake_hands(self, taken: socket.socket, tls: ssl.SSLContext) -> GuardedProtocol:
        protocol = self._make_encrypted()
        protocol.come()
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                taken,
                ssl=tls,
                ssl_handshake_timeout=protocol.handshake_seconds,
                ssl_shutdown_timeout=CLOSING_SECONDS,
            )
        finally:
            protocol.depart()
        return protocol
