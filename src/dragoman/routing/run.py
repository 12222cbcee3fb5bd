"""The runner: carries a plan out on asyncio, for whole answers and vectors (`streamed` does it for streams).

Every attempt runs under a permit that is settled in all ways out, cancellation among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dragoman.engine import Meter, attempt, attempt_embedding
from dragoman.errors import AllAttemptsFailed, DragomanError
from dragoman.routing.effects import acts_on_world
from dragoman.routing.layers import AttemptEvents, collect, layered
from dragoman.routing.plan import GiveUp, Plan, Try
from dragoman.routing.tally import open_tallies
from dragoman.values import replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.engine import Deployment
    from dragoman.routing.permits import Permit
    from dragoman.routing.route import Candidate, Route
    from dragoman.routing.settings import CallSettings
    from dragoman.values import (
        Attempt,
        Cost,
        EmbeddingRequest,
        EmbeddingResponse,
        Request,
        Response,
    )

__all__ = ["Held", "given_up", "make_plan", "run", "run_embedding"]


_Answer = TypeVar("_Answer", "Response", "EmbeddingResponse")


def make_plan(route: Route, settings: CallSettings, acts: bool) -> Plan:
    """The plan of one call over a route; `acts` says whether the request may act on the world."""
    tries = [
        1 + (candidate.max_retries if settings.max_retries is None else settings.max_retries)
        for candidate in route.candidates
    ]
    return Plan(tries, bounds=route.bounds, budget=route.budget, acts_on_world=acts, random=settings.random)


def given_up(
    command: GiveUp, error: DragomanError, errors: dict[int, DragomanError], attempts: list[Attempt]
) -> DragomanError:
    """The error to raise: the target's own where one target was asked, else one that holds them all."""
    if len(errors) > 1:
        told = "; ".join(str(each) for each in errors.values())
        error = AllAttemptsFailed(
            f"none of {len(errors)} targets answered in {len(attempts)} attempts ({command.reason}): {told}",
            errors=tuple(errors.values()),
        )
    error.attempts = tuple(attempts)
    return error


async def run(route: Route, request: Request, settings: CallSettings) -> Response:
    """A whole answer, by the plan. Raises the last target's error, or `AllAttemptsFailed` after several."""

    async def once(candidate: Candidate, meter: Meter) -> Response:
        prepared = candidate.prepare(request)
        if candidate.layers:
            source = AttemptEvents(candidate.deployment, meter, settings, stream=False)
            return await collect(layered(candidate.layers, source.open)(prepared))
        return await attempt(candidate.deployment, prepared, meter, adapt=settings.adapt, timeout=settings.timeout)

    return await _run(route, once, settings, acts_on_world(request))


async def run_embedding(route: Route, request: EmbeddingRequest, settings: CallSettings) -> EmbeddingResponse:
    """Vectors, by the plan."""

    async def once(candidate: Candidate, meter: Meter) -> EmbeddingResponse:
        return await attempt_embedding(
            candidate.deployment, request, meter, adapt=settings.adapt, timeout=settings.timeout
        )

    return await _run(route, once, settings, acts=False)


async def _run(
    route: Route, once: Callable[[Candidate, Meter], Awaitable[_Answer]], settings: CallSettings, acts: bool
) -> _Answer:
    plan = make_plan(route, settings, acts)
    attempts: list[Attempt] = []
    errors: dict[int, DragomanError] = {}
    command: Try | GiveUp = plan.start(settings.clock.now())
    while True:
        if command.wait_seconds:
            await settings.clock.sleep(command.wait_seconds)
        candidate = route.candidates[command.target]
        try:
            held = await Held.acquire(route, candidate.deployment, command.reason, attempts)
            answer = await held.run(once(candidate, held.meter))
        except DragomanError as error:
            errors[command.target] = error
            following = plan.failed(error, settings.clock.now())
            if isinstance(following, GiveUp):
                raise given_up(following, error, errors, attempts) from (error if len(errors) > 1 else None)
            command = following
        else:
            return replace(answer, attempts=(*attempts,))


class Held:
    """An attempt under its permit: the one place where a permit ends, and where tallies are told of it."""

    __slots__ = ("_attempts", "_permit", "_tallies", "meter")

    def __init__(self, permit: Permit, meter: Meter, attempts: list[Attempt]) -> None:
        self._permit: Permit | None = permit
        self.meter = meter
        self._attempts = attempts
        self._tallies = open_tallies()

    @classmethod
    async def acquire(cls, route: Route, deployment: Deployment, reason: str, attempts: list[Attempt]) -> Held:
        permit = await route.permits.acquire(deployment)
        return cls(permit, Meter(deployment, reason), attempts)

    async def run(self, answer: Awaitable[_Answer]) -> _Answer:
        try:
            got = await answer
        except DragomanError as error:
            self.end(self.meter.failed(error))
            raise
        except BaseException:
            self.end(self.meter.cancelled())
            raise
        self.end(self.meter.ok(got.usage), got.cost)
        return got

    @property
    def ended(self) -> bool:
        return self._permit is None

    def end(self, record: Attempt, cost: Cost | None = None) -> Attempt:
        """Settles the permit with the record, once."""
        if self._permit is not None:
            permit, self._permit = self._permit, None
            self._attempts.append(record)
            permit.settle(record)
            for tally in self._tallies:
                tally.add(record, cost)
        return record
