"""Text machines that find the answer in what was said: pieces in, pieces out, so that streams pass through live.

A whole text goes through the same machines as a stream, so both come to the same answer.
"""

from __future__ import annotations

from typing import Protocol

from dragoman.engine.output.rewriting import WRAPPED

__all__ = ["Chain", "ObjectSpan", "TextMachine", "Unwrap", "through"]


class TextMachine(Protocol):
    """`feed` gives what of the text is certain to be the answer; `close` gives the rest."""

    def feed(self, piece: str) -> str: ...

    def close(self) -> str: ...


def through(machine: TextMachine, text: str) -> str:
    """A whole text through a fresh machine."""
    return machine.feed(text) + machine.close()


class Chain:
    """Machines one after the other."""

    def __init__(self, *machines: TextMachine) -> None:
        self._machines = machines

    def feed(self, piece: str) -> str:
        for machine in self._machines:
            piece = machine.feed(piece)
        return piece

    def close(self) -> str:
        left = ""
        for machine in self._machines:
            left = (machine.feed(left) if left else "") + machine.close()
        return left


class _Nesting:
    """How deep in JSON a text is; knows strings and their escapes."""

    __slots__ = ("_escaped", "depth", "in_string")

    def __init__(self) -> None:
        self.depth = 0
        self.in_string = False
        self._escaped = False

    def step(self, char: str) -> None:
        if self.in_string:
            if self._escaped:
                self._escaped = False
            elif char == "\\":
                self._escaped = True
            elif char == '"':
                self.in_string = False
        elif char == '"':
            self.in_string = True
        elif char in "{[":
            self.depth += 1
        elif char in "}]":
            self.depth -= 1


class ObjectSpan:
    """Keeps the first JSON object of a text: prose and code fences around it are left out.

    A text without an object comes out whole, at the end.
    """

    def __init__(self) -> None:
        self._held: list[str] = []
        self._nesting = _Nesting()
        self._state = "before"

    def feed(self, piece: str) -> str:
        if self._state == "after":
            return ""
        if self._state == "before":
            start = piece.find("{")
            if start < 0:
                self._held.append(piece)
                return ""
            self._state = "inside"
            self._held.clear()
            piece = piece[start:]
        nesting = self._nesting
        for position, char in enumerate(piece):
            nesting.step(char)
            if not nesting.depth:
                self._state = "after"
                return piece[: position + 1]
        return piece

    def close(self) -> str:
        return "".join(self._held) if self._state == "before" else ""


class Unwrap:
    """Takes the value out of the object that was put around it.

    A text that does not begin as that object does comes out as it is: a model may have given the bare value.
    """

    _OPENING = ("{", f'"{WRAPPED}"', ":")

    def __init__(self) -> None:
        self._held = ""
        self._nesting = _Nesting()
        self._state = "opening"
        self._space = ""

    def feed(self, piece: str) -> str:
        if self._state == "opening":
            self._held += piece
            rest = self._opened()
            if rest is None:
                return ""
            piece = rest
        if self._state == "inside":
            return self._value(piece)
        return piece if self._state == "bare" else ""

    def _opened(self) -> str | None:
        """What follows the opening; None while it is incomplete. A text of another opening is bare."""
        text = self._held
        for token in self._OPENING:
            text = text.lstrip()
            if text.startswith(token):
                text = text[len(token) :]
            elif token.startswith(text):
                return None
            else:
                self._state = "bare"
                return self._held
        text = text.lstrip()
        if text:
            self._state = "inside"
        return text or None

    def _value(self, piece: str) -> str:
        nesting = self._nesting
        for position, char in enumerate(piece):
            if not nesting.depth and not nesting.in_string and char in "},":
                self._state = "after"
                return self._spaced(piece[:position], ended=True)
            nesting.step(char)
        return self._spaced(piece, ended=False)

    def _spaced(self, piece: str, *, ended: bool) -> str:
        """White space is held back until something of the value follows it: it may be the object's own."""
        text = self._space + piece
        if self._nesting.in_string and not ended:
            self._space = ""
            return text
        kept = text.rstrip()
        self._space = "" if ended else text[len(kept) :]
        return kept

    def close(self) -> str:
        return self._held if self._state == "opening" else ""
