"""Streamed answers: SSE chunks → events.

Rules for what hosts and broken pipes send:

- A chunk without choices (usage, Azure's prompt filter) is no start; an event that is no chunk is ignored.
- `finish_reason` does not end the stream: usage and more may follow. The end is `[DONE]` or the end of the body; if a
  finish of every choice was seen by then, the answer is complete, else it is cut off (`StreamTruncated`), unless the
  quirk `finish_optional` says that a clean end suffices.
- An error, as an event of that name or as a member of a chunk, raises `ProviderError`, after the usage that stands
  beside it was read.
- JSON that is none, and members of the wrong type, raise `ProtocolViolation`.
- Two answers are never glued: under another `id` than before, a chunk that says something, or announces a speaker, is a
  `ProtocolViolation`. Hosts whose every chunk has an id of its own (Groq's compound systems) are known by that; there
  a second announcement, and words behind a finish, tell a second answer. So do words behind a finish without any id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.openai_chat.annotations import read_sources
from dragoman.dialects.openai_chat.errors import error_in_stream
from dragoman.dialects.openai_chat.notes import NAME, extras_of
from dragoman.dialects.openai_chat.response import read_created
from dragoman.dialects.openai_chat.turn import Turn
from dragoman.dialects.openai_chat.usage import decode_usage
from dragoman.dialects.reading import integer, object_of, text
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import ProtocolViolation
from dragoman.values import Response

if TYPE_CHECKING:
    from dragoman.values import Event, JsonObject, Target

__all__ = ["ChatStream"]

_CHUNK: Final = frozenset(
    ("id", "object", "created", "model", "choices", "usage", "service_tier", "error", "obfuscation")
)
_CHOICE: Final = frozenset(("index", "delta", "finish_reason", "logprobs", "text", "message"))


class ChatStream(SseStream):
    """See the module's docstring."""

    repeats = True
    idle_members = re.compile(rb'"(?:obfuscation|p)": ?"\w*"')

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._turns: dict[int, Turn] = {}
        self._id: str | None = None
        self._steady = False
        self._members: JsonObject = {}
        self._usage: Any = None
        self._choice_usage: Any = None

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        if name == "error" or "error" in data or data.get("object") == "error":
            self._raise_error(name, data)
        choices = data.get("choices")
        if choices is None and "usage" not in data and "id" not in data:
            return []
        if type(choices) is not list and choices is not None:
            raise ProtocolViolation(f"choices should be a list, and is {choices!r:.80}", path="choices")
        found = cast("list[Any]", choices or [])
        events = self._chunk(data, found)
        for place, choice in enumerate(found):
            self._take_choice(choice, place, events)
        if self.assembly.started and (
            data.get("usage") is not None or "x_groq" in data or self._choice_usage is not None
        ):
            events += self._take_usage(data)
        return events

    def _raise_error(self, name: str | None, data: JsonObject) -> None:
        error = error_in_stream(name, data, self.target)
        if error is not None:
            self._chunk(data, [])
            self._take_usage(data)
            raise error

    # -- what a chunk says of the whole answer -------------------------------------------------------------------------

    def _chunk(self, data: JsonObject, choices: list[Any]) -> list[Event]:
        given = data.get("id")
        if given != self._id:
            self._other_id(text(data, "id"), choices)
        elif given and self._turns:
            self._steady = True
        members = self._members
        for name, value in data.items():
            if name not in _CHUNK and value is not None and members.get(name) is not value:
                members[name] = _merged(members.get(name), value)
        if "service_tier" in data:
            self.assembly.set_service_tier(text(data, "service_tier"))
        if self.assembly.started or not (given or choices or data.get("usage")):
            return []
        return self.assembly.start(
            id=self._id,
            model=text(data, "model"),
            created=read_created(data),
            extras=extras_of(dict(members)),
        )

    def _other_id(self, given: str | None, choices: list[Any]) -> None:
        if self._id is None:
            self._id = given or None
            return
        if not given:
            return
        for choice in choices:
            delta, index = _delta_of(choice)
            bears = Turn.bears_content(delta)
            announced = "role" in delta and index in self._turns
            if (
                (self._steady and (bears or announced))
                or (announced and not bears)
                or (bears and index in self._turns and self._turns[index].finish)
            ):
                raise ProtocolViolation(
                    f"a second answer ({given}) begins within the first ({self._id}); they are not glued together",
                    path="id",
                )

    def _take_usage(self, data: JsonObject) -> list[Event]:
        wire = data.get("usage")
        if wire is None:
            groq = data.get("x_groq")
            wire = cast("JsonObject", groq).get("usage") if isinstance(groq, dict) else None
        if wire is None:
            wire = self._choice_usage
        self._choice_usage = None
        if wire is None or wire == self._usage:
            return []
        self._usage = wire
        return self.assembly.usage(decode_usage(object_of(wire, "usage"), self.target))

    # -- choices -------------------------------------------------------------------------------------------------------

    def _take_choice(self, choice: Any, place: int, events: list[Event]) -> None:
        # Written for speed: most chunks are one choice with one piece of text.
        if type(choice) is not dict:
            raise ProtocolViolation(f"choices[{place}] should be an object", path=f"choices[{place}]")
        held = cast("JsonObject", choice)
        index = held.get("index", place)
        turn = self._turns.get(index) if type(index) is int else None
        if turn is None:
            turn = self._open_turn(held, place)
        delta = held.get("delta")
        if type(delta) is dict:
            said = delta.get("content")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            if (
                type(said) is str  # pyright: ignore[reportUnknownArgumentType]
                and said
                and turn.text_key is not None
                and turn.finish is None
                and (len(delta) == 1 or (len(delta) == 2 and "role" in delta))  # pyright: ignore[reportUnknownArgumentType]
            ):
                events += self.assembly.delta(turn.text_key, said)
            elif delta:
                self._take_delta(cast("JsonObject", delta), turn, place, events)
        elif delta is not None or held.get("message") is not None:
            self._take_delta(_delta_of(held)[0], turn, place, events)
        for name, value in held.items():
            if name == "usage":
                self._choice_usage = value  # Moonshot's place for it, in the chunk that bears the finish
            elif name not in _CHOICE and value:
                turn.choice_members[name] = _merged(turn.choice_members.get(name), value)
        logprobs = held.get("logprobs")
        if logprobs is not None:
            self.forgo_repeats()  # what is told of each token adds up, even where it is the same
            turn.take_logprobs(object_of(logprobs, f"choices[{place}].logprobs"))
        word = held.get("finish_reason")
        if word:
            turn.finish = text(held, "finish_reason", f"choices[{place}]")

    def _open_turn(self, choice: JsonObject, place: int) -> Turn:
        index = integer(choice, "index", f"choices[{place}]")
        if index is None:
            index = place
        if index not in self._turns:
            self._turns[index] = Turn(index, self.assembly, self.target)
        return self._turns[index]

    def _take_delta(self, delta: JsonObject, turn: Turn, place: int, events: list[Event]) -> None:
        path = f"choices[{place}].delta"
        if turn.finish is not None and not self._id and Turn.bears_content(delta):
            raise ProtocolViolation(
                "the stream says more behind its finish, and no id tells whether it belongs", path=path
            )
        events += turn.take(delta, path)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _done(self) -> list[Event]:
        return self._end()

    def _end(self) -> list[Event]:
        """Completes the answer, if it has its finish."""
        turns = self._turns
        if not turns or not self.assembly.started:
            return []
        if not self.target.quirks.chat.finish_optional and not all(turn.finish for turn in turns.values()):
            return []
        self.assembly.extend(extras_of(self._members))
        sources = read_sources(Response(extras=extras_of(self._members)))
        events: list[Event] = []
        for index in sorted(turns):
            events += turns[index].close(sources if index == min(turns) else ())
        return events + self.assembly.complete()


def _merged(old: Any, new: Any) -> Any:
    """What a member says in several chunks: objects add up, anything else is said anew."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**cast("JsonObject", old), **cast("JsonObject", new)}
    return new


def _delta_of(choice: Any) -> tuple[JsonObject, int]:
    """The delta (or, from a host that sends its answer whole, the message) and the choice's index."""
    held = object_of(choice, "choices[]")
    delta = held.get("delta")
    if delta is None:
        delta = held.get("message")
    index = held.get("index", 0)
    return ({} if delta is None else object_of(delta, "choices[].delta")), index if isinstance(index, int) else 0
