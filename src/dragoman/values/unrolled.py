"""A whole answer as the events that a stream of it would have given, so that middleware has one path for all verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.values.events import (
    ArgumentsDelta,
    Event,
    Finished,
    MediaDelta,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    TranscriptDelta,
    UsageSeen,
)
from dragoman.values.parts import Media, Reasoning, Refusal, Text, ToolCall

if TYPE_CHECKING:
    from dragoman.values.parts import Part
    from dragoman.values.response import Response

__all__ = ["events_of"]


def events_of(response: Response) -> list[Event]:
    """Lawful events whose `Finished` holds `response` itself."""
    events: list[Event] = [
        Started(
            response.id,
            response.model,
            response.provider,
            response.dialect,
            response.created,
            response.request_id,
            response.extras,
        )
    ]
    for choice in response.choices:
        for index, part in enumerate(choice.message.parts):
            events.extend(_part(part, index, choice.index))
    if response.usage:
        events.append(UsageSeen(response.usage))
    events.append(Finished(response))
    return events


def _part(part: Part, index: int, choice: int) -> list[Event]:
    skeleton, deltas = _split(part, index, choice)
    return [PartStarted(index, skeleton, choice), *deltas, PartEnded(index, part, choice)]


def _split(part: Part, index: int, choice: int) -> tuple[Part, list[Event]]:
    match part:
        case Text():
            return replace(part, text=""), [TextDelta(index, part.text, choice)] if part.text else []
        case Reasoning():
            return replace(part, text=""), [ReasoningDelta(index, part.text, choice)] if part.text else []
        case Refusal():
            return replace(part, text=""), [RefusalDelta(index, part.text, choice)] if part.text else []
        case ToolCall():
            deltas: list[Event] = [ArgumentsDelta(index, part.arguments_text, choice)] if part.arguments_text else []
            return replace(part, arguments_text=""), deltas
        case Media():
            deltas = [MediaDelta(index, part.data, choice)] if part.data else []
            if part.transcript:
                deltas.append(TranscriptDelta(index, part.transcript, choice))
            return replace(part, data=None, transcript=None), deltas
        case _:
            return part, []
