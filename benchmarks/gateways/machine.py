"""Cores and processes: who runs where, what CPU time and memory a process and all its children took."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "GATEWAY",
    "LOAD",
    "children",
    "cores",
    "cpu_seconds",
    "on_core",
    "own_bytes",
    "resident_bytes",
    "thread_seconds",
]

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cores() -> tuple[int, int]:
    """The core of the gateway and that of the load: the last two that this process may use, or one for both."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[-2] if len(usable) > 1 else usable[-1]


GATEWAY, LOAD = cores()


@contextmanager
def on_core(core: int) -> Generator[None]:
    """What is started inside the block runs on this core alone; so does the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields:
                found[int(entry.name)] = int(fields[1])
    return found


def _fields(process: int) -> Sequence[str]:
    """The fields of `/proc/<pid>/stat` behind the name, which may hold anything; none for a process that is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ()


def children(process: int) -> list[int]:
    """A process, its children, theirs, and so on."""
    parents = _parents()
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def cpu_seconds(process: int) -> float:
    """User and system time of a process and of all below it, those that ended among them."""
    ticks = 0
    for each in children(process):
        fields = _fields(each)
        if fields:
            ticks += sum(map(int, fields[11:15]))  # utime, stime, and those of children that were waited for
    return ticks / _TICK


def thread_seconds(process: int) -> dict[int, float]:
    """User and system time of a process's threads; the first one has the number of the process."""
    found: dict[int, float] = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(task.name)] = sum(map(int, fields[11:13])) / _TICK
    return found


def resident_bytes(process: int) -> int:
    """Resident memory of a process and of all below it."""
    return sum(map(own_bytes, children(process)))


def own_bytes(process: int) -> int:
    """Resident memory of a process alone; 0 for one that is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
