"""Arguments of a function call that come piecemeal (Vertex, `streamFunctionCallArguments`): paths, values → an object.

A piece is {"jsonPath": "$.place.city", "stringValue": "Par", "willContinue": true}. Text for a path that the piece
before left open is appended. The order of the pieces is the order of the members.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.reading import boolean, number, required_text, text
from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["PartialArguments"]

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_MOST_ITEMS = 100_000


class PartialArguments:
    """Takes the pieces of one call; `value` is the object so far."""

    def __init__(self) -> None:
        self.value: JsonObject = {}
        self._open: str | None = None

    def take(self, piece: JsonObject, path: str) -> None:
        """One piece. Raises `ProtocolViolation` for a path that fits nothing."""
        where = required_text(piece, "jsonPath", path)
        value = _value(piece, path)
        steps = _steps(where, path)
        if not steps:
            raise ProtocolViolation(f"{path}.jsonPath names no argument: {where!r}", path=path)
        holder: Any = self.value
        for step, following in pairwise(steps):
            holder = _entered(holder, step, [] if isinstance(following, int) else {}, path)
        if self._open == where and isinstance(value, str):
            value = str(_entered(holder, steps[-1], "", path)) + value
        _put(holder, steps[-1], value, path)
        self._open = where if boolean(piece, "willContinue", path) else None


def _value(piece: JsonObject, path: str) -> Any:
    if "stringValue" in piece:
        return text(piece, "stringValue", path) or ""
    if "boolValue" in piece:
        return boolean(piece, "boolValue", path)
    if "numberValue" in piece:
        value = number(piece, "numberValue", path)
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return None


def _steps(where: str, path: str) -> list[str | int]:
    if not where.startswith("$"):
        raise ProtocolViolation(f"{path}.jsonPath is no JSON path: {where!r:.80}", path=path)
    steps: list[str | int] = []
    position = 1
    while position < len(where):
        found = _STEP.match(where, position)
        if found is None:
            raise ProtocolViolation(f"{path}.jsonPath is no JSON path: {where!r:.80}", path=path)
        name, index, single, double = found.groups()
        if index is not None:
            steps.append(int(index))
        elif name is not None:
            steps.append(name)
        else:
            steps.append(re.sub(r"\\(.)", r"\1", single if single is not None else double))
        position = found.end()
    return steps


def _entered(holder: Any, step: str | int, empty: Any, path: str) -> Any:
    """What is at a step, made empty where there is nothing."""
    if isinstance(holder, dict) and isinstance(step, str):
        return cast("JsonObject", holder).setdefault(step, empty)
    items = _reach(holder, step, path)
    if items[cast("int", step)] is None:
        items[cast("int", step)] = empty
    return items[cast("int", step)]


def _put(holder: Any, step: str | int, value: Any, path: str) -> None:
    if isinstance(holder, dict) and isinstance(step, str):
        cast("JsonObject", holder)[step] = value
    else:
        _reach(holder, step, path)[cast("int", step)] = value


def _reach(holder: Any, step: str | int, path: str) -> list[Any]:
    if not isinstance(holder, list) or not isinstance(step, int) or step > _MOST_ITEMS:
        raise ProtocolViolation(f"{path}.jsonPath does not fit what came before", path=path)
    items = cast("list[Any]", holder)
    items.extend([None] * (step + 1 - len(items)))
    return items
