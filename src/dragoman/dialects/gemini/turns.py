"""One candidate of a streamed answer: its parts as they come, and what is known of it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.gemini.members import NAME
from dragoman.dialects.gemini.partial_arguments import PartialArguments
from dragoman.dialects.gemini.parts import PartReader, json_text
from dragoman.dialects.reading import boolean, object_of, objects_in
from dragoman.errors import ProtocolViolation
from dragoman.values import Reasoning, Text, ToolCall, replace

if TYPE_CHECKING:
    from collections.abc import Hashable

    from dragoman.values import Assembly, Event, Finish, JsonObject, Part, Target

__all__ = ["Turn"]

_THOUGHT = Reasoning(form="summary", extras={NAME: {":thought": True}})
_WORDS = Text(text="")
_PIECEMEAL = ("partialArgs", "partial_args", "willContinue", "will_continue")


class Turn:
    """Drives the assembly for one choice. `keys` are its parts', in their order."""

    __slots__ = (
        "_arguments",
        "_assembly",
        "_call",
        "_current",
        "_index",
        "_reader",
        "_thinking",
        "finish",
        "keys",
        "members",
        "notes",
    )

    def __init__(self, assembly: Assembly, index: int, target: Target) -> None:
        self._assembly = assembly
        self._index = index
        self._reader = PartReader(target.issuer, f"{assembly.id}/{index}" if assembly.id else "")
        self._current: Hashable | None = None
        self._thinking = False
        self._call: Hashable | None = None
        self._arguments = PartialArguments()
        self.keys: list[Hashable] = []
        self.members: JsonObject = {}
        self.notes: JsonObject = {}
        self.finish: Finish | None = None

    def take(self, wire: Any, position: int, events: list[Event]) -> None:
        """One part of a chunk."""
        if isinstance(wire, dict):
            members = cast("JsonObject", wire)
            words = members.get("text")
            # Most parts are a piece of text, and nothing else; `thought` marks a piece of thinking.
            if isinstance(words, str):
                if len(members) == 1:
                    self._words(words, events, thinking=False)
                    return
                if len(members) == 2 and members.get("thought") is True:
                    self._words(words, events, thinking=True)
                    return
            self._whole(members, f"candidates[{position}].content.parts", events)
        else:
            object_of(wire, f"candidates[{position}].content.parts")

    def _words(self, words: str, events: list[Event], *, thinking: bool) -> None:
        if not words:
            return
        if self._current is None or self._thinking is not thinking:
            self._leave(events)
            self._current = self._open(_THOUGHT if thinking else _WORDS, events)
            self._thinking = thinking
        events.extend(self._assembly.delta(self._current, words))

    def _open(self, skeleton: Part, events: list[Event]) -> Hashable:
        key = (self._index, len(self.keys))
        self.keys.append(key)
        events.append(self._assembly.open(key, skeleton, choice=self._index))
        return key

    def _leave(self, events: list[Event]) -> None:
        """Text that comes now begins a part of its own. A thought is over; text stays open for citations."""
        if self._current is not None and self._thinking:
            events.extend(self._assembly.end(self._current))
        self._current = None

    def _whole(self, wire: JsonObject, path: str, events: list[Event]) -> None:
        call: Any = wire.get("functionCall", wire.get("function_call"))
        if isinstance(call, dict) and (self._call is not None or any(name in call for name in _PIECEMEAL)):
            self._piece(wire, cast("JsonObject", call), f"{path}.functionCall", events)
            return
        if call == {} and len(wire) == 1:  # the end of a call, once more
            return
        part = self._reader.read(wire, path)
        if isinstance(part, Text) and not part.text and not part.replay and not _said(part):
            return
        self._leave(events)
        if isinstance(part, Text | Reasoning) and part.text:
            key = self._open(replace(part, text=""), events)
            events.extend(self._assembly.delta(key, part.text))
            if isinstance(part, Reasoning):
                events.extend(self._assembly.end(key))
        elif isinstance(part, ToolCall):
            key = self._open(replace(part, arguments_text=""), events)
            events.extend(self._assembly.delta(key, part.arguments_text))
            events.extend(self._assembly.end(key))
        else:
            events.extend(self._assembly.end(self._open(part, events)))

    # -- calls whose arguments come piecemeal --------------------------------------------------------------------------

    def _piece(self, wire: JsonObject, call: JsonObject, path: str, events: list[Event]) -> None:
        if self._call is None:
            self._begin_call(wire, call, path, events)
        elif call.get("name"):
            raise ProtocolViolation(f"the call of {call['name']!r} begins before the last one has ended", path=path)
        for name in ("partialArgs", "partial_args"):
            for index, piece in enumerate(objects_in(call, name, path)):
                self._arguments.take(piece, f"{path}.{name}[{index}]")
        goes_on = boolean(call, "willContinue", path) or boolean(call, "will_continue", path)
        if not goes_on:
            events.extend(self.end_call())

    def _begin_call(self, wire: JsonObject, call: JsonObject, path: str, events: list[Event]) -> None:
        plain = {name: value for name, value in call.items() if name not in _PIECEMEAL}
        name = "functionCall" if "functionCall" in wire else "function_call"
        skeleton = self._reader.read({**wire, name: plain}, path)
        self._leave(events)
        self._arguments = PartialArguments()
        if isinstance(skeleton, ToolCall) and skeleton.arguments_text:
            self._arguments.value = skeleton.arguments
            skeleton = replace(skeleton, arguments_text="")
        self._call = self._open(skeleton, events)

    def end_call(self) -> list[Event]:
        """Ends the call that is still open, with the arguments that came."""
        if self._call is None:
            return []
        key, self._call = self._call, None
        return [*self._assembly.delta(key, json_text(self._arguments.value)), *self._assembly.end(key)]


def _said(part: Text) -> bool:
    """Whether the part has members of its own, beside notes."""
    return any(not name.startswith(":") for name in part.extras.get(NAME, {}))
