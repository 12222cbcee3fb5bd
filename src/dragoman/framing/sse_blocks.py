"""Server-sent events as blocks: the bytes of each event with the blank line that ends it, unread and unchanged.

For whoever passes events on. A block that has not ended is kept until it has, so that what is passed is whole events.
"""

from __future__ import annotations

import re

from dragoman.errors import ProtocolViolation
from dragoman.framing.sse import MAX_FRAME_BYTES

__all__ = ["SseBlocks"]

_BLANK_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n){2}")


class SseBlocks:
    """`feed(bytes)` gives the blocks that became complete; `close()` gives the rest, if there is any.

    `kept` is what came of a block that has not ended.
    """

    __slots__ = ("_max_bytes", "kept")

    def __init__(self, max_block_bytes: int = MAX_FRAME_BYTES) -> None:
        self.kept = bytearray()
        self._max_bytes = max_block_bytes

    def feed(self, data: bytes) -> list[bytes]:
        # The commonest piece is one event in one segment: it is given as it is (0.2 µs). A CR may end events before it.
        if not self.kept and data.endswith(b"\n\n") and 0x0D not in data:
            if data.find(b"\n\n") == len(data) - 2:
                return [data]
            return [block + b"\n\n" for block in data[:-2].split(b"\n\n")]
        # A blank line may have begun in what is kept: up to three bytes of it.
        searched = max(len(self.kept) - 3, 0)
        self.kept += data
        blocks: list[bytes] = []
        begin = 0
        for end in _BLANK_LINE.finditer(self.kept, searched):
            blocks.append(bytes(self.kept[begin : end.end()]))
            begin = end.end()
        del self.kept[:begin]
        if len(self.kept) > self._max_bytes:
            raise ProtocolViolation(f"an event of the stream is larger than {self._max_bytes} bytes")
        return blocks

    def close(self) -> bytes:
        rest = bytes(self.kept)
        self.kept.clear()
        return rest
