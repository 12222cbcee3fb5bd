"""The scene: a gateway, a fault proxy before a fake provider of every dialect, and a healthy fake beside it."""

from __future__ import annotations

import contextlib
import queue
import re
import socket
import sqlite3
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from dragoman.testing import FakeProvider, FaultProxy
from dragoman.testing.wires import WIRES
from tests.failover.callers import Callers
from tests.failover.cells import Outcome
from tests.failover.faults import LIMIT_SECONDS
from tests.gateway.running import KEY, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from dragoman.testing import Fault, Passage, Seen
    from tests.failover.cells import Cell

__all__ = [
    "FAULTY_WORDS",
    "HEALTHY_WORDS",
    "Faults",
    "asked",
    "gathered",
    "ledger_rows",
    "mark_in",
    "play",
    "refusing_port",
]

FAULTY_WORDS = "one two three four five six seven eight nine ten eleven twelve"
HEALTHY_WORDS = "uno due tre quattro cinque sei sette otto nove dieci undici dodici"
Entry = TypeVar("Entry")
_MARK = re.compile(rb"cell-\d+")
_QUICK_THREADS = 6
_WAITING_THREADS = 32
_PRICES = "prices: {input: 1, output: 2}"


def mark_in(seen: Seen) -> str:
    """The mark of the call that a request is made for."""
    found = _MARK.search(msgspec.json.encode(seen.body))
    assert found is not None, f"nobody asked for {seen.path}"
    return found[0].decode()


@contextlib.contextmanager
def refusing_port() -> Generator[int]:
    """A port of the loopback that nobody listens at, and nobody else can take."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Faults:
    """Says which fault a request meets: that of its cell; for some cells, at the first request alone."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._cells = {cell.mark: cell for cell in cells}
        self._asked: Counter[str] = Counter()

    def __call__(self, seen: Seen) -> Fault | None:
        cell = self._cells[mark_in(seen)]
        self._asked[cell.mark] += 1
        return None if cell.shape == "again" and self._asked[cell.mark] > 1 else cell.row.fault


def _config(cells: Sequence[Cell], faulty: str, healthy: str, refused: int) -> str:
    slow = f"timeout: {{connect: 60, first_byte: {LIMIT_SECONDS}, idle: 60, total: 60}}"
    stalled = f"timeout: {{connect: 60, first_byte: 60, idle: {LIMIT_SECONDS}, total: 60}}"
    lines = ["server: {max_requests: 512}", "providers:"]
    for dialect in sorted({name for cell in cells for name in (cell.upstream, cell.healthy) if name}):
        version = WIRES[dialect].version
        for place, url, more in (
            ("faulty", faulty, "timeout: 60"),
            ("slow", faulty, slow),
            ("stalled", faulty, stalled),
            ("refused", f"http://127.0.0.1:{refused}", "timeout: 60"),
            ("healthy", healthy, "timeout: 60"),
        ):
            address = f'dialect: {dialect}, base_url: "{url}{version}", api_key: key-of-{place}'
            lines.append(f"  {place}-{dialect}: {{{address}, {more}}}")
    lines.append("models:")
    patterns = {cell.pattern: cell for cell in cells}
    for pattern, cell in patterns.items():
        places = [cell.place] if cell.healthy is None else [cell.place, f"healthy-{cell.healthy}"]
        key = f"api_key: key-of-{cell.mark}, " if cell.kills_credential else ""
        deployments = ", ".join(f'{{model: "{place}/m-*", {key}{_PRICES}}}' for place in places)
        retries = 0 if cell.healthy is not None else 1
        lines.append(f'  "{pattern}*": {{deployments: [{deployments}], max_retries: {retries}}}')
    lines.append(f"keys:\n  - {{name: ci, key: {KEY}}}\n")
    return "\n".join(lines)


def play(cells: Sequence[Cell], folder: Path) -> list[Outcome]:
    """Makes the call of every cell, and gathers what came of it; in the order of the cells."""
    with (
        FakeProvider(say=lambda _: FAULTY_WORDS) as behind,
        FakeProvider(say=lambda _: HEALTHY_WORDS) as healthy,
        FaultProxy(behind.url, choose=Faults(cells)) as proxy,
        refusing_port() as refused,
    ):
        with running_gateway(_config(cells, proxy.url, healthy.url, refused), folder) as gateway:
            # Those that wait for limits come first and alone: no limit may be reached for want of this machine's time.
            slow = [cell for cell in cells if cell.row.slow]
            retried = [cell for cell in cells if not cell.row.slow and cell.healthy is None]
            others = [cell for cell in cells if not cell.row.slow and cell.healthy is not None]
            outcomes = asked(gateway.url, slow, _WAITING_THREADS)
            outcomes += asked(gateway.url, retried, _WAITING_THREADS)
            outcomes += asked(gateway.url, others, _QUICK_THREADS)
            proxy.settled(30)
        return gathered(outcomes, proxy.requests, healthy.requests, folder)


def asked(url: str, cells: Sequence[Cell], threads: int) -> list[Outcome]:
    """Makes the calls, some at a time; each thread has clients of its own."""
    free: queue.SimpleQueue[Callers] = queue.SimpleQueue()
    made: list[Callers] = []
    lock = Lock()

    def one(cell: Cell) -> Outcome:
        try:
            callers = free.get_nowait()
        except queue.Empty:
            callers = Callers(url, KEY)
            with lock:
                made.append(callers)
        try:
            saw = callers.ask(cell.client, cell.model, cell.mark, streamed=cell.streamed, acts=cell.shape == "acts")
        finally:
            free.put(callers)
        return Outcome(cell, saw)

    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(one, cells))
        finally:
            pool.shutdown()
            for callers in made:
                callers.close()


def gathered(
    outcomes: list[Outcome], passages: Iterable[Passage], healthy: Iterable[Seen], folder: Path
) -> list[Outcome]:
    """Adds to each outcome what the servers saw and what was booked, in the cells' order."""
    of_faulty = _by(passages, lambda passage: mark_in(passage.seen))
    of_healthy = _by(healthy, mark_in)
    booked = _by(ledger_rows(folder), lambda row: row["request_id"])
    for outcome in outcomes:
        outcome.faulty = of_faulty[outcome.cell.mark]
        outcome.healthy = of_healthy[outcome.cell.mark]
        outcome.rows = booked.pop(outcome.saw.request_id, [])
    assert not booked, f"booked for nobody: {booked!r:.500}"
    return sorted(outcomes, key=lambda outcome: outcome.cell.number)


def ledger_rows(folder: Path) -> list[dict[str, Any]]:
    """The ledger's attempts, oldest first. The gateway must have been closed: then all of them are carried over."""
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM attempts ORDER BY request_id, number")]


def _by(entries: Iterable[Entry], key: Callable[[Entry], str]) -> defaultdict[str, list[Entry]]:
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[key(entry)].append(entry)
    return found
