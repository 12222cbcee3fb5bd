"""Messages of a request and of an answer: wire → values.

An assistant's parts come in the one order that this wire can tell: reasoning, content, refusal, audio and images, tool
calls, state without words. The streams keep the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.file_ids import issuer_of
from dragoman.dialects.openai_chat.annotations import read_annotations
from dragoman.dialects.openai_chat.message_writer import MessageWriter
from dragoman.dialects.openai_chat.notes import ABSENT, NAME, VOID, WIRE, extras_of, non_empty, own, rest
from dragoman.dialects.openai_chat.parts import read_image, read_part
from dragoman.dialects.openai_chat.reasoning import REASONING_MEMBERS, TEXT_MEMBERS, read_reasoning
from dragoman.dialects.openai_chat.tools import CALL_ID_LENGTH, minted_id, plain_call, read_call
from dragoman.dialects.reading import integer, object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import (
    AdaptationLog,
    Media,
    Message,
    MessageRole,
    Refusal,
    Replay,
    Text,
    ToolCall,
    ToolResult,
    replace,
)
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Reasoning, Target

__all__ = ["MessageReader", "read_audio"]

# A member of an enumeration is dear to look up.
_ASSISTANT_ROLE: Final = MessageRole.ASSISTANT
_TOOL_ROLE: Final = MessageRole.TOOL
_ROLES: Final = {role.value: role for role in MessageRole}
_SPEAKERS: Final = {
    name: role for name, role in _ROLES.items() if role not in (MessageRole.ASSISTANT, MessageRole.TOOL)
}
_PLAIN_ROLES: Final = {role.value: role for role in MessageRole if role is not MessageRole.TOOL}
_SPEECH: Final = ("role", "content", "name")
_TRUSTED: Final = frozenset(("role", "content", "tool_calls"))
_TRUSTED_ANSWER: Final = frozenset((*_TRUSTED, "refusal", "annotations"))
_TOOL: Final = ("role", "content", "name", "tool_call_id")
_ASSISTANT: Final = frozenset(
    ("role", "content", "refusal", "name", "tool_calls", "function_call", "audio", "images", *REASONING_MEMBERS)
)


class MessageReader:
    """Reads the messages of one request, in order, or (`answer`) the message of one choice.

    Calls without an id get one by their place, and an answer to a call that names none answers the oldest open one;
    `seed` and `place` make the ids of one answer's choices differ.
    """

    __slots__ = ("_answer", "_open", "_place", "_seed", "_target")

    def __init__(self, target: Target, *, answer: bool = False, seed: str = "", place: int = 0) -> None:
        self._target = target
        self._answer = answer
        self._seed = seed
        self._place = place
        self._open: list[ToolCall] = []

    def read_all(self, wires: list[JsonObject]) -> tuple[Message, ...]:
        """The messages of a request."""
        messages: list[Message] = []
        for index, wire in enumerate(wires):
            message = self._plain(wire)
            messages.append(self._read(wire, f"messages[{index}]") if message is None else message)
        return tuple(messages)

    def read(self, wire: JsonObject, path: str) -> Message:
        """One message, of a request or of an answer."""
        message = None if self._answer else self._plain(wire)
        return self._read(wire, path) if message is None else message

    def _plain(self, wire: JsonObject) -> Message | None:
        """A request's message of the commonest shapes, which are sure to be written alike; None for any other.

        On the path of every request that is translated, where conversations of hundreds of messages come again and
        again: it takes half a microsecond where the way of all others takes three to ten.
        """
        role, said, size = wire.get("role"), wire.get("content"), len(wire)
        message: Message | None = None
        if type(role) is not str:
            return None
        if type(said) is str:
            if not said:
                return None
            if size == 2:
                known = _PLAIN_ROLES.get(role)
                message = None if known is None else message_of(known, (Text(text=said),))
            elif size == 3 and role == "tool":
                message = self._plain_result(wire.get("tool_call_id"), said)
            elif size == 3 and role == "assistant":
                message = self._plain_calls(wire.get("tool_calls"), said)
        elif said is None:
            if size == 3 and role == "assistant" and "content" in wire:
                message = self._plain_calls(wire.get("tool_calls"), None)
        elif size == 2 and type(said) is list and role in _SPEAKERS and self._target.quirks.chat.content_parts:
            message = _plain_texts(_SPEAKERS[role], said)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        if message is not None:
            self._place += 1
        return message

    def _plain_result(self, call_id: Any, said: str) -> Message | None:
        if type(call_id) is not str or not 0 < len(call_id) <= CALL_ID_LENGTH:
            return None
        if self._open:
            self._open = [call for call in self._open if call.id != call_id]
        return message_of(_TOOL_ROLE, (ToolResult(call_id=call_id, content=(Text(text=said),)),))

    def _plain_calls(self, wires: Any, said: str | None) -> Message | None:
        if type(wires) is not list or not wires:
            return None
        calls = [plain_call(wire) for wire in wires]  # pyright: ignore[reportUnknownVariableType]  # JSON
        if None in calls:
            return None
        parts: tuple[Any, ...] = tuple(calls)
        self._open += parts
        if said is not None:
            return message_of(_ASSISTANT_ROLE, (Text(text=said), *parts))
        return message_of(_ASSISTANT_ROLE, parts, {NAME: {":content": "null"}})

    def _read(self, wire: JsonObject, path: str) -> Message:
        role = wire.get("role")
        if self._answer or role == "assistant":
            message = self._assistant(wire, path)
        elif role == "tool" or role == "function":
            message = self._tool(wire, path, legacy=role == "function")
        else:
            speaker = _SPEAKERS.get(role) if isinstance(role, str) else None
            if speaker is None:
                raise ProtocolViolation(
                    f"{path}.role should be one of {', '.join((*_ROLES, 'function'))}, and is {role!r:.80}",
                    path=f"{path}.role",
                )
            message = self._speech(wire, speaker, path)
        self._place += 1
        return message

    # -- system, developer, user ---------------------------------------------------------------------------------------

    def _speech(self, wire: JsonObject, role: MessageRole, path: str) -> Message:
        notes: JsonObject = {}
        void: JsonObject = {}
        parts = self._content(wire, path, notes)
        name = non_empty(wire, "name", void, path)
        message = Message(role, parts=parts, name=name)
        return self._faithful(wire, message, notes, void, _SPEECH, trusted=len(wire) == 2 and "content" in wire)

    def _content(self, wire: JsonObject, path: str, notes: JsonObject) -> tuple[Part, ...]:
        """The parts in `content`; the note `:content` tells a form other than the usual one for such parts."""
        content = wire.get("content")
        if isinstance(content, str):
            if content:
                return (Text(text=content),)
            notes[":content"] = ""
            return ()
        if content is None:
            notes[":content"] = "null" if "content" in wire else "absent"
            return ()
        where = f"{path}.content"
        if not isinstance(content, list):
            raise ProtocolViolation(f"{where} should be text or a list of parts, and is {content!r:.80}", path=where)
        parts = tuple(
            read_part(part, self._target, f"{where}[{index}]")
            for index, part in enumerate(objects_in(wire, "content", path))
        )
        if len(parts) < 2 or (self._answer and all(isinstance(part, Text) for part in parts)):
            notes[":content"] = "list"
        return parts

    # -- assistant -----------------------------------------------------------------------------------------------------

    def _assistant(self, wire: JsonObject, path: str) -> Message:
        content = wire.get("content")
        notes: JsonObject = {}
        void: JsonObject = {}
        parts: list[Part] = []
        reasoning: Reasoning | None = None
        if not REASONING_MEMBERS.isdisjoint(wire):
            reasoning = read_reasoning(wire, self._target, path, void, answer=self._answer)
        if reasoning is not None and reasoning.form != "redacted":
            parts.append(reasoning)
        parts += self._content(wire, path, notes)
        refusal = text(wire, "refusal", path) if "refusal" in wire else None
        if refusal:
            parts.append(Refusal(text=refusal))
        elif refusal == "" or (refusal is None and "refusal" in wire and not self._answer):
            void["refusal"] = refusal
        if "audio" in wire or "images" in wire:
            parts += self._media(wire, path, void)
        if "tool_calls" in wire or "function_call" in wire:
            parts += self._calls(wire, path, notes, void)
        if reasoning is not None and reasoning.form == "redacted":
            parts.append(reasoning)
        name = non_empty(wire, "name", void, path) if "name" in wire else None
        if self._answer:
            absent = [member for member in ("role", "content", "refusal") if member not in wire]
            if absent:
                notes[ABSENT] = absent
        message = message_of(_ASSISTANT_ROLE, tuple(parts))
        if name is not None:
            message = replace(message, name=name)
        known = _TRUSTED_ANSWER if self._answer else _TRUSTED
        trusted = wire.keys() <= known and not isinstance(content, list) and text(wire, "role", path) == "assistant"
        if reasoning is not None and any(isinstance(wire.get(member), dict) for member in TEXT_MEMBERS):
            trusted = False
        return self._faithful(wire, message, notes, void, _ASSISTANT, trusted=trusted)

    def _media(self, wire: JsonObject, path: str, void: JsonObject) -> list[Part]:
        found: list[Part] = []
        audio = wire.get("audio")
        if audio is not None and object_of(audio, f"{path}.audio").get("data" if self._answer else "id"):
            found.append(read_audio(audio, self._target, f"{path}.audio"))
        elif "audio" in wire:
            void["audio"] = audio
        images = objects_in(wire, "images", path)
        for index, image in enumerate(images):
            media = read_image(image, f"{path}.images[{index}]")
            mark = Replay(issuer=self._target.issuer, dialect=NAME, kind="images", data=True)
            if self._answer:
                found.append(replace(media, replay=(mark,)))
            else:
                found.append(replace(media, extras=extras_of({**own(media.extras), ":said": "images"})))
        if "images" in wire and not images:
            void["images"] = wire["images"]
        return found

    def _calls(self, wire: JsonObject, path: str, notes: JsonObject, void: JsonObject) -> list[Part]:
        calls: list[ToolCall] = [
            read_call(
                call,
                self._target,
                f"{path}.tool_calls[{index}]",
                "" if call.get("id") else minted_id(self._seed, self._place, index),
                answer=self._answer,
            )
            for index, call in enumerate(objects_in(wire, "tool_calls", path))
        ]
        if "tool_calls" in wire and not calls:
            void["tool_calls"] = wire["tool_calls"]
        legacy = wire.get("function_call")
        if legacy is not None and calls:
            void["function_call"] = legacy
        elif legacy is not None:
            function = object_of(legacy, f"{path}.function_call")
            if text(function, "name", f"{path}.function_call"):
                notes[":call"] = "function_call"
                calls.append(self._legacy_call(function, f"{path}.function_call"))
            else:
                void["function_call"] = legacy
        elif "function_call" in wire:
            void["function_call"] = None
        self._open += calls
        return list(calls)

    def _legacy_call(self, function: JsonObject, path: str) -> ToolCall:
        return ToolCall(
            id=minted_id(self._seed, self._place, 0),
            name=required_text(function, "name", path),
            arguments_text=text(function, "arguments", path) or "",
        )

    # -- tool ----------------------------------------------------------------------------------------------------------

    def _tool(self, wire: JsonObject, path: str, *, legacy: bool) -> Message:
        notes: JsonObject = {}
        void: JsonObject = {}
        content = self._content(wire, path, notes)
        name = text(wire, "name", path)
        call_id = None if legacy else text(wire, "tool_call_id", path)
        marks: JsonObject = {}
        if not call_id:
            call_id = self._oldest_open(name)
            marks[":id"] = "" if "tool_call_id" in wire else False
        elif len(call_id) > CALL_ID_LENGTH:
            marks[":id"] = call_id
        if legacy:
            marks[":role"] = "function"
        if name is not None:
            marks[":name"] = True
        elif "name" in wire:
            void["name"] = None
        if any(isinstance(part, Media) for part in content):
            marks[":media"] = "said"
        self._open = [call for call in self._open if call.id != call_id]
        result = ToolResult(call_id=call_id, content=cast("Any", content), name=name, extras=extras_of(marks))
        message = Message(_TOOL_ROLE, parts=(result,))
        return self._faithful(wire, message, notes, void, _TOOL, trusted=len(wire) == 3 and not marks)

    def _oldest_open(self, name: str | None) -> str:
        for call in self._open:
            if name is None or call.name == name:
                return call.id
        return self._open[0].id if self._open else minted_id(self._seed, self._place, "result")

    # -- form ----------------------------------------------------------------------------------------------------------

    def _faithful(
        self, wire: JsonObject, message: Message, notes: JsonObject, void: JsonObject, known: Any, *, trusted: bool
    ) -> Message:
        """The message with what no field of it holds; and with the wire's object, if it would not be written alike.

        The commonest shapes are trusted to be written alike, which halves the time that they take.
        """
        members = rest(wire, known, void)
        if "annotations" in members:
            if not members["annotations"]:
                void["annotations"] = members.pop("annotations")
            elif self._answer:
                message = read_annotations(message, members)
        members.update(notes)
        if void:
            members[VOID] = void
        if members:
            message = replace(message, extras=extras_of(members))
        if not trusted:
            writer = MessageWriter(self._target, AdaptationLog(), answer=self._answer)
            if writer.write(message, "") != [wire]:
                message = replace(message, extras=extras_of({**members, WIRE: wire}))
        return message


def _plain_texts(role: MessageRole, content: list[Any]) -> Message | None:
    """A message whose content is a list of texts alone."""
    parts: list[Part] = []
    for part in content:
        if not isinstance(part, dict) or len(part) != 2:  # pyright: ignore[reportUnknownArgumentType]  # JSON
            return None
        holder: JsonObject = part  # pyright: ignore[reportUnknownVariableType]
        said = holder.get("text")
        if holder.get("type") != "text" or not isinstance(said, str) or not said:
            return None
        parts.append(Text(text=said))
    if len(parts) > 1:
        return message_of(role, tuple(parts))
    return message_of(role, tuple(parts), {NAME: {":content": "list"}}) if parts else None


def read_audio(audio: JsonObject, target: Target, path: str) -> Media:
    """The audio of an answer, or (by its id alone) what a request says of an earlier one."""
    audio_id = text(audio, "id", path)
    data = text(audio, "data", path)
    notes = {name: value for name, value in audio.items() if name not in ("id", "data", "transcript")}
    if not audio_id and "id" in audio:
        notes["id"] = audio_id
    integer(audio, "expires_at", path)
    replay = () if not audio_id else (Replay(issuer=target.issuer, dialect=NAME, kind="audio", data=audio_id),)
    return Media(
        kind="audio",
        data=data,
        file_id=None if "data" in audio else audio_id,
        issuer=issuer_of(None if "data" in audio else audio_id, target.issuer),
        transcript=text(audio, "transcript", path),
        replay=replay,
        extras=extras_of({":audio": notes}),
    )
