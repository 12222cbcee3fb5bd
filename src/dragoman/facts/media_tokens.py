"""How many tokens a picture, a recording or a document takes: rows per family of models, first that matches wins.

The rules are the vendors' (OpenAI "Images and vision: calculating costs", Anthropic "Vision" and "PDF support", Gemini
API "Understand and count tokens" and "Media resolution", Mistral "Vision"), written without a day on which the pages
were looked up. Where a vendor publishes no count, a picture is taken for one token per 14 by 14 pixels at most, which
no encoder in use goes beyond.
"""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from dragoman.facts.media_sizes import MediaSize

__all__ = ["MediaRow", "media_estimate", "media_most", "media_row"]


class MediaRow(msgspec.Struct, frozen=True, kw_only=True):
    """How a family counts media.

    `images` names the rule; `base` and `each` are its numbers (tiles: tokens of the picture and of each 512 pixel
    tile; patches: the factor on 32 pixel patches, at most 1536 of them). `most_image` is the most that any picture
    takes (None: it grows with the picture), `page` what a page takes and `most_page` the most, where that is promised.
    """

    pattern: str
    images: Literal["tiles", "patches", "area", "gemini", "free"] = "free"
    base: float = 0
    each: float = 0
    most_image: int | None = None
    typical_image: int = 600
    page: int = 600
    most_page: int | None = None
    second: float = 12
    most_second: float = 50
    video_second: float = 300


_ROWS: Final = (
    MediaRow(pattern="gpt-4o-mini", images="tiles", base=2833, each=5667, most_image=48169, typical_image=25501),
    MediaRow(pattern="gpt-(4[.]1|5)-mini", images="patches", each=1.62, most_image=2489, page=1000),
    MediaRow(pattern="gpt-(4[.]1|5)-nano", images="patches", each=2.46, most_image=3779, page=1000),
    MediaRow(pattern="o4-mini", images="patches", each=1.72, most_image=2642),
    MediaRow(pattern="gpt-4o|gpt-4[.]|gpt-4-|gpt-audio", images="tiles", base=85, each=170, most_image=1445, page=1000),
    MediaRow(pattern="computer-use", images="tiles", base=65, each=129, most_image=1097),
    MediaRow(pattern=r"\bo[13]\b", images="tiles", base=75, each=150, most_image=1275),
    MediaRow(pattern="gpt-5(?![.])", images="tiles", base=70, each=140, most_image=1190, page=1000),
    MediaRow(pattern=r"\bgpt-\d", images="patches", each=1.2, most_image=12_000, page=1000),
    MediaRow(pattern="claude", images="area", most_image=5000, typical_image=1000, page=1700),
    MediaRow(
        pattern="gemini-3",
        images="gemini",
        most_image=2240,
        typical_image=1100,
        page=560,
        most_page=2240,
        second=32,
        most_second=32,
        video_second=100,
    ),
    MediaRow(
        pattern="gemini",
        images="gemini",
        typical_image=516,
        page=258,
        most_page=1300,
        second=32,
        most_second=32,
        video_second=295,
    ),
    MediaRow(pattern="mistral|pixtral", images="free", most_image=4200, typical_image=700, page=100),
    MediaRow(pattern=""),
)
_COMPILED: Final = tuple((re.compile(row.pattern), row) for row in _ROWS)

_TEXT_TYPES: Final = re.compile(r"text/|application/(?:json|xml|csv|x?yaml)")
_BYTES_PER_PAGE: Final = 40_000
_SOUND_BYTES_PER_SECOND: Final = 16_000
_LEAST_SOUND_BYTES_PER_SECOND: Final = 750  # speech at 6 kbit/s, the least that codecs in use offer
_VIDEO_BYTES_PER_SECOND: Final = 150_000
_SMALL_IMAGE: Final = 3000


def media_row(model: str) -> MediaRow:
    """The row of a model."""
    name = model.lower()
    return next(row for pattern, row in _COMPILED if pattern.search(name))


def media_estimate(size: MediaSize, model: str) -> float:
    """About how many tokens it takes; what cannot be measured is taken for a usual one."""
    row = media_row(model)
    if size.kind == "image":
        return _image(size, row)
    if size.kind == "audio":
        seconds = size.seconds
        if seconds is None:
            seconds = 10.0 if size.length_bytes is None else size.length_bytes / _SOUND_BYTES_PER_SECOND
        return max(1.0, seconds * row.second)
    if size.kind == "video":
        length = size.length_bytes
        return row.video_second * (10.0 if length is None else max(1.0, length / _VIDEO_BYTES_PER_SECOND))
    if size.length_bytes is None:
        return float(row.page)
    if size.media_type and _TEXT_TYPES.match(size.media_type):
        return size.length_bytes / 4
    return row.page * float(size.pages or ceil(size.length_bytes / _BYTES_PER_PAGE))


def media_most(size: MediaSize, model: str) -> int | None:
    """The most tokens that it can take; None where nothing limits it but the model's window."""
    row = media_row(model)
    if size.kind == "image":
        if size.width is None or size.height is None:
            return row.most_image
        return _most_image(size.width, size.height, size, row)
    if size.length_bytes is None:
        return None
    if size.kind == "audio":
        seconds = size.seconds if size.seconds is not None else size.length_bytes / _LEAST_SOUND_BYTES_PER_SECOND
        return ceil((seconds + 1) * row.most_second)
    if size.kind == "document":
        if size.media_type and _TEXT_TYPES.match(size.media_type):
            return size.length_bytes + 100
        if size.pages is not None and row.most_page is not None:
            return size.pages * row.most_page
    return None


def _image(size: MediaSize, row: MediaRow) -> float:
    width, height = size.width, size.height
    if row.images == "tiles" and size.detail == "low":
        return row.base
    if width is None or height is None or not width or not height:
        return float(row.typical_image)
    match row.images:
        case "tiles":
            return row.base + row.each * _tiles(width, height)
        case "patches":
            patches = ceil(width / 32) * ceil(height / 32)
            return min(patches, 1536) * row.each
        case "area":
            return min(width * height / 750, 1600.0)
        case "gemini":
            return float(_gemini_tiles(width, height) * 258) if row.most_image is None else float(row.typical_image)
        case "free":
            return min(width * height / 784 + height / 28, float(row.most_image or 4000))


def _most_image(width: int, height: int, size: MediaSize, row: MediaRow) -> int:
    free = ceil(width / 14) * (ceil(height / 14) + 1)
    limit = row.most_image
    match row.images:
        case "tiles" | "patches":
            most = limit if limit is not None else free
            return ceil(row.base) if row.images == "tiles" and size.detail == "low" else most
        case "area":
            patches = max(ceil(width / 28) * ceil(height / 28), ceil(width * height / 750)) + 16
            return patches if limit is None else min(limit, patches)
        case "gemini":
            return limit if limit is not None else max(1300, _gemini_tiles(width, height) * 258)
        case "free":
            most = max(_SMALL_IMAGE, free)
            return most if limit is None else min(limit, most)


def _tiles(width: int, height: int) -> int:
    """512 pixel tiles after the picture was made to fit 2048 by 2048, and its shorter side 768."""
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return ceil(width * scale / 512) * ceil(height * scale / 512)


def _gemini_tiles(width: int, height: int) -> int:
    """One for a small picture; else tiles of two thirds of the shorter side, from 256 to 768 pixels."""
    if width <= 384 and height <= 384:
        return 1
    unit = min(768, max(256, int(min(width, height) / 1.5)))
    return ceil(width / unit) * ceil(height / unit)
