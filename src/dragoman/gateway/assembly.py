"""One process's gateway, put together: what it serves from, where it books, what it answers.

`Gateway` owns everything that has to be closed. Who runs it (one process alone, or a worker under a supervisor) gives
the sockets, and says when to reload and to stop.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.gateway.active_probes import ActiveProbes
from dragoman.gateway.admin import Administration
from dragoman.gateway.bookkeeping import Books
from dragoman.gateway.generation import Generations
from dragoman.gateway.health_sharing import HEAR, STANDINGS, HealthSharing
from dragoman.gateway.holdings import Holdings
from dragoman.gateway.ledger_metrics import count_spool, count_writer
from dragoman.gateway.public import add_public
from dragoman.gateway.replay_memory import ReplayMemory
from dragoman.gateway.request_facts import RequestFacts
from dragoman.gateway.server.app import App
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.loopback import KeylessGuard
from dragoman.gateway.server.operations import Health, add_operations, count_server
from dragoman.gateway.server.serving import GatewayServer
from dragoman.gateway.visits import Desk
from dragoman.gateway.workers.service import REOPEN_LOG
from dragoman.ledger import Spool
from dragoman.observe.metrics import Metrics
from dragoman.observe.request_log import RequestLog

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from dragoman.gateway.config.loading import Config
    from dragoman.gateway.generation import Generation
    from dragoman.gateway.workers.ledger_writer import LedgerWriter
    from dragoman.gateway.workers.service import Fleet

__all__ = ["Gateway", "server_limits"]


def server_limits(config: Config) -> ServerLimits:
    """The server's bounds, as the configuration gives them."""
    server = config.server
    return ServerLimits(
        requests=server.max_requests,
        bytes_in_flight=server.max_bytes_in_flight,
        head_bytes=server.max_header_bytes,
        headers=server.max_headers,
        head_seconds=server.header_seconds,
        progress_seconds=server.body_seconds,
        body_seconds=server.body_total_seconds,
        idle_seconds=server.keep_alive_seconds,
        body_bytes=server.max_body_bytes,
        write_seconds=server.write_seconds,
    )


class Gateway:
    """Made and used within one event loop. `open`, `start`, then `drain` and `close`, in this order.

    `read` loads the configuration, `worker` of `workers` is this process; `exposition` gives the metrics' text where
    those of several processes are merged. `writer` makes what carries the spools of a directory into a database, where
    this process is the one to run it.
    """

    def __init__(
        self,
        read: Callable[[], Config],
        *,
        worker: int = 0,
        workers: int = 1,
        exposition: Callable[[], Awaitable[bytes]] | None = None,
        writer: Callable[[Path, str], LedgerWriter] | None = None,
    ) -> None:
        self._worker = worker
        self.generations = Generations(read, worker=worker, workers=workers)
        generation = self.generations.open()
        self.config = generation.config
        self.metrics = Metrics()
        self.health = Health()
        self.fleet: Fleet | None = None
        self._log = _request_log(self.config)
        folder = Path(self.config.spool.directory)
        self.spool = Spool.open(
            folder,
            instance=f"worker-{worker}",
            segment_bytes=self.config.spool.segment_bytes,
            max_bytes=self.config.spool.max_bytes,
            sync=self.config.spool.sync,
        )
        database = self.config.storage.database
        self._writer = None if writer is None else writer(folder, database)
        self.health.obstacle = self._no_room
        books = Books(spool=self.spool, metrics=self.metrics, log=self._log, worker=worker)
        self.holdings = Holdings(database)
        self.facts = RequestFacts(database, folder)
        self.desk = Desk(
            generation=self.generations.current,
            books=books,
            holdings=self.holdings,
            facts=self.facts,
            memory=ReplayMemory(),
            hold_seconds=self.config.server.hold_seconds,
        )
        self._sharing: HealthSharing | None = None
        if workers > 1:
            self._sharing = HealthSharing(self.generations.state.health, self._whole_fleet, folder / "probes", worker)
        self._probes = ActiveProbes(self.generations.current, worker=worker)
        self.admin = Administration(
            self.generations, self.health, self._whole_fleet, self.desk.memory, self.holdings, worker=worker
        )
        self.app = self._app(generation, exposition)
        self.server = GatewayServer(self.app, tls=None if self.config.tls is None else self.config.tls.context)

    def _app(self, generation: Generation, exposition: Callable[[], Awaitable[bytes]] | None) -> App:
        keyless = None
        if generation.keys.keyless is not None:
            keyless = KeylessGuard(self.config.server.trusted_hosts)
        app = App(server_limits(self.config), keyless=keyless)
        add_public(app, self.desk)
        add_operations(app, self.health, exposition or self._exposition)
        count_server(self.metrics, app)
        count_spool(self.metrics, self.spool)
        if self._writer is not None:
            count_writer(self.metrics, self._writer)
        self.admin.add(app)
        return app

    def _whole_fleet(self) -> Fleet:
        return self.fleet or _Single(self)

    async def obey(self, name: str, argument: str, /) -> Any:
        """What one of the processes lets all of them do. Raises `DragomanError`."""
        if name == REOPEN_LOG:
            if self._log is not None:
                self._log.reopen()
            return None
        if self._sharing is not None:
            if name == HEAR:
                self._sharing.hear(argument)
                return None
            if name == STANDINGS:
                return self._sharing.told()
        return await self.admin.obey(name, argument)

    async def _exposition(self) -> bytes:
        return self.metrics.exposition()

    async def start(self, sockets: list[socket.socket]) -> None:
        """Begins to accept requests; the sockets listen already."""
        await self.server.start(sockets)
        if self._writer is not None:
            self._writer.start()  # now, for no answer waits for it
        if self._sharing is not None:
            self._sharing.start()
        self._probes.follow(self.generations.current().config.health.probe_seconds)
        self.health.ready = True

    async def prepare(self, digest: str | None) -> Generation:
        """Everything of a new configuration that can fail. Raises `ConfigError`; the old one serves on."""
        return await self.generations.prepare(digest)

    def abort(self, generation: Generation) -> None:
        """A prepared configuration is not taken after all."""
        self.generations.abort(generation)

    def commit(self, generation: Generation) -> None:
        """New requests begin with this configuration, as `prepare` gave it."""
        self.generations.commit(generation)
        self._probes.follow(generation.config.health.probe_seconds)
        if generation.config.tls is not None:
            self.server.renew(generation.config.tls.context)
        keyless = generation.keys.keyless is not None
        self.app.keyless = KeylessGuard(generation.config.server.trusted_hosts) if keyless else None

    def _no_room(self) -> str | None:
        state = self.spool.state()
        return None if state.has_room else f"the ledger has no room: {state.problem or 'too many attempts are open'}"

    async def drain(self) -> None:
        """Takes no more requests, and returns when those at hand are answered, or the bound is reached."""
        self.health.draining = True
        self._probes.close()
        await self.server.drain(bound_seconds=self.config.server.drain_seconds)

    def close(self) -> None:
        """Writes down what is left. Nothing is served any more."""
        self._probes.close()
        self.generations.close()
        if self._sharing is not None:
            self._sharing.close()
        self.spool.close()
        if self._writer is not None:
            self._writer.stop(lambda: not self.spool.path.exists())
        self.holdings.close()
        self.facts.close()
        if self._log is not None:
            self._log.close()


class _Single:
    """The fleet of a gateway that nobody else runs: it reads its configuration by itself."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def reload(self) -> str:
        generation = await self._gateway.prepare(None)
        self._gateway.commit(generation)
        return generation.digest

    async def order(self, name: str, argument: str = "", /) -> list[Any]:
        return [await self._gateway.obey(name, argument)]


def _request_log(config: Config) -> RequestLog | None:
    wanted = config.log.requests
    if wanted == "none":
        return None
    if wanted in ("stdout", "stderr"):
        stream = sys.stdout if wanted == "stdout" else sys.stderr
        return RequestLog(os.fdopen(os.dup(stream.fileno()), "wb", buffering=0))
    return RequestLog(Path(wanted))
