"""The stream decoder: messages of one streamed answer → our events.

messageStart → { contentBlockStart? → contentBlockDelta … → contentBlockStop } → messageStop → metadata, with an
exception instead of the rest. Only calls, results of system tools and images have a contentBlockStart; text and
thoughts begin with their first delta. Members named `p` are padding and say nothing.

Rules for streams that are not as they should be:

- A second messageStart is ignored while nothing was said, and a violation afterwards: answers have no ids on this wire,
  and two of them are never glued together. Whatever follows the end is ignored.
- Anything but an exception before messageStart; a start or a delta for a block that has ended, a start for one that is
  open; a delta of another kind than its block; input or results for a block that was never started: violations. A stop
  of a block of which nothing was heard says nothing.
- Without contentBlockIndex the block opened last is meant, or a new one.
- Unknown events say nothing. Blocks of unknown kinds become Opaque, as unstreamed.
- A checksum that is wrong, malformed JSON, or a known member of a wrong type is a violation that carries the partial
  answer.
- A block that is still open when the answer is complete ends there with what it has.
- `Finished` waits for metadata (or the end of the body), since usage comes with it. metadata without a stopReason is no
  finish: the answer is truncated (quirk `finish_optional` apart).
- An exception is raised as the `ProviderError` it names, with its status and the answer so far.

Results of system tools and images have no deltas of ours that could tell them piece by piece: they are given when they
stop, so where blocks interleave they come later than they began.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.blocks import decode_block, decode_tool_use, input_text
from dragoman.dialects.bedrock.citations import decode_citation
from dragoman.dialects.bedrock.errors import error_in_stream, name_in_stream
from dragoman.dialects.bedrock.forms import NAME
from dragoman.dialects.bedrock.response import decode_head
from dragoman.dialects.reading import integer, object_of, objects_in, parse, required_text, text
from dragoman.dialects.wire_stream import WireStream
from dragoman.errors import ProtocolViolation
from dragoman.framing import EventStreamDecoder
from dragoman.values import Media, Reasoning, Replay, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.framing import EventMessage
    from dragoman.values import Event, JsonObject, Response, Target

__all__ = ["BedrockStream"]

_PADDING = "p"
_NOT_IN_HEAD = frozenset({_PADDING, "output"})


class _Block:
    """An open block: its kind, and what of the wire's object its events do not tell."""

    __slots__ = ("kind", "path", "wire")

    def __init__(self, kind: str, key: int, wire: JsonObject | None = None) -> None:
        self.kind = kind
        self.path = f"content[{key}]"
        self.wire: JsonObject = {} if wire is None else wire


class BedrockStream(WireStream):
    """See the module's docstring."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._framing = EventStreamDecoder()
        self._head: JsonObject = {"output": {"message": {"role": "assistant", "content": []}}}
        self._blocks: dict[int, _Block] = {}
        self._ended: set[int] = set()
        self._stop_seen = target.quirks.bedrock.finish_optional
        self._metadata_seen = False

    def partial(self) -> Response:
        return decode_head(self._head, self.assembly.partial().message.parts, self.target)

    def _frame(self, frame: EventMessage, events: list[Event]) -> None:
        if self.assembly.completed:
            return
        headers = frame.headers
        kind = headers.get(":message-type", "event")
        if kind != "event":
            failed = name_in_stream(headers)
            if failed is not None:
                raise error_in_stream(failed, headers, frame.payload, self.target)
            return
        name = headers.get(":event-type")
        handler = _HANDLERS.get(name) if isinstance(name, str) else None
        if handler is not None:
            events.extend(handler(self, object_of(parse(frame.payload), cast("str", name))))

    def _cut_off(self, frame: EventMessage) -> bool:
        return False  # a message is given whole or not at all

    def _end(self) -> list[Event]:
        return self._complete() if self._stop_seen and self.assembly.started else []

    # -- the message -----------------------------------------------------------------------------------------------

    def start_message(self, event: JsonObject) -> list[Event]:
        if self.assembly.started:
            if self._blocks or self._ended or self._stop_seen:
                raise ProtocolViolation("the stream starts a second answer within the first", path="messageStart")
            return []
        message = {name: value for name, value in event.items() if name != _PADDING}
        head: JsonObject = {"output": {"message": {**message, "content": []}}}
        decode_head(head, (), self.target)
        self._head = head
        return self.assembly.start(model=self.target.model)

    def stop_message(self, event: JsonObject) -> list[Event]:
        seen = self._extend_head(event, "messageStop")
        self._stop_seen = self._stop_seen or seen.finish is not None
        return self._complete() if self._stop_seen and self._metadata_seen else []

    def take_metadata(self, event: JsonObject) -> list[Event]:
        seen = self._extend_head(event, "metadata")
        self._metadata_seen = True
        events = self.assembly.usage(seen.usage) if seen.usage else []
        return [*events, *self._complete()] if self._stop_seen else events

    def _extend_head(self, event: JsonObject, name: str) -> Response:
        self._require_start(name)
        head = {**self._head, **{name: value for name, value in event.items() if name not in _NOT_IN_HEAD}}
        seen = decode_head(head, (), self.target)
        self._head = head  # only now: what does not decode must not spoil the partial answer
        return seen

    def _complete(self) -> list[Event]:
        events = [event for key in list(self._blocks) for event in self._end_block(key)]
        events.extend(self.assembly.complete(self.partial()))
        return events

    def _require_start(self, name: str) -> None:
        if not self.assembly.started:
            raise ProtocolViolation(f"the stream sends {name} before messageStart", path=name)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def _key(self, event: JsonObject) -> int:
        key = integer(event, "contentBlockIndex")
        if key is not None:
            return key
        if self._blocks:
            return next(reversed(self._blocks))
        return max(self._ended, default=-1) + 1

    def start_block(self, event: JsonObject) -> list[Event]:
        self._require_start("contentBlockStart")
        start = object_of(event.get("start"), "start")
        key = integer(event, "contentBlockIndex")
        if key is None:
            key = max((*self._blocks, *self._ended), default=-1) + 1
        if key in self._blocks or key in self._ended:
            raise ProtocolViolation(f"the stream starts block {key} twice", path="contentBlockIndex")
        kind = next((name for name, value in start.items() if value is not None), None)
        if kind is None:
            return []
        if kind == "toolUse":
            wire = object_of(start[kind], "start.toolUse")
            call = decode_tool_use({**wire, "input": {}}, "start.toolUse", self.target)
            self._blocks[key] = _Block(kind, key, wire)
            return [self.assembly.open(key, msgspec.structs.replace(call, arguments_text=""))]
        if kind in ("toolResult", "image"):
            self._blocks[key] = _Block(kind, key, dict(object_of(start[kind], f"start.{kind}")))
        else:
            self._blocks[key] = _Block("other", key, {kind: start[kind]})
        return []

    def take_delta(self, event: JsonObject) -> list[Event]:
        key, delta = event.get("contentBlockIndex"), event.get("delta")
        # Hot path: nearly every event is more text for an open block (about 4 µs each, framing and JSON included).
        if type(key) is int and type(delta) is dict and len(cast("JsonObject", delta)) == 1:
            block, words = self._blocks.get(key), cast("JsonObject", delta).get("text")
            if block is not None and block.kind == "text" and type(words) is str:
                return self.assembly.delta(key, words)
        return self._other_delta(self._key(event), object_of(delta, "delta"))

    def _other_delta(self, key: int, delta: JsonObject) -> list[Event]:
        self._require_start("contentBlockDelta")
        events: list[Event] = []
        for name, value in delta.items():
            if value is None:
                continue
            kind = "text" if name == "citation" else name if name in _DELTAS else "other"
            block = self._blocks.get(key)
            if block is None:
                block = self._open(key, kind, value, events)
            if block.kind != kind:
                raise ProtocolViolation(f"the stream sends {name} for a block of {block.kind}", path=f"delta.{name}")
            events.extend(_DELTAS[name](self, key, block, value) if name in _DELTAS else _append(block, name, value))
        return events

    def _open(self, key: int, kind: str, value: Any, events: list[Event]) -> _Block:
        """Begins the block of a first delta."""
        if key in self._ended or kind in ("toolUse", "toolResult"):
            why = "has ended" if key in self._ended else "was never started"
            raise ProtocolViolation(f"the stream sends {kind} for block {key}, which {why}", path="contentBlockIndex")
        block = _Block(kind, key)
        if kind == "text":
            events.append(self.assembly.open(key, Text(text="")))
        elif kind == "reasoningContent":
            redacted = object_of(value, "delta.reasoningContent").get("redactedContent") is not None
            events.append(self.assembly.open(key, Reasoning(form="redacted" if redacted else "full")))
            block.wire["sealed"] = redacted
        self._blocks[key] = block
        return block

    def take_text(self, key: int, block: _Block, value: Any) -> list[Event]:
        if not isinstance(value, str):
            raise ProtocolViolation(f"delta.text should be text, and is {type(value).__name__}", path="delta.text")
        return self.assembly.delta(key, value)

    def take_citation(self, key: int, block: _Block, value: Any) -> list[Event]:
        return self.assembly.cite(key, decode_citation(object_of(value, "delta.citation"), "delta.citation"))

    def take_reasoning(self, key: int, block: _Block, value: Any) -> list[Event]:
        path = "delta.reasoningContent"
        wire = object_of(value, path)
        words, signature = text(wire, "text", path), text(wire, "signature", path)
        sealed = text(wire, "redactedContent", path)
        if block.wire["sealed"] is not (sealed is not None) and (words or signature or sealed) is not None:
            raise ProtocolViolation("the stream mixes readable and redacted thoughts in one block", path=path)
        if sealed is not None:
            block.wire["redacted"] = _joined(block.wire.get("redacted", ""), sealed)
        if signature is not None:
            block.wire["signature"] = block.wire.get("signature", "") + signature
        return self.assembly.delta(key, words) if words else []

    def take_input(self, key: int, block: _Block, value: Any) -> list[Event]:
        return self.assembly.delta(key, text(object_of(value, "delta.toolUse"), "input", "delta.toolUse") or "")

    def take_result(self, key: int, block: _Block, value: Any) -> list[Event]:
        content: list[JsonObject] = list(block.wire.get("content") or ())
        for index, piece in enumerate(objects_in({"toolResult": value}, "toolResult", "delta")):
            # A later delta goes on with the text before it; texts within one delta stand beside each other.
            if index == 0 and content and content[-1].keys() == piece.keys() == {"text"}:
                content[-1] = {"text": f"{content[-1]['text']}{required_text(piece, 'text', 'delta.toolResult')}"}
            else:
                content.append(piece)
        block.wire["content"] = content
        return []

    def take_image(self, key: int, block: _Block, value: Any) -> list[Event]:
        wire = object_of(value, "delta.image")
        source, before = wire.get("source"), block.wire.get("source")
        block.wire.update(wire)
        if isinstance(source, dict) and isinstance(before, dict):
            more, had = cast("JsonObject", source).get("bytes"), cast("JsonObject", before).get("bytes")
            if isinstance(more, str) and isinstance(had, str):
                block.wire["source"] = {**cast("JsonObject", source), "bytes": _joined(had, more)}
        return []

    def stop_block(self, event: JsonObject) -> list[Event]:
        self._require_start("contentBlockStop")
        key = self._key(event)
        return self._end_block(key) if key in self._blocks else []

    def _end_block(self, key: int) -> list[Event]:
        block = self._blocks[key]
        events = self._rest(key, block)
        del self._blocks[key]
        self._ended.add(key)
        return events

    def _rest(self, key: int, block: _Block) -> list[Event]:
        wire = block.wire
        events: list[Event] = []
        if block.kind == "other":
            return self.assembly.whole(decode_block(wire, block.path, self.target))
        if block.kind == "toolResult":
            whole: JsonObject = {**wire, "content": wire.get("content") or []}
            return self.assembly.whole(decode_block({"toolResult": whole}, block.path, self.target))
        if block.kind == "image":
            part = decode_block({"image": wire}, block.path, self.target)
            if not isinstance(part, Media) or not part.data:
                return self.assembly.whole(part)
            events.append(self.assembly.open(key, msgspec.structs.replace(part, data=None)))
            events.extend(self.assembly.delta(key, part.data))
        elif block.kind == "toolUse":
            # A host that sends the whole input in the start sends no pieces of it.
            if wire.get("input") and not self.assembly.received(key):
                events.extend(self.assembly.delta(key, input_text(wire["input"])))
        elif block.kind == "reasoningContent":
            kind = "redacted" if wire["sealed"] else "signature"
            replay = Replay(issuer=self.target.issuer, dialect=NAME, kind=kind, data=wire.get(kind))
            self.assembly.amend(key, replay=(replay,))
        return [*events, *self.assembly.end(key)]


def _joined(before: str, more: str) -> str:
    """Two pieces of base64 as one."""
    if not before.endswith("="):
        return before + more
    try:
        return base64.b64encode(base64.b64decode(before) + base64.b64decode(more)).decode()
    except (binascii.Error, ValueError):
        return before + more


def _append(block: _Block, name: str, value: Any) -> list[Event]:
    """A delta of an unknown kind: texts go on, other members are set."""
    before = block.wire.get(name)
    block.wire[name] = before + value if isinstance(before, str) and isinstance(value, str) else value
    return []


_DELTAS: dict[str, Callable[[BedrockStream, int, _Block, Any], list[Event]]] = {
    "text": BedrockStream.take_text,
    "citation": BedrockStream.take_citation,
    "reasoningContent": BedrockStream.take_reasoning,
    "toolUse": BedrockStream.take_input,
    "toolResult": BedrockStream.take_result,
    "image": BedrockStream.take_image,
}

_HANDLERS: dict[str, Callable[[BedrockStream, JsonObject], list[Event]]] = {
    "contentBlockDelta": BedrockStream.take_delta,
    "messageStart": BedrockStream.start_message,
    "contentBlockStart": BedrockStream.start_block,
    "contentBlockStop": BedrockStream.stop_block,
    "messageStop": BedrockStream.stop_message,
    "metadata": BedrockStream.take_metadata,
}
