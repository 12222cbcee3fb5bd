"""The form of a spool's segments: a head, then frames, each the length of a record, its checksum and its bytes.

    segment   magic (8) · number (8) · nothing yet (16) · frames · zeros to the end
    frame     length (4) · CRC-32 of the payload, begun with the length (4) · payload · zeros to a multiple of 8
    seal      the length 0xFFFFFFFF: the writer has gone on to the next segment

All numbers are little-endian. A segment is preallocated and full of zeros, so a length of 0 means that nothing more was
written. The length is stored last, as one aligned word: a process that is killed at any instant leaves a frame that is
wholly there, or none. The checksum is for what a power failure can do, where pages reach the disk in any order.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol
from zlib import crc32

if TYPE_CHECKING:
    from mmap import mmap

__all__ = [
    "FRAME_HEAD",
    "HEAD_BYTES",
    "SEAL_BYTES",
    "Ended",
    "Taken",
    "Writable",
    "after_damage",
    "frame_size",
    "head",
    "is_segment",
    "put_frame",
    "put_seal",
    "take_frames",
]

HEAD_BYTES = 32
FRAME_HEAD = 8
SEAL_BYTES = 8
_MAGIC = b"DRGSPL\x01\n"
_SEAL = 0xFFFFFFFF
_SEAL_WORD = _SEAL.to_bytes(4, "little")
_HEAD = struct.Struct("<8sQ16x")
_FRAME = struct.Struct("<II")


class Writable(Protocol):
    """What frames are written into: an `mmap`, or in tests what remembers every store."""

    def __setitem__(self, where: slice, data: bytes, /) -> None: ...


class Ended(Enum):
    """Why reading stopped."""

    ENOUGH = "as many as were asked for"
    NOTHING_YET = "nothing more was written"
    SEALED = "the writer went on to the next segment"
    DAMAGED = "a frame that is not whole, or not what was written"


class Taken(NamedTuple):
    """Payloads, the place after the last of them, and why reading stopped there."""

    payloads: list[bytes]
    at: int
    ended: Ended


def head(number: int) -> bytes:
    """The first bytes of a segment."""
    return _HEAD.pack(_MAGIC, number)


def is_segment(data: mmap | bytes) -> bool:
    """Whether a file begins as a segment: one whose writer was killed while it prepared it does not."""
    return len(data) > HEAD_BYTES + SEAL_BYTES and data[:8] == _MAGIC


def frame_size(payload: bytes) -> int:
    """The bytes that a frame takes."""
    return (len(payload) + FRAME_HEAD + 7) & ~7


def put_frame(data: Writable, at: int, payload: bytes) -> None:
    """Writes a frame. Two stores: all but the length, then the length."""
    length = len(payload)
    data[at + 4 : at + 8 + length] = crc32(payload, length).to_bytes(4, "little") + payload
    data[at : at + 4] = length.to_bytes(4, "little")


def put_seal(data: Writable, at: int) -> None:
    """Writes the end of a segment that is not the last."""
    data[at : at + 4] = _SEAL_WORD


def take_frames(data: mmap | bytes, at: int, most: int) -> Taken:
    """Up to `most` payloads from a place on."""
    payloads: list[bytes] = []
    add, unpack = payloads.append, _FRAME.unpack_from
    end = len(data) - FRAME_HEAD
    for _ in range(most):
        if at > end:
            return Taken(payloads, at, Ended.SEALED)
        length, checksum = unpack(data, at)
        if length == 0:
            return Taken(payloads, at, Ended.NOTHING_YET)
        if length == _SEAL:
            return Taken(payloads, at, Ended.SEALED)
        begin = at + FRAME_HEAD
        payload = data[begin : begin + length]
        # Of what ends before its length, the checksum is another one but for one time in 2**32.
        if crc32(payload, length) != checksum or len(payload) != length:
            return Taken(payloads, at, Ended.DAMAGED)
        add(payload)
        at = (begin + length + 7) & ~7
    return Taken(payloads, at, Ended.ENOUGH)


def after_damage(data: mmap | bytes, at: int) -> int | None:
    """The place after a damaged frame, if its length can be believed; None when nothing after it can be found."""
    length = _FRAME.unpack_from(data, at)[0]
    following = at + ((length + FRAME_HEAD + 7) & ~7)
    return following if following <= len(data) - SEAL_BYTES else None
