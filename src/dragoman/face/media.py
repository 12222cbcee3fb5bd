"""Images for messages, from what people have: bytes, a file, an address, or a provider's file id."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import InvalidRequest
from dragoman.values import Media

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Image"]

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def Image(
    source: bytes | str | PathLike[str] | None = None,
    *,
    url: str | None = None,
    file_id: str | None = None,
    media_type: str | None = None,
    detail: str | None = None,
) -> Media:
    """An image part: `Image(b"…")`, `Image("chart.png")`, `Image("https://…")`, `Image(file_id="file-…")`.

    A text is an address when it begins with http://, https://, data:, gs:// or s3://, else a path. The media type is
    read from the bytes where it is not given. Raises `InvalidRequest` when there is not exactly one source, when the
    file cannot be read, or when the bytes are no image of a known kind and no media type is given.
    """
    if sum(given is not None for given in (source, url, file_id)) != 1:
        raise InvalidRequest("an image has exactly one source: bytes or a path, url=…, or file_id=…", path="image")
    if file_id is not None:
        return Media(kind="image", file_id=file_id, media_type=media_type, detail=detail)
    if isinstance(source, str) and source.startswith(("http://", "https://", "data:", "gs://", "s3://")):
        source, url = None, source
    if url is not None:
        return _by_url(url, media_type, detail)
    data = source if isinstance(source, bytes) else _read(Path(str(source)))
    kind = media_type or _kind_of(data)
    return Media(kind="image", data=base64.b64encode(data).decode(), media_type=kind, detail=detail)


def _by_url(url: str, media_type: str | None, detail: str | None) -> Media:
    head, comma, data = url.partition(",")
    if head.startswith("data:") and comma and head.endswith(";base64"):
        named = head.removeprefix("data:").removesuffix(";base64") or None
        return Media(kind="image", data=data, media_type=media_type or named, detail=detail)
    return Media(kind="image", url=url, media_type=media_type, detail=detail)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the image file cannot be read: {error}", path="image") from None


def _kind_of(data: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidRequest("these bytes are no PNG, JPEG, GIF or WebP image; give media_type='image/…'", path="image")
