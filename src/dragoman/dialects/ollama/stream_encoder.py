"""Streamed answers: events → lines of JSON, for clients of ours.

Each delta is a line; a call is one, too, once it is whole. The last line has `done: true`, the reason, the counts and
whatever members the answer kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.dialects.error_words import client_message
from dragoman.dialects.ollama.message_writer import image_text, note_losses, write_call
from dragoman.dialects.ollama.names import NAME, Writing
from dragoman.dialects.ollama.response import encode_head, encode_tail, write_created
from dragoman.framing import encode_ndjson
from dragoman.values import (
    Adaptation,
    AdaptationLog,
    Event,
    Finished,
    Media,
    Opaque,
    PartEnded,
    PartStarted,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import JsonObject, Part, Request, Target

__all__ = ["OllamaStreamEncoder"]

_json: Final = msgspec.json.Encoder().encode
_BEHIND_TEXT: Final = b'},"done":false}\n'


class OllamaStreamEncoder:
    """See the module's docstring; one per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._writing = Writing(target, AdaptationLog(), answer=True)
        self._head: JsonObject = {"model": request.model or target.model}
        self._prefix = b""
        self._begin()

    def _begin(self) -> None:
        head = _json({**self._head, "message": {"role": "assistant", "content": ""}})
        self._prefix = head.removesuffix(b'""}}')

    def feed(self, event: Event) -> bytes:
        # Hot path: nearly every event is text (about 0.2 µs each).
        if type(event) is TextDelta:
            return self._prefix + _json(event.text) + _BEHIND_TEXT if event.choice == 0 else b""
        handler = _HANDLERS.get(type(event))
        return handler(self, event) if handler is not None else b""

    def close(self) -> bytes:
        return b""  # the line that is done is the end

    def fail(self, error: DragomanError) -> bytes:
        return encode_ndjson(_json({"error": client_message(error)}))

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._writing.log.entries()

    # -- events --------------------------------------------------------------------------------------------------------

    def start(self, event: Started) -> bytes:
        self._head = {"model": event.model}
        write_created(self._head, event.extras, event.created)
        self._begin()
        return b""

    def _line(self, **members: Any) -> bytes:
        message = {"role": "assistant", "content": "", **members}
        return encode_ndjson(_json({**self._head, "message": message, "done": False}))

    def start_part(self, event: PartStarted) -> bytes:
        """What a part brings with its start."""
        if event.choice != 0:
            return b""
        if isinstance(event.part, (Text, Refusal)) and event.part.text:
            return self._line(content=event.part.text)
        if isinstance(event.part, Reasoning) and event.part.text:
            return self._line(thinking=event.part.text)
        return b""

    def think(self, event: ReasoningDelta) -> bytes:
        return self._line(thinking=event.text) if event.choice == 0 else b""

    def refuse(self, event: RefusalDelta) -> bytes:
        return self._line(content=event.text) if event.choice == 0 else b""

    def end_part(self, event: PartEnded) -> bytes:
        if event.choice != 0:
            return b""
        return self._whole(event.part, f"choices[0].message.parts[{event.index}]")

    def _whole(self, part: Part, path: str) -> bytes:
        log = self._writing.log
        if isinstance(part, ToolCall):
            if part.runner == "provider":
                log.dropped(path, "a tool that another provider ran itself", part.name)
                return b""
            note_losses(part, path, self._writing)
            return self._line(tool_calls=[write_call(part, path, self._writing)])
        if isinstance(part, Media):
            data = image_text(part)
            if data is not None:
                note_losses(part, path, self._writing)
                return self._line(images=[data])
            if part.transcript:
                log.substituted(path, "this wire has no sound; its words are given", part.kind, "text")
                return self._line(content=part.transcript)
            log.dropped(path, "this wire takes images as base64 alone", part.kind)
        elif isinstance(part, ToolResult):
            log.dropped(path, "the result of a tool that a provider ran itself", part.name)
        elif isinstance(part, Opaque):
            log.dropped(path, f"only {part.dialect} has {part.kind}", part.kind)
        else:
            if isinstance(part, Reasoning) and not part.text:
                log.dropped(path, "reasoning without words", part.form)
            note_losses(part, path, self._writing)
        return b""

    def finish(self, event: Finished) -> bytes:
        response = event.response
        log = self._writing.log
        for index, choice in enumerate(response.choices[1:], 1):
            log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
        log.foreign_extras(response.message.extras, NAME, "choices[0].message")
        kept = response.message.extras.get(NAME, {})
        members = {name: value for name, value in kept.items() if not name.startswith(":")}
        line = {**encode_head(response, self._writing), **self._head}  # one model through all of the stream
        line["message"] = {"role": "assistant", "content": "", **members}
        return encode_ndjson(_json({**line, **encode_tail(response, self._writing)}))


_HANDLERS: Final[dict[type, Any]] = {
    Started: OllamaStreamEncoder.start,
    PartStarted: OllamaStreamEncoder.start_part,
    ReasoningDelta: OllamaStreamEncoder.think,
    RefusalDelta: OllamaStreamEncoder.refuse,
    PartEnded: OllamaStreamEncoder.end_part,
    Finished: OllamaStreamEncoder.finish,
}
