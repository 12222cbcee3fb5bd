"""Streamed answers: events → SSE chunks, for clients of ours.

The first chunk of a choice announces the speaker; the last has `finish_reason` and whatever members the choice and the
message kept; then usage, in a chunk without choices, if the client asked for it; `close` gives `[DONE]`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec

from dragoman.dialects.openai_chat.error_envelope import error_object
from dragoman.dialects.openai_chat.finish import write_finish
from dragoman.dialects.openai_chat.notes import NAME, own
from dragoman.dialects.openai_chat.part_deltas import PartDeltas, members_in
from dragoman.dialects.openai_chat.response import encode_response
from dragoman.dialects.openai_chat.usage import encode_usage
from dragoman.framing import encode_sse
from dragoman.values import (
    Adaptation,
    AdaptationLog,
    AttemptFailed,
    Event,
    Finished,
    Ping,
    Started,
    TextDelta,
    UsageSeen,
    replace,
)

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.values import Choice, JsonObject, Request, Response, Target

__all__ = ["ChatStreamEncoder"]

_json: Final = msgspec.json.Encoder().encode
_BEHIND_TEXT: Final = b'},"finish_reason":null}]}\n\n'


class ChatStreamEncoder:
    """See the module's docstring; one per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._request = request
        self._target = target
        self._legacy = own(request.extras).get(":tools") == "functions"
        self._log = AdaptationLog()
        self._head: JsonObject = {}
        self._prefixes: dict[int, bytes] = {}
        self._foreign = False
        self._finished = False
        self._sent: JsonObject = {}
        self._parts: dict[int, PartDeltas] = {}

    def feed(self, event: Event) -> bytes:
        # Written for speed: nearly all events are pieces of text, 0.3 µs each.
        if type(event) is TextDelta:
            prefix = self._prefixes.get(event.choice)
            if prefix is not None:
                lengths = self._parts[event.choice].lengths
                lengths[event.index] = lengths.get(event.index, 0) + len(event.text)
                return prefix + _json(event.text) + _BEHIND_TEXT
        match event:
            case Started():
                return self._started(event)
            case Finished():
                return self._end(event.response)
            case Ping():
                return b": keep-alive\n\n"
            case UsageSeen() | AttemptFailed():
                return b""
            case _:
                deltas = self._of(event.choice).of(event)
                return b"".join(self._delta(delta, event.choice) for delta in deltas)

    def close(self) -> bytes:
        return b"data: [DONE]\n\n" if self._finished else b""

    def fail(self, error: DragomanError) -> bytes:
        """The error as the official clients look for it: an object with the member `error`."""
        return encode_sse(_json({"error": error_object(error)}))

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._log.entries()

    # -- chunks --------------------------------------------------------------------------------------------------------

    def _started(self, event: Started) -> bytes:
        if self._head:
            return b""
        self._begin(event)
        return self._announce(0)

    def _begin(self, event: Started) -> None:
        self._foreign = event.dialect not in ("", NAME)
        self._sent = members_in(event.extras)
        self._head = {
            "id": event.id or f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion.chunk",
            "created": event.created if event.created is not None else int(time.time()),
            "model": event.model or self._request.model,
        }
        if event.id is None:
            self._log.defaulted("id", "the wire wants an id", self._head["id"])
        if event.created is None:
            self._log.defaulted("created", "the wire wants the time of the answer", self._head["created"])

    def _of(self, choice: int) -> PartDeltas:
        if not self._head:
            self._begin(Started())
        parts = self._parts.get(choice)
        if parts is None:
            parts = self._parts[choice] = PartDeltas(self._target, foreign=self._foreign, legacy=self._legacy)
        return parts

    def _announce(self, choice: int) -> bytes:
        """The chunk that tells who speaks, once for each choice."""
        if choice in self._prefixes:
            return b""
        self._of(choice)
        opening = _json({**self._head, "choices": [{"index": choice, "delta": {"content": 0}}]})
        self._prefixes[choice] = b"data: " + opening.removesuffix(b"0}}]}")
        delta = {"role": "assistant", "content": ""}
        return self._chunk([{"index": choice, "delta": delta, "finish_reason": None}], self._sent)

    def _delta(self, delta: JsonObject, choice: int) -> bytes:
        return self._announce(choice) + self._chunk([{"index": choice, "delta": delta, "finish_reason": None}], {})

    def _chunk(self, choices: list[JsonObject], members: JsonObject) -> bytes:
        return encode_sse(_json({**self._head, "choices": choices, **members}))

    # -- the end -------------------------------------------------------------------------------------------------------

    def _end(self, response: Response) -> bytes:
        members = {name: value for name, value in members_in(response.extras).items() if self._sent.get(name) != value}
        if response.service_tier is not None:
            members["service_tier"] = response.service_tier
        self._finished = True
        self._record(response)
        asked = bool(self._request.stream_usage)
        if response.usage and not asked:
            self._log.dropped("usage", "the client did not ask for it (stream_options.include_usage)")
        # A chunk without choices is sent to those alone who asked for it: others look for a choice in each.
        chunks = [self._last_chunk(choice, {} if asked else members) for choice in response.choices]
        if asked:
            if response.usage:
                members["usage"] = encode_usage(response.usage, self._target)
            chunks.append(self._chunk([], members))
        return b"".join(chunks)

    def _last_chunk(self, choice: Choice, members: JsonObject) -> bytes:
        opening = self._announce(choice.index)
        parts = choice.message.parts
        word: str | None = None
        if choice.finish is not None:
            word = write_finish(choice.finish, parts, AdaptationLog(), "", foreign=self._foreign)
            if not word:  # an empty word ends no stream
                word = write_finish(choice.finish, parts, AdaptationLog(), "", foreign=True)
            if self._legacy and word == "tool_calls":
                word = "function_call"
        wire: JsonObject = {
            "index": choice.index,
            "delta": members_in(choice.message.extras),
            "finish_reason": word,
            **members_in(choice.extras),
        }
        return opening + self._chunk([wire], members)

    def _record(self, response: Response) -> None:
        """What this wire cannot say of the answer is the same, streamed or not."""
        known = replace(response, id=self._head["id"], created=self._head["created"])
        self._log.add(*encode_response(known, self._target).adaptations)
