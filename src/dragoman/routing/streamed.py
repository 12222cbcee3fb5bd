"""A stream of events, by the plan (see `routed`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.routing.effects import acts_on_world
from dragoman.routing.layers import AttemptEvents, layered
from dragoman.routing.routed import Routed
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

    from dragoman.routing.route import Candidate, Route
    from dragoman.routing.run import Held
    from dragoman.routing.settings import CallSettings
    from dragoman.values import Attempt, Cost, Event, Request, Usage

__all__ = ["RoutedStream", "shows"]

_SHOWS_NOTHING = (Started, Ping, UsageSeen)


class RoutedStream(Routed["Event"]):
    """The events of one call. `aclose` closes the connection for certain; so does dropping the stream, on CPython."""

    def __init__(self, route: Route, request: Request, settings: CallSettings) -> None:
        super().__init__(route, settings, acts_on_world=acts_on_world(request), request=request)
        self._request = request

    def __aiter__(self) -> RoutedStream:
        return self

    def _open(self, candidate: Candidate, held: Held) -> tuple[AttemptEvents, AsyncIterator[Event]]:
        source = AttemptEvents(candidate.deployment, held.meter, self._settings, stream=True)
        return source, layered(candidate.layers, source.open)(candidate.prepare(self._request))

    def _shows(self, item: Event) -> bool:
        return shows(item)

    def _answer(self, item: Event) -> tuple[Usage, Cost | None] | None:
        return (item.response.usage, item.response.cost) if type(item) is Finished else None

    def _told(self, item: Event) -> Event:
        assert type(item) is Finished  # the one event that ends an answer
        return Finished(replace(item.response, attempts=self.attempts))

    def _taken_over(self, record: Attempt) -> Event:
        return AttemptFailed(record)

    def _kept(self, held: list[Event]) -> list[Event]:
        return [event for event in held if not isinstance(event, Ping)]


def shows(event: Event) -> bool:
    """Whether an event shows a part of an answer: until one does, another deployment may take over."""
    if isinstance(event, _SHOWS_NOTHING):
        return False
    if isinstance(event, PartStarted) and isinstance(event.part, (Text, Reasoning, Refusal)):
        return bool(event.part.text)
    return True
