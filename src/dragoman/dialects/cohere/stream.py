"""The stream decoder: typed events → our events.

message-start → { content-start content-delta… content-end | tool-plan-delta… | tool-call-start tool-call-delta…
tool-call-end | citation-start citation-end } → message-end, which has the finish and the usage, → [DONE].

Rules for streams that are not as they should be:

- A second `message-start` with the id of the first is ignored, with another it is a violation: two answers are never
  glued together. Whatever follows `message-end` is ignored.
- Any event before `message-start`, a start for a block that is open, a delta or an end for one that is not: violations.
  Without an index, a start takes the next one, and what follows it means the one opened last.
- Unknown events (and `debug`) say nothing.
- A text ends where the next part starts, or with the message: citations follow its `content-end`. One that comes later
  still, or speaks of thoughts, is kept with the message.
- Malformed JSON, or a known member of a wrong type, is a violation that carries the partial answer.
- Parts that are open when the message ends, end there with what they have.
- `message-end` without a finish reason is no finish: the answer is truncated (quirk `finish_optional` apart). With an
  error it is raised as a `ProviderError`, with the answer so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.cohere.citations import PLAN, decode_citation, subject_of
from dragoman.dialects.cohere.errors import error_in_stream
from dragoman.dialects.cohere.messages import read_call
from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.cohere.parts import thought
from dragoman.dialects.cohere.response import decode_finish
from dragoman.dialects.cohere.usage import decode_usage
from dragoman.dialects.reading import integer, object_of, objects_in, text
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import ProtocolViolation
from dragoman.values import Finish, Text, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import Event, JsonObject, Target

__all__ = ["CohereStream"]

_CONTENT, _CALL, _PLAN = "content", "call", ("plan", PLAN)
_Key = tuple[str, int]


class CohereStream(SseStream):
    """See the module's docstring."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._counts = {_CONTENT: 0, _CALL: 0}
        self._last: dict[str, int] = {}
        self._thoughts: set[int] = set()
        self._closed: set[_Key] = set()
        self._cited = 0
        self._uncited: dict[int, JsonObject] = {}
        self._logprobs: list[JsonObject] = []
        self._end_seen = target.quirks.cohere.finish_optional

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        kind: Any = data.get("type", name)
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return []
        if not self.assembly.started and kind != "message-start":
            raise ProtocolViolation(f"the stream sends {kind} before message-start", path="type")
        return handler(self, data)

    def _end(self) -> list[Event]:
        if not (self._end_seen and self.assembly.started):
            return []
        return self._complete(Finish(reason="stop"))

    # -- the message ---------------------------------------------------------------------------------------------------

    def start_message(self, event: JsonObject) -> list[Event]:
        identifier = text(event, "id") or None
        if self.assembly.started:
            if identifier == self.assembly.id:
                return []
            raise ProtocolViolation(
                f"the stream starts a second message ({identifier!r}) within the first ({self.assembly.id!r})",
                path="id",
            )
        return self.assembly.start(id=identifier)

    def end_message(self, event: JsonObject) -> list[Event]:
        delta = object_of(event.get("delta") or {}, "delta")
        error = delta.get("error")
        if error:
            raise error_in_stream(error if isinstance(error, str) else str(error), event, self.target)
        events: list[Event] = []
        usage = decode_usage(object_of(delta["usage"], "delta.usage")) if delta.get("usage") is not None else None
        finish = decode_finish(text(delta, "finish_reason", "delta"))
        if usage is not None:
            events += self.assembly.usage(usage)
        return events + self._complete(finish) if finish is not None else events

    def _complete(self, finish: Finish) -> list[Event]:
        events = self.assembly.end_all()
        if self._uncited:
            members = {"citations": list(self._uncited.values()), ":places": list(self._uncited)}
            self.assembly.extend_message(0, {NAME: members})
        if self._logprobs:
            self.assembly.extend_choice(0, {NAME: {"logprobs": self._logprobs}})
        self.assembly.finish(finish)
        return events + self.assembly.complete()

    # -- content and plan ----------------------------------------------------------------------------------------------

    def start_content(self, event: JsonObject) -> list[Event]:
        events = self._end_closed()
        key = self._started(_CONTENT, event)
        content = _within(event, "content")
        kind = content.get("type") or ("thinking" if "thinking" in content else "text")
        if kind == "thinking":
            self._thoughts.add(key[1])
        skeleton = thought("", self.target) if kind == "thinking" else Text(text="")
        events.append(self.assembly.open(key, skeleton))
        return events + self.assembly.delta(key, self._words(content))

    def _words(self, content: JsonObject) -> str:
        return (
            text(content, "text", "delta.message.content") or text(content, "thinking", "delta.message.content") or ""
        )

    def add_content(self, event: JsonObject) -> list[Event]:
        # Hot path: nearly every event is one of these (about 4 µs each, framing and JSON included).
        key = self._open(_CONTENT, event)
        if event.get("logprobs") is not None:
            self._logprobs.append(object_of(event["logprobs"], "logprobs"))
        return self.assembly.delta(key, self._words(_within(event, "content")))

    def end_content(self, event: JsonObject) -> list[Event]:
        key = self._open(_CONTENT, event)
        if key[1] in self._thoughts:
            return self.assembly.end(key)
        self._closed.add(key)
        return []

    def _end_closed(self) -> list[Event]:
        """Ends what is complete but for its citations."""
        events: list[Event] = []
        for key in sorted(self._closed):
            events += self.assembly.end(key)
        self._closed.clear()
        return events

    def add_plan(self, event: JsonObject) -> list[Event]:
        words = text(_message_in(event), "tool_plan", "delta.message") or ""
        if not words:
            return []
        events: list[Event] = []
        if not self.assembly.is_open(_PLAN):
            events = self._end_closed()
            events.append(self.assembly.open(_PLAN, Text(text="", channel="commentary")))
        return events + self.assembly.delta(_PLAN, words)

    def add_citation(self, event: JsonObject) -> list[Event]:
        events: list[Event] = []
        message = _message_in(event)
        held = message.get("citations")
        wires = objects_in(message, "citations", "delta.message") if isinstance(held, list) else [object_of(held, "c")]
        for wire in wires:
            place = self._cited
            self._cited += 1
            subject = subject_of(wire, "citations")
            key: Any = _PLAN if subject == PLAN else (_CONTENT, subject)
            if subject is not None and self.assembly.is_open(key) and subject not in self._thoughts:
                events += self.assembly.cite(key, decode_citation(wire, place, "citations"))
            else:
                self._uncited[place] = wire
        return events

    # -- calls ---------------------------------------------------------------------------------------------------------

    def start_call(self, event: JsonObject) -> list[Event]:
        events = self._end_closed()
        if self.assembly.is_open(_PLAN):
            events += self.assembly.end(_PLAN)
        key = self._started(_CALL, event)
        held: Any = _message_in(event).get("tool_calls")
        call = read_call(object_of(held, "delta.message.tool_calls"), "delta.message.tool_calls", key[1])
        first, whole_form = call.arguments_text, call.extras.get(NAME, {}).get(":arguments") == "object"
        extras = call.extras if whole_form else _without_form(call.extras)
        events.append(self.assembly.open(key, replace(call, arguments_text="", extras=extras)))
        return events + self.assembly.delta(key, first)

    def add_call(self, event: JsonObject) -> list[Event]:
        key = self._open(_CALL, event)
        call = _within(event, "tool_calls")
        function = call.get("function")
        if function is None:
            return []
        holder = object_of(function, "delta.message.tool_calls.function")
        return self.assembly.delta(key, text(holder, "arguments", "delta.message.tool_calls.function") or "")

    def end_call(self, event: JsonObject) -> list[Event]:
        return self.assembly.end(self._open(_CALL, event))

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _started(self, kind: str, event: JsonObject) -> _Key:
        index = integer(event, "index")
        number = self._counts[kind] if index is None else index
        self._counts[kind] = max(self._counts[kind], number + 1)
        self._last[kind] = number
        return (kind, number)

    def _open(self, kind: str, event: JsonObject) -> _Key:
        index = integer(event, "index")
        key = (kind, self._last.get(kind, 0) if index is None else index)
        if not self.assembly.is_open(key) or key in self._closed:
            raise ProtocolViolation(f"the stream speaks of {kind} {key[1]}, which is not open", path="index")
        return key


def _message_in(event: JsonObject) -> JsonObject:
    delta = object_of(event.get("delta"), "delta")
    return object_of(delta.get("message"), "delta.message")


def _within(event: JsonObject, name: str) -> JsonObject:
    return object_of(_message_in(event).get(name), f"delta.message.{name}")


def _without_form(extras: dict[str, JsonObject]) -> dict[str, JsonObject]:
    """The extras of a call whose arguments are still to come: how its start wrote them says nothing of the whole."""
    members = {name: value for name, value in extras.get(NAME, {}).items() if name != ":arguments"}
    return {NAME: members} if members else {}


_HANDLERS: dict[str, Callable[[CohereStream, JsonObject], list[Event]]] = {
    "content-delta": CohereStream.add_content,
    "message-start": CohereStream.start_message,
    "content-start": CohereStream.start_content,
    "content-end": CohereStream.end_content,
    "tool-plan-delta": CohereStream.add_plan,
    "tool-call-start": CohereStream.start_call,
    "tool-call-delta": CohereStream.add_call,
    "tool-call-end": CohereStream.end_call,
    "citation-start": CohereStream.add_citation,
    "message-end": CohereStream.end_message,
}
