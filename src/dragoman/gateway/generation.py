"""Generations: one configuration in use, after another; a request stays with the one that it began with.

Preparing a generation does everything that can fail: keys are resolved, dialects imported, certificates read. What is
left to commit is to put one object in the place of another. A generation that was taken out of use is over when its
last request is; transports that the next one does not share are closed then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.accounts import Gauges, Grant, KeyRing, Limits, NamePatterns, PathPattern, Principal, digest_of
from dragoman.accounts.principals import LOCAL, MASTER
from dragoman.dialects import load
from dragoman.errors import ConfigError
from dragoman.gateway.config.checks import is_loopback
from dragoman.gateway.route_state import RouteState
from dragoman.gateway.routes import RouteTable
from dragoman.gateway.transports import Transports

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.gateway.config.loading import Config
    from dragoman.gateway.config.providers import Provider, Trust
    from dragoman.gateway.config.structs import KeyBlock
    from dragoman.transport import HttpTransport

__all__ = ["Generation", "Generations"]

_EVERY_METHOD = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))


class Generation:
    """One configuration as it is served. `number` counts the process's generations, `digest` is its contents'."""

    def __init__(
        self,
        config: Config,
        number: int,
        transports: Transports,
        gauges: Gauges,
        *,
        state: RouteState | None = None,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        """Puts everything together without waiting; opens nothing. Raises `ConfigError`.

        `state` is what is known of deployments, from one configuration to the next. `worker` of `workers` processes
        says which share of the limits this one admits.
        """
        self.config = config
        self.number = number
        self.digest = config.digest
        self._transports = transports
        self._taken: dict[Trust, HttpTransport] = {}
        self._in_flight = 0
        self._retired = False
        try:
            self.routes = RouteTable(config, self._transport, state or RouteState(), worker=worker, workers=workers)
        except BaseException:
            self._close()
            raise
        self.keys = _key_ring(config, gauges, worker, workers)

    @property
    def in_flight(self) -> int:
        """Requests that began with this generation and are not over."""
        return self._in_flight

    def provider(self, name: str) -> Provider | None:
        """A provider of the configuration, for what is passed through to it."""
        return self.config.providers.get(name)

    def transport(self, provider: Provider) -> HttpTransport:
        """What reaches a provider."""
        return self._taken[provider.trust]

    def enter(self) -> Generation:
        """A request begins with this generation; `leave` has to follow."""
        self._in_flight += 1
        return self

    def leave(self) -> None:
        """A request that began with it is over."""
        self._in_flight -= 1
        if self._retired and not self._in_flight:
            self._close()

    def warm(self) -> None:
        """Imports dialects and makes TLS contexts, in any thread: what a first request would otherwise wait for."""
        for name in {dialect for provider in self.config.providers.values() for dialect in provider.row.dialects}:
            load(name)
        for transport in {
            self._taken[provider.trust] for provider in self.config.providers.values() if provider.secure
        }:
            transport.warm()
        self.routes.warm()

    def retire(self) -> None:
        """No further request begins with it. From within the running loop."""
        if not self._retired:
            self._retired = True
            if not self._in_flight:
                self._close()

    def _transport(self, trust: Trust) -> HttpTransport:
        if trust not in self._taken:
            self._taken[trust] = self._transports.take(trust, self.config.server.max_requests)
        return self._taken[trust]

    def _close(self) -> None:
        taken, self._taken = self._taken, {}
        for transport in taken.values():
            self._transports.give_back(transport)


def _key_ring(config: Config, gauges: Gauges, worker: int, workers: int) -> KeyRing:
    found: dict[bytes, Principal] = {}
    for key in config.keys:
        digest = digest_of(key.key.reveal()) if key.key is not None else bytes.fromhex(key.key_sha256 or "")
        found[digest] = _principal(key, gauges, worker, workers)
    master = config.server.master_key
    if master is not None:
        everything = (Grant("*", _EVERY_METHOD, (PathPattern("/**"),)),)
        found[digest_of(master.reveal())] = Principal(MASTER, grants=everything, gauge=gauges.get(MASTER), master=True)
    # Without any key, whoever reaches the loopback address may ask models; raw pass-through wants a key's grant.
    keyless = Principal(LOCAL, gauge=gauges.get(LOCAL)) if not found and is_loopback(config.server.host) else None
    return KeyRing(found, keyless)


def _principal(key: KeyBlock, gauges: Gauges, worker: int, workers: int) -> Principal:
    limits = Limits(rpm=key.limits.rpm, concurrency=key.limits.concurrency)
    grants = (
        Grant(grant.provider, frozenset[str](grant.methods), tuple(PathPattern(path) for path in grant.paths))
        for grant in key.pass_through
    )
    return Principal(
        key.name,
        team=key.team,
        models=NamePatterns(key.models),
        limits=limits.share(worker, workers),
        grants=tuple(grants),
        gauge=gauges.get(key.name),
    )


class Generations:
    """The generation in use, and the way to the next. Belongs to one event loop; `read` loads the configuration.

    `worker` of `workers` as for `Generation`.
    """

    def __init__(self, read: Callable[[], Config], *, worker: int = 0, workers: int = 1) -> None:
        self._read = read
        self._worker = worker
        self._workers = workers
        self._transports = Transports()
        self._gauges = Gauges()
        self.state = RouteState()
        self._number = 0
        self._current: Generation | None = None

    def current(self) -> Generation:
        """The generation that new requests begin with."""
        assert self._current is not None  # `open` comes first
        return self._current

    def open(self) -> Generation:
        """The first generation, in use. Raises `ConfigError` and its kinds."""
        generation = self._build(None)
        self.commit(generation)
        return generation

    async def prepare(self, digest: str | None = None) -> Generation:
        """Reads the configuration anew and makes everything ready, in a thread of its own; nothing changes by it.

        `digest` is that of the contents which all processes are to take: a file that was changed again meanwhile is
        refused. `commit` or `abort` has to follow. Raises `ConfigError` and its kinds.
        """
        return await asyncio.to_thread(self._build, digest)

    def commit(self, generation: Generation) -> None:
        """New requests begin with this generation; those at hand stay with theirs. Cannot fail."""
        before, self._current = self._current, generation
        principals = list(generation.keys.principals())
        for principal in principals:
            principal.enforce()
        self._gauges.keep(principal.gauge for principal in principals)
        generation.routes.taken(self.state)
        if before is not None:
            before.retire()

    def abort(self, generation: Generation) -> None:
        """A prepared generation is not wanted."""
        generation.retire()

    def close(self) -> None:
        """The process is about to end: no further request begins."""
        if self._current is not None:
            self._current.retire()

    def _build(self, digest: str | None) -> Generation:
        config = self._read()
        if digest is not None and config.digest != digest:
            raise ConfigError(f"{config.file} was changed again while it was read; it will be read once more.")
        self._number += 1
        generation = Generation(
            config,
            self._number,
            self._transports,
            self._gauges,
            state=self.state,
            worker=self._worker,
            workers=self._workers,
        )
        try:
            generation.warm()
        except BaseException:
            generation.retire()
            raise
        return generation
