"""Bytes of a streamed answer → its chunks, in either of the two forms that Google's servers give.

With `alt=sse`: server-sent events. Without: one JSON array, sent piecemeal, an element a chunk. The first byte tells
which it is. An error in the middle of server-sent events comes as bare lines of JSON, without `data:`; they are taken
as an event too.
"""

from __future__ import annotations

import re

from dragoman.errors import ProtocolViolation
from dragoman.framing import SseDecoder, SseFrame

__all__ = ["ChunkFraming", "JsonArraySplitter"]

MAX_CHUNK_BYTES = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_STRUCTURE = re.compile(rb'["\\{}\[\]]')
_BETWEEN = re.compile(rb"[ \t\r\n,\[\]]*")


class JsonArraySplitter:
    """`feed(bytes)` gives the JSON objects of an array (or in a row) that became complete."""

    __slots__ = ("_depth", "_escaped", "_in_text", "_rest", "_scanned")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned: int = 0
        """How far into the rest, which begins with an object or is empty, the structure is known."""
        self._depth = 0
        self._in_text = False
        self._escaped = False

    @property
    def within(self) -> bool:
        """Whether an object has begun and is not complete."""
        return self._depth > 0

    def feed(self, data: bytes) -> list[bytes]:
        whole: list[bytes] = []
        rest = self._rest
        rest += data
        begin = 0
        while True:
            if self._depth == 0:
                begin = self._scanned = _next_object(rest, begin)
                if begin == len(rest):
                    break
            if not self._reach_end():
                break
            whole.append(bytes(rest[begin : self._scanned]))
            begin = self._scanned
        del rest[:begin]
        self._scanned -= begin
        if len(rest) > MAX_CHUNK_BYTES:
            raise ProtocolViolation(f"a chunk of the stream is larger than {MAX_CHUNK_BYTES} bytes")
        return whole

    def close(self) -> bytes:
        """An object that the end of the stream cut off."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _reach_end(self) -> bool:
        """Goes on to the end of the object, and says whether it is there yet."""
        while True:
            if self._escaped:
                if self._scanned == len(self._rest):
                    return False
                self._escaped = False
                self._scanned += 1
            found = _STRUCTURE.search(self._rest, self._scanned)
            if found is None:
                self._scanned = len(self._rest)
                return False
            self._scanned = found.end()
            sign = found.group()
            if self._in_text:
                self._in_text = sign != b'"'
                self._escaped = sign == b"\\"
            elif sign == b'"':
                self._in_text = True
            elif sign in b"{[":
                self._depth += 1
            elif sign in b"}]":
                self._depth -= 1
                if self._depth == 0:
                    return True


def _next_object(rest: bytearray, begin: int) -> int:
    found = _BETWEEN.match(rest, begin)
    begin = found.end() if found else begin
    if begin < len(rest) and rest[begin] != ord("{"):
        raise ProtocolViolation(
            f"the stream holds something else than JSON objects: {bytes(rest[begin : begin + 80])!r}"
        )
    return begin


class ChunkFraming(SseDecoder):
    """`feed(bytes)` and `close()` as of an `SseDecoder`, whichever form the stream has."""

    __slots__ = ("_array", "_bare", "_known", "_opening")

    def __init__(self) -> None:
        super().__init__(MAX_CHUNK_BYTES)
        self._opening = b""
        self._known = False
        self._array: JsonArraySplitter | None = None
        self._bare = JsonArraySplitter()

    def feed(self, data: bytes) -> list[SseFrame]:
        if not self._known:
            data = self._opening = self._opening + data
            begun = data.removeprefix(_BOM).lstrip()
            if not begun or (len(data) < len(_BOM) and _BOM.startswith(data)):
                return []
            self._known = True
            self._opening = b""
            if begun[:1] in (b"[", b"{"):
                self._array = JsonArraySplitter()
                data = begun
        if self._array is not None:
            return [SseFrame(chunk) for chunk in self._array.feed(data)]
        return super().feed(data)

    def close(self) -> list[SseFrame]:
        if self._array is not None:
            rest = self._array.close()
            return [SseFrame(rest)] if rest else []
        frames = super().close()
        rest = self._bare.close()
        return [*frames, SseFrame(rest)] if rest else frames

    def _take(self, line: bytes, frames: list[SseFrame]) -> None:
        if self._bare.within or line[:1] == b"{":
            frames.extend(SseFrame(chunk) for chunk in self._bare.feed(line + b"\n"))
        else:
            super()._take(line, frames)
