"""Stream decoders over newline-delimited JSON: a dialect gives `_take(data)` for one parsed line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.reading import object_of, parse
from dragoman.dialects.wire_stream import WireStream, cut_off
from dragoman.framing import NdjsonDecoder

if TYPE_CHECKING:
    from dragoman.values import Event, JsonObject, Target

__all__ = ["NdjsonStream"]


class NdjsonStream(WireStream):
    """See the module's docstring and `WireStream`'s."""

    def __init__(self, target: Target, dialect: str) -> None:
        super().__init__(target, dialect)
        self._framing = NdjsonDecoder()

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        if not self.assembly.completed:
            events.extend(self._take(object_of(parse(frame), "line")))

    def _cut_off(self, frame: bytes) -> bool:
        return cut_off(frame)

    def _take(self, data: JsonObject) -> list[Event]:
        """One parsed line."""
        raise NotImplementedError
