"""A race of two attempts (see `hedging`): tasks that exist only while it runs, and are awaited before it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from dragoman.errors import DragomanError
from dragoman.routing.dispatch import Held

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from dragoman.routing.dispatch import Dispatch
    from dragoman.routing.plan import Try

__all__ = ["race"]

_Got = TypeVar("_Got")


async def race(
    dispatch: Dispatch,
    held: Held,
    start: Callable[[int, Held], Coroutine[object, object, _Got]],
    drop: Callable[[_Got], Awaitable[None]],
) -> _Got:
    """The attempt, or the one that was faster.

    `start` makes an attempt and ends it whichever way it goes, `drop` gives up one that won nothing. Raises the error
    of the attempt that failed last, which the plan then takes for the one at hand.
    """
    hedging, lineup = dispatch.route.hedging, dispatch.lineup
    delay = None
    target = dispatch.plan.target
    if hedging is not None and lineup is not None and not dispatch.acts:
        delay = hedging.delay(lineup.options[target].standing, streamed=dispatch.call.streamed)
    if delay is None:
        return await start(target, held)
    running = {asyncio.ensure_future(start(target, held)): target}
    try:
        timer = asyncio.ensure_future(dispatch.settings.clock.sleep(delay))
        try:
            await asyncio.wait((*running, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        if not any(task.done() for task in running):
            second = dispatch.plan.hedge(dispatch.settings.clock.now())
            if second is not None:
                running[asyncio.ensure_future(_second(dispatch, second, start))] = second.target
        return await _first_answer(dispatch, running, drop)
    finally:
        await _end(running, drop)


async def _second(
    dispatch: Dispatch, command: Try, start: Callable[[int, Held], Coroutine[object, object, _Got]]
) -> _Got:
    return await start(command.target, await Held.acquire(dispatch, command))


async def _first_answer(
    dispatch: Dispatch, running: dict[asyncio.Task[_Got], int], drop: Callable[[_Got], Awaitable[None]]
) -> _Got:
    failed: DragomanError | None = None
    while running:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in [task for task in running if task.done()]:
            target = running.pop(task)
            dispatch.plan.turn_to(target)
            try:
                return task.result()
            except DragomanError as error:
                dispatch.errors[target] = failed = error
    assert failed is not None  # at least one ran
    raise failed


async def _end(running: dict[asyncio.Task[_Got], int], drop: Callable[[_Got], Awaitable[None]]) -> None:
    """Cancels whoever still runs, and waits until it has let go of its things."""
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    for task in running:
        if not task.cancelled() and task.exception() is None:
            await drop(task.result())  # it had answered in the same moment
