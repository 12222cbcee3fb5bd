"""Parts of the wire → parts of a message: one reader per conversation or answer, which remembers the calls.

A call without an id gets one, minted from where it stands: an answer's id (or the call's arguments) and its number, so
that the same bytes always give the same ids. The note ":minted" keeps it, so that re-encoding leaves it out. A result
without an id is that of the first call of its name that has none yet; one of code beyond that, which comes where code
failed after it had said something, is that of the last code again.

The wire leaves out what is zero or empty: a call of the provider's own tools without a `toolType` is one of an
unspecified type (note ":untyped"), and code may be absent.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec

from dragoman.dialects.gemini.media import read_file, read_inline
from dragoman.dialects.gemini.members import NAME, Reading, inner, listed, read, shape
from dragoman.dialects.gemini.results import read_response
from dragoman.dialects.reading import boolean, object_of, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Media, Opaque, Reasoning, Replay, Text, ToolCall, ToolResult, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject, Part, ToolResultPart

__all__ = ["SIGNATURE", "UNTYPED", "PartReader", "json_text"]

SIGNATURE = "thought-signature"
"""The kind of the replay that a `thoughtSignature` is."""

_PART = shape(
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "mediaResolution",
)
_CALL = shape("id", "name", "args")
_RESULT = shape("id", "name", "response", "parts")
_RESULT_PART = shape("inlineData", "fileData")
_SERVER_CALL = shape("id", "toolType", "args")
_SERVER_RESULT = shape("id", "toolType", "response")
_CODE = shape("id", "language", "code")
_CODE_RESULT = shape("id", "outcome", "output")
_LEVEL = shape("level")
_LEVELS = {
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_MEDIUM": "medium",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "ultra_high",
}

_CODE_EXECUTION = "code_execution"

UNTYPED = "TOOL_TYPE_UNSPECIFIED"
"""What the wire says of a tool by leaving its type out."""


def json_text(value: Any) -> str:
    """JSON in its compact form."""
    return msgspec.json.encode(value).decode()


class PartReader:
    """Reads parts in their order. `seed` is the answer's id, where there is one."""

    def __init__(self, issuer: str, seed: str = "") -> None:
        self._issuer = issuer
        self._seed = seed
        self._minted = 0
        self._waiting: dict[str, deque[str]] = {}
        self._last_code: str | None = None

    def read(self, wire: JsonObject, path: str) -> Part:
        if len(wire) == 1:  # the commonest part, read without more ado
            words = wire.get("text")
            if isinstance(words, str):
                return Text(text=words)
        reading = read(wire, _PART, path)
        kinds = [name for name in self._readers if name in reading.found]
        if len(kinds) > 1 and kinds[-1] == "text":
            reading.rest["text"] = reading.found.pop(kinds.pop())
        if len(kinds) > 1:
            raise ProtocolViolation(f"{path} should hold one of {' and '.join(kinds)}", path=path)
        reader = self._readers[kinds[0]] if kinds else PartReader._other
        part = reader(self, reading, path)
        return self._signed(part, reading, path)

    def _signed(self, part: Part, reading: Reading, path: str) -> Part:
        """The part with what any part may carry: a thought's mark, a signature, members of its own."""
        if not isinstance(part, Media) and "mediaResolution" in reading.found:
            reading.rest["mediaResolution"] = reading.found["mediaResolution"]
        signature = text(reading.found, "thoughtSignature", path)
        thought = boolean(reading.found, "thought", path)
        if thought is not None:
            reading.notes[":thought"] = thought
            if thought and isinstance(part, Media):
                part = replace(part, channel="commentary")
        replay: tuple[Replay, ...] = ()
        if signature is not None:
            replay = (Replay(issuer=self._issuer, dialect=NAME, kind=SIGNATURE, data=signature),)
        extras = reading.extras
        return replace(part, replay=replay, extras=extras) if replay or extras else part

    # -- words and media -----------------------------------------------------------------------------------------------

    def _text(self, reading: Reading, path: str) -> Part:
        words = required_text(reading.found, "text", path)
        return Reasoning(text=words, form="summary") if reading.found.get("thought") is True else Text(text=words)

    def _inline(self, reading: Reading, path: str) -> Part:
        return _detailed(read_inline(reading, path), reading, path)

    def _file(self, reading: Reading, path: str) -> Part:
        return _detailed(read_file(reading, path, self._issuer), reading, path)

    def _other(self, reading: Reading, path: str) -> Part:
        """A part with nothing that we know: a bare signature is an empty text, the rest goes as it is."""
        if reading.rest:
            data = dict(reading.rest)
            reading.rest.clear()
            kind = next(iter(data))
            return Opaque(dialect=NAME, kind=kind, data=data)
        reading.notes[":textless"] = True
        return Reasoning(form="summary") if reading.found.get("thought") is True else Text(text="")

    # -- the caller's tools --------------------------------------------------------------------------------------------

    def _call(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "functionCall", _CALL, path)
        where = f"{path}.functionCall"
        name = required_text(found, "name", where)
        arguments = _object_text(found, "args", where)
        if arguments is None:
            reading.notes[":argless"] = True
        if "thoughtSignature" not in reading.found:
            reading.notes[":unsigned"] = True
        call_id = self._call_id(found, name, arguments or "", reading, where)
        return ToolCall(id=call_id, name=name, arguments_text=arguments or "")

    def _call_id(self, found: JsonObject, name: str, arguments: str, reading: Reading, path: str) -> str:
        call_id = text(found, "id", path)
        if not call_id:
            if call_id is not None:
                reading.notes[":blank"] = True
            call_id = reading.notes[":minted"] = self.mint(name, arguments)
        self._waiting.setdefault(name, deque()).append(call_id)
        return call_id

    def mint(self, name: str, arguments: str) -> str:
        """The id of the next call that has none."""
        self._minted += 1
        # Without an answer's id the arguments tell two answers apart.
        where = f"{self._seed or arguments}/{self._minted}/{name}"
        return f"call_{blake2b(where.encode(), digest_size=10).hexdigest()}"

    def _result(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "functionResponse", _RESULT, path)
        where = f"{path}.functionResponse"
        name = required_text(found, "name", where)
        call_id = self._result_id(found, name, reading, where)
        response = found.get("response")
        words: tuple[Text, ...] = ()
        is_error = False
        if response is None:
            reading.notes[":responseless"] = True
        else:
            words, is_error, original = read_response(object_of(response, f"{where}.response"))
            if original is not None:
                reading.notes[":response"] = original
        media = self._result_parts(reading, found, where)
        return ToolResult(call_id=call_id, name=name, content=(*words, *media), is_error=is_error)

    def _result_id(self, found: JsonObject, name: str, reading: Reading, path: str, last: str | None = None) -> str:
        """The id of the call that a result answers; of `last`, where no call waits for one."""
        waiting = self._waiting.get(name)
        call_id = text(found, "id", path)
        if call_id:
            if waiting and call_id in waiting:
                waiting.remove(call_id)
            return call_id
        if call_id is not None:
            reading.notes[":blank"] = True
        call_id = reading.notes[":minted"] = waiting.popleft() if waiting else last or self.mint(name, "")
        return call_id

    def _result_parts(self, outer: Reading, found: JsonObject, path: str) -> tuple[ToolResultPart, ...]:
        if "parts" not in found:
            return ()
        notes: JsonObject = {}
        wires = listed(Reading(found, {}, notes), "parts", path)
        if not wires:
            notes[":partless"] = True
        if notes:
            outer.notes[":functionResponse"] = {**outer.notes.get(":functionResponse", {}), **notes}
        return tuple(self._result_part(wire, f"{path}.parts[{index}]") for index, wire in enumerate(wires))

    def _result_part(self, wire: JsonObject, path: str) -> ToolResultPart:
        reading = read(wire, _RESULT_PART, path)
        if "inlineData" in reading.found:
            media = read_inline(reading, path)
        elif "fileData" in reading.found:
            reading.notes[":inside"] = True
            media = read_file(reading, path, self._issuer)
        else:
            return Opaque(dialect=NAME, kind="functionResponsePart", data=wire)
        return replace(media, extras=reading.extras)

    # -- tools that the provider runs ----------------------------------------------------------------------------------

    def _code(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "executableCode", _CODE, path)
        where = f"{path}.executableCode"
        text(found, "code", where)
        reading.notes[":member"] = "executableCode"
        arguments = json_text({name: found[name] for name in ("language", "code") if name in found})
        call_id = self._last_code = self._call_id(found, _CODE_EXECUTION, arguments, reading, where)
        return ToolCall(id=call_id, name=_CODE_EXECUTION, arguments_text=arguments, runner="provider")

    def _code_result(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "codeExecutionResult", _CODE_RESULT, path)
        where = f"{path}.codeExecutionResult"
        reading.notes[":member"] = "codeExecutionResult"
        outcome = reading.notes[":outcome"] = found.get("outcome")
        output = text(found, "output", where)
        return ToolResult(
            call_id=self._result_id(found, _CODE_EXECUTION, reading, where, self._last_code),
            name=_CODE_EXECUTION,
            content=() if output is None else (Text(text=output),),
            is_error=outcome not in ("OUTCOME_OK", 1, None),
            runner="provider",
        )

    def _server_call(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "toolCall", _SERVER_CALL, path)
        where = f"{path}.toolCall"
        name = _tool_type(found, reading, where)
        arguments = _object_text(found, "args", where)
        if arguments is None:
            reading.notes[":argless"] = True
        reading.notes[":member"] = "toolCall"
        call_id = self._call_id(found, name, arguments or "", reading, where)
        return ToolCall(id=call_id, name=name, arguments_text=arguments or "", runner="provider")

    def _server_result(self, reading: Reading, path: str) -> Part:
        found = inner(reading, "toolResponse", _SERVER_RESULT, path)
        where = f"{path}.toolResponse"
        name = _tool_type(found, reading, where)
        reading.notes[":member"] = "toolResponse"
        response = _object_text(found, "response", where)
        return ToolResult(
            call_id=self._result_id(found, name, reading, where),
            name=name,
            content=() if response is None else (Text(text=response),),
            runner="provider",
        )

    _readers: ClassVar[dict[str, Callable[[PartReader, Reading, str], Part]]] = {
        "functionCall": _call,
        "functionResponse": _result,
        "inlineData": _inline,
        "fileData": _file,
        "executableCode": _code,
        "codeExecutionResult": _code_result,
        "toolCall": _server_call,
        "toolResponse": _server_result,
        "text": _text,
    }


def _object_text(found: JsonObject, name: str, path: str) -> str | None:
    value = found.get(name)
    return None if value is None else json_text(object_of(value, f"{path}.{name}"))


def _tool_type(found: JsonObject, reading: Reading, path: str) -> str:
    kind: Any = found.get("toolType")
    if isinstance(kind, int):
        reading.notes[":toolType"] = kind
        return str(kind)
    if kind is None:
        reading.notes[":untyped"] = True
        return UNTYPED
    return required_text(found, "toolType", path)


def _detailed(media: Media, reading: Reading, path: str) -> Media:
    """The medium with its resolution, where that is one of the words that a value has."""
    if "mediaResolution" not in reading.found:
        return media
    resolution = reading.found["mediaResolution"]
    if isinstance(resolution, dict):
        found, rest, notes = read(cast("JsonObject", resolution), _LEVEL, f"{path}.mediaResolution")
        level: Any = found.get("level")
        if isinstance(level, str) and level in _LEVELS and not rest and not notes:
            return replace(media, detail=_LEVELS[level])
    reading.rest["mediaResolution"] = resolution
    return media
