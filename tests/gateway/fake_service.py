"""A service for tests of processes: it tells who answers and with which configuration, and streams until it is ended.

`python -m tests.gateway.fake_service CONFIG [OPTION=SECONDS…]` runs a supervisor over workers of it; the file's first
word is the configuration, `bad` (or `bad-1`, for worker 1 alone) is one that cannot be prepared.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from dragoman.errors import ConfigError, DragomanError
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.operations import Health, add_operations, count_server
from dragoman.gateway.server.serving import GatewayServer
from dragoman.gateway.workers.service import Exposition, Fleet, ServeOptions
from dragoman.gateway.workers.supervisor import Supervisor
from dragoman.observe.metrics import Metrics

TEXT = (b"content-type", b"text/plain")


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class FakeService:
    def __init__(self, options: ServeOptions, exposition: Exposition | None) -> None:
        self._options = options
        self._path = Path(options.config_path or "")
        self.metrics = Metrics()
        self.health = Health()
        self.fleet: Fleet | None = None
        self.app = App()
        self._server = GatewayServer(self.app)
        self._config = options.config_text if options.config_text is not None else self._path.read_text()
        self._check(self._config)
        self._aborted = 0
        self._draining = asyncio.Event()
        self.app.add("GET", "/who", Route(self._who))
        self.app.add("GET", "/order", Route(self._ordered))
        self.app.add("GET", "/reload", Route(self._reloaded))
        self.app.add("GET", "/count", Route(self._count))
        self.app.add("GET", "/stream", Route(self._stream))
        self.app.add("GET", "/slow", Route(self._slow))
        assert exposition is not None
        add_operations(self.app, self.health, exposition)
        count_server(self.metrics, self.app)

    def _check(self, text: str) -> None:
        if text.split()[:1] in (["bad"], [f"bad-{self._options.worker}"]):
            raise ConfigError(f"worker {self._options.worker} cannot use {text!r}")

    async def start(self, sockets: list[socket.socket]) -> None:
        await self._server.start(sockets)
        self.health.ready = True

    async def prepare(self, digest: str | None) -> str:
        text = self._path.read_text()
        self._check(text)
        assert digest == digest_of(text)
        return text

    def commit(self, prepared: str) -> None:
        self._config = prepared

    def abort(self, prepared: str) -> None:
        self._aborted += 1

    async def drain(self) -> None:
        self._draining.set()
        await self._server.drain(bound_seconds=self._options.settings.get("bound", 10.0), grace_seconds=2.0)

    def close(self) -> None:
        with Path(f"{self._path}.closed").open("a") as closed:
            closed.write(f"{os.getpid()}\n")

    async def _who(self, call: Call) -> None:
        told: dict[str, Any] = {
            "pid": os.getpid(),
            "worker": self._options.worker,
            "config": self._config,
            "aborted": self._aborted,
        }
        await call.respond(200, [TEXT], msgspec.json.encode(told))

    async def obey(self, name: str, argument: str, /) -> Any:
        return [name, argument, self._options.worker]

    async def _ordered(self, call: Call) -> None:
        assert self.fleet is not None
        told = await self.fleet.order("tell", call.query)
        await call.respond(200, [TEXT], msgspec.json.encode(sorted(told)))

    async def _reloaded(self, call: Call) -> None:
        assert self.fleet is not None
        try:
            digest = await self.fleet.reload()
        except DragomanError as error:
            await call.respond(422, [TEXT], str(error).encode())
        else:
            await call.respond(200, [TEXT], digest.encode())

    async def _count(self, call: Call) -> None:
        self.metrics.request("route", "openai-chat", 200, 0.01)
        await self._who(call)

    async def _stream(self, call: Call) -> None:
        call.start_stream(200, [TEXT])
        try:
            while True:
                await call.write(b"tick\n")
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            if not call.expired:
                raise
            await call.write(b"error: stopping\n")
            await call.end_stream()

    async def _slow(self, call: Call) -> None:
        """Answers as soon as the process drains."""
        call.start_stream(200, [TEXT])
        await call.write(b"begun\n")
        await self._draining.wait()
        await call.write(b"whole\n")
        await call.end_stream()


def make(options: ServeOptions, exposition: Exposition | None) -> FakeService:
    return FakeService(options, exposition)


class FileWatch:
    """Takes any other text for a change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = path.read_text()

    def check(self) -> str | None:
        text = self._path.read_text()
        if text == self._text:
            return None
        self._text = text
        return digest_of(text)

    def force(self) -> str:
        self._text = self._path.read_text()
        return digest_of(self._text)

    def accepted(self) -> str | None:
        return self._text


async def supervise(path: Path, settings: dict[str, float]) -> int:
    watch = FileWatch(path)
    workers = int(settings.pop("workers", 2))
    options = ServeOptions(config_path=str(path), config_text=watch.accepted(), workers=workers, settings=settings)
    supervisor = Supervisor(
        "tests.gateway.fake_service:make",
        options,
        host="127.0.0.1",
        port=int(settings["port"]),
        drain_delay_seconds=settings.get("delay", 0.0),
        drain_bound_seconds=settings.get("bound", 10.0),
        watch=watch,
        health_seconds=0.2,
        hung_seconds=settings.get("hung", 20.0),
    )

    def ready() -> None:
        Path(f"{path}.ready").touch()

    return await supervisor.run(ready)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    given = {name: float(value) for name, _, value in (word.partition("=") for word in sys.argv[2:])}
    sys.exit(asyncio.run(supervise(Path(sys.argv[1]), given)))
