"""Items under way in a stream: the keys of their parts, and what a part is before anything of it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from msgspec.structs import replace

from dragoman.dialects.openai_responses.item_reading import item_type
from dragoman.dialects.reading import integer, objects_in
from dragoman.values import Media, Reasoning, Refusal, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject
    from dragoman.values.parts import Part

__all__ = [
    "PIECES",
    "Item",
    "Key",
    "amended",
    "content_of",
    "keys_of",
    "refusal",
    "shown_keys",
    "skeleton_of",
    "summary",
    "summary_key",
    "text",
    "thought",
]

Key: TypeAlias = "tuple[int, int] | tuple[int, str] | tuple[int, str, int]"
"""Content (item, index), a summary (item, "summary", index), or an item that is one part (item, "whole")."""


class Item:
    """An item that was announced: its place, what it is, the keys of the parts shown so far, and which are done.

    A part that the wire says is done ends with its item, or when the next one begins: only the item's end tells the
    state that hangs on its last part. `waiting` is a call as it was announced, while it is not shown; `announced` is
    the latest content part that the wire announced.
    """

    __slots__ = ("announced", "channel", "closed", "done", "id", "index", "keys", "kind", "waiting")

    def __init__(self, index: int, kind: str, item_id: str | None, commentary: bool) -> None:
        self.index = index
        self.kind = kind
        self.id = item_id
        self.channel: Any = "commentary" if commentary else "answer"
        self.keys: list[Key] = []
        self.done: set[Key] = set()
        self.closed = False
        self.waiting: JsonObject | None = None
        self.announced: tuple[int, int] | None = None


def text(item: Item) -> Part:
    """A text that is about to come."""
    return Text(text="", item_id=item.id, channel=item.channel)


def refusal(item: Item) -> Part:
    """A refusal that is about to come."""
    return Refusal(text="", item_id=item.id)


def thought(item: Item) -> Part:
    """Thoughts that are about to come."""
    return Reasoning(form="full", item_id=item.id)


def summary(item: Item) -> Part:
    """A summary of thoughts that is about to come."""
    return Reasoning(form="summary", item_id=item.id)


PIECES: dict[str, Callable[[Item], Part]] = {
    "output_text": text,
    "text": text,
    "refusal": refusal,
    "reasoning_text": thought,
}


def summary_key(item: Item, data: JsonObject) -> Key:
    """The key of the summary that an event speaks of."""
    return (item.index, "summary", integer(data, "summary_index") or 0)


def keys_of(index: int, wire: JsonObject) -> list[Key]:
    """The keys of an ended item's parts, in the order in which they are decoded."""
    kind = item_type(wire)
    content: Any = wire.get("content")
    count = len(cast("list[Any]", content)) if isinstance(content, list) else 0
    if kind == "message" and wire.get("role") == "assistant":
        return [(index, number) for number in range(max(1, count))]
    summaries = len(objects_in(wire, "summary", "item")) if kind == "reasoning" else 0
    if kind == "reasoning" and (count or summaries):
        return [
            *((index, "summary", number) for number in range(summaries)),
            *((index, number) for number in range(count)),
        ]
    return [(index, "whole")]


def shown_keys(item: Item, keys: list[Key]) -> list[Key]:
    """The keys of an ended item's parts, by the places at which its content was shown: by order, if they are others."""
    content = [key for key in keys if len(key) == 2]
    shown = [key for key in item.keys if len(key) == 2]
    if set(shown) <= set(content):
        return keys
    places: dict[Key, Key] = dict(zip(content, shown, strict=False))
    rest: dict[Key, Key] = {key: (item.index, "other", number) for number, key in enumerate(content[len(shown) :])}
    return [places.get(key) or rest.get(key) or key for key in keys]


def skeleton_of(part: Part) -> Part:
    """The part before any of its content has come."""
    if isinstance(part, Text):
        return replace(part, text="", citations=())
    if isinstance(part, Reasoning | Refusal):
        return replace(part, text="")
    if isinstance(part, ToolCall):
        return replace(part, arguments_text="")
    if isinstance(part, Media):
        return replace(part, data=None)
    return part


def content_of(part: Part) -> str:
    """What the deltas of the part come to."""
    if isinstance(part, Text | Reasoning | Refusal):
        return part.text
    if isinstance(part, ToolCall):
        return part.arguments_text
    return (part.data or "") if isinstance(part, Media) else ""


_NEVER_AMENDED = frozenset({"text", "citations", "arguments_text", "id", "name"})


def amended(part: Part) -> list[str]:
    """The fields that the ended item settles; not what deltas add up to, nor a call's name, which has been shown."""
    never = _NEVER_AMENDED | {"data"} if isinstance(part, Media) else _NEVER_AMENDED
    return [name for name in part.__struct_fields__ if name not in never]
