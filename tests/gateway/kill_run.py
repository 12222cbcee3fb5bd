"""Load, deaths at random moments, and what is left of it: one run, for `make test` and for the soak."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.gateway.ledger_audit import audit
from tests.gateway.raw_load import Load
from tests.gateway.served import DEADLINE_SECONDS, Served, config_text
from tests.gateway.witness import Witness

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.gateway.ledger_audit import Audit

__all__ = ["KillRun", "Round", "until"]

MOST_ANSWERS = 25
LAST_SECONDS = 0.1
BY_TIME_ALONE = 0.25


class Round(NamedTuple):
    """One life of the command: so many workers and writers of the ledger are killed, in any order, then the first
    process, alone or with the whole group."""

    arguments: tuple[str, ...]
    workers_killed: int
    end: Literal["first", "group"]
    writers_killed: int = 0

    @property
    def kills(self) -> int:
        return self.workers_killed + self.writers_killed + 1


async def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        await asyncio.sleep(0.01)


class KillRun:
    """What a run did, and found."""

    def __init__(self, folder: Path, dice: random.Random, *, clients: int = 16) -> None:
        self._folder = folder
        self._dice = dice
        self.load = Load(clients)
        self.killed_workers = self.killed_writers = self.killed_first = self.killed_groups = 0
        self.starts = 0
        self.seconds = 0.0

    @property
    def kills(self) -> int:
        return self.killed_workers + self.killed_writers + self.killed_first + self.killed_groups

    def run(self, rounds: list[Round]) -> Audit:
        """All rounds, and a last life that ends in peace; then the rows are held against what was seen."""
        began = time.monotonic()
        with Witness() as witness, Served(self._folder, config_text(self._folder, witness.url)) as served:
            try:
                asyncio.run(self._run(served, rounds))
            except AssertionError as error:
                error.add_note(served.log.read_text()[-4000:])
                raise
            assert "Traceback" not in served.log.read_text(), served.log.read_text()[-4000:]
            seen = witness.seen
        self.starts = served.starts
        self.seconds = time.monotonic() - began
        return audit(self._folder, seen, self.load.delivered)

    async def _run(self, served: Served, rounds: list[Round]) -> None:
        load = self.load
        load.start(served.port)
        for each in rounds:
            await self._begin(served, each.arguments)
            victims = [served.workers] * each.workers_killed + [served.writers] * each.writers_killed
            self._dice.shuffle(victims)
            for alive in victims:
                await self._moment()
                await self._kill_one(served, alive)
            await self._moment()
            await self._end(served, each.end)
        await self._begin(served, ("--workers", "2"))
        enough = len(load.delivered) + 20
        await until(lambda: len(load.delivered) >= enough, "answers of the last life")
        await load.stop()
        served.workers()
        served.tell(signal.SIGTERM)
        await until(lambda: served.process is not None and served.process.poll() is not None, "the end")
        assert served.ended() == 0
        await until(served.all_gone, "the end of all workers")

    async def _begin(self, served: Served, arguments: tuple[str, ...]) -> None:
        served.start(*arguments)

        def serves() -> bool:
            assert served.process is not None
            assert served.process.poll() is None
            return served.accepts()

        await until(serves, "a gateway that accepts connections")

    async def _moment(self) -> None:
        """Lets a random while pass: mostly some answers and a little, else any time, as short as may be."""
        dice = self._dice
        if dice.random() < BY_TIME_ALONE:
            await asyncio.sleep(dice.uniform(0, 3 * LAST_SECONDS))
            return
        enough = len(self.load.delivered) + dice.randint(1, MOST_ANSWERS)
        await until(lambda: len(self.load.delivered) >= enough, "answers between two deaths")
        await asyncio.sleep(dice.uniform(0, LAST_SECONDS))

    async def _kill_one(self, served: Served, alive: Callable[[], list[int]]) -> None:
        await until(lambda: bool(alive()), "a worker, or a writer")
        with suppress(ProcessLookupError, IndexError):  # it may end meanwhile
            os.kill(self._dice.choice(alive()), signal.SIGKILL)
            if alive == served.writers:
                self.killed_writers += 1
            else:
                self.killed_workers += 1

    async def _end(self, served: Served, end: Literal["first", "group"]) -> None:
        served.workers()
        if end == "group":
            served.kill_all()
            self.killed_groups += 1
        else:
            assert served.process is not None
            served.process.kill()
            served.process.wait()
            self.killed_first += 1
        # What a supervisor leaves behind answers what it has begun, and ends by itself.
        await until(served.all_gone, "the end of all workers")
        await until(lambda: not served.accepts(), "a free port")
