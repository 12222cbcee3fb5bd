"""Media: images and documents as this wire writes them. It has no audio, no video and no other files.

| wire | media |
| --- | --- |
| image, source base64 / url / file | image by data / url / file_id |
| document, source base64 / text / url / file | document by data / text / url / file_id; title is its name |
| document, source content; any other source | Opaque |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.anthropic.forms import NAME, Writing, cache_of, kept, restore
from dragoman.dialects.file_ids import issued_to, issuer_of
from dragoman.dialects.reading import object_of, text
from dragoman.values import Media, Opaque

if TYPE_CHECKING:
    from typing import Literal

    from dragoman.values import JsonObject

__all__ = ["decode_document", "decode_image", "encode_media"]

_IMAGE = frozenset({"type", "source"})
_DOCUMENT = frozenset({"type", "source", "title"})
_SOURCES: dict[str, tuple[str, frozenset[str]]] = {
    "base64": ("data", frozenset({"type", "data", "media_type"})),
    "text": ("text", frozenset({"type", "data", "media_type"})),
    "url": ("url", frozenset({"type", "url"})),
    "file": ("file_id", frozenset({"type", "file_id"})),
}
_BEGINNINGS = (  # the first characters that the magic numbers of these formats have in base64
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", "application/pdf"),
)


def decode_image(block: JsonObject, path: str, issuer: str) -> Media | Opaque:
    """An image block; `issuer` is whose files are meant."""
    return _decode(block, "image", _IMAGE, path, issuer)


def decode_document(block: JsonObject, path: str, issuer: str) -> Media | Opaque:
    """A document block; `issuer` is whose files are meant."""
    return _decode(block, "document", _DOCUMENT, path, issuer)


def _decode(
    block: JsonObject, kind: Literal["image", "document"], known: frozenset[str], path: str, issuer: str
) -> Media | Opaque:
    source = object_of(block.get("source"), f"{path}.source")
    field, members = _SOURCES.get(text(source, "type", f"{path}.source") or "", ("", frozenset[str]()))
    if not field or not source.keys() <= members or (kind == "image" and field == "text"):
        return Opaque(dialect=NAME, kind=kind, data=block)
    value = text(source, "data" if field == "text" else field, f"{path}.source")
    media_type = text(source, "media_type", f"{path}.source")
    if value is None or ("media_type" in members and media_type is None) or value.startswith("data:"):
        return Opaque(dialect=NAME, kind=kind, data=block)
    cache = cache_of(block, path)
    fields: dict[str, Any] = {field: value}
    if field == "file_id":
        fields["issuer"] = issuer_of(value, issuer)
    return Media(
        kind=kind,
        media_type=media_type,
        name=(text(block, "title", path) or None) if kind == "document" else None,
        cache=cache,
        extras=kept(block, known, silent=("title",), cache=cache),
        **fields,
    )


def encode_media(media: Media, path: str, writing: Writing) -> JsonObject | None:
    """An image or document block; text where only a transcript can be said; None (recorded) for the rest."""
    if media.transcript and media.kind == "audio":
        writing.log.substituted(path, "this wire has no audio; its transcript is said as text")
        return {"type": "text", "text": media.transcript}
    allowed = issued_to(media, writing.target, writing.log, path)
    if allowed is None:
        return None
    media = allowed
    kind = _kind(media)
    if kind is None or (writing.answer and writing.mend):
        where = "answers of this wire hold no media" if writing.answer else f"this wire has no {media.kind}"
        writing.log.dropped(path, where, media.name or media.media_type)
        return None
    source = _source(media, kind, path, writing)
    if source is None:
        writing.log.dropped(path, f"this wire takes no {media.kind} of this form", media.name or media.media_type)
        return None
    if media.detail not in (None, "auto"):
        writing.log.dropped(f"{path}.detail", "this wire has no detail levels", media.detail)
    block: JsonObject = {"type": kind, "source": source}
    if media.name is not None:
        if kind == "document":
            block["title"] = media.name
        else:
            writing.log.dropped(f"{path}.name", "images have no names on this wire", media.name)
    return restore(block, media.extras)


def _kind(media: Media) -> str | None:
    if media.kind in ("image", "document"):
        return media.kind
    if media.kind == "file":
        return "image" if (media.media_type or "").startswith("image/") else "document"
    return None


def _source(media: Media, kind: str, path: str, writing: Writing) -> JsonObject | None:
    data, media_type = media.data, media.media_type
    if media.url is not None and media.url.startswith("data:"):
        head, _, data = media.url[5:].partition(",")
        if not head.endswith(";base64"):
            return None
        media_type = head.removesuffix(";base64").partition(";")[0] or media_type
    elif media.url is not None:
        return {"type": "url", "url": media.url}
    if media.file_id is not None:
        return {"type": "file", "file_id": media.file_id}
    if media.text is not None:
        form = media.media_type or "text/plain"
        if writing.mend and form != "text/plain":
            writing.log.substituted(f"{path}.media_type", "this wire's word for any text", form, "text/plain")
            form = "text/plain"
        return {"type": "text", "media_type": form, "data": media.text}
    if data is None:
        return None
    if media_type is None:
        media_type = next((guess for begin, guess in _BEGINNINGS if data.startswith(begin)), None)
        media_type = media_type or ("image/png" if kind == "image" else "application/pdf")
        writing.log.defaulted(f"{path}.media_type", "this wire wants a media type", media_type)
    if kind == "document" and writing.mend and media_type != "application/pdf":
        return None
    return {"type": "base64", "media_type": media_type, "data": data}
