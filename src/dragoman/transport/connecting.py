"""Opening connections: name, TCP (RFC 8305 by aiohappyeyeballs), proxy, TLS; every failure told as what it is."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]  # bare tuple in its types

from dragoman.errors import ConnectFailed, TimedOut, TransportError
from dragoman.transport.connection import Connection
from dragoman.transport.tunnel import TunnelProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.transport.gathering import Outbox
    from dragoman.transport.limits import TransportLimits
    from dragoman.transport.pool import Route
    from dragoman.transport.target import Origin

    AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

__all__ = ["open_connection"]

_NEVER: Final = float("inf")
_HAPPY_EYEBALLS_SECONDS: Final = 0.25
_PROBES: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4))


async def open_connection(
    route: Route,
    limits: TransportLimits,
    deadline: float,
    context: Callable[[], ssl.SSLContext],
    on_closed: Callable[[Connection], None],
    outbox: Outbox | None = None,
) -> Connection:
    """Open a connection by `deadline` (loop time). Cancelled, it leaves no socket behind.

    Raises `ConnectFailed` (`phase` is name, connect, proxy or tls) or `TimedOut` (`phase` connect); both say that
    nothing was sent.
    """
    loop = asyncio.get_running_loop()
    scope = asyncio.timeout_at(None if deadline == _NEVER else deadline)
    try:
        async with scope:
            return await _open(loop, route, limits, context, on_closed, outbox)
    except TimeoutError as error:
        # A TCP time-out of the system is a TimeoutError too.
        if scope.expired():
            raise TimedOut(
                f"No connection to {_describe(route)} within the limit of time.", phase="connect", sent="no"
            ) from None
        raise ConnectFailed(f"No connection to {_describe(route)}: {error}.") from error
    except ssl.SSLCertVerificationError as error:
        raise ConnectFailed(
            f"The certificate of {_describe(route)} cannot be verified: {error.verify_message}. If it comes from a "
            "private authority, name its certificate with ca_file= or SSL_CERT_FILE.",
            phase="tls",
        ) from error
    except ssl.SSLError as error:
        raise ConnectFailed(f"No TLS with {_describe(route)}: {error.reason or error}.", phase="tls") from error
    except socket.gaierror as error:
        host = (route.proxy or route).origin.host
        raise ConnectFailed(f"The name {host!r} cannot be resolved: {error.strerror}.", phase="name") from error
    except (OSError, RuntimeError) as error:
        # uvloop raises RuntimeError for a socket that ended while it was being attached.
        raise ConnectFailed(f"No connection to {_describe(route)}: {_explain(error)}.") from error


async def _open(
    loop: asyncio.AbstractEventLoop,
    route: Route,
    limits: TransportLimits,
    context: Callable[[], ssl.SSLContext],
    on_closed: Callable[[Connection], None],
    outbox: Outbox | None,
) -> Connection:
    origin, proxy = route
    connection = Connection(loop, str(origin), limits, on_closed, outbox)
    tunnel = TunnelProtocol(loop, proxy, origin) if proxy is not None and origin.scheme == "https" else None
    nearest = origin if proxy is None else proxy.origin
    encrypted = nearest.scheme == "https"
    sock = await _connect_socket(loop, nearest)
    spoken = connection if tunnel is None else tunnel
    # TLS is begun on a transport that is there already: asyncio loses one that is cancelled between its making and its
    # handshake, if both are asked for in one call.
    base, _ = await loop.create_connection(asyncio.Protocol if encrypted else lambda: spoken, sock=sock)
    try:
        transport = base
        if encrypted:
            transport = await _encrypt(loop, base, spoken, context(), nearest)
        if tunnel is not None:
            await tunnel.opened
            await _encrypt(loop, transport, connection, context(), origin)
    except BaseException:
        base.abort()
        raise
    connection.attach(sock)
    return connection


async def _encrypt(
    loop: asyncio.AbstractEventLoop,
    transport: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    origin: Origin,
) -> asyncio.Transport:
    encrypted = await loop.start_tls(transport, protocol, context, server_hostname=origin.host)
    if encrypted is None:
        raise ConnectionResetError("the connection ended during the TLS handshake")
    # start_tls does not announce the transport to a protocol that it was not made with.
    protocol.connection_made(encrypted)
    return encrypted


async def _connect_socket(loop: asyncio.AbstractEventLoop, origin: Origin) -> socket.socket:
    addresses = await _resolve(loop, origin)
    sock = await start_connection(addresses, happy_eyeballs_delay=_HAPPY_EYEBALLS_SECONDS, loop=loop)
    _probe_when_silent(sock)
    return sock


async def _resolve(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[AddressInfo]:
    family = _literal_family(origin.host)
    if family is not None:
        # An address needs no look-up, which would cost a trip to a thread.
        sockaddr = (origin.host, origin.port) if family == socket.AF_INET else (origin.host, origin.port, 0, 0)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", sockaddr)]
    found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    return found


def _literal_family(host: str) -> socket.AddressFamily | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None


def _probe_when_silent(sock: socket.socket) -> None:
    """A long thought is a long silence; probes keep the way open through gateways that forget silent connections."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBES:
            option = getattr(socket, name, None)
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
    except OSError:
        return  # a kernel without the option; the connection works without it


def _describe(route: Route) -> str:
    return str(route.origin) if route.proxy is None else f"{route.origin} through the proxy {route.proxy.origin}"


def _explain(error: Exception) -> str:
    if isinstance(error, TransportError):
        return error.message
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    # asyncio raises a bare ConnectionResetError for a handshake that was cut.
    return str(error) or "the other side ended it"
