"""Typed access to parsed JSON. A member of the wrong type raises `ProtocolViolation` naming its path.

Absent and null are both None here: no wire of ours gives them different meanings, and encoders keep what was written
(an explicit null is a note of form). Use `known` to split off what a value has no field for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.errors import InvalidRequest, ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from dragoman.values import JsonObject

__all__ = [
    "boolean",
    "count_of",
    "integer",
    "number",
    "object_of",
    "objects_in",
    "parse",
    "reading_request",
    "required_text",
    "text",
    "unknown",
]


_OBJECT = frozenset((dict,))


def parse(data: bytes | str) -> Any:
    """JSON text → plain objects. Raises `ProtocolViolation`."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolViolation(f"this is not valid JSON ({error}): {data[:80]!r}") from None
    except RecursionError:
        raise ProtocolViolation("this JSON is nested too deeply") from None


def _wrong(path: str, expected: str, got: Any) -> ProtocolViolation:
    return ProtocolViolation(f"{path} should be {expected}, and is {type(got).__name__}: {got!r:.80}", path=path)


def object_of(value: Any, path: str) -> JsonObject:
    """`value` itself, which must be an object."""
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]  # JSON
    raise _wrong(path, "an object", value)


def objects_in(holder: JsonObject, name: str, path: str = "") -> list[JsonObject]:
    """The objects in the list member `name`; absent or null is an empty list."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(f"{path}.{name}" if path else name, "a list", value)
    items: list[Any] = [*value]
    if _OBJECT.issuperset(map(type, items)):  # nearly always
        return items
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise _wrong(f"{path}.{name}[{index}]" if path else f"{name}[{index}]", "an object", item)
    return items


def text(holder: JsonObject, name: str, path: str = "") -> str | None:
    """The text member `name`, or None."""
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(f"{path}.{name}" if path else name, "text", value)


def required_text(holder: JsonObject, name: str, path: str = "") -> str:
    """The text member `name`, which must be there."""
    value = holder.get(name)
    if type(value) is str:
        return value
    value = text(holder, name, path)
    if value is None:
        where = f"{path}.{name}" if path else name
        raise ProtocolViolation(f"{where} is missing", path=where)
    return value


def integer(holder: JsonObject, name: str, path: str = "") -> int | None:
    """An integer; a float without fraction counts as one."""
    value = holder.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _wrong(f"{path}.{name}" if path else name, "an integer", value)


def count_of(holder: JsonObject, name: str) -> int:
    """The count member `name`, which must be there and is never below 0."""
    value = integer(holder, name)
    if value is None:
        raise ProtocolViolation(f"{name} is missing", path=name)
    if value < 0:
        raise _wrong(name, "a count", value)
    return value


def number(holder: JsonObject, name: str, path: str = "") -> float | int | None:
    """The number member `name`, or None."""
    value = holder.get(name)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    raise _wrong(f"{path}.{name}" if path else name, "a number", value)


def boolean(holder: JsonObject, name: str, path: str = "") -> bool | None:
    """The boolean member `name`, or None."""
    value = holder.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong(f"{path}.{name}" if path else name, "true or false", value)


def unknown(holder: JsonObject, known: Collection[str]) -> JsonObject:
    """The members that are not among `known`; they go into `extras`."""
    return {name: value for name, value in holder.items() if name not in known}


class reading_request:  # used as a function; a generator would cost each request four calls more
    """Turns a violation met while a client's request is decoded into `InvalidRequest`, which is what it is there."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ProtocolViolation):
            raise InvalidRequest(error.message, path=error.path) from None
