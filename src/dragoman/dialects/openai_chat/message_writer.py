"""Messages: values → wire.

A message of ours can be several on this wire: tool results stand in messages of their own, right behind the calls, and
media that a tool returned follow in a user's message, since a `tool` message holds text alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from dragoman.dialects.openai_chat.assistant_writer import AssistantWriter
from dragoman.dialects.openai_chat.content import put_content
from dragoman.dialects.openai_chat.notes import NAME, WIRE, own, write_members
from dragoman.dialects.openai_chat.parts import drop_foreign_state, write_part
from dragoman.dialects.openai_chat.tools import fitted_id
from dragoman.values import AdaptationLog, Media, Message, MessageRole, Text, ToolResult
from dragoman.values.adaptations import are_foreign_notes

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects.openai_chat.content import Placed
    from dragoman.values import Extras, JsonObject, Part, Target

__all__ = ["MessageWriter"]

_ASSISTANT, _TOOL = MessageRole.ASSISTANT, MessageRole.TOOL  # a member of an enumeration is dear to look up
_BEARERS: Final = (MessageRole.TOOL, MessageRole.USER)


class MessageWriter:
    """Writes the messages of one request, in order, or (`answer`) the message of one choice.

    With `answer`, the complete form of an answer's message is written: `content` and `refusal` even when null;
    `foreign` says that the answer came over another dialect. `reader` reads a wire message again, to see whether a
    message still is what its `:wire` note says.
    """

    __slots__ = ("_answer", "_assistant", "_log", "_pending", "_quirks", "_reader", "_target")

    def __init__(
        self,
        target: Target,
        log: AdaptationLog,
        *,
        answer: bool = False,
        foreign: bool = False,
        reader: Callable[[JsonObject], Message] | None = None,
    ) -> None:
        self._target = target
        self._quirks = target.quirks.chat
        self._log = log
        self._answer = answer
        self._reader = reader
        self._assistant = AssistantWriter(target, answer=answer, foreign=foreign)
        self._pending: list[JsonObject] = []

    def write_all(self, messages: tuple[Message, ...]) -> list[JsonObject]:
        """The messages of a request."""
        wires: list[JsonObject] = []
        for index, message in enumerate(messages):
            if self._pending and message.role is not _TOOL:
                wires += self._flush()
            plain = self._plain(message)
            wires += self.write(message, f"messages[{index}]") if plain is None else plain
        return wires + self._flush()

    def _plain(self, message: Message) -> list[JsonObject] | None:
        """A request's message of the commonest kinds, of which nothing has to be recorded; None for any other.

        On the path of every request that is translated, where conversations of hundreds of messages come again and
        again.
        """
        parts = message.parts
        if not parts or message.name is not None or not _is_silent(message.extras):
            return None
        role, first = message.role, parts[0]
        if type(first) is ToolResult:
            results = [self._plain_result(part) for part in parts] if role in _BEARERS else [None]
            return None if None in results else cast("list[JsonObject]", results)
        if role is _ASSISTANT:
            wire = self._assistant.plain(parts)
            return None if wire is None else [wire]
        if len(parts) > 1 or type(first) is not Text or not _is_bare(first):
            return None
        if role is _TOOL or (role is MessageRole.DEVELOPER and not self._quirks.developer_role):
            return None
        return [{"role": role.value, "content": first.text}]

    def _plain_result(self, part: Part) -> JsonObject | None:
        if type(part) is not ToolResult or part.replay or part.cache is not None or part.is_error:
            return None
        if part.runner != "client" or len(part.content) != 1 or not _is_silent(part.extras):
            return None
        said = part.content[0]
        if type(said) is not Text or not _is_bare(said):
            return None
        return {"role": "tool", "tool_call_id": self._result_id(part, None), "content": said.text}

    def write(self, message: Message, path: str) -> list[JsonObject]:
        """One message of ours."""
        original = own(message.extras).get(WIRE) if message.extras else None
        if original is None or self._reader is None:
            return self._write(message, path, self._log)
        # The wire's own object, if nothing was changed since, and if nothing in it has to be adapted to the target.
        log = AdaptationLog()
        wires = self._write(message, path, log)
        if not log.entries() and self._reader(original) == message:
            return [original]
        self._log.add(*log.entries())
        return wires

    def _write(self, message: Message, path: str, log: AdaptationLog) -> list[JsonObject]:
        if message.extras:
            log.foreign_extras(message.extras, NAME, path)
        role = message.role
        if role is _ASSISTANT or self._answer:
            return [self._assistant.write(message, path, log)]
        if role is _TOOL or any(isinstance(part, ToolResult) for part in message.parts):
            return self._results(message, path, log)
        parts = [(part, f"{path}.parts[{index}]") for index, part in enumerate(message.parts)]
        return [self._speech(message, parts, path, log)]

    # -- system, developer, user ---------------------------------------------------------------------------------------

    def _speech(self, message: Message, parts: list[Placed], path: str, log: AdaptationLog) -> JsonObject:
        role = message.role
        if role is _TOOL:
            role = MessageRole.USER
        elif role is MessageRole.DEVELOPER and not self._quirks.developer_role:
            role = MessageRole.SYSTEM
            log.substituted(f"{path}.role", "the host has no developer role", "developer", "system")
        wire: JsonObject = {"role": role.value}
        members = own(message.extras)
        put_content(wire, parts, members.get(":content"), self._target, log)
        if message.name is not None:
            wire["name"] = message.name
        if members:
            write_members(wire, members)
        return wire

    # -- tool results --------------------------------------------------------------------------------------------------

    def _results(self, message: Message, path: str, log: AdaptationLog) -> list[JsonObject]:
        """A message per result, then what else the message holds."""
        wires: list[JsonObject] = []
        others: list[Placed] = []
        for index, part in enumerate(message.parts):
            where = f"{path}.parts[{index}]"
            if not isinstance(part, ToolResult):
                others.append((part, where))
            elif part.runner == "provider":
                log.dropped(where, "the result of a tool that a provider ran itself", part.name)
            else:
                if others:
                    log.substituted(where, "results stand right behind their calls", "order")
                wires.append(self._result(part, message, where, log))
        if others:
            wires += self._flush()
            wires.append(self._speech(message, others, path, log))
        return wires

    def _result(self, result: ToolResult, message: Message, path: str, log: AdaptationLog) -> JsonObject:
        marks = own(result.extras)
        notes = own(message.extras)
        if result.extras:
            log.foreign_extras(result.extras, NAME, path)
        if result.replay:
            drop_foreign_state(result, self._target, log, path)
        if result.is_error:
            log.dropped(f"{path}.is_error", "the wire does not tell errors of tools apart", True)
        if result.cache is not None:
            log.dropped(f"{path}.cache", "the wire marks parts of a result, not the whole of it", result.cache.ttl)
        legacy = marks.get(":role") == "function"
        wire: JsonObject = {"role": "function" if legacy else "tool"}
        if not legacy:
            noted = marks.get(":id")
            if noted is not False:
                wire["tool_call_id"] = noted if noted == "" else self._result_id(result, noted)
        if result.name is not None and (legacy or ":name" in marks):
            wire["name"] = result.name
        elif legacy:
            wire["name"] = ""
        content: list[Placed] = [(part, f"{path}.content[{index}]") for index, part in enumerate(result.content)]
        if ":media" not in marks and not self._quirks.tool_media:
            content = self._without_media(content, wire, log)
        put_content(wire, content, notes.get(":content"), self._target, log)
        if len(message.parts) == 1 and notes:
            write_members(wire, notes)
        return wire

    def _result_id(self, result: ToolResult, noted: str | None) -> str:
        known = self._assistant.ids.get(result.call_id)
        if known is not None:
            return known
        return result.call_id if noted is not None else fitted_id(result.call_id, self._quirks.call_id_form)

    def _without_media(self, content: list[Placed], wire: JsonObject, log: AdaptationLog) -> list[Placed]:
        """The result's texts; its media wait for a user's message behind the last result."""
        texts: list[Placed] = []
        media: list[JsonObject] = []
        for part, where in content:
            if not isinstance(part, Media) or part.text is not None:
                texts.append((part, where))
                continue
            written = write_part(part, self._target, log, where)
            if written is not None:
                media.append(written)
                log.emulated(where, "a tool's message holds text alone; media follow in a user's message", part.kind)
        if media:
            label = f"Media that tool call {wire.get('tool_call_id', wire.get('name'))} returned:"
            self._pending += [{"type": "text", "text": label}, *media]
            texts = texts or [(Text(text="See the media in the next message."), "")]
        return texts

    def _flush(self) -> list[JsonObject]:
        if not self._pending:
            return []
        content, self._pending = self._pending, []
        return [{"role": "user", "content": content}]


def _is_silent(extras: Extras) -> bool:
    return not extras or are_foreign_notes(extras, NAME)


def _is_bare(part: Text) -> bool:
    """Whether there is nothing to a text but its words."""
    return part.cache is None and not (part.extras or part.replay)
