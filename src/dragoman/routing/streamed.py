"""A stream of events, by the plan.

The stream is committed to its deployment when the first part of its answer is shown; until then another may take over,
and nothing of the attempt that was given up is ever shown. After that a failure is raised to the reader, with what
came. It pulls: between two calls of `anext` nothing runs, and no task exists that could be left behind.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dragoman.errors import DragomanError
from dragoman.routing.effects import acts_on_world
from dragoman.routing.layers import AttemptEvents, close, layered, truncated_by_layer
from dragoman.routing.plan import GiveUp
from dragoman.routing.run import Held, given_up, make_plan
from dragoman.values import (
    AttemptFailed,
    Finished,
    PartStarted,
    Ping,
    Reasoning,
    Refusal,
    Started,
    Text,
    UsageSeen,
    replace,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dragoman.routing.plan import Try
    from dragoman.routing.route import Route
    from dragoman.routing.settings import CallSettings
    from dragoman.values import Attempt, Event, Request, Response

__all__ = ["RoutedStream"]

_SHOWS_NOTHING = (Started, Ping, UsageSeen)
MOST_HELD_EVENTS = 10_000


class RoutedStream:
    """The events of one call. `aclose` closes the connection for certain; so does dropping the stream, on CPython."""

    def __init__(self, route: Route, request: Request, settings: CallSettings) -> None:
        self._route = route
        self._request = request
        self._settings = settings
        self._plan = make_plan(route, settings, acts_on_world(request))
        self._attempts: list[Attempt] = []
        self._errors: dict[int, DragomanError] = {}
        self._ready: deque[Event] = deque()
        self._held: Held | None = None
        self._source: AttemptEvents | None = None
        self._events: AsyncIterator[Event] | None = None
        self._begun = False
        self._committed = False
        self._ended = False

    def __aiter__(self) -> RoutedStream:
        return self

    async def __anext__(self) -> Event:
        try:
            while not self._ready:
                if self._ended:
                    raise StopAsyncIteration
                if self._committed:
                    await self._read()
                else:
                    await self._commit()
        except (StopAsyncIteration, DragomanError):
            raise
        except BaseException:
            # Cancelled, or a layer of the caller's own failed: the connection closes now, not when this is collected.
            await self.aclose()
            raise
        event = self._ready.popleft()
        return self._booked(event) if type(event) is Finished else event

    def take_ready(self) -> list[Event]:
        """The events that are there already, but for the finish, which is booked when it is read.

        A reader that takes them spares each of them an await; `__anext__` alone gives the same events.
        """
        ready = self._ready
        finish = ready.pop() if ready and type(ready[-1]) is Finished else None
        events = list(ready)
        ready.clear()
        if finish is not None:
            ready.append(finish)
        return events

    # -- until something is shown ------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        """Attempts, until one shows a part of its answer or the plan gives up."""
        if self._begun:
            raise StopAsyncIteration
        self._begun = True
        command: Try | GiveUp = self._plan.start(self._settings.clock.now())
        while True:
            if command.wait_seconds:
                await self._settings.clock.sleep(command.wait_seconds)
            try:
                self._ready.extend(await self._attempt(command))
            except DragomanError as error:
                record = await self._attempt_failed(error)
                self._errors[command.target] = error
                following = self._plan.failed(error, self._settings.clock.now())
                if isinstance(following, GiveUp):
                    self._ended = True
                    raised = given_up(following, error, self._errors, self._attempts)
                    raise raised from (error if raised is not error else None)
                if record is not None:
                    self._ready.append(AttemptFailed(record))
                command = following
            else:
                self._committed = True
                self._plan.shown()
                return

    async def _attempt(self, command: Try) -> list[Event]:
        """One attempt, up to the first event that shows something: that one and what was held before it."""
        candidate = self._route.candidates[command.target]
        self._held = None  # what a permit is refused for was no attempt
        self._held = await Held.acquire(self._route, candidate.deployment, command.reason, self._attempts)
        self._source = AttemptEvents(candidate.deployment, self._held.meter, self._settings, stream=True)
        self._events = layered(candidate.layers, self._source.open)(candidate.prepare(self._request))
        held: list[Event] = []
        async for event in self._events:
            held.append(event)
            if _shows(event) or len(held) > MOST_HELD_EVENTS:
                return [event for event in held if not isinstance(event, Ping)]
        raise truncated_by_layer()

    async def _attempt_failed(self, error: DragomanError) -> Attempt | None:
        record = self._held.end(self._held.meter.failed(error)) if self._held is not None else None
        await self._close_source()
        return record

    # -- after that --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        events, source = self._events, self._source
        assert events is not None  # committed streams have a source
        try:
            event = await anext(events, None)
        except DragomanError as error:
            self._ended = True
            await self._attempt_failed(error)
            error.attempts = tuple(self._attempts)
            raise
        if event is not None:
            self._ready.append(event)
            if source is not None and events is source:
                self._ready.extend(source.take_ready())
            return
        self._ended = True
        finished = self._held is None or self._held.ended
        await self._close_source()
        if not finished:
            error = truncated_by_layer()
            await self._attempt_failed(error)
            error.attempts = tuple(self._attempts)
            raise error

    def _booked(self, finish: Finished) -> Finished:
        """Books the finish, and puts the attempts into the answer."""
        held = self._held
        if held is not None:
            held.end(held.meter.ok(finish.response.usage), finish.response.cost)
        return Finished(replace(finish.response, attempts=tuple(self._attempts)))

    async def _close_source(self) -> None:
        events, source = self._events, self._source
        self._events = self._source = None
        if source is not None:
            await source.aclose()
        if events is not None and events is not source:
            await close(events)

    def partial(self) -> Response | None:
        """The answer as far as it came; None before anything did."""
        return self._source.partial() if self._source is not None else None

    async def aclose(self) -> None:
        """Closes the connection; an attempt that had not finished is booked as cancelled, with the usage seen."""
        self._ended = True
        self._ready.clear()
        self._settle_cancelled()
        await self._close_source()

    def _settle_cancelled(self) -> None:
        held = self._held
        if held is not None and not held.ended:
            held.end(held.meter.cancelled(self._source.usage if self._source is not None else None))

    def __del__(self) -> None:
        # Dropped without aclose: the permit is given back here, the connection by its own finaliser.
        if getattr(self, "_held", None) is not None:
            self._settle_cancelled()


def _shows(event: Event) -> bool:
    if isinstance(event, _SHOWS_NOTHING):
        return False
    if isinstance(event, PartStarted) and isinstance(event.part, (Text, Reasoning, Refusal)):
        return bool(event.part.text)
    return True
