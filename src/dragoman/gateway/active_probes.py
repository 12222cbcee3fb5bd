"""Active probes of a gateway, where the configuration asks for them: lists of models, at no cost.

Every worker looks after the breakers that wait to be tried: whoever gets the machine's one leave asks, and tells the
others. Those that are well are asked by the first worker alone. What is asked are the deployments of the models that
the configuration names, and of names under patterns that have been asked for; never a model.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dragoman.routing.lineup import lineup_of
from dragoman.routing.probing import probe_option
from dragoman.routing.settings import Clock, LoopClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.gateway.generation import Generation
    from dragoman.gateway.public_route import PublicRoute
    from dragoman.routing import Health
    from dragoman.routing.lineup import Option

__all__ = ["ActiveProbes"]

logger = logging.getLogger("dragoman.gateway")

AT_ONCE = 8
"""Deployments that are asked at one time: a host that does not answer takes up to 15 s."""


class ActiveProbes:
    """One worker's probes. Belongs to the running loop; `generation` gives the configuration in use."""

    def __init__(self, generation: Callable[[], Generation], *, worker: int = 0, clock: Clock | None = None) -> None:
        self._generation = generation
        self._first = worker == 0
        self._clock = clock or LoopClock()
        self._every: float | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self, every_seconds: float | None) -> None:
        """Probes this often from now on; None: not any more."""
        if every_seconds == self._every:
            return
        self.close()
        self._every = every_seconds
        if every_seconds is not None:
            self._task = asyncio.get_running_loop().create_task(self._run(every_seconds))

    def close(self) -> None:
        """Probes no more. A probe that is under way is given up, and says nothing of its deployment."""
        self._every = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, every_seconds: float) -> None:
        while True:
            await self._clock.sleep(every_seconds)
            try:
                await self._round()
            except Exception:
                # A task supervisor: whatever this was, the next round must come.
                logger.exception("a round of probes failed")

    async def _round(self) -> None:
        generation = self._generation().enter()  # its transports stay open while they are used
        try:
            options = _watched(generation.routes.made())
            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._probe(option, health, gate) for option, health in options))
        finally:
            generation.leave()

    async def _probe(self, option: Option, health: Health, gate: asyncio.Semaphore) -> None:
        async with gate:
            said = await probe_option(option, health, self._clock, well=self._first)
        if said is not None:
            logger.debug("%s was asked for its models: %s", option.name, said)


def _watched(routes: Iterable[PublicRoute]) -> list[tuple[Option, Health]]:
    """The deployments whose health is kept, each once, however many routes lead to it."""
    found: dict[str, tuple[Option, Health]] = {}
    for public in routes:
        for route in public.routes():
            if route.health is not None:
                for option in lineup_of(route).options:
                    found.setdefault(option.key, (option, route.health))
    return list(found.values())
