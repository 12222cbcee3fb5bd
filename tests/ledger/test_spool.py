"""The spool: room for every settlement, whatever happens to the disk; one life, one spool."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.errors import ConfigError, SpoolFull
from dragoman.ledger import Correction, Intent, RequestRecord, Settlement, Spool, new_attempt_id, read_records
from dragoman.ledger.births import spools
from dragoman.ledger.keeping import Keeper
from dragoman.ledger.segments import segment_numbers, segment_path
from dragoman.ledger.spool import SETTLEMENT_ROOM
from tests.ledger.records import SMALL, intent, is_dead, settlement, write
from tests.servers.process import wait_until


class Disk:
    """A disk that can be full: what `posix_fallocate` says of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failure = 0
        self._allocate = os.posix_fallocate
        monkeypatch.setattr(os, "posix_fallocate", self.allocate)

    def allocate(self, descriptor: int, offset: int, size: int) -> None:
        if self.failure:
            raise OSError(self.failure, os.strerror(self.failure))
        self._allocate(descriptor, offset, size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def spool(tmp_path: Path) -> Generator[Spool]:
    spool = Spool.open(tmp_path, instance="worker-1", segment_bytes=SMALL)
    yield spool
    spool.close()


def next_is_ready(spool: Spool) -> bool:
    return spool.state().prepared


def roll(spool: Spool) -> None:
    """Write until another segment is being written to."""
    begun = spool.state().segment
    while spool.state().segment == begun:
        wait_until(lambda: spool.has_room, 10, "room")
        write(spool)


def fill(spool: Spool) -> list[Intent]:
    """Begin attempts until there is no room for another."""
    opened: list[Intent] = []
    try:
        while True:
            begun = intent(f"req_{len(opened)}")
            spool.intent(begun)
            opened.append(begun)
    except SpoolFull:
        return opened


def test_what_is_written_is_there_at_once(spool: Spool) -> None:
    begun = intent()
    spool.intent(begun)
    assert list(read_records(spool.path)) == [begun]
    spool.settle(settlement(begun))
    assert list(read_records(spool.path)) == [begun, settlement(begun)]
    assert spool.state().open_intents == 0


def test_segments_follow_one_another(spool: Spool) -> None:
    written: list[Intent] = []
    while spool.state().segment < 4:
        wait_until(lambda: spool.has_room, 10, "room")
        written.append(write(spool, f"req_{len(written)}"))
    found = [record for record in read_records(spool.path) if isinstance(record, Intent)]
    assert found == written
    assert spool.state().problem is None


def test_an_attempt_is_settled_in_a_later_segment(spool: Spool) -> None:
    begun = intent("long")
    spool.intent(begun)
    roll(spool)
    roll(spool)
    spool.settle(settlement(begun))
    assert list(read_records(spool.path))[-1] == settlement(begun)


# -- room --------------------------------------------------------------------------------------------------------------


def biggest(of: Intent) -> Settlement:
    return settlement(of, message="m" * 300, usage_details="d" * 478)


def test_every_open_intent_can_be_settled_when_the_disk_is_full(spool: Spool, disk: Disk) -> None:
    wait_until(lambda: next_is_ready(spool), 10, "the next segment")
    disk.failure = errno.ENOSPC
    opened = fill(spool)
    assert len(opened) > SMALL // SETTLEMENT_ROOM  # more than one segment's settlements
    assert not spool.has_room
    for begun in opened:
        spool.settle(biggest(begun))
    assert spool.state().open_intents == 0
    settled = [record.attempt_id for record in read_records(spool.path) if isinstance(record, Settlement)]
    assert settled == [begun.attempt_id for begun in opened]


def test_a_full_disk_refuses_and_recovers_by_itself(spool: Spool, disk: Disk) -> None:
    wait_until(lambda: next_is_ready(spool), 10, "the next segment")
    disk.failure = errno.ENOSPC
    roll(spool)
    opened = fill(spool)
    wait_until(lambda: spool.state().problem is not None, 10, "the problem")
    with pytest.raises(SpoolFull, match="No space left on device"):
        spool.intent(intent())
    disk.failure = 0
    wait_until(lambda: spool.has_room, 10, "room")
    write(spool, "after")
    for begun in opened:
        spool.settle(settlement(begun))
    assert spool.state().problem is None


def test_a_thread_that_gets_no_turn_is_no_reason_to_refuse(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load the thread that prepares segments may come late: the writer prepares them then."""

    def never(_keeper: Keeper) -> None: ...

    monkeypatch.setattr(Keeper, "start", never)
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL)
    try:
        written = 0
        while spool.state().segment < 4:
            assert spool.has_room
            write(spool)
            written += 1
        assert written > 300
        disk.failure = errno.ENOSPC
        opened = fill(spool)  # that there is no room is found out once, and then known
        assert not spool.has_room
        assert spool.state().problem is not None
        for begun in opened:
            spool.settle(biggest(begun))
    finally:
        spool.close()


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_spool_opens_on_a_full_disk(tmp_path: Path, disk: Disk, failure: int) -> None:
    disk.failure = failure
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL)
    try:
        assert not spool.has_room
        with pytest.raises(SpoolFull, match=os.strerror(failure)):
            spool.intent(intent())
        assert segment_numbers(spool.path) == []  # what could not be allocated leaves nothing behind
        disk.failure = 0
        wait_until(lambda: spool.has_room, 10, "room")
        write(spool)
    finally:
        spool.close()


def test_what_waits_to_be_drained_has_a_bound(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, max_bytes=3 * SMALL)
    try:
        for _ in range(2):
            roll(spool)
        opened = fill(spool)
        wait_until(lambda: spool.state().problem is not None, 10, "the problem")
        with pytest.raises(SpoolFull, match="3 segments wait to be drained"):
            spool.intent(intent())
        for begun in opened:
            spool.settle(biggest(begun))
        segment_path(spool.path, 1).unlink()
        wait_until(lambda: spool.has_room, 10, "room")
    finally:
        spool.close()


# Each step: begin attempts with names of a size, or settle some, with messages of a size.
steps = st.lists(
    st.tuples(
        st.sampled_from(["begin", "settle", "correct", "disk", "wait"]), st.integers(0, 3000), st.integers(1, 40)
    ),
    max_size=60,
)


@given(steps=steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_settlements_find_room_whatever_was_done_before(
    tmp_path: Path, disk: Disk, steps: list[tuple[str, int, int]]
) -> None:
    disk.failure = 0
    spool = Spool.open(tmp_path, instance="model", segment_bytes=SMALL)
    expected: list[bytes] = []
    opened: list[Intent] = []
    try:
        for what, size, times in steps:
            match what:
                case "disk":
                    disk.failure = 0 if disk.failure else errno.ENOSPC
                case "wait":
                    if not disk.failure:
                        wait_until(lambda: spool.has_room or spool.state().problem is None, 10, "the keeper")
                case _:
                    for turn in range(times):
                        _do(spool, what, size, opened, expected, turn)
        for begun in opened:
            spool.settle(biggest(begun))
            expected.append(begun.attempt_id)
        found = [record.attempt_id for record in read_records(spool.path) if not isinstance(record, RequestRecord)]
        assert found == expected
    finally:
        spool.close()


def _do(spool: Spool, what: str, size: int, opened: list[Intent], expected: list[bytes], turn: int) -> None:
    try:
        if what == "begin":
            begun = intent("r" * size)
            spool.intent(begun)
            opened.append(begun)
            expected.append(begun.attempt_id)
        elif what == "settle" and opened:
            # Not drawn: how many are open depends on when the thread found that the disk has room again.
            ended = opened.pop((size + 7 * turn) % len(opened))
            spool.settle(settlement(ended, message="m" * size))
            expected.append(ended.attempt_id)
        elif what == "correct":
            attempt_id = new_attempt_id()
            spool.correct(
                Correction(
                    correction_id=new_attempt_id(),
                    attempt_id=attempt_id,
                    at=0.0,
                    amount="1",
                    basis="reported",
                    reason="r" * size,
                )
            )
            expected.append(attempt_id)
    except SpoolFull:
        assert what != "settle"


# -- misuse ------------------------------------------------------------------------------------------------------------


def test_an_attempt_is_settled_once(spool: Spool) -> None:
    begun = write(spool)
    with pytest.raises(ValueError, match="is not open"):
        spool.settle(settlement(begun))
    spool.intent(begun)
    with pytest.raises(ValueError, match="is open already"):
        spool.intent(begun)
    assert len(list(read_records(spool.path))) == 3


def test_how_a_request_was_answered_is_left_out_without_room(spool: Spool, disk: Disk) -> None:
    record = RequestRecord(request_id="r", at=0.0, key="", team="", route="", status=200, adaptations="x" * 2000)
    assert spool.request(record)
    wait_until(lambda: next_is_ready(spool), 10, "the next segment")
    disk.failure = errno.ENOSPC
    fill(spool)
    assert not spool.request(record)


@pytest.mark.parametrize("instance", ["", "a/b", "..", "a.b", "x" * 65, "é"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, instance: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a spool"):
        Spool.open(tmp_path, instance=instance)
    assert spools(tmp_path) == []


@pytest.mark.parametrize("sizes", [{"segment_bytes": 4096}, {"segment_bytes": SMALL, "max_bytes": SMALL}])
def test_sizes_that_cannot_work_are_refused(tmp_path: Path, sizes: Any) -> None:
    with pytest.raises(ConfigError, match="cannot work"):
        Spool.open(tmp_path, instance="w", **sizes)


# -- lives -------------------------------------------------------------------------------------------------------------


def test_each_life_has_a_spool_of_its_own(tmp_path: Path) -> None:
    first = Spool.open(tmp_path, instance="worker-1", segment_bytes=SMALL)
    second = Spool.open(tmp_path, instance="worker-1", segment_bytes=SMALL)
    try:
        assert spools(tmp_path) == [first.path, second.path]
        assert not is_dead(first.path)
        first.close()
        first.close()
        assert is_dead(first.path)
        assert not is_dead(second.path)
        with pytest.raises(SpoolFull):
            first.intent(intent())
    finally:
        second.close()


def test_a_closed_spool_leaves_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    import threading

    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL)
    for _ in range(3):
        roll(spool)
    spool.close()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, descriptors)


# -- the disk ----------------------------------------------------------------------------------------------------------


def test_synced_waits_for_the_disk_once_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    really = os.fdatasync

    def count(descriptor: int) -> None:
        really(descriptor)
        synced.append(descriptor)

    monkeypatch.setattr(os, "fdatasync", count)
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, sync="group")

    async def attempt() -> None:
        begun = intent()
        spool.intent(begun)
        await spool.synced()
        spool.settle(settlement(begun))

    async def many() -> None:
        await asyncio.gather(*(attempt() for _ in range(20)))

    try:
        asyncio.run(many())
        assert 1 <= len(synced) < 20
        before = len(synced)
        roll(spool)
        asyncio.run(spool.synced())
        assert len(synced) >= before + 2  # the full segment, and the one after it
    finally:
        spool.close()


def test_without_sync_nothing_is_waited_for(spool: Spool) -> None:
    steps = spool.synced().__await__()
    with pytest.raises(StopIteration):
        next(steps)


def test_a_disk_that_fails_is_told_to_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, sync="group")
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", fail)
            with pytest.raises(SpoolFull, match="Input/output error"):
                asyncio.run(spool.synced())
        asyncio.run(spool.synced())
    finally:
        spool.close()


def test_waiting_for_the_disk_can_be_given_up(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, instance="w", segment_bytes=SMALL, sync="group")

    async def give_up() -> None:
        waiting = asyncio.ensure_future(spool.synced())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await spool.synced()

    try:
        asyncio.run(give_up())
    finally:
        spool.close()
