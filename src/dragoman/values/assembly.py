"""Assembly: turns a dialect's steps into lawful events and, at the end, into the whole answer.

Every stream decoder drives one `Assembly`. The decoder knows the wire; the assembly knows the laws: one `Started`; a
part's deltas lie between its start and its end and add up to it; at most one `Finished`, last; usage is cumulative.
A decoder names a part by a key of its own (an item id, an index, a kind), unique among the open parts of the stream.

    start → open(key) → delta(key)… → end(key) → finish(choice) → complete
                              amend(key) sets what only the ended part shows: replay, extras, a late id

`partial()` gives the answer as far as it came, for truncated streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import ProtocolViolation
from dragoman.values.events import (
    ArgumentsDelta,
    CitationAdded,
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
from dragoman.values.messages import Message, MessageRole
from dragoman.values.parts import Media, Reasoning, Refusal, Text, ToolCall
from dragoman.values.response import Choice, Finish, Response
from dragoman.values.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Hashable

    from dragoman.values.events import Event
    from dragoman.values.parts import Citation, Part
    from dragoman.values.value import Extras

__all__ = ["Assembly"]

_DELTA_OF: dict[type, Any] = {
    Text: TextDelta,
    Reasoning: ReasoningDelta,
    Refusal: RefusalDelta,
    ToolCall: ArgumentsDelta,
    Media: MediaDelta,
}
_FIELD_OF: dict[type, str] = {
    Text: "text",
    Reasoning: "text",
    Refusal: "text",
    ToolCall: "arguments_text",
    Media: "data",
}


class _OpenPart:
    __slots__ = ("amendments", "choice", "citations", "index", "make_delta", "pieces", "skeleton", "transcript")

    def __init__(self, skeleton: Part, choice: int, index: int) -> None:
        self.skeleton = skeleton
        self.choice = choice
        self.index = index
        self.make_delta: Any = _DELTA_OF.get(type(skeleton))
        self.pieces: list[str] = []
        self.transcript: list[str] = []
        self.citations: list[Citation] = []
        self.amendments: dict[str, Any] = {}

    def whole(self) -> Part:
        changes = dict(self.amendments)
        if self.pieces:
            field = _FIELD_OF[type(self.skeleton)]
            changes[field] = (getattr(self.skeleton, field) or "") + "".join(self.pieces)
        if self.transcript:
            changes["transcript"] = "".join(self.transcript)
        if self.citations and isinstance(self.skeleton, Text):
            changes["citations"] = (*self.skeleton.citations, *self.citations)
        return msgspec.structs.replace(self.skeleton, **changes) if changes else self.skeleton


class _OpenChoice:
    __slots__ = ("extras", "finish", "message_extras", "parts")

    def __init__(self) -> None:
        self.parts: list[Part | _OpenPart] = []
        self.finish: Finish | None = None
        self.extras: Extras = {}
        self.message_extras: Extras = {}


class Assembly:
    """See the module's docstring. Not thread-safe; one per stream."""

    def __init__(self, *, provider: str, dialect: str, model: str = "") -> None:
        self._provider = provider
        self._dialect = dialect
        self._model = model
        self._id: str | None = None
        self._created: int | None = None
        self._service_tier: str | None = None
        self._extras: Extras = {}
        self._open: dict[Hashable, _OpenPart] = {}
        self._choices: dict[int, _OpenChoice] = {}
        self._usage: Usage | None = None
        self.started = False
        self.completed = False

    # -- the answer as a whole -------------------------------------------------------------------------------------

    def start(
        self,
        *,
        id: str | None = None,
        model: str | None = None,
        created: int | None = None,
        extras: Extras | None = None,
    ) -> list[Event]:
        """The `Started` event, once; a later call only fills in what was still unknown and gives no event."""
        self._id = self._id or id
        self._model = model or self._model
        self._created = self._created if self._created is not None else created
        if extras:
            self.extend(extras)
        if self.started:
            return []
        self.started = True
        return [Started(self._id, self._model, self._provider, self._dialect, self._created, None, self._extras)]

    @property
    def id(self) -> str | None:
        return self._id

    def extend(self, extras: Extras) -> None:
        """Adds members to the answer's extras."""
        self._extras = _merged(self._extras, extras)

    def set_service_tier(self, tier: str | None) -> None:
        self._service_tier = tier or self._service_tier

    def usage(self, usage: Usage) -> list[Event]:
        """Replaces the usage seen so far; the decoder merges, since only it knows the wire's meaning."""
        self._usage = usage
        return [UsageSeen(usage)]

    @property
    def usage_seen(self) -> Usage | None:
        return self._usage

    # -- parts -----------------------------------------------------------------------------------------------------

    def open(self, key: Hashable, skeleton: Part, *, choice: int = 0) -> Event:
        """Starts a part. Text already in the skeleton counts as its beginning and is not sent as a delta."""
        self._forbid_after_end()
        if key in self._open:
            raise ProtocolViolation(f"the stream starts part {key!r} twice")
        turn = self._choice(choice)
        part = _OpenPart(skeleton, choice, len(turn.parts))
        turn.parts.append(part)
        self._open[key] = part
        return PartStarted(part.index, skeleton, choice)

    def is_open(self, key: Hashable) -> bool:
        return key in self._open

    def skeleton(self, key: Hashable) -> Part:
        return self._part(key).skeleton

    def open_keys(self, choice: int = 0) -> list[Hashable]:
        """The keys of a choice's open parts, in the order of their start."""
        return [key for key, part in self._open.items() if part.choice == choice]

    def received(self, key: Hashable) -> str:
        """What the deltas of an open part came to so far."""
        return "".join(self._part(key).pieces)

    def delta(self, key: Hashable, text: str) -> list[Event]:
        """A piece of an open part; an empty piece is no event."""
        if not text:
            return []
        part = self._part(key)
        if part.make_delta is None:
            raise ProtocolViolation(f"the stream sends text for part {key!r}, which has none")
        part.pieces.append(text)
        return [part.make_delta(part.index, text, part.choice)]

    def pieces(self, index: int, choice: int = 0) -> list[str]:
        """The pieces of an open part, for a decoder that adds to them and makes their events itself."""
        part = self._choice(choice).parts[index]
        if not isinstance(part, _OpenPart):
            raise ProtocolViolation(f"part {index} of choice {choice} has ended")
        return part.pieces

    def transcript(self, key: Hashable, text: str) -> list[Event]:
        if not text:
            return []
        part = self._part(key)
        part.transcript.append(text)
        return [TranscriptDelta(part.index, text, part.choice)]

    def cite(self, key: Hashable, citation: Citation) -> list[Event]:
        part = self._part(key)
        part.citations.append(citation)
        return [CitationAdded(part.index, citation, part.choice)]

    def amend(self, key: Hashable, **changes: Any) -> None:
        """Sets fields that the ended part shall have; not the text that deltas make up."""
        self._part(key).amendments.update(changes)

    def end(self, key: Hashable) -> list[Event]:
        part = self._part(key)
        del self._open[key]
        whole = part.whole()
        self._choice(part.choice).parts[part.index] = whole
        return [PartEnded(part.index, whole, part.choice)]

    def end_all(self, choice: int = 0) -> list[Event]:
        """Ends a choice's open parts, in the order of their start."""
        return [event for key in self.open_keys(choice) for event in self.end(key)]

    def whole(self, skeleton: Part, *, choice: int = 0) -> list[Event]:
        """A part that comes in one piece: start and end, without deltas."""
        key = object()
        return [self.open(key, skeleton, choice=choice), *self.end(key)]

    # -- choices and the end ---------------------------------------------------------------------------------------

    def extend_choice(self, choice: int, extras: Extras) -> None:
        turn = self._choice(choice)
        turn.extras = _merged(turn.extras, extras)

    def extend_message(self, choice: int, extras: Extras) -> None:
        turn = self._choice(choice)
        turn.message_extras = _merged(turn.message_extras, extras)

    def finish(self, finish: Finish, *, choice: int = 0) -> None:
        """Notes why a choice ended; its parts must have been ended by the decoder (see `end_all`)."""
        self._forbid_after_end()
        self._choice(choice).finish = finish

    def finished(self, choice: int = 0) -> bool:
        return choice in self._choices and self._choices[choice].finish is not None

    @property
    def all_finished(self) -> bool:
        """Whether every choice seen has its finish, and there is at least one."""
        return bool(self._choices) and all(turn.finish is not None for turn in self._choices.values())

    def complete(self, response: Response | None = None) -> list[Event]:
        """The `Finished` event; with `response`, the wire's own terminal object decoded, in place of the assembled."""
        self._forbid_after_end()
        self.completed = True
        return [Finished(response if response is not None else self.partial())]

    def partial(self) -> Response:
        """The answer as far as it came."""
        choices = tuple(
            Choice(
                index=index,
                message=Message(
                    MessageRole.ASSISTANT,
                    parts=tuple(part.whole() if isinstance(part, _OpenPart) else part for part in turn.parts),
                    extras=turn.message_extras,
                ),
                finish=turn.finish,
                extras=turn.extras,
            )
            for index, turn in sorted(self._choices.items())
        )
        return Response(
            id=self._id,
            model=self._model,
            provider=self._provider,
            dialect=self._dialect,
            created=self._created,
            choices=choices,
            usage=self._usage or Usage(),
            service_tier=self._service_tier,
            extras=self._extras,
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _choice(self, index: int) -> _OpenChoice:
        turn = self._choices.get(index)
        if turn is None:
            turn = self._choices[index] = _OpenChoice()
        return turn

    def _part(self, key: Hashable) -> _OpenPart:
        part = self._open.get(key)
        if part is None:
            raise ProtocolViolation(f"the stream speaks of part {key!r}, which is not open")
        return part

    def _forbid_after_end(self) -> None:
        if self.completed:
            raise ProtocolViolation("the stream goes on after its end")


def _merged(old: Extras, new: Extras) -> Extras:
    merged = {name: dict(members) for name, members in old.items()}
    for name, members in new.items():
        merged.setdefault(name, {}).update(members)
    return merged
