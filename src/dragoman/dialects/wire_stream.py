"""The common half of every stream decoder: bytes → frames → JSON, the laws of the end, errors with what was seen.

`SseStream` and `NdjsonStream` cut the bytes their ways; a dialect's decoder subclasses one of them, gives `_end()` for
the end of the body, and drives `self.assembly`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.reading import parse
from dragoman.errors import DragomanError, ProtocolViolation, ProviderError, StreamTruncated, TransportError
from dragoman.values import Assembly

if TYPE_CHECKING:
    from dragoman.values import Event, Response, Target

__all__ = ["WireStream", "cut_off"]


class WireStream:
    """See the module's docstring."""

    _framing: Any
    """Gives frames by `feed(bytes)` and `close()`."""

    def __init__(self, target: Target, dialect: str) -> None:
        self.target = target
        self.assembly = Assembly(provider=target.provider, dialect=dialect, model=target.model)

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        try:
            for frame in self._framing.feed(data):
                self._frame(frame, events)
        except DragomanError as error:
            raise self._completed(error, events) from error.__cause__
        return events

    def again(self, data: bytes) -> Event | None:
        """See `StreamDecoder`."""
        return None

    def close(self) -> list[Event]:
        events: list[Event] = []
        try:
            if not self.assembly.completed:
                for frame in self._framing.close():
                    if not self._cut_off(frame):
                        self._frame(frame, events)
            if not self.assembly.completed:
                events.extend(self._end())
            if not self.assembly.completed:
                raise self._truncated()
        except DragomanError as error:
            raise self._completed(error, events) from error.__cause__
        return events

    def partial(self) -> Response:
        return self.assembly.partial()

    def _frame(self, frame: Any, events: list[Event]) -> None:
        """One frame; its events are added to `events`."""
        raise NotImplementedError

    def _cut_off(self, frame: Any) -> bool:
        """Whether the end of the body cut the last frame in the middle of its data: that is truncation, no fault."""
        raise NotImplementedError

    def _end(self) -> list[Event]:
        """The end of the body: complete the answer here if its finish was seen."""
        return []

    def _truncated(self) -> StreamTruncated:
        who = self.target.provider or "the provider"
        return StreamTruncated(
            f"the stream of {who} ended without a finish: the answer is cut off. "
            "What came is not the whole of it; the call may be made again.",
            partial=self.partial(),
        )

    def _completed(self, error: DragomanError, events: list[Event]) -> DragomanError:
        """The error with the events decoded before it and the answer as far as it came."""
        error.__dict__["events"] = events
        if isinstance(error, (ProviderError, TransportError)):
            usage: Any = self.assembly.usage_seen
            error.usage = error.usage or usage
            error.partial = error.partial or self.partial()
            error.provider = error.provider or self.target.provider
        return error


def cut_off(data: bytes) -> bool:
    """Whether these bytes are no whole JSON."""
    try:
        parse(data)
    except ProtocolViolation:
        return True
    return False
