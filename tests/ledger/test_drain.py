"""The drain: each record once, orphans of the dead at their bound, and files that go when they are done with."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from dragoman.errors import ConfigError
from dragoman.ledger import (
    Batch,
    Correction,
    Drain,
    DrainThread,
    Intent,
    RequestRecord,
    Spool,
    SpoolReader,
    drain_thread,
    new_attempt_id,
)
from dragoman.ledger.births import spools
from dragoman.ledger.frames import HEAD_BYTES
from dragoman.ledger.segments import segment_numbers, segment_path
from dragoman.storage import Engine, LedgerStore, find_request, latest_attempts, open_database, sums
from dragoman.storage.tables import attempts
from tests.ledger.draining import url
from tests.ledger.records import SMALL, intent, settlement, write
from tests.servers.process import wait_until


class Ledger:
    """A directory of spools, a database, and one drain at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "spool"
        self.engine: Engine = open_database(url(directory))
        self.store = LedgerStore(self.engine)
        self.drain = self.new_drain()
        self._opened: list[Spool] = []

    def new_drain(self, **options: Any) -> Drain:
        return Drain(self.directory, self.store, clock=lambda: 1_800_000_010.0, **options)

    def spool(self, instance: str = "w", **options: Any) -> Spool:
        spool = Spool.open(self.directory, instance=instance, segment_bytes=SMALL, **options)
        self._opened.append(spool)
        return spool

    def rows(self, columns: str = "request_id, outcome, basis, cost") -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT {columns} FROM attempts ORDER BY sequence")  # noqa: S608
            return [tuple(row) for row in found]

    def count(self, table: str) -> int:
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608

    def restart_drain(self) -> None:
        self.drain.close()
        self.drain = self.new_drain()

    def close(self) -> None:
        for spool in self._opened:
            spool.close()
        self.drain.close()
        self.engine.dispose()


@pytest.fixture
def ledger(tmp_path: Path) -> Generator[Ledger]:
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.close()


def test_the_columns_are_the_records_fields_in_their_order() -> None:
    names = [column.name for column in attempts.columns][1:]
    settled = settlement(intent()).__struct_fields__[1:]
    expected = [*Intent.__struct_fields__, *settled]
    expected[expected.index("at")] = "started_at"
    expected[expected.index("at")] = "ended_at"
    assert names == expected


def test_a_settled_attempt_becomes_a_row(ledger: Ledger) -> None:
    spool = ledger.spool()
    begun = intent("req_1", stream=True, number=2, reason="the first one failed")
    ended = settlement(begun, outcome="error", status=429, error="RateLimited", message="slow down", adaptations=3)
    spool.intent(begun)
    spool.settle(ended)
    ledger.drain.run_dry()
    assert latest_attempts(ledger.engine, most=10) == ([(begun, ended)], 1)
    assert not ledger.drain.step()
    assert ledger.drain.carried == 1


def test_an_open_intent_travels_with_the_place(ledger: Ledger) -> None:
    spool = ledger.spool()
    begun = intent("slow")
    spool.intent(begun)
    ledger.drain.run_dry()
    assert (ledger.rows(), ledger.count("open_attempts")) == ([], 1)
    ledger.restart_drain()
    spool.settle(settlement(begun))
    ledger.drain.run_dry()
    assert (ledger.rows(), ledger.count("open_attempts")) == ([("slow", "ok", "computed", "0.1")], 0)


def test_segments_go_when_they_are_passed_although_an_attempt_in_them_is_open(ledger: Ledger) -> None:
    spool = ledger.spool()
    begun = intent("long")
    spool.intent(begun)
    while spool.state().segment < 4:
        wait_until(lambda: spool.has_room, 10, "room")
        write(spool)
    ledger.drain.run_dry()
    assert segment_numbers(spool.path)[0] == 4
    ledger.restart_drain()
    spool.settle(settlement(begun))
    ledger.drain.run_dry()
    assert ledger.rows("request_id")[-1] == ("long",)


def test_orphans_of_the_dead_are_booked_at_their_bound(ledger: Ledger) -> None:
    spool = ledger.spool()
    spool.intent(intent("bounded", at=1_800_000_000.0))
    spool.intent(intent("unbounded", bound=None))
    write(spool, "settled")
    ledger.drain.run_dry()
    assert len(ledger.rows()) == 1  # it lives: what is open is open
    spool.intent(intent("later"))
    spool.close()
    ledger.drain.run_dry()
    assert sorted(ledger.rows()) == [
        ("bounded", "unknown", "bound", "0.25"),
        ("later", "unknown", "bound", "0.25"),
        ("settled", "ok", "computed", "0.1"),
        ("unbounded", "unknown", "unknown", None),
    ]
    (found,) = find_request(ledger.engine, ledger.directory, "bounded").attempts
    assert found[1] is not None
    assert (found[1].sent, found[1].duration_seconds) == ("maybe", 10.0)
    assert spools(ledger.directory) == []
    assert (ledger.count("open_attempts"), ledger.count("spools")) == (0, 0)


def test_a_spool_whose_process_died_before_it_wrote_just_goes(ledger: Ledger) -> None:
    ledger.spool().close()
    half_made = ledger.directory / f"w.{new_attempt_id().hex()}"  # killed between two steps of making it
    half_made.mkdir()
    ledger.drain.run_dry()
    assert spools(ledger.directory) == []
    assert ledger.rows() == []


def test_a_segment_that_was_never_finished_is_no_obstacle(ledger: Ledger) -> None:
    spool = ledger.spool()
    write(spool)
    wait_until(lambda: len(segment_numbers(spool.path)) == 2, 10, "the next segment")
    spool.close()
    segment_path(spool.path, 2).write_bytes(bytes(100))
    segment_path(spool.path, 3).write_bytes(b"")
    ledger.drain.run_dry()
    assert len(ledger.rows()) == 1
    assert spools(ledger.directory) == []


@pytest.mark.parametrize("point", ["apply", "commit", "remove", "forget"])
def test_a_drain_that_fails_anywhere_is_continued(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Each place between two effects: before the commit, after it, before the files go, before the standing goes."""
    spool = ledger.spool()
    for number in range(50):
        write(spool, f"req_{number}")
    spool.intent(intent("orphan"))
    spool.close()

    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    apply = LedgerStore.apply

    def apply_and_die(store: LedgerStore, batch: Batch) -> None:
        apply(store, batch)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        match point:
            case "apply":
                patched.setattr(LedgerStore, "apply", die)
            case "commit":
                patched.setattr(LedgerStore, "apply", apply_and_die)
            case "remove":
                patched.setattr("dragoman.ledger.drain.remove_spool", die)
            case _:
                patched.setattr(LedgerStore, "forget", die)
        for _ in range(6):
            ledger.drain.close()
            ledger.drain = ledger.new_drain(batch_records=20)
            try:
                ledger.drain.run_dry()
            except KeyboardInterrupt:
                pass
    ledger.restart_drain()
    ledger.drain.run_dry()
    names = [row[0] for row in ledger.rows()]
    assert sorted(names) == sorted([*(f"req_{number}" for number in range(50)), "orphan"])
    assert spools(ledger.directory) == []


def test_a_failed_step_is_taken_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = ledger.spool()
    begun = intent("slow")
    spool.intent(begun)
    ledger.drain.run_dry()
    spool.settle(settlement(begun))
    write(spool)
    add = "dragoman.storage.ledger_store._add"

    def disk_full(*_arguments: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(add, disk_full)
        with pytest.raises(OperationalError):
            ledger.drain.step()
    assert ledger.rows() == []
    ledger.drain.run_dry()
    assert ledger.rows("request_id") == [("slow",), ("req_1",)]
    assert ledger.count("open_attempts") == 0


def test_one_drain_is_elected(ledger: Ledger) -> None:
    other = ledger.new_drain()
    assert ledger.drain.elect()
    assert not other.elect()
    write(ledger.spool())
    other.run_dry()
    assert ledger.rows() == []
    ledger.drain.close()
    assert other.elect()
    other.run_dry()
    assert len(ledger.rows()) == other.carried == 1
    other.close()


def test_a_batch_is_not_applied_from_another_place(ledger: Ledger) -> None:
    """Two drains that do not see each other's lock: the second one's batch is refused by the database."""
    spool = ledger.spool()
    write(spool)
    taken: list[Batch] = []
    apply = ledger.store.apply

    class Copying(LedgerStore):
        def apply(self, batch: Batch) -> None:
            taken.append(batch)
            apply(batch)

    drain = Drain(ledger.directory, Copying(ledger.engine))
    drain.run_dry()
    drain.close()
    for batch in taken:
        with pytest.raises(Exception, match="UNIQUE"):
            apply(batch)
    assert len(ledger.rows()) == 1


# -- damage ------------------------------------------------------------------------------------------------------------


def test_a_damaged_record_of_the_dead_is_counted_and_passed(ledger: Ledger) -> None:
    spool = ledger.spool()
    lost, kept = write(spool, "lost"), write(spool, "kept")
    spool.close()
    with segment_path(spool.path, 1).open("r+b") as segment:
        segment.seek(HEAD_BYTES + 20)
        segment.write(b"\xff\xff")
    ledger.drain.run_dry()
    assert ledger.drain.damaged == 1
    # The settlement of the lost intent is money all the same.
    assert ledger.rows("attempt_id, request_id, cost") == [
        (lost.attempt_id, "", "0.1"),
        (kept.attempt_id, "kept", "0.1"),
    ]


def test_a_record_of_the_living_that_is_not_whole_is_waited_for(ledger: Ledger) -> None:
    spool = ledger.spool()
    write(spool, "first")
    with segment_path(spool.path, 1).open("r+b") as segment:
        segment.seek(HEAD_BYTES + 4)
        checksum = segment.read(4)
        segment.seek(HEAD_BYTES + 4)
        segment.write(bytes(4))
        segment.flush()
        ledger.drain.run_dry()
        assert ledger.rows() == []
        segment.seek(HEAD_BYTES + 4)
        segment.write(checksum)
        segment.flush()
    ledger.drain.run_dry()
    assert (ledger.rows("request_id"), ledger.drain.damaged) == ([("first",)], 0)


def test_what_is_written_between_two_looks_is_not_passed_over(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader finds nothing more in a segment; the writer fills it, and begins the next; the reader sees that."""
    spool = ledger.spool()
    write(spool, "first")
    later_is_begun = SpoolReader._later_is_begun  # pyright: ignore[reportPrivateUsage] - the moment of the race

    def late(reader: SpoolReader) -> bool:
        while spool.state().segment < 2:
            wait_until(lambda: spool.has_room, 10, "room")
            expected.append(write(spool, "late").attempt_id)
        return later_is_begun(reader)

    expected: list[bytes] = []
    monkeypatch.setattr(SpoolReader, "_later_is_begun", late)
    ledger.drain.run_dry()
    assert [row[0] for row in ledger.rows("attempt_id")][1:] == expected
    assert len(expected) > 50


# -- beside attempts ---------------------------------------------------------------------------------------------------


def test_sums_are_exact_and_hold_corrections(ledger: Ledger) -> None:
    spool = ledger.spool()
    for _ in range(10):
        begun = intent(key="ci")
        spool.intent(begun)
        spool.settle(settlement(begun, cost="0.1"))
    unknown = [intent(key="ci"), intent(key="other")]
    for begun in unknown:
        spool.intent(begun)
        spool.settle(settlement(begun, cost=None, basis="unknown", input_tokens=None))
    for amount in ("0.3", "-0.1"):
        spool.correct(
            Correction(
                correction_id=new_attempt_id(),
                attempt_id=unknown[0].attempt_id,
                at=0.0,
                amount=amount,
                basis="reported",
                reason="the provider's invoice",
            )
        )
    ledger.drain.run_dry()
    found = {each.group: each for each in sums(ledger.engine, "key")}
    assert (found["ci"].cost, found["ci"].attempts, found["ci"].unknown_costs) == ("1.2", 11, 0)
    assert (found["ci"].input_tokens, found["ci"].output_tokens) == (100, 55)
    assert (found["other"].cost, found["other"].unknown_costs) == (None, 1)
    assert sums(ledger.engine, "key", since=4_000_000_000.0) == []


def test_a_request_is_found_wherever_its_records_are(ledger: Ledger) -> None:
    spool = ledger.spool()

    def found() -> list[tuple[int, str | None]]:
        attempts = find_request(ledger.engine, ledger.directory, "req_7").attempts
        return [(each.number, None if ended is None else ended.outcome) for each, ended in attempts]

    assert found() == []
    first, second = intent("req_7"), intent("req_7", number=2)
    for _ in range(3):
        write(spool, "req_71")
    spool.intent(first)
    assert found() == [(1, None)]
    spool.settle(settlement(first, outcome="error"))
    assert found() == [(1, "error")]
    spool.intent(second)
    ledger.drain.run_dry()
    assert found() == [(1, "error"), (2, None)]
    while spool.state().segment < 3:  # the intent's segment goes, the settlement is in a later one
        wait_until(lambda: spool.has_room, 10, "room")
        write(spool, "other")
    ledger.drain.run_dry()
    assert 1 not in segment_numbers(spool.path)
    spool.settle(settlement(second))
    assert found() == [(1, "error"), (2, "ok")]
    ledger.drain.run_dry()
    assert found() == [(1, "error"), (2, "ok")]


def test_how_a_request_was_answered_is_found(ledger: Ledger) -> None:
    spool = ledger.spool()
    record = RequestRecord(
        request_id="req_1", at=1.5, key="ci", team="core", route="fast", status=200, adaptations='[{"path":"seed"}]'
    )
    assert spool.request(record)
    assert find_request(ledger.engine, ledger.directory, "req_1").request == record
    ledger.drain.run_dry()
    spool.close()
    ledger.drain.run_dry()
    assert find_request(ledger.engine, ledger.directory, "req_1").request == record


def test_rows_are_chosen_by_key_and_time(ledger: Ledger) -> None:
    spool = ledger.spool()
    for key in ("a", "b", "a"):
        write(spool, key=key)
    ledger.drain.run_dry()
    assert len(latest_attempts(ledger.engine, most=10, key="a")[0]) == 2
    assert len(latest_attempts(ledger.engine, most=1, since=0.0)[0]) == 1
    assert latest_attempts(ledger.engine, most=10, since=4_000_000_000.0)[0] == []
    assert latest_attempts(ledger.engine, most=10, after=3) == ([], 3)


# -- the thread --------------------------------------------------------------------------------------------------------


def test_the_thread_drains_and_ends_with_all_carried_over(ledger: Ledger) -> None:
    spool = ledger.spool()
    threads = [DrainThread(ledger.new_drain, every_seconds=0.01) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        write(spool, "first")
        wait_until(lambda: len(ledger.rows()) == 1, 10, "the first row")
        assert [thread.elected for thread in threads].count(True) == 1
        for number in range(100):
            write(spool, f"req_{number}")
    finally:
        for thread in threads:
            thread.stop()
    assert len(ledger.rows()) == 101
    assert sum(thread.carried for thread in threads) == 101


def test_what_a_killed_drain_had_removed_is_forgotten_by_the_next(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    spool = ledger.spool()
    write(spool)
    spool.close()
    with monkeypatch.context() as patched:
        patched.setattr(LedgerStore, "forget", killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.drain.run_dry()
    assert not spool.path.exists()
    assert ledger.count("spools") == 1
    ledger.restart_drain()
    ledger.drain.run_dry()
    assert ledger.count("spools") == 0
    assert len(ledger.rows()) == 1


@pytest.mark.parametrize("elected_first", [True, False], ids=["elected ends first", "elected ends last"])
def test_of_threads_that_stop_none_leaves_its_spool_behind(ledger: Ledger, elected_first: bool) -> None:
    """As two workers stop: each closes its spool, and ends when that has been carried over, by whomever."""
    made = [ledger.spool("one"), ledger.spool("two")]
    threads = [DrainThread(ledger.new_drain, every_seconds=0.01) for _ in made]
    for thread in threads:
        thread.start()
    wait_until(lambda: any(thread.elected for thread in threads), 10, "an election")
    for spool in made:
        write(spool)
    pairs = sorted(zip(threads, made, strict=True), key=lambda pair: pair[0].elected is not elected_first)
    for thread, spool in pairs:
        spool.close()
        thread.stop(lambda path=spool.path: not path.exists())
        assert not spool.path.exists()
    assert len(ledger.rows()) == 2
    assert ledger.count("spools") == ledger.count("open_attempts") == 0


def test_a_thread_waits_for_another_only_so_long(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_thread, "_FAREWELL_SECONDS", 0.05)
    spool = ledger.spool()
    write(spool)
    assert ledger.drain.elect()  # and it does nothing
    thread = DrainThread(ledger.new_drain, every_seconds=0.01)
    thread.start()
    spool.close()
    thread.stop(lambda: not spool.path.exists())
    assert spool.path.exists()
    assert ledger.rows() == []


def test_the_thread_outlives_a_store_that_fails(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def disk_full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write(ledger.spool())
    thread = DrainThread(ledger.new_drain, every_seconds=0.01)
    with monkeypatch.context() as patched:
        patched.setattr(LedgerStore, "apply", disk_full)
        thread.start()
        wait_until(lambda: thread.problem is not None, 10, "the problem")
    try:
        wait_until(lambda: len(ledger.rows()) == 1, 10, "the row")
        wait_until(lambda: thread.problem is None, 10, "the end of the problem")
    finally:
        thread.stop()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


# -- the database ------------------------------------------------------------------------------------------------------


def test_commits_wait_for_the_disk(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


@pytest.mark.parametrize("wrong", ["", "dragoman.db", "postgresql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_only_a_file_of_sqlite_will_do(wrong: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///"):
        open_database(wrong)


def test_a_newer_databases_is_refused(tmp_path: Path) -> None:
    engine = open_database(url(tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    engine.dispose()
    with pytest.raises(ConfigError, match="newer version"):
        open_database(url(tmp_path))
