"""From a configuration to processes that serve it: what `dragoman serve` runs."""

from __future__ import annotations

import logging
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import ConfigError
from dragoman.gateway.config import Config, Discovered, ambient_config, load, read
from dragoman.gateway.config.checks import is_loopback
from dragoman.gateway.reloading import Reloader, needs_restart
from dragoman.gateway.workers.ledger_writer import WriterProcess
from dragoman.gateway.workers.listening import bind
from dragoman.gateway.workers.service import ServeOptions
from dragoman.gateway.workers.supervisor import Supervisor
from dragoman.gateway.workers.worker import Worker, on_fast_loop, run_alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.gateway.assembly import Gateway
    from dragoman.gateway.workers.service import Exposition

__all__ = ["Hosting", "Settings", "make_service"]

logger = logging.getLogger("dragoman.gateway")

FACTORY = "dragoman.gateway.hosting:make_service"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says over the configuration, and what was found on this machine."""

    host: str | None = None
    port: int | None = None
    found: tuple[Discovered, ...] = ()


class _Reader:
    """Reads the configuration: the first time from a text that was accepted before, where there is one."""

    def __init__(self, options: ServeOptions) -> None:
        self._path = options.config_path
        self._text = options.config_text
        self._settings = msgspec.convert(options.settings, Settings)

    def __call__(self) -> Config:
        text, self._text = self._text, None
        if self._path is None:
            config = ambient_config(found=self._settings.found)
        elif text is not None:
            config = read(text, self._path, folder=Path(self._path).parent)
        else:
            config = load(self._path)
        return _overridden(config, self._settings)


def _overridden(config: Config, settings: Settings) -> Config:
    changes: dict[str, Any] = {}
    if settings.host is not None:
        changes["host"] = settings.host
    if settings.port is not None:
        changes["port"] = settings.port
    server = msgspec.structs.replace(config.server, **changes)
    # The configuration was checked with its own host; who would need no key must not be reached from elsewhere.
    if not is_loopback(server.host) and server.master_key is None and not config.keys:
        raise ConfigError(
            f"at {server.host} others can reach the gateway, and nobody would need a key: give server.master_key or "
            "keys, or listen at 127.0.0.1"
        )
    return msgspec.structs.replace(config, server=server)


def make_service(options: ServeOptions, exposition: Exposition | None) -> Gateway:
    """The gateway of one process."""
    from dragoman.gateway.assembly import Gateway  # here: a supervisor serves nothing, and starts sooner without it

    return Gateway(
        _Reader(options),
        worker=options.worker,
        workers=options.workers,
        exposition=exposition,
        writer=WriterProcess if exposition is None else None,  # a supervisor has one for all its workers
    )


class _FileWatch:
    """Watches a configuration's files for all processes."""

    def __init__(self, config: Config, read_again: Callable[[], Config], path: str) -> None:
        self._first = config
        self._last = config
        self._reloader = Reloader(config, read_again)
        self._path = Path(path)
        self._text: str | None = None

    def check(self) -> str | None:
        found = self._reloader.check()
        return None if found is None else self._note(found)

    def force(self) -> str:
        return self._note(self._reloader.force())

    def accepted(self) -> str | None:
        try:
            data = self._path.read_bytes()
        except OSError:
            data = b""  # it was taken away just now: what was accepted before stays good
        if sha256(data).digest() == self._last.text_digest:
            self._text = data.decode("utf-8-sig")
        for name in needs_restart(self._first, self._last):
            logger.warning("%s has changed: it takes effect when the gateway is started again", name)
        return self._text

    def _note(self, config: Config) -> str:
        self._last = config
        return config.digest


class Hosting:
    """One `dragoman serve`. Making it reads the configuration and binds the port; both raise `ConfigError`."""

    def __init__(
        self,
        config_path: str | None,
        settings: Settings,
        *,
        workers: int | None = None,
        supervised: bool = False,
    ) -> None:
        options = ServeOptions(config_path=config_path, settings=msgspec.to_builtins(settings))
        read_again = _Reader(options)
        self.config = read_again()
        server = self.config.server
        self.workers = workers or server.workers
        self.options = msgspec.structs.replace(options, workers=self.workers)
        self.watch = None if config_path is None else _FileWatch(self.config, read_again, config_path)
        self.supervised = supervised or self.workers > 1

    async def run_supervised(self, ready: Callable[[int], None]) -> int:
        """Runs workers until a signal ends it; returns the exit status. `ready` is told the port."""
        server = self.config.server
        text = None if self.watch is None else self.watch.accepted()
        supervisor = Supervisor(
            FACTORY,
            msgspec.structs.replace(self.options, config_text=text),
            host=server.host,
            port=server.port,
            drain_delay_seconds=server.drain_delay_seconds,
            drain_bound_seconds=server.drain_seconds,
            watch=self.watch,
            writer=WriterProcess(self.config.spool.directory, self.config.storage.database),
        )
        return await supervisor.run(lambda: ready(supervisor.port))

    async def run_alone(self, ready: Callable[[int], None]) -> int:
        """Serves in this process until a signal ends it."""
        server = self.config.server
        held = bind(server.host, server.port)
        port: int = held.getsockname()[1]
        worker = Worker(make_service(self.options, None), drain_delay_seconds=server.drain_delay_seconds)
        await run_alone(worker, [held], lambda: ready(port), self.watch)
        return 0

    def run(self, ready: Callable[[int], None]) -> int:
        """Serves until a signal ends it; returns the exit status."""
        return on_fast_loop(self.run_supervised(ready) if self.supervised else self.run_alone(ready))
