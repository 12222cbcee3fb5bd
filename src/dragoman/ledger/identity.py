"""Ids of attempts: 16 bytes in the form of RFC 9562's UUID version 7, so that they sort by time."""

from __future__ import annotations

import os
import time
from struct import Struct

__all__ = ["id_at", "new_attempt_id", "time_of"]

_VERSION = 7 << 12
_VARIANT = 2 << 62
_pack = Struct(">QQ").pack
_TAIL = (1 << 62) - 1
_PER_MILLISECOND = 4096


class _Ids:
    """Ids of one process, strictly rising: time in 1/4096 ms, then a number that begins at random and counts on."""

    __slots__ = ("_last", "_tail")

    def __init__(self) -> None:
        self._last = 0
        self.restart()

    def restart(self) -> None:
        self._tail = int.from_bytes(os.urandom(8), "big") & _TAIL

    def new(self) -> bytes:
        now = time.time_ns() * _PER_MILLISECOND // 1_000_000
        if now <= self._last:  # the clock stands still, or was set back
            now = self._last + 1
        self._last = now
        self._tail = tail = (self._tail + 1) & _TAIL
        return _pack(((now >> 12) << 16) | _VERSION | (now & 0xFFF), _VARIANT | tail)


_ids = _Ids()
new_attempt_id = _ids.new
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.restart)  # parent and child would count on from one number


def time_of(attempt_id: bytes) -> float:
    """When the id was made, in Unix seconds."""
    return int.from_bytes(attempt_id[:6], "big") / 1000


def id_at(at: float) -> bytes:
    """The least id of a time in Unix seconds: ids made from then on are not below it."""
    return (max(0, int(at * 1000)) << 80).to_bytes(16, "big")
