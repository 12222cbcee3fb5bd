"""Transports of one process: shared by providers, and by one configuration after another, whose trust is equal."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from dragoman.errors import ConfigError
from dragoman.transport import HttpTransport, TransportLimits

if TYPE_CHECKING:
    from dragoman.catalogue import Secret
    from dragoman.gateway.config.providers import Trust

__all__ = ["Transports"]


class _Key(NamedTuple):
    """What makes two transports the same one: the content of a file of authorities counts, for it may be renewed."""

    authorities: bytes
    proxy: Secret | None
    connections: int


class _Shared:
    __slots__ = ("holders", "key", "transport")

    def __init__(self, key: _Key, transport: HttpTransport) -> None:
        self.key = key
        self.transport = transport
        self.holders = 0


class Transports:
    """Counts who holds each transport, and lets it go with the last. May be used from several threads.

    A connection belongs to an address, so a provider whose address changed gets new ones though the transport stays.
    """

    def __init__(self) -> None:
        self._shared: dict[_Key, _Shared] = {}
        self._lock = Lock()

    def take(self, trust: Trust, requests: int) -> HttpTransport:
        """The transport of a trust, wide enough for so many requests at once; `give_back` has to follow.

        Raises `ConfigError` for a file of authorities that cannot be read, or an address that is no proxy's.
        """
        least = TransportLimits()
        limits = TransportLimits(
            connections=max(least.connections, requests), connections_per_host=max(least.connections_per_host, requests)
        )
        key = _Key(_authorities(trust), trust.proxy, limits.connections)
        with self._lock:
            shared = self._shared.get(key)
            if shared is None:
                proxy = None if trust.proxy is None else trust.proxy.reveal()
                transport = HttpTransport(limits=limits, ca_file=trust.ca_file, proxy=proxy, gathers=True)
                shared = self._shared[key] = _Shared(key, transport)
            shared.holders += 1
            return shared.transport

    def give_back(self, transport: HttpTransport) -> None:
        """One holder less. Of the last one's, idle connections close now and the others after their exchanges."""
        with self._lock:
            shared = next(each for each in self._shared.values() if each.transport is transport)
            shared.holders -= 1
            if shared.holders:
                return
            del self._shared[shared.key]
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # nothing runs that could have connections; dropping the transport drops the rest
        transport.close_idle()

    def __len__(self) -> int:
        return len(self._shared)


def _authorities(trust: Trust) -> bytes:
    if trust.ca_file is None:
        return b""
    try:
        return sha256(trust.ca_file.read_bytes()).digest()
    except OSError as error:
        raise ConfigError(f"ca_file {str(trust.ca_file)!r} cannot be read: {error.strerror or error}.") from error
