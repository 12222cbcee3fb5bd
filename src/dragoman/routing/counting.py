"""The runner of token counts: the first candidate alone is asked, again by the plan, and without a permit.

A count is no answer: it costs nothing, books nothing, and another model would count another number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.engine.counting import count_tokens
from dragoman.errors import DragomanError
from dragoman.routing.plan import GiveUp, Plan

if TYPE_CHECKING:
    from dragoman.routing.route import Route
    from dragoman.routing.settings import CallSettings
    from dragoman.values import Request
    from dragoman.values.counts import TokenCount

__all__ = ["run_count"]


async def run_count(route: Route, request: Request, settings: CallSettings) -> TokenCount:
    """How many tokens the prompt takes at the route's first candidate. Raises that one's error."""
    candidate = route.candidates[0]
    retries = candidate.max_retries if settings.max_retries is None else settings.max_retries
    plan = Plan((1 + retries,), bounds=route.bounds, budget=route.budget, acts_on_world=False, random=settings.random)
    command = plan.start(settings.clock.now())
    prepared = candidate.prepare(request)
    while True:
        assert not isinstance(command, GiveUp)  # one target that is always there
        if command.wait_seconds:
            await settings.clock.sleep(command.wait_seconds)
        try:
            return await count_tokens(candidate.deployment, prepared, adapt=settings.adapt, timeout=settings.timeout)
        except DragomanError as error:
            following = plan.failed(error, settings.clock.now())
            if isinstance(following, GiveUp):
                raise
            command = following
