"""Segments as files: made with all their room on the disk, opened for reading, listed in order."""

from __future__ import annotations

import os
import sys
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

from dragoman.ledger.frames import HEAD_BYTES, SEAL_BYTES, head, is_segment

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Segment", "open_segment", "segment_numbers", "segment_path", "sync_directory"]

_SUFFIX = ".seg"
_ZEROS = 64 * 1024


def segment_path(spool: Path, number: int) -> Path:
    """The file of a segment."""
    return spool / f"{number:06}{_SUFFIX}"


def segment_numbers(spool: Path) -> list[int]:
    """The segments there are, oldest first; none when the spool is gone."""
    try:
        names = os.listdir(spool)
    except FileNotFoundError:
        return []
    return sorted(int(name[: -len(_SUFFIX)]) for name in names if name.endswith(_SUFFIX))


class Segment:
    """A segment that is written. `end` is where the last frame must end, so that the seal still fits."""

    __slots__ = ("data", "descriptor", "end", "number")

    def __init__(self, data: mmap, descriptor: int, number: int) -> None:
        self.data = data
        self.descriptor = descriptor
        self.number = number
        self.end = len(data) - SEAL_BYTES

    @classmethod
    def create(cls, spool: Path, number: int, size: int, *, durable: bool) -> Segment:
        """A new segment with all its room allocated, so that no store into it can meet a full disk.

        `durable` puts the file itself on the disk as well. Raises OSError and leaves nothing behind.
        """
        path = segment_path(spool, number)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _allocate(descriptor, size)
            data = mmap(descriptor, size)
            data[:HEAD_BYTES] = head(number)
            if durable:
                os.fsync(descriptor)
                sync_directory(spool)
        except BaseException:
            os.close(descriptor)
            path.unlink()
            raise
        return cls(data, descriptor, number)

    @property
    def room(self) -> int:
        """The bytes that frames may take in it."""
        return self.end - HEAD_BYTES

    def sync(self) -> None:
        """Puts what was written on the disk."""
        if sys.platform == "linux":
            os.fdatasync(self.descriptor)  # covers stores through the mapping, and lets other threads run
        else:
            self.data.flush()
            os.fsync(self.descriptor)

    def close(self) -> None:
        self.data.close()
        os.close(self.descriptor)


def _allocate(descriptor: int, size: int) -> None:
    if sys.platform == "linux":
        os.posix_fallocate(descriptor, 0, size)
    else:
        for _ in range(0, size, _ZEROS):
            os.write(descriptor, bytes(_ZEROS))
        os.ftruncate(descriptor, size)


def open_segment(spool: Path, number: int) -> mmap | None:
    """A segment to read; None when it is gone, or when its writer was killed before it was ready."""
    try:
        descriptor = os.open(segment_path(spool, number), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if os.fstat(descriptor).st_size <= HEAD_BYTES:
            return None
        data = mmap(descriptor, 0, access=ACCESS_READ)
    finally:
        os.close(descriptor)
    if is_segment(data):
        return data
    data.close()
    return None


def sync_directory(directory: Path) -> None:
    """Puts a directory's entries on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
