"""Parts of a message → parts of the wire, in a request and in an answer.

What differs: an answer may show a reader thoughts of whatever model, while a request may give a model back its own
alone; and in a request a call that another issuer's model made needs a signature (quirk `call_signature`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.file_ids import issued_to
from dragoman.dialects.gemini.media import media_member
from dragoman.dialects.gemini.members import NAME, own, write, write_inner
from dragoman.dialects.gemini.parts import SIGNATURE, UNTYPED
from dragoman.dialects.gemini.results import write_response
from dragoman.values import Media, Opaque, Reasoning, Refusal, Text, ToolCall, own_replay

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dragoman.values import AdaptationLog, JsonObject, Part, Replay, Target, ToolResult, ToolResultPart

__all__ = ["PartWriter"]

_LEVELS = {
    "low": "MEDIA_RESOLUTION_LOW",
    "medium": "MEDIA_RESOLUTION_MEDIUM",
    "high": "MEDIA_RESOLUTION_HIGH",
    "ultra_high": "MEDIA_RESOLUTION_ULTRA_HIGH",
}


class PartWriter:
    """Writes parts, and records in `log` what cannot be said. `beside` holds media that a result cannot hold."""

    def __init__(
        self,
        target: Target,
        log: AdaptationLog,
        *,
        answering: bool,
        tool_names: Mapping[str, str] | None = None,
        nameless_calls: Collection[str] = (),
    ) -> None:
        self._target = target
        self._quirks = target.quirks.gemini
        self._log = log
        self._answering = answering
        self._tool_names = tool_names or {}
        self._nameless_calls = nameless_calls
        self.beside: list[JsonObject] = []
        self.keep_empty = True
        """Whether empty texts are written: the host refuses them, but a client of this wire may have sent them."""

    def write(self, part: Part, path: str) -> JsonObject | None:
        """The wire's part; None where nothing of it can be said."""
        if part.extras:
            self._log.foreign_extras(part.extras, NAME, path)
        if part.cache is not None:
            self._log.dropped(f"{path}.cache", "the host caches prefixes by itself", part.cache.ttl)
        members = self._members(part, path)
        if members is None:
            if part.replay:
                self._signature(part.replay, path)
            return None
        extras = own(part.extras)
        if part.replay:
            signature = self._signature(part.replay, path)
            if signature is not None:
                members["thoughtSignature"] = signature
        thought = extras.get(":thought")
        if thought is not None and "thought" not in members:
            members["thought"] = thought
        if self._quirks.refused:
            for name in [name for name in members if name in self._quirks.refused]:
                self._log.dropped(f"{path}.{name}", "the host refuses it", members.pop(name))
        return write(members, _outer(extras)) if extras else members

    def _members(self, part: Part, path: str) -> JsonObject | None:
        match part:
            case Text():
                return self._text(part, path)
            case Reasoning():
                return self._reasoning(part, path)
            case Refusal():
                self._log.substituted(path, "a refusal is said as text here")
                return {"text": part.text}
            case Media():
                return self._media(part, path)
            case ToolCall():
                return self._call(part, path)
            case Opaque():
                return self._opaque(part, path)
            case _:
                return self._result(part, path)

    def _signature(self, replays: tuple[Replay, ...], path: str) -> str | None:
        """The signature that this target may have; what it may not is recorded."""
        signature: Any = own_replay(replays, SIGNATURE, self._target, NAME)
        for replay in replays:
            if replay.kind == SIGNATURE and signature is not None and replay.data == signature:
                continue
            self._log.dropped(f"{path}.replay", f"replay state of {replay.issuer}")
        return signature

    # -- words and media -----------------------------------------------------------------------------------------------

    def _text(self, part: Text, path: str) -> JsonObject | None:
        if part.citations and not self._answering:
            self._log.dropped(f"{path}.citations", "only answers have citations here")
        if part.channel != "answer":
            self._log.dropped(f"{path}.channel", "text has no channel here", part.channel)
        if not part.text and not self.keep_empty and own_replay(part.replay, SIGNATURE, self._target, NAME) is None:
            self._log.dropped(path, "the host refuses an empty text")
            return None
        return {} if not part.text and ":textless" in own(part.extras) else {"text": part.text}

    def _reasoning(self, part: Reasoning, path: str) -> JsonObject | None:
        extras = own(part.extras)
        native = ":thought" in extras or own_replay(part.replay, SIGNATURE, self._target, NAME) is not None
        if not native and not self._answering:
            self._log.dropped(path, "a model gets back its own thoughts alone")
            return None
        if not native and not part.text:
            self._log.dropped(path, "there is nothing to show in it")
            return None
        if not part.text and ":textless" in extras:
            return {"thought": True}
        return {"text": part.text, "thought": True}

    def _media(self, part: Media, path: str) -> JsonObject | None:
        members: JsonObject
        if part.text is not None and part.data is None and part.url is None and part.file_id is None:
            self._log.substituted(path, "a document in plain words goes as text")
            return {"text": part.text}
        allowed = issued_to(part, self._target, self._log, path)
        member = None if allowed is None else media_member(allowed, self._log, path)
        if member is None:
            return None
        members = {member[0]: member[1]}
        if part.channel == "commentary" and ":thought" not in own(part.extras):
            if self._answering:
                members["thought"] = True
            else:
                self._log.dropped(f"{path}.channel", "media have no channel here", part.channel)
        if part.detail is not None and part.detail != "auto":
            level = _LEVELS.get(part.detail)
            if level is None:
                self._log.dropped(f"{path}.detail", "there is no such media resolution", part.detail)
            else:
                members["mediaResolution"] = {"level": level}
        if part.transcript is not None:
            self._log.dropped(f"{path}.transcript", "media have no transcripts here", part.transcript)
        return members

    def _opaque(self, part: Opaque, path: str) -> JsonObject | None:
        if part.dialect != NAME:
            self._log.dropped(path, f"only {part.dialect} knows {part.kind}")
            return None
        return dict(cast("JsonObject", part.data))

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, part: ToolCall, path: str) -> JsonObject | None:
        extras = own(part.extras)
        if part.runner == "provider":
            return self._provider_call(part, extras, path)
        members: JsonObject = {"name": part.name}
        arguments = self._arguments(part, extras, path)
        if arguments is not None:
            members["args"] = arguments
        _identify(members, part.id, extras)
        return {"functionCall": write_inner(members, "functionCall", extras)}

    def _arguments(self, part: ToolCall, extras: JsonObject, path: str) -> JsonObject | None:
        words = part.arguments_text
        if not words.strip():
            return None if ":argless" in extras else {}
        value = _object_in(words) if part.input == "json" else None
        if value is None:
            self._log.substituted(f"{path}.arguments_text", "arguments are an object here", applied={"input": words})
            return {"input": words}
        return value

    def _provider_call(self, part: ToolCall, extras: JsonObject, path: str) -> JsonObject | None:
        member = extras.get(":member")
        arguments = _object_in(part.arguments_text) if part.arguments_text else None
        if member == "executableCode" and arguments is not None:
            _identify(arguments, part.id, extras)
            return {member: write_inner(arguments, member, extras)}
        if member == "toolCall":
            members = _typed(part.name, extras)
            if arguments is not None:
                members["args"] = arguments
            _identify(members, part.id, extras)
            return {member: write_inner(members, member, extras)}
        self._log.dropped(path, f"the tool {part.name} was run by another provider")
        return None

    # -- results -------------------------------------------------------------------------------------------------------

    def _result(self, part: ToolResult, path: str) -> JsonObject | None:
        extras = own(part.extras)
        if part.runner == "provider":
            return self._provider_result(part, extras, path)
        texts = tuple(piece.text for piece in part.content if isinstance(piece, Text))
        if len(texts) > 1:
            self._log.substituted(f"{path}.content", "a result's texts are joined, line by line")
        members: JsonObject = {"name": self._name_of(part, path)}
        if texts or ":responseless" not in extras:
            members["response"] = write_response(texts, is_error=part.is_error, original=extras.get(":response"))
        parts = self._result_parts(part, path)
        inside: JsonObject = extras.get(":functionResponse") or {}
        if parts or ":partless" in inside:
            members["parts"] = parts
        if part.call_id not in self._nameless_calls:
            _identify(members, part.call_id, extras)
        return {"functionResponse": write_inner(members, "functionResponse", extras)}

    def _name_of(self, part: ToolResult, path: str) -> str:
        name = part.name if part.name is not None else self._tool_names.get(part.call_id)
        if name is None:
            self._log.defaulted(f"{path}.name", "a result names its tool, and no call of this id is here", part.call_id)
            name = part.call_id
        return name

    def _result_parts(self, part: ToolResult, path: str) -> list[JsonObject]:
        parts: list[JsonObject] = []
        for index, piece in enumerate(part.content):
            where = f"{path}.content[{index}]"
            if piece.extras:
                self._log.foreign_extras(piece.extras, NAME, where)
            if piece.cache is not None:
                self._log.dropped(f"{where}.cache", "the host caches prefixes by itself", piece.cache.ttl)
            if piece.replay:
                self._signature(piece.replay, where)
            if isinstance(piece, Text):
                if piece.citations:
                    self._log.dropped(f"{where}.citations", "results have no citations here")
            elif isinstance(piece, Opaque):
                written = self._opaque(piece, where)
                if written is not None:
                    parts.append(written)
            else:
                self._result_media(piece, parts, where)
        return parts

    def _result_media(self, media: ToolResultPart, parts: list[JsonObject], path: str) -> None:
        if not isinstance(media, Media):
            return
        written = self._media(media, path)
        if written is None:
            return
        extras = own(media.extras)
        inside = self._quirks.result_media and ("inlineData" in written or ":inside" in extras)
        if not inside:
            if "text" not in written:
                self._log.substituted(path, "a result holds inline media alone; this is sent beside it")
            self.beside.append(written)
            return
        if "mediaResolution" in written:
            self._log.dropped(f"{path}.detail", "media in results have no resolution", media.detail)
            del written["mediaResolution"]
        parts.append(write(written, _outer(extras)))

    def _provider_result(self, part: ToolResult, extras: JsonObject, path: str) -> JsonObject | None:
        member = extras.get(":member")
        members: JsonObject
        if member == "codeExecutionResult":
            members = {}
            if extras.get(":outcome") is not None:
                members["outcome"] = extras[":outcome"]
            if part.content:
                members["output"] = part.text
        elif member == "toolResponse":
            members = _typed(part.name, extras)
            response = _object_in(part.text) if part.content else None
            if response is not None:
                members["response"] = response
        else:
            self._log.dropped(path, f"the tool {part.name or ''} was run by another provider")
            return None
        _identify(members, part.call_id, extras)
        return {member: write_inner(members, member, extras)}


def _typed(name: str | None, extras: JsonObject) -> JsonObject:
    """The type of a tool that the provider ran, unless the wire left it out and the name still says so."""
    return {} if ":untyped" in extras and name == UNTYPED else {"toolType": extras.get(":toolType", name)}


def _identify(members: JsonObject, call_id: str, extras: JsonObject) -> None:
    """The id, unless we minted it ourselves and it is still that one."""
    if extras.get(":minted") != call_id:
        members["id"] = call_id
    elif ":blank" in extras:
        members["id"] = ""


def _object_in(words: str) -> JsonObject | None:
    try:
        value: Any = msgspec.json.decode(words)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


_INNER = frozenset(
    {
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    }
)


def _outer(extras: JsonObject) -> JsonObject:
    """Extras without what is kept for the object inside."""
    return {name: value for name, value in extras.items() if name not in _INNER}
