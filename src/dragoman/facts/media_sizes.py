"""How large a piece of media is, read from the first bytes of what is there: pixels, seconds, pages."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from dragoman.values import Media

__all__ = ["MediaSize", "image_pixels", "media_size"]

_HEAD_CHARACTERS: Final = 400_000  # of base64: a JPEG may hold a whole preview before its own size
_PAGE: Final = re.compile(rb"/Type\s*/Page[^s]")
_PACKED: Final = re.compile(rb"/ObjStm")
_START_OF_FRAME: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


class MediaSize(msgspec.Struct, frozen=True):
    """None means that it cannot be told from what is there. `length_bytes` is of the content, not of its base64."""

    kind: str
    media_type: str | None = None
    detail: str | None = None
    length_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    pages: int | None = None


def media_size(part: Media) -> MediaSize:
    """Measures a part; what is elsewhere (by address or id) has its kind alone."""
    data = part.data
    kind = "document" if part.kind == "file" else part.kind
    if part.kind == "file" and part.media_type:
        kind = {"image": "image", "audio": "audio", "video": "video"}.get(part.media_type.partition("/")[0], kind)
    if data is None:
        return MediaSize(kind, part.media_type, part.detail)
    head = _decoded(data[:_HEAD_CHARACTERS])
    length = len(data) * 3 // 4
    width = height = pages = None
    seconds = None
    if kind == "image":
        width, height = image_pixels(head) or (None, None)
    elif kind == "audio":
        seconds = _wav_seconds(head, length)
    elif kind == "document" and head[:5] == b"%PDF-":
        pages = _pdf_pages(head if length <= len(head) else _decoded(data))
    return MediaSize(kind, part.media_type, part.detail, length, width, height, seconds, pages)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text[: len(text) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def image_pixels(head: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF, WebP or BMP image from its first bytes; None for others."""
    try:
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack(">II", head[16:24])
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", head[6:10])
        if head[:2] == b"\xff\xd8":
            return _jpeg_pixels(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp_pixels(head)
        if head[:2] == b"BM":
            width, height = struct.unpack("<ii", head[18:26])
            return abs(width), abs(height)
    except struct.error:
        return None
    return None


def _jpeg_pixels(head: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(head):
        if head[place] != 0xFF:
            return None
        marker = head[place + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD9:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME:
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        place += 2 + struct.unpack(">H", head[place + 2 : place + 4])[0]
    return None


def _webp_pixels(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if form == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _wav_seconds(head: bytes, length: int) -> float | None:
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    place = head.find(b"fmt ")
    if place < 0 or place + 20 > len(head):
        return None
    per_second = int.from_bytes(head[place + 16 : place + 20], "little")
    return length / per_second if per_second else None


def _pdf_pages(data: bytes) -> int | None:
    """Pages that stand in the open; a file that packs its objects does not tell without being unpacked."""
    if _PACKED.search(data):
        return None
    return len(_PAGE.findall(data)) or None
