"""The tool calls of one streamed choice.

A call is known by its `index`. Hosts deviate: some give none (then a new id begins a call, and pieces without an id
belong to the last calls, in their order), some give every parallel call the index 0 (then an id and a name together,
other than the open call's, begin another). Arguments under an index of their own, with no id and no name ever, are
those of the call before, if its own are not whole (Nebius moves the last piece on). Arguments are kept as they came;
nothing but the wire's own end ends a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.dialects.openai_chat.notes import extras_of
from dragoman.dialects.openai_chat.tools import call_state, minted_id
from dragoman.dialects.reading import integer, object_of, text
from dragoman.errors import ProtocolViolation
from dragoman.values import ToolCall

if TYPE_CHECKING:
    from dragoman.values import Assembly, Event, JsonObject, Target

__all__ = ["TurnCalls"]

_KNOWN = frozenset(("index", "id", "type", "function", "custom", "extra_content"))


class _Call:
    __slots__ = ("call_id", "kind", "members", "name", "opened", "position", "state", "waiting")

    def __init__(self, position: int) -> None:
        self.position = position
        self.call_id = ""
        self.name = ""
        self.kind = "function"
        self.opened = False
        self.waiting = ""
        self.state: JsonObject = {}
        self.members: JsonObject = {}


class TurnCalls:
    """See the module's docstring."""

    __slots__ = ("_assembly", "_by_index", "_calls", "_choice", "_target", "legacy")

    def __init__(self, choice: int, assembly: Assembly, target: Target) -> None:
        self.legacy = False
        self._choice = choice
        self._assembly = assembly
        self._target = target
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    def take(self, piece: JsonObject, path: str, place: int = -1) -> list[Event]:
        """One item of `delta.tool_calls`; `place` counts from the list's end, the last one being -1."""
        index = integer(piece, "index", path)
        call_id = text(piece, "id", path) or ""
        custom = "custom" in piece and piece["custom"] is not None
        member = "custom" if custom else "function"
        held = piece.get(member)
        holder: JsonObject = {} if held is None else object_of(held, f"{path}.{member}")
        name = text(holder, "name", f"{path}.{member}") or ""
        call = self._find(index, call_id, name, place)
        if custom:
            call.kind = "custom"
        if call_id and not call.call_id:
            call.call_id = call_id
        if name and not call.name:
            call.name = name
        if piece.get("extra_content") is not None:
            call.state["extra_content"] = piece["extra_content"]
        if not piece.keys() <= _KNOWN:
            call.members.update((key, value) for key, value in piece.items() if key not in _KNOWN and value is not None)
        return self._say(call, _arguments(holder, "input" if custom else "arguments", f"{path}.{member}"))

    def take_legacy(self, function: JsonObject, path: str) -> list[Event]:
        """A piece of the legacy `function_call`."""
        name = text(function, "name", f"{path}.function_call") or ""
        said = text(function, "arguments", f"{path}.function_call") or ""
        if not self._calls and not name and not said:
            return []
        self.legacy = True
        call = self._find(0, "", name, -1)
        call.name = call.name or name
        return self._say(call, said)

    def _find(self, index: int | None, call_id: str, name: str, place: int) -> _Call:
        if index is None:
            if not call_id and not name and -place <= len(self._calls):
                return self._calls[place]
            last = self._calls[-1] if self._calls else None
            known = last if last is not None and (not call_id or call_id == last.call_id) else None
            return known or self._begin(len(self._calls))
        known = self._by_index.get(index)
        if call_id and (not name if known is None else known.call_id not in ("", call_id)):
            known = next((call for call in self._calls if call.call_id == call_id), known)
        if known is None:
            return self._begin(index)
        if name and call_id and (self._goes_before(known) or (known.call_id and call_id != known.call_id)):
            return self._begin(index)
        return known

    def _begin(self, index: int) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        self._by_index[index] = call
        return call

    def _say(self, call: _Call, said: str) -> list[Event]:
        if not call.opened:
            if not call.name:
                call.waiting += said
                return []
            said, call.waiting = call.waiting + said, ""
            return [self._open(call), *self._assembly.delta(call, said)]
        return self._assembly.delta(call, said) if said else []

    def _open(self, call: _Call) -> Event:
        call.opened = True
        if not call.call_id:
            call.call_id = minted_id(self._assembly.id or "", self._choice, call.position)
        skeleton = ToolCall(id=call.call_id, name=call.name, input="text" if call.kind == "custom" else "json")
        return self._assembly.open(call, skeleton, choice=self._choice)

    def _goes_before(self, call: _Call) -> bool:
        """Whether what came under this call's index belongs to the call before it."""
        if call.opened or call.call_id or call.position == 0:
            return False
        before = self._calls[call.position - 1]
        if not before.opened:
            return False
        try:
            msgspec.json.decode(self._assembly.received(before))
        except msgspec.DecodeError:
            return True
        return False

    def close(self) -> list[Event]:
        """Sets what only the whole call shows. A call without a name is no call."""
        events: list[Event] = []
        for call in self._calls:
            if self._goes_before(call):
                events += self._assembly.delta(self._calls[call.position - 1], call.waiting)
                continue
            if not call.opened:
                raise ProtocolViolation(
                    f"tool call {call.position} of choice {self._choice} has no name",
                    path=f"choices[{self._choice}].delta.tool_calls[{call.position}].function.name",
                )
            replay = call_state(call.state, call.call_id, self._target, answer=True)
            if replay:
                self._assembly.amend(call, replay=replay)
            if call.members:
                self._assembly.amend(call, extras=extras_of(call.members))
        return events


def _arguments(holder: JsonObject, member: str, path: str) -> str:
    given = holder.get(member)
    if isinstance(given, dict):
        return msgspec.json.encode(given).decode()
    return text(holder, member, path) or ""
