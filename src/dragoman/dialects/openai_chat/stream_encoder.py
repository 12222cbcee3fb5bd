"""Streamed answers: events → SSE chunks, for clients of ours.

The first chunk of a choice announces the speaker; the last has `finish_reason` and whatever members the choice and the
message kept; then usage, in a chunk without choices, if the client asked for it; `close` gives `[DONE]`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from dragoman.dialects.openai_chat.annotations import write_annotation
from dragoman.dialects.openai_chat.error_envelope import error_object
from dragoman.dialects.openai_chat.finish import write_finish
from dragoman.dialects.openai_chat.notes import NAME, own
from dragoman.dialects.openai_chat.parts import write_media
from dragoman.dialects.openai_chat.reasoning import member_of, state_shape
from dragoman.dialects.openai_chat.response import encode_response
from dragoman.dialects.openai_chat.usage import encode_usage
from dragoman.framing import encode_sse
from dragoman.values import (
    Adaptation,
    AdaptationLog,
    ArgumentsDelta,
    CitationAdded,
    Event,
    Finished,
    Media,
    MediaDelta,
    Opaque,
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
    TranscriptDelta,
    own_replay,
    replace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.values import Choice, Citation, JsonObject, Request, Response, Target

__all__ = ["ChatStreamEncoder"]

_text_of: Final = msgspec.json.Encoder().encode
_BEHIND_TEXT: Final = b'},"finish_reason":null}]}\n\n'


class _Said:
    """What was said of one choice so far."""

    __slots__ = (
        "annotations",
        "announced",
        "calls",
        "cited",
        "images",
        "lengths",
        "members",
        "offset",
        "reasoned",
        "shapes",
        "silent",
    )

    def __init__(self) -> None:
        self.announced = False
        self.annotations = 0
        self.images = 0
        self.calls: dict[int, int] = {}
        self.cited: dict[int, int] = {}
        self.lengths: dict[int, int] = {}
        self.offset: dict[int, int] = {}
        self.members: dict[int, str | None] = {}
        self.reasoned = False
        self.shapes: dict[int, JsonObject] = {}
        self.silent: set[int] = set()


class ChatStreamEncoder:
    """See the module's docstring; one per stream."""

    def __init__(self, request: Request, target: Target) -> None:
        self._request = request
        self._target = target
        self._legacy = own(request.extras).get(":tools") == "functions"
        self._log = AdaptationLog()
        self._head: JsonObject = {}
        self._prefix: list[bytes] = []
        self._foreign = False
        self._finished = False
        self._sent: JsonObject = {}
        self._said: dict[int, _Said] = {}

    def feed(self, event: Event) -> bytes:
        # Written for speed: nearly all events are pieces of text.
        if type(event) is TextDelta:
            said = self._said.get(event.choice)
            if said is not None and said.announced and event.choice < len(self._prefix):
                said.lengths[event.index] = said.lengths.get(event.index, 0) + len(event.text)
                return self._prefix[event.choice] + _text_of(event.text) + _BEHIND_TEXT
        writer = _WRITERS.get(type(event))
        return writer(self, event) if writer is not None else b""

    def close(self) -> bytes:
        return b"data: [DONE]\n\n" if self._finished else b""

    def fail(self, error: DragomanError) -> bytes:
        """The error as the official clients look for it: a chunk with the member `error`."""
        return encode_sse(msgspec.json.encode({"error": error_object(error)}))

    def adaptations(self) -> tuple[Adaptation, ...]:
        return self._log.entries()

    # -- chunks --------------------------------------------------------------------------------------------------------

    def _chunk(self, choices: list[JsonObject], members: JsonObject | None = None) -> bytes:
        if not self._head:
            self._start(Started())
        return encode_sse(msgspec.json.encode({**self._head, "choices": choices, **(members or {})}))

    def _delta(self, delta: JsonObject, choice: int) -> bytes:
        return self._announce(choice) + self._chunk([{"index": choice, "delta": delta, "finish_reason": None}])

    def _announce(self, choice: int) -> bytes:
        """The chunk that tells who speaks, once for each choice."""
        said = self._of(choice)
        if said.announced:
            return b""
        said.announced = True
        delta = {"role": "assistant", "content": ""}
        chunk = self._chunk([{"index": choice, "delta": delta, "finish_reason": None}], self._sent or None)
        while len(self._prefix) <= choice < 256:
            opening = _text_of({**self._head, "choices": [{"index": len(self._prefix), "delta": {"content": 0}}]})
            self._prefix.append(b"data: " + opening.removesuffix(b"0}}]}"))
        return chunk

    def _of(self, choice: int) -> _Said:
        said = self._said.get(choice)
        if said is None:
            said = self._said[choice] = _Said()
        return said

    def _start(self, event: Started) -> None:
        created = event.created
        if created is None:
            created = int(time.time())
        self._foreign = event.dialect not in ("", NAME)
        self._sent = {name: value for name, value in own(event.extras).items() if not name.startswith(":")}
        self._head = {
            "id": event.id or f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion.chunk",
            "created": created,
            "model": event.model or self._request.model,
        }
        if event.id is None:
            self._log.defaulted("id", "the wire wants an id", self._head["id"])
        if event.created is None:
            self._log.defaulted("created", "the wire wants the time of the answer", created)

    def _started(self, event: Started) -> bytes:
        if self._head:
            return b""
        self._start(event)
        return self._announce(0)

    def _ping(self, _event: Ping) -> bytes:
        return b": keep-alive\n\n"

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _part_started(self, event: PartStarted) -> bytes:
        part, said = event.part, self._of(event.choice)
        if isinstance(part, ToolCall):
            return self._call_started(part, event, said)
        if isinstance(part, Text):
            said.offset[event.index] = sum(said.lengths.values())
            said.lengths[event.index] = 0
            written = self._text(TextDelta(event.index, part.text, event.choice)) if part.text else b""
            return written + b"".join(self._cite(item, event.index, event.choice) for item in part.citations)
        if isinstance(part, Reasoning):
            return self._reasoning_started(part, event, said)
        if isinstance(part, Refusal):
            return self._delta({"refusal": part.text}, event.choice) if part.text else b""
        if isinstance(part, Media) and part.kind == "audio":
            return self._audio_started(part, event)
        if isinstance(part, Opaque) and part.dialect == NAME:
            return self._delta({"content": [part.data]}, event.choice)
        return b""

    def _text(self, event: TextDelta) -> bytes:
        said = self._of(event.choice)
        said.lengths[event.index] = said.lengths.get(event.index, 0) + len(event.text)
        return self._delta({"content": event.text}, event.choice)

    def _refusal(self, event: RefusalDelta) -> bytes:
        return self._delta({"refusal": event.text}, event.choice)

    def _part_ended(self, event: PartEnded) -> bytes:
        part = event.part
        if isinstance(part, Text):
            announced = self._of(event.choice).cited.get(event.index, 0)
            return b"".join(self._cite(item, event.index, event.choice) for item in part.citations[announced:])
        if isinstance(part, Reasoning):
            return self._reasoning_ended(part, event)
        if isinstance(part, ToolCall):
            return self._call_ended(part, event)
        if isinstance(part, Media):
            return self._media_ended(part, event)
        return b""

    # -- sources -------------------------------------------------------------------------------------------------------

    def _citation(self, event: CitationAdded) -> bytes:
        return self._cite(event.citation, event.index, event.choice)

    def _cite(self, citation: Citation, index: int, choice: int) -> bytes:
        said = self._of(choice)
        said.cited[index] = said.cited.get(index, 0) + 1
        length, offset = said.lengths.get(index, 0), said.offset.get(index, 0)
        # What cannot be said is recorded at the end, when the whole answer is known.
        written = write_annotation(citation, length, offset, AdaptationLog(), "")
        if written is None:
            return b""
        # The official client puts lists together by an index, which the unstreamed form lacks.
        place, said.annotations = said.annotations, said.annotations + 1
        return self._delta({"annotations": [{"index": place, **written}]}, choice)

    # -- reasoning -----------------------------------------------------------------------------------------------------

    def _reasoning_member(self, part: Reasoning) -> str | None:
        """The member that holds the words; None where they stand in the state alone."""
        data = own_replay(part.replay, "reasoning", self._target, NAME)
        if data is not None:
            return member_of(data)
        wanted = self._target.quirks.chat.reasoning_member
        return "reasoning" if wanted == "reasoning" else "reasoning_content"

    def _reasoning_started(self, part: Reasoning, event: PartStarted, said: _Said) -> bytes:
        member = said.members[event.index] = self._reasoning_member(part)
        if part.form == "redacted":
            return b""
        if member is None:
            data: JsonObject = own_replay(part.replay, "reasoning", self._target, NAME)
            said.shapes[event.index] = state_shape(data.get("state", {}))
        words = part.text
        if said.reasoned and member != "content":
            words = "\n\n" + words  # the wire has one place for all thoughts
        said.reasoned = True
        return self._reason(words, event.index, event.choice) if words else b""

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._reason(event.text, event.index, event.choice)

    def _reason(self, words: str, index: int, choice: int) -> bytes:
        said = self._of(choice)
        member = said.members.get(index)
        if member is None:
            name, items = next(iter(said.shapes[index].items()), ("reasoning_details", [{"type": "reasoning.text"}]))
            spoken = "thinking" if name == "thinking_blocks" else "summary" if "summary" in items[0] else "text"
            return self._delta({name: [{**items[0], spoken: words}]}, choice)
        if member == "content":
            return self._delta(
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": words}]}]}, choice
            )
        return self._delta({member: words}, choice)

    def _reasoning_ended(self, part: Reasoning, event: PartEnded) -> bytes:
        data = own_replay(part.replay, "reasoning", self._target, NAME)
        state: JsonObject | None = data.get("state") if data is not None else None
        if not state:
            return b""
        said = self._of(event.choice)
        if said.members.get(event.index) == "content":
            return self._delta({"content": [{"type": "thinking", "thinking": [], **state}]}, event.choice)
        if event.index in said.shapes:
            # The words of the state were said already; what is new is whatever stands beside them.
            state = {**state, **state_shape(state)}
        return self._delta(state, event.choice)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call_started(self, part: ToolCall, event: PartStarted, said: _Said) -> bytes:
        if part.runner == "provider":
            said.silent.add(event.index)
            return b""
        if self._legacy and part.input == "json":
            said.calls[event.index] = -1
            function = {"name": part.name, "arguments": part.arguments_text}
            return self._delta({"function_call": function}, event.choice)
        place = said.calls[event.index] = len(said.calls)
        wire: JsonObject = {"index": place, "id": part.id}
        if part.input == "text":
            wire["type"] = "custom"
            wire["custom"] = {"name": part.name, "input": part.arguments_text}
        else:
            wire["type"] = "function"
            wire["function"] = {"name": part.name, "arguments": part.arguments_text}
        if part.input == "text":
            said.members[event.index] = "custom"
        return self._delta({"tool_calls": [wire]}, event.choice)

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        said = self._of(event.choice)
        if event.index in said.silent:
            return b""
        place = said.calls.get(event.index, 0)
        if place < 0:
            return self._delta({"function_call": {"arguments": event.text}}, event.choice)
        if said.members.get(event.index) == "custom":
            piece: JsonObject = {"index": place, "custom": {"input": event.text}}
        else:
            piece = {"index": place, "function": {"arguments": event.text}}
        return self._delta({"tool_calls": [piece]}, event.choice)

    def _call_ended(self, part: ToolCall, event: PartEnded) -> bytes:
        said = self._of(event.choice)
        if event.index in said.silent:
            return b""
        written = b""
        if self._foreign and not part.arguments_text and part.input == "json":
            # An empty text is no JSON, and clients parse it.
            written = self._arguments(ArgumentsDelta(event.index, "{}", event.choice))
        members = {name: value for name, value in own(part.extras).items() if not name.startswith(":")}
        state = own_replay(part.replay, "extra_content", self._target, NAME)
        if state is not None:
            members["extra_content"] = state
        place = said.calls.get(event.index, 0)
        if members and place >= 0:
            written += self._delta({"tool_calls": [{"index": place, **members}]}, event.choice)
        return written

    # -- media ---------------------------------------------------------------------------------------------------------

    def _audio_started(self, part: Media, event: PartStarted) -> bytes:
        audio_id = own_replay(part.replay, "audio", self._target, NAME)
        self._of(event.choice).members[event.index] = "audio"
        audio: JsonObject = {"id": audio_id or part.item_id or f"audio_{event.index}"}
        if part.data:
            audio["data"] = part.data
        if part.transcript:
            audio["transcript"] = part.transcript
        return self._delta({"audio": audio}, event.choice)

    def _media(self, event: MediaDelta) -> bytes:
        if self._of(event.choice).members.get(event.index) != "audio":
            return b""  # an image is given whole, at its end
        return self._delta({"audio": {"data": event.data}}, event.choice)

    def _transcript(self, event: TranscriptDelta) -> bytes:
        if self._of(event.choice).members.get(event.index) != "audio":
            return b""
        return self._delta({"audio": {"transcript": event.text}}, event.choice)

    def _media_ended(self, part: Media, event: PartEnded) -> bytes:
        if part.kind == "audio":
            notes = own(part.extras).get(":audio") or {"expires_at": 0}
            audio_id = own_replay(part.replay, "audio", self._target, NAME)
            return self._delta({"audio": {**({"id": audio_id} if audio_id else {}), **notes}}, event.choice)
        if part.kind != "image":
            return b""
        written = write_media(part, self._target, AdaptationLog(), "")
        if written is None:
            return b""
        members = {name: value for name, value in own(part.extras).items() if not name.startswith(":")}
        said = self._of(event.choice)
        place, said.images = said.images, said.images + 1
        return self._delta({"images": [{**written, **members, "index": place}]}, event.choice)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _end(self, event: Finished) -> bytes:
        response = event.response
        chunks = [self._last_chunk(choice) for choice in response.choices]
        members = {
            name: value
            for name, value in own(response.extras).items()
            if not name.startswith(":") and self._sent.get(name) != value
        }
        if response.service_tier is not None:
            members["service_tier"] = response.service_tier
        self._finished = True
        self._record(response)
        if response.usage is not None:
            if self._request.stream_usage:
                members["usage"] = encode_usage(response.usage, self._target)
                return b"".join(chunks) + self._chunk([], members)
            self._log.dropped("usage", "the client did not ask for it (stream_options.include_usage)")
        return b"".join(chunks) + (self._chunk([], members) if members else b"")

    def _last_chunk(self, choice: Choice) -> bytes:
        parts = choice.message.parts
        word: str | None = None
        if choice.finish is not None:
            word = write_finish(choice.finish, parts, AdaptationLog(), "", foreign=self._foreign)
            if self._legacy and word == "tool_calls":
                word = "function_call"
        delta = {name: value for name, value in own(choice.message.extras).items() if not name.startswith(":")}
        members = {name: value for name, value in own(choice.extras).items() if not name.startswith(":")}
        wire: JsonObject = {"index": choice.index, "delta": delta, "finish_reason": word, **members}
        return self._announce(choice.index) + self._chunk([wire])

    def _record(self, response: Response) -> None:
        """What this wire cannot say of the answer is the same, streamed or not."""
        known = replace(response, id=self._head.get("id"), created=self._head.get("created"))
        self._log.add(*encode_response(known, self._target).adaptations)


_WRITERS: Final[dict[type, Callable[[ChatStreamEncoder, Any], bytes]]] = {
    Started: ChatStreamEncoder._started,  # pyright: ignore[reportPrivateUsage]
    PartStarted: ChatStreamEncoder._part_started,  # pyright: ignore[reportPrivateUsage]
    TextDelta: ChatStreamEncoder._text,  # pyright: ignore[reportPrivateUsage]
    ReasoningDelta: ChatStreamEncoder._reasoning,  # pyright: ignore[reportPrivateUsage]
    RefusalDelta: ChatStreamEncoder._refusal,  # pyright: ignore[reportPrivateUsage]
    ArgumentsDelta: ChatStreamEncoder._arguments,  # pyright: ignore[reportPrivateUsage]
    MediaDelta: ChatStreamEncoder._media,  # pyright: ignore[reportPrivateUsage]
    TranscriptDelta: ChatStreamEncoder._transcript,  # pyright: ignore[reportPrivateUsage]
    CitationAdded: ChatStreamEncoder._citation,  # pyright: ignore[reportPrivateUsage]
    PartEnded: ChatStreamEncoder._part_ended,  # pyright: ignore[reportPrivateUsage]
    Ping: ChatStreamEncoder._ping,  # pyright: ignore[reportPrivateUsage]
    Finished: ChatStreamEncoder._end,  # pyright: ignore[reportPrivateUsage]
}
