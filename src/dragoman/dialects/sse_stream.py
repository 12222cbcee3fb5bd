"""Stream decoders over server-sent events: a dialect gives `_take(name, data)` for one parsed event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.reading import object_of, parse
from dragoman.dialects.wire_stream import WireStream, cut_off
from dragoman.framing import SseDecoder
from dragoman.values import Ping

if TYPE_CHECKING:
    from dragoman.framing import SseFrame
    from dragoman.values import Event, JsonObject, Target

__all__ = ["SseStream"]

_DONE = b"[DONE]"


class SseStream(WireStream):
    """See the module's docstring and `WireStream`'s."""

    def __init__(self, target: Target, dialect: str) -> None:
        super().__init__(target, dialect)
        self._framing = SseDecoder()

    def _frame(self, frame: SseFrame, events: list[Event]) -> None:
        if self.assembly.completed:
            return
        if frame.comment is not None:
            events.append(Ping())
        elif frame.data == _DONE:
            events.extend(self._done())
        elif frame.data:
            events.extend(self._take(frame.event, object_of(parse(frame.data), "event")))

    def _cut_off(self, frame: SseFrame) -> bool:
        return bool(frame.data) and frame.data != _DONE and cut_off(frame.data)

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        """One parsed event."""
        raise NotImplementedError

    def _done(self) -> list[Event]:
        """`data: [DONE]`; it is no finish."""
        return []
