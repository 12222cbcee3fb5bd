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
_BETWEEN = b" \t\r\n,[]"


class JsonArraySplitter:
    """`feed(bytes)` gives the JSON objects of an array (or in a row) that became complete."""

    __slots__ = ("_depth", "_escaped", "_in_text", "_rest", "_scanned")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_text = False
        self._escaped = False

    @property
    def within(self) -> bool:
        """Whether an object has begun and is not complete."""
        return self._depth > 0

    def feed(self, data: bytes) -> list[bytes]:
        whole: list[bytes] = []
        self._rest += data
        while True:
            if self._depth == 0:
                self._skip_between()
                if not self._rest:
                    return whole
            end = self._end_of_object()
            if end is None:
                if len(self._rest) > MAX_CHUNK_BYTES:
                    raise ProtocolViolation(f"a chunk of the stream is larger than {MAX_CHUNK_BYTES} bytes")
                return whole
            whole.append(bytes(self._rest[:end]))
            del self._rest[:end]
            self._scanned = 0

    def close(self) -> bytes:
        """An object that the end of the stream cut off."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _skip_between(self) -> None:
        rest = self._rest.lstrip(_BETWEEN)
        if rest and rest[0] != ord("{"):
            raise ProtocolViolation(f"the stream holds something else than JSON objects: {bytes(rest[:80])!r}")
        self._rest = rest

    def _end_of_object(self) -> int | None:
        """Where the object that begins the rest ends; None if it does not yet. Goes on from where it left off."""
        position = self._scanned
        while True:
            if self._escaped:
                if position >= len(self._rest):
                    break
                self._escaped = False
                position += 1
            found = _STRUCTURE.search(self._rest, position)
            if found is None:
                position = len(self._rest)
                break
            position = found.end()
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
                    return position
        self._scanned = position
        return None


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
