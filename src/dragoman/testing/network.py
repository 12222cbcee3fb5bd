"""A guard against the network: inside `no_network()` nothing connects beyond this machine.

It replaces the methods through which Python's own sockets connect and resolve names, in all threads. Code that brings
its own networking in C and goes past `socket.socket` is not held.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

__all__ = ["NetworkForbidden", "no_network"]

_GUARDED = ("connect", "connect_ex", "sendto")
_lock = threading.Lock()
_allowed: list[frozenset[str]] = []
_originals: dict[str, Any] = {}


class NetworkForbidden(AssertionError):
    """Something tried to reach `address` while `no_network()` was in force."""

    def __init__(self, address: str, how: str) -> None:
        super().__init__(
            f"{how} {address!r} was tried while the network is forbidden. Use a FakeProvider, a ScriptedModel or a "
            "ReplayTransport, or allow the host with no_network(allow=…)."
        )
        self.address = address


@contextmanager
def no_network(*, allow: Collection[str] = ()) -> Generator[None]:
    """Inside the block, connecting beyond the loopback raises `NetworkForbidden`; hosts in `allow` are let pass.

    Holds for the whole process. Blocks nest: a host passes if the innermost block allows it.
    """
    with _lock:
        if not _allowed:
            _put_in_force()
        hosts = frozenset(allow)
        _allowed.append(hosts)
    try:
        yield
    finally:
        with _lock:
            _allowed.remove(hosts)
            if not _allowed:
                _lift()


def _put_in_force() -> None:
    for name in _GUARDED:
        # socket.socket inherits these from the class in C, so setting them here hides that one's, and deleting shows it
        setattr(socket.socket, name, _guarding(getattr(socket.socket, name)))
    _originals["getaddrinfo"] = socket.getaddrinfo
    socket.getaddrinfo = _resolving(socket.getaddrinfo)


def _lift() -> None:
    for name in _GUARDED:
        delattr(socket.socket, name)
    socket.getaddrinfo = _originals.pop("getaddrinfo")


def _guarding(original: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(str(address[0]), "A connection to")
        return original(self, *arguments)

    return guarded


def _resolving(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if host:
            name: str = host.decode() if isinstance(host, bytes) else host
            if not _is_address(name):
                _check(name, "Resolving")
        return original(host, *arguments, **options)

    return resolve


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _check(host: str, how: str) -> None:
    allowed = _allowed[-1] if _allowed else frozenset({host})
    if host in allowed or host == "localhost" or host.endswith(".localhost"):
        return
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
        if address.is_loopback or address.is_unspecified:
            return
    except ValueError:
        pass
    raise NetworkForbidden(host, how)
