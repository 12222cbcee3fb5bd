"""Streamed answers: events → typed events of this wire, for clients of ours.

Citations are told when their text ends: only then is it known where they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.dialects.cohere.citations import write_citations
from dragoman.dialects.cohere.message_writer import write_call
from dragoman.dialects.cohere.names import NAME, Writing
from dragoman.dialects.cohere.parts import note_losses
from dragoman.dialects.cohere.response import answer_id, finish_word, note_unsaid
from dragoman.dialects.cohere.usage import encode_usage
from dragoman.dialects.error_words import client_message
from dragoman.dialects.keeping import own
from dragoman.framing import encode_sse
from dragoman.values import (
    Adaptation,
    AdaptationLog,
    ArgumentsDelta,
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
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import JsonObject, Part, Request, Target

__all__ = ["CohereStreamEncoder"]

_json: Final = msgspec.json.Encoder().encode
_BEHIND_TEXT: Final = b"}}}}\n\n"
_BEHIND_PLAN: Final = b"}}}\n\n"


class CohereStreamEncoder:
    """See the module's docstring; one per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._writing = Writing(target, AdaptationLog(), answer=True)
        self._blocks: dict[int, int] = {}
        self._frames: dict[int, tuple[bytes, bytes]] = {}
        self._calls: dict[int, int] = {}
        self._sent: dict[int, str] = {}
        self._cited = 0
        self._finished = False

    def feed(self, event: Event) -> bytes:
        # Hot path: nearly every event is text (about 0.2 µs each).
        if type(event) is TextDelta and event.choice == 0:
            before, behind = self._frames[event.index]
            return before + _json(event.text) + behind
        handler = _HANDLERS.get(type(event))
        if handler is None or getattr(event, "choice", 0) != 0:
            return b""
        return handler(self, event)

    def close(self) -> bytes:
        return b"data: [DONE]\n\n" if self._finished else b""

    def fail(self, error: DragomanError) -> bytes:
        delta = {"error": client_message(error), "finish_reason": "ERROR"}
        return _event("message-end", delta=delta) + b"data: [DONE]\n\n"

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._writing.log.entries()

    # -- the message ---------------------------------------------------------------------------------------------------

    def start(self, event: Started) -> bytes:
        self._writing.mend = event.dialect != NAME
        identifier = event.id
        if identifier is None and self._writing.mend:
            identifier = answer_id(Response(model=event.model, provider=event.provider, created=event.created))
        message: JsonObject = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        return _event("message-start", id=identifier or "", delta={"message": message})

    def finish(self, event: Finished) -> bytes:
        response = event.response
        self._finished = True
        note_unsaid(response, self._writing)
        self._writing.log.foreign_extras(response.message.extras, NAME, "choices[0].message")
        notes = own(response.message.extras, NAME)
        if response.choices and (logprobs := own(response.choices[0].extras, NAME).get("logprobs")):
            # The wire gives them beside the words, which have gone out before they are known here.
            self._writing.log.dropped("choices[0].extras.cohere.logprobs", "they come too late in a stream", logprobs)
        out = b"".join(self._citation(wire) for wire in notes.get("citations", ()))
        delta: JsonObject = {"finish_reason": finish_word(response, self._writing)}
        if response.usage:
            delta["usage"] = encode_usage(response.usage)
        return out + _event("message-end", delta=delta)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def start_part(self, event: PartStarted) -> bytes:
        part, index = event.part, event.index
        if isinstance(part, Text) and part.channel == "commentary":
            prefix = _event("tool-plan-delta", delta={"message": {"tool_plan": ""}}).removesuffix(b'""' + _BEHIND_PLAN)
            self._frames[index] = (prefix, _BEHIND_PLAN)
            return prefix + _json(part.text) + _BEHIND_PLAN if part.text else b""
        if isinstance(part, (Text, Refusal)):
            return self._start_block(index, "text", part.text)
        if isinstance(part, Reasoning):
            if not part.text and part.form == "redacted":
                return b""
            return self._start_block(index, "thinking", part.text)
        if isinstance(part, ToolCall) and part.runner == "client":
            return self._start_call(index, part)
        return b""

    def _start_block(self, index: int, kind: str, words: str) -> bytes:
        number = self._blocks[index] = len(self._blocks)
        if kind == "text":
            head = _event("content-delta", index=number, delta={"message": {"content": {"text": ""}}})
            self._frames[index] = (head.removesuffix(b'""' + _BEHIND_TEXT), _BEHIND_TEXT)
        return _event("content-start", index=number, delta={"message": {"content": {"type": kind, kind: words}}})

    def _start_call(self, index: int, part: ToolCall) -> bytes:
        number = self._calls[index] = len(self._calls)
        # A free-form input is wrapped when it is whole: this wire knows objects alone.
        words = part.arguments_text if part.input == "json" else ""
        if part.input == "json":
            self._sent[index] = words
        function = {"name": part.name, "arguments": words}
        call = {"id": part.id, "type": "function", "function": function}
        return _event("tool-call-start", index=number, delta={"message": {"tool_calls": call}})

    def think(self, event: ReasoningDelta) -> bytes:
        if event.index not in self._blocks:
            return b""
        return self._content(event.index, "thinking", event.text)

    def refuse(self, event: RefusalDelta) -> bytes:
        return self._content(event.index, "text", event.text)

    def _content(self, index: int, kind: str, words: str) -> bytes:
        return _event("content-delta", index=self._blocks[index], delta={"message": {"content": {kind: words}}})

    def argue(self, event: ArgumentsDelta) -> bytes:
        if event.index not in self._sent:
            return b""
        self._sent[event.index] += event.text
        return self._arguments(event.index, event.text)

    def _arguments(self, index: int, words: str) -> bytes:
        call = {"function": {"arguments": words}}
        return _event("tool-call-delta", index=self._calls[index], delta={"message": {"tool_calls": call}})

    def end_part(self, event: PartEnded) -> bytes:
        part, index = event.part, event.index
        path = f"choices[0].message.parts[{index}]"
        if isinstance(part, Text):
            note_losses(part, path, self._writing)
            block = self._blocks.get(index)
            out = b"".join(self._citation(wire) for _, wire in write_citations(part, block))
            return out if block is None else out + _event("content-end", index=block)
        if index in self._blocks:
            note_losses(part, path, self._writing)
            return _event("content-end", index=self._blocks[index])
        if isinstance(part, ToolCall) and index in self._calls:
            return self._end_call(index, part, path)
        return self._whole(part, path)

    def _end_call(self, index: int, part: ToolCall, path: str) -> bytes:
        note_losses(part, path, self._writing)
        wire = write_call(part, path, self._writing)
        whole: Any = wire["function"].get("arguments")
        out = b""
        # What was said is kept; an empty text is no JSON, and clients parse it.
        if not self._sent.get(index) and whole:
            out = self._arguments(index, whole if isinstance(whole, str) else _json(whole).decode())
        return out + _event("tool-call-end", index=self._calls[index])

    def _citation(self, wire: JsonObject) -> bytes:
        number = self._cited
        self._cited += 1
        told = _event("citation-start", index=number, delta={"message": {"citations": wire}})
        return told + _event("citation-end", index=number)

    def _whole(self, part: Part, path: str) -> bytes:
        log = self._writing.log
        if isinstance(part, ToolCall):
            log.dropped(path, "a tool that another provider ran itself", part.name)
        elif isinstance(part, ToolResult):
            log.dropped(path, "the result of a tool that a provider ran itself", part.name)
        elif isinstance(part, Opaque):
            log.dropped(path, f"only {part.dialect} has {part.kind}", part.kind)
        elif isinstance(part, Media) and part.transcript:
            log.substituted(path, "this wire has no sound; its words are given", part.kind, "text")
            number = len(self._blocks)
            self._blocks[-number - 1] = number
            content = {"type": "text", "text": part.transcript}
            told = _event("content-start", index=number, delta={"message": {"content": content}})
            return told + _event("content-end", index=number)
        elif isinstance(part, Media):
            log.dropped(path, "answers hold no media on this wire", part.kind)
        else:
            log.dropped(path, "reasoning without words", getattr(part, "form", None))
        return b""


def _event(kind: str, **members: Any) -> bytes:
    return encode_sse(_json({"type": kind, **members}), kind)


_HANDLERS: Final[dict[type, Any]] = {
    Started: CohereStreamEncoder.start,
    PartStarted: CohereStreamEncoder.start_part,
    ReasoningDelta: CohereStreamEncoder.think,
    RefusalDelta: CohereStreamEncoder.refuse,
    ArgumentsDelta: CohereStreamEncoder.argue,
    PartEnded: CohereStreamEncoder.end_part,
    Finished: CohereStreamEncoder.finish,
}
