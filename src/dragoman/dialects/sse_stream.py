"""The common half of every SSE stream decoder: bytes → frames → JSON, the laws of the end, errors with what was seen.

A dialect's decoder subclasses `SseStream` and gives `_take(name, data)` for one parsed event and `_end()` for the end
of the body; it drives `self.assembly`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.reading import object_of, parse
from dragoman.errors import DragomanError, ProtocolViolation, ProviderError, StreamTruncated, TransportError
from dragoman.framing import SseDecoder
from dragoman.values import Assembly, Ping

if TYPE_CHECKING:
    from dragoman.framing import SseFrame
    from dragoman.values import Event, JsonObject, Response, Target

__all__ = ["SseStream"]

_DONE = b"[DONE]"


class SseStream:
    """See the module's docstring."""

    def __init__(self, target: Target, dialect: str) -> None:
        self.target = target
        self.assembly = Assembly(provider=target.provider, dialect=dialect, model=target.model)
        self._framing = SseDecoder()

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        try:
            for frame in self._framing.feed(data):
                self._frame(frame, events)
        except DragomanError as error:
            raise self._completed(error, events) from error.__cause__
        return events

    def close(self) -> list[Event]:
        events: list[Event] = []
        try:
            if not self.assembly.completed:
                for frame in self._framing.close():
                    if not _cut_off(frame):
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

    def _frame(self, frame: SseFrame, events: list[Event]) -> None:
        if self.assembly.completed:
            return
        if frame.comment is not None:
            events.append(Ping())
        elif frame.data == _DONE:
            events.extend(self._done())
        elif frame.data:
            events.extend(self._take(frame.event, object_of(parse(frame.data), "event")))

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        """One parsed event."""
        raise NotImplementedError

    def _done(self) -> list[Event]:
        """`data: [DONE]`; it is no finish."""
        return []

    def _end(self) -> list[Event]:
        """The end of the body: complete the answer here if its finish was seen."""
        return []

    def _truncated(self) -> StreamTruncated:
        who = self.target.provider or "the provider"
        return StreamTruncated(
            f"the stream of {who} ended without a finish: the answer is cut off. "
            "What came is in .partial; the call may be made again.",
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


def _cut_off(frame: SseFrame) -> bool:
    """Whether the end of the body cut the last frame in the middle of its data: that is truncation, no violation."""
    if not frame.data or frame.data == _DONE:
        return False
    try:
        parse(frame.data)
    except ProtocolViolation:
        return True
    return False
