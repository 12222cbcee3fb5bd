"""Heads of requests that came before, and what they were read as.

A client sends the same head over and over, with another length of the body. What a head means depends on its bytes
alone, so one that was parsed and found good is recognised by comparing bytes, which saves the parser, its call for
each header, and every check that would find the same again. What depends on anything else is asked anew each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from dragoman.gateway.server.app import Route

__all__ = ["KnownHead", "KnownHeads"]

LONGEST: Final = 2048
"""Heads beyond are parsed each time; those of official clients have 300 to 900 bytes."""
MOST: Final = 512
"""How many are remembered; the memory starts anew when it is full."""
_DIGITS: Final = 12
_END: Final = b"\r\n\r\n"
# Without its first letter, which is a capital with some clients.
_LENGTH: Final = b"ontent-length: "
_TITLED_LENGTH: Final = b"ontent-Length: "


class KnownHead(NamedTuple):
    """A head without its length: what a `Call` is made of."""

    method: str
    path: str
    raw_path: str
    query: str
    fields: dict[bytes, bytes]
    route: Route
    keep_alive: bool
    http11: bool


class KnownHeads:
    """The heads known to one process: only ones that the parser and all checks of heads have let pass."""

    def __init__(self, head_bytes: int) -> None:
        self._longest = min(LONGEST, head_bytes - len(_END) - _DIGITS)
        self._known: dict[tuple[bytes, bytes], KnownHead] = {}

    def find(self, data: bytes) -> tuple[KnownHead, bytes | None, int] | None:
        """The head that `data` begins with, if it is whole and known.

        With it the digits of its length (None: it has no body), and where its body begins.
        """
        end = data.find(_END, 0, self._longest)
        if end < 0:
            return None
        # As `_cut` does it, for the spelling of most clients: this is on the path of every request.
        head = data[:end]
        before, mark, after = head.partition(_TITLED_LENGTH)
        if mark:
            digits, _, behind = after.partition(b"\r\n")
        else:
            before, digits, behind = _cut(head)
        known = self._known.get((before, behind))
        if known is None or (digits is not None and not (digits.isdigit() and len(digits) <= _DIGITS)):
            return None
        return known, digits, end + 4

    def learn(self, data: bytes, head: KnownHead) -> None:
        """Remembers the head that `data` begins with as what the parser has read, if it is one to be recognised by."""
        end = data.find(_END, 0, self._longest)
        if end < 0 or data.startswith((b"\r", b"\n")):
            return
        before, digits, behind = _cut(data[:end])
        length = head.fields.get(b"content-length")
        if digits is not None:
            # What stands there is the length, and not a part of another header that looks like it.
            if length != digits or not before.endswith((b"\r\nC", b"\r\nc")):
                return
        elif length is not None:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[before, behind] = head

    def forget(self) -> None:
        """Forgets them all: there are other routes now."""
        self._known.clear()


def _cut(head: bytes) -> tuple[bytes, bytes | None, bytes]:
    """What stands before the digits of the length, the digits (None: there are none), and what stands behind them."""
    before, mark, after = head.partition(_TITLED_LENGTH)
    if not mark:
        before, mark, after = head.partition(_LENGTH)
        if not mark:
            return head, None, b""
    digits, _, behind = after.partition(b"\r\n")
    return before, digits, behind
