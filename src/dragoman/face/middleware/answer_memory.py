"""Answers that are kept in memory: expiring, bounded in number and in bytes; the least recently used goes first.

The library's cache (`cache`) and the gateway's stand on it. It has no lock of its own.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import Response

__all__ = ["AnswerMemory", "Kept", "is_worth_keeping"]

Answer = TypeVar("Answer")

_ENDED_WELL: Final = ("stop", "tool_calls", "length")


def is_worth_keeping(response: Response) -> bool:
    """Whether an answer is complete and would be as good the next time: no refusal, no error, nothing paused."""
    return response.finish_reason in _ENDED_WELL


class Kept(msgspec.Struct, Generic[Answer], frozen=True):
    """An answer, the time since which it is kept and until which it may be, and what it counts for."""

    answer: Answer
    since: float
    until: float
    bytes: int


class AnswerMemory(Generic[Answer]):
    """Answers by a digest of what was asked. `bytes` is the size of all that is kept and set aside: never too large."""

    __slots__ = ("_aside", "_clock", "_kept", "_most_bytes", "_most_entries", "bytes")

    def __init__(self, *, most_entries: int, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[bytes, Kept[Answer]] = OrderedDict()
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._clock = clock
        self._aside = 0
        self.bytes = 0

    def find(self, asked: bytes, youngest_seconds: float = float("inf")) -> tuple[Answer, float] | None:
        """The answer and its age, if one is kept that has not expired and is no older than this."""
        kept = self._kept.get(asked)
        if kept is None:
            return None
        now = self._clock()
        if now >= kept.until:
            self.forget(asked)
            return None
        if now - kept.since >= youngest_seconds:
            return None
        self._kept.move_to_end(asked)
        return kept.answer, now - kept.since

    def keep(self, asked: bytes, answer: Answer, size: int, seconds: float = float("inf")) -> bool:
        """Keeps an answer in place of an earlier one; tells whether there was room for it."""
        self.forget(asked)
        if self._most_entries < 1 or not self._make_room(size):
            return False
        now = self._clock()
        self.bytes += size
        self._kept[asked] = Kept(answer, now, now + seconds, size)
        while len(self._kept) > self._most_entries:
            self._forget_oldest()
        return True

    def set_aside(self, size: int) -> bool:
        """Makes room for an answer that is still being gathered; False where even an empty memory has none."""
        if not self._make_room(size):
            return False
        self._aside += size
        self.bytes += size
        return True

    def give_back(self, size: int) -> None:
        """Room that was set aside is no longer needed."""
        self._aside -= size
        self.bytes -= size

    def _make_room(self, size: int) -> bool:
        if self._aside + size > self._most_bytes:
            return False  # nothing is driven out for what will not fit all the same
        while self.bytes + size > self._most_bytes:
            self._forget_oldest()
        return True

    def forget(self, asked: bytes) -> None:
        kept = self._kept.pop(asked, None)
        if kept is not None:
            self.bytes -= kept.bytes

    def clear(self) -> None:
        """Forgets everything that is kept."""
        while self._kept:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, kept = self._kept.popitem(last=False)
        self.bytes -= kept.bytes

    def __len__(self) -> int:
        return len(self._kept)
