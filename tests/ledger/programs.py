"""Programs that are killed: one that writes attempts, one that drains. Each says on standard output what it finished.

Run as `python -m tests.ledger.programs write|drain|fork DIRECTORY`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dragoman.errors import SpoolFull
from dragoman.ledger import Drain, Intent, Spool
from tests.ledger.records import SMALL, intent, settlement

ROOT = Path(__file__).parent.parent.parent
_IN_FLIGHT = 20


def start(what: str, directory: Path) -> subprocess.Popen[bytes]:
    """Start a program of this module."""
    command = [sys.executable, "-m", "tests.ledger.programs", what, str(directory)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def _say(line: str) -> None:
    # One write each: what is in the pipe when the process dies was finished before.
    os.write(1, line.encode() + b"\n")


def write(directory: Path) -> None:
    """Attempts without end, some in flight. Says what begins (b), is written (i), is to end (e) and is settled (s)."""
    spool = Spool.open(directory / "spool", instance="writer", segment_bytes=SMALL)
    opened: list[Intent] = []
    number = 0
    while True:
        begun = intent(f"req_{number}", route="r" * (number % 300))
        number += 1
        _say(f"b {begun.attempt_id.hex()}")
        while True:
            try:
                spool.intent(begun)
                break
            except SpoolFull:
                pass
        _say(f"i {begun.attempt_id.hex()}")
        opened.append(begun)
        if len(opened) > _IN_FLIGHT:
            ended = opened.pop(number % _IN_FLIGHT)
            _say(f"e {ended.attempt_id.hex()}")
            spool.settle(settlement(ended, message="m" * (number % 250)))
            _say(f"s {ended.attempt_id.hex()}")


def drain(directory: Path) -> None:
    """Drains in small batches without end, and says after each how many records it carried over."""
    from dragoman.storage import LedgerStore, open_database
    from tests.ledger.draining import url

    drain = Drain(directory / "spool", LedgerStore(open_database(url(directory))), batch_records=7)
    _say("begun")
    while True:
        drain.step()
        _say(str(drain.carried))


def fork(directory: Path) -> None:
    """A forked child must find no spool and must not prove the parent's life."""
    spool = Spool.open(directory / "spool", instance="parent", segment_bytes=SMALL)
    begun = intent("parent")
    spool.intent(begun)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            spool.intent(intent("child"))
            _say("the child wrote")
        except SpoolFull as error:
            _say(f"refused: {error}")
        try:
            spool.settle(settlement(begun))
            _say("the child settled")
        except SpoolFull:
            _say("refused")
        os.close(writing)
        os.read(reading, 1)  # lives on until the test, or the parent, is gone
        os._exit(0)
    os.close(reading)
    os.set_inheritable(writing, False)
    spool.settle(settlement(begun))
    spool.close()
    _say("closed")
    sys.stdin.read()
    os.close(writing)
    os.waitpid(child, 0)


if __name__ == "__main__":
    {"write": write, "drain": drain, "fork": fork}[sys.argv[1]](Path(sys.argv[2]))
