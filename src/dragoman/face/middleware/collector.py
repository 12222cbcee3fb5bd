"""Collecting usage through a model: for a tally that lives as long as the model does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import DragomanError
from dragoman.values import Attempt, Finished, Started, UsageSeen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dragoman.routing import UsageTally
    from dragoman.routing.route import Attempting
    from dragoman.values import Cost, Event, Request, Response, Usage

__all__ = ["UsageCollector"]


class UsageCollector:
    """Middleware that books into `tally` what the calls through this model come to, failed and left ones too.

    >>> tally = UsageTally()
    >>> model = wrap(model, UsageCollector(tally))

    For a block of code instead of a model there is `dragoman.usage()`.
    """

    def __init__(self, tally: UsageTally) -> None:
        self.tally = tally

    async def __call__(self, request: Request, next: Attempting) -> AsyncIterator[Event]:
        """As `wrap` calls it."""
        started = Started(model=request.model)
        usage: Usage | None = None
        booked = False
        try:
            async for event in next(request):
                if isinstance(event, Started):
                    started = event
                elif isinstance(event, UsageSeen):
                    usage = event.usage
                elif isinstance(event, Finished):
                    booked = True
                    self._answered(event.response)
                yield event
        except DragomanError as error:
            booked = True
            for attempt in error.attempts:
                self.tally.add(attempt)
            raise
        finally:
            if not booked:
                self.tally.add(
                    Attempt(
                        provider=started.provider,
                        model=started.model,
                        dialect=started.dialect,
                        outcome="cancelled",
                        usage=usage,
                        cost=_left(started, usage),
                    )
                )

    def _answered(self, response: Response) -> None:
        """All attempts; of an answer without any (from inside a fallback) the answer itself. A cache's is nothing."""
        attempts = response.attempts
        if not attempts and response.usage:
            attempts = (
                Attempt(
                    provider=response.provider,
                    model=response.model,
                    dialect=response.dialect,
                    outcome="ok",
                    usage=response.usage,
                    cost=response.cost,
                ),
            )
        for attempt in attempts:
            self.tally.add(attempt)


def _left(started: Started, usage: Usage | None) -> Cost | None:
    """The cost of what was counted of an answer that nobody read to its end."""
    if usage is None:
        return None
    from dragoman.facts.costing import cost  # here: facts are loaded by whoever needs them first

    return cost(usage, started.provider, started.model, partial=True)
