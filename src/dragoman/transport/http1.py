"""Our HTTP/1.1 client: the transport that is used unless another is given."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.transport.connecting import open_connection
from dragoman.transport.gathering import Outbox
from dragoman.transport.head import build_head, check_method
from dragoman.transport.headers import ResponseHeaders
from dragoman.transport.lifetime import LoopPools
from dragoman.transport.limits import Statistics, TransportLimits
from dragoman.transport.pool import Pool, Route
from dragoman.transport.proxy import ProxyRules
from dragoman.transport.seam import HttpResponse
from dragoman.transport.stream import Http1Stream
from dragoman.transport.target import parse_url
from dragoman.transport.tls import TlsSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from os import PathLike
    from types import TracebackType

    from dragoman.transport.connection import Connection
    from dragoman.transport.seam import HttpRequest

    _Heads = dict[int, tuple[Sequence[tuple[str, str]], bytes]]

__all__ = ["HttpTransport"]

# A whole answer is awaited to its end, so compressing it costs nobody time. A stream's events are small and are wanted
# at once: compressed one by one they hardly shrink, and a compressor before the server may hold them back.
_ENCODINGS: Final = ("accept-encoding: gzip, deflate\r\n", "accept-encoding: identity\r\n")
_WHOLE, _STREAM = 0, 1
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_PREPARED_BOUND: Final = 1024
_HEADS_BOUND: Final = 16
_NEVER: Final = float("inf")


class _Prepared:
    """What a method and a URL come to: the route, the request line, Host. Computed once per URL in use.

    `heads` are what was written for tuples of headers that came again, up to the body's length: checking and writing
    them is most of what a request costs here.
    """

    __slots__ = ("head_only", "heads", "host", "opening", "route", "wants_length")

    def __init__(self, method: str, url: str, rules: ProxyRules) -> None:
        check_method(method)
        target = parse_url(url)
        origin = target.origin
        proxy = rules.choose(origin)
        self.route = Route(origin, proxy)
        self.host = origin.authority
        self.head_only = method == "HEAD"
        self.heads: tuple[_Heads, _Heads] = ({}, {})
        self.wants_length = method in _BODY_METHODS
        if proxy is None or origin.scheme == "https":
            self.opening = f"{method} {target.path} HTTP/1.1\r\n"
        else:
            # Plain requests go to the proxy itself, in absolute form (RFC 9112 section 3.2.2).
            self.opening = f"{method} {origin}{target.path} HTTP/1.1\r\n"
            if proxy.authorization is not None:
                self.opening += f"proxy-authorization: {proxy.authorization}\r\n"


class HttpTransport:
    """HTTP/1.1 over asyncio, plain and TLS, direct and through HTTP(S) proxies.

    Nothing is resent and no redirect is followed: an answer is told as it came. Connections are pooled for each running
    loop, within `limits`. `ca_file` adds a private authority to those of the system (SSL_CERT_FILE and SSL_CERT_DIR are
    honoured); `ssl_context` replaces all of that, and has to verify. `proxy` is a URL (`http://user:password@host:port`)
    for every request that `no_proxy` does not except; without it HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY count
    as the environment has them when the transport is made, unless `trust_env` is False.

    `gathers` sends the requests of one turn of the loop together, which spares a busy loop's CPU time, and adds a turn
    to each.

    Errors: `ConfigError` and `InvalidRequest` before anything is sent, then the `TransportError`s, whose `sent` and
    `phase` say how far things went. Cancelling a call closes its connection in the same turn of the loop.
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
        gathers: bool = False,
    ) -> None:
        self._limits = limits or TransportLimits()
        self._tls = TlsSettings(ca_file, ssl_context)
        self._rules = ProxyRules(proxy, no_proxy, None if trust_env else {})
        self._prepared: dict[tuple[str, str], _Prepared] = {}
        self._pools = LoopPools(partial(_make_pool, self._limits, self._tls.context, gathers))

    # The hot path: no layers between the caller and the connection's future. benchmarks/transport.py measures it beside
    # a bare protocol, the floor: most of a call is the loop's and the kernel's.
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Exchange one request for its whole answer. Cancellation closes the connection at once."""
        prepared, head = self._prepare(request, _WHOLE)
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        timeout = request.timeout
        total_at = loop.time() + timeout.total if timeout.total is not None else _NEVER
        connection = pool.take_idle(prepared.route)
        if connection is None:
            connection = await pool.acquire(prepared.route, timeout.connect, total_at)
        try:
            await connection.begin(head, request.body, timeout, total_at, whole=True, head_only=prepared.head_only)
        except BaseException:
            connection.abort()
            raise
        reader = connection.reader
        if not reader.complete:
            connection.abort()
            raise connection.take_failure()
        response = HttpResponse(reader.status, ResponseHeaders(reader.raw), reader.take_body())
        pool.release(connection)
        return response

    async def stream(self, request: HttpRequest) -> Http1Stream:
        """Exchange one request for its head; the caller reads the body and must `aclose` it."""
        prepared, head = self._prepare(request, _STREAM)
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        timeout = request.timeout
        total_at = loop.time() + timeout.total if timeout.total is not None else _NEVER
        connection = pool.take_idle(prepared.route)
        if connection is None:
            connection = await pool.acquire(prepared.route, timeout.connect, total_at)
        try:
            await connection.begin(head, request.body, timeout, total_at, whole=False, head_only=prepared.head_only)
        except BaseException:
            connection.abort()
            raise
        if not connection.reader.has_head:
            connection.abort()
            raise connection.take_failure()
        return Http1Stream(pool, connection, self._limits.body_bytes)

    def warm(self) -> None:
        """Make the TLS context now, which takes some 20 ms, and not at the first connection. May run in any thread.

        Raises `ConfigError` when `ca_file` cannot be used.
        """
        self._tls.context()

    async def aclose(self) -> None:
        """Close every connection of the running loop. The transport may be used again afterwards."""
        for connection in self._pools.end(asyncio.get_running_loop()):
            await connection.wait_closed()

    def close_idle(self) -> None:
        """Close the running loop's idle connections, and the others as soon as their exchanges are over."""
        self._pools.let_go(asyncio.get_running_loop())

    def statistics(self) -> Statistics:
        """Counts of the running loop's connections and waiters."""
        pool = self._pools.find(asyncio.get_running_loop())
        return Statistics() if pool is None else pool.statistics()

    async def __aenter__(self) -> HttpTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        pools = getattr(self, "_pools", None)
        if pools is not None:
            pools.retire()

    def _prepare(self, request: HttpRequest, kind: int) -> tuple[_Prepared, bytes]:
        key = (request.method, request.url)
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = _Prepared(request.method, request.url, self._rules)
            if len(self._prepared) >= _PREPARED_BOUND:
                self._prepared.clear()
            self._prepared[key] = prepared
        body_length = len(request.body)
        length = body_length if body_length or prepared.wants_length else None
        headers, heads = request.headers, prepared.heads[kind]
        kept = heads.get(id(headers))
        if kept is not None and kept[0] is headers and length is not None:
            return prepared, b"%b%d\r\n\r\n" % (kept[1], length)
        head = build_head(prepared.opening, prepared.host, headers, length, _ENCODINGS[kind])
        if length is not None and isinstance(headers, tuple) and not _tells_length(request.headers):
            if len(heads) >= _HEADS_BOUND:
                heads.clear()
            heads[id(request.headers)] = (request.headers, head[: head.rindex(b" ") + 1])
        return prepared, head


def _tells_length(headers: Sequence[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-length" for name, _ in headers)


def _make_pool(
    limits: TransportLimits, context: Callable[[], ssl.SSLContext], gathers: bool, loop: asyncio.AbstractEventLoop
) -> Pool:
    outbox = Outbox(loop) if gathers else None

    async def connect(route: Route, deadline: float, on_closed: Callable[[Connection], None]) -> Connection:
        return await open_connection(route, limits, deadline, context, on_closed, outbox)

    return Pool(loop, limits, connect)
