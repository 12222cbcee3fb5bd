"""Parts → content blocks, for requests and answers, by a table of small writers keyed by the part's type.

A writer gives the block, or None when the part cannot be said; what is not said is recorded. State of another issuer
never leaves: thoughts go only with a signature that the target itself gave, marked blocks only to the party they are
of (see `blocks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.anthropic.blocks import INVALID_INPUT, UNSIGNED
from dragoman.dialects.anthropic.citations import encode_citation
from dragoman.dialects.anthropic.forms import (
    NAME,
    Writing,
    cache_out,
    foreign_block,
    note,
    own_state,
    restore,
)
from dragoman.dialects.anthropic.media import encode_media
from dragoman.dialects.call_ids import WORD, CallIdForm, fitted_id
from dragoman.values import Media, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.values import JsonObject, Part, Replay, Target

__all__ = ["encode_part", "encode_parts", "is_plain", "plain_call", "tool_id", "tool_input"]

_ID_FORM = CallIdForm(characters=WORD)


def encode_parts(parts: Iterable[Part], path: str, writing: Writing, member: str = "parts") -> list[JsonObject]:
    """The blocks of those parts that can be said."""
    blocks: list[JsonObject] = []
    for index, part in enumerate(parts):
        block = encode_part(part, f"{path}.{member}[{index}]", writing)
        if block is not None:
            blocks.append(block)
    return blocks


def encode_part(part: Part, path: str, writing: Writing) -> JsonObject | None:
    """The block of a part, or None (recorded) where this wire or this target cannot have it."""
    if part.extras:
        writing.log.foreign_extras(part.extras, NAME, path)
    for replay in part.replay:
        if not _goes(part, replay, writing.target):
            writing.log.dropped(f"{path}.replay", f"replay state of {replay.issuer or 'another party'}")
    block = _WRITERS[type(part)](part, path, writing)
    if block is not None and part.cache is not None and "cache_control" not in block and not writing.answer:
        if isinstance(part, Reasoning):
            writing.log.dropped(f"{path}.cache", "thoughts cannot be marked for caching on this wire")
        else:
            block["cache_control"] = cache_out(part.cache, path, writing)
    return block


def _goes(part: Part, replay: Replay, target: Target) -> bool:
    """Whether a piece of state is the target's own, at a place where this wire carries it."""
    own = replay.dialect == NAME and replay.issuer == target.issuer and replay.model in (None, target.model)
    return own and replay.kind in (("signature", "redacted") if isinstance(part, Reasoning) else ("block",))


def is_plain(part: Part) -> bool:
    """Whether a part is text that a bare string can stand for."""
    return (
        type(part) is Text and not part.citations and part.cache is None and not part.replay and NAME not in part.extras
    )


# -- text --------------------------------------------------------------------------------------------------------------


def _text(part: Text, path: str, writing: Writing) -> JsonObject | None:
    if writing.mend and not part.text and not writing.answer:
        return None  # the API refuses empty text, which says nothing
    if part.channel != "answer":
        writing.log.dropped(f"{path}.channel", "this wire does not tell commentary apart", part.channel)
    block: JsonObject = {"type": "text", "text": part.text}
    if part.citations:
        foreign = foreign_block(part, writing.target)
        wires = [
            wire
            for citation in part.citations
            if (wire := encode_citation(citation, f"{path}.citations", writing, foreign)) is not None
        ]
        if wires:
            block["citations"] = wires
    return restore(block, part.extras) if part.extras else block


def _refusal(part: Refusal, path: str, writing: Writing) -> JsonObject:
    writing.log.substituted(path, "this wire has no refusal part; its words are said as text")
    return {"type": "text", "text": part.text}


def _reasoning(part: Reasoning, path: str, writing: Writing) -> JsonObject | None:
    signature = own_state(part.replay, "signature", writing.target)
    if signature is not None:
        block: JsonObject = {"type": "thinking", "thinking": part.text}
        if signature.data is not None:
            block["signature"] = signature.data
        return restore(block, part.extras)
    redacted = own_state(part.replay, "redacted", writing.target)
    if redacted is not None:
        return restore({"type": "redacted_thinking", "data": redacted.data}, part.extras)
    if writing.answer and part.text:
        return {"type": "thinking", "thinking": part.text, "signature": UNSIGNED}
    writing.log.dropped(path, "thoughts go back only to the party that signed them")
    return None


# -- tools -------------------------------------------------------------------------------------------------------------


def tool_id(identifier: str, writing: Writing) -> str:
    """An id that the wire's pattern allows; another one is mapped so that different ids stay different."""
    if not writing.mend or WORD.issuperset(identifier):
        return identifier
    return fitted_id(identifier, _ID_FORM)


def tool_input(call: ToolCall, path: str, writing: Writing) -> JsonObject:
    """The arguments as an object. Free text and what is no object are wrapped, and recorded."""
    arguments = call.arguments_text
    if call.input == "text":
        writing.log.emulated(f"{path}.input", "tools of this wire take objects; the text is wrapped in one")
        return {"input": arguments}
    if not arguments.strip():
        return {}
    try:
        value: Any = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]  # JSON
    if note(call.extras, ":input") != "wrapped":
        writing.log.substituted(f"{path}.arguments_text", "the arguments are no JSON object; they are wrapped in one")
    return {INVALID_INPUT: arguments}


def plain_call(part: ToolCall, writing: Writing) -> JsonObject | None:
    """The block of a call without state or extras, whose arguments are a JSON object; None for any other."""
    if part.runner != "client" or part.input != "json":
        return None
    try:
        value: Any = msgspec.json.decode(part.arguments_text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return {"type": "tool_use", "id": tool_id(part.id, writing), "name": part.name, "input": value}


def _tool_call(part: ToolCall, path: str, writing: Writing) -> JsonObject | None:
    kind = "tool_use"
    if part.runner == "provider":
        kind = note(part.extras, ":type")
        if not isinstance(kind, str):
            writing.log.dropped(path, "a tool run by another provider cannot be said on this wire", part.name)
            return None
        foreign = foreign_block(part, writing.target)
        if foreign is not None:
            writing.log.dropped(path, f"a tool run by {foreign} cannot be sent to another party", part.name)
            return None
    block: JsonObject = {"type": kind, "id": tool_id(part.id, writing), "name": part.name}
    if not part.extras:
        block["input"] = tool_input(part, path, writing)
        return block
    silent = "input" in (note(part.extras, ":explicit") or ()) or note(part.extras, ":input") == "absent"
    if part.arguments_text or not silent:
        block["input"] = tool_input(part, path, writing)
    return restore(block, part.extras)


def _tool_result(part: ToolResult, path: str, writing: Writing) -> JsonObject | None:
    if part.runner == "provider":
        return _server_result(part, path, writing)
    block: JsonObject = {"type": "tool_result", "tool_use_id": tool_id(part.call_id, writing)}
    _write_content(block, part, path, writing)
    if part.is_error:
        block["is_error"] = True
    return restore(block, part.extras)


def _write_content(block: JsonObject, part: ToolResult, path: str, writing: Writing) -> None:
    if note(part.extras, ":content") == "string" and len(part.content) == 1 and is_plain(part.content[0]):
        block["content"] = cast("Text", part.content[0]).text
        return
    content = encode_parts(part.content, path, writing, "content")
    if content:
        block["content"] = content


def _server_result(part: ToolResult, path: str, writing: Writing) -> JsonObject | None:
    kind = note(part.extras, ":type")
    if not isinstance(kind, str):
        writing.log.dropped(path, "the result of a tool run by another provider cannot be said on this wire", part.name)
        return None
    foreign = foreign_block(part, writing.target)
    if foreign is not None:
        writing.log.dropped(path, f"the result of a tool run by {foreign} cannot be sent to another party", part.name)
        return None
    block: JsonObject = {"type": kind, "tool_use_id": part.call_id}
    first = part.content[0] if len(part.content) == 1 else None
    if isinstance(first, Opaque) and first.kind == kind:
        block["content"] = first.data
    else:
        _write_content(block, part, path, writing)
        if part.is_error:
            block["is_error"] = True
    return restore(block, part.extras)


# -- the rest ----------------------------------------------------------------------------------------------------------


def _opaque(part: Opaque, path: str, writing: Writing) -> JsonObject | None:
    data: Any = part.data
    if part.dialect != NAME or not isinstance(data, dict):
        writing.log.dropped(path, f"only {part.dialect} has {part.kind}")
        return None
    foreign = foreign_block(part, writing.target)
    if foreign is not None:
        writing.log.dropped(path, f"a {part.kind} block of {foreign} cannot be sent to another party")
        return None
    return dict(cast("JsonObject", data))


def _media(part: Media, path: str, writing: Writing) -> JsonObject | None:
    return encode_media(part, path, writing)


_WRITERS: dict[type, Callable[[Any, str, Writing], JsonObject | None]] = {
    Text: _text,
    Reasoning: _reasoning,
    Refusal: _refusal,
    Media: _media,
    ToolCall: _tool_call,
    ToolResult: _tool_result,
    Opaque: _opaque,
}
