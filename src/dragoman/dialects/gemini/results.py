"""What a tool came to: the wire wants one JSON object, a value has texts and media.

    {"output": "text"}          Text("text")
    {"error": "text"}           Text("text"), is_error
    {}                          nothing
    any other object            Text of the object's JSON

A text that is a JSON object is written as that object, any other text as "output". Where that does not give the wire's
object back, a note keeps it, and it is used as long as it still reads as the value's content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.values import Text

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["read_response", "write_response"]


def read_response(response: JsonObject) -> tuple[tuple[Text, ...], bool, JsonObject | None]:
    """The texts, whether they tell of an error, and the object itself if writing them would not give it."""
    texts, is_error = _told(response)
    original = None if _canonical(texts, is_error=is_error) == response else response
    return texts, is_error, original


def write_response(texts: tuple[str, ...], *, is_error: bool, original: JsonObject | None) -> JsonObject:
    """The object that says these texts."""
    if original is not None:
        told, error = _told(original)
        if error == is_error and tuple(part.text for part in told) == texts:
            return original
    return _canonical(tuple(Text(text=piece) for piece in texts), is_error=is_error)


def _told(response: JsonObject) -> tuple[tuple[Text, ...], bool]:
    if not response:
        return (), False
    if len(response) == 1:
        (name,) = response
        value: Any = response[name]
        if name == "error":
            return (Text(text=value if isinstance(value, str) else _json(value)),), True
        if name == "output" and isinstance(value, str):
            return (Text(text=value),), False
    return (Text(text=_json(response)),), False


def _canonical(texts: tuple[Text, ...], *, is_error: bool) -> JsonObject:
    words = "\n".join(part.text for part in texts)
    if is_error:
        return {"error": words}
    if not texts:
        return {}
    if words.startswith("{"):
        try:
            value: Any = msgspec.json.decode(words)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return cast("JsonObject", value)
    return {"output": words}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
