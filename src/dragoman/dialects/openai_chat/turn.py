"""One choice of a streamed answer: its deltas → parts, in the order that the unstreamed form has.

What arrives in pieces is put together as an unstreamed message would hold it: texts are joined, state is merged item by
item, unknown members keep the last thing they said. Parts end with the wire's own end, since a host may go on after a
`finish_reason` (some write one on every chunk).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.openai_chat.annotations import read_annotation
from dragoman.dialects.openai_chat.finish import read_finish
from dragoman.dialects.openai_chat.notes import NAME, VOID, extras_of
from dragoman.dialects.openai_chat.parts import read_image, read_part
from dragoman.dialects.openai_chat.reasoning import (
    REASONING_MEMBERS,
    STATE_MEMBERS,
    TEXT_MEMBERS,
    merge_state,
    reasoning_replay,
    state_form,
    state_shape,
    state_text,
    words_under,
)
from dragoman.dialects.openai_chat.turn_calls import TurnCalls
from dragoman.dialects.reading import object_of, objects_in, text
from dragoman.values import Citation, Media, PartEnded, Reasoning, Refusal, Replay, Text, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.values import Assembly, Event, JsonObject, Target

__all__ = ["Turn"]

_CONTENT: Final = frozenset(("content", "refusal", "audio", "images", "annotations", "tool_calls", "function_call"))
_BEARING: Final = frozenset((*REASONING_MEMBERS, *_CONTENT, "executed_tools"))
_SILENT: Final = frozenset(("role", "content", "name", "obfuscation"))


class Turn:
    """See the module's docstring; `finish` is the last word the choice said about its end."""

    __slots__ = (
        "_assembly",
        "_audio",
        "_calls",
        "_citations",
        "_cited",
        "_executed",
        "_held",
        "_logprobs",
        "_members",
        "_reasoning",
        "_reasoning_member",
        "_refusal",
        "_state",
        "_target",
        "_thoughts",
        "_twin",
        "choice_members",
        "finish",
        "index",
        "text_key",
    )

    def __init__(self, index: int, assembly: Assembly, target: Target) -> None:
        self.index = index
        self.finish: str | None = None
        self.text_key: object = None
        self.choice_members: JsonObject = {}
        self._assembly = assembly
        self._target = target
        self._calls = TurnCalls(index, assembly, target)
        self._held = ""
        self._reasoning: object = None
        self._reasoning_member: str | None = None
        self._state: JsonObject = {}
        self._thoughts: object = None
        self._refusal: object = None
        self._audio: JsonObject | None = None
        self._citations: list[JsonObject] = []
        self._cited = False
        self._twin: JsonObject = {}
        self._executed: list[JsonObject] = []
        self._members: JsonObject = {}
        self._logprobs: JsonObject = {}

    @staticmethod
    def bears_content(delta: JsonObject) -> bool:
        """Whether the delta says something, and not only who speaks."""
        return any(delta[name] for name in _BEARING.intersection(delta))

    def take(self, delta: JsonObject, path: str) -> list[Event]:
        """One delta. Within it the order is reasoning, content, refusal, media, calls, whatever the members' order."""
        events: list[Event] = []
        if not REASONING_MEMBERS.isdisjoint(delta):
            self._take_reasoning(delta, path, events)
        content = delta.get("content")
        if content:
            self._take_content(content, path, events)
        for name, value in delta.items():
            if name in _SILENT or value is None or name in REASONING_MEMBERS:
                continue
            reader = _READERS.get(name)
            if reader is not None:
                reader(self, delta, path, events)
            elif value or name not in self._members:
                self._members[name] = value
        return events

    def take_logprobs(self, logprobs: JsonObject) -> None:
        """Token lists grow; anything else is replaced."""
        for name, value in logprobs.items():
            held = self._logprobs.get(name)
            if isinstance(value, list) and isinstance(held, list):
                self._logprobs[name] = [*held, *value]
            elif value is not None or name not in self._logprobs:
                self._logprobs[name] = value

    # -- text ----------------------------------------------------------------------------------------------------------

    def _take_content(self, content: Any, path: str, events: list[Event]) -> None:
        if isinstance(content, str):
            self._say(content, events)
            return
        for index, item in enumerate(objects_in({"content": content}, "content", path)):
            self._take_item(item, f"{path}.content[{index}]", events)

    def _say(self, words: str, events: list[Event]) -> None:
        if self.text_key is None:
            # Blank beginnings wait: several hosts send a line break before the reasoning begins (GLM, Qwen).
            words = self._held + words
            if not words.strip():
                self._held = words
                return
            self._open_text(events)
        events += self._assembly.delta(self.text_key, words)

    def _open_text(self, events: list[Event]) -> None:
        self._held = ""
        self._thoughts = None
        self.text_key = object()
        events.append(self._assembly.open(self.text_key, Text(text=""), choice=self.index))
        waiting, self._citations = self._citations, []
        for annotation in waiting:
            self._cite(annotation, "annotations", events)

    def _flush(self, events: list[Event]) -> None:
        """What is blank and was held is text after all, when something comes that stands behind the text."""
        if self._held:
            words = self._held
            self._open_text(events)
            events += self._assembly.delta(self.text_key, words)

    def _take_item(self, item: JsonObject, path: str, events: list[Event]) -> None:
        """One item of a content list (Mistral's shape): pieces of thought and of text, and whole parts."""
        kind = item.get("type")
        if kind == "text":
            self._say(text(item, "text", path) or "", events)
            return
        part = read_part(item, self._target, path)
        if isinstance(part, Reasoning):
            if self._thoughts is None:
                self.text_key = None
                self._thoughts = object()
                begun = Reasoning(replay=(reasoning_replay("content", {}, self._target),))
                events.append(self._assembly.open(self._thoughts, begun, choice=self.index))
            events += self._assembly.delta(self._thoughts, part.text)
            self._assembly.amend(self._thoughts, replay=part.replay)
        else:
            self._flush(events)
            self.text_key = self._thoughts = None
            events += self._assembly.whole(part, choice=self.index)

    def _take_refusal(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        words = text(delta, "refusal", path)
        if words:
            if self._refusal is None:
                self._flush(events)
                self._refusal = object()
                events.append(self._assembly.open(self._refusal, Refusal(text=""), choice=self.index))
            events += self._assembly.delta(self._refusal, words)

    # -- reasoning -----------------------------------------------------------------------------------------------------

    def _take_reasoning(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        words = ""
        for name in TEXT_MEMBERS:
            said = words_under(delta, name, path)
            if said and not words and self._reasoning_member in (None, name):
                words, self._reasoning_member = said, name
            elif said:
                # A host that says it twice, under two names: the second is kept as a form.
                self._twin[name] = self._twin.get(name, "") + said
        spoken: JsonObject = {}
        for name in STATE_MEMBERS:
            if delta.get(name):
                merge_state(self._state, name, delta, path)
                spoken[name] = delta[name]
        if not words and self._reasoning_member is None:
            words = state_text(spoken)
        if not words:
            return
        if self._reasoning is None:
            self._reasoning = object()
            # The replay of the beginning tells an encoder where the words stood.
            member = self._reasoning_member
            shape = {} if member is not None else state_shape(spoken)
            begun = Reasoning(replay=(reasoning_replay(member, shape, self._target),))
            events.append(self._assembly.open(self._reasoning, begun, choice=self.index))
        events += self._assembly.delta(self._reasoning, words)

    def _close_reasoning(self, events: list[Event]) -> None:
        if self._reasoning is None:
            if self._state:
                replay = reasoning_replay(None, self._state, self._target)
                events += self._assembly.whole(Reasoning(form="redacted", replay=(replay,)), choice=self.index)
            return
        spoken = self._assembly.received(self._reasoning)
        self._assembly.amend(
            self._reasoning,
            form=state_form(spoken, self._state),
            replay=(reasoning_replay(self._reasoning_member, self._state, self._target),),
        )

    # -- media ---------------------------------------------------------------------------------------------------------

    def _take_audio(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        where = f"{path}.audio"
        audio = object_of(delta["audio"], where)
        data, words = text(audio, "data", where), text(audio, "transcript", where)
        if self._audio is None:
            if not data and not words and not audio.get("id"):
                return
            self._flush(events)
            self._audio = {}
            begun = Media(kind="audio", replay=self._audio_replay(audio.get("id")))
            events.append(self._assembly.open(self._audio_key, begun, choice=self.index))
        events += self._assembly.delta(self._audio_key, data or "")
        events += self._assembly.transcript(self._audio_key, words or "")
        self._audio.update((name, value) for name, value in audio.items() if name not in ("data", "transcript"))

    @property
    def _audio_key(self) -> tuple[str, int]:
        return ("audio", self.index)

    def _close_audio(self) -> None:
        if self._audio is None:
            return
        notes = dict(self._audio)
        self._assembly.amend(self._audio_key, replay=self._audio_replay(notes.pop("id", None)))
        self._assembly.amend(self._audio_key, extras=extras_of({":audio": notes}))
        if not self._assembly.received(self._audio_key):
            self._assembly.amend(self._audio_key, data="")

    def _audio_replay(self, audio_id: Any) -> tuple[Replay, ...]:
        if not isinstance(audio_id, str) or not audio_id:
            return ()
        return (Replay(issuer=self._target.issuer, dialect=NAME, kind="audio", data=audio_id),)

    def _take_images(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        for index, image in enumerate(objects_in(delta, "images", path)):
            self._flush(events)
            mark = Replay(issuer=self._target.issuer, dialect=NAME, kind="images", data=True)
            media = replace(read_image(image, f"{path}.images[{index}]"), replay=(mark,))
            events += self._assembly.whole(media, choice=self.index)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def _take_calls(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        calls = objects_in(delta, "tool_calls", path)
        if calls:
            self._flush(events)
        for index, call in enumerate(calls):
            events += self._calls.take(call, f"{path}.tool_calls[{index}]", index - len(calls))

    def _take_legacy_call(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        self._flush(events)
        events += self._calls.take_legacy(object_of(delta["function_call"], f"{path}.function_call"), path)

    def _take_annotations(self, delta: JsonObject, path: str, events: list[Event]) -> None:
        for index, annotation in enumerate(objects_in(delta, "annotations", path)):
            if self.text_key is None:
                self._citations.append(annotation)
            else:
                self._cite(annotation, f"{path}.annotations[{index}]", events)

    def _cite(self, annotation: JsonObject, path: str, events: list[Event]) -> None:
        self._cited = True
        if "index" in annotation:  # counts the pieces of the stream, and says nothing of the source
            annotation = {name: value for name, value in annotation.items() if name != "index"}
        events += self._assembly.cite(self.text_key, read_annotation(annotation, path))

    def _take_executed(self, delta: JsonObject, path: str, _events: list[Event]) -> None:
        """Groq's own tools: an item comes again with its output."""
        for item in objects_in(delta, "executed_tools", path):
            for held in self._executed:
                if held.get("index") == item.get("index"):
                    held.update(item)
                    break
            else:
                self._executed.append(dict(item))

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self, sources: Sequence[Citation]) -> list[Event]:
        """Ends the parts and notes why the choice ended; `sources` are those of the whole answer."""
        events: list[Event] = []
        self._flush(events)
        self._close_audio()
        events += self._calls.close()
        self._close_reasoning(events)
        self._cite_sources(sources, events)
        self._put_members()
        ended = self._assembly.end_all(self.index)
        parts = [event.part for event in ended if isinstance(event, PartEnded)]
        self._assembly.finish(read_finish(self.finish, parts), choice=self.index)
        return events + ended

    def _cite_sources(self, sources: Sequence[Citation], events: list[Event]) -> None:
        if self._cited:
            return
        for key in self._assembly.open_keys(self.index):
            if isinstance(self._assembly.skeleton(key), Text):
                for citation in sources:
                    events += self._assembly.cite(key, citation)
                return

    def _put_members(self) -> None:
        members = self._members
        if self._citations:
            members["annotations"] = self._citations
        if self._executed:
            members["executed_tools"] = self._executed
        if self._calls.legacy:
            members[":call"] = "function_call"
        if self._twin:
            members[VOID] = self._twin
        if members:
            self._assembly.extend_message(self.index, extras_of(members))
        if any(self._logprobs.values()):
            self.choice_members["logprobs"] = self._logprobs
        if self.choice_members:
            self._assembly.extend_choice(self.index, extras_of(self.choice_members))


_READERS: Final[dict[str, Callable[[Turn, JsonObject, str, list[Event]], None]]] = {
    "refusal": Turn._take_refusal,  # pyright: ignore[reportPrivateUsage]
    "audio": Turn._take_audio,  # pyright: ignore[reportPrivateUsage]
    "images": Turn._take_images,  # pyright: ignore[reportPrivateUsage]
    "annotations": Turn._take_annotations,  # pyright: ignore[reportPrivateUsage]
    "tool_calls": Turn._take_calls,  # pyright: ignore[reportPrivateUsage]
    "function_call": Turn._take_legacy_call,  # pyright: ignore[reportPrivateUsage]
    "executed_tools": Turn._take_executed,  # pyright: ignore[reportPrivateUsage]
}
