"""The sockets that a gateway listens on.

On Linux every worker gets a socket of its own on the same port (SO_REUSEPORT), among which the kernel spreads
connections by a hash; elsewhere all share one. The supervisor keeps a hold on each socket, so that what waits in the
queue of a worker that died is answered by the next one.
"""

from __future__ import annotations

import errno
import socket
import sys
import time

from dragoman.errors import ConfigError

__all__ = ["bind", "bind_again", "bind_for_workers"]

PATIENCE_SECONDS = 1.0
AGAIN_SECONDS = 0.05
_ADVICE = {
    errno.EADDRINUSE: " Another program listens there; take another port with --port or server.port.",
    errno.EACCES: " Ports below 1024 need more rights than this process has; take another with --port or server.port.",
    errno.EADDRNOTAVAIL: " That is no address of this machine; give one with --host or server.host.",
}


def bind(host: str, port: int, *, shared_port: bool = False) -> socket.socket:
    """A bound socket that does not listen yet; `port` 0 takes a free one.

    Raises:
        ConfigError: the address is not this machine's, is taken, or needs rights that this process lacks.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        held = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}: {error.strerror or error}") from error
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by accepted connections: a client that vanished without a word is noticed in the end.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if shared_port:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
    except OSError as error:
        held.close()
        advice = _ADVICE.get(error.errno or 0, "")
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror or error}.{advice}") from error
    return held


def bind_for_workers(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each worker, all on one port: the same one again where the system does not spread connections."""
    first = _bind_alone(host, port)
    if not sys.platform.startswith("linux"):
        return [first] * count
    port = first.getsockname()[1]
    first.close()
    return [bind(host, port, shared_port=True) for _ in range(count)]


def _bind_alone(host: str, port: int) -> socket.socket:
    """Not shared: two gateways on one port would take connections from each other unnoticed.

    Workers of a supervisor that was killed close their sockets when they notice, which may be a moment from now.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return bind(host, port)
        except ConfigError as error:
            taken = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if not taken or time.monotonic() >= deadline:
                raise
        time.sleep(AGAIN_SECONDS)


def bind_again(host: str, port: int) -> socket.socket:
    """A further socket on a port that workers listen on."""
    return bind(host, port, shared_port=sys.platform.startswith("linux"))
