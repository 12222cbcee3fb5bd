"""Blocks: content blocks of requests and answers → parts, by a table of small readers keyed by the block's kind.

A block is a union: its one member names the kind. System tools' calls and results, and kinds that we do not know, are
marked with a `Replay` of kind "block", which names the issuer; `parts` sends them to nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.citations import decode_citation
from dragoman.dialects.bedrock.forms import NAME, mark
from dragoman.dialects.bedrock.media import decode_media
from dragoman.dialects.keeping import kept, own
from dragoman.dialects.reading import object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import CacheHint, Media, Opaque, Reasoning, Replay, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject, Part, Target, ToolResultPart

__all__ = ["INVALID_INPUT", "cache_point", "decode_block", "decode_content", "decode_tool_use", "input_text"]

INVALID_INPUT = "INVALID_JSON"
"""The member under which arguments that are no JSON object travel, since an input is an object here."""

_TOOL_USE = frozenset({"toolUseId", "name", "input", "type"})
_TOOL_RESULT = frozenset({"toolUseId", "content", "status", "type"})
_PORTABLE = frozenset({"searchResult", "toolAddition", "toolRemoval", "cachePoint", "guardContent"})
_MEDIA = frozenset({"image", "document", "video", "audio"})


def decode_content(holder: JsonObject, path: str, target: Target, member: str = "content") -> tuple[Part, ...]:
    """The parts in a list member; a cache point is a hint on the part before it."""
    where = f"{path}.{member}" if path else member
    parts: list[Part] = []
    for index, block in enumerate(objects_in(holder, member, path)):
        hint = cache_point(block)
        if hint is not None and parts and parts[-1].cache is None:
            parts[-1] = msgspec.structs.replace(parts[-1], cache=hint)
        else:
            parts.append(decode_block(block, f"{where}[{index}]", target))
    return tuple(parts)


def cache_point(block: JsonObject) -> CacheHint | None:
    """The hint of a cache point in the usual form, or None."""
    point: Any = block.get("cachePoint") if len(block) == 1 else None
    if not isinstance(point, dict):
        return None
    members = cast("JsonObject", point)
    if members == {"type": "default"}:
        return CacheHint()
    ttl = members.get("ttl")
    return CacheHint(ttl=ttl) if isinstance(ttl, str) and members == {"type": "default", "ttl": ttl} else None


def decode_block(block: JsonObject, path: str, target: Target) -> Part:
    """One block; of a kind that we do not know, as Opaque."""
    kind = _kind(block, path)
    part: Part | None = None
    if kind in _READERS:
        part = _READERS[kind](block[kind], f"{path}.{kind}", target)
    elif kind in _MEDIA:
        part = decode_media(cast("Any", kind), object_of(block[kind], f"{path}.{kind}"), f"{path}.{kind}", target)
    if part is None:
        # Media whose source has no field are the caller's own and may go to anybody who speaks this dialect.
        portable = kind in _PORTABLE or kind in _MEDIA
        return Opaque(dialect=NAME, kind=kind, data=block, replay=() if portable else mark(target))
    if len(block) > 1:
        beside = {name: value for name, value in block.items() if name != kind}
        part = msgspec.structs.replace(part, extras={NAME: {**own(part.extras, NAME), ":beside": beside}})
    return part


def _kind(block: JsonObject, path: str) -> str:
    said = [name for name, value in block.items() if value is not None]
    if not said:
        raise ProtocolViolation(f"{path} holds nothing: a block names its kind", path=path)
    return next((name for name in said if name in _READERS or name in _MEDIA), said[0])


# -- text and thinking -------------------------------------------------------------------------------------------------


def _text(value: Any, path: str, target: Target) -> Text:
    if not isinstance(value, str):
        raise ProtocolViolation(f"{path} should be text, and is {type(value).__name__}", path=path)
    return Text(text=value)


def _guarded(value: Any, path: str, target: Target) -> Part | None:
    held = object_of(value, path)
    if held.keys() == {"text"}:
        wire = object_of(held["text"], f"{path}.text")
        rest = {name: value for name, value in wire.items() if name != "text"}
        return Text(text=required_text(wire, "text", f"{path}.text"), extras={NAME: {"guardContent": rest}})
    if held.keys() == {"image"}:
        return decode_media(
            "image", object_of(held["image"], f"{path}.image"), f"{path}.image", target, guardContent={}
        )
    return None


def _cited(value: Any, path: str, target: Target) -> Text:
    wire = object_of(value, path)
    words = "".join(text(piece, "text", f"{path}.content") or "" for piece in objects_in(wire, "content", path))
    notes: JsonObject = {":form": "citationsContent"}
    if wire.get("content") != [{"text": words}]:
        notes[":content"] = wire.get("content")
    return Text(
        text=words,
        citations=tuple(
            decode_citation(citation, f"{path}.citations[{index}]")
            for index, citation in enumerate(objects_in(wire, "citations", path))
        ),
        extras=kept(wire, ("content", "citations"), NAME, notes=notes),
    )


def _reasoning(value: Any, path: str, target: Target) -> Reasoning | None:
    held = object_of(value, path)
    if held.keys() == {"reasoningText"}:
        wire = object_of(held["reasoningText"], f"{path}.reasoningText")
        signature = text(wire, "signature", f"{path}.reasoningText")
        # Models without signatures have their thoughts back too, and nobody else has.
        return Reasoning(
            text=text(wire, "text", f"{path}.reasoningText") or "",
            replay=(Replay(issuer=target.issuer, dialect=NAME, kind="signature", data=signature),),
            extras=kept(wire, ("text", "signature"), NAME, complete=("text",)),
        )
    if held.keys() == {"redactedContent"}:
        data = required_text(held, "redactedContent", path)
        return Reasoning(
            form="redacted", replay=(Replay(issuer=target.issuer, dialect=NAME, kind="redacted", data=data),)
        )
    return None


# -- tools -------------------------------------------------------------------------------------------------------------


def decode_tool_use(value: Any, path: str, target: Target) -> ToolCall:
    """A call, from a block or from the start of one."""
    wire = object_of(value, path)
    kind = text(wire, "type", path)
    notes: JsonObject = {} if kind is None else {":type": kind}
    arguments: Any = wire.get("input")
    said = input_text(arguments)
    if not isinstance(arguments, dict) or said[:1] != "{" or INVALID_INPUT in arguments:
        notes[":input"] = [arguments] if "input" in wire else []
    provider = kind == "server_tool_use"
    return ToolCall(
        id=_identifier(wire, path),
        name=required_text(wire, "name", path),
        arguments_text=said,
        runner="provider" if provider else "client",
        replay=mark(target) if provider else (),
        extras=kept(wire, _TOOL_USE, NAME, notes=notes),
    )


def _identifier(wire: JsonObject, path: str) -> str:
    identifier = required_text(wire, "toolUseId", path)
    if not identifier:
        raise ProtocolViolation(f"{path}.toolUseId is empty", path=f"{path}.toolUseId")
    return identifier


def input_text(value: Any) -> str:
    """A call's `input` as text: what was wrapped because it is no object comes out of its wrapping."""
    if value is None:
        return ""
    wrapped: Any = cast("JsonObject", value).get(INVALID_INPUT) if isinstance(value, dict) else None
    if isinstance(wrapped, str) and wrapped.strip() and len(cast("JsonObject", value)) == 1 and not _is_object(wrapped):
        return wrapped
    return msgspec.json.encode(value).decode()


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError):
        return False


def _tool_result(value: Any, path: str, target: Target) -> ToolResult:
    wire = object_of(value, path)
    status, kind = text(wire, "status", path), text(wire, "type", path)
    notes: JsonObject = {} if kind is None else {":type": kind}
    if status not in (None, "error"):
        notes[":status"] = status
    provider = kind not in (None, "tool_result")
    return ToolResult(
        call_id=_identifier(wire, path),
        content=tuple(
            _result_part(block, f"{path}.content[{index}]", target)
            for index, block in enumerate(objects_in(wire, "content", path))
        ),
        is_error=status == "error",
        runner="provider" if provider else "client",
        replay=mark(target) if provider else (),
        extras=kept(wire, _TOOL_RESULT, NAME, complete=("content",), notes=notes),
    )


def _result_part(block: JsonObject, path: str, target: Target) -> ToolResultPart:
    if block.keys() == {"json"}:
        return Text(text=msgspec.json.encode(block["json"]).decode(), extras={NAME: {":form": "json"}})
    part = decode_block(block, path, target)
    if isinstance(part, (Text, Media, Opaque)):
        return part
    raise ProtocolViolation(f"{path} is a block that no tool result may hold", path=path)


_READERS: dict[str, Callable[[Any, str, Target], Part | None]] = {
    "text": _text,
    "guardContent": _guarded,
    "citationsContent": _cited,
    "reasoningContent": _reasoning,
    "toolUse": decode_tool_use,
    "toolResult": _tool_result,
}
