"""Messages → `systemInstruction` and `contents`.

System and developer messages that lead the conversation become the system instruction, in their order. The wire has no
place for later ones: they are said in the user's turn, at their place, which is recorded. Where there would be no turn
at all, the system messages become the first one. Results of parallel calls, often a message each, make one turn. What a
user's message holds besides results follows them in a turn of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.gemini.members import NAME, own, write
from dragoman.dialects.gemini.part_writer import PartWriter
from dragoman.dialects.gemini.parts import SIGNATURE
from dragoman.values import MessageRole, ToolCall, ToolResult, own_replay

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Message, Part, Target

__all__ = ["ContentWriter", "content_of"]

_SYSTEM = (MessageRole.SYSTEM, MessageRole.DEVELOPER)


class ContentWriter:
    """Writes one conversation."""

    def __init__(self, messages: tuple[Message, ...], target: Target, log: AdaptationLog) -> None:
        self._messages = messages
        self._log = log
        self._target = target
        refused = "thoughtSignature" in target.quirks.gemini.refused
        self._signature = None if refused else target.quirks.gemini.call_signature
        self._order: dict[str, int] = {}
        names: dict[str, str] = {}
        nameless: set[str] = set()
        for message in messages:
            for part in message.parts:
                if isinstance(part, ToolCall) and part.runner == "client":
                    self._order.setdefault(part.id, len(self._order))
                    names[part.id] = part.name
                    if own(part.extras).get(":minted") == part.id:
                        nameless.add(part.id)
        self._nameless = nameless
        self._writer = PartWriter(target, log, answering=False, tool_names=names, nameless_calls=nameless)
        self._contents: list[JsonObject] = []
        self._results: list[JsonObject] | None = None
        """The parts of a turn of results that may still grow."""
        self._results_extras: JsonObject = {}
        self._result_ids: list[str] = []

    def write(self, *, native: bool) -> tuple[JsonObject | None, list[JsonObject]]:
        """The system instruction and the turns. `native`: the conversation came over this wire, so nothing moves."""
        self._writer.keep_empty = native
        leading = 0
        while leading < len(self._messages) and self._messages[leading].role in _SYSTEM:
            leading += 1
        if leading == len(self._messages) and leading and not native:
            self._log.substituted("messages", "a conversation needs a turn: the system's words are sent as the user's")
            leading = 0
        instruction = self._instruction(leading) if leading else None
        for index in range(leading, len(self._messages)):
            self._message(self._messages[index], f"messages[{index}]", instruct=leading > 0 or index > 0)
        self._end_results()
        return instruction, self._contents

    def _instruction(self, count: int) -> JsonObject | None:
        parts: list[JsonObject] = []
        for index, message in enumerate(self._messages[:count]):
            path = f"messages[{index}]"
            self._about(message, path)
            parts.extend(self._written(message.parts, path))
        extras = own(self._messages[0].extras)
        if not parts and ":parts" not in extras and ":null" not in extras:
            return None
        return content_of(parts, None, extras)

    def _about(self, message: Message, path: str) -> None:
        """What the wire has no place for in any message."""
        if message.extras:
            self._log.foreign_extras(message.extras, NAME, path)
        if message.name is not None:
            self._log.dropped(f"{path}.name", "speakers have no names here", message.name)

    def _message(self, message: Message, path: str, *, instruct: bool) -> None:
        self._about(message, path)
        extras = own(message.extras)
        if message.role is MessageRole.ASSISTANT:
            self._turn(self._said(message, path), "model", extras, path)
        elif message.role is MessageRole.TOOL:
            self._answers(message, extras, path)
        else:
            if message.role in _SYSTEM and instruct:
                self._log.substituted(path, "instructions stand at the start alone: said in the user's turn")
            if ":mixed" in extras or not any(isinstance(part, ToolResult) for part in message.parts):
                self._turn(self._written(message.parts, path), "user", extras, path)
            else:
                self._user_with_results(message, path)

    # -- turns ---------------------------------------------------------------------------------------------------------

    def _turn(self, parts: list[JsonObject], role: str, extras: JsonObject, path: str) -> None:
        self._end_results()
        if not parts and ":parts" not in extras and ":null" not in extras:
            self._log.dropped(path, "nothing of it can be said, and a turn is not empty")
            return
        self._contents.append(content_of(parts, role, extras))
        self._send_beside()

    def _said(self, message: Message, path: str) -> list[JsonObject]:
        """The model's own turn; the first of its calls is signed."""
        parts: list[JsonObject] = []
        unsigned = self._signature is not None
        for index, part in enumerate(message.parts):
            where = f"{path}.parts[{index}]"
            written = self._writer.write(part, where)
            if written is None:
                continue
            if unsigned and isinstance(part, ToolCall) and part.runner == "client":
                unsigned = False
                if not self._signed(part):
                    written["thoughtSignature"] = self._signature
                    self._log.defaulted(f"{where}.replay", "newer models refuse unsigned calls", self._signature)
            parts.append(written)
        return parts

    def _signed(self, call: ToolCall) -> bool:
        """Whether the call has its signature, or came over this wire without one."""
        signature = own_replay(call.replay, SIGNATURE, self._target, NAME)
        return signature is not None or ":unsigned" in own(call.extras)

    def _answers(self, message: Message, extras: JsonObject, path: str) -> None:
        if self._results is None or ":apart" in extras:
            self._end_results()
            self._results = []
            self._results_extras = extras
        before = len(self._results)
        for index, part in enumerate(message.parts):
            self._answer(part, self._results, f"{path}.parts[{index}]")
        if len(self._results) == before and ":parts" not in extras and ":null" not in extras:
            self._log.dropped(path, "nothing of it can be said, and a turn is not empty")

    def _answer(self, part: Part, results: list[JsonObject], path: str) -> None:
        written = self._writer.write(part, path)
        if written is not None:
            results.append(written)
            self._result_ids.append(part.call_id if isinstance(part, ToolResult) else "")

    def _user_with_results(self, message: Message, path: str) -> None:
        if self._results is None:
            self._results = []
        others: list[JsonObject] = []
        for index, part in enumerate(message.parts):
            where = f"{path}.parts[{index}]"
            if isinstance(part, ToolResult):
                self._answer(part, self._results, where)
            else:
                written = self._writer.write(part, where)
                if written is not None:
                    others.append(written)
        self._end_results()
        if others:
            self._contents.append(content_of(others, "user", {}))

    def _end_results(self) -> None:
        """Closes a turn of results. Those without ids are told apart by their order, which is that of the calls."""
        results, extras = self._results, self._results_extras
        if results is not None:
            places = [place for place, name in enumerate(self._result_ids) if name in self._nameless]
            ordered = sorted(places, key=lambda place: self._order[self._result_ids[place]])
            moved = [results[place] for place in ordered]
            for place, result in zip(places, moved, strict=True):
                results[place] = result
            if results or ":parts" in extras or ":null" in extras:
                self._contents.append(content_of(results, "user", extras))
        self._results = None
        self._results_extras = {}
        self._result_ids = []
        self._send_beside()

    def _send_beside(self) -> None:
        if self._writer.beside:
            self._contents.append({"role": "user", "parts": list(self._writer.beside)})
            self._writer.beside.clear()

    def _written(self, parts: tuple[Part, ...], path: str) -> list[JsonObject]:
        written = [self._writer.write(part, f"{path}.parts[{index}]") for index, part in enumerate(parts)]
        return [part for part in written if part is not None]


def content_of(parts: list[JsonObject], role: str | None, extras: JsonObject) -> JsonObject:
    """A content object."""
    members: JsonObject = {}
    if ":role" in extras:
        role = extras[":role"]
    if role is not None and "role" not in extras.get(":null", ()):
        members["role"] = role
    unwritten = extras.get(":parts") == "absent" or "parts" in extras.get(":null", ())
    if parts or not unwritten:
        members["parts"] = parts
    return write(members, extras) if extras else members
