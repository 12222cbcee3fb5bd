"""Docstrings of functions and classes: what they say of the whole, and of each parameter.

Three styles are read: Google's ("Args:" and indented names), NumPy's ("Parameters" underlined) and reST's
(":param name: …").
"""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

__all__ = ["Documented", "read_docstring"]

_GOOGLE = re.compile(r"^(?:Args|Arguments|Parameters|Params|Attributes|Keyword Args|Keyword Arguments):\s*$")
_NUMPY = re.compile(r"^(?:Parameters|Other Parameters|Attributes)\s*$")
_UNDERLINE = re.compile(r"^-{3,}\s*$")
_GOOGLE_ENTRY = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<words>.*)$")
_NUMPY_ENTRY = re.compile(r"^\*{0,2}(?P<names>\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")
_REST_PARAMETER = re.compile(
    r"^:(?:param|parameter|arg|argument|key|keyword|ivar|cvar)\s+(?:[^:]*\s)?(?P<name>\w+)\s*:\s*(?P<words>.*)$"
)
_REST_TYPE = re.compile(r"^:(?:type|vartype)\s+\w+\s*:")


class Documented(NamedTuple):
    """`description` is the text without the sections on parameters; `parameters` maps names to what is said of them."""

    description: str
    parameters: dict[str, str]


def read_docstring(text: str | None) -> Documented:
    """What a docstring says; empty for None."""
    if not text:
        return Documented("", {})
    reader = _Reader(inspect.cleandoc(text).splitlines())
    reader.read()
    kept = "\n".join(reader.kept)
    return Documented(re.sub(r"\n{3,}", "\n\n", kept).strip(), reader.parameters)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self.kept: list[str] = []
        self.parameters: dict[str, str] = {}

    def read(self) -> None:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
            rest = _REST_PARAMETER.match(line.strip())
            if _NUMPY.match(line) and _UNDERLINE.match(following):
                self._at += 2
                self._numpy()
            elif _GOOGLE.match(line) and (not following.strip() or _indent(following)):
                self._at += 1
                self._google()
            elif rest is not None:
                self._at += 1
                self.parameters[rest["name"]] = self._words(rest["words"], _indent(line))
            elif _REST_TYPE.match(line.strip()):
                self._at += 1
                self._words("", _indent(line))
            else:
                self._at += 1
                self.kept.append(line)

    def _google(self) -> None:
        depth = None
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip():
                depth = _indent(line) if depth is None else depth
                if not depth or _indent(line) < depth:
                    return
                entry = _GOOGLE_ENTRY.match(line.strip())
                self._at += 1
                if entry is not None:
                    self.parameters[entry["name"]] = self._words(entry["words"], depth)
            else:
                self._at += 1

    def _numpy(self) -> None:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
            if _UNDERLINE.match(following):
                return
            self._at += 1
            entry = _NUMPY_ENTRY.match(line)
            if entry is not None:
                words = self._words("", 0)
                for name in entry["names"].split(","):
                    self.parameters[name.strip()] = words

    def _words(self, first: str, depth: int) -> str:
        """The words of an entry: what stands behind it, and the lines that are indented deeper."""
        words = [first.strip()]
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or _indent(line) <= depth:
                break
            words.append(line.strip())
            self._at += 1
        return " ".join(word for word in words if word)
