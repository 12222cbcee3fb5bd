"""Bytes → lines, ended by LF, CRLF or CR, wherever the bytes are cut."""

from __future__ import annotations

from dragoman.errors import ProtocolViolation

__all__ = ["LineSplitter"]


class LineSplitter:
    """Feeds on bytes and gives whole lines without their ends; a line longer than `max_bytes` is a violation.

    A CR at the end of a piece ends its line at once, and an LF that then begins the next piece belongs to it: waiting
    for it would hold back an event that is already complete.
    """

    __slots__ = ("_after_cr", "_max_bytes", "_rest", "_size", "cr_ends_lines")

    def __init__(self, max_bytes: int, *, cr_ends_lines: bool = True) -> None:
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self.cr_ends_lines = cr_ends_lines

    def feed(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if self.cr_ends_lines and b"\r" in data:
            self._after_cr = data[-1:] == b"\r"
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head, newline, tail = data.partition(b"\n")
        if not newline:
            self._keep(head)
            return []
        lines = tail.split(b"\n")
        rest = lines.pop()
        if len(tail) > self._max_bytes:  # only then can one of its lines be too long
            for line in lines:
                self._check(len(line))
        if self._rest:
            self._keep(head)
            head = b"".join(self._rest)
            self._rest.clear()
        self._size = 0
        self._check(len(head))
        lines.insert(0, head)
        if rest:
            self._keep(rest)
        return lines

    @property
    def resting(self) -> bool:
        """Whether the last byte ended a line, so that the next one begins another."""
        return not self._rest and not self._after_cr

    def close(self) -> bytes:
        """What came after the last line end."""
        rest = b"".join(self._rest)
        self._rest.clear()
        self._size = 0
        return rest

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._size += len(piece)
            self._check(self._size)
            self._rest.append(piece)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise ProtocolViolation(f"a line of the stream is longer than {self._max_bytes} bytes")
