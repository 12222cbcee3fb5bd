"""What the ledger costs: attempts written down and settled, waited for on the disk, and drained into rows."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import astuple
from sqlalchemy import insert

from benchmarks.report import Table, is_quick
from dragoman.gateway.workers.ledger_writer import WriterProcess
from dragoman.ledger import Drain, Intent, Settlement, Spool, new_attempt_id
from dragoman.storage import Engine, LedgerStore, latest_attempts, open_database
from dragoman.storage.tables import attempts

__all__ = ["tables"]

CALLERS = 32
RATE = 5_000
_TICK = os.sysconf("SC_CLK_TCK")
Pair = tuple[Intent, Settlement]


def _intent() -> Intent:
    return Intent(
        attempt_id=new_attempt_id(),
        request_id=f"req_{new_attempt_id().hex()}",
        key="ci",
        team="platform",
        route="fast",
        deployment="groq-eu/llama-3.3-70b-versatile",
        provider="groq-eu",
        model="llama-3.3-70b-versatile",
        dialect_in="openai-chat",
        dialect_out="openai-chat",
        mode="relay",
        stream=False,
        number=1,
        reason="first choice",
        at=time.time(),
        bound="0.00123",
        bound_reason="max_tokens",
        price="0.59 in, 0.79 out per million",
    )


def _settlement(attempt_id: bytes) -> Settlement:
    return Settlement(
        attempt_id=attempt_id,
        at=time.time(),
        outcome="ok",
        status=200,
        input_tokens=812,
        output_tokens=95,
        cache_read_tokens=512,
        cost="0.00055413",
        basis="computed",
        first_byte_seconds=0.21,
        duration_seconds=0.84,
        upstream_request_id="req_01jd3kq2x9fq0v7m2y",
    )


def _attempt(spool: Spool) -> None:
    intent = _intent()
    spool.intent(intent)
    spool.settle(_settlement(intent.attempt_id))


def _each(work: Callable[[], object], times: int) -> tuple[float, float]:
    """CPU and wall seconds of one, of so many made at once."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return (time.process_time() - cpu) / times, (time.perf_counter() - wall) / times


def _written(directory: Path, times: int, rounds: int) -> tuple[float, float]:
    """The round that was disturbed least. Rounds are short, as a gateway's ledger is never written to at this rate."""
    spool = Spool.open(directory, instance="bench")

    def write() -> None:
        for _ in range(times):
            _attempt(spool)

    try:
        return min(_each(write, times) for _ in range(rounds))
    finally:
        spool.close()


def _encoded_only(times: int, rounds: int) -> tuple[float, float]:
    """The same records made, and not written."""

    def make() -> None:
        for _ in range(times):
            _settlement(_intent().attempt_id)

    return min(_each(make, times) for _ in range(rounds))


def _synced(directory: Path, times: int) -> tuple[float, float]:
    spool = Spool.open(directory, instance="synced", sync="group")

    async def caller() -> None:
        for _ in range(times):
            intent = _intent()
            spool.intent(intent)
            await spool.synced()
            spool.settle(_settlement(intent.attempt_id))

    async def callers() -> None:
        await asyncio.gather(*(caller() for _ in range(CALLERS)))

    try:
        return _each(lambda: asyncio.run(callers()), times * CALLERS)
    finally:
        spool.close()


def _drained(directory: Path, engine: Engine, times: int) -> tuple[float, float]:
    spool = Spool.open(directory, instance="drained")
    drain = Drain(directory, LedgerStore(engine))
    try:
        drain.run_dry()
        for _ in range(times):
            _attempt(spool)
        before = drain.carried
        figures = _each(drain.run_dry, times)
        assert drain.carried - before == times
        return figures
    finally:
        drain.close()
        spool.close()


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICK


def _beside(directory: Path, database: str, seconds: float) -> tuple[float, float]:
    """CPU that the writer's process takes for one, while attempts come at a steady rate; wall: from rate to rate."""
    spool = Spool.open(directory, instance="beside")
    writer = WriterProcess(directory, database)
    writer.start()
    try:
        while not writer.elected:
            time.sleep(0.01)
        process = writer.pid
        assert process is not None
        began, spent, made = time.perf_counter(), _cpu_seconds(process), 0
        while (passed := time.perf_counter() - began) < seconds:
            while made < passed * RATE:
                _attempt(spool)
                made += 1
            time.sleep(0.002)
        while writer.carried < made:
            time.sleep(0.01)
        return (_cpu_seconds(process) - spent) / made, seconds / made
    finally:
        spool.close()
        writer.stop()


def _by_expressions(directory: Path, engine: Engine) -> tuple[float, float]:
    """Rows as drained, but added through SQLAlchemy's expressions, in one batch too."""
    rows, _ = latest_attempts(engine, most=5000)
    names = [column.name for column in attempts.columns][1:]
    documents = [dict(zip(names, (*astuple(begun), *astuple(ended)[1:]), strict=True)) for begun, ended in rows]
    other = open_database(f"sqlite:///{directory / 'other.db'}")

    def add() -> None:
        with other.begin() as connection:
            connection.execute(insert(attempts), documents)

    try:
        return _each(add, len(documents))
    finally:
        other.dispose()


def tables(quick: bool) -> list[Table]:
    """The one table."""
    times, rounds = (100, 1) if quick else (10_000, 7)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        engine = open_database(f"sqlite:///{directory / 'bench.db'}")
        found = {
            "records of one attempt made": _encoded_only(times, rounds),
            "attempt made, written and settled": _written(directory / "spool", times, rounds),
            f"the same, on the disk before it is sent, {CALLERS} callers": _synced(directory / "synced", times // 100),
            "attempt drained into SQLite": min(
                _drained(directory / f"drained-{turn}", engine, 2 * times) for turn in range(rounds)
            ),
            f"the same by the writer's process, at {RATE:,} a second": _beside(
                directory / "beside", f"sqlite:///{directory / 'beside.db'}", 0.2 if quick else 5.0
            ),
            "row added by SQLAlchemy's expressions": _by_expressions(directory, engine),
        }
        engine.dispose()
    return [
        Table(
            "Ledger: an attempt",
            "Intent and settlement in the memory-mapped spool; the drain's rows are on the disk when counted "
            "(`synchronous=FULL`, batches of up to 2,000). The last row is what the drain does not do, for comparison.",
            ("what", "CPU", "wall", "a second"),
            [
                (name, f"{cpu * 1e6:.1f} µs", f"{wall * 1e6:.1f} µs", f"{1 / wall:,.0f}")
                for name, (cpu, wall) in found.items()
            ],
        )
    ]


if __name__ == "__main__":
    for each in tables(is_quick(__doc__)):
        print(each.markdown())
