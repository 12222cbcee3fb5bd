"""Partial JSON: the value of a text that is still coming, at any moment of it."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["PartialJson"]

_CLOSER = {"{": "}", "[": "]"}
_MARKS = frozenset('{}[]",:')


class PartialJson:
    """Reads JSON piece by piece. `value` is what is there so far, as plain objects: strings as far as they came,
    numbers and words (true, false, null) once they are complete, properties once their value has begun.

    Each character is looked at once, so a long answer costs no more than its length; `value` decodes anew.
    """  # noqa: D205 - the sentence is one

    def __init__(self) -> None:
        self._text: list[str] = []
        self._length = 0
        self._stack: list[str] = []  # the open brackets
        self._expects_key: list[bool] = []  # for each of them: whether a string here is a property's name
        self._string = ""  # "key", "value", or "" outside strings
        self._escape = 0  # characters of an escape that are still to come
        self._scalar = False
        self._safe = 0  # up to here, `_closing` makes valid JSON of the text
        self._closing = ""

    def feed(self, piece: str) -> None:
        """Takes the next piece of the text."""
        self._text.append(piece)
        for char in piece:
            self._length += 1
            if self._string:
                self._in_string(char)
            elif char in _MARKS:
                self._mark(char)
            elif char.isspace():
                self._end_scalar(self._length - 1)
            else:
                self._scalar = True

    @property
    def value(self) -> Any:
        """The value so far; None before it begins."""
        if not self._safe:
            return None
        try:
            return msgspec.json.decode("".join(self._text)[: self._safe] + self._closing)
        except (msgspec.DecodeError, UnicodeError):
            return None  # no JSON, or half of a surrogate pair

    def _in_string(self, char: str) -> None:
        if self._escape:
            self._escape += 4 if char == "u" and self._escape == 1 else 0
            self._escape -= 1
            if not self._escape:
                self._keep_string()
        elif char == "\\":
            self._escape = 1
        elif char == '"':
            kind, self._string = self._string, ""
            if kind == "value":
                self._keep(self._length)
        else:
            self._keep_string()

    def _keep_string(self) -> None:
        if self._string == "value":
            self._keep(self._length, '"')

    def _mark(self, char: str) -> None:
        self._end_scalar(self._length - 1)
        if char == '"':
            is_key = bool(self._stack) and self._stack[-1] == "{" and self._expects_key[-1]
            self._string = "key" if is_key else "value"
            self._keep_string()
        elif char in "{[":
            self._stack.append(char)
            self._expects_key.append(char == "{")
            self._keep(self._length)
        elif char in "}]":
            if self._stack:
                self._stack.pop()
                self._expects_key.pop()
            self._keep(self._length)
        elif self._stack:
            self._expects_key[-1] = char == "," and self._stack[-1] == "{"

    def _end_scalar(self, position: int) -> None:
        if self._scalar:
            self._scalar = False
            self._keep(position)

    def _keep(self, position: int, before: str = "") -> None:
        self._safe = position
        self._closing = before + "".join(_CLOSER[bracket] for bracket in reversed(self._stack))
