"""The runner: carries a plan out on asyncio, for whole answers and vectors (`streamed` does it for streams)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from dragoman.engine import attempt, attempt_embedding
from dragoman.errors import DragomanError
from dragoman.routing.dispatch import Dispatch, Held
from dragoman.routing.effects import acts_on_world
from dragoman.routing.layers import AttemptEvents, collect, layered
from dragoman.values import replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.engine import Meter
    from dragoman.routing.route import Candidate, Route
    from dragoman.routing.settings import CallSettings
    from dragoman.values import (
        Attempt,
        Cost,
        EmbeddingRequest,
        EmbeddingResponse,
        Request,
        Response,
        Usage,
    )

__all__ = ["Answered", "Held", "run", "run_embedding", "run_with"]


class Answered(Protocol):
    """What an attempt for a whole answer comes back with."""

    @property
    def usage(self) -> Usage: ...

    @property
    def cost(self) -> Cost | None: ...


_Answer = TypeVar("_Answer", bound=Answered)


async def run(route: Route, request: Request, settings: CallSettings) -> Response:
    """A whole answer, by the plan. Raises the last target's error, or `AllAttemptsFailed` after several."""

    async def once(candidate: Candidate, meter: Meter) -> Response:
        prepared = candidate.prepare(request)
        if candidate.layers:
            source = AttemptEvents(candidate.deployment, meter, settings, stream=False)
            return await collect(layered(candidate.layers, source.open)(prepared))
        return await attempt(candidate.deployment, prepared, meter, adapt=settings.adapt, timeout=settings.timeout)

    answer, attempts = await run_with(route, once, settings, acts=acts_on_world(request), request=request)
    return replace(answer, attempts=attempts)


async def run_embedding(route: Route, request: EmbeddingRequest, settings: CallSettings) -> EmbeddingResponse:
    """Vectors, by the plan."""

    async def once(candidate: Candidate, meter: Meter) -> EmbeddingResponse:
        return await attempt_embedding(
            candidate.deployment, request, meter, adapt=settings.adapt, timeout=settings.timeout
        )

    answer, attempts = await run_with(route, once, settings, acts=False)
    return replace(answer, attempts=attempts)


async def run_with(
    route: Route,
    once: Callable[[Candidate, Meter], Awaitable[_Answer]],
    settings: CallSettings,
    *,
    acts: bool,
    request: Request | None = None,
) -> tuple[_Answer, tuple[Attempt, ...]]:
    """Attempts by the plan, each made by `once`: the answer, with the attempts that it took.

    `request` is what is asked, where it is at hand as values: candidates whose models cannot answer it are passed over.
    """
    dispatch = Dispatch(route, settings, acts=acts, request=request)
    command = dispatch.start() if dispatch.decided else await dispatch.begin()
    while True:
        if command.wait_seconds:
            await settings.clock.sleep(command.wait_seconds)
        try:
            held = await Held.acquire(dispatch, command)
        except DragomanError as error:
            command = dispatch.refused(error)
            continue
        if route.hedging is not None:
            try:
                return await _raced(dispatch, held, once), tuple(dispatch.attempts)
            except DragomanError as error:
                command = dispatch.after(error)
            continue
        # As `held.run`, without another coroutine in the chain that every answer is awaited through.
        try:
            answer = await once(route.candidates[command.target], held.meter)
        except DragomanError as error:
            held.failed(error)
            command = dispatch.after(error)
        except BaseException:
            held.cancelled()
            raise
        else:
            held.answered(answer.usage, answer.cost)
            return answer, tuple(dispatch.attempts)


async def _raced(
    dispatch: Dispatch,
    held: Held,
    once: Callable[[Candidate, Meter], Awaitable[_Answer]],
) -> _Answer:
    from dragoman.routing.racing import race

    async def start(target: int, held: Held) -> _Answer:
        return await held.run(once(dispatch.route.candidates[target], held.meter))

    async def drop(answer: _Answer) -> None:
        """A whole answer holds nothing open, and was booked."""

    return await race(dispatch, held, start, drop)
