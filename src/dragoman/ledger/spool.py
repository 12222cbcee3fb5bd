"""The spool: where a process writes its intents and settlements down, in the kernel's hands when a call returns.

Writing is a copy into a memory-mapped file whose blocks are allocated beforehand: no system call, no wait, and what was
written survives the death of the process at any instant. A thread (`keeping`) prepares the next segment ahead of need.

**Room.** Each intent sets the room of its settlement aside. Let a segment with c bytes left have c // R places (R =
`SETTLEMENT_ROOM`, the most that a settlement takes). Filled in order by settlements of at most R bytes, it takes at
least that many before one does not fit. So as long as

    places of the current segment + places of the prepared one ≥ open intents

every settlement finds room, wherever the segments change. An intent is written only if that holds afterwards, its own
settlement counted; else it is refused with `SpoolFull`. A settlement takes one place at most and gives one free.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from dragoman.errors import ConfigError, SpoolFull
from dragoman.ledger.births import give_birth
from dragoman.ledger.frames import FRAME_HEAD, HEAD_BYTES, frame_size, put_frame, put_seal
from dragoman.ledger.keeping import Keeper
from dragoman.ledger.records import (
    INTENT_BYTES,
    SETTLEMENT_BYTES,
    encode_intent,
    encode_record,
    encode_settlement,
)
from dragoman.ledger.segments import segment_numbers

if TYPE_CHECKING:
    from dragoman.ledger.births import Claim
    from dragoman.ledger.frames import Writable
    from dragoman.ledger.records import Correction, Intent, RequestRecord, Settlement

__all__ = ["MAX_BYTES", "SEGMENT_BYTES", "SETTLEMENT_ROOM", "Spool", "SpoolState", "Sync"]

Sync = Literal["none", "group"]
SEGMENT_BYTES = 16 * 1024 * 1024
MAX_BYTES = 1024 * 1024 * 1024
SETTLEMENT_ROOM = (SETTLEMENT_BYTES + FRAME_HEAD + 7) & ~7
_LEAST_BYTES = 4 * INTENT_BYTES
_ORDINARY_INTENT = 2048


class SpoolState(NamedTuple):
    """How a spool stands.

    `segment` is the one being written; `prepared` says whether the next one is there, `problem` why it cannot be made.
    """

    open_intents: int
    segment: int
    bytes_left: int
    has_room: bool
    prepared: bool
    problem: str | None


class Spool:
    """One process's spool. Not for several threads at once: the loop that makes the attempts writes here.

    A forked child has no spool: what it inherits takes no intents.
    """

    __slots__ = ("__weakref__", "_at", "_claim", "_data", "_end", "_keeper", "_open", "path", "waits")

    def __init__(self, path: Path, claim: Claim, keeper: Keeper, sync: Sync) -> None:
        self.path = path
        self._claim = claim
        self._keeper = keeper
        self.waits = sync == "group"
        """Whether `synced` waits for the disk."""
        self._open: set[bytes] = set()
        self._data: Writable = bytearray()
        # Without a segment to write to, there is no room: that is what the arithmetic below comes to.
        self._at = self._end = 0

    @classmethod
    def open(
        cls,
        directory: str | Path,
        *,
        instance: str,
        segment_bytes: int = SEGMENT_BYTES,
        max_bytes: int | None = None,
        sync: Sync = "none",
    ) -> Spool:
        """A new spool in `directory`, with a lock that tells others that this process lives.

        `max_bytes` (1 GiB, or four segments if that is more) bounds what may wait to be drained; beyond it intents are
        refused, as when the disk is full. With `sync="group"`, `synced` waits for the disk. A disk that is full already
        is no error here: `has_room` is False until there is room. Raises `ConfigError` for sizes that cannot work,
        OSError for a directory that cannot be made or locked.
        """
        if max_bytes is None:
            max_bytes = max(MAX_BYTES, 4 * segment_bytes)
        if segment_bytes < _LEAST_BYTES or max_bytes < 2 * segment_bytes:
            raise ConfigError(
                f"segment_bytes {segment_bytes:,} and max_bytes {max_bytes:,} cannot work: a segment takes at least "
                f"{_LEAST_BYTES:,} bytes, and there must be room for two"
            )
        path, claim = give_birth(Path(directory), instance)
        keeper = Keeper(path, segment_bytes, max_bytes, durable=sync == "group")
        spool = cls(path, claim, keeper, sync)
        keeper.prepare()
        if keeper.next is not None:
            spool._turn()
        keeper.start()
        _living.add(spool)
        return spool

    def intent(self, record: Intent) -> None:
        """Writes an intent, and sets the room for its settlement aside. Raises `SpoolFull` when there is none."""
        self.begin(record.attempt_id, encode_intent(record))

    def settle(self, record: Settlement) -> None:
        """Writes the settlement of an open intent, once. There is room for it, always."""
        self.end(record.attempt_id, encode_settlement(record))

    def begin(self, attempt_id: bytes, payload: bytes) -> None:
        """As `intent`, from its bytes."""
        opened = self._open
        if attempt_id in opened:
            raise ValueError(f"attempt {attempt_id.hex()} is open already")
        size = frame_size(payload)
        wanted = len(opened) + 1
        at = self._at
        if self._end - at - size < wanted * SETTLEMENT_ROOM:
            self._make_room(size, wanted)
            at = self._at
        put_frame(self._data, at, payload)
        self._at = at + size
        opened.add(attempt_id)

    def end(self, attempt_id: bytes, payload: bytes) -> None:
        """As `settle`, from its bytes."""
        if attempt_id not in self._open:
            raise ValueError(f"attempt {attempt_id.hex()} is not open")
        size = frame_size(payload)
        if self._end - self._at < size:
            self._turn()
        at = self._at
        put_frame(self._data, at, payload)
        self._at = at + size
        self._open.remove(attempt_id)

    def correct(self, record: Correction) -> None:
        """Writes a correction. Raises `SpoolFull` when there is no room."""
        self._append(encode_record(record))

    def request(self, record: RequestRecord) -> bool:
        """Writes how a request was answered. It is for information: without room it is left out, which False says."""
        try:
            self._append(encode_record(record))
        except SpoolFull:
            return False
        return True

    async def synced(self) -> None:
        """Returns once all that was written before is on the disk; at once with `sync="none"`.

        Raises `SpoolFull` when the disk fails. May be cancelled at any time.
        """
        if self.waits:
            await self._keeper.synced()

    @property
    def has_room(self) -> bool:
        """Whether an intent of ordinary size would be taken now, as far as is known."""
        return self._may_prepare or self._turns_for(_ORDINARY_INTENT, len(self._open) + 1) is not None

    def state(self) -> SpoolState:
        """How it stands, for metrics and readiness."""
        keeper = self._keeper
        number = 0 if keeper.current is None else keeper.current.number
        left, prepared = self._end - self._at, keeper.next is not None
        return SpoolState(len(self._open), number, left, self.has_room, prepared, keeper.problem)

    def segments(self) -> int:
        """How many segments there are of it. Looks into the directory."""
        return len(segment_numbers(self.path))

    def close(self) -> None:
        """Gives up the lock; whoever drains finds the spool dead. Intents that are open stay so, and become unknown.

        What waits for `synced` is served first. Again, does nothing.
        """
        if self in _living:
            _living.discard(self)
            self._data, self._at, self._end = bytearray(), 0, 0
            self._keeper.stop()
            self._claim.release()

    def _append(self, payload: bytes) -> None:
        size = frame_size(payload)
        self._make_room(size, len(self._open))
        put_frame(self._data, self._at, payload)
        self._at += size

    def _turns_for(self, size: int, places: int) -> bool | None:
        """Whether a frame goes to the next segment, so that this many places are left after it; None: they are not."""
        following = self._keeper.next
        left = self._end - self._at - size
        spare = 0 if following is None else following.room
        if left >= 0:
            enough = left // SETTLEMENT_ROOM + spare // SETTLEMENT_ROOM >= places
            return False if enough else None
        return True if spare >= size and (spare - size) // SETTLEMENT_ROOM >= places else None

    @property
    def _may_prepare(self) -> bool:
        """Whether the next segment is missing for no known reason: the thread that makes it did not get its turn."""
        return self._keeper.next is None and self._keeper.problem is None

    def _make_room(self, size: int, places: int) -> None:
        turns = self._turns_for(size, places)
        if turns is None and self._may_prepare:
            # Two milliseconds for 16 MiB, as a last resort; the alternative is to refuse while the disk has room.
            self._keeper.prepare()
            turns = self._turns_for(size, places)
        if turns is None:
            problem = self._keeper.problem or "too many attempts are open"
            raise SpoolFull(f"the ledger has no room for another attempt: {problem}. Nothing was sent; try again later")
        if turns:
            self._turn()

    def _turn(self) -> None:
        """Goes on to the prepared segment."""
        if self._keeper.next is None:
            # Only a closed or inherited spool comes here with a settlement: the rule of room sees to that.
            raise SpoolFull(f"the ledger cannot be written to: {self._keeper.problem}")
        if self._at:
            put_seal(self._data, self._at)
        following = self._keeper.take()
        self._data, self._at, self._end = following.data, HEAD_BYTES, following.end

    def _inherited(self) -> None:
        self._data, self._at, self._end = bytearray(), 0, 0
        self._keeper.forget()
        self._claim.release()


_living: weakref.WeakSet[Spool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for spool in list(_living):
        spool._inherited()  # pyright: ignore[reportPrivateUsage] - of this module
        _living.discard(spool)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
