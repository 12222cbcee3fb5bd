"""The drain: carries what the spools hold into a store, each record once, and removes what has been carried over.

One drain runs at a time; a lock on the file `drain` elects it among the processes of a machine. For each spool the
store keeps a place and the intents that are still open there, and `Store.apply` moves both on in the same transaction
that adds the rows. So a drain that is killed at any instant is continued by the next one where the last commit left it.
A segment goes once a commit has passed it; what is open in it is in the store by then, so that one long answer does not
keep all segments after it.

Attempts become rows when they are settled. When a spool is found dead, its last records are read, and in one
transaction its orphans are booked (`closing`) and the spool is marked as finished; then its files go.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from dragoman.ledger.births import claim_if_dead, remove_spool, spools, try_lock
from dragoman.ledger.closing import close_at_bound, lost_intent
from dragoman.ledger.reading import START, Place, SpoolReader
from dragoman.ledger.records import Intent, Settlement, decode_record
from dragoman.ledger.rows import attempt_row, fields_of, fields_of_record
from dragoman.ledger.segments import segment_numbers, segment_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.ledger.births import Claim
    from dragoman.ledger.rows import Row

__all__ = ["Batch", "Drain", "Standing", "Store"]

_LOCK = "drain"
BATCH_RECORDS = 4000


class Standing(NamedTuple):
    """How far a spool has been carried over: the place, the intents that are open there, and whether that is all."""

    place: Place = START
    open_intents: Sequence[bytes] = ()
    """Their payloads, as they stood in the spool."""
    finished: bool = False


class Batch(msgspec.Struct, kw_only=True):
    """One step of one spool, to be applied whole or not at all. `before` is the place that the store must have.

    Rows are the fields of their records in order; an attempt's are its intent's, then its settlement's without the id.
    `opened` are ids with the payloads of their intents, `closed` ids that were opened by an earlier batch.
    """

    spool: str
    before: Place
    after: Place
    attempts: list[Row] = []
    corrections: list[Row] = []
    requests: list[Row] = []
    opened: list[tuple[bytes, bytes]] = []
    closed: list[bytes] = []
    finished: bool = False


class Store(Protocol):
    """Where the drain carries records to."""

    def standing(self, spool: str) -> Standing:
        """How far a spool was carried over; `Standing()` for one that is new."""
        ...

    def apply(self, batch: Batch) -> None:
        """Adds a batch in one transaction that is on the disk when this returns."""
        ...

    def forget(self, spool: str) -> None:
        """Drops the standing of a finished spool whose files are gone."""
        ...

    def finished(self) -> Sequence[str]:
        """The finished spools whose standing was not dropped yet."""
        ...

    def close(self) -> None:
        """Lets go of its connections, until it is asked again."""
        ...


class _Source:
    """One spool that is being drained: where its reader stands, and what is open, as fields and as payload."""

    __slots__ = ("claim", "finished", "open", "path", "reader")

    def __init__(self, path: Path, standing: Standing) -> None:
        self.path = path
        self.reader = SpoolReader(path, standing.place)
        self.open: dict[bytes, tuple[Row, bytes]] = {}
        for payload in standing.open_intents:
            fields = fields_of(payload)
            assert fields is not None  # or it would not have been stored
            self.open[fields[1]] = fields, payload
        self.finished = standing.finished
        self.claim: Claim | None = None

    def batch(self, most: int) -> Batch:
        """What is to be carried over next. It may be empty, and still have passed a segment's end."""
        before = self.reader.place
        payloads = self.reader.payloads(most, dead=self.claim is not None)
        batch = Batch(spool=self.path.name, before=before, after=self.reader.place)
        self._sort(payloads, batch)
        return batch

    def _sort(self, payloads: list[bytes], batch: Batch) -> None:
        fresh: dict[bytes, tuple[Row, bytes]] = {}
        for payload in payloads:
            fields = fields_of(payload)
            if fields is None:
                self.reader.damaged += 1
                continue
            match fields[0]:
                case "s":
                    begun = fresh.pop(fields[1], None) or self._close(fields[1], batch) or _lost(payload)
                    batch.attempts.append(attempt_row(begun[0], fields))
                case "i":
                    fresh[fields[1]] = fields, payload
                case "c":
                    batch.corrections.append(fields[1:])
                case _:
                    batch.requests.append(fields[1:])
        self.open.update(fresh)
        batch.opened += [(attempt_id, payload) for attempt_id, (_, payload) in fresh.items()]

    def _close(self, attempt_id: bytes, batch: Batch) -> tuple[Row, bytes] | None:
        """An intent that an earlier batch has opened."""
        begun = self.open.pop(attempt_id, None)
        if begun is not None:
            batch.closed.append(attempt_id)
        return begun

    def finish(self, batch: Batch, now: float) -> None:
        """Books the orphans of a dead spool that has been read to its end."""
        for fields, payload in self.open.values():
            intent = decode_record(payload)
            assert isinstance(intent, Intent)
            batch.attempts.append(attempt_row(fields, fields_of_record(close_at_bound(intent, now))))
        batch.closed.extend(self.open)
        self.open.clear()
        batch.finished = self.finished = True

    def let_go(self) -> None:
        self.reader.close()
        if self.claim is not None:
            self.claim.release()


class Drain:
    """Drains all spools of a directory. Not for several threads at once.

    `carried` counts the attempts that became rows, `damaged` the records that could not be read (a power failure, or a
    newer version's).
    """

    def __init__(
        self,
        directory: str | Path,
        store: Store,
        *,
        batch_records: int = BATCH_RECORDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = Path(directory)
        self._store = store
        self._batch_records = batch_records
        self._clock = clock
        self._sources: dict[str, _Source] = {}
        self._election: Claim | None = None
        self._looked_back = False
        self.carried = 0
        self.damaged = 0

    def elect(self) -> bool:
        """Whether this drain is the one that may run; it stays so until `close`, or its process ends."""
        if self._election is None:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._election = try_lock(self._directory / _LOCK)
            self._looked_back = False
        return self._election is not None

    def step(self) -> bool:
        """Carries up to one batch of each spool over, the oldest spool first; False when there was nothing to do.

        Raises what the store raises; then nothing of that batch was carried over, and the next step tries it again.
        """
        if not self.elect():
            return False
        if not self._looked_back:
            self._look_back()
        worked = False
        for path in spools(self._directory):
            worked = self._step_of(path) or worked
        return worked

    def run_dry(self) -> None:
        """Steps until nothing is left for now."""
        while self.step():
            pass

    def close(self) -> None:
        """Lets another drain be elected."""
        for source in self._sources.values():
            source.let_go()
        self._sources.clear()
        self._store.close()
        if self._election is not None:
            self._election.release()
            self._election = None

    def _look_back(self) -> None:
        """Forgets the spools that a drain which was killed had finished and removed."""
        for name in self._store.finished():
            if not (self._directory / name).exists():
                self._store.forget(name)
        self._looked_back = True

    def _step_of(self, path: Path) -> bool:
        source = self._sources.get(path.name)
        if source is None:
            source = self._sources[path.name] = _Source(path, self._store.standing(path.name))
        if source.claim is None:
            source.claim = claim_if_dead(path)
        if source.finished:  # by a drain that died before it removed the files
            if source.claim is not None:
                self._remove(source)
            return False
        try:
            return self._carry(source)
        except BaseException:
            # What the source knows may be ahead of the store now; it is asked again.
            source.let_go()
            self._sources.pop(path.name, None)
            raise

    def _carry(self, source: _Source) -> bool:
        damaged = source.reader.damaged
        batch = source.batch(self._batch_records)
        passed = batch.after != batch.before
        if not passed and source.claim is not None:
            source.finish(batch, self._clock())
        if passed or batch.finished:
            self._store.apply(batch)
        self.carried += len(batch.attempts)
        self.damaged += source.reader.damaged - damaged
        if batch.finished:
            self._remove(source)
        elif batch.after.segment > batch.before.segment:
            _remove_segments(source.path, batch.after.segment)
        return passed

    def _remove(self, source: _Source) -> None:
        assert source.claim is not None
        source.reader.close()
        remove_spool(source.path, source.claim)
        self._sources.pop(source.path.name, None)
        if not source.path.exists():
            self._store.forget(source.path.name)


def _lost(payload: bytes) -> tuple[Row, bytes]:
    """What stands for the intent of this settlement, which the spool does not hold."""
    settlement = decode_record(payload)
    assert isinstance(settlement, Settlement)
    return fields_of_record(lost_intent(settlement)), b""


def _remove_segments(spool: Path, before: int) -> None:
    for number in segment_numbers(spool):
        if number < before:
            segment_path(spool, number).unlink(missing_ok=True)
