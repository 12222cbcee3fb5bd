"""The same seam over aiohttp (extra `aiohttp`), for whoever needs what that client can do or wants to compare.

Errors and limits are those of `HttpTransport` as far as aiohttp tells; the differential tests list where it does not.
"""

from __future__ import annotations

import asyncio
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import MissingExtra, ProtocolViolation, StreamStateError
from dragoman.transport.head import build_head, check_method
from dragoman.transport.lifetime import LoopPools
from dragoman.transport.limits import TransportLimits
from dragoman.transport.proxy import ProxyRules
from dragoman.transport.seam import HttpResponse
from dragoman.transport.target import Origin, parse_url
from dragoman.transport.tls import TlsSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from os import PathLike
    from types import TracebackType

    import aiohttp

    from dragoman.transport.aiohttp_session import AiohttpSession
    from dragoman.transport.seam import HttpRequest, Timeout

__all__ = ["AiohttpStream", "AiohttpTransport"]

_PIECE_BYTES: Final = 64 * 1024


class AiohttpTransport:
    """HTTP by aiohttp. Arguments, promises and errors are `HttpTransport`'s.

    Of `limits` it heeds the counts of connections, `idle_seconds` and `body_bytes`. `PoolExhausted` is not raised:
    waiting for a connection counts towards `Timeout.total`. Raises `MissingExtra` where aiohttp is not installed.
    """

    def __init__(
        self,
        *,
        limits: TransportLimits | None = None,
        ca_file: str | PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        trust_env: bool = True,
    ) -> None:
        try:
            import aiohttp

            from dragoman.transport.aiohttp_session import AiohttpSession
        except ImportError:
            raise MissingExtra('AiohttpTransport needs aiohttp: pip install "dragoman[aiohttp]"') from None
        self._aiohttp = aiohttp
        self._limits = limits or TransportLimits()
        self._tls = TlsSettings(ca_file, ssl_context)
        self._rules = ProxyRules(proxy, no_proxy, None if trust_env else {})
        self._sessions: LoopPools[AiohttpSession] = LoopPools(partial(AiohttpSession, self._limits))

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Exchange one request for its whole answer. Cancellation closes the connection at once."""
        stream = await self._exchange(request, "gzip, deflate")
        try:
            body = await stream.aread()
        finally:
            await stream.aclose()
        return HttpResponse(stream.status, stream.headers, body)

    async def stream(self, request: HttpRequest) -> AiohttpStream:
        """Exchange one request for its head; the caller reads the body and must `aclose` it."""
        return await self._exchange(request, "identity")

    async def aclose(self) -> None:
        """Close every connection of the running loop. The transport may be used again afterwards."""
        for closing in self._sessions.end(asyncio.get_running_loop()):
            await closing.wait_closed()

    async def __aenter__(self) -> AiohttpTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _exchange(self, request: HttpRequest, accept_encoding: str) -> AiohttpStream:
        check_method(request.method)
        origin = parse_url(request.url).origin
        # The same checks, in the same words, as our own client's.
        build_head("", "", request.headers, len(request.body), "")
        headers = list(request.headers)
        if not any(name.lower() == "accept-encoding" for name, _ in headers):
            headers.append(("accept-encoding", accept_encoding))
        from dragoman.transport.aiohttp_errors import MAPPED, translate

        session = self._sessions.get(asyncio.get_running_loop())
        options = self._options(request, origin, headers)
        from yarl import URL

        try:
            response = await session.client.request(request.method, URL(request.url, encoded=True), **options)
        except MAPPED as error:
            raise translate(error, origin, request.timeout, sent="maybe", head=True) from error
        return AiohttpStream(response, request.timeout, origin, self._limits.body_bytes)

    def _options(self, request: HttpRequest, origin: Origin, headers: list[tuple[str, str]]) -> dict[str, Any]:
        from multidict import CIMultiDict

        timeout = request.timeout
        options: dict[str, Any] = {
            "headers": CIMultiDict(headers),
            # A body given as bytes would be written in one go; a file is written in pieces.
            "data": BytesIO(request.body) if len(request.body) > _PIECE_BYTES else request.body or None,
            "allow_redirects": False,
            "timeout": self._aiohttp.ClientTimeout(
                total=timeout.total,
                sock_connect=timeout.connect,
                sock_read=timeout.first_byte,
                # Limits above five seconds would otherwise be rounded up to whole ones.
                ceil_threshold=float("inf"),
            ),
        }
        proxy = self._rules.choose(origin)
        if proxy is not None:
            options["proxy"] = str(proxy.origin)
            if proxy.authorization is not None and origin.scheme == "https":
                options["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
            elif proxy.authorization is not None:
                # A plain request goes to the proxy itself, with all its headers.
                options["headers"].add("Proxy-Authorization", proxy.authorization)
        if origin.scheme == "https" or (proxy is not None and proxy.origin.scheme == "https"):
            options["ssl"] = self._tls.context()
        return options


class AiohttpStream:
    """An answer of aiohttp whose body is still coming; see `seam.HttpStream`."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        timeout: Timeout,
        origin: Origin,
        body_bytes: int,
    ) -> None:
        self._response: aiohttp.ClientResponse | None = response
        self._timeout = timeout
        self._origin = origin
        self._body_bytes = body_bytes
        self._complete = False
        self._begun = False
        self.status: int = response.status
        self.headers: Mapping[str, str] = _lower_headers(response)

    def __aiter__(self) -> AiohttpStream:
        return self

    async def __anext__(self) -> bytes:
        response = self._response
        if response is None:
            if self._complete:
                raise StopAsyncIteration
            raise StreamStateError("The stream was closed before its end; it has no more to give.")
        try:
            piece = await response.content.readany()
        except BaseException as error:
            self._abandon()
            from dragoman.transport.aiohttp_errors import MAPPED, translate

            if isinstance(error, MAPPED):
                raise translate(error, self._origin, self._timeout, sent="yes", head=not self._begun) from error
            raise
        if not piece:
            self._complete = True
            self._response = None
            response.release()
            raise StopAsyncIteration
        if not self._begun:
            self._begun = True
            _set_read_limit(response, self._timeout.idle)
        return piece

    async def aread(self) -> bytes:
        """The rest of the body, up to `TransportLimits.body_bytes`; beyond that it raises `ProtocolViolation`."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size > self._body_bytes:
                await self.aclose()
                raise ProtocolViolation(
                    f"The answer's body is larger than {self._body_bytes} bytes; "
                    "TransportLimits.body_bytes sets this bound."
                )
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Give the connection back if the body is complete, else close it."""
        response = self._response
        if response is None:
            return
        if response.content.at_eof():
            self._complete = True
            self._response = None
            response.release()
        else:
            self._abandon()
            from dragoman.transport.aiohttp_session import turn_loop

            await turn_loop()

    def __del__(self) -> None:
        # aiohttp's own finaliser would warn; a plain `break` deserves no warning.
        if getattr(self, "_response", None) is not None:
            self._abandon()

    def _abandon(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()


def _lower_headers(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.raw_headers:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _set_read_limit(response: aiohttp.ClientResponse, seconds: float | None) -> None:
    """From the first byte on, silence is measured by the idle limit."""
    connection = response.connection
    protocol = None if connection is None else connection.protocol
    if protocol is not None:
        protocol.read_timeout = seconds
