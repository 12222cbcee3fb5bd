"""Streamed answers: chunks → events.

Each chunk is a GenerateContentResponse with what came since the last one. The wire has no event that ends it: the last
chunks carry `finishReason` and usage, and the body ends. Some models write a `finishReason` on every chunk. So a finish
is noted when it comes, and told when the body ends.

What becomes a part: pieces of text, and of thoughts, that follow each other make one part, as long as they are nothing
but text. A piece with a signature, or with members of its own, is a part by itself; an empty one without is nothing. A
function call comes whole in one chunk, or piecemeal (`partialArgs`, Vertex) until a piece without `willContinue`. Text
parts stay open until the end, since grounding, which comes last, may cite any of them; all others end when they are
over.

Rules for what should not be:

    no finish at the end of the body        StreamTruncated (unless the quirk `finish_optional`), `[DONE]` or not
    another responseId                      ProtocolViolation: two answers are never glued
    content after a finish                  part of the answer; the last finish counts
    a chunk without candidates              usage and members of the answer
    unknown members                         extras of the answer, or of the choice
    an unknown kind of part                 Opaque
    malformed JSON                          ProtocolViolation with the partial answer; cut off at the end: truncation
    an error in the stream                  ProviderError(in_stream=True), in `data:` or as bare lines
    promptFeedback.blockReason              an answer that finished "content_filter" (see `response`)
    a call named before the last one ended  ProtocolViolation
    an empty call when none is open         nothing

Usage is told when it first comes, for whoever has to say it early, and once more at the end; what came in between is in
the partial answer. A stream without ids whose message begins anew cannot be told from one that goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.gemini.candidates import (
    BLOCKED,
    CANDIDATE,
    blocked_finish,
    candidate_index,
    read_answer_members,
    read_finish,
    seconds,
    unsaid_finish,
    with_calls,
)
from dragoman.dialects.gemini.chunk_framing import ChunkFraming
from dragoman.dialects.gemini.errors import error_in
from dragoman.dialects.gemini.grounding import citations_in
from dragoman.dialects.gemini.members import NAME, extras_of, read
from dragoman.dialects.gemini.merging import merge_candidate
from dragoman.dialects.gemini.turns import Turn
from dragoman.dialects.gemini.usage import decode_usage
from dragoman.dialects.reading import object_of, objects_in, text
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import ProtocolViolation
from dragoman.values import Finish

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import Event, JsonObject, Response, Target

__all__ = ["GeminiStream"]

_PLAIN_CANDIDATE = ({"content"}, {"content", "index"})


class GeminiStream(SseStream):
    """See the module's docstring."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._framing = ChunkFraming()
        self._head: JsonObject | None = None
        self._turns: dict[int, Turn] = {}
        self._blocked: Finish | None = None
        self._usage: JsonObject | None = None
        self._usage_told: JsonObject | None = None

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        events: list[Event] = []
        usage: Any = data.get("usageMetadata")
        candidates: Any = data.get("candidates")
        head = {name: value for name, value in data.items() if name not in ("candidates", "usageMetadata")}
        if head != self._head:
            events.extend(self._begin(head, data))
        if usage is not None:
            self._usage = object_of(usage, "usageMetadata")
            if self._usage_told is None:
                events.extend(self._tell_usage())
        if candidates:
            for index, wire in enumerate(objects_in(data, "candidates")):
                # The commonest chunk is a candidate with content alone, and does without `read`: 6.0 µs
                # a chunk in place of 6.7, its JSON included.
                if wire.keys() in _PLAIN_CANDIDATE:
                    self._content(self._turn(wire), wire["content"], index, events)
                else:
                    self._candidate(wire, index, events)
        return events

    def _begin(self, head: JsonObject, data: JsonObject) -> list[Event]:
        """The members of the answer itself, when they come first and when they change."""
        failed = error_in(data, self.target, in_stream=True)
        if failed is not None:
            raise failed
        reading = read_answer_members(head, "")
        found, notes = reading.found, reading.notes
        answer_id = text(found, "responseId")
        if answer_id is not None and self.assembly.id is not None and answer_id != self.assembly.id:
            raise ProtocolViolation(
                f"another answer ({answer_id!r}) begins within the answer {self.assembly.id!r}", path="responseId"
            )
        stamp = text(found, "createTime")
        if stamp is not None:
            notes[":createTime"] = stamp
        if "promptFeedback" in found:
            self._blocked = blocked_finish(found["promptFeedback"]) or self._blocked
        self._head = head
        model = text(found, "modelVersion")
        return self.assembly.start(id=answer_id, model=model, created=seconds(stamp), extras=reading.extras)

    def _turn(self, wire: JsonObject) -> Turn:
        index = candidate_index(wire, "candidates")
        turn = self._turns.get(index)
        if turn is None:
            turn = self._turns[index] = Turn(self.assembly, index, self.target)
        return turn

    def _candidate(self, wire: JsonObject, position: int, events: list[Event]) -> None:
        path = f"candidates[{position}]"
        found, rest, notes = read(wire, CANDIDATE, path)
        turn = self._turn(found)
        if "content" in found:
            self._content(turn, found["content"], position, events)
        if rest:
            merge_candidate(turn.members, rest)
        finish = read_finish(found, turn.notes, self.target, path)
        if finish is not None:
            turn.finish = finish
        number = notes.get(":finishReason")
        if number is not None:
            turn.notes[":finishReason"] = number

    def _content(self, turn: Turn, content: Any, position: int, events: list[Event]) -> None:
        if content is None:
            return
        parts: Any = object_of(content, f"candidates[{position}].content").get("parts")
        if isinstance(parts, dict):
            parts = [parts]
        elif not isinstance(parts, list):
            if parts is not None:
                raise ProtocolViolation(f"candidates[{position}].content.parts should be a list: {parts!r:.80}")
            return
        for wire in cast("list[Any]", parts):
            turn.take(wire, position, events)

    # -- usage ---------------------------------------------------------------------------------------------------------

    def _tell_usage(self) -> list[Event]:
        if self._usage is None or self._usage == self._usage_told:
            return []
        self._usage_told = self._usage
        self.assembly.set_service_tier(text(self._usage, "serviceTier"))
        return self.assembly.usage(decode_usage(self._usage))

    def _last_usage(self) -> list[Event]:
        """Usage for an answer that is not whole; if it cannot be read, there are worse troubles."""
        try:
            return self._tell_usage()
        except ProtocolViolation:
            return []

    def partial(self) -> Response:
        self._last_usage()
        return super().partial()

    def _completed(self, error: DragomanError, events: list[Event]) -> DragomanError:
        if self.assembly.started:
            events.extend(self._last_usage())
        return super()._completed(error, events)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _end(self) -> list[Event]:
        optional = self.target.quirks.gemini.finish_optional
        if self._blocked is not None and not self._turns:
            self.assembly.extend_choice(0, extras_of({BLOCKED: True}))
            self.assembly.finish(self._blocked)
            return [*self._tell_usage(), *self.assembly.complete()]
        for turn in self._turns.values():
            if turn.finish is None and self._blocked is not None:
                turn.finish = unsaid_finish(self._blocked, turn.notes, self.target)
            elif turn.finish is None and optional:
                turn.finish = Finish(reason="stop")
        if not self._turns or any(turn.finish is None for turn in self._turns.values()):
            return []
        events: list[Event] = []
        for turn in self._turns.values():
            events.extend(turn.end_call())
        so_far = {choice.index: choice.message.parts for choice in self.assembly.partial().choices}
        for index, turn in self._turns.items():
            parts = so_far.get(index, ())
            for place, citation in citations_in(turn.members, parts):
                events.extend(self.assembly.cite(turn.keys[place], citation))
            events.extend(self.assembly.end_all(index))
            self.assembly.extend_choice(index, extras_of({**turn.members, **turn.notes}))
            if turn.finish is not None:
                self.assembly.finish(with_calls(turn.finish, parts), choice=index)
        events.extend(self._tell_usage())
        return [*events, *self.assembly.complete()]
