"""AWS event streams taken apart and put together without our framing: the witness for tests of cuts and damage."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

__all__ = ["BinaryFrame", "binary_frames", "is_binary"]


@dataclass(frozen=True, slots=True)
class BinaryFrame:
    """One message as it stands on the wire: its headers' bytes, its payload, and the offset just behind it."""

    headers: bytes
    payload: bytes
    end: int

    @property
    def name(self) -> str:
        """The event's type (or the exception's): the first value that the headers hold."""
        start = 1 + self.headers[0] + 1
        (length,) = struct.unpack_from(">H", self.headers, start)
        return self.headers[start + 2 : start + 2 + length].decode()

    def wire(self, payload: bytes | None = None) -> bytes:
        """The message's bytes, with another payload if one is given."""
        payload = self.payload if payload is None else payload
        lengths = struct.pack(">II", len(self.headers) + len(payload) + 16, len(self.headers))
        message = lengths + struct.pack(">I", crc32(lengths)) + self.headers + payload
        return message + struct.pack(">I", crc32(message))


def is_binary(body: bytes) -> bool:
    """Whether the bytes begin as a message does: its length is below 16 MB."""
    return body[:1] == b"\x00"


def binary_frames(body: bytes) -> list[BinaryFrame]:
    """The whole messages."""
    frames: list[BinaryFrame] = []
    offset = 0
    while offset + 12 <= len(body):
        total, headers = struct.unpack_from(">II", body, offset)
        payload = offset + 12 + headers
        end = offset + total
        if end > len(body):
            break
        frames.append(BinaryFrame(body[offset + 12 : payload], body[payload : end - 4], end))
        offset = end
    return frames
