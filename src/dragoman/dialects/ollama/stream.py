"""The stream decoder: lines of JSON → our events.

Each line holds a piece of the message (`content`, `thinking`, whole `tool_calls`, `images`) and `done`; the last has
`done: true`, the reason and the counts. A part ends where another kind of part begins, so that a thought that goes on
after text was said becomes a second part (the unstreamed form has one text and one thought, and joins them).

Rules for streams that are not as they should be:

- Whatever follows the line that is done is ignored. Without such a line the answer is truncated (quirk
  `finish_optional` apart).
- A line that names another model than the first is a violation: two answers are never glued together.
- An object without `message`, `done` and `error` says nothing; what else a line holds is kept in the answer's extras.
- Malformed JSON, or a known member of a wrong type, is a violation that carries the partial answer. A last line that
  the end of the body cut in the middle is truncation.
- An `error` line is raised as the `ProviderError` it names, with the answer so far.
- A done line may hold a piece, too, and may lack the counts: then usage is unknown.
- Calls come whole; a call without an id gets one, of the time of the first line and its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.ndjson_stream import NdjsonStream
from dragoman.dialects.ollama.errors import error_in_stream
from dragoman.dialects.ollama.messages import decode_answer_parts, thought
from dragoman.dialects.ollama.names import NAME
from dragoman.dialects.ollama.response import created_in, decode_finish, head_extras, message_extras
from dragoman.dialects.ollama.usage import decode_usage
from dragoman.dialects.reading import boolean, object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Finish, Text, ToolCall

if TYPE_CHECKING:
    from dragoman.values import Event, JsonObject, Target

__all__ = ["OllamaStream"]

_USUAL_LINE = frozenset({"model", "created_at", "message", "done"})
_USUAL_MESSAGE = frozenset({"role", "content", "thinking"})
_MEANT = ("message", "done")


class OllamaStream(NdjsonStream):
    """See the module's docstring."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._model: str | None = None
        self._created: str | None = None
        self._open: str | None = None
        self._calls: list[ToolCall] = []
        self._logprobs: list[JsonObject] = []

    def _take(self, data: JsonObject) -> list[Event]:
        error = error_in_stream(data, self.target) if "error" in data else None
        if error is not None:
            raise error
        if "message" not in data and "done" not in data:
            return []
        events = self._begin(data)
        message: Any = data.get("message")
        if message is not None:
            self._message(object_of(message, "message"), events)
        # Hot path: nearly every line has these members alone (about 2 µs each, framing and JSON included).
        if data.keys() <= _USUAL_LINE:
            if data.get("done") is False:
                return events
        elif data.get("logprobs") is not None:
            self._logprobs += objects_in(data, "logprobs")
        if boolean(data, "done"):
            self._finish(data, events)
        elif not data.keys() <= _USUAL_LINE:
            rest = {name: value for name, value in data.items() if name not in ("done", "logprobs")}
            self.assembly.extend(_members(head_extras(rest, None)))
        return events

    def _begin(self, data: JsonObject) -> list[Event]:
        model = data.get("model")
        if self.assembly.started:
            if model != self._model and model is not None:
                raise ProtocolViolation(
                    f"the stream goes on with the answer of {model!r} within that of {self._model!r}", path="model"
                )
            return []
        self._model = text(data, "model")
        self._created = text(data, "created_at")
        notes: JsonObject = {} if self._created is None else {":created_at": self._created}
        extras = {NAME: notes} if notes else {}
        return self.assembly.start(model=self._model, created=created_in(self._created), extras=extras)

    # -- pieces --------------------------------------------------------------------------------------------------------

    def _message(self, message: JsonObject, events: list[Event]) -> None:
        thinking = message.get("thinking")
        if thinking:
            self._piece("thinking", text(message, "thinking", "message") or "", events)
        content = message.get("content")
        if content:
            self._piece("content", text(message, "content", "message") or "", events)
        if not message.keys() <= _USUAL_MESSAGE:
            self._rest(message, events)

    def _piece(self, key: str, words: str, events: list[Event]) -> None:
        if self._open != key:
            self._end_open(events)
            self._open = key
            skeleton = Text(text="") if key == "content" else thought("", self.target)
            events.append(self.assembly.open(key, skeleton))
        events.extend(self.assembly.delta(key, words))

    def _end_open(self, events: list[Event]) -> None:
        if self._open is not None:
            events.extend(self.assembly.end(self._open))
            self._open = None

    def _rest(self, message: JsonObject, events: list[Event]) -> None:
        """Images and calls, which come whole, and members that are not known."""
        whole = {name: value for name, value in message.items() if name in ("images", "tool_calls")}
        seed = f"{self._created or ''}"
        for part in decode_answer_parts(whole, self.target, seed, first=len(self._calls)):
            self._end_open(events)
            if isinstance(part, ToolCall):
                self._calls.append(part)
            events.extend(self.assembly.whole(part))
        self.assembly.extend_message(0, _members(message_extras(message)))

    # -- the end -------------------------------------------------------------------------------------------------------

    def _finish(self, data: JsonObject, events: list[Event]) -> None:
        finish = decode_finish(data, tuple(self._calls))
        usage = decode_usage(data)
        rest = {name: value for name, value in data.items() if name != "logprobs"}
        self._end_open(events)
        self.assembly.extend(_members(head_extras(rest, None)))
        if self._logprobs:
            self.assembly.extend_choice(0, {NAME: {"logprobs": self._logprobs}})
        if usage:
            events.extend(self.assembly.usage(usage))
        self.assembly.finish(finish or Finish(reason="stop"))
        events.extend(self.assembly.complete())

    def _end(self) -> list[Event]:
        events: list[Event] = []
        if self.target.quirks.ollama.finish_optional and self.assembly.started:
            self._finish({"done": True}, events)
        return events


def _members(extras: dict[str, JsonObject]) -> dict[str, JsonObject]:
    """What was said, without notes of form: lines have other forms than the whole answer."""
    members = {name: value for name, value in extras.get(NAME, {}).items() if not name.startswith(":")}
    return {NAME: members} if members else {}
