"""Reloading: noticing that a configuration changed, the files that it refers to included.

One process looks (`Reloader.check`, every second or so) and leads the others: each of them reads the files by itself,
and has to find what this one found, by its digest.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.gateway.config.loading import Config

__all__ = ["Reloader", "needs_restart"]

_Stamp = tuple[int, int, int]


class Reloader:
    """Watches the files of a configuration, from the one in use on. `read` loads it, as `load(path)` does."""

    def __init__(self, config: Config, read: Callable[[], Config]) -> None:
        self._read = read
        self._stamps: dict[Path, _Stamp] = {}
        self._contents: dict[Path, bytes] = {}
        self._follow(config)

    def check(self) -> Config | None:
        """The new configuration if the files changed, told once; None otherwise.

        Costs one `stat` a file; they are read only when a time, a size or an inode is another. Files that are absent
        at the moment, as while they are replaced, are no change. Raises `ConfigError` and its kinds for contents that
        cannot be used, once for each change: what is in use stays so.
        """
        stamps = _stamps(self._stamps)
        if stamps is None or stamps == self._stamps:
            return None
        contents = _contents(stamps)
        if contents is None:
            return None
        changed = contents != self._contents
        self._stamps, self._contents = stamps, contents
        return self.force() if changed else None

    def force(self) -> Config:
        """The configuration as it is now, changed or not, as SIGHUP asks for. Raises `ConfigError` and its kinds."""
        config = self._read()
        self._follow(config)
        return config

    def _follow(self, config: Config) -> None:
        paths = [Path(config.file), *sorted({included.path for included in config.included})]
        # Times are learnt at the next look: a file that changed after it was read must not pass for the one read.
        self._stamps = dict.fromkeys(paths, _NEVER)
        self._contents = {Path(config.file): config.text_digest, **dict(config.included)}


_NEVER: Final = (0, 0, 0)


def _stamps(paths: Iterable[Path]) -> dict[Path, _Stamp] | None:
    try:
        return {path: ((found := path.stat()).st_mtime_ns, found.st_size, found.st_ino) for path in paths}
    except OSError:
        return None


def _contents(paths: Iterable[Path]) -> dict[Path, bytes] | None:
    try:
        return {path: sha256(path.read_bytes()).digest() for path in paths}
    except OSError:
        return None


def needs_restart(before: Config, after: Config) -> tuple[str, ...]:
    """Members that changed and that a running process cannot take: it goes on with those it began with."""
    pairs: Iterable[tuple[str, object, object]] = (
        ("server.tls", before.tls is None, after.tls is None),
        *((f"server.{name}", getattr(before.server, name), getattr(after.server, name)) for name in _FIXED),
        ("storage", before.storage, after.storage),
        ("spool", before.spool, after.spool),
        ("log", before.log, after.log),
    )
    return tuple(name for name, old, new in pairs if old != new)


_FIXED: Final = (
    "host port workers max_body_bytes max_header_bytes max_headers max_requests max_bytes_in_flight "
    "header_seconds body_seconds body_total_seconds write_seconds keep_alive_seconds hold_seconds "
    "drain_delay_seconds drain_seconds"
).split()
