"""`dragoman ledger`: what was tried, from the spool and from the database."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from dragoman.ledger import Drain, Spool
from dragoman.storage import LedgerStore, open_database
from tests.cli.programs import environment, run, started
from tests.ledger.draining import drained, url
from tests.ledger.records import SMALL, intent, settlement, write


@pytest.fixture
def spool(tmp_path: Path) -> Generator[Spool]:
    spool = Spool.open(tmp_path / "spool", instance="w", segment_bytes=SMALL)
    yield spool
    spool.close()


def where(directory: Path) -> list[str]:
    return ["--spool", str(directory / "spool"), "--database", url(directory)]


def drain(directory: Path) -> None:
    drained(directory)


def test_tail_shows_what_ended_and_what_is_open(tmp_path: Path, spool: Spool) -> None:
    write(spool, "req_old")
    drain(tmp_path)
    failed = intent("req_failed", number=2, reason="the first choice is ill", stream=True)
    spool.intent(failed)
    ended = {"outcome": "error", "status": 429, "error": "RateLimited", "message": "slow\ndown\x1b[2J", "cost": None}
    spool.settle(settlement(failed, **ended, basis="unknown", input_tokens=None, output_tokens=None))
    spool.intent(intent("req_open", key="", route=""))
    done = run("ledger", "tail", *where(tmp_path))
    assert (done.status, done.err) == (0, "")
    old, error, still_open = done.out.splitlines()
    assert old == (
        "2027-01-15T08:00:00.000Z req_old #1 ci fast -> groq/llama relay (first choice): "
        "ok 200, 10 in 5 out, 0.1 USD (computed), 1.500 s"
    )
    assert error.startswith(
        "2027-01-15T08:00:00.000Z req_failed #2 ci fast -> groq/llama relay stream (the first choice"
    )
    assert error.endswith("error 429, ? in ? out, cost unknown, 1.500 s, RateLimited: slow down\ufffd[2J")
    assert still_open.endswith("req_open #1 - - -> groq/llama relay (first choice): open")


def test_tail_shows_the_last_ones(tmp_path: Path, spool: Spool) -> None:
    for number in range(6):
        write(spool, f"req_{number}")
        if number == 3:
            drain(tmp_path)
    done = run("ledger", "tail", "-n", "4", "--output", "json", *where(tmp_path))
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["request_id"] for row in rows] == [f"req_{number}" for number in range(2, 6)]
    assert rows[0]["outcome"] == "ok"
    assert (rows[0]["cost"], rows[0]["started_at"], rows[0]["ended_at"]) == ("0.1", 1_800_000_000.0, 1_800_000_001.5)
    assert len(bytes.fromhex(rows[0]["attempt_id"])) == 16


def test_tail_needs_no_database_and_makes_none(tmp_path: Path, spool: Spool) -> None:
    write(spool)
    assert run("ledger", "tail", *where(tmp_path)).out.count("\n") == 1
    assert not (tmp_path / "dragoman.db").exists()


def test_tail_follows_what_is_written_and_what_is_drained(tmp_path: Path, spool: Spool) -> None:
    write(spool, "req_first")
    held = intent("req_held")
    spool.intent(held)
    with started("ledger", "tail", "-f", *where(tmp_path), env=environment()) as process:
        assert process.stdout is not None
        killer = threading.Timer(60, process.kill)
        killer.start()
        assert b"req_first" in process.stdout.readline()
        assert b"req_held" in process.stdout.readline()
        write(spool, "req_second")
        assert b"req_second" in process.stdout.readline()
        spool.settle(settlement(held))
        drain(tmp_path)
        assert b"req_held" in process.stdout.readline()
        # A spool that comes and goes between two looks.
        brief = Spool.open(tmp_path / "spool", instance="brief", segment_bytes=SMALL)
        write(brief, "req_brief")
        brief.close()
        drain(tmp_path)
        assert b"req_brief" in process.stdout.readline()
        killer.cancel()


def test_rows_and_sums_come_from_the_database(tmp_path: Path, spool: Spool) -> None:
    for key in ("a", "a", "b"):
        write(spool, key=key)
    engine = open_database(url(tmp_path))
    carrying = Drain(tmp_path / "spool", LedgerStore(engine))
    carrying.run_dry()
    carrying.close()
    engine.dispose()
    database = where(tmp_path)[2:]
    assert run("ledger", "rows", "--key", "a", *database).out.count("\n") == 2
    assert run("ledger", "rows", "--since", "1h", "-n", "1", *database).out.count("\n") == 1
    done = run("ledger", "sum", *database)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "a: 0.2 USD, 2 attempts, 20 in, 10 out",
        "b: 0.1 USD, 1 attempts, 10 in, 5 out",
    ]
    documents = run("ledger", "sum", "--by", "model", "--output", "json", *database).out.splitlines()
    assert [(row["group"], row["cost"]) for row in map(json.loads, documents)] == [("llama", "0.3")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tail"], "there is no ledger here"),
        (["rows"], "there is no database at"),
        (["sum"], "there is no database at"),
        (["rows", "--since", "soon"], "there is no database at"),
        (["sum", "--database", "postgresql://localhost/x"], "is no SQLite file"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    places = where(tmp_path) if arguments[0] == "tail" else where(tmp_path)[2:]
    done = run("ledger", arguments[0], *places, *arguments[1:])
    assert done.status == 2
    assert said in done.err
    assert not (tmp_path / "dragoman.db").exists()


def test_a_length_of_time_that_is_none_is_said(tmp_path: Path) -> None:
    open_database(url(tmp_path)).dispose()
    done = run("ledger", "rows", "--since", "soon", *where(tmp_path)[2:])
    assert (done.status, "write 30s, 15m, 24h or 7d" in done.err) == (2, True)
