"""Parts → content blocks, for requests and answers, by a table of small writers keyed by the part's type.

A writer gives a block's kind and content, or None when the part cannot be said; what is not said is recorded. State of
another issuer never leaves: thoughts go only where they came from, marked blocks only to the party they are of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.bedrock.blocks import INVALID_INPUT, input_text
from dragoman.dialects.bedrock.citations import encode_citation
from dragoman.dialects.bedrock.forms import NAME, Writing, foreign_block, note, own_state
from dragoman.dialects.bedrock.media import encode_media
from dragoman.dialects.call_ids import WORD, CallIdForm, fitted_id
from dragoman.dialects.keeping import own, write_back
from dragoman.values import Media, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.values import CacheHint, JsonObject, Part, Replay, Target

__all__ = ["cache_block", "encode_block", "encode_blocks", "tool_id", "tool_input"]

_ID_FORM = CallIdForm(longest=64, characters=WORD | {".", ":"})
_TTLS = ("5m", "1h")
_SPECIAL = frozenset({"guardContent", "bucketOwner"})
_Content = tuple[str, Any]


def encode_blocks(parts: Iterable[tuple[str, Part]], writing: Writing) -> list[JsonObject]:
    """The blocks of those parts that can be said, given with their paths, and the cache points behind them."""
    blocks: list[JsonObject] = []
    for path, part in parts:
        block = encode_block(part, path, writing)
        if block is not None:
            blocks.append(block)
        if part.cache is None or writing.answer:
            continue
        if block is not None or (blocks and isinstance(part, Text)):
            blocks.append(cache_block(part.cache, path, writing))
        else:
            writing.log.dropped(f"{path}.cache", "there is nothing before the mark that could be kept")
    return blocks


def cache_block(cache: CacheHint, path: str, writing: Writing) -> JsonObject:
    """A cache point; a duration that the wire does not know becomes the nearest it does."""
    if cache.ttl is None:
        return {"cachePoint": {"type": "default"}}
    ttl = cache.ttl
    if writing.mend and ttl not in _TTLS:
        writing.log.substituted(f"{path}.cache.ttl", "this wire keeps prefixes for 5m or 1h", ttl, "1h")
        ttl = "1h"
    return {"cachePoint": {"type": "default", "ttl": ttl}}


def encode_block(part: Part, path: str, writing: Writing) -> JsonObject | None:
    """The block of a part, or None (recorded) where this wire or this target cannot have it."""
    if part.extras:
        writing.log.foreign_extras(part.extras, NAME, path)
    for replay in part.replay:
        if not _goes(part, replay, writing.target):
            writing.log.dropped(f"{path}.replay", f"replay state of {replay.issuer or 'another party'}")
    if isinstance(part, Opaque):
        return _opaque(part, path, writing)
    content = _WRITERS[type(part)](part, path, writing)
    if content is None:
        return None
    kind, wire = content
    members = own(part.extras, NAME)
    if not members:
        return {kind: wire}
    if isinstance(wire, dict) and kind != "reasoningContent":
        extras = {NAME: {name: value for name, value in members.items() if name not in _SPECIAL}}
        wire = write_back(cast("JsonObject", wire), extras, NAME)
    if "guardContent" in members and kind in ("text", "image"):
        inner: JsonObject = {"text": wire} if kind == "text" else cast("JsonObject", wire)
        kind, wire = "guardContent", {kind: {**inner, **members["guardContent"]}}
    return {kind: wire, **members.get(":beside", {})}


def _goes(part: Part, replay: Replay, target: Target) -> bool:
    """Whether a piece of state is the target's own, at a place where this wire carries it."""
    issued = replay.dialect == NAME and replay.issuer == target.issuer and replay.model in (None, target.model)
    return issued and replay.kind in (("signature", "redacted") if isinstance(part, Reasoning) else ("block",))


# -- text --------------------------------------------------------------------------------------------------------------


def _text(part: Text, path: str, writing: Writing) -> _Content | None:
    if writing.mend and not writing.answer and not part.text.strip():
        if part.text:
            writing.log.dropped(path, "this wire refuses blank text", part.text)
        return None
    if part.channel != "answer":
        writing.log.dropped(f"{path}.channel", "this wire does not tell commentary apart", part.channel)
    wires = [
        wire
        for citation in part.citations
        if (wire := encode_citation(citation, f"{path}.citations", writing)) is not None
    ]
    if not wires and note(part.extras, ":form") != "citationsContent":
        return "text", part.text
    cited: JsonObject = {"content": [{"text": part.text}]}
    pieces: Any = note(part.extras, ":content")
    if ":content" in own(part.extras, NAME) and "".join(piece.get("text") or "" for piece in pieces or ()) == part.text:
        cited = {"content": pieces} if pieces else {}
    if wires:
        cited["citations"] = wires
    return "citationsContent", cited


def _refusal(part: Refusal, path: str, writing: Writing) -> _Content:
    writing.log.substituted(path, "this wire has no refusal part; its words are said as text")
    return "text", part.text


def _reasoning(part: Reasoning, path: str, writing: Writing) -> _Content | None:
    signature = own_state(part.replay, "signature", writing.target)
    redacted = own_state(part.replay, "redacted", writing.target)
    if redacted is not None and signature is None:
        return "reasoningContent", {"redactedContent": redacted.data}
    if signature is None and not (writing.answer and part.text):
        writing.log.dropped(path, "thoughts go back only to the party that they came from")
        return None
    if signature is not None and signature.data is None and not _takes_unsigned(writing):
        # DeepSeek's models on this wire answer their own thoughts with an error.
        writing.log.dropped(path, "thoughts without a signature are not taken back by all models of this wire")
        return None
    wire: JsonObject = {"text": part.text}
    if signature is not None and signature.data is not None:
        wire["signature"] = signature.data
    return "reasoningContent", {"reasoningText": write_back(wire, part.extras, NAME)}


def _takes_unsigned(writing: Writing) -> bool:
    return writing.answer or not writing.mend or writing.target.quirks.bedrock.unsigned_thoughts


# -- tools -------------------------------------------------------------------------------------------------------------


def tool_id(identifier: str, writing: Writing) -> str:
    """An id that the wire's pattern allows; another one is mapped so that different ids stay different."""
    return fitted_id(identifier, _ID_FORM) if writing.mend else identifier


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
        return cast("JsonObject", value)
    writing.log.substituted(f"{path}.arguments_text", "the arguments are no JSON object; they are wrapped in one")
    return {INVALID_INPUT: arguments}


def _tool_call(part: ToolCall, path: str, writing: Writing) -> _Content | None:
    kind = note(part.extras, ":type")
    if part.runner == "provider" and not _may_have(part, path, writing):
        return None
    wire: JsonObject = {"toolUseId": tool_id(part.id, writing), "name": part.name}
    original = note(part.extras, ":input")
    if original is None or input_text(original[0] if original else None) != part.arguments_text:
        wire["input"] = tool_input(part, path, writing)
    elif original:
        wire["input"] = original[0]
    if kind is not None:
        wire["type"] = kind
    return "toolUse", wire


def _may_have(part: ToolCall | ToolResult, path: str, writing: Writing) -> bool:
    """Whether what a provider ran itself may be said to the target; recorded where not."""
    what = "a tool" if isinstance(part, ToolCall) else "the result of a tool"
    if not isinstance(note(part.extras, ":type"), str):
        writing.log.dropped(path, f"{what} run by another provider cannot be said on this wire", part.name)
        return False
    foreign = foreign_block(part.replay, writing.target)
    if foreign is not None:
        writing.log.dropped(path, f"{what} run by {foreign} cannot be sent to another party", part.name)
    return foreign is None


def _tool_result(part: ToolResult, path: str, writing: Writing) -> _Content | None:
    if part.runner == "provider" and not _may_have(part, path, writing):
        return None
    content: list[JsonObject] = []
    for index, piece in enumerate(part.content):
        where = f"{path}.content[{index}]"
        if piece.cache is not None:
            writing.log.dropped(f"{where}.cache", "pieces of results cannot be marked for caching on this wire")
        block = _json_block(piece) or encode_block(piece, where, writing)
        if block is not None and "audio" in block:
            writing.log.dropped(where, "results hold no sound on this wire")
        elif block is not None:
            content.append(block)
    wire: JsonObject = {"toolUseId": tool_id(part.call_id, writing), "content": content}
    status = "error" if part.is_error else note(part.extras, ":status")
    if status is not None:
        wire["status"] = status
    kind = note(part.extras, ":type")
    if kind is not None:
        wire["type"] = kind
    return "toolResult", wire


def _json_block(piece: Part) -> JsonObject | None:
    if isinstance(piece, Text) and note(piece.extras, ":form") == "json":
        try:
            return {"json": msgspec.json.decode(piece.text)}
        except (msgspec.DecodeError, RecursionError):
            return None
    return None


# -- the rest ----------------------------------------------------------------------------------------------------------


def _opaque(part: Opaque, path: str, writing: Writing) -> JsonObject | None:
    data: Any = part.data
    if part.dialect != NAME or not isinstance(data, dict):
        writing.log.dropped(path, f"only {part.dialect} has {part.kind}")
        return None
    foreign = foreign_block(part.replay, writing.target)
    if foreign is not None:
        writing.log.dropped(path, f"a {part.kind} block of {foreign} cannot be sent to another party")
        return None
    return dict(cast("JsonObject", data))


def _media(part: Media, path: str, writing: Writing) -> _Content | None:
    return encode_media(part, path, writing)


_WRITERS: dict[type, Callable[[Any, str, Writing], _Content | None]] = {
    Text: _text,
    Reasoning: _reasoning,
    Refusal: _refusal,
    Media: _media,
    ToolCall: _tool_call,
    ToolResult: _tool_result,
}
