"""Blocks: content blocks of requests and answers → parts, by a table of small readers keyed by the block's type.

What carries its issuer's state (server tool blocks with encrypted results, compactions, blocks of a type that we do
not know) is marked with a `Replay` of kind "block", which names the issuer; `parts` sends it to nobody else. The state
itself stays in the block, at its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.anthropic.citations import decode_citation, holds_state
from dragoman.dialects.anthropic.forms import NAME, cache_of, kept
from dragoman.dialects.anthropic.media import decode_document, decode_image
from dragoman.dialects.reading import boolean, object_of, objects_in, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Media, Opaque, Reasoning, Replay, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject, Part, Target, ToolResultPart

__all__ = ["INVALID_INPUT", "UNSIGNED", "decode_block", "decode_blocks", "input_text", "plain_block"]

INVALID_INPUT = "INVALID_JSON"
"""The member under which the vendor's guide to fine-grained tool streaming wraps arguments that are no JSON object."""

_TEXT = frozenset({"type", "text", "citations"})
_THINKING = frozenset({"type", "thinking", "signature"})
_REDACTED = frozenset({"type", "data"})
_TOOL_USE = frozenset({"type", "id", "name", "input"})
_TOOL_RESULT = frozenset({"type", "tool_use_id", "content", "is_error"})
_SERVER_RESULT = frozenset({"type", "tool_use_id", "content"})
_PORTABLE = frozenset(  # types without a reader of their own that anybody may be sent
    {"search_result", "tool_reference", "container_upload", "tool_addition", "tool_removal", "browser_state"}
)


def decode_blocks(holder: JsonObject, path: str, target: Target, member: str = "content") -> tuple[Part, ...]:
    """The parts in a list member."""
    parts: list[Part] = []
    for index, block in enumerate(objects_in(holder, member, path)):
        part = plain_block(block)
        if part is None:
            where = f"{path}.{member}" if path else member
            part = _decode_block(block, f"{where}[{index}]", target)
        parts.append(part)
    return tuple(parts)


def decode_block(block: JsonObject, path: str, target: Target) -> Part:
    """One block; of a type that we do not know, as Opaque."""
    part = plain_block(block)
    return _decode_block(block, path, target) if part is None else part


def plain_block(block: Any) -> Part | None:
    """A text, a call or a result to which there is nothing else; None for any other. Nearly all are one of these."""
    if not isinstance(block, dict):
        return None
    holder: JsonObject = block  # pyright: ignore[reportUnknownVariableType]  # JSON
    kind = holder.get("type")
    if kind == "text":
        said = holder.get("text")
        return Text(text=said) if len(holder) == 2 and isinstance(said, str) else None
    if kind == "tool_use":
        return _plain_call(holder) if len(holder) == 4 else None
    return _plain_result(holder) if kind == "tool_result" and len(holder) == 3 else None


def _plain_call(block: JsonObject) -> ToolCall | None:
    call_id, name, value = block.get("id"), block.get("name"), block.get("input")
    if not isinstance(call_id, str) or not call_id or not isinstance(name, str):
        return None
    if not isinstance(value, dict) or INVALID_INPUT in value:
        return None
    return ToolCall(id=call_id, name=name, arguments_text=msgspec.json.encode(value).decode())


def _plain_result(block: JsonObject) -> ToolResult | None:
    call_id, content = block.get("tool_use_id"), block.get("content")
    if not isinstance(call_id, str) or not call_id or not content:
        return None
    if isinstance(content, str):
        return ToolResult(call_id=call_id, content=(Text(text=content),), extras={NAME: {":content": "string"}})
    if not isinstance(content, list):
        return None
    pieces: list[Any] = [plain_block(piece) for piece in content]  # pyright: ignore[reportUnknownVariableType]
    for piece in pieces:
        if type(piece) is not Text:
            return None
    return ToolResult(call_id=call_id, content=tuple(pieces))


def _decode_block(block: JsonObject, path: str, target: Target) -> Part:
    kind = required_text(block, "type", path)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(block, path, target)
    if kind.endswith("_tool_result") and isinstance(block.get("tool_use_id"), str):
        return _server_result(block, path, target)
    return _opaque(block, path, target)


def _mark(target: Target) -> tuple[Replay, ...]:
    return (Replay(issuer=target.issuer, dialect=NAME, kind="block", data=None),)


def _opaque(block: JsonObject, path: str, target: Target) -> Opaque:
    kind = required_text(block, "type", path)
    return Opaque(dialect=NAME, kind=kind, data=block, replay=() if kind in _PORTABLE else _mark(target))


# -- text and thinking -------------------------------------------------------------------------------------------------


def _text(block: JsonObject, path: str, target: Target) -> Text:
    wires = objects_in(block, "citations", path)
    cache = cache_of(block, path)
    return Text(
        text=required_text(block, "text", path),
        citations=tuple(
            [decode_citation(wire, f"{path}.citations[{index}]") for index, wire in enumerate(wires)] if wires else ()
        ),
        cache=cache,
        replay=_mark(target) if any(holds_state(wire) for wire in wires) else (),
        extras=kept(block, _TEXT, silent=("citations",), cache=cache),
    )


def _thinking(block: JsonObject, path: str, target: Target) -> Reasoning:
    # The text is empty where the API was told to omit it; the signature then stands for the thoughts.
    signature = text(block, "signature", path)
    unsigned = signature == UNSIGNED
    return Reasoning(
        text=required_text(block, "thinking", path),
        replay=() if unsigned else (Replay(issuer=target.issuer, dialect=NAME, kind="signature", data=signature),),
        extras=kept(block, _THINKING, silent=("signature",)),
    )


UNSIGNED = "unsigned"
"""What our own answers write as the signature of thoughts that came over another wire: no issuer's state."""


def _redacted(block: JsonObject, path: str, target: Target) -> Reasoning:
    data = required_text(block, "data", path)
    return Reasoning(
        form="redacted",
        replay=(Replay(issuer=target.issuer, dialect=NAME, kind="redacted", data=data),),
        extras=kept(block, _REDACTED),
    )


# -- tools -------------------------------------------------------------------------------------------------------------


def _tool_use(block: JsonObject, path: str, target: Target) -> ToolCall:
    value = block.get("input")
    cache = cache_of(block, path)
    wrapped = _wrapped(object_of(value, f"{path}.input")) if value is not None else None
    return ToolCall(
        id=_identifier(block, "id", path),
        name=required_text(block, "name", path),
        arguments_text=input_text(block, path) if wrapped is None else wrapped,
        cache=cache,
        extras=kept(
            block,
            _TOOL_USE,
            silent=("input",) if value is None else (),
            cache=cache,
            notes={":input": "wrapped"} if wrapped is not None else None if "input" in block else {":input": "absent"},
        ),
    )


def _server_tool_use(block: JsonObject, path: str, target: Target) -> ToolCall:
    call = _tool_use(block, path, target)
    own = {**call.extras.get(NAME, {}), ":type": block["type"]}
    return msgspec.structs.replace(call, runner="provider", replay=_mark(target), extras={NAME: own})


def _identifier(block: JsonObject, name: str, path: str) -> str:
    value = required_text(block, name, path)
    if not value:
        raise ProtocolViolation(f"{path}.{name} is empty", path=f"{path}.{name}")
    return value


def input_text(block: JsonObject, path: str) -> str:
    """A call's `input` as text; empty where there is none."""
    value = block.get("input")
    return "" if value is None else msgspec.json.encode(object_of(value, f"{path}.input")).decode()


def _wrapped(arguments: JsonObject) -> str | None:
    """The text that was wrapped in an object because it is no JSON object itself, or None."""
    text = arguments.get(INVALID_INPUT) if len(arguments) == 1 else None
    return text if isinstance(text, str) and text.strip() and not _is_object(text) else None


def _is_object(arguments: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError):
        return False


def _tool_result(block: JsonObject, path: str, target: Target) -> ToolResult:
    cache = cache_of(block, path)
    content, notes = _result_content(block, path, target)
    return ToolResult(
        call_id=_identifier(block, "tool_use_id", path),
        content=content,
        is_error=bool(boolean(block, "is_error", path)),
        cache=cache,
        extras=kept(block, _TOOL_RESULT, silent=_silent_result(block), cache=cache, notes=notes),
    )


def _silent_result(block: JsonObject) -> tuple[str, ...]:
    return ("is_error",) if block.get("content") == "" else ("is_error", "content")


def _result_content(
    block: JsonObject, path: str, target: Target
) -> tuple[tuple[ToolResultPart, ...], dict[str, Any] | None]:
    content = block.get("content")
    if isinstance(content, str):
        return (Text(text=content),), {":content": "string"}
    parts = decode_blocks(block, path, target)
    return tuple(_result_part(part, path) for part in parts), None


def _result_part(part: Part, path: str) -> ToolResultPart:
    if isinstance(part, (Text, Media, Opaque)):
        return part
    raise ProtocolViolation(f"{path}.content holds a block that no tool result may hold", path=f"{path}.content")


def _server_result(block: JsonObject, path: str, target: Target) -> ToolResult:
    kind = cast("str", block["type"])
    content: Any = block.get("content")
    if "content" not in block:
        parts, notes = (), {":content": "absent"}
    else:
        parts, notes = (Opaque(dialect=NAME, kind=kind, data=content),), {}
    cache = cache_of(block, path)
    return ToolResult(
        call_id=_identifier(block, "tool_use_id", path),
        content=parts,
        is_error=isinstance(content, dict) and str(cast("JsonObject", content).get("type", "")).endswith("_error"),
        runner="provider",
        replay=_mark(target),
        cache=cache,
        extras=kept(block, _SERVER_RESULT, cache=cache, notes={":type": kind, **notes}),
    )


def _mcp_result(block: JsonObject, path: str, target: Target) -> ToolResult:
    result = _tool_result(block, path, target)
    own = {**result.extras.get(NAME, {}), ":type": block["type"]}
    return msgspec.structs.replace(result, runner="provider", replay=_mark(target), extras={NAME: own})


def _image(block: JsonObject, path: str, target: Target) -> Media | Opaque:
    return decode_image(block, path, target.issuer)


def _document(block: JsonObject, path: str, target: Target) -> Media | Opaque:
    return decode_document(block, path, target.issuer)


_READERS: dict[str, Callable[[JsonObject, str, Target], Part]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "server_tool_use": _server_tool_use,
    "mcp_tool_use": _server_tool_use,
    "tool_result": _tool_result,
    "mcp_tool_result": _mcp_result,
    "image": _image,
    "document": _document,
}
