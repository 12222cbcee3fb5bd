"""Media: images, documents, video and sound as this wire writes them: bytes, an S3 address, or a document's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from dragoman.dialects.bedrock.forms import NAME, Writing, note
from dragoman.dialects.file_ids import issued_to
from dragoman.dialects.keeping import kept
from dragoman.dialects.reading import object_of, text
from dragoman.values import Media

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = ["decode_media", "encode_media", "image_type"]

_Kind = Literal["image", "document", "video", "audio"]
_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES: dict[str, dict[str, str]] = {
    "image": {name: f"image/{name}" for name in ("png", "jpeg", "gif", "webp")},
    "document": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "video": {
        **{name: f"video/{name}" for name in ("mp4", "webm", "mpeg", "mpg")},
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "flv": "video/x-flv",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        **{name: f"audio/{name}" for name in ("opus", "wav", "aac", "flac", "mp4", "ogg", "x-aac", "m4a", "pcm")},
        **{name: f"audio/{name}" for name in ("mpga", "webm", "mka")},
        "mp3": "audio/mpeg",
        "mpeg": "audio/mpeg",
        "mkv": "audio/x-matroska",
    },
}
_FORMATS = {kind: {mime: name for name, mime in reversed(table.items())} for kind, table in _TYPES.items()}
_FORMATS["image"]["image/jpg"] = "jpeg"
_FORMATS["audio"].update({"audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"})
_FORMATS["audio"]["audio/mpeg"] = "mp3"
_AS_TEXT = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml"})
_BEGINNINGS = (  # the first characters that the magic numbers of these formats have in base64
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", "application/pdf"),
)
_USUAL = {"image": "image/png", "document": "application/pdf", "video": "video/mp4", "audio": "audio/wav"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-()\[\]]")
_FIELD_OF = {"bytes": "data", "text": "text"}


def image_type(form: str | None) -> str | None:
    """The MIME type of an image's format."""
    return None if form is None else _TYPES["image"].get(form, f"image/{form}")


def decode_media(kind: _Kind, wire: JsonObject, path: str, target: Target, **extras: Any) -> Media | None:
    """Media, or None for a source that has no field. `extras` are added to those of the part."""
    if wire.get("source") is None:
        return None  # an image that failed has an error instead
    source = object_of(wire["source"], f"{path}.source")
    fields: JsonObject = {}
    if len(source) == 1 and not (kind != "document" and "text" in source):
        for name, field in _FIELD_OF.items():
            if isinstance(source.get(name), str):
                fields[field] = source[name]
    if not fields:
        place = source.get("s3Location")
        if len(source) != 1 or not isinstance(place, dict):
            return None
        place = object_of(place, f"{path}.source.s3Location")
        if not isinstance(place.get("uri"), str) or not place.keys() <= {"uri", "bucketOwner"}:
            return None
        fields["url"] = place["uri"]
        fields["issuer"] = target.issuer or None  # others have no leave to read the bucket
        extras |= {name: value for name, value in place.items() if name != "uri"}
    form = text(wire, "format", path)
    mime = None if form is None else _TYPES[kind].get(form, f"{kind}/{form}")
    if form is not None and _FORMATS[kind].get(mime or "") != form:
        extras[":format"] = form
    known = {"format", "source", "name"} if kind == "document" else {"format", "source"}
    return Media(
        kind=kind,
        media_type=mime,
        name=(text(wire, "name", path) or None) if kind == "document" else None,
        extras=kept(wire, known, NAME, notes=extras),
        **fields,
    )


def encode_media(media: Media, path: str, writing: Writing) -> tuple[str, JsonObject | str] | None:
    """A block's kind and content; text where only a transcript can be said; None (recorded) for the rest."""
    if media.transcript and media.kind == "audio":
        writing.log.substituted(path, "this wire has no transcripts; the words are said as text")
        return "text", media.transcript
    allowed = issued_to(media, writing.target, writing.log, path)
    if allowed is None:
        return None
    media = allowed
    if media.channel != "answer":
        writing.log.dropped(f"{path}.channel", "this wire does not tell commentary apart", media.channel)
    kind = _kind(media)
    source, mime = _source(media, kind)
    if source is None:
        reason = "this wire takes bytes and S3 addresses alone"
        writing.log.dropped(path, reason, media.url or media.file_id or media.name or media.media_type)
        return None
    wire: JsonObject = {}
    if not _write_format(wire, kind, mime, media, path, writing):
        writing.log.dropped(path, f"this wire takes no {kind} of type {mime}", media.name)
        return None
    if kind == "document":
        _write_name(wire, media, path, writing)
    elif media.name is not None:
        writing.log.dropped(f"{path}.name", f"{kind} blocks have no names on this wire", media.name)
    if media.detail not in (None, "auto"):
        writing.log.dropped(f"{path}.detail", "this wire has no detail levels", media.detail)
    wire["source"] = source
    return kind, wire


def _kind(media: Media) -> _Kind:
    if media.kind != "file":
        return media.kind
    family = (media.media_type or "").partition("/")[0]
    return family if family in ("image", "video", "audio") else "document"


def _source(media: Media, kind: _Kind) -> tuple[JsonObject | None, str | None]:
    """The source, and the MIME type that goes with it."""
    if media.data is not None:
        return {"bytes": media.data}, media.media_type
    if media.url is not None and media.url.startswith("data:"):
        head, _, data = media.url[5:].partition(",")
        if not head.endswith(";base64"):
            return None, None
        return {"bytes": data}, head.removesuffix(";base64").partition(";")[0] or media.media_type
    if media.url is not None and media.url.startswith("s3://"):
        place: JsonObject = {"uri": media.url}
        if "bucketOwner" in media.extras.get(NAME, {}):
            place["bucketOwner"] = note(media.extras, "bucketOwner")
        return {"s3Location": place}, media.media_type
    if media.text is not None and kind == "document":
        return {"text": media.text}, media.media_type
    return None, None


def _write_format(wire: JsonObject, kind: _Kind, mime: str | None, media: Media, path: str, writing: Writing) -> bool:
    form: Any = note(media.extras, ":format")
    if isinstance(form, str) and mime == _TYPES[kind].get(form, f"{kind}/{form}"):
        wire["format"] = form
        return True
    if mime is None:
        if not writing.mend or (kind == "document" and media.text is not None):
            return True  # a document need not name its format, and text is text
        data = media.data or ""
        mime = next((guess for begin, guess in _BEGINNINGS if data.startswith(begin)), _USUAL[kind])
        writing.log.defaulted(f"{path}.media_type", "this wire wants the format", mime)
    known = _FORMATS[kind].get(mime.lower())
    if known is None and kind == "document" and (mime.startswith("text/") or mime in _AS_TEXT):
        known = "txt"
        writing.log.substituted(f"{path}.media_type", "this wire's word for other text", mime, "text/plain")
    if known is not None:
        wire["format"] = known
    return known is not None


def _write_name(wire: JsonObject, media: Media, path: str, writing: Writing) -> None:
    name = media.name
    if not writing.mend:
        if name is not None:
            wire["name"] = name
            writing.names.add(name)
        return
    said = " ".join(_NOT_IN_NAMES.sub(" ", name or "").split())[:190] or f"Document {len(writing.names) + 1}"
    number, plain = 1, said
    while said in writing.names:
        number += 1
        said = f"{plain} ({number})"
    writing.names.add(said)
    wire["name"] = said
    if name is None:
        writing.log.defaulted(f"{path}.name", "this wire wants a name for each document", said)
    elif said != name:
        reason = "names of documents are letters, digits, spaces, hyphens and brackets here, and unlike each other"
        writing.log.substituted(f"{path}.name", reason, name, said)
