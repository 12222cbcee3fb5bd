"""Events → the stream of a response, for clients of ours.

Every item is announced and ended, every event is numbered, and the terminal object holds the items under the ids that
the stream gave them. A message or reasoning item stays open until a part starts that does not continue it: values from
elsewhere do not tell where an item ends. A part that the wire cannot say is left out and recorded, and `adaptations`
tells of the terminal object once it was written.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects.openai_responses.citations import encode_citation
from dragoman.dialects.openai_responses.content import encode_piece
from dragoman.dialects.openai_responses.errors import error_body
from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_writing import ItemWriter, joins
from dragoman.dialects.openai_responses.response import encode_response, new_id, unsaid
from dragoman.dialects.openai_responses.rows import CALLS
from dragoman.dialects.openai_responses.wire import ECHO, ITEM, NAME, notes
from dragoman.framing import encode_sse
from dragoman.values import (
    AdaptationLog,
    ArgumentsDelta,
    CitationAdded,
    Finished,
    Media,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    ToolCall,
    replace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.values import Adaptation, Event, JsonObject, Request, Target
    from dragoman.values.parts import Part

__all__ = ["ResponsesStreamEncoder"]

_PARTS = "choices[0].message.parts"
_encode = msgspec.json.Encoder().encode


class _Item:
    """An item of the output: its parts by their index in the message, as far as they have ended."""

    __slots__ = ("body", "closed", "id", "parts", "pieces", "position", "said", "summaries")

    def __init__(self, position: int, item_id: str, body: JsonObject) -> None:
        self.position = position
        self.id = item_id
        self.body = body
        self.parts: dict[int, Part | None] = {}
        self.pieces = 0
        self.summaries = 0
        self.said = False
        self.closed = False


class _Shown:
    """A part that is being shown: its item, its place in it, and the beginning of its delta events."""

    __slots__ = ("citations", "item", "place", "prefix", "said")

    def __init__(self, item: _Item, place: JsonObject) -> None:
        self.item = item
        self.place = place
        self.prefix: tuple[bytes, bytes] | None = None
        self.said = False
        self.citations = 0


class ResponsesStreamEncoder:
    """See the module's docstring."""

    def __init__(self, request: Request, target: Target) -> None:
        self._request = request
        self._target = target
        self._log = AdaptationLog()
        self._fit = Fit(target, self._log, "client")
        self._writer = ItemWriter(self._fit)
        self._trial = ItemWriter(Fit(target, AdaptationLog(), "client"))
        self._number = 0
        self._id = ""
        self._created = 0
        self._own = False
        self._items: list[_Item] = []
        self._shown: dict[int, _Shown] = {}
        self._last: Part | None = None
        self._last_index = -1
        self._final: tuple[Adaptation, ...] | None = None

    def feed(self, event: Event) -> bytes:
        write = _WRITERS.get(type(event))
        if write is None or getattr(event, "choice", 0) != 0:
            return b""
        return write(self, event)

    def close(self) -> bytes:
        return b""  # the terminal event is the wire's own end

    def fail(self, error: DragomanError) -> bytes:
        # Members stand twice: flat as the vendor describes the event, and under `error`, where its clients look.
        _, told = error_body(error)
        flat = {"code": told["code"], "message": told["message"], "param": told["param"]}
        return self._event({"type": "error", **flat, "error": told})

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._log.entries() if self._final is None else self._final

    def _event(self, body: JsonObject) -> bytes:
        body["sequence_number"] = self._number
        self._number += 1
        return encode_sse(_encode(body), body["type"])

    # -- the answer ----------------------------------------------------------------------------------------------------

    def start(self, event: Started) -> bytes:
        self._id = event.id or new_id()
        self._own = event.dialect == NAME
        self._created = int(time.time()) if event.created is None else event.created
        self._writer = ItemWriter(self._fit, seed=self._id)
        self._trial = ItemWriter(self._trial.fit, seed=self._id)
        body: JsonObject = {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": event.model,
            "output": [],
            "usage": None,
            **unsaid(self._request),
        }
        return self._event({"type": "response.created", "response": body}) + self._event(
            {"type": "response.in_progress", "response": body}
        )

    def finish(self, event: Finished) -> bytes:
        told = b"".join(self._close(item) for item in self._items if not item.closed)
        response = event.response
        own = ECHO in notes(response.extras)
        if not own:
            response = replace(response, id=self._id, created=response.created or self._created)
        encoded = encode_response(response, self._target)
        self._final = encoded.adaptations
        body = encoded.body if own else {**encoded.body, **unsaid(self._request)}
        status = body.get("status")
        kind = status if status in ("incomplete", "failed", "cancelled") else "completed"
        return told + self._event({"type": f"response.{kind}", "response": body})

    def ping(self, _event: Ping) -> bytes:
        return b": keep-alive\n\n"

    # -- items ---------------------------------------------------------------------------------------------------------

    def part_started(self, event: PartStarted) -> bytes:
        part = event.part
        last, self._last, self._last_index = self._last, part, event.index
        current = self._items[-1] if self._items else None
        if last is not None and current is not None and not current.closed and joins(last, part):
            return self._show(event.index, part, current)
        body = self._announced(part)
        if body is None:
            return b""
        told = self._close(current) if current is not None and _ended(current) else b""
        position = len(self._items)
        # A terminal object mints the same ids: by the answer's id and the item's position.
        item = _Item(position, body["id"], body)
        self._items.append(item)
        if isinstance(part, Text | Refusal | Reasoning | ToolCall):
            told += self._event({"type": "response.output_item.added", "output_index": position, "item": body})
        return told + self._show(event.index, part, item)

    def _announced(self, part: Part) -> JsonObject | None:
        """The item that begins with this part, as far as it is known; None for what the wire cannot say."""
        position = len(self._items)
        item_id = part.item_id if self._own else None
        if isinstance(part, Text | Refusal):
            body: JsonObject = {
                "id": item_id or self._writer.mint("msg", position),
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            if isinstance(part, Text) and part.channel == "commentary":
                body["phase"] = "commentary"
            return body
        if isinstance(part, Reasoning):
            return {"id": item_id or self._writer.mint("rs", position), "type": "reasoning", "summary": []}
        if isinstance(part, Media):
            return {"id": item_id or ""} if part.kind == "image" else None
        written = self._trial.item((part,), _PARTS, 0, position)
        if written is None:
            return None
        body = {"id": item_id or "", **written}
        if isinstance(part, ToolCall):
            row = CALLS[body["type"]]
            if row.coding == "text":
                body[row.member] = ""
            if "status" in body:
                body["status"] = "in_progress"
        return body

    def _show(self, index: int, part: Part, item: _Item) -> bytes:
        item.parts[index] = None
        place: JsonObject = {"item_id": item.id, "output_index": item.position}
        shown = self._shown[index] = _Shown(item, place)
        if isinstance(part, Reasoning) and part.form == "summary":
            place["summary_index"] = item.summaries
            item.summaries += 1
            shown.prefix = self._prefix("response.reasoning_summary_text.delta", place)
            blank: JsonObject = {"type": "summary_text", "text": ""}
            return self._event({"type": "response.reasoning_summary_part.added", **place, "part": blank})
        if isinstance(part, ToolCall):
            stem = CALLS[item.body["type"]].stem
            shown.prefix = self._prefix(f"{stem}.delta", place) if stem is not None else None
            return b""
        if not isinstance(part, Text | Refusal | Reasoning) or (
            isinstance(part, Reasoning) and part.form == "redacted"
        ):
            return b""
        place["content_index"] = item.pieces
        item.pieces += 1
        kind, blank = _blank(part)
        shown.prefix = self._prefix(f"response.{kind}.delta", place)
        return self._event({"type": "response.content_part.added", **place, "part": blank})

    @staticmethod
    def _prefix(kind: str, place: JsonObject) -> tuple[bytes, bytes]:
        """The bytes of a delta event before its number, and between that and its text: they never change."""
        told = {"type": kind, **place}
        if kind == "response.output_text.delta":
            told["logprobs"] = []
        return b"event: " + kind.encode() + b"\ndata: " + _encode(told)[:-1] + b',"sequence_number":', b',"delta":'

    def delta(self, event: TextDelta | ReasoningDelta | RefusalDelta | ArgumentsDelta) -> bytes:
        # The hot path, 0.5 us: one number and one text between bytes that are made once for each part.
        shown = self._shown.get(event.index)
        if shown is None or shown.prefix is None:
            return b""
        shown.said = True
        number = self._number
        self._number = number + 1
        head, middle = shown.prefix
        return b"%b%d%b%b}\n\n" % (head, number, middle, _encode(event.text))

    def citation(self, event: CitationAdded) -> bytes:
        shown = self._shown.get(event.index)
        if shown is None:
            return b""
        path = f"{_PARTS}[{event.index}].citations[{shown.citations}]"
        annotation = encode_citation(event.citation, self._log, path)
        if annotation is None:
            return b""
        body = {"type": "response.output_text.annotation.added", **shown.place, "annotation_index": shown.citations}
        shown.citations += 1
        return self._event({**body, "annotation": annotation})

    # -- ends ----------------------------------------------------------------------------------------------------------

    def part_ended(self, event: PartEnded) -> bytes:
        part = event.part
        shown = self._shown.pop(event.index, None)
        if shown is None:
            self._writer.item((part,), _PARTS, event.index, len(self._items))  # records why it is left out
            return b""
        if event.index == self._last_index:
            self._last = part
        item = shown.item
        item.said = shown.said
        item.parts[event.index] = part
        told = self._piece_ended(part, shown)
        whole = isinstance(part, ToolCall) or ITEM in notes(part.extras) or not _may_go_on(part)
        return told + self._close(item) if _ended(item) and (whole or item is not self._items[-1]) else told

    def _piece_ended(self, part: Part, shown: _Shown) -> bytes:
        place = shown.place
        if isinstance(part, Reasoning):
            if part.form == "redacted":
                return b""
            written = {"type": "summary_text" if part.form == "summary" else "reasoning_text", "text": part.text}
            name = "reasoning_summary" if part.form == "summary" else "reasoning"
            told = self._event({"type": f"response.{name}_text.done", **place, "text": part.text})
            end = "response.reasoning_summary_part.done" if part.form == "summary" else "response.content_part.done"
            return told + self._event({"type": end, **place, "part": written})
        if not isinstance(part, Text | Refusal):
            return b""
        piece = encode_piece(part, "output", self._trial.fit, "")
        if isinstance(part, Text):
            told = self._event({"type": "response.output_text.done", **place, "text": part.text, "logprobs": []})
        else:
            told = self._event({"type": "response.refusal.done", **place, "refusal": part.text})
        return told + self._event({"type": "response.content_part.done", **place, "part": piece})

    def _close(self, item: _Item) -> bytes:
        """Ends an item with the whole of it."""
        if item.closed:
            return b""
        item.closed = True
        parts = tuple(part for _, part in sorted(item.parts.items()) if part is not None)
        body = self._writer.item(parts, _PARTS, min(item.parts), item.position) if parts else None
        if body is None:
            return b""
        told = b""
        first = parts[0]
        if isinstance(first, ToolCall):
            told = self._call_ended(body, item)
        elif not isinstance(first, Text | Refusal | Reasoning):
            early = {**body, "status": "in_progress", "result": None} if isinstance(first, Media) else body
            told = self._event({"type": "response.output_item.added", "output_index": item.position, "item": early})
        done = {"type": "response.output_item.done", "output_index": item.position, "item": body}
        return told + self._event(done)

    def _call_ended(self, body: JsonObject, item: _Item) -> bytes:
        row = CALLS[body["type"]]
        if row.stem is None:
            return b""
        place: JsonObject = {"item_id": item.id, "output_index": item.position}
        words: Any = body.get(row.member) or ""
        told = b""
        if words and not item.said:
            told = self._event({"type": f"{row.stem}.delta", **place, "delta": words})
        done: JsonObject = {"type": f"{row.stem}.done", **place, row.member: words}
        if row.member == "arguments" and "name" in body:
            done["name"] = body["name"]
        return told + self._event(done)


def _ended(item: _Item) -> bool:
    return all(part is not None for part in item.parts.values())


def _may_go_on(part: Part) -> bool:
    return isinstance(part, Text | Refusal | Reasoning)


def _blank(part: Text | Refusal | Reasoning) -> tuple[str, JsonObject]:
    """The name of the part's events, and its content part before anything was said."""
    if isinstance(part, Text):
        return "output_text", {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    if isinstance(part, Refusal):
        return "refusal", {"type": "refusal", "refusal": ""}
    return "reasoning_text", {"type": "reasoning_text", "text": ""}


_WRITERS: dict[type, Callable[[ResponsesStreamEncoder, Any], bytes]] = {
    TextDelta: ResponsesStreamEncoder.delta,
    ReasoningDelta: ResponsesStreamEncoder.delta,
    RefusalDelta: ResponsesStreamEncoder.delta,
    ArgumentsDelta: ResponsesStreamEncoder.delta,
    Started: ResponsesStreamEncoder.start,
    PartStarted: ResponsesStreamEncoder.part_started,
    PartEnded: ResponsesStreamEncoder.part_ended,
    CitationAdded: ResponsesStreamEncoder.citation,
    Ping: ResponsesStreamEncoder.ping,
    Finished: ResponsesStreamEncoder.finish,
}
