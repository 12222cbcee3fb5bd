"""The ledger's writer as a process: it carries over, reports, outlives what it may, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from dragoman.gateway.workers.ledger_writer import WriterProcess
from dragoman.ledger import Drain, Spool
from dragoman.ledger.births import spools
from dragoman.storage import LedgerStore, open_database
from tests.ledger.draining import url
from tests.ledger.records import SMALL, intent, write
from tests.servers.process import wait_until

DEADLINE_SECONDS = 20.0


class Writing:
    """A spool, and the writer of its directory, in a process that both belong to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = Spool.open(folder / "spool", instance="w", segment_bytes=SMALL)
        self.writer = WriterProcess(folder / "spool", url(folder))
        self._expected = 0

    def attempts(self, count: int = 5) -> None:
        for _ in range(count):
            write(self.spool)
        self._expected += count

    def rows(self) -> int:
        if not (self.folder / "dragoman.db").exists():
            return 0
        with closing(sqlite3.connect(self.folder / "dragoman.db")) as database:
            if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'attempts'").fetchone()[0]:
                return 0
            return database.execute("SELECT count(*) FROM attempts").fetchone()[0]

    def all_carried(self) -> None:
        until(lambda: self.rows() == self._expected, f"{self._expected} rows")

    def pid(self, other_than: int = 0) -> int:
        """The writer, once it is elected: it may be stopped in any way from then on."""
        until(lambda: self.writer.elected and self.writer.pid not in (None, other_than), "an elected writer")
        assert self.writer.pid is not None
        return self.writer.pid

    def stop(self) -> None:
        self.spool.close()
        self.writer.stop(lambda: not self.spool.path.exists())


def until(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, DEADLINE_SECONDS, what)


def has_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def writing(tmp_path: Path) -> Generator[Writing]:
    found = Writing(tmp_path)
    yield found
    found.stop()


def test_it_carries_over_reports_and_ends_with_all_in_the_store(writing: Writing) -> None:
    writing.attempts()
    writing.writer.start()
    writing.all_carried()
    pid = writing.pid()
    until(lambda: writing.writer.carried == 5, "its report")
    assert writing.writer.problem is None
    writing.attempts(200)
    writing.spool.intent(intent("orphan"))
    writing.stop()
    assert has_gone(pid)
    assert spools(writing.folder / "spool") == []
    assert writing.rows() == writing.writer.carried == 206
    assert not writing.writer.elected


def test_it_gives_way_to_those_who_serve(writing: Writing) -> None:
    writing.writer.start()
    assert os.getpriority(os.PRIO_PROCESS, writing.pid()) > os.getpriority(os.PRIO_PROCESS, 0)


def test_killed_it_is_started_again_and_counts_on(writing: Writing, caplog: pytest.LogCaptureFixture) -> None:
    writing.writer.start()
    pid = 0
    for deaths in range(1, 4):
        pid = writing.pid(other_than=pid)
        writing.attempts()
        writing.all_carried()
        until(lambda deaths=deaths: writing.writer.carried == 5 * deaths, "its report")
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: has_gone(pid) and writing.writer.problem is not None, "its end")
    writing.attempts()
    writing.all_carried()
    assert writing.rows() == 20
    until(lambda: writing.writer.problem is None, "the end of the problem")
    assert caplog.text.count("the ledger's writer ended with status -9; started again") == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_that_end_a_whole_service_do_not_end_it_first(writing: Writing, number: signal.Signals) -> None:
    writing.writer.start()
    pid = writing.pid()
    os.kill(pid, number)
    writing.attempts()
    writing.all_carried()
    assert writing.pid() == pid


def test_killed_while_it_carries_over_the_rest_another_one_does(writing: Writing) -> None:
    writing.writer.start()
    pid = writing.pid()
    os.kill(pid, signal.SIGSTOP)
    writing.attempts()
    writing.spool.close()
    writing.writer.release()
    os.kill(pid, signal.SIGKILL)
    writing.stop()
    assert writing.rows() == 5
    assert spools(writing.folder / "spool") == []


def test_it_outlives_whoever_started_it_while_others_write(writing: Writing) -> None:
    """As when a supervisor is killed: its workers hold the lifeline."""
    held = writing.writer.lifeline
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[held]
    ) as worker:
        writing.writer.start()
        pid = writing.pid()
        writing.writer.release()
        writing.attempts()
        writing.all_carried()
        assert not has_gone(pid)
        worker.communicate(b"\n")
    until(lambda: has_gone(pid), "its end")


def test_who_has_lost_patience_does_not_wait_and_it_ends_by_itself(writing: Writing) -> None:
    writing.writer.start()
    pid = writing.pid()
    writing.attempts()
    writing.spool.close()
    os.kill(pid, signal.SIGSTOP)
    try:
        writing.writer.abandon()
        writing.stop()
        assert not has_gone(pid)
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: has_gone(pid), "its end")
    assert writing.rows() == 5


def test_where_another_gateway_is_elected_it_waits_for_that(writing: Writing) -> None:
    other = Drain(writing.folder / "spool", LedgerStore(open_database(url(writing.folder))))
    assert other.elect()
    writing.writer.start()
    until(lambda: writing.writer.pid is not None, "a writer")
    writing.attempts()
    writing.spool.close()
    writing.writer.release()
    other.run_dry()
    other.close()
    writing.stop()
    assert writing.rows() == 5
    assert spools(writing.folder / "spool") == []


def test_what_is_wrong_with_the_store_is_told_until_it_is_mended(writing: Writing) -> None:
    engine = open_database(url(writing.folder))
    engine.dispose()
    with closing(sqlite3.connect(writing.folder / "dragoman.db")) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute("PRAGMA user_version = 99")
        writing.attempts()
        writing.writer.start()
        until(lambda: writing.writer.problem is not None, "the problem")
        assert "newer version" in str(writing.writer.problem)
        database.execute(f"PRAGMA user_version = {version}")
    writing.all_carried()
    until(lambda: writing.writer.problem is None, "the end of the problem")


def test_a_store_that_fails_to_the_end_leaves_all_in_the_spool(
    writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    (writing.folder / "dragoman.db").write_bytes(b"this is no database" * 100)
    writing.attempts()
    writing.writer.start()
    until(lambda: writing.writer.problem is not None, "the problem")
    writing.stop()
    assert spools(writing.folder / "spool") == [writing.spool.path]
    assert "the spool holds the rest: DatabaseError" in caplog.text


def test_one_that_cannot_be_started_is_a_problem_and_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(tmp_path / "nothing"))
        writing = Writing(tmp_path)
    writing.writer.start()
    until(lambda: writing.writer.problem is not None, "the problem")
    assert "cannot be started: No such file or directory" in str(writing.writer.problem)
    writing.stop()
    assert spools(tmp_path / "spool") == [writing.spool.path]


def test_it_leaves_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    import threading

    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for started in (True, False):
        writing = Writing(tmp_path)
        if started:
            writing.writer.start()
            writing.pid()
        writing.stop()
        until(lambda: (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before, "what was there before")
