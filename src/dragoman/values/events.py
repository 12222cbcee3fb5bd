"""Events: the steps of a streamed answer.

The order is law, for every dialect: one `Started`; then parts, each `PartStarted`, deltas, `PartEnded` (parts may
interleave; `index` is unique within its choice); at most one `Finished`, last. Deltas concatenated equal the ended
part. `UsageSeen`, `Ping` and, before anything was shown, `AttemptFailed` may stand anywhere between.
"""

from __future__ import annotations

import msgspec

from dragoman.values.attempts import Attempt
from dragoman.values.parts import Citation, Part
from dragoman.values.response import Response
from dragoman.values.usage import Usage
from dragoman.values.value import Extras

__all__ = [
    "ArgumentsDelta",
    "AttemptFailed",
    "CitationAdded",
    "Event",
    "Finished",
    "MediaDelta",
    "PartDelta",
    "PartEnded",
    "PartStarted",
    "Ping",
    "ReasoningDelta",
    "RefusalDelta",
    "Started",
    "TextDelta",
    "TranscriptDelta",
    "UsageSeen",
]


class _Event(
    msgspec.Struct,
    frozen=True,
    tag_field="type",
    omit_defaults=True,
    repr_omit_defaults=True,
    forbid_unknown_fields=True,
):
    pass


class Started(_Event, frozen=True, tag="started"):
    """The answer has begun."""

    id: str | None = None
    model: str = ""
    provider: str = ""
    dialect: str = ""
    created: int | None = None
    request_id: str | None = None
    extras: Extras = {}


class PartStarted(_Event, frozen=True, tag="part_started"):
    """A part has begun; `part` is its skeleton (a tool call's id and name are in it)."""

    index: int
    part: Part
    choice: int = 0


class TextDelta(_Event, frozen=True, tag="text_delta"):
    """A piece of text."""

    index: int
    text: str
    choice: int = 0


class ReasoningDelta(_Event, frozen=True, tag="reasoning_delta"):
    """A piece of visible thinking."""

    index: int
    text: str
    choice: int = 0


class RefusalDelta(_Event, frozen=True, tag="refusal_delta"):
    """A piece of a refusal."""

    index: int
    text: str
    choice: int = 0


class ArgumentsDelta(_Event, frozen=True, tag="arguments_delta"):
    """A piece of a tool call's arguments, exactly as received."""

    index: int
    text: str
    choice: int = 0


class MediaDelta(_Event, frozen=True, tag="media_delta"):
    """A piece of generated media, as base64 text."""

    index: int
    data: str
    choice: int = 0


class TranscriptDelta(_Event, frozen=True, tag="transcript_delta"):
    """A piece of the transcript of generated audio."""

    index: int
    text: str
    choice: int = 0


class CitationAdded(_Event, frozen=True, tag="citation_added"):
    """A source of the text so far."""

    index: int
    citation: Citation
    choice: int = 0


class PartEnded(_Event, frozen=True, tag="part_ended"):
    """A part is complete; `part` is the whole of it."""

    index: int
    part: Part
    choice: int = 0


class UsageSeen(_Event, frozen=True, tag="usage_seen"):
    """What the provider has reported so far; cumulative."""

    usage: Usage


class Ping(_Event, frozen=True, tag="ping"):
    """The provider is alive and has nothing to say yet."""


class AttemptFailed(_Event, frozen=True, tag="attempt_failed"):
    """A target failed before anything of its answer was shown; another is being tried."""

    attempt: Attempt


class Finished(_Event, frozen=True, tag="finished"):
    """The answer is complete."""

    response: Response


PartDelta = TextDelta | ReasoningDelta | RefusalDelta | ArgumentsDelta | MediaDelta | TranscriptDelta | CitationAdded
Event = (
    Started
    | PartStarted
    | TextDelta
    | ReasoningDelta
    | RefusalDelta
    | ArgumentsDelta
    | MediaDelta
    | TranscriptDelta
    | CitationAdded
    | PartEnded
    | UsageSeen
    | Ping
    | AttemptFailed
    | Finished
)
