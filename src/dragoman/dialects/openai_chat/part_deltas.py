"""The parts of one choice, as the deltas of its chunks: events → objects that stand under `delta`.

What cannot be said is not recorded here, but at the end of the stream, when the whole answer is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.openai_chat.annotations import write_annotation
from dragoman.dialects.openai_chat.notes import NAME, own
from dragoman.dialects.openai_chat.parts import write_media
from dragoman.dialects.openai_chat.reasoning import member_of, state_shape
from dragoman.values import (
    AdaptationLog,
    ArgumentsDelta,
    CitationAdded,
    Event,
    Media,
    MediaDelta,
    Opaque,
    PartEnded,
    PartStarted,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Text,
    TextDelta,
    ToolCall,
    TranscriptDelta,
    own_replay,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import Citation, JsonObject, Target

__all__ = ["PartDeltas", "members_in"]


def members_in(extras: Any) -> JsonObject:
    """This dialect's members, without the notes."""
    return {name: value for name, value in own(extras).items() if not name.startswith(":")}


class PartDeltas:
    """One per choice. `foreign`: the answer comes over another dialect; `legacy`: the client speaks of functions."""

    __slots__ = (
        "_annotations",
        "_calls",
        "_cited",
        "_foreign",
        "_gaps",
        "_images",
        "_legacy",
        "_members",
        "_offsets",
        "_reasoned",
        "_shapes",
        "_target",
        "lengths",
    )

    def __init__(self, target: Target, *, foreign: bool, legacy: bool) -> None:
        self._target = target
        self._foreign = foreign
        self._legacy = legacy
        self._annotations = 0
        self._images = 0
        self._reasoned = False
        self._gaps: set[int] = set()
        self._calls: dict[int, int] = {}
        self._cited: dict[int, int] = {}
        self._members: dict[int, str | None] = {}
        self._offsets: dict[int, int] = {}
        self._shapes: dict[int, JsonObject] = {}
        self.lengths: dict[int, int] = {}

    def of(self, event: Event) -> list[JsonObject]:
        """The deltas that say what the event says; none for what this wire does not say, or not yet."""
        writer = _WRITERS.get(type(event))
        return writer(self, event) if writer is not None else []

    def _started(self, event: PartStarted) -> list[JsonObject]:
        part = event.part
        if isinstance(part, Text):
            return self._text_started(part, event.index)
        if isinstance(part, Reasoning):
            return self._reasoning_started(part, event.index)
        if isinstance(part, ToolCall):
            return self._call_started(part, event.index)
        if isinstance(part, Refusal):
            return [{"refusal": part.text}] if part.text else []
        if isinstance(part, Media) and part.kind == "audio":
            return self._audio_started(part, event.index)
        if isinstance(part, Opaque) and part.dialect == NAME:
            return [{"content": [part.data]}]
        return []

    def _ended(self, event: PartEnded) -> list[JsonObject]:
        part = event.part
        if isinstance(part, Text):
            rest = part.citations[self._cited.get(event.index, 0) :]
            return [delta for citation in rest for delta in self._cite(citation, event.index)]
        if isinstance(part, Reasoning):
            return self._reasoning_ended(part, event.index)
        if isinstance(part, ToolCall):
            return self._call_ended(part, event.index)
        if isinstance(part, Media):
            return self._media_ended(part)
        return []

    # -- text and its sources ------------------------------------------------------------------------------------------

    def _text_started(self, part: Text, index: int) -> list[JsonObject]:
        self._offsets[index] = sum(self.lengths.values())
        self.lengths[index] = len(part.text)
        deltas: list[JsonObject] = [{"content": part.text}] if part.text else []
        for citation in part.citations:
            deltas += self._cite(citation, index)
        return deltas

    def _text(self, event: TextDelta) -> list[JsonObject]:
        self.lengths[event.index] = self.lengths.get(event.index, 0) + len(event.text)
        return [{"content": event.text}]

    def _citation(self, event: CitationAdded) -> list[JsonObject]:
        return self._cite(event.citation, event.index)

    def _cite(self, citation: Citation, index: int) -> list[JsonObject]:
        self._cited[index] = self._cited.get(index, 0) + 1
        written = write_annotation(
            citation, self.lengths.get(index, 0), self._offsets.get(index, 0), AdaptationLog(), ""
        )
        if written is None:
            return []
        # The official client puts lists together by an index, which the unstreamed form lacks.
        place, self._annotations = self._annotations, self._annotations + 1
        return [{"annotations": [{"index": place, **written}]}]

    def _refusal(self, event: RefusalDelta) -> list[JsonObject]:
        return [{"refusal": event.text}]

    # -- reasoning -----------------------------------------------------------------------------------------------------

    def _reasoning_started(self, part: Reasoning, index: int) -> list[JsonObject]:
        data: JsonObject | None = own_replay(part.replay, "reasoning", self._target, NAME)
        if data is not None:
            member = member_of(data)
        else:
            wanted = self._target.quirks.chat.reasoning_member
            member = "reasoning" if wanted == "reasoning" else "reasoning_content"
        self._members[index] = member
        if part.form == "redacted":
            return []
        if member is None and data is not None:
            self._shapes[index] = state_shape(data.get("state", {}))
        if self._reasoned and member != "content":
            self._gaps.add(index)
        return self._reason(part.text, index) if part.text else []

    def _reasoning(self, event: ReasoningDelta) -> list[JsonObject]:
        return self._reason(event.text, event.index)

    def _reason(self, words: str, index: int) -> list[JsonObject]:
        member = self._members.get(index)
        self._reasoned = True
        if index in self._gaps:  # the wire has one place for all thoughts
            self._gaps.remove(index)
            words = "\n\n" + words
        if member == "content":
            return [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": words}]}]}]
        if member is not None:
            return [{member: words}]
        shapes = self._shapes.get(index, {})
        name, items = next(iter(shapes.items()), ("reasoning_details", [{"type": "reasoning.text"}]))
        spoken = "thinking" if name == "thinking_blocks" else "summary" if "summary" in items[0] else "text"
        return [{name: [{**items[0], spoken: words}]}]

    def _reasoning_ended(self, part: Reasoning, index: int) -> list[JsonObject]:
        data: JsonObject | None = own_replay(part.replay, "reasoning", self._target, NAME)
        state: JsonObject | None = data.get("state") if data is not None else None
        if not state:
            return []
        if self._members.get(index) == "content":
            return [{"content": [{"type": "thinking", "thinking": [], **state}]}]
        if index in self._shapes:
            # The words of the state were said already; what is new is whatever stands beside them.
            return [{**state, **state_shape(state)}]
        return [state]

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call_started(self, part: ToolCall, index: int) -> list[JsonObject]:
        if part.runner == "provider":
            return []
        if self._legacy and part.input == "json":
            self._calls[index] = -1
            return [{"function_call": {"name": part.name, "arguments": part.arguments_text}}]
        place = self._calls[index] = len(self._calls)
        wire: JsonObject = {"index": place, "id": part.id}
        if part.input == "text":
            self._members[index] = "custom"
            wire["type"] = "custom"
            wire["custom"] = {"name": part.name, "input": part.arguments_text}
        else:
            wire["type"] = "function"
            wire["function"] = {"name": part.name, "arguments": part.arguments_text}
        return [{"tool_calls": [wire]}]

    def _arguments(self, event: ArgumentsDelta) -> list[JsonObject]:
        return self._argue(event.text, event.index)

    def _argue(self, words: str, index: int) -> list[JsonObject]:
        place = self._calls.get(index)
        if place is None:
            return []  # a tool that a provider ran itself
        if place < 0:
            return [{"function_call": {"arguments": words}}]
        if self._members.get(index) == "custom":
            return [{"tool_calls": [{"index": place, "custom": {"input": words}}]}]
        return [{"tool_calls": [{"index": place, "function": {"arguments": words}}]}]

    def _call_ended(self, part: ToolCall, index: int) -> list[JsonObject]:
        place = self._calls.get(index)
        if place is None:
            return []
        deltas: list[JsonObject] = []
        if self._foreign and not part.arguments_text and part.input == "json":
            deltas += self._argue("{}", index)  # an empty text is no JSON, and clients parse it
        members = members_in(part.extras)
        state = own_replay(part.replay, "extra_content", self._target, NAME)
        if state is not None:
            members["extra_content"] = state
        if members and place >= 0:
            deltas.append({"tool_calls": [{"index": place, **members}]})
        return deltas

    # -- media ---------------------------------------------------------------------------------------------------------

    def _audio_started(self, part: Media, index: int) -> list[JsonObject]:
        self._members[index] = "audio"
        audio_id = own_replay(part.replay, "audio", self._target, NAME)
        audio: JsonObject = {"id": audio_id or part.item_id or f"audio_{index}"}
        if part.data:
            audio["data"] = part.data
        if part.transcript:
            audio["transcript"] = part.transcript
        return [{"audio": audio}]

    def _media(self, event: MediaDelta) -> list[JsonObject]:
        # An image is given whole, at its end.
        return [{"audio": {"data": event.data}}] if self._members.get(event.index) == "audio" else []

    def _transcript(self, event: TranscriptDelta) -> list[JsonObject]:
        return [{"audio": {"transcript": event.text}}] if self._members.get(event.index) == "audio" else []

    def _media_ended(self, part: Media) -> list[JsonObject]:
        if part.kind == "audio":
            notes: JsonObject = own(part.extras).get(":audio", {"expires_at": 0})
            audio_id = own_replay(part.replay, "audio", self._target, NAME)
            return [{"audio": {"id": audio_id, **notes} if audio_id else notes}]
        if part.kind != "image":
            return []
        written = write_media(part, self._target, AdaptationLog(), "")
        if written is None:
            return []
        place, self._images = self._images, self._images + 1
        return [{"images": [{**written, **members_in(part.extras), "index": place}]}]


_WRITERS: Final[dict[type, Callable[[PartDeltas, Any], list[JsonObject]]]] = {
    PartStarted: PartDeltas._started,  # pyright: ignore[reportPrivateUsage]
    TextDelta: PartDeltas._text,  # pyright: ignore[reportPrivateUsage]
    ReasoningDelta: PartDeltas._reasoning,  # pyright: ignore[reportPrivateUsage]
    RefusalDelta: PartDeltas._refusal,  # pyright: ignore[reportPrivateUsage]
    ArgumentsDelta: PartDeltas._arguments,  # pyright: ignore[reportPrivateUsage]
    MediaDelta: PartDeltas._media,  # pyright: ignore[reportPrivateUsage]
    TranscriptDelta: PartDeltas._transcript,  # pyright: ignore[reportPrivateUsage]
    CitationAdded: PartDeltas._citation,  # pyright: ignore[reportPrivateUsage]
    PartEnded: PartDeltas._ended,  # pyright: ignore[reportPrivateUsage]
}
