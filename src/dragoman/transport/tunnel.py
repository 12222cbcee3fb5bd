"""The opening exchange with a proxy: CONNECT, and its answer's head (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import ConnectFailed

if TYPE_CHECKING:
    from dragoman.transport.proxy import Proxy
    from dragoman.transport.target import Origin

__all__ = ["TunnelProtocol"]

_HEAD_BYTES: Final = 16 * 1024
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r\n")


class TunnelProtocol(asyncio.Protocol):
    """Asks a proxy for a tunnel; `opened` is done once it is there. TLS with the origin then takes its place."""

    def __init__(self, loop: asyncio.AbstractEventLoop, proxy: Proxy, origin: Origin) -> None:
        self._proxy = proxy
        self._origin = origin
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = loop.create_future()

    def request(self) -> bytes:
        """CONNECT always carries the port, in the line and in Host (RFC 9112 section 3.2.3)."""
        authority = f"{self._origin.bracketed}:{self._origin.port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"host: {authority}"]
        if self._proxy.authorization is not None:
            lines.append(f"proxy-authorization: {self._proxy.authorization}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self.request())

    def data_received(self, data: bytes) -> None:
        if self.opened.done():
            return
        self._received += data
        while not self.opened.done():
            head, mark, rest = self._received.partition(b"\r\n\r\n")
            if not mark:
                if len(self._received) > _HEAD_BYTES:
                    self._fail("its answer's head has no end")
                return
            found = _STATUS_LINE.match(head + mark)
            if found is None:
                self._fail("it does not speak HTTP")
                return
            self._received = rest
            self._judge(int(found[1]))

    def eof_received(self) -> bool | None:
        self._fail("it hung up")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("it hung up" if exc is None else str(exc))

    def _judge(self, status: int) -> None:
        if 100 <= status < 200 and status != 101:
            return
        if status == 407:
            lacking = "its credentials were refused" if self._proxy.authorization else "it wants a user and password"
            self._fail(f"{lacking} (407); write them into the proxy's URL")
        elif not 200 <= status < 300:
            self._fail(f"it answered with status {status}")
        elif self._received:
            # The client speaks first in TLS, so nobody honest has said anything yet.
            self._fail("bytes that nobody asked for came through it")
        else:
            assert self._transport is not None
            # What comes next is for TLS, which is not there yet.
            self._transport.pause_reading()
            self.opened.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(
                ConnectFailed(
                    f"The proxy {self._proxy.origin} opened no tunnel to {self._origin}: {why}.", phase="proxy"
                )
            )
            # Looked at, so that nothing is logged when the caller was cancelled and does not wait for it any more.
            self.opened.exception()
