"""The stream of a response → events.

Rules, beyond those of `values.events`:

- `response.created`, `.queued` and `.in_progress` start the answer; a later one of the same id says nothing new. A
  `created` of another id is a second answer and a `ProtocolViolation`, and so is any of them once an item was there;
  before that a host may tell its progress under an id that is new in every event (GitHub Copilot).
- The answer is complete at `response.completed`, `.incomplete` or `.cancelled`, which bear usage too; `response.failed`
  and `error` raise. Nothing else completes it, `[DONE]` neither. What follows is not read.
- The answer's parts are those that were streamed; everything else of it is the terminal object's. An item that the
  stream did not end, or did not show at all, is taken from the terminal object. One that bears another id than the
  start and other words than the stream is another answer: a `ProtocolViolation`.
- A part's text is its deltas. Where a `.done` event or the ended item holds more than the deltas came to, the rest is
  given as a delta; where it contradicts them, what was shown stands.
- A part is open until the next one of its item starts or the item ends; a tool call until its item ends. The last part
  of an item thus ends with what only the ended item tells: status, encrypted state.
- A call is shown when its item is announced, but for two kinds that are shown with their first delta, or else when
  their item ends: one that was announced as complete, which may end as an item of another kind (Perplexity's
  searches), and one for the client without argument events, which may end under another call id (a tool search).
- What an item showed before it ended as another kind stands, and what it ended as is given beside it.
- Events are told apart by `output_index` or by `item_id`; `stream_items` tells how. A delta for a text or reasoning
  part that was not announced opens it, but where the announced one is not done it goes there (vLLM counts
  `content_index` on); one for a call that was not is a violation, for it has no name. An item, or a part, that starts
  twice is a violation, as is a delta for one that has ended.
- Progress events of provider-run tools, partial images, pieces of a shell's commands and output, `obfuscation` and
  unknown events are ignored: the ended item holds what they tell. Audio events, which the vendor describes but which
  belong to no item, are ignored too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from dragoman.dialects.openai_responses.citations import decode_citation
from dragoman.dialects.openai_responses.content import decode_piece
from dragoman.dialects.openai_responses.errors import error_in_stream
from dragoman.dialects.openai_responses.item_reading import as_run, item_type, read_item, read_reasoning_piece
from dragoman.dialects.openai_responses.items import decode_item
from dragoman.dialects.openai_responses.response import decode_frame
from dragoman.dialects.openai_responses.rows import CALLS, runner
from dragoman.dialects.openai_responses.stream_items import Items
from dragoman.dialects.openai_responses.stream_parts import (
    PIECES,
    amended,
    content_of,
    keys_of,
    refusal,
    shown_keys,
    skeleton_of,
    summary,
    summary_key,
    thought,
)
from dragoman.dialects.openai_responses.stream_parts import text as blank_text
from dragoman.dialects.openai_responses.usage import decode_usage
from dragoman.dialects.openai_responses.wire import NAME
from dragoman.dialects.reading import integer, number, object_of, objects_in, required_text, text
from dragoman.dialects.sse_stream import SseStream
from dragoman.errors import ProtocolViolation
from dragoman.values import Ping, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects.openai_responses.stream_parts import Item, Key
    from dragoman.values import Citation, Event, JsonObject, Target
    from dragoman.values.parts import Part

__all__ = ["ResponsesStreamDecoder"]


class ResponsesStreamDecoder(SseStream):
    """See the module's docstring."""

    repeats = True
    idle_members = re.compile(rb'"(?:sequence_number": ?\d+|obfuscation": ?"\w*")')

    def __init__(self, target: Target) -> None:
        super().__init__(target, NAME)
        self._items = Items()
        self._cited: dict[Key, list[Citation]] = {}
        self._texts: set[Any] = set()

    def _take(self, name: str | None, data: JsonObject) -> list[Event]:
        kind = data.get("type", name)
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            return handler(self, data)
        if kind is None and data.get("error"):
            raise error_in_stream(data, self.target)
        return []

    # -- the answer ----------------------------------------------------------------------------------------------------

    def begin(self, data: JsonObject) -> list[Event]:
        wire = object_of(data.get("response"), "response")
        answer = text(wire, "id", "response")
        known = self.assembly.id
        if self.assembly.started and answer is not None and known is not None and answer != known:
            raise ProtocolViolation(f"a second answer ({answer}) begins within the first ({known})")
        return self._started(wire)

    def progress(self, data: JsonObject) -> list[Event]:
        if self._items:
            return self.begin(data)
        return self._started(object_of(data.get("response"), "response"))

    def _started(self, wire: JsonObject) -> list[Event]:
        created = number(wire, "created_at", "response")
        return self.assembly.start(
            id=text(wire, "id", "response"),
            model=text(wire, "model", "response"),
            created=None if created is None else int(created),
        )

    def terminal(self, data: JsonObject) -> list[Event]:
        wire = object_of(data.get("response"), "response")
        if wire.get("error") is not None or wire.get("status") == "failed":
            return self.failed(data)
        output = objects_in(wire, "output", "response")
        self._check_same(wire, output)
        events = self._started(wire)
        for item, body in zip(self._items.among(output), output, strict=True):
            if item is not None and not item.closed and item.kind == item_type(body):
                events.extend(self._close(item, body))
        if not output:
            for item in self._items:
                if item.waiting is not None and not item.closed:  # nothing else will tell what it was
                    events.extend(self._close(item, item.waiting))
        events.extend(self.assembly.end_all())
        streamed = self.assembly.partial().choices
        response = decode_frame(wire, streamed[0].message.parts if streamed else (), self.target)
        if response.usage:
            events.extend(self.assembly.usage(response.usage))
        return events + self.assembly.complete(response)

    def failed(self, data: JsonObject) -> list[Event]:
        wire = object_of(data.get("response"), "response")
        if wire.get("usage") is not None:
            self.assembly.usage(decode_usage(object_of(wire["usage"], "usage"), wire.get("tool_usage")))
        raise error_in_stream(wire, self.target)

    def error(self, data: JsonObject) -> list[Event]:
        raise error_in_stream(data, self.target)

    def _check_same(self, wire: JsonObject, output: list[JsonObject]) -> None:
        answer, known = wire.get("id"), self.assembly.id
        if known is None or answer in (None, known) or not self._items:
            return
        said = "".join(
            part.text
            for body in output
            if item_type(body) == "message"
            for part in read_item(body, "output", "")
            if isinstance(part, Text)
        )
        shown = self.assembly.partial().choices
        if shown and shown[0].message.content and not said.startswith(shown[0].message.content):
            raise ProtocolViolation(f"the stream of answer {known} ends as another answer ({answer})")

    # -- items ---------------------------------------------------------------------------------------------------------

    def _found(self, data: JsonObject, kind: str) -> Item | None:
        return self._items.found(integer(data, "output_index"), text(data, "item_id"), kind)

    def _item(self, data: JsonObject, kind: str) -> Item:
        """The item that an event speaks of; a message or a reasoning item may go unannounced."""
        item = self._found(data, kind)
        if item is not None:
            return item
        if kind not in ("message", "reasoning"):
            raise ProtocolViolation("the stream speaks of a tool call that it did not announce", path="output_index")
        return self._items.new(integer(data, "output_index"), {"type": kind, "id": text(data, "item_id")})

    def item_added(self, data: JsonObject) -> list[Event]:
        wire = object_of(data.get("item"), "item")
        index = integer(data, "output_index")
        if self._items.holds(index, wire):
            raise ProtocolViolation(f"item {index} of the answer starts twice", path="output_index")
        item = self._items.new(index, wire)
        row = CALLS.get(item.kind)
        if row is None:
            return []
        (part,) = read_item(wire, "item", self.target.issuer)
        if wire.get("status") == "completed" or (row.stem is None and runner(row, wire) == "client"):
            item.waiting = wire
            return []
        return self._open_call(item, part)

    def _open_call(self, item: Item, part: Part) -> list[Event]:
        return self._open(item, (item.index, "whole"), skeleton_of(as_run(part, self.target)))

    def item_done(self, data: JsonObject) -> list[Event]:
        wire = object_of(data.get("item"), "item")
        index = integer(data, "output_index")
        item = self._items.ended(index, wire) or self._items.new(index, wire)
        if item.closed:
            raise ProtocolViolation(f"item {item.index} of the answer ends twice", path="output_index")
        return self._close(item, wire)

    def _close(self, item: Item, wire: JsonObject) -> list[Event]:
        """Ends an item as the wire gives it: its open parts are completed, those that were not shown are given."""
        parts = decode_item(wire, "item", self.target.issuer)
        keys = keys_of(item.index, wire)
        if item.keys and item_type(wire) != item.kind:
            keys = [(item.index, "other", number) for number in range(len(keys))]
        else:
            keys = shown_keys(item, keys)
        events: list[Event] = []
        for key, read in zip(keys, parts, strict=True):
            part = as_run(read, self.target)
            if self.assembly.is_open(key):
                events.extend(self._settle(key, part, whole=True))
                events.extend(self.assembly.end(key))
            elif key not in item.keys:
                events.extend(self._open(item, key, skeleton_of(part)))
                events.extend(self._settle(key, part, whole=True))
                events.extend(self.assembly.end(key))
        for key in item.keys:
            if self.assembly.is_open(key):
                events.extend(self.assembly.end(key))
        item.closed = True
        item.kind = item_type(wire)
        return events

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _open(self, item: Item, key: Key, skeleton: Part) -> list[Event]:
        if item.closed:
            raise ProtocolViolation(f"the stream goes on with item {item.index}, which has ended")
        if key in item.keys:
            raise ProtocolViolation(f"part {key!r} of the answer starts twice")
        events = [] if self.assembly.started else self.assembly.start()
        for other in item.keys:
            if other in item.done and self.assembly.is_open(other):
                events.extend(self.assembly.end(other))
        item.keys.append(key)
        if isinstance(skeleton, Text):
            self._texts.add(key)
        events.append(self.assembly.open(key, skeleton))
        return events

    def _piece_key(self, item: Item, data: JsonObject, *, announced: bool) -> Key:
        """The key of a content part; without an index, the item's latest, or the next one that is announced."""
        index = integer(data, "content_index")
        if index is None:
            index = sum(1 for key in item.keys if len(key) == 2)
            if not announced and index > 0:
                index -= 1
        key = (item.index, index)
        if announced:
            item.announced = key
        elif key not in item.keys and item.announced is not None and item.announced not in item.done:
            return item.announced  # the host counts on, within a part that it has not ended
        return key

    def piece_added(self, data: JsonObject) -> list[Event]:
        kind = object_of(data.get("part"), "part").get("type")
        make = PIECES.get(kind) if isinstance(kind, str) else None
        if make is None:
            return []  # media and what is unknown are given when the item ends
        item = self._item(data, "reasoning" if kind == "reasoning_text" else "message")
        if item.kind == "reasoning":
            make = thought  # whatever the host calls it
        return self._open(item, self._piece_key(item, data, announced=True), make(item))

    def piece_done(self, data: JsonObject) -> list[Event]:
        piece = object_of(data.get("part"), "part")
        item = self._found(data, "reasoning" if piece.get("type") == "reasoning_text" else "message")
        if item is None or item.closed:
            return []
        key = self._piece_key(item, data, announced=False)
        if not self.assembly.is_open(key):
            return []
        item.done.add(key)
        if "text" not in piece and "refusal" not in piece:
            return []
        if item.kind == "reasoning":
            return self._settle(key, read_reasoning_piece(piece, "full", "part"))
        return self._settle(key, decode_piece(piece, "output", "part", self.target.issuer))

    def summary_added(self, data: JsonObject) -> list[Event]:
        item = self._item(data, "reasoning")
        return self._open(item, summary_key(item, data), summary(item))

    def summary_done(self, data: JsonObject) -> list[Event]:
        item = self._found(data, "reasoning")
        if item is None:
            return []
        key = summary_key(item, data)
        if not self.assembly.is_open(key):
            return []
        item.done.add(key)
        return self._settle(key, read_reasoning_piece(object_of(data.get("part"), "part"), "summary", "part"))

    def _settle(self, key: Key, part: Part, *, whole: bool = False) -> list[Event]:
        """Brings an open part to what the wire says that it is; `whole`: the item has ended, and tells all of it."""
        shown = self.assembly.skeleton(key)
        if type(shown) is not type(part):
            return []
        events = self._fill(key, content_of(part))
        if isinstance(part, Text):
            events.extend(self._cite_rest(key, part.citations))
        if whole:
            self.assembly.amend(key, **{name: getattr(part, name) for name in amended(part)})
        else:
            self.assembly.amend(key, extras=part.extras)
        return events

    def _fill(self, key: Key, content: str) -> list[Event]:
        received = self.assembly.received(key)
        return self.assembly.delta(key, content[len(received) :]) if content.startswith(received) else []

    def _cite_rest(self, key: Key, citations: tuple[Citation, ...]) -> list[Event]:
        seen = tuple(self._cited.get(key, ()))
        if citations[: len(seen)] != seen:
            return []
        return [event for citation in citations[len(seen) :] for event in self.assembly.cite(key, citation)]

    # -- deltas --------------------------------------------------------------------------------------------------------

    def text_delta(self, data: JsonObject) -> list[Event]:
        # The hot path: most events of most streams. 0.5 us of the 4 us that an event takes from its bytes.
        key = (data.get("output_index"), data.get("content_index"))
        delta = data.get("delta")
        try:
            if type(delta) is str and key in self._texts:
                return self.assembly.delta(key, delta)
        except TypeError:
            pass  # an index that is no index; told below
        return self._piece_delta(data, "message", blank_text)

    def refusal_delta(self, data: JsonObject) -> list[Event]:
        return self._piece_delta(data, "message", refusal)

    def thought_delta(self, data: JsonObject) -> list[Event]:
        return self._piece_delta(data, "reasoning", thought)

    def _piece_delta(self, data: JsonObject, kind: str, make: Callable[[Item], Part]) -> list[Event]:
        item = self._item(data, kind)
        key = self._piece_key(item, data, announced=False)
        events = [] if self.assembly.is_open(key) else self._open(item, key, make(item))
        return events + self.assembly.delta(key, required_text(data, "delta"))

    def summary_delta(self, data: JsonObject) -> list[Event]:
        item = self._item(data, "reasoning")
        key = summary_key(item, data)
        events = [] if self.assembly.is_open(key) else self._open(item, key, summary(item))
        return events + self.assembly.delta(key, required_text(data, "delta"))

    def call_delta(self, data: JsonObject) -> list[Event]:
        item = self._item(data, "call")
        delta = required_text(data, "delta")
        if _wrapped(item, data):
            return []
        if item.waiting is not None and not item.keys:
            (part,) = read_item(item.waiting, "item", self.target.issuer)
            return self._open_call(item, part) + self.assembly.delta((item.index, "whole"), delta)
        return self.assembly.delta((item.index, "whole"), delta)

    def call_text_done(self, data: JsonObject) -> list[Event]:
        item = self._found(data, "call")
        if item is None or _wrapped(item, data):
            return []
        key = (item.index, "whole")
        words = next((data[name] for name in ("arguments", "input", "code") if isinstance(data.get(name), str)), "")
        return self._fill(key, words) if self.assembly.is_open(key) else []

    def piece_text_done(self, data: JsonObject) -> list[Event]:
        return self._piece_told(self._found(data, "message"), data)

    def thought_done(self, data: JsonObject) -> list[Event]:
        return self._piece_told(self._found(data, "reasoning"), data)

    def _piece_told(self, item: Item | None, data: JsonObject) -> list[Event]:
        key = self._piece_key(item, data, announced=False) if item is not None else None
        words = next((data[name] for name in ("text", "refusal") if isinstance(data.get(name), str)), "")
        return self._fill(key, words) if key is not None and self.assembly.is_open(key) else []

    def summary_text_done(self, data: JsonObject) -> list[Event]:
        item = self._found(data, "reasoning")
        key = summary_key(item, data) if item is not None else None
        return self._fill(key, text(data, "text") or "") if key is not None and self.assembly.is_open(key) else []

    def annotated(self, data: JsonObject) -> list[Event]:
        if data.get("annotation") is None:
            return []
        citation = decode_citation(object_of(data["annotation"], "annotation"), "annotation")
        item = self._item(data, "message")
        key = self._piece_key(item, data, announced=False)
        events = [] if self.assembly.is_open(key) else self._open(item, key, blank_text(item))
        self._cited.setdefault(key, []).append(citation)
        return events + self.assembly.cite(key, citation)

    def ping(self, data: JsonObject) -> list[Event]:
        return [Ping()]


def _wrapped(item: Item, data: JsonObject) -> bool:
    """Whether the event tells a free-form input as a function's arguments (LiteLLM): the ended item tells it bare."""
    kind: Any = data.get("type")
    return item.kind == "custom_tool_call" and str(kind).startswith("response.function_call_arguments")


_Handler: TypeAlias = "Callable[[ResponsesStreamDecoder, JsonObject], list[Event]]"
_HANDLERS: dict[str, _Handler] = {
    "response.output_text.delta": ResponsesStreamDecoder.text_delta,
    "response.created": ResponsesStreamDecoder.begin,
    "response.queued": ResponsesStreamDecoder.progress,
    "response.in_progress": ResponsesStreamDecoder.progress,
    "response.completed": ResponsesStreamDecoder.terminal,
    "response.incomplete": ResponsesStreamDecoder.terminal,
    "response.cancelled": ResponsesStreamDecoder.terminal,
    "response.failed": ResponsesStreamDecoder.failed,
    "error": ResponsesStreamDecoder.error,
    "response.error": ResponsesStreamDecoder.error,
    "response.output_item.added": ResponsesStreamDecoder.item_added,
    "response.output_item.done": ResponsesStreamDecoder.item_done,
    "response.content_part.added": ResponsesStreamDecoder.piece_added,
    "response.content_part.done": ResponsesStreamDecoder.piece_done,
    "response.output_text.done": ResponsesStreamDecoder.piece_text_done,
    "response.output_text.annotation.added": ResponsesStreamDecoder.annotated,
    "response.refusal.delta": ResponsesStreamDecoder.refusal_delta,
    "response.refusal.done": ResponsesStreamDecoder.piece_text_done,
    "response.reasoning_text.delta": ResponsesStreamDecoder.thought_delta,
    "response.reasoning_text.done": ResponsesStreamDecoder.thought_done,
    "response.reasoning_part.added": ResponsesStreamDecoder.piece_added,
    "response.reasoning_part.done": ResponsesStreamDecoder.piece_done,
    "response.reasoning_summary_part.added": ResponsesStreamDecoder.summary_added,
    "response.reasoning_summary_part.done": ResponsesStreamDecoder.summary_done,
    "response.reasoning_summary_text.delta": ResponsesStreamDecoder.summary_delta,
    "response.reasoning_summary_text.done": ResponsesStreamDecoder.summary_text_done,
    **{
        f"{row.stem}.{end}": handler
        for row in CALLS.values()
        if row.stem is not None
        for end, handler in (
            ("delta", ResponsesStreamDecoder.call_delta),
            ("done", ResponsesStreamDecoder.call_text_done),
        )
    },
    "keepalive": ResponsesStreamDecoder.ping,
    "ping": ResponsesStreamDecoder.ping,
}
