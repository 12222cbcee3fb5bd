"""What stands between quotation marks in a body, names of members among it, found in one pass.

Whether a body holds one of some names is asked several times of every request, and each search for one of them would be
a pass over all of it: 0.3 ms for 1 MB. This is one pass for all of them, and as quick as that for prose.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["holds_any", "words_of"]

_LONGEST: Final = 48
"""Longer pieces are no names that anybody looks for; kept, they would be a copy of the body."""
_LARGE: Final = 64 * 1024
_LARGE_PIECE: Final = 512


def words_of(body: bytes) -> frozenset[bytes]:
    """The pieces between quotation marks, without the long ones."""
    if len(body) > _LARGE and body.count(b'"') * _LARGE_PIECE < len(body):
        return _few_words_of(body)
    return frozenset([piece for piece in body.split(b'"')[1:-1] if len(piece) <= _LONGEST])


def _few_words_of(body: bytes) -> frozenset[bytes]:
    """The same from mark to mark: a picture of 20 MB is not copied for the few names around it."""
    found: set[bytes] = set()
    at = body.find(b'"')
    while (mark := body.find(b'"', at + 1)) >= 0:
        if mark - at - 1 <= _LONGEST:
            found.add(body[at + 1 : mark])
        at = mark
    return frozenset(found)


def holds_any(marks: Iterable[bytes], body: bytes, words: frozenset[bytes]) -> bytes | None:
    """The first of these marks, names in quotation marks, that a body holds; None when it holds none."""
    for mark, word in _with_words(marks if isinstance(marks, tuple) else tuple(marks)):
        if (word in words) if word is not None else (mark in body):
            return mark
    return None


@lru_cache(maxsize=1024)
def _with_words(marks: tuple[bytes, ...]) -> tuple[tuple[bytes, bytes | None], ...]:
    return tuple((mark, _word(mark)) for mark in marks)


def _word(mark: bytes) -> bytes | None:
    word = mark[1:-1]
    is_name = len(mark) > 2 and mark[:1] == mark[-1:] == b'"' and b'"' not in word and len(word) <= _LONGEST
    return word if is_name else None
