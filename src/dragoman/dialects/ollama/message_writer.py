"""Messages: values → wire.

A message of ours can be several here: each tool result is a message of role `tool`, right behind the calls. What cannot
stand in a message of one text, one thought, images and calls is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.file_ids import issued_to
from dragoman.dialects.keeping import own, write_back
from dragoman.dialects.ollama.messages import THINKING
from dragoman.dialects.ollama.names import NAME
from dragoman.values import (
    Media,
    Message,
    MessageRole,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    own_replay,
)

if TYPE_CHECKING:
    from dragoman.dialects.ollama.names import Writing
    from dragoman.values import JsonObject, Part

__all__ = ["image_text", "note_losses", "write_answer", "write_call", "write_messages"]

_FREE_INPUT = "input"
"""The member that holds what is no JSON object where this wire wants one."""


def write_messages(messages: tuple[Message, ...], writing: Writing) -> list[JsonObject]:
    """The messages of a request."""
    calls = {part.id: part for message in messages for part in message.parts if isinstance(part, ToolCall)}
    wires: list[JsonObject] = []
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        writing.log.foreign_extras(message.extras, NAME, path)
        if message.name is not None:
            writing.log.dropped(f"{path}.name", "this wire names no speakers", message.name)
        wires += _write(message, path, calls, writing)
    return wires


def write_answer(message: Message, path: str, writing: Writing) -> JsonObject:
    """The message of an answer."""
    writing.log.foreign_extras(message.extras, NAME, path)
    wire = _speech(message, "assistant", path, writing)
    return write_back(wire, message.extras, NAME)


def _write(message: Message, path: str, calls: dict[str, ToolCall], writing: Writing) -> list[JsonObject]:
    results = [part for part in message.parts if isinstance(part, ToolResult) and part.runner == "client"]
    if message.role is MessageRole.ASSISTANT or not results:
        wire = _speech(message, _role(message, path, writing), path, writing)
        return [write_back(wire, message.extras, NAME)]
    alone = len(message.parts) == 1
    wires: list[JsonObject] = []
    for index, part in enumerate(message.parts):
        if isinstance(part, ToolResult) and part.runner == "client":
            wire = _result(part, f"{path}.parts[{index}]", calls.get(part.call_id), writing)
            wires.append(write_back(wire, message.extras, NAME) if alone else wire)
    if len(results) < len(message.parts):
        writing.log.substituted(f"{path}.role", "results stand in messages of their own", message.role.value, "tool")
        wires.append(_speech(message, "user", path, writing, skip=ToolResult))
    return wires


def _role(message: Message, path: str, writing: Writing) -> str:
    noted = own(message.extras, NAME).get(":role")
    if noted is not None and message.role is MessageRole.SYSTEM:
        return noted
    if message.role is MessageRole.DEVELOPER:
        writing.log.substituted(f"{path}.role", "this wire has no developer role", "developer", "system")
        return "system"
    return "user" if message.role is MessageRole.TOOL else message.role.value


def _result(part: ToolResult, path: str, call: ToolCall | None, writing: Writing) -> JsonObject:
    note_losses(part, path, writing)
    if part.is_error:
        writing.log.dropped(f"{path}.is_error", "this wire does not tell errors of tools apart", True)
    draft = _Draft(writing)
    for index, piece in enumerate(part.content):
        draft.add(piece, f"{path}.content[{index}]")
    wire: JsonObject = {"role": "tool", "content": draft.text(path, "\n")}
    if draft.images:
        wire["images"] = draft.images
    minted = own(part.extras, NAME).get(":id") == "minted" or (call is not None and _is_minted(call))
    name = part.name
    if name is None and call is not None and not minted:
        name = call.name
    if name is not None:
        wire["tool_name"] = name
    if not minted:
        wire["tool_call_id"] = part.call_id
    return wire


def _is_minted(call: ToolCall) -> bool:
    return own(call.extras, NAME).get(":id") == "minted"


# -- speech ------------------------------------------------------------------------------------------------------------


class _Draft:
    """One message in the making."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.images: list[str] = []
        self.calls: list[JsonObject] = []
        self.mixed = False

    def add(self, part: Part, path: str) -> None:
        log = self._writing.log
        if isinstance(part, (Text, Refusal)):
            note_losses(part, path, self._writing)
            self.mixed = self.mixed or bool(self.images)
            self.texts.append(part.text)
        elif isinstance(part, Media):
            self._media(part, path)
        elif isinstance(part, Reasoning):
            self._thought(part, path)
        elif isinstance(part, ToolCall):
            if part.runner == "provider":
                log.dropped(path, "a tool that another provider ran itself", part.name)
            else:
                note_losses(part, path, self._writing)
                self.calls.append(write_call(part, path, self._writing))
        elif isinstance(part, ToolResult):
            log.dropped(path, "the result of a tool that a provider ran itself", part.name)
        else:
            log.dropped(path, f"only {part.dialect} has {part.kind}", part.kind)

    def _thought(self, part: Reasoning, path: str) -> None:
        writing = self._writing
        if writing.answer:
            note_losses(part, path, writing)
            if part.text:
                self.thoughts.append(part.text)
            else:
                writing.log.dropped(path, "reasoning without words", part.form)
        elif own_replay(part.replay, THINKING, writing.target, NAME) is True:
            self.thoughts.append(part.text)
        else:
            issuer = part.replay[0].issuer if part.replay else "another provider"
            writing.log.dropped(path, f"reasoning and replay state of {issuer}", part.form)

    def _media(self, part: Media, path: str) -> None:
        log = self._writing.log
        issued = issued_to(part, self._writing.target, log, path)
        if issued is None:
            return
        part = issued
        if part.text is not None:
            log.emulated(path, "this wire has no documents; the words stand in the text", part.kind)
            self.texts.append(f"{part.name}:\n{part.text}" if part.name else part.text)
            return
        data = image_text(part)
        if data is None:
            words = part.transcript
            if self._writing.answer and words:
                self.texts.append(words)
                log.substituted(path, "this wire has no sound; its words are given", part.kind, "text")
            else:
                log.dropped(path, "this wire takes images as base64 alone", part.url or part.file_id or part.kind)
            return
        note_losses(part, path, self._writing)
        for member in ("name", "detail"):
            if getattr(part, member) is not None:
                log.dropped(f"{path}.{member}", "images are bare on this wire", getattr(part, member))
        self.images.append(data)

    def text(self, path: str, between: str) -> str:
        log = self._writing.log
        if between and len(self.texts) > 1:
            log.substituted(f"{path}.parts", "this wire has one text in a message", "parts", "joined by newlines")
        if self.mixed:
            log.substituted(f"{path}.parts", "images stand beside the text on this wire", "order")
        return between.join(self.texts)


def _speech(
    message: Message, role: str, path: str, writing: Writing, *, skip: type[ToolResult] | None = None
) -> JsonObject:
    draft = _Draft(writing)
    for index, part in enumerate(message.parts):
        if skip is None or not isinstance(part, skip):
            draft.add(part, f"{path}.parts[{index}]")
    # The pieces of an answer are one flow of words; what others put into parts are separate things.
    wire: JsonObject = {"role": role, "content": draft.text(path, "" if role == "assistant" else "\n")}
    if draft.thoughts:
        wire["thinking"] = "".join(draft.thoughts)
    if draft.images:
        wire["images"] = draft.images
    if draft.calls:
        wire["tool_calls"] = draft.calls
    return wire


def image_text(media: Media) -> str | None:
    """The base64 of an image, or None for what this wire cannot hold."""
    if media.kind != "image" and not (media.kind == "file" and (media.media_type or "").startswith("image/")):
        return None
    if media.data is not None:
        return media.data
    if media.url is not None and media.url.startswith("data:"):
        head, found, data = media.url.partition(";base64,")
        return data if found and head else None
    return None


def note_losses(part: Part, path: str, writing: Writing) -> None:
    """Records what stands beside a part's content and has no place on this wire."""
    log = writing.log
    if part.extras:
        log.foreign_extras(part.extras, NAME, path)
    if part.cache is not None:
        log.dropped(f"{path}.cache", "this wire has no cache marks", part.cache.ttl)
    for replay in part.replay:
        if replay.dialect != NAME:
            log.dropped(f"{path}.replay", f"replay state of {replay.issuer}", replay.kind)
            break
    if isinstance(part, Text):
        if part.citations:
            log.dropped(f"{path}.citations", "this wire cites no sources", len(part.citations))
        if part.channel != "answer":
            log.substituted(f"{path}.channel", "this wire has one channel", part.channel, "answer")
    elif isinstance(part, Refusal):
        log.substituted(path, "this wire has no refusals apart from text", "refusal", "text")


# -- calls -------------------------------------------------------------------------------------------------------------


def write_call(call: ToolCall, path: str, writing: Writing) -> JsonObject:
    """One call; its arguments have to be an object."""
    notes = own(call.extras, NAME)
    function: JsonObject = {"name": call.name}
    form = notes.get(":arguments")
    if call.arguments_text or form not in ("absent", "null"):
        function["arguments"] = _arguments(call, form, path, writing)
    elif form == "null":
        function["arguments"] = None
    if ":index" in notes:
        function["index"] = notes[":index"]
    function.update(notes.get("function", {}))
    wire: JsonObject = {} if notes.get(":id") == "minted" else {"id": call.id}
    wire["function"] = function
    return write_back(wire, call.extras, NAME)


def _arguments(call: ToolCall, form: Any, path: str, writing: Writing) -> Any:
    if form == "text":
        return call.arguments_text
    if call.input == "json":
        if not call.arguments_text.strip():
            return {}
        try:
            value: Any = msgspec.json.decode(call.arguments_text)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return cast("JsonObject", value)
    reason = "this wire takes arguments as an object alone"
    writing.log.substituted(f"{path}.arguments_text", reason, call.input, _FREE_INPUT)
    return {_FREE_INPUT: call.arguments_text}
