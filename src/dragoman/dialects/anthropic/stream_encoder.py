"""The stream encoder: our events → events of one streamed message, as the official clients take them.

Blocks are numbered in the order in which they are written. Text, thoughts and calls are written as they come; what has
no deltas on this wire (tool results, redacted thoughts, opaque blocks, free-form input) is written whole when it ends,
so where parts interleave, a block may come later than its part began.
`message_start` waits for one event more, since it is the only place where a client reads the cache's breakdown from.
What cannot be said is recorded as in an unstreamed answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.anthropic.citations import encode_citation
from dragoman.dialects.anthropic.errors import encode_error
from dragoman.dialects.anthropic.finish import encode_finish
from dragoman.dialects.anthropic.forms import NAME, Writing, foreign_block, note, own_state
from dragoman.dialects.anthropic.parts import encode_part, tool_id
from dragoman.dialects.anthropic.response import encode_head, leave_out
from dragoman.dialects.anthropic.usage import encode_usage
from dragoman.values import (
    AdaptationLog,
    ArgumentsDelta,
    CitationAdded,
    Finished,
    Opaque,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    Usage,
    UsageSeen,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.values import Adaptation, Event, JsonObject, Part, Request, Target

__all__ = ["AnthropicStreamEncoder"]

_encode = msgspec.json.Encoder().encode
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_CUMULATIVE = frozenset(
    "input_tokens output_tokens cache_creation_input_tokens cache_read_input_tokens server_tool_use "
    "output_tokens_details iterations".split()
)
_IN_DELTA = ("stop_reason", "stop_sequence", "stop_details", "container")
_UNSTREAMED = frozenset({"id", "type", "role", "content", "model", "usage", *_IN_DELTA})


class _Open:
    """A block that is being written, and the bytes around each piece of it."""

    __slots__ = ("before", "index", "part")

    def __init__(self, part: Part, index: int) -> None:
        self.part = part
        self.index = index
        kind, member = _DELTAS[type(part)]
        self.before = (
            f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},'
            f'"delta":{{"type":"{kind}","{member}":'
        ).encode()


_DELTAS: dict[type, tuple[str, str]] = {
    Text: ("text_delta", "text"),
    Refusal: ("text_delta", "text"),
    Reasoning: ("thinking_delta", "thinking"),
    ToolCall: ("input_json_delta", "partial_json"),
    Opaque: ("compaction_delta", "content"),
}


class AnthropicStreamEncoder:
    """See the module's docstring. One per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._writing = Writing(target, AdaptationLog(), answer=True)
        self._request = request
        self._started: Started | None = None
        self._head: JsonObject | None = None
        self._usage: Usage | None = None
        self._open: dict[tuple[int, int], _Open] = {}
        self._count = 0
        self._finished = False

    def feed(self, event: Event) -> bytes:
        # Hot path: a delta of an open block is its prefix, the text as JSON and the closing braces (about 0.3 µs).
        kind = type(event)
        if kind is TextDelta or kind is ArgumentsDelta or kind is ReasoningDelta or kind is RefusalDelta:
            block = self._open.get((event.choice, event.index))  # type: ignore[union-attr]
            return b"" if block is None else block.before + _encode(event.text) + b"}}\n\n"  # type: ignore[union-attr]
        handler = _HANDLERS.get(kind)
        return b"" if handler is None else handler(self, event)

    def close(self) -> bytes:
        return _STOP if self._finished else b""

    def fail(self, error: DragomanError) -> bytes:
        return _frame("error", encode_error(error).body)

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._writing.log.entries()

    # -- the message -----------------------------------------------------------------------------------------------

    def start(self, event: Started) -> bytes:
        self._started = event
        self._writing.mend = event.dialect != NAME
        return b""

    def _begin(self) -> bytes:
        """`message_start`, once."""
        if self._head is not None:
            return b""
        started = self._started or Started()
        response = Response(
            id=started.id,
            model=started.model or self._request.model,
            provider=started.provider,
            dialect=started.dialect,
            created=started.created,
            request_id=started.request_id,
            usage=self._usage or Usage(),
            extras=started.extras,
        )
        # A usage that is not known yet is no loss here: it follows in message_delta.
        quiet = Writing(self._writing.target, AdaptationLog(), mend=self._writing.mend, answer=True)
        head = encode_head(response, quiet)
        if head.get("usage") is None:
            # An answer that came over this wire says at its end which counts there are: no others are made up here.
            own: JsonObject = {"input_tokens": 0, "output_tokens": 0}
            head["usage"] = encode_usage(Usage(), None, quiet) if quiet.mend else own
        usage = head["usage"]
        leave_out(head, started.extras)
        head["usage"] = usage  # no client does without it
        self._head = head
        return _frame("message_start", {"type": "message_start", "message": head})

    def note_usage(self, event: UsageSeen) -> bytes:
        self._usage = event.usage
        return b"" if self._head is not None or self._started is None else self._begin()

    def finish(self, event: Finished) -> bytes:
        response = event.response
        self._writing.mend = response.dialect != NAME
        written = self._begin() + b"".join(self._close_block(key, None) for key in list(self._open))
        head = encode_head(response, self._writing)
        start = self._head or {}
        delta: JsonObject = encode_finish(response.finish, response.message, self._quiet())
        for name in _IN_DELTA:
            if name in head and (name in delta or head[name] != start.get(name)):
                delta[name] = head[name]
        message: JsonObject = {"type": "message_delta", "delta": delta}
        for name, value in head.items():
            if name not in _UNSTREAMED and value is not None and value != start.get(name):
                message[name] = value
        message["usage"] = _usage_delta(head.get("usage") or {}, start.get("usage") or {})
        for index, choice in enumerate(response.choices[1:], 1):
            self._writing.log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
        self._finished = True
        return written + _frame("message_delta", message)

    def _quiet(self) -> Writing:
        return Writing(self._writing.target, AdaptationLog(), mend=self._writing.mend, answer=True)

    def ping(self, event: Ping) -> bytes:
        return (self._begin() if self._started is not None else b"") + _PING

    # -- blocks ----------------------------------------------------------------------------------------------------

    def start_part(self, event: PartStarted) -> bytes:
        part = event.part
        if event.choice or not _streams(part, self._writing):
            return self._begin()
        written = self._begin()
        block = _Open(part, self._count)
        self._count += 1
        self._open[event.choice, event.index] = block
        written += _frame(
            "content_block_start",
            {"type": "content_block_start", "index": block.index, "content_block": self._empty(part, event.index)},
        )
        if isinstance(part, ToolCall) and part.arguments_text:
            written += block.before + _encode(part.arguments_text) + b"}}\n\n"
        return written

    def _empty(self, part: Part, index: int) -> JsonObject:
        path = _path(index)
        if isinstance(part, ToolCall):
            wire = encode_part(msgspec.structs.replace(part, arguments_text=""), path, self._quiet()) or {}
            return {**wire, "id": tool_id(part.id, self._writing), "input": {}}
        if isinstance(part, Reasoning):
            return {"type": "thinking", "thinking": part.text, "signature": ""}
        return encode_part(part, path, self._quiet()) or {"type": "text", "text": ""}

    def cite(self, event: CitationAdded) -> bytes:
        block = self._open.get((event.choice, event.index))
        if block is None:
            return b""
        path = f"{_path(event.index)}.citations"
        wire = encode_citation(event.citation, path, self._writing, foreign_block(block.part, self._writing.target))
        if wire is None:
            return b""
        return self._delta(block.index, {"type": "citations_delta", "citation": wire})

    def end_part(self, event: PartEnded) -> bytes:
        key = (event.choice, event.index)
        if key in self._open:
            return self._close_block(key, event.part)
        if event.choice:
            return b""
        wire = encode_part(event.part, _path(event.index), self._writing)
        if wire is None:
            return b""
        index = self._count
        self._count += 1
        start = {"type": "content_block_start", "index": index, "content_block": wire}
        return self._begin() + _frame("content_block_start", start) + _stop(index)

    def _close_block(self, key: tuple[int, int], part: Part | None) -> bytes:
        block = self._open.pop(key)
        wire = None if part is None else encode_part(_unsaid(part), _path(key[1]), self._writing)
        if wire is None:
            return _stop(block.index)
        written = b""
        if isinstance(part, Reasoning) and "signature" in wire:
            written = self._delta(block.index, {"type": "signature_delta", "signature": wire["signature"]})
        elif isinstance(part, Opaque) and part != block.part:
            written = self._delta(block.index, {**wire, "type": "compaction_delta"})
        return written + _stop(block.index)

    def _delta(self, index: int, delta: JsonObject) -> bytes:
        return _frame("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})


def _path(index: int) -> str:
    return f"choices[0].message.parts[{index}]"


def _unsaid(part: Part) -> Part:
    """What of an ended part has not been written, or recorded, with its deltas."""
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments_text="")
    if isinstance(part, Text) and part.citations:
        return msgspec.structs.replace(part, citations=())
    return part


def _streams(part: Part, writing: Writing) -> bool:
    """Whether a part is written piece by piece."""
    if isinstance(part, Opaque):
        return part.dialect == NAME and part.kind == "compaction" and foreign_block(part, writing.target) is None
    if isinstance(part, ToolCall):
        if part.input == "text":
            return False
        return part.runner == "client" or (
            isinstance(note(part.extras, ":type"), str) and foreign_block(part, writing.target) is None
        )
    if isinstance(part, Reasoning):
        return part.form != "redacted" and own_state(part.replay, "redacted", writing.target) is None
    return isinstance(part, (Text, Refusal))


def _usage_delta(whole: JsonObject, start: JsonObject) -> JsonObject:
    """The cumulative counts, and whatever the start did not say."""
    delta = {
        name: value
        for name, value in whole.items()
        if (name in _CUMULATIVE and value is not None) or name not in start or start[name] != value
    }
    delta.setdefault("output_tokens", 0)
    return delta


def _frame(name: str, data: JsonObject) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _encode(data) + b"\n\n"


def _stop(index: int) -> bytes:
    return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index


_HANDLERS: dict[type, Callable[[AnthropicStreamEncoder, Any], bytes]] = {
    Started: AnthropicStreamEncoder.start,
    UsageSeen: AnthropicStreamEncoder.note_usage,
    PartStarted: AnthropicStreamEncoder.start_part,
    CitationAdded: AnthropicStreamEncoder.cite,
    PartEnded: AnthropicStreamEncoder.end_part,
    Ping: AnthropicStreamEncoder.ping,
    Finished: AnthropicStreamEncoder.finish,
}
