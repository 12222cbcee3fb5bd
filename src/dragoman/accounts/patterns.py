"""Patterns: names with a star in them, and paths whose segments may be stars. Matching takes linear time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NamePatterns", "PathPattern"]

_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
"""Segments as they are written plainly: nothing percent-encoded, so nobody downstream can read them otherwise."""


class NamePatterns:
    """Names that are allowed: exact ones, and ones with a `*`, which stands for any letters, none included."""

    __slots__ = ("_everything", "_exact", "_starred", "written")

    def __init__(self, written: Iterable[str]) -> None:
        self.written = tuple(written)
        self._everything = "*" in self.written
        self._exact = frozenset(each for each in self.written if "*" not in each)
        self._starred: tuple[tuple[str, str, int], ...] = tuple(
            (before, after, len(before) + len(after))
            for before, _, after in (each.partition("*") for each in self.written if "*" in each)
        )

    def __contains__(self, name: str) -> bool:
        if self._everything or name in self._exact:
            return True
        for before, after, least in self._starred:
            if len(name) >= least and name.startswith(before) and name.endswith(after):
                return True
        return False

    def __repr__(self) -> str:
        return f"NamePatterns({list(self.written)!r})"


class PathPattern:
    """A path in which the segment `*` stands for one segment, and `**` at the end for one or more.

    Raises `ValueError` that says what is wrong with a pattern.
    """

    __slots__ = ("_open", "_segments", "written")

    def __init__(self, written: str) -> None:
        if not written.startswith("/"):
            raise ValueError("a path begins with '/'")
        if not _PATH.fullmatch(written):
            raise ValueError("a path is made of segments that are neither empty nor percent-encoded")
        segments = written.split("/")[1:]
        if any(segment in {".", ".."} for segment in segments):
            raise ValueError("a path holds no dot segments")
        if any("*" in segment and segment not in {"*", "**"} for segment in segments) or "**" in segments[:-1]:
            raise ValueError("'*' stands for one whole segment, and '**' for the last ones")
        self.written = written
        self._open = segments[-1] == "**"
        self._segments = tuple(segments[:-1] if self._open else segments)

    def matches(self, path: str) -> bool:
        """Whether a path is one of these. A path with dot segments, empty or percent-encoded ones never is."""
        if not _PATH.fullmatch(path):
            return False
        segments = path.split("/")[1:]
        count = len(self._segments)
        if len(segments) <= count if self._open else len(segments) != count:
            return False
        if any(segment in {".", ".."} for segment in segments):
            return False
        return all(own in ("*", given) for own, given in zip(self._segments, segments, strict=False))

    def __repr__(self) -> str:
        return f"PathPattern({self.written!r})"
