"""What bytes and file names say about the kind of media they are: MIME types by signature and by suffix.

Signatures are those of the formats' own specifications; containers of sound as well as film (ISO media, Matroska, Ogg)
are named after the family that is asked for.
"""

from __future__ import annotations

import re

__all__ = ["by_signature", "by_suffix", "family_of"]

_OFFICE = "application/vnd.openxmlformats-officedocument."
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {  # the major brand of an ISO media file (ISO/IEC 14496-12)
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_PACKED = re.compile(rb"PK\x01\x02.{42}(word|xl|ppt)/", re.DOTALL)
"""An entry of a ZIP archive's directory, which tells what kind of Office document it is (ECMA-376)."""
_OFFICE_KINDS = {
    b"word": "wordprocessingml.document",
    b"xl": "spreadsheetml.sheet",
    b"ppt": "presentationml.presentation",
}

_SUFFIXES: dict[str, str] = {
    **{name: f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "bmp", "tiff", "heic", "heif", "avif")},
    "jpg": "image/jpeg",
    "tif": "image/tiff",
    "svg": "image/svg+xml",
    **{name: f"audio/{name}" for name in ("wav", "flac", "aac", "ogg", "opus", "aiff", "amr")},
    "mp3": "audio/mpeg",
    "mpga": "audio/mpeg",
    "oga": "audio/ogg",
    "m4a": "audio/mp4",
    "pcm": "audio/pcm",
    **{name: f"video/{name}" for name in ("mp4", "mpeg", "webm")},
    "mpg": "video/mpeg",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "wmv": "video/x-ms-wmv",
    "3gp": "video/3gpp",
    "ogv": "video/ogg",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "html": "text/html",
    "htm": "text/html",
    "json": "application/json",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "rtf": "application/rtf",
    "epub": "application/epub+zip",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
}


def family_of(media_type: str) -> str:
    """The kind of media that a MIME type stands for: "image", "audio", "video", or "document" for every other."""
    family = media_type.partition("/")[0].lower()
    return family if family in ("image", "audio", "video") else "document"


def by_suffix(name: str) -> str | None:
    """The MIME type that the end of a file's name stands for, or None."""
    return _SUFFIXES.get(name.rpartition(".")[2].lower()) if "." in name else None


def by_signature(data: bytes, wanted: str) -> str | None:
    """The MIME type that the first bytes tell, or None; `wanted` is the family that a container is asked to be."""
    for offset, signature, media_type in _SIGNATURES:
        if data.startswith(signature, offset):
            return media_type
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _iso(data[8:12], wanted)
    if data.startswith(b"\x1aE\xdf\xa3"):  # EBML: Matroska and its subset WebM, which name themselves further on
        kind = "webm" if b"webm" in data[:64] else "x-matroska"
        return f"{'audio' if wanted == 'audio' else 'video'}/{kind}"
    if data.startswith(b"OggS"):
        return "video/ogg" if wanted == "video" else "audio/ogg"
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if data.startswith(b"PK\x03\x04"):
        entry = _PACKED.search(data)
        return f"{_OFFICE}{_OFFICE_KINDS[entry[1]]}" if entry else None
    return None


def _iso(brand: bytes, wanted: str) -> str:
    known = _BRANDS.get(brand)
    if known is not None:
        return known
    if brand.startswith(b"3g"):
        return "audio/3gpp" if wanted == "audio" else "video/3gpp"
    return "audio/mp4" if wanted == "audio" else "video/mp4"
