"""Which spools there are, and which of them belong to a process that lives.

Each life of a process has a spool of its own: a directory `<instance>.<time-ordered id>` that no later life writes to.
The lock on the file `lock` in it is the proof of life, for the kernel releases it when the process ends, however that
happens. A spool is made, and is tested for life, only under the lock on the file `births`: nobody can mistake a spool
that is being made for one whose process died.

Locks are those of flock(2), which belong to the open file: a child that is forked and not executed would hold them on,
so `Spool` closes its copy in such a child. They hold on one machine; a network file system is no place for a spool.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import ConfigError
from dragoman.ledger.identity import new_attempt_id

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Claim", "claim_if_dead", "give_birth", "left_behind", "remove_spool", "spools", "try_lock"]

_INSTANCE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_SPOOL = re.compile(r"[A-Za-z0-9_-]{1,64}\.[0-9a-f]{32}\Z")
_LOCK = "lock"
_BIRTHS = "births"


class Claim:
    """A lock that is held until `release`, or until this process ends."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock up; again, does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def spools(directory: Path) -> list[Path]:
    """All spools, in the order in which they were made."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = [name for name in names if _SPOOL.match(name)]
    return [directory / name for name in sorted(found, key=lambda name: name.rpartition(".")[2])]


def try_lock(path: Path) -> Claim | None:
    """The lock on a file, which is made if need be; None when somebody holds it."""
    return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(path: Path, how: int) -> Claim | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return Claim(descriptor)


@contextmanager
def _births(directory: Path) -> Generator[None]:
    claim = _lock(directory / _BIRTHS, fcntl.LOCK_EX)
    assert claim is not None
    try:
        yield
    finally:
        claim.release()


def give_birth(directory: Path, instance: str) -> tuple[Path, Claim]:
    """A new spool with its lock. Raises `ConfigError` for an instance that cannot be part of a file name."""
    if not _INSTANCE.match(instance):
        raise ConfigError(f"{instance!r} cannot name a spool: use up to 64 letters, digits, '-' and '_'")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    spool = directory / f"{instance}.{new_attempt_id().hex()}"
    with _births(directory):
        spool.mkdir(mode=0o700)
        claim = try_lock(spool / _LOCK)
    assert claim is not None
    return spool, claim


def claim_if_dead(spool: Path) -> Claim | None:
    """The lock of a spool whose process is gone; None while it lives. While the claim is held nobody else gets it."""
    with _births(spool.parent):
        return try_lock(spool / _LOCK) if spool.is_dir() else None


def left_behind(directory: str | Path) -> bool:
    """Whether a spool's process is gone, and nobody has claimed it yet."""
    for spool in spools(Path(directory)):
        claim = claim_if_dead(spool)
        if claim is not None:
            claim.release()
            return True
    return False


def remove_spool(spool: Path, claim: Claim) -> None:
    """Removes a spool that was claimed, with all its files."""
    shutil.rmtree(spool, ignore_errors=True)
    claim.release()
