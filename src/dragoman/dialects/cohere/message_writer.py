"""Messages: values → wire.

A message of ours can be several here: each tool result is a message of role `tool`, and images that a tool returned
follow in a user's message, since a tool's holds text and documents alone. Documents given as text stand beside the
messages, in `documents`, where the model can cite them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.cohere.citations import write_citations
from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.cohere.parts import document_of, note_losses, write_block
from dragoman.dialects.keeping import own, write_back
from dragoman.values import Media, Message, MessageRole, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from dragoman.dialects.cohere.names import Writing
    from dragoman.values import JsonObject, Part

__all__ = ["MessageWriter", "write_assistant", "write_call"]

_FROM_USERS = frozenset({"text", "image_url"})
_FROM_SYSTEM = frozenset({"text"})
_FROM_ASSISTANT = frozenset({"text", "thinking"})
_FROM_TOOLS = frozenset({"text", "document"})


class MessageWriter:
    """Writes the messages of one request, in order; `documents` are those found on the way."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._pending: list[JsonObject] = []
        self.documents: list[JsonObject] = []

    def write_all(self, messages: tuple[Message, ...]) -> list[JsonObject]:
        wires: list[JsonObject] = []
        for index, message in enumerate(messages):
            if self._pending and message.role is not MessageRole.TOOL:
                wires += self._flush()
            wires += self._write(message, f"messages[{index}]")
        return wires + self._flush()

    def _flush(self) -> list[JsonObject]:
        content, self._pending = self._pending, []
        return [{"role": "user", "content": content}] if content else []

    def _write(self, message: Message, path: str) -> list[JsonObject]:
        log = self._writing.log
        if message.name is not None:
            log.dropped(f"{path}.name", "this wire names no speakers", message.name)
        if message.role is MessageRole.ASSISTANT:
            return [write_assistant(message, path, self._writing)]
        log.foreign_extras(message.extras, NAME, path)
        wires: list[JsonObject] = []
        others: list[tuple[Part, str]] = []
        for index, part in enumerate(message.parts):
            where = f"{path}.parts[{index}]"
            if not isinstance(part, ToolResult):
                others.append((part, where))
            elif part.runner == "provider":
                log.dropped(where, "the result of a tool that a provider ran itself", part.name)
            else:
                wire = self._result(part, message, where)
                wires.append(write_back(wire, message.extras, NAME) if len(message.parts) == 1 else wire)
        if others or not wires:
            if wires:
                log.substituted(f"{path}.role", "results stand in messages of their own", message.role.value, "tool")
                wires += self._flush()
            wires.append(self._speech(message, others, path))
        return wires

    def _speech(self, message: Message, parts: list[tuple[Part, str]], path: str) -> JsonObject:
        role = "user"
        if message.role in (MessageRole.SYSTEM, MessageRole.DEVELOPER):
            role = "system"
            if message.role is MessageRole.DEVELOPER:
                self._writing.log.substituted(f"{path}.role", "this wire has no developer role", "developer", "system")
        allowed = _FROM_USERS if role == "user" else _FROM_SYSTEM
        blocks: list[JsonObject] = []
        for part, where in parts:
            if isinstance(part, Media) and part.text is not None:
                reason = "documents stand beside the messages on this wire"
                self._writing.log.substituted(where, reason, part.kind, "documents")
                self.documents.append(document_of(part))
            elif (block := write_block(part, where, self._writing, allowed=allowed)) is not None:
                blocks.append(block)
        wire: JsonObject = {"role": role}
        _put_content(wire, blocks, own(message.extras, NAME).get(":content"), missing="")
        return write_back(wire, message.extras, NAME)

    def _result(self, part: ToolResult, message: Message, path: str) -> JsonObject:
        log = self._writing.log
        note_losses(part, path, self._writing)
        if part.is_error:
            log.dropped(f"{path}.is_error", "this wire does not tell errors of tools apart", True)
        blocks: list[JsonObject] = []
        for index, piece in enumerate(part.content):
            where = f"{path}.content[{index}]"
            if isinstance(piece, Media) and piece.text is None and piece.kind in ("image", "file"):
                image = write_block(piece, where, self._writing, allowed=_FROM_USERS)
                if image is not None:
                    reason = "a tool's message holds text and documents; images follow in a user's message"
                    log.emulated(where, reason, piece.kind)
                    self._pending.append(image)
            elif (block := write_block(piece, where, self._writing, allowed=_FROM_TOOLS)) is not None:
                blocks.append(block)
        notes = own(message.extras, NAME)
        wire: JsonObject = {"role": "tool"}
        if notes.get(":id") != "unknown":
            wire["tool_call_id"] = part.call_id
        _put_content(wire, blocks, notes.get(":content"), missing="")
        return wire


def _put_content(wire: JsonObject, blocks: list[JsonObject], form: str | None, *, missing: str | None) -> None:
    """Sets `content` in the form noted; else one plain text as text, and several blocks as a list."""
    if not blocks:
        if form == "list":
            wire["content"] = []
        elif form == "null":
            wire["content"] = None
        elif form == "text":
            wire["content"] = ""
        elif form != "absent" and missing is not None:
            wire["content"] = missing
        return
    plain = len(blocks) == 1 and blocks[0].keys() == {"type", "text"} and blocks[0]["type"] == "text"
    wire["content"] = blocks[0]["text"] if plain and form != "list" else blocks


# -- the assistant -----------------------------------------------------------------------------------------------------


def write_assistant(message: Message, path: str, writing: Writing) -> JsonObject:
    """An assistant's message, of a request or (`writing.answer`) of an answer, whose content is always a list."""
    writing.log.foreign_extras(message.extras, NAME, path)
    notes = own(message.extras, NAME)
    draft = _Draft(writing)
    for index, part in enumerate(message.parts):
        draft.add(part, f"{path}.parts[{index}]")
    wire: JsonObject = {"role": notes.get(":role", "assistant")}
    form = notes.get(":content") or ("list" if writing.answer and (draft.blocks or not draft.calls) else None)
    _put_content(wire, draft.blocks, form, missing=None if draft.calls or draft.plans else "")
    if draft.plans:
        wire["tool_plan"] = "".join(draft.plans)
    if draft.calls:
        wire["tool_calls"] = draft.calls
    citations = draft.citations
    held = notes.get("citations", ())
    behind = 1 + max((place for place, _ in citations), default=-1)
    citations += zip(notes.get(":places", range(behind, behind + len(held))), held, strict=False)
    if citations:
        wire["citations"] = [citation for _, citation in sorted(citations, key=_place)]
    if "role" in notes.get(":absent", ()):
        del wire["role"]
    return write_back(wire, message.extras, NAME)


class _Draft:
    """One message in the making."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self.plans: list[str] = []
        self.blocks: list[JsonObject] = []
        self.calls: list[JsonObject] = []
        self.citations: list[tuple[int, JsonObject]] = []

    def add(self, part: Part, path: str) -> None:
        writing = self._writing
        log = writing.log
        if isinstance(part, Text) and part.channel == "commentary":
            note_losses(part, path, writing)
            self.citations += _cited(part, None, writing)
            self.plans.append(part.text)
        elif isinstance(part, ToolCall):
            if part.runner == "provider":
                log.dropped(path, "a tool that another provider ran itself", part.name)
            else:
                note_losses(part, path, writing)
                self.calls.append(write_call(part, path, writing))
        elif isinstance(part, ToolResult):
            log.dropped(path, "the result of a tool that a provider ran itself", part.name)
        elif isinstance(part, Media) and writing.answer and part.transcript:
            log.substituted(path, "this wire has no sound; its words are given", part.kind, "text")
            self.blocks.append({"type": "text", "text": part.transcript})
        elif (block := write_block(part, path, writing, allowed=_FROM_ASSISTANT)) is not None:
            if isinstance(part, Text):
                self.citations += _cited(part, len(self.blocks), writing)
            self.blocks.append(block)


def _cited(part: Text, index: int | None, writing: Writing) -> list[tuple[int, JsonObject]]:
    if not part.citations:
        return []
    if not writing.answer:  # a request cites what this wire itself has cited
        ours = tuple(citation for citation in part.citations if NAME in citation.extras)
        part = msgspec.structs.replace(part, citations=ours)
    return write_citations(part, index)


def _place(entry: tuple[int, JsonObject]) -> int:
    return entry[0]


def write_call(call: ToolCall, path: str, writing: Writing) -> JsonObject:
    """One call."""
    notes = own(call.extras, NAME)
    function: JsonObject = {"name": call.name}
    form = notes.get(":arguments")
    arguments = call.arguments_text
    if call.input == "text":
        arguments = msgspec.json.encode({"input": arguments}).decode()
        writing.log.substituted(f"{path}.arguments_text", "this wire takes JSON alone", "text", "input")
    elif not arguments.strip() and writing.mend and form is None:
        arguments = "{}"
    if form == "object" and (parsed := _object(arguments)) is not None:
        function["arguments"] = parsed
    elif arguments or form not in ("absent", "null"):
        function["arguments"] = arguments
    elif form == "null":
        function["arguments"] = None
    function.update(notes.get("function", {}))
    wire: JsonObject = {"id": call.id, "type": "function", "function": function}
    for name in notes.get(":absent", ()):
        del wire[name]
    rest = {name: value for name, value in notes.items() if name not in ("function", ":absent")}
    return write_back(wire, {NAME: rest}, NAME)


def _object(arguments: str) -> JsonObject | None:
    try:
        value: Any = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None
