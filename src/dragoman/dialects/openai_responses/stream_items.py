"""Which item of a streamed answer an event speaks of.

An event names its item twice, by `output_index` and by `item_id`. Hosts that build a response from another wire's
stream get one of the two wrong:

| host | what it does |
| --- | --- |
| llama.cpp | gives no index: the id decides |
| GitHub Copilot | gives an item another id in every event: the index decides |
| LiteLLM | gives a reasoning item and the message behind it one index, and announces the message by its deltas alone |
| Ollama | announces a call at the index of the message before it |
| vLLM | ends an item under the next one's index, without an id |

So an event belongs to the item at its index, unless it bears another id than that item does and that item has ended or
is of another kind. Then it belongs to the item with that id, or to the latest open one of its kind, or to none yet.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dragoman.dialects.openai_responses.item_reading import item_type
from dragoman.dialects.openai_responses.rows import CALLS
from dragoman.dialects.openai_responses.stream_parts import Item
from dragoman.dialects.reading import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.values import JsonObject

__all__ = ["Items"]


class Items:
    """The items of an answer so far; see the module's docstring."""

    __slots__ = ("_by_id", "_by_index")

    def __init__(self) -> None:
        self._by_index: dict[int, Item] = {}
        self._by_id: dict[str, Item] = {}

    def __len__(self) -> int:
        return len(self._by_index)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._by_index.values())

    def holds(self, index: int | None, wire: JsonObject) -> bool:
        """Whether an item that starts here was started before: one of another kind and id is another."""
        here = None if index is None else self._by_index.get(index)
        if here is None:
            return False
        item_id = text(wire, "id", "item")
        return not item_id or not here.id or item_id == here.id or item_type(wire) == here.kind

    def new(self, index: int | None, wire: JsonObject) -> Item:
        """An item that was not there; at a place of its own, where the index is taken."""
        if index is None:
            index = 1 + max(self._by_index, default=-1)
        elif index in self._by_index:
            index = min(0, *self._by_index) - 1
        item = Item(index, item_type(wire), text(wire, "id", "item"), wire.get("phase") == "commentary")
        self._by_index[index] = item
        if item.id:
            self._by_id.setdefault(item.id, item)
        return item

    def found(self, index: int | None, item_id: str | None, kind: str) -> Item | None:
        """The item of an event that is for items of this kind."""
        named = self._by_id.get(item_id or "")
        here = None if index is None else self._by_index.get(index)
        if index is None or here is named:
            return named
        if here is None:
            return named
        if not item_id or not here.id or item_id == here.id or (not here.closed and _fits(here, kind)):
            return here
        return named or self._open(kind)

    def ended(self, index: int | None, wire: JsonObject) -> Item | None:
        """The item that ends as this one."""
        item_id, kind = text(wire, "id", "item"), item_type(wire)
        item = self.found(index, item_id, kind)
        return self._open(kind) if item is None and not item_id else item

    def _open(self, kind: str) -> Item | None:
        return next((item for item in reversed(self._by_index.values()) if not item.closed and _fits(item, kind)), None)

    def among(self, output: list[JsonObject]) -> list[Item | None]:
        """The items that are those of a whole answer: by id, else the one in its place, else by order in their kind.

        One that was not streamed is new, but not where the stream had as many: then it is one that it told otherwise.
        """
        streamed = list(self)
        seen: Counter[str] = Counter()
        items: list[Item | None] = []
        for index, wire in enumerate(output):
            kind = item_type(wire)
            here = self._by_index.get(index)
            item = self._by_id.get(text(wire, "id", "output") or "")
            if item is None and here is not None and here.kind == kind:
                item = here
            if item is None:
                alike = [other for other in streamed if other.kind == kind]
                item = alike[seen[kind]] if seen[kind] < len(alike) else None
            if item is None and (here is None or len(output) > len(streamed)):
                item = self.new(index, wire)
            seen[kind] += 1
            items.append(item)
        return items


def _fits(item: Item, kind: str) -> bool:
    return item.kind in CALLS if kind in CALLS or kind == "call" else item.kind == kind
