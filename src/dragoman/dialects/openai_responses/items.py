"""Items ↔ parts without loss: `decode_item` and `decode_message` keep the wire's original where its form would be lost.

Reading maps members to fields and keeps odd forms as notes. What is read is written again at once; where that does not
give the item back, the item itself is kept under `:wire`, and used when it is written only while it still reads as the
parts are: an edited part is never overwritten by a stale original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_reading import read_item, read_message
from dragoman.dialects.openai_responses.item_writing import ItemWriter
from dragoman.dialects.openai_responses.message_writing import write_message
from dragoman.dialects.openai_responses.wire import WIRE, noted, same_json
from dragoman.values import AdaptationLog, Target

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Message
    from dragoman.values.parts import Part

__all__ = ["decode_item", "decode_message"]

_SELF = Target()


def decode_item(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    """The parts of an item, at least one; `issuer` is whose item it is."""
    parts = read_item(item, path, issuer)
    writer = ItemWriter(Fit(_SELF, AdaptationLog(), "self"))
    if not same_json(writer.items(parts, ""), [item]):
        parts = (*parts[:-1], noted(parts[-1], **{WIRE: item}))
    return parts


def decode_message(item: JsonObject, path: str, issuer: str) -> Message:
    """A message of the caller's side."""
    message = read_message(item, path, issuer)
    writer = ItemWriter(Fit(_SELF, AdaptationLog(), "self"))
    if not same_json(write_message(message, writer, ""), [item]):
        message = noted(message, **{WIRE: item})
    return message
