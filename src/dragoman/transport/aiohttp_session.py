"""One loop's aiohttp session, set up to promise what the seam promises. Imported only where aiohttp is installed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from dragoman.transport.limits import TransportLimits

__all__ = ["AiohttpSession", "turn_loop"]

_AUTOMATIC_HEADERS: Final = ("User-Agent", "Content-Type", "Accept", "Accept-Encoding")
# aiohttp repeats a request whose kept connection had ended; only its tests name the switch. What a transport repeats
# in silence, nobody has counted.
_RETRY_SWITCH: Final = "_retry_connection"
_POLITE: Final = "close"

# Turns of the loop until a connection that was aborted is closed, with TLS inside TLS.
_CLOSING_TURNS: Final = 4


class _Connector(aiohttp.TCPConnector):
    """Lends connections that end at once. aiohttp ends TLS politely, which a peer may draw out."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if protocol is not None:
            setattr(protocol, _POLITE, protocol.abort)
        return connection


class AiohttpSession:
    """One loop's session; `lifetime.LoopPools` ends it."""

    def __init__(self, limits: TransportLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.client = aiohttp.ClientSession(
            connector=_Connector(
                limit=limits.connections,
                limit_per_host=limits.connections_per_host,
                keepalive_timeout=limits.idle_seconds,
            ),
            cookie_jar=aiohttp.DummyCookieJar(loop=loop),
            skip_auto_headers=_AUTOMATIC_HEADERS,
            max_line_size=limits.head_bytes,
            max_field_size=limits.head_bytes,
        )
        setattr(self.client, _RETRY_SWITCH, False)

    def close(self) -> Sequence[AiohttpSession]:
        return (self,)

    def retire(self) -> None:
        return  # aiohttp's own finaliser does what can be done

    def drop(self) -> Sequence[object]:
        return (self.client,)

    async def wait_closed(self) -> None:
        await self.client.close()
        await turn_loop()


async def turn_loop() -> None:
    """Return once what was aborted is closed."""
    for _ in range(_CLOSING_TURNS):
        await asyncio.sleep(0)
