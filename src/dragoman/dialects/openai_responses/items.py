"""Items ↔ parts without loss: `decode_item` and `decode_message` keep the wire's original where its form would be lost.

Reading maps members to fields and keeps odd forms as notes. What is read is written again at once; where that does not
give the item back, the item itself is kept under `:wire`, and used when it is written only while it still reads as the
parts are: an edited part is never overwritten by a stale original.

Writing again costs more than reading, and nearly every item of a long conversation has one of a few forms of which it
is known that nothing is lost (`is_usual`): those are not written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_reading import read_item, read_message
from dragoman.dialects.openai_responses.item_writing import ItemWriter
from dragoman.dialects.openai_responses.message_writing import write_message
from dragoman.dialects.openai_responses.wire import MINTED, WIRE, noted, same_json
from dragoman.values import AdaptationLog, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject, Message
    from dragoman.values.parts import Part

__all__ = ["decode_item", "decode_message", "is_usual"]

_SELF = Target()

_CALL: Final = frozenset(("type", "id", "call_id", "name", "arguments", "status"))
_OUTPUT: Final = frozenset(("type", "id", "call_id", "output", "status"))
_MESSAGE: Final = frozenset(("type", "id", "role", "content", "status"))
_REASONING: Final = frozenset(("type", "id", "summary", "encrypted_content", "status"))
_INPUT_TEXT: Final = frozenset(("type", "text"))
_OUTPUT_TEXT: Final = (
    frozenset(("type", "text")),
    frozenset(("type", "text", "annotations")),
    frozenset(("type", "text", "annotations", "logprobs")),
)


def is_usual(item: JsonObject) -> bool:
    """Whether an item has one of the forms that are read and written again without loss, whatever its texts are."""
    kind = item.get("type", "message")
    if kind == "function_call":
        return item.keys() <= _CALL and _texts(item, "call_id", "name", "arguments")
    if kind == "function_call_output":
        return item.keys() <= _OUTPUT and _texts(item, "call_id", "output")
    if kind == "message":
        return item.keys() <= _MESSAGE and _usual_message(item)
    if kind == "reasoning":
        return item.keys() <= _REASONING and _usual_reasoning(item)
    return False


def _texts(item: JsonObject, *needed: str) -> bool:
    """Whether these members are there and not empty, and the id and status, where there are any, are text too."""
    for name in needed:
        value = item.get(name)
        if type(value) is not str or not value:
            return False
    # Said twice rather than in a loop: it runs for every item of every request.
    if "id" in item and (type(item["id"]) is not str or not item["id"]):
        return False
    return "status" not in item or (type(item["status"]) is str and bool(item["status"]))


def _usual_message(item: JsonObject) -> bool:
    if not _texts(item, "role"):
        return False
    content: Any = item.get("content")
    spoken = item["role"] == "assistant"
    if type(content) is str:
        return bool(content)
    return _all(content, _usual_output if spoken else _usual_input) and bool(content)


def _all(pieces: Any, usual: Callable[[JsonObject], bool]) -> bool:
    """Whether this is a list of objects of a usual form."""
    if type(pieces) is not list:
        return False
    return all(type(piece) is dict and usual(cast("JsonObject", piece)) for piece in cast("list[Any]", pieces))


def _usual_input(piece: JsonObject) -> bool:
    return piece.keys() == _INPUT_TEXT and piece["type"] == "input_text" and type(piece["text"]) is str


def _usual_summary(piece: JsonObject) -> bool:
    return piece.keys() == _INPUT_TEXT and piece["type"] == "summary_text" and type(piece["text"]) is str


def _usual_output(piece: JsonObject) -> bool:
    if piece.keys() not in _OUTPUT_TEXT or piece["type"] != "output_text" or type(piece["text"]) is not str:
        return False
    return _empty(piece, "annotations") and _empty(piece, "logprobs")


def _empty(piece: JsonObject, name: str) -> bool:
    return name not in piece or (type(piece[name]) is list and not piece[name])


def _usual_reasoning(item: JsonObject) -> bool:
    if not _texts(item, "id", "encrypted_content") or item["id"].partition("_")[2].startswith(MINTED):
        return False
    return _all(item.get("summary"), _usual_summary)


def decode_item(item: JsonObject, path: str, issuer: str) -> tuple[Part, ...]:
    """The parts of an item, at least one; `issuer` is whose item it is."""
    parts = read_item(item, path, issuer)
    if is_usual(item):
        return parts
    writer = ItemWriter(Fit(_SELF, AdaptationLog(), "self"))
    if not same_json(writer.items(parts, ""), [item]):
        parts = (*parts[:-1], noted(parts[-1], **{WIRE: item}))
    return parts


def decode_message(item: JsonObject, path: str, issuer: str) -> Message:
    """A message of the caller's side."""
    message = read_message(item, path, issuer)
    if is_usual(item):
        return message
    writer = ItemWriter(Fit(_SELF, AdaptationLog(), "self"))
    if not same_json(write_message(message, writer, ""), [item]):
        message = noted(message, **{WIRE: item})
    return message
