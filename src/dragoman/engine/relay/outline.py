"""A large body without its long texts: all that is looked for in it stands between them.

A picture of 20 MB stands in a body as one text. Its members can be told apart, and names be looked for, without reading
the picture again and again: what is left when the insides of such texts are taken out says the same of everything else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import Final, NamedTuple

from dragoman.engine.relay.words import sampled_marks

__all__ = ["LEAST_BYTES", "SPACE", "Outline", "outline_of"]

LEAST_BYTES: Final = 256 * 1024
"""Smaller bodies are read as they are, which takes 0.1 ms at most."""
_LONG: Final = 16 * 1024
_HEAD: Final = 64
"""So much is left of a text: what a picture is says its beginning."""
_MOST_MARKS: Final = 256
"""In all samples; in bodies of many short texts there are a thousand."""
_ESCAPE: Final = ord("\\")
SPACE: Final = re.compile(rb"[ \t\r\n]*")


class Outline(NamedTuple):
    """What is left of a body; `places` are where in it something was taken out, and `sums` how much up to there."""

    text: bytes
    places: list[int]
    sums: list[int]

    def place(self, at: int) -> int:
        """Where in the body that stands which stands here in the text."""
        cuts = bisect_right(self.places, at)
        return at + (self.sums[cuts - 1] if cuts else 0)


def outline_of(body: bytes) -> Outline | None:
    """The outline of a large body that is mostly long texts without escapes; None for all others.

    Control characters within a long text are not seen here, nor by whoever reads the outline in the body's place.
    """
    # Which way is taken makes a difference to the time alone.
    if len(body) < LEAST_BYTES or sampled_marks(body) > _MOST_MARKS:
        return None
    pieces: list[bytes] = []
    places: list[int] = []
    taken: list[int] = []
    copied = length = 0
    looks = len(body) // _LONG + 1024
    at = body.find(b'"')
    while at >= 0:
        end = _end_of(body, at)
        looks -= 1
        if end < 0 or looks < 0:
            return None
        if end - at > _LONG and body.find(b"\\", at, end) < 0 and not _is_name(body, end):
            head = at + 1 + _HEAD
            pieces.append(body[copied:head])
            length += head - copied
            places.append(length)
            taken.append(end - head)
            copied = end
        at = body.find(b'"', end + 1)
    if sum(taken) * 2 < len(body):
        return None
    pieces.append(body[copied:])
    return Outline(b"".join(pieces), places, list(accumulate(taken)))


def _end_of(body: bytes, start: int) -> int:
    """Where the text ends that begins with the mark here; -1 where it has no end."""
    at = body.find(b'"', start + 1)
    while at >= 0 and body[at - 1] == _ESCAPE:
        before = at - 1
        while body[before] == _ESCAPE:
            before -= 1
        if (at - before) % 2:  # an even number of them: each pair is one character
            return at
        at = body.find(b'"', at + 1)
    return at


def _is_name(body: bytes, end: int) -> bool:
    at = SPACE.match(body, end + 1)
    assert at is not None  # it takes nothing too
    return body[at.end() : at.end() + 1] == b":"
