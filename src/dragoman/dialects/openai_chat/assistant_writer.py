"""An assistant's message, in a request or in an answer: values → wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects.openai_chat.annotations import write_annotations
from dragoman.dialects.openai_chat.content import put_content
from dragoman.dialects.openai_chat.notes import NAME, own, write_members
from dragoman.dialects.openai_chat.parts import drop_foreign_state, write_media
from dragoman.dialects.openai_chat.reasoning import member_of, write_answer_reasoning, write_request_reasoning
from dragoman.dialects.openai_chat.tools import CALL_ID_LENGTH, fitted_id, write_call
from dragoman.values import Media, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult, own_replay

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dragoman.dialects.openai_chat.content import Placed
    from dragoman.values import AdaptationLog, JsonObject, Message, Part, Target

__all__ = ["AssistantWriter", "plain_answer"]

_NO_MEMBERS: Final[JsonObject] = {}


def plain_answer(message: Message) -> JsonObject | None:
    """An answer's message of text, and then calls, to which there is nothing else; None for any other.

    On the path of every answer that is translated, nearly all of which are so: `AssistantWriter` writes it alike.
    """
    if message.extras or message.name is not None:
        return None
    texts: list[str] = []
    calls: list[JsonObject] = []
    for part in message.parts:
        if part.extras or part.replay:
            return None
        if type(part) is Text and not calls:
            if part.citations or part.channel != "answer":
                return None
            texts.append(part.text)
        elif type(part) is ToolCall:
            if part.runner != "client" or part.input != "json" or not part.arguments_text:
                return None
            function = {"name": part.name, "arguments": part.arguments_text}
            calls.append({"id": part.id, "type": "function", "function": function})
        else:
            return None
    wire: JsonObject = {"role": "assistant", "content": "".join(texts) if texts else None, "refusal": None}
    if calls:
        wire["tool_calls"] = calls
    return wire


class _Draft:
    """One message in the making."""

    __slots__ = ("calls", "content", "log", "wire")

    def __init__(self, log: AdaptationLog) -> None:
        self.wire: JsonObject = {"role": "assistant"}
        self.content: list[Placed] = []
        self.calls: list[JsonObject] = []
        self.log = log


class AssistantWriter:
    """`answer` and `foreign` as in `MessageWriter`; `ids` maps the ids of calls to those written."""

    __slots__ = ("_answer", "_foreign", "_target", "ids")

    def __init__(self, target: Target, *, answer: bool, foreign: bool) -> None:
        self._target = target
        self._answer = answer
        self._foreign = foreign
        self.ids: dict[str, str] = {}

    def plain(self, parts: tuple[Part, ...]) -> JsonObject | None:
        """A request's message of one text and calls to which there is nothing else; None for any other parts."""
        if self._target.quirks.chat.call_id_form != "free":
            return None
        said: str | None = None
        calls: list[JsonObject] = []
        for part in parts:
            if part.extras or part.replay:
                return None
            if type(part) is Text:
                if said is not None or calls or part.cache is not None or part.citations or part.channel != "answer":
                    return None
                said = part.text
            elif type(part) is ToolCall:
                if part.runner != "client" or part.input != "json" or not part.arguments_text:
                    return None
                if len(part.id) > CALL_ID_LENGTH:
                    return None
                function = {"name": part.name, "arguments": part.arguments_text}
                calls.append({"id": part.id, "type": "function", "function": function})
            else:
                return None
        for call in calls:
            self.ids[call["id"]] = call["id"]
        wire: JsonObject = {"role": "assistant", "content": said}
        if calls:
            wire["tool_calls"] = calls
        return wire

    def write(self, message: Message, path: str, log: AdaptationLog) -> JsonObject:
        draft = _Draft(log)
        members = own(message.extras)
        wire = draft.wire
        if message.name is not None:
            wire["name"] = message.name
        for index, part in enumerate(message.parts):
            self._part(part, draft, f"{path}.parts[{index}]")
        if self._answer:
            self._put_answer(draft, members.get(":content"))
        else:
            put_content(wire, draft.content, members.get(":content"), self._target, log, empty=None)
        if members.get(":call") == "function_call" and len(draft.calls) == 1 and "function" in draft.calls[0]:
            wire["function_call"] = draft.calls[0]["function"]
        elif draft.calls:
            wire["tool_calls"] = draft.calls
        elif not self._answer and len(wire) == 2 and wire.get("content", "") is None and ":content" not in members:
            wire["content"] = ""  # the wire wants something
        if len(message.parts) > 1:
            _note_order(message.parts, draft, path)
        if members:
            write_members(wire, members)
        return wire

    def _part(self, part: Part, draft: _Draft, path: str) -> None:
        _WRITERS[type(part)](self, part, draft, path)
        if part.extras and not isinstance(part, (Text, ToolCall)):
            draft.log.foreign_extras(part.extras, NAME, path)
        if part.replay and isinstance(part, (Refusal, Media)):
            drop_foreign_state(part, self._target, draft.log, path)

    def _text(self, part: Text, draft: _Draft, path: str) -> None:
        draft.content.append((part, path))
        if part.channel != "answer":
            draft.log.substituted(f"{path}.channel", "the wire has one channel", part.channel, "answer")
        if part.citations and not self._answer:
            shown = [citation for citation in part.citations if ":from" not in own(citation.extras)]
            if shown:
                draft.log.dropped(f"{path}.citations", "a request cites no sources", len(shown))

    def _reasoning(self, part: Reasoning, draft: _Draft, path: str) -> None:
        data = own_replay(part.replay, "reasoning", self._target, NAME)
        if data is not None and member_of(data) == "content":
            draft.content.append((part, path))
        elif self._answer:
            write_answer_reasoning(part, draft.wire, self._target, draft.log, path)
        else:
            said = ":said" in own(part.extras)
            write_request_reasoning(part, draft.wire, self._target, draft.log, path, said=said)

    def _refusal(self, part: Refusal, draft: _Draft, _path: str) -> None:
        draft.wire["refusal"] = draft.wire.get("refusal", "") + part.text

    def _call(self, part: ToolCall, draft: _Draft, path: str) -> None:
        if part.runner == "provider":
            draft.log.dropped(path, "a tool that another provider ran itself", part.name)
            return
        call_id = part.id if self._answer else self._fitted(part, draft, path)
        wire = write_call(part, self._target, draft.log, path, answer=self._answer, call_id=call_id)
        if self._foreign and not part.arguments_text and part.input == "json":
            wire["function"]["arguments"] = "{}"  # an empty text is no JSON, and clients parse it
        draft.calls.append(wire)

    def _fitted(self, call: ToolCall, draft: _Draft, path: str) -> str:
        own_id = own_replay(call.replay, "call_id", self._target, NAME)
        if own_id == call.id or own(call.extras).get(":id") == call.id:
            fitted = call.id
        else:
            fitted = fitted_id(call.id, self._target.quirks.chat.call_id_form)
        if fitted != call.id:
            draft.log.substituted(f"{path}.id", "the host bounds the ids of tool calls", call.id, fitted)
        self.ids[call.id] = fitted
        return fitted

    def _result(self, part: ToolResult, draft: _Draft, path: str) -> None:
        draft.log.dropped(path, "the result of a tool that a provider ran itself", part.call_id)

    def _opaque(self, part: Opaque, draft: _Draft, path: str) -> None:
        if part.dialect == NAME:
            draft.content.append((part, path))
        else:
            draft.log.dropped(path, f"only {part.dialect} has {part.kind}", part.kind)

    # -- media ---------------------------------------------------------------------------------------------------------

    def _media(self, part: Media, draft: _Draft, path: str) -> None:
        written: JsonObject | None = None
        if part.kind == "image":
            said = own(part.extras).get(":said") == "images"
            if said or self._answer or own_replay(part.replay, "images", self._target, NAME):
                written = write_media(part, self._target, draft.log, path)
                if written is not None:
                    write_members(written, own(part.extras))
                    draft.wire.setdefault("images", []).append(written)
                return
        elif part.kind == "audio" and "audio" not in draft.wire:
            written = self._audio(part, draft, path)
        if written is None:
            draft.log.dropped(path, "an assistant's message holds no such media", part.kind)
        else:
            draft.wire["audio"] = written

    def _audio(self, part: Media, draft: _Draft, path: str) -> JsonObject | None:
        audio_id = own_replay(part.replay, "audio", self._target, NAME)
        if not self._answer:
            # A request names earlier audio by its id.
            if audio_id is None and part.issuer in (None, self._target.issuer):
                audio_id = part.file_id
            return {"id": audio_id} if audio_id is not None else None
        if part.data is None:
            return None
        notes: JsonObject | None = own(part.extras).get(":audio")
        wire: JsonObject = {"data": part.data}
        if audio_id is not None:
            wire["id"] = audio_id
        elif notes is None:
            wire["id"] = part.item_id or "audio_0"
            draft.log.defaulted(f"{path}.item_id", "the wire wants an id of audio", wire["id"])
        if part.transcript is not None or notes is None:
            wire["transcript"] = part.transcript or ""
        return {**wire, **({"expires_at": 0} if notes is None else notes)}

    # -- the text of an answer -----------------------------------------------------------------------------------------

    def _put_answer(self, draft: _Draft, form: str | None) -> None:
        """`content` and `refusal` of an answer: one text, as clients expect, unless the host itself gave a list."""
        wire, content, log = draft.wire, draft.content, draft.log
        texts = [(part, where) for part, where in content if isinstance(part, Text)]
        if not content or form == "list" or len(texts) != len(content):
            put_content(wire, content, form, self._target, log, empty=None)
        else:
            wire["content"] = texts[0][0].text if len(texts) == 1 else "".join(part.text for part, _ in texts)
            for part, where in texts:
                if part.extras:
                    log.foreign_extras(part.extras, NAME, where)
                if part.replay:
                    drop_foreign_state(part, self._target, log, where)
        annotations: list[JsonObject] = []
        offset = 0
        for part, where in texts:
            if part.citations:
                annotations += write_annotations(part, offset, log, where)
            offset += len(part.text)
        if annotations:
            wire["annotations"] = annotations
        wire.setdefault("refusal", None)


_WRITERS: Final[dict[type, Callable[[AssistantWriter, Any, _Draft, str], None]]] = {
    Text: AssistantWriter._text,  # pyright: ignore[reportPrivateUsage]
    Reasoning: AssistantWriter._reasoning,  # pyright: ignore[reportPrivateUsage]
    Refusal: AssistantWriter._refusal,  # pyright: ignore[reportPrivateUsage]
    Media: AssistantWriter._media,  # pyright: ignore[reportPrivateUsage]
    ToolCall: AssistantWriter._call,  # pyright: ignore[reportPrivateUsage]
    ToolResult: AssistantWriter._result,  # pyright: ignore[reportPrivateUsage]
    Opaque: AssistantWriter._opaque,  # pyright: ignore[reportPrivateUsage]
}
_RANKS: Final[dict[type, int]] = {Text: 1, Opaque: 1, Refusal: 2, Media: 3, ToolCall: 4, ToolResult: 4}


def _note_order(parts: tuple[Part, ...], draft: _Draft, path: str) -> None:
    """Records an order of parts that this wire has no place for."""
    ranks = [_rank(part, draft) for part in parts]
    if ranks != sorted(ranks):
        draft.log.substituted(f"{path}.parts", "the wire tells reasoning, text and calls, in that order", "order")


def _rank(part: Part, draft: _Draft) -> int:
    if isinstance(part, Reasoning):
        if any(part is placed for placed, _ in draft.content):
            return 1
        return 5 if part.form == "redacted" else 0
    return _RANKS[type(part)]
