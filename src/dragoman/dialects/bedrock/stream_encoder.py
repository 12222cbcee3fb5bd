"""The stream encoder: our events → messages of one streamed answer, as the official clients take them.

Blocks are numbered in the order in which they are written. Text, thoughts and calls are written as they come; what has
no deltas of ours is written whole when it ends. What cannot be said is recorded as in an unstreamed answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.citations import encode_citation
from dragoman.dialects.bedrock.errors import encode_error
from dragoman.dialects.bedrock.forms import NAME, Writing, own_state
from dragoman.dialects.bedrock.parts import encode_block
from dragoman.dialects.bedrock.response import encode_head
from dragoman.framing import encode_event_headers, encode_event_message
from dragoman.values import (
    AdaptationLog,
    ArgumentsDelta,
    CitationAdded,
    Finished,
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
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.values import Adaptation, Citation, Event, JsonObject, Part, Request, Target

__all__ = ["BedrockStreamEncoder"]

_encode = msgspec.json.Encoder().encode
_IN_STOP = ("stopReason", "additionalModelResponseFields")
_IN_METADATA = ("usage", "metrics")
_EXCEPTIONS = frozenset(
    "internalServerException modelStreamErrorException validationException throttlingException "
    "serviceUnavailableException".split()
)


def _headers(name: str) -> bytes:
    return encode_event_headers({":event-type": name, ":content-type": "application/json", ":message-type": "event"})


_HEADERS = {
    name: _headers(name)
    for name in "messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop metadata".split()
}
_DELTA_HEADERS = _HEADERS["contentBlockDelta"]


class _Open:
    """A block that is being written, and the JSON around each piece of it."""

    __slots__ = ("after", "before", "index", "sources", "spoken")

    def __init__(self, part: Part, index: int) -> None:
        before, after = _AROUND[type(part)]
        self.index = index
        self.before = f'{{"contentBlockIndex":{index},"delta":{before}'.encode()
        self.after = after
        self.spoken = False
        self.sources = part.citations if isinstance(part, Text) else ()


_AROUND: dict[type, tuple[str, bytes]] = {
    Text: ('{"text":', b"}}"),
    Refusal: ('{"text":', b"}}"),
    Reasoning: ('{"reasoningContent":{"text":', b"}}}"),
    ToolCall: ('{"toolUse":{"input":', b"}}}"),
}


class BedrockStreamEncoder:
    """See the module's docstring. One per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._writing = Writing(target, AdaptationLog(), answer=True)
        self._open: dict[tuple[int, int], _Open] = {}
        self._count = 0
        self._begun = False

    def feed(self, event: Event) -> bytes:
        # Hot path: a delta of an open block is its prefix, the text as JSON and the closing braces (about 1 µs).
        kind = type(event)
        if kind is TextDelta or kind is ArgumentsDelta or kind is ReasoningDelta or kind is RefusalDelta:
            block = self._open.get((event.choice, event.index))  # type: ignore[union-attr]
            return b"" if block is None else _piece(block, event.text)  # type: ignore[union-attr]
        handler = _WRITERS.get(kind)
        return b"" if handler is None else handler(self, event)

    def close(self) -> bytes:
        return b""  # metadata, which is the wire's own end, is written with the finish

    def fail(self, error: DragomanError) -> bytes:
        encoded = encode_error(error)
        name = dict(encoded.headers)["x-amzn-errortype"]
        name = name[:1].lower() + name[1:]
        headers = encode_event_headers(
            {
                ":exception-type": name if name in _EXCEPTIONS else "modelStreamErrorException",
                ":content-type": "application/json",
                ":message-type": "exception",
            }
        )
        return encode_event_message(_encode(encoded.body), headers)

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._writing.log.entries()

    # -- the message -----------------------------------------------------------------------------------------------

    def start(self, event: Started) -> bytes:
        self._writing.mend = event.dialect != NAME
        return self._begin()

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return _message("messageStart", {"role": "assistant"})

    def finish(self, event: Finished) -> bytes:
        response = event.response
        self._writing.mend = response.dialect != NAME
        written = self._begin() + b"".join(self._close(key, None) for key in list(self._open))
        for index, choice in enumerate(response.choices[1:], 1):
            self._writing.log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
        head = encode_head(response, self._writing)
        del head["output"]
        stop = {name: head.pop(name) for name in _IN_STOP if name in head}
        if "stopReason" not in stop:
            stop["stopReason"] = "end_turn"
            self._writing.log.defaulted("choices[0].finish", "this wire wants a stop reason", "end_turn")
        return written + _message("messageStop", stop) + _message("metadata", head)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def start_part(self, event: PartStarted) -> bytes:
        part = event.part
        written = self._begin()
        if event.choice or not _streams(part, self._writing):
            return written
        path = _path(event.index)
        if isinstance(part, ToolCall):
            wire = self._quietly(msgspec.structs.replace(part, arguments_text=""), path)
            if wire is None:
                return written
            start = {name: value for name, value in wire["toolUse"].items() if name != "input"}
            written += _message("contentBlockStart", {"start": {"toolUse": start}, "contentBlockIndex": self._count})
        block = self._open[event.choice, event.index] = _Open(part, self._count)
        self._count += 1
        begun = part.arguments_text if isinstance(part, ToolCall) else cast("Text", part).text
        return written + (_piece(block, begun) if begun else b"")

    def _quietly(self, part: Part, path: str) -> JsonObject | None:
        """The block of a part of which more is to come: what is lost is recorded when it ends."""
        quiet = Writing(self._writing.target, AdaptationLog(), mend=self._writing.mend, answer=True)
        return encode_block(part, path, quiet)

    def cite(self, event: CitationAdded) -> bytes:
        block = self._open.get((event.choice, event.index))
        if block is None:
            return b""
        return self._cite(block, event.citation, _path(event.index))

    def _cite(self, block: _Open, citation: Citation, path: str) -> bytes:
        wire = encode_citation(citation, f"{path}.citations", self._writing)
        if wire is None:
            return b""
        block.spoken = True
        return _delta(block.index, {"citation": wire})

    def end_part(self, event: PartEnded) -> bytes:
        key = (event.choice, event.index)
        if key in self._open:
            return self._close(key, event.part)
        if event.choice:
            return b""
        wire = encode_block(event.part, _path(event.index), self._writing)
        if wire is None:
            return b""
        index = self._count
        self._count += 1
        return self._begin() + self._whole(index, wire, _path(event.index)) + _stop(index)

    def _close(self, key: tuple[int, int], part: Part | None) -> bytes:
        block = self._open.pop(key)
        written = b""
        if part is not None:
            wire = encode_block(_unsaid(part), _path(key[1]), self._writing)
            inner: JsonObject = (wire or {}).get("reasoningContent", {}).get("reasoningText", {})
            if "signature" in inner:
                block.spoken = True
                written = _delta(block.index, {"reasoningContent": {"signature": inner["signature"]}})
            written += b"".join(self._cite(block, citation, _path(key[1])) for citation in block.sources)
            if not block.spoken and not isinstance(part, ToolCall):
                written = _piece(block, "")
        return written + _stop(block.index)

    def _whole(self, index: int, wire: JsonObject, path: str) -> bytes:
        """A block that comes in one piece."""
        kind = next(iter(wire))
        inner: Any = wire[kind]
        if kind == "text":
            return _delta(index, {"text": inner})
        if kind == "reasoningContent":
            return _delta(index, {"reasoningContent": inner})
        if kind == "toolUse":
            start = {name: value for name, value in inner.items() if name != "input"}
            given = _encode(inner.get("input", {})).decode()
            return _start(index, {kind: start}) + _delta(index, {kind: {"input": given}})
        if kind == "image":
            rest = {name: value for name, value in inner.items() if name != "format"}
            return _start(index, {kind: {"format": inner.get("format", "png")}}) + _delta(index, {kind: rest})
        if kind == "toolResult":
            start = {name: value for name, value in inner.items() if name != "content"}
            pieces: list[JsonObject] = inner.get("content", [])
            said = [piece for piece in pieces if piece.keys() <= {"text", "json"}]
            if len(said) < len(pieces):
                self._writing.log.dropped(f"{path}.content", "results hold text and JSON alone in streams of this wire")
            return _start(index, {kind: start}) + (_delta(index, {kind: said}) if said else b"")
        return _start(index, wire)


def _path(index: int) -> str:
    return f"choices[0].message.parts[{index}]"


def _unsaid(part: Part) -> Part:
    """What of an ended part has not been written, or recorded, with its deltas."""
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments_text="")
    return msgspec.structs.replace(part, citations=()) if isinstance(part, Text) and part.citations else part


def _streams(part: Part, writing: Writing) -> bool:
    """Whether a part is written piece by piece."""
    if isinstance(part, ToolCall):
        return part.input == "json"
    if isinstance(part, Reasoning):
        return part.form != "redacted" and own_state(part.replay, "redacted", writing.target) is None
    return isinstance(part, (Text, Refusal))


def _message(name: str, data: JsonObject) -> bytes:
    return encode_event_message(_encode(data), _HEADERS[name])


def _piece(block: _Open, text: str) -> bytes:
    block.spoken = True
    return encode_event_message(block.before + _encode(text) + block.after, _DELTA_HEADERS)


def _start(index: int, start: JsonObject) -> bytes:
    return _message("contentBlockStart", {"start": start, "contentBlockIndex": index})


def _delta(index: int, delta: JsonObject) -> bytes:
    return _message("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def _stop(index: int) -> bytes:
    return encode_event_message(b'{"contentBlockIndex":%d}' % index, _HEADERS["contentBlockStop"])


_WRITERS: dict[type, Callable[[BedrockStreamEncoder, Any], bytes]] = {
    Started: BedrockStreamEncoder.start,
    PartStarted: BedrockStreamEncoder.start_part,
    CitationAdded: BedrockStreamEncoder.cite,
    PartEnded: BedrockStreamEncoder.end_part,
    Finished: BedrockStreamEncoder.finish,
}
