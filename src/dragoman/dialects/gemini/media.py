"""Media on the wire: `inlineData` (base64) and `fileData` (an address), with what values need to know of MIME types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dragoman.dialects.gemini.members import inner, own, shape, write_inner
from dragoman.dialects.reading import required_text, text
from dragoman.values import Media

if TYPE_CHECKING:
    from dragoman.dialects.gemini.members import Reading
    from dragoman.values import AdaptationLog, JsonObject

__all__ = ["media_member", "read_file", "read_inline"]

Kind = Literal["image", "audio", "video", "document", "file"]

_INLINE = shape("mimeType", "data", "displayName")
_FILE = shape("mimeType", "fileUri", "displayName")

_TYPE_OF_SUFFIX = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "avif": "image/avif",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}
_USUAL_TYPE: dict[str, str] = {
    "image": "image/jpeg",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/pdf",
    "file": "application/octet-stream",
}
_AUDIO_TYPES = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}

_FILES_ADDRESS = "https://generativelanguage.googleapis.com/v1beta/"
"""Uploaded files are named `files/abc`, and are asked for under this address."""
_UPLOADED = "://generativelanguage.googleapis.com/"


def _kind(media_type: str | None, address: str = "") -> Kind:
    if media_type is None:
        media_type = _type_of(address) or ""
    major = media_type.partition("/")[0]
    if major in ("image", "audio", "video"):
        return major  # pyright: ignore[reportReturnType]  # narrowed by the tuple
    return "document" if major == "text" or media_type == "application/pdf" else "file"


def _type_of(address: str) -> str | None:
    path = address.partition("?")[0].partition("#")[0]
    return _TYPE_OF_SUFFIX.get(path.rpartition("/")[2].rpartition(".")[2].lower())


_STANDARD = str.maketrans("-_", "+/")
_FOR_ADDRESSES = str.maketrans("+/", "-_")


def read_inline(reading: Reading, path: str) -> Media:
    """`inlineData`; its data stay the text that they are, but for their alphabet.

    The vendor's Python client writes base64 in the alphabet that suits addresses, which no other dialect takes.
    """
    found = inner(reading, "inlineData", _INLINE, path)
    where = f"{path}.inlineData"
    media_type = text(found, "mimeType", where)
    if media_type is None:
        reading.notes[":untyped"] = True
    data = text(found, "data", where)
    if data is None:
        reading.notes[":dataless"] = True
    elif "-" in data or "_" in data:
        reading.notes[":for-addresses"] = True
        data = data.translate(_STANDARD)
    name = text(found, "displayName", where)
    if name is not None:
        reading.notes[":named"] = True
    return Media(kind=_kind(media_type), data=data or "", media_type=media_type, name=name)


def read_file(reading: Reading, path: str, issuer: str) -> Media:
    """`fileData`: an uploaded file, a `gs:` object, a video address or any other that the host fetches.

    An uploaded file is at an address that asks for its issuer's key.
    """
    found = inner(reading, "fileData", _FILE, path)
    where = f"{path}.fileData"
    address = required_text(found, "fileUri", where)
    media_type = text(found, "mimeType", where)
    name = text(found, "displayName", where)
    if name is not None:
        reading.notes[":named"] = True
    if media_type is None:
        reading.notes[":untyped"] = True
    return Media(
        kind=_kind(media_type, address),
        url=address,
        media_type=media_type,
        name=name,
        issuer=(issuer or None) if _UPLOADED in address else None,
    )


def media_member(media: Media, log: AdaptationLog, path: str) -> tuple[str, JsonObject] | None:
    """The wire member that holds a medium, and its content; None where there is none, which is recorded."""
    extras = own(media.extras)
    media_type = media.media_type
    data, address = media.data, media.url
    if data is None and address is not None and address.startswith("data:"):
        head, _, data = address[5:].partition(",")
        media_type = media_type or head.partition(";")[0] or None
        if not head.endswith(";base64"):
            log.dropped(path, "the wire takes inline media as base64 alone", address[:80])
            return None
    if data is None and address is None and media.file_id is not None:
        address = _address_of_file(media.file_id)
        if address is None:
            log.dropped(path, "a file id of another provider means nothing here", media.file_id)
            return None
    if data is None and address is None:
        log.dropped(path, "there is nothing in it")
        return None
    if media_type is None and ":untyped" not in extras:
        media_type = _type_of(address or "") or (_usual_type(media, log, path) if data is not None else None)
    elif media.kind == "audio" and media_type in _AUDIO_TYPES:
        media_type = _AUDIO_TYPES[media_type]
    members: JsonObject = {} if media_type is None else {"mimeType": media_type}
    if media.name is not None:
        if ":named" in extras:
            members["displayName"] = media.name
        else:
            log.dropped(f"{path}.name", "media have no names here", media.name)
    if data is not None:
        if data or ":dataless" not in extras:
            members["data"] = data.translate(_FOR_ADDRESSES) if ":for-addresses" in extras else data
        return "inlineData", write_inner(members, "inlineData", extras)
    members["fileUri"] = address
    return "fileData", write_inner(members, "fileData", extras)


def _address_of_file(file_id: str) -> str | None:
    if file_id.startswith("files/"):
        return _FILES_ADDRESS + file_id
    return file_id if "://" in file_id else None


def _usual_type(media: Media, log: AdaptationLog, path: str) -> str:
    usual = _USUAL_TYPE[media.kind]
    log.defaulted(f"{path}.media_type", "inline media need a MIME type", usual)
    return usual
