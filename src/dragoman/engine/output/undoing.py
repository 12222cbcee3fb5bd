"""Undoing: the filter that turns the answer to a fitted request into the answer to the request as it was asked.

A forced tool's call comes back as text (its argument deltas as text deltas, its finish as "stop"), fences and prose
around prompted JSON are left out, and the object put around a value is taken off; whole and streamed alike. Calls of
the caller's own tools pass untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.engine.output.spans import Chain, ObjectSpan, Unwrap, through
from dragoman.values import (
    ArgumentsDelta,
    Finished,
    PartEnded,
    PartStarted,
    Text,
    TextDelta,
    ToolCall,
    replace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.engine.output.spans import TextMachine
    from dragoman.values import Choice, Event, Extras, OutputMode, Part, Response

__all__ = ["EventFilter", "Undoing"]


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """How one request was fitted: by which mode, through which tool, and with the value wrapped in an object or not."""

    mode: OutputMode
    tool: str | None = None
    wrapped: bool = False

    def whole(self, response: Response) -> Response:
        """The answer as it was asked for."""
        choices = response.choices
        if self._changes_parts:
            choices = tuple(self._choice(choice) for choice in choices)
        return replace(response, choices=choices, output_mode=self.mode)

    def events(self) -> EventFilter:
        """A filter for the events of one stream."""
        return EventFilter(self)

    @property
    def _changes_parts(self) -> bool:
        return self.wrapped or self.mode != "native"

    def changes_text(self) -> bool:
        """Whether plain text of the answer goes through a machine."""
        return self.mode == "prompted" or (self.wrapped and self.mode == "native")

    def machine(self) -> TextMachine:
        """A fresh machine for one part."""
        machines: list[TextMachine] = []
        if self.mode == "prompted":
            machines.append(ObjectSpan())
        if self.wrapped:
            machines.append(Unwrap())
        return Chain(*machines)

    def is_answer(self, part: Part) -> bool:
        """Whether the part is a call of the forced tool."""
        return (
            self.tool is not None and isinstance(part, ToolCall) and part.name == self.tool and part.runner == "client"
        )

    def is_answer_text(self, part: Part) -> bool:
        """Whether the part is text that goes through a machine."""
        return isinstance(part, Text) and part.channel == "answer" and self.changes_text()

    def as_text(self, part: Part) -> Part:
        """The part as it was asked for."""
        if isinstance(part, ToolCall):
            # What was issued for a call (signatures, item ids) means nothing on a text.
            return Text(text=through(self.machine(), part.arguments_text) or self.empty)
        assert isinstance(part, Text)  # the callers ask is_answer or is_answer_text first
        text = through(self.machine(), part.text)
        return part if text == part.text else replace(part, text=text, replay=(), extras=_without_notes(part.extras))

    @property
    def empty(self) -> str:
        """What a call without arguments says."""
        return "" if self.wrapped else "{}"

    def _choice(self, choice: Choice) -> Choice:
        parts: list[Part] = []
        answered = False
        for part in choice.message.parts:
            if self.is_answer(part):
                if not answered:
                    parts.append(self.as_text(part))
                answered = True
            else:
                parts.append(self.as_text(part) if self.is_answer_text(part) else part)
        message = replace(choice.message, parts=tuple(parts))
        finish = choice.finish
        if answered:
            message = replace(message, extras=_without_notes(message.extras))
        if answered and finish is not None and finish.reason == "tool_calls" and not message.tool_calls:
            finish = replace(finish, reason="stop")
        return replace(choice, message=message, finish=finish)


def _without_notes(extras: Extras) -> Extras:
    """The members alone: the notes tell the form of what stood on the wire, which is no longer what stands here."""
    if not extras:
        return extras
    kept = {
        dialect: {name: value for name, value in members.items() if not name.startswith(":")}
        for dialect, members in extras.items()
    }
    return {dialect: members for dialect, members in kept.items() if members}


class EventFilter:
    """The filter on one stream's events. Lawful events in, lawful events out."""

    def __init__(self, undoing: Undoing) -> None:
        self._undoing = undoing
        self._machines: dict[tuple[int, int], TextMachine] = {}
        self._told: set[tuple[int, int]] = set()
        self._answers: dict[int, int] = {}  # choice → index of the part that is its answer
        self._repeated: set[tuple[int, int]] = set()

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """What these events are to the caller."""
        passed: list[Event] = []
        for event in events:
            if isinstance(event, (TextDelta, ArgumentsDelta)):
                self._delta(event, passed)
            elif isinstance(event, PartStarted):
                self._start(event, passed)
            elif isinstance(event, PartEnded):
                self._end(event, passed)
            elif isinstance(event, Finished):
                passed.append(Finished(self._undoing.whole(event.response)))
            else:
                passed.append(event)
        return passed

    def _start(self, event: PartStarted, passed: list[Event]) -> None:
        part, place = event.part, (event.choice, event.index)
        if isinstance(part, ToolCall) and self._undoing.is_answer(part):
            if event.choice in self._answers:
                self._repeated.add(place)
                return
            self._answers[event.choice] = event.index
            self._open(Text(text=""), part.arguments_text, event, passed)
        elif isinstance(part, Text) and self._undoing.is_answer_text(part):
            self._open(replace(part, text=""), part.text, event, passed)
        else:
            passed.append(event)

    def _open(self, skeleton: Text, begun: str, event: PartStarted, passed: list[Event]) -> None:
        machine = self._machines[(event.choice, event.index)] = self._undoing.machine()
        passed.append(PartStarted(event.index, skeleton, event.choice))
        self._say(machine.feed(begun) if begun else "", event.index, event.choice, passed)

    def _delta(self, event: TextDelta | ArgumentsDelta, passed: list[Event]) -> None:
        place = (event.choice, event.index)
        machine = self._machines.get(place)
        if machine is not None:
            self._say(machine.feed(event.text), event.index, event.choice, passed)
        elif place not in self._repeated:
            passed.append(event)

    def _end(self, event: PartEnded, passed: list[Event]) -> None:
        place = (event.choice, event.index)
        machine = self._machines.pop(place, None)
        if machine is None:
            if place not in self._repeated:
                passed.append(event)
            return
        self._say(machine.close(), event.index, event.choice, passed)
        whole = self._undoing.as_text(event.part)
        if place not in self._told and isinstance(whole, Text):
            self._say(whole.text, event.index, event.choice, passed)
        passed.append(PartEnded(event.index, whole, event.choice))

    def _say(self, text: str, index: int, choice: int, passed: list[Event]) -> None:
        if text:
            self._told.add((choice, index))
            passed.append(TextDelta(index, text, choice))
