"""Reading a spool from any place on, while its process writes to it or after that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dragoman.ledger.frames import HEAD_BYTES, Ended, after_damage, take_frames
from dragoman.ledger.records import decode_record
from dragoman.ledger.segments import open_segment, segment_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap
    from pathlib import Path

    from dragoman.ledger.records import Record

__all__ = ["START", "Place", "SpoolReader", "read_records"]


class Place(NamedTuple):
    """A place in a spool: before a segment's frame. Places are ordered as what was written is."""

    segment: int
    offset: int


START = Place(0, HEAD_BYTES)


class SpoolReader:
    """Reads on from `place`. `damaged` counts what could not be read and was passed over.

    Records come by `read`, or, for whoever reads them in a way of its own, as `payloads`.

    A frame that is not whole is one that is being written; after it nothing is read until it is. Only when the writer
    is known to be past it (it is dead, or wrote to a later segment) is it damage.
    """

    __slots__ = ("_damaged_at", "_data", "_open_number", "_spool", "damaged", "place")

    def __init__(self, spool: Path, place: Place = START) -> None:
        self._spool = spool
        self._data: mmap | None = None
        self._open_number = -1
        self._damaged_at: Place | None = None
        self.place = place
        self.damaged = 0

    def read(self, most: int, *, dead: bool) -> list[Record]:
        """Up to about `most` records, the oldest first; none when there are no more for now."""
        records: list[Record] = []
        while not records and (payloads := self.payloads(most, dead=dead)):
            for payload in payloads:
                record = decode_record(payload)
                if record is None:
                    self.damaged += 1
                else:
                    records.append(record)
        return records

    def payloads(self, most: int, *, dead: bool) -> list[bytes]:
        """The bytes of up to about `most` records, as they were written. What they say is not looked at."""
        payloads: list[bytes] = []
        while len(payloads) < most:
            if not self._open():
                break
            assert self._data is not None
            taken = take_frames(self._data, self.place.offset, most - len(payloads))
            self.place = Place(self.place.segment, taken.at)
            payloads += taken.payloads
            if taken.ended is not Ended.ENOUGH and not self._pass(taken.ended, dead):
                break
        return payloads

    def close(self) -> None:
        if self._data is not None:
            self._data.close()
            self._data = None

    def _open(self) -> bool:
        """Opens the segment at `place`, or the first one after it if that is gone. Whether there is one."""
        if self._data is not None and self._open_number == self.place.segment:
            return True
        self.close()
        for number in segment_numbers(self._spool):
            if number < self.place.segment:
                continue
            data = open_segment(self._spool, number)
            if data is not None:
                self._data, self._open_number = data, number
                if number != self.place.segment:
                    self.place = Place(number, HEAD_BYTES)
                return True
        return False

    def _pass(self, ended: Ended, dead: bool) -> bool:
        """Goes past what stopped the reading, if it is known that nothing more will be written there."""
        if ended is Ended.SEALED:
            return self._next_segment()
        assert self._data is not None
        if not dead:
            if not self._later_is_begun():
                return False
            again = take_frames(self._data, self.place.offset, 1)
            if again.payloads or again.ended is not ended:
                return True  # the writer was here, and went on to the later segment, between the two looks
        if ended is Ended.DAMAGED:
            if self.place != self._damaged_at:
                self.damaged, self._damaged_at = self.damaged + 1, self.place
            following = after_damage(self._data, self.place.offset)
            if following is not None:
                self.place = Place(self.place.segment, following)
                return True
        return self._next_segment()

    def _later_is_begun(self) -> bool:
        """Whether the writer wrote to a later segment: then what is missing here stays missing."""
        for number in reversed(segment_numbers(self._spool)):
            if number <= self.place.segment:
                return False
            data = open_segment(self._spool, number)
            if data is not None:
                begun = take_frames(data, HEAD_BYTES, 1).payloads
                data.close()
                if begun:
                    return True
        return False

    def _next_segment(self) -> bool:
        """Goes to the beginning of the next segment, if there is one."""
        if not any(number > self.place.segment for number in segment_numbers(self._spool)):
            return False
        self.place = Place(self.place.segment + 1, HEAD_BYTES)
        return True


def read_records(spool: Path, place: Place = START) -> Iterator[Record]:
    """All records from a place on that are wholly there now. For a look; the drain keeps a reader."""
    reader = SpoolReader(spool, place)
    try:
        while records := reader.read(1000, dead=False):
            yield from records
    finally:
        reader.close()
