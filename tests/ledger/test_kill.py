"""kill -9 at random moments: nothing that was written is lost, nothing is there by half, nothing is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from dragoman.ledger import Intent, Settlement, Spool, read_records
from dragoman.ledger.births import spools
from tests.ledger.draining import drained
from tests.ledger.programs import ROOT, start
from tests.ledger.records import SMALL, is_dead, write
from tests.servers.process import wait_until

WRITERS = 20
DRAINS = 8
Said = dict[str, set[bytes]]


def killed_after(process: subprocess.Popen[bytes], seconds: float) -> list[str]:
    """Kill a program so long after its first line, and return the whole lines that it said."""
    assert process.stdout is not None
    with process:
        first = process.stdout.readline()
        # The pipe is emptied meanwhile, so that the program never waits for its reader.
        killer = threading.Timer(seconds, process.kill)
        killer.start()
        rest = process.stdout.read()
        killer.join()
    lines = (first + rest).decode().split("\n")
    return lines[:-1]


def said(lines: list[str]) -> Said:
    found: Said = {"b": set(), "i": set(), "e": set(), "s": set()}
    for line in lines:
        what, _, attempt = line.partition(" ")
        found[what].add(bytes.fromhex(attempt))
    return found


@pytest.mark.parametrize("moment", range(WRITERS))
def test_a_killed_writer_leaves_all_that_it_finished(tmp_path: Path, moment: int) -> None:
    found = said(killed_after(start("write", tmp_path), random.Random(moment).uniform(0, 0.15)))
    (spool,) = spools(tmp_path / "spool")
    assert is_dead(spool)
    intents: set[bytes] = set()
    settled: set[bytes] = set()
    for record in read_records(spool):
        if isinstance(record, Settlement):
            assert record.attempt_id in intents
            settled.add(record.attempt_id)
        else:
            assert isinstance(record, Intent)
            intents.add(record.attempt_id)
    assert found["i"] <= intents <= found["b"]
    assert found["s"] <= settled <= found["e"]

    rows = drained(tmp_path)
    assert Counter(row[0] for row in rows) == Counter(intents)
    for attempt_id, _, outcome, basis, cost in rows:
        expected = ("ok", "computed", "0.1") if attempt_id in settled else ("unknown", "bound", "0.25")
        assert (outcome, basis, cost) == expected
    assert spools(tmp_path / "spool") == []
    assert drained(tmp_path) == rows


def test_a_drain_that_is_killed_again_and_again_carries_each_record_once(tmp_path: Path) -> None:
    """Two spools of the dead and one of the living, which goes on writing."""
    dice = random.Random(11)
    expected = Counter[bytes]()
    for _ in range(2):
        killed_after(start("write", tmp_path), 0.05)
        expected.update(
            record.attempt_id for record in read_records(spools(tmp_path / "spool")[-1]) if isinstance(record, Intent)
        )
    living = Spool.open(tmp_path / "spool", instance="living", segment_bytes=SMALL)
    try:
        carried = 0
        for _ in range(DRAINS):
            for _ in range(40):
                wait_until(lambda: living.has_room, 10, "room")
                expected[write(living).attempt_id] += 1
            lines = killed_after(start("drain", tmp_path), dice.uniform(0, 0.12))
            carried += int(lines[-1]) if lines[-1].isdecimal() else 0
        assert carried > 0
    finally:
        living.close()
    rows = drained(tmp_path)
    assert Counter(row[0] for row in rows) == expected
    assert spools(tmp_path / "spool") == []


def test_two_processes_write_while_a_third_drains(tmp_path: Path) -> None:
    writers = [start("write", tmp_path), start("write", tmp_path)]
    drain = start("drain", tmp_path)
    told: list[Said] = []

    def listen(process: subprocess.Popen[bytes]) -> None:
        told.append(said(killed_after(process, 0.5)))

    listeners = [threading.Thread(target=listen, args=(writer,)) for writer in writers]
    for listener in listeners:
        listener.start()
    killed_after(drain, 0.4)
    for listener in listeners:
        listener.join()
    rows = Counter(row[0] for row in drained(tmp_path))
    assert set(rows.values()) == {1}
    for each in told:
        assert each["i"] <= rows.keys()
    assert rows.keys() <= set[bytes]().union(*(each["b"] for each in told))


def test_a_forked_child_has_no_spool_and_proves_no_life(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.ledger.programs", "fork", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        lines = sorted(process.stdout.readline().decode().strip() for _ in range(3))
        (spool,) = spools(tmp_path / "spool")
        deadline = time.monotonic() + 10
        while not is_dead(spool):  # although the child still lives
            assert time.monotonic() < deadline
        process.communicate(timeout=10)
    assert lines[0] == "closed"
    assert lines[1] == "refused"
    assert lines[2].startswith("refused: ")
    assert [type(record) for record in read_records(spool)] == [Intent, Settlement]
