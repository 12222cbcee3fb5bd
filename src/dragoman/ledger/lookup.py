"""One request's records in the spools: what the drain has not carried over yet, and what it left behind for now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dragoman.ledger.births import spools
from dragoman.ledger.frames import HEAD_BYTES, Ended, after_damage, take_frames
from dragoman.ledger.records import Intent, RequestRecord, Settlement, decode_record
from dragoman.ledger.segments import open_segment, segment_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.ledger.records import Record

__all__ = ["Found", "find_in_spools"]


class Found(NamedTuple):
    """A request's attempts with their settlements (None: still open), oldest first, and how it was answered."""

    attempts: list[tuple[Intent, Settlement | None]]
    request: RequestRecord | None


def find_in_spools(directory: str | Path, request_id: str, held: Sequence[Intent] = ()) -> Found:
    """What the spools hold of a request; of intents that the store `held`, the settlements. Reads files: use a thread.

    To look for ended attempts in the store too, look there afterwards: what is carried over in between is found twice.
    """
    intents = {intent.attempt_id: intent for intent in held}
    settlements: dict[bytes, Settlement] = {}
    request: RequestRecord | None = None
    needle = request_id.encode(errors="replace")
    if not needle:
        return Found([], None)
    for spool in spools(Path(directory)):
        sought = [needle, *intents]
        for number in segment_numbers(spool):
            for record in _mentioning(spool, number, sought):
                match record:
                    case Intent() if record.request_id == request_id:
                        intents[record.attempt_id] = record
                        sought.append(record.attempt_id)
                    case Settlement() if record.attempt_id in intents:
                        settlements[record.attempt_id] = record
                    case RequestRecord() if record.request_id == request_id:
                        request = record
                    case _:
                        pass
    found = [(intents[attempt_id], settlements.get(attempt_id)) for attempt_id in sorted(intents)]
    return Found(found, request)


def _mentioning(spool: Path, number: int, sought: list[bytes]) -> Iterator[Record]:
    """The records of a segment, if any of these bytes is in it at all: a search for bytes is far quicker."""
    data = open_segment(spool, number)
    if data is None:
        return
    try:
        if all(data.find(needle) < 0 for needle in sought):
            return
        at = HEAD_BYTES
        while True:
            taken = take_frames(data, at, 1000)
            for payload in taken.payloads:
                if any(needle in payload for needle in sought):
                    record = decode_record(payload)
                    if record is not None:
                        yield record
            at = taken.at
            if taken.ended is Ended.DAMAGED:
                following = after_damage(data, at)
                if following is None:
                    return
                at = following
            elif taken.ended is not Ended.ENOUGH:
                return
    finally:
        data.close()
