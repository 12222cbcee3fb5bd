"""The stream decoder: events of one streamed message → our events.

message_start → { content_block_start → content_block_delta … → content_block_stop } → message_delta → message_stop,
with ping anywhere and error instead of the rest.

The message object of `message_start` is kept and completed by what follows, so that the finished answer is decoded by
the same function as an unstreamed one. A block is kept likewise, and is decoded once more when it stops, for what only
its deltas bring: a signature, citations, an encrypted compaction.

Rules for streams that are not as they should be:

- A second `message_start` with the id of the first is ignored; with another id, or without one, it is a violation:
  two messages are never glued together. Whatever follows `message_stop` is ignored.
- A block before `message_start`, a start for an index that is open, a delta or stop for one that is not: violations.
  A start without an index takes the next one, a delta or stop without one means the block opened last.
- Unknown events and pings say nothing, nor does a delta whose text is null. A start may leave out the text that its
  deltas bring. An unknown delta is merged into its block and kept there as an extra.
- Malformed JSON, or a known member of a wrong type, is a violation that carries the partial answer.
- A block that is still open when the message stops ends there with what it has: the API does this when max_tokens
  cuts a tool call.
- Several `message_delta` are merged, the later one wins; a null says nothing. `Finished` waits for `message_stop` (or
  the end of the body), so usage after the stop reason counts.
- `message_stop` without a stop reason is no finish: the answer is truncated (quirk `finish_optional` apart). One that
  `message_start` has already, with a content that is whole, counts once `message_stop` confirms it.
- An `error` event is raised as the `ProviderError` it names, with the answer so far.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.anthropic.blocks import decode_block, input_text
from dragoman.dialects.anthropic.citations import decode_citation
from dragoman.dialects.anthropic.errors import error_in_stream
from dragoman.dialects.anthropic.forms import NAME
from dragoman.dialects.anthropic.response import decode_head
from dragoman.dialects.reading import integer, object_of, objects_in, required_text
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import ProtocolViolation
from dragoman.values import Opaque, Ping, Reasoning, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import Event, JsonObject, Part, Response, Target

__all__ = ["AnthropicStream"]

_PIECES: dict[str, tuple[str, type]] = {
    "text_delta": ("text", Text),
    "input_json_delta": ("partial_json", ToolCall),
    "thinking_delta": ("thinking", Reasoning),
}
_SAID = (("text", "text"), ("thinking", "thinking"))
"""Kinds of blocks, and the member that their deltas go on with: a start may be without it."""
_EVENT_MEMBERS = frozenset({"type", "delta", "usage"})


class _Block:
    """An open block: the wire's object as far as it came, and the part that was started for it."""

    __slots__ = ("changed", "part", "path", "wire")

    def __init__(self, wire: JsonObject, part: Part, path: str) -> None:
        self.wire = wire
        self.part = part
        self.path = path
        self.changed = False


class AnthropicStream(SseStream):
    """See the module's docstring."""

    repeats = True
    idle_members = re.compile(rb" +(?=\}\n\n\Z)")  # the API pads its deltas with blanks

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._head: JsonObject = {}
        self._blocks: dict[int, _Block] = {}
        self._count = 0
        self._start_stop: Any = None
        self._stop_seen = target.quirks.anthropic.finish_optional

    def partial(self) -> Response:
        if not self.assembly.started:
            return self.assembly.partial()
        return decode_head(self._head, self.assembly.partial().message.parts, self.target)

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        kind: Any = data.get("type", name)
        # Hot path: nearly every event is a delta (about 3 µs each, framing and JSON included).
        if kind == "content_block_delta":
            return self._delta(data)
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        return handler(self, data) if handler is not None else []

    def _done(self) -> list[Event]:
        return self._end()

    def _end(self) -> list[Event]:
        return self._complete() if self._stop_seen and self.assembly.started else []

    # -- the message -----------------------------------------------------------------------------------------------

    def start_message(self, event: JsonObject) -> list[Event]:
        message = object_of(event.get("message"), "message")
        identifier = message.get("id")
        if self.assembly.started:
            if identifier is not None and identifier == self._head.get("id"):
                return []
            raise ProtocolViolation(
                f"the stream starts a second message ({identifier!r}) within the first ({self._head.get('id')!r})",
                path="message_start",
            )
        wire: JsonObject = {**message, "content": [], "stop_reason": None}
        head = decode_head(wire, (), self.target)
        self._head = wire
        self._start_stop = message.get("stop_reason")
        events = self.assembly.start(id=head.id, model=head.model, extras=head.extras)
        if head.usage:
            events.extend(self.assembly.usage(head.usage))
        for index, block in enumerate(objects_in(message, "content", "message")):
            events.extend(self.assembly.whole(decode_block(block, f"message.content[{index}]", self.target)))
        return events

    def change_message(self, event: JsonObject) -> list[Event]:
        self._require_start("message_delta")
        head = dict(self._head)
        if event.get("delta") is not None:
            delta = object_of(event["delta"], "delta")
            _merge(head, delta)
            if delta.get("stop_reason") is not None and "stop_details" in delta:
                head["stop_details"] = delta["stop_details"]  # of this reason, and null where it has none
        _merge(head, {name: value for name, value in event.items() if name not in _EVENT_MEMBERS})
        if event.get("usage") is not None:
            head["usage"] = dict(head.get("usage") or {})
            _merge(head["usage"], object_of(event["usage"], "usage"))
        seen = decode_head(head, (), self.target)
        self._head = head  # only now: what does not decode must not spoil the partial answer
        self._stop_seen = self._stop_seen or seen.finish is not None
        return self.assembly.usage(seen.usage) if seen.usage and event.get("usage") is not None else []

    def stop_message(self, event: JsonObject) -> list[Event]:
        if not self._stop_seen and self._start_stop:
            self.change_message({"delta": {"stop_reason": self._start_stop}})
        return self._end()

    def _complete(self) -> list[Event]:
        events = [event for key in list(self._blocks) for event in self._end_block(key)]
        events.extend(self.assembly.complete(self.partial()))
        return events

    def _require_start(self, name: str) -> None:
        if not self.assembly.started:
            raise ProtocolViolation(f"the stream sends {name} before message_start", path=name)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def start_block(self, event: JsonObject) -> list[Event]:
        self._require_start("content_block_start")
        wire = object_of(event.get("content_block"), "content_block")
        for kind, said in _SAID:
            if wire.get("type") == kind and wire.get(said) is None:
                wire = {**wire, said: ""}
        key = integer(event, "index")
        key = self._count if key is None else key
        self._count = max(self._count, key + 1)
        path = f"content[{key}]"
        part = _skeleton(decode_block(wire, path, self.target))
        started = self.assembly.open(key, part)
        self._blocks[key] = _Block(wire, part, path)
        if isinstance(part, Opaque) and part.kind == "fallback":
            self._relabel(wire)
        return [started]

    def _relabel(self, wire: JsonObject) -> None:
        """Another model has taken over: unstreamed, the message names the one that answered."""
        served = wire.get("to")
        model: Any = cast("JsonObject", served).get("model") if isinstance(served, dict) else None
        if isinstance(model, str):
            self._head["model"] = model

    def _key(self, event: JsonObject) -> int:
        key = event.get("index")
        if type(key) is int:
            return key
        key = integer(event, "index")
        if key is not None:
            return key
        if not self._blocks:
            raise ProtocolViolation("the stream speaks of a block, and none is open", path="index")
        return next(reversed(self._blocks))

    def _delta(self, event: JsonObject) -> list[Event]:
        delta = object_of(event.get("delta"), "delta")
        key = self._key(event)
        block = self._blocks.get(key)
        if block is None:
            raise ProtocolViolation(f"the stream sends a delta for block {key}, which is not open", path="index")
        kind = delta.get("type")
        piece = _PIECES.get(kind) if isinstance(kind, str) else None
        if piece is not None and type(block.part) is piece[1]:
            said = delta.get(piece[0])
            if type(said) is str:
                return self.assembly.delta(key, said)
            if said is None and piece[0] in delta:
                return []
            return self.assembly.delta(key, required_text(delta, piece[0], "delta"))
        if kind == "citations_delta" and isinstance(block.part, Text):
            citation = object_of(delta.get("citation"), "delta.citation")
            before: Any = block.wire.get("citations") or ()
            block.wire = {**block.wire, "citations": [*before, citation]}
            return self.assembly.cite(key, decode_citation(citation, "delta.citation"))
        block.changed = True
        block.wire = dict(block.wire)
        if kind == "signature_delta":
            block.wire.update({name: value for name, value in delta.items() if name != "type"})
        else:
            _append(block.wire, delta)
        return []

    def stop_block(self, event: JsonObject) -> list[Event]:
        self._require_start("content_block_stop")
        key = self._key(event)
        if key not in self._blocks:
            raise ProtocolViolation(f"the stream stops block {key}, which is not open", path="index")
        return self._end_block(key)

    def _end_block(self, key: int) -> list[Event]:
        block = self._blocks.pop(key)
        part, wire = block.part, block.wire
        events: list[Event] = []
        if isinstance(part, Text):
            wire = {**wire, "text": part.text + self.assembly.received(key)}
        elif isinstance(part, Reasoning):
            if part.form != "redacted":
                wire = {**wire, "thinking": part.text + self.assembly.received(key)}
        elif isinstance(part, ToolCall):
            # A host that sends the whole input in the start sends no pieces of it.
            if wire.get("input") and not self.assembly.received(key):
                events = self.assembly.delta(key, input_text(wire, block.path))
        elif isinstance(part, Opaque) and block.changed:
            self.assembly.amend(key, data=wire)
        if block.changed or isinstance(part, (Text, Reasoning)):
            whole = decode_block(wire, block.path, self.target)
            self.assembly.amend(key, extras=whole.extras, replay=whole.replay)
        events.extend(self.assembly.end(key))
        return events

    # -- the rest --------------------------------------------------------------------------------------------------

    def ping(self, event: JsonObject) -> list[Event]:
        return [Ping()]

    def fail(self, event: JsonObject) -> list[Event]:
        raise error_in_stream(event, self.target)


def _skeleton(part: Part) -> Part:
    """What a part's start shows: no arguments and no state that are still to come."""
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments_text="")
    if isinstance(part, Reasoning) and part.form != "redacted":
        return msgspec.structs.replace(part, replay=(), extras={})
    return part


def _merge(holder: JsonObject, members: JsonObject) -> None:
    """Members that say something replace what was there; a null only takes an empty place."""
    for name, value in members.items():
        if value is not None or name not in holder:
            holder[name] = value


def _append(wire: JsonObject, delta: JsonObject) -> None:
    """A compaction, or an unknown delta: texts go on, other members are set, and a null says nothing."""
    for name, value in delta.items():
        before = wire.get(name)
        if name == "type" or (value is None and before is not None):
            continue
        if isinstance(before, str) and isinstance(value, str):
            wire[name] = before + value
        else:
            wire[name] = value


_HANDLERS: dict[str, Callable[[AnthropicStream, JsonObject], list[Event]]] = {
    "message_start": AnthropicStream.start_message,
    "content_block_start": AnthropicStream.start_block,
    "content_block_stop": AnthropicStream.stop_block,
    "message_delta": AnthropicStream.change_message,
    "message_stop": AnthropicStream.stop_message,
    "ping": AnthropicStream.ping,
    "error": AnthropicStream.fail,
}
