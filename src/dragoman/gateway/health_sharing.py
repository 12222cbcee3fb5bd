"""Health among the workers of one machine: one probe of a deployment at a time, and what one learns, told to all.

Leave to probe is a lock of the kernel's, one file for each of some hundred slots: it is asked for without waiting, and
that of a worker that dies is free at once. It is given back when the others know what came of the probe, so that none
of them, whose breaker is half-open too, makes a second one meanwhile.

News goes through the supervisor to all that serve. A worker that begins asks them how things stand. News that is lost
costs little: each worker finds it out by its own traffic, as if it were alone.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.errors import DragomanError
from dragoman.ledger.births import try_lock
from dragoman.routing.gates import LocalGate
from dragoman.routing.news import StandingNews, news_of
from dragoman.routing.settings import Clock, LoopClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from dragoman.gateway.workers.service import Fleet
    from dragoman.ledger.births import Claim
    from dragoman.routing import Health
    from dragoman.routing.standing import Standing

__all__ = ["HEAR", "STANDINGS", "HealthSharing", "MachineGate"]

logger = logging.getLogger("dragoman.gateway")

HEAR: Final = "hear"
"""The order by which one worker tells all what it learned; the argument is what `told` gives."""
STANDINGS: Final = "standings"
"""The order by which a worker that begins asks all how things stand."""

SLOTS: Final = 512
"""Files for locks, so that their number is bounded whatever models clients ask for. Two deployments in one slot are
merely not probed at one time."""


class MachineGate:
    """The gate of all processes that are given the same folder; within one process it is the process's own."""

    def __init__(self, folder: Path) -> None:
        with suppress(OSError):  # a full disk keeps nobody from serving; each probe will say that it has no lock
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._local = LocalGate()
        self._begun: set[str] = set()
        self._claims: dict[str, Claim] = {}

    def begin(self, key: str, now: float) -> bool:
        """Leave for a probe, if no process has it."""
        if not self._local.begin(key, now):
            return False
        if key not in self._claims:  # else it is still ours, from a probe of which the others are being told
            try:
                claim = try_lock(self._folder / f"{_slot(key):03}")
            except OSError as error:
                # A second probe does less harm than a deployment that nobody ever asks again.
                logger.warning("no lock for a probe, which is made without one: %s", error)
            else:
                if claim is None:
                    self._local.end(key, recovered=False, now=now)
                    return False
                self._claims[key] = claim
        self._begun.add(key)
        return True

    def end(self, key: str, *, recovered: bool, now: float) -> None:
        """A probe has ended in this process; the others may have leave once `release` is called."""
        self._begun.discard(key)
        self._local.end(key, recovered=recovered, now=now)

    @property
    def ended(self) -> list[str]:
        """Those whose probes have ended, and whose locks are still held."""
        return [key for key in self._claims if key not in self._begun]

    def release(self, key: str) -> None:
        """The other processes may probe this one, unless a probe has begun here again."""
        claim = None if key in self._begun else self._claims.pop(key, None)
        if claim is not None:
            claim.release()

    def close(self) -> None:
        """Gives all locks up."""
        claims, self._claims = self._claims, {}
        for claim in claims.values():
            claim.release()


def _slot(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) % SLOTS


class _Told(msgspec.Struct, frozen=True):
    """What one worker tells all: `worker` is itself."""

    worker: int
    news: list[StandingNews]


_told = msgspec.json.Decoder(_Told)


class HealthSharing:
    """One worker's part. `fleet` gives all processes, `folder` is theirs; belongs to the running loop."""

    def __init__(
        self, health: Health, fleet: Callable[[], Fleet], folder: Path, worker: int, clock: Clock | None = None
    ) -> None:
        self._health = health
        self._fleet = fleet
        self._worker = worker
        self._clock = clock or LoopClock()
        self._gate = MachineGate(folder)
        self._news: dict[str, Standing] = {}
        self._task: asyncio.Task[None] | None = None
        self._beginning: asyncio.Task[None] | None = None
        health.share(self, self._note)

    # -- the gate of this worker's health ----------------------------------------------------------------------------

    def begin(self, key: str, now: float) -> bool:
        """Leave for the one probe of the machine."""
        return self._gate.begin(key, now)

    def end(self, key: str, *, recovered: bool, now: float) -> None:
        """A probe has ended here. What came of it is noted within the same step of the loop, and told after it."""
        self._gate.end(key, recovered=recovered, now=now)
        self._wake()

    # -- telling -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins: what the others know already is asked for."""
        self._beginning = asyncio.get_running_loop().create_task(self._quietly(self._catch_up()))

    def close(self) -> None:
        """Tells nothing more, and leaves probing to the others."""
        for task in (self._task, self._beginning):
            if task is not None:
                task.cancel()
        self._gate.close()

    def _note(self, standing: Standing) -> None:
        self._news[standing.key] = standing
        self._wake()

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        """Tells what there is, of each deployment the last thing; one message is under way at a time."""
        while self._news or self._gate.ended:
            changed, self._news = self._news, {}
            ended = self._gate.ended
            if changed:
                now = self._clock.now()
                told = _Told(self._worker, [news_of(each, now) for each in changed.values()])
                await self._quietly(self._order(HEAR, msgspec.json.encode(told).decode()))
            for key in ended:
                self._gate.release(key)

    async def _quietly(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except DragomanError as error:
            logger.warning("what is known of deployments could not be shared with the other workers: %s", error)

    async def _order(self, name: str, argument: str = "") -> list[Any]:
        return await self._fleet().order(name, argument)

    # -- hearing -----------------------------------------------------------------------------------------------------

    def hear(self, argument: str) -> None:
        """What a worker told all."""
        self._take(_told.decode(argument))

    def told(self) -> Any:
        """How things stand here, as plain data."""
        return msgspec.to_builtins(_Told(self._worker, self._health.news(self._clock.now())))

    async def _catch_up(self) -> None:
        for each in await self._order(STANDINGS):
            self._take(msgspec.convert(each, _Told))

    def _take(self, told: _Told) -> None:
        if told.worker != self._worker:
            now = self._clock.now()
            for each in told.news:
                self._health.hear(each, now)
