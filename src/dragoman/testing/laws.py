"""The laws of an answer's stream, as a judge: `check_events` raises `LawBroken` naming the law and the event.

One start, first; a part's deltas lie between its start and its end and add up to it; indices are unique within their
choice; every part has ended before the finish; at most one finish, last, and it holds exactly the parts that ended.
Pings (and attempts that failed) may stand before the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dragoman.errors import DragomanError
from dragoman.values import (
    ArgumentsDelta,
    AttemptFailed,
    Citation,
    CitationAdded,
    Event,
    Finished,
    Media,
    MediaDelta,
    Part,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    TranscriptDelta,
    Usage,
    UsageSeen,
)

__all__ = ["LawBroken", "Run", "check_events", "check_usage", "run_decoder"]

_DELTA_FIELD: dict[type, tuple[type, str]] = {
    TextDelta: (Text, "text"),
    ReasoningDelta: (Reasoning, "text"),
    RefusalDelta: (Refusal, "text"),
    ArgumentsDelta: (ToolCall, "arguments_text"),
    MediaDelta: (Media, "data"),
    TranscriptDelta: (Media, "transcript"),
}

_INPUT_SUBSETS = (
    ("cache_read_tokens",),
    ("cache_write_tokens",),
    ("cache_read_tokens", "cache_write_tokens"),
    ("input_audio_tokens", "input_image_tokens", "input_video_tokens"),
)
_OUTPUT_SUBSETS = (
    ("reasoning_tokens", "citation_tokens"),
    ("output_audio_tokens", "output_image_tokens", "output_video_tokens"),
)


class LawBroken(AssertionError):
    """A stream of events breaks a law."""


@dataclass(slots=True)
class Run:
    """What a decoder gave: its events in order, and the error that ended it, if one did."""

    events: list[Event] = field(default_factory=list[Event])
    error: DragomanError | None = None

    @property
    def response(self) -> Response | None:
        """The whole answer, when the stream had its finish."""
        last = self.events[-1] if self.events else None
        return last.response if isinstance(last, Finished) else None

    @property
    def meant(self) -> list[Event]:
        """The events without pings, which depend on how the bytes were cut."""
        return [event for event in self.events if not isinstance(event, Ping)]


def run_decoder(decoder: Any, pieces: Iterable[bytes]) -> Run:
    """Feeds the pieces and closes; an error ends the run and is kept, with the events that came before it."""
    run = Run()
    try:
        for piece in pieces:
            run.events.extend(decoder.feed(piece))
        run.events.extend(decoder.close())
    except DragomanError as error:
        run.events.extend(error.__dict__.get("events", ()))
        run.error = error
    return run


@dataclass(slots=True)
class _OpenPart:
    skeleton: Part
    pieces: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    citations: list[Citation] = field(default_factory=list[Citation])


class _Judge:
    def __init__(self) -> None:
        self.started = False
        self.finished = False
        self.open: dict[tuple[int, int], _OpenPart] = {}
        self.ended: dict[tuple[int, int], Part] = {}
        self.usage: Usage | None = None

    def take(self, number: int, event: Event) -> None:
        if self.finished:
            raise LawBroken(f"event {number} ({event!r:.100}) comes after the finish")
        if isinstance(event, (Ping, AttemptFailed)):
            return
        if isinstance(event, Started):
            if self.started:
                raise LawBroken(f"event {number} is a second start")
            self.started = True
            return
        if not self.started:
            raise LawBroken(f"event {number} ({event!r:.100}) comes before the start")
        if isinstance(event, PartStarted):
            self._part_started(number, event)
        elif isinstance(event, PartEnded):
            self._part_ended(number, event)
        elif isinstance(event, UsageSeen):
            check_usage(event.usage)
            self.usage = event.usage
        elif isinstance(event, Finished):
            self._finished(number, event)
        else:
            self._delta(number, event)

    def _part_started(self, number: int, event: PartStarted) -> None:
        key = (event.choice, event.index)
        if key in self.open or key in self.ended:
            raise LawBroken(f"event {number} starts part {event.index} of choice {event.choice} again")
        self.open[key] = _OpenPart(event.part)

    def _delta(self, number: int, event: Any) -> None:
        part = self.open.get((event.choice, event.index))
        if part is None:
            raise LawBroken(f"event {number} ({event!r:.100}) is a delta of a part that is not open")
        if isinstance(event, CitationAdded):
            part.citations.append(event.citation)
            return
        kind, member = _DELTA_FIELD[type(event)]
        if not isinstance(part.skeleton, kind):
            raise LawBroken(f"event {number} ({event!r:.100}) is no delta of a {type(part.skeleton).__name__}")
        piece = event.data if isinstance(event, MediaDelta) else event.text
        if not piece:
            raise LawBroken(f"event {number} is an empty delta")
        part.pieces.setdefault(member, []).append(piece)

    def _part_ended(self, number: int, event: PartEnded) -> None:
        key = (event.choice, event.index)
        part = self.open.pop(key, None)
        if part is None:
            raise LawBroken(f"event {number} ends part {event.index} of choice {event.choice}, which is not open")
        if type(part.skeleton) is not type(event.part):
            raise LawBroken(f"event {number}: a {type(part.skeleton).__name__} ended as {type(event.part).__name__}")
        for member in ("text", "arguments_text", "data", "transcript"):
            whole = getattr(event.part, member, None)
            if not isinstance(whole, (str, type(None))):
                continue  # an Opaque's data, which has no deltas
            added = "".join(part.pieces.get(member, ()))
            if (getattr(part.skeleton, member, None) or "") + added != (whole or ""):
                raise LawBroken(
                    f"event {number}: the deltas of {member!r} do not add up to the ended {event.part!r:.200}"
                )
        if isinstance(event.part, ToolCall) and isinstance(part.skeleton, ToolCall):
            if not event.part.id:
                raise LawBroken(f"event {number}: a tool call has no id")
            if (event.part.id, event.part.name) != (part.skeleton.id, part.skeleton.name):
                raise LawBroken(f"event {number}: a tool call's id or name is not the one it started with")
        if isinstance(event.part, Text) and isinstance(part.skeleton, Text):
            added_citations = (*part.skeleton.citations, *part.citations)
            if event.part.citations != added_citations:
                raise LawBroken(f"event {number}: the citations added do not make up those of the ended part")
        self.ended[key] = event.part

    def _finished(self, number: int, event: Finished) -> None:
        self.finished = True
        if self.open:
            raise LawBroken(f"event {number} finishes while parts {sorted(self.open)} are open")
        response = event.response
        if not response.choices:
            raise LawBroken("the finish holds no choice")
        said = {
            (choice.index, index): part
            for choice in response.choices
            for index, part in enumerate(choice.message.parts)
        }
        if said != self.ended:
            wrong = next(key for key in [*said, *self.ended] if said.get(key) != self.ended.get(key))
            raise LawBroken(
                f"part {wrong} (choice, index) of the finish is {said.get(wrong)!r:.400}, and ended as "
                f"{self.ended.get(wrong)!r:.400}"
            )
        without = [choice.index for choice in response.choices if choice.finish is None]
        if without:
            raise LawBroken(f"choices {without} have no finish")
        if response.usage != (self.usage or Usage()):
            raise LawBroken(f"the finish holds usage {response.usage!r:.200}, and last seen was {self.usage!r:.200}")


def check_events(events: Iterable[Event]) -> Response | None:
    """Judges a whole run's events (of a truncated run too); gives the finished answer, if it had its finish."""
    judge = _Judge()
    last: Event | None = None
    for number, event in enumerate(events):
        judge.take(number, event)
        last = event
    return last.response if isinstance(last, Finished) else None


def check_usage(usage: Usage | None) -> None:
    """Subsets are no larger than their totals, and nothing is negative."""
    if usage is None:
        return
    for total_name, subsets in (("input_tokens", _INPUT_SUBSETS), ("output_tokens", _OUTPUT_SUBSETS)):
        total: int | None = getattr(usage, total_name)
        for names in subsets:
            parts: list[int] = [value for name in names if (value := getattr(usage, name)) is not None]
            if any(value < 0 for value in parts):
                raise LawBroken(f"a count of {names} is negative: {usage!r:.300}")
            if total is not None and sum(parts) > total:
                raise LawBroken(f"{' + '.join(names)} is more than {total_name}: {usage!r:.300}")
    written: int | None = usage.cache_write_tokens
    within = (usage.cache_write_5m_tokens or 0) + (usage.cache_write_1h_tokens or 0)
    if written is not None and within > written:
        raise LawBroken(f"cache writes by age are more than cache_write_tokens: {usage!r:.300}")
