"""What a process serves, as the worker that runs it sees it."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from dragoman.errors import ConfigError

if TYPE_CHECKING:
    import socket

    from dragoman.gateway.server.operations import Health
    from dragoman.observe.metrics import Metrics

__all__ = ["REOPEN_LOG", "Exposition", "Factory", "Fleet", "ServeOptions", "Service", "Watch", "load_factory"]

REOPEN_LOG = "reopen-log"
"""What SIGHUP orders beside a reload: the log's file may have been moved away, and is opened anew."""

Exposition = Callable[[], Awaitable[bytes]]
"""The text of `/metrics`: all processes' together."""


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to serve: the same for all of a gateway but for `worker`."""

    config_path: str | None = None
    config_text: str | None = None
    """What the file said when it was last accepted. A worker that is started later begins with this and not with the
    file, which may have been spoilt since."""
    worker: int = 0
    """Which worker this is, from 0; a restarted one keeps its number."""
    workers: int = 1
    settings: dict[str, Any] = {}
    """Whatever else the factory wants to know."""


class Fleet(Protocol):
    """All processes of a gateway, as one of them sees them."""

    async def reload(self) -> str:
        """Takes the configuration's files into service in all of them, changed or not; its digest.

        Raises a `DragomanError` where it is refused; the old one serves on then.
        """
        ...

    async def order(self, name: str, argument: str = "", /) -> list[Any]:
        """What `Service.obey` gave in each of them that serves."""
        ...


class Service(Protocol):
    """One process's share of a gateway.

    `prepare` does everything of a new configuration that can fail, and the old one serves on; what it returns goes to
    `commit`, which cannot fail, or to `abort`. `drain` returns when no request is left, or its bound is reached; then
    `close` settles and flushes. `close` also comes alone, when `start` has failed.

    `fleet` is set by whoever runs it. `obey` does what one process lets all of them do, and returns plain data.
    """

    metrics: Metrics
    health: Health
    fleet: Fleet | None

    async def start(self, sockets: list[socket.socket], /) -> None: ...

    async def prepare(self, digest: str | None, /) -> Any: ...

    def commit(self, prepared: Any, /) -> None: ...

    def abort(self, prepared: Any, /) -> None: ...

    async def obey(self, name: str, argument: str, /) -> Any: ...

    async def drain(self) -> None: ...

    def close(self) -> None: ...


class Watch(Protocol):
    """Looks after the configuration's files, for all processes: its digest when they changed, or when asked.

    Both raise a `DragomanError` for contents that cannot be used.
    """

    def check(self) -> str | None: ...

    def force(self) -> str: ...

    def accepted(self) -> str | None:
        """The text of the configuration that was last found good, once it is in service."""
        ...


Factory = Callable[[ServeOptions, "Exposition | None"], Service]
"""Makes the service of a process, within its loop. Without an `Exposition` the metrics are the process's own."""


def load_factory(name: str) -> Factory:
    """The factory of this name, `module:function`. Names come from our own code, never from a configuration."""
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function, None)
    if not callable(found):
        raise ConfigError(f"{name} is no factory of services")
    return cast("Factory", found)
