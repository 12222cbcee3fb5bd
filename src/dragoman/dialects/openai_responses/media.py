"""Images, files and audio in input content ↔ `Media`. Base64 is never decoded here."""

from __future__ import annotations

from mimetypes import guess_extension
from typing import TYPE_CHECKING, Any, Literal

from dragoman.dialects.file_ids import issued_to, issuer_of
from dragoman.dialects.openai_responses.wire import ABSENT, ITEM, NAME, TYPE, extras_of, members, notes
from dragoman.dialects.reading import object_of, required_text, text, unknown
from dragoman.values import Media, replace

if TYPE_CHECKING:
    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject

__all__ = ["MEDIA_TYPES", "decode_media", "encode_media"]

MEDIA_TYPES = frozenset({"input_image", "input_file", "input_audio", "computer_screenshot"})

_UNTYPED = "data:"
"""In the note of absent members: the file's data was bare base64, without a media type."""
_DETAILS = {
    "input_image": ("low", "high", "auto", "original"),
    "computer_screenshot": (),
    "input_file": ("auto", "low", "high"),
}
_FORMAT_OF = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
_DEFAULT_TYPE = {"document": "application/pdf", "file": "application/octet-stream"}
_Kind = Literal["image", "document"]


def decode_media(piece: JsonObject, path: str, issuer: str) -> Media:
    """A part whose type is in `MEDIA_TYPES`, without its cache mark; `issuer` is whose files are meant."""
    media = _read(piece, path)
    return media if media.file_id is None else replace(media, issuer=issuer_of(media.file_id, issuer))


def _read(piece: JsonObject, path: str) -> Media:
    kind = piece["type"]
    if kind == "input_audio":
        return _audio(piece, path)
    if kind == "input_file":
        return _file(piece, path)
    absent = [] if "detail" in piece or kind == "computer_screenshot" else ["detail"]
    return _by_address(piece, path, "image", "image_url", absent)


def _by_address(piece: JsonObject, path: str, kind: _Kind, member: str, absent: list[str]) -> Media:
    own = unknown(piece, ("type", member, "file_id", "detail"))
    if absent:
        own[ABSENT] = absent
    if piece["type"] == "computer_screenshot":
        own[TYPE] = piece["type"]
    data, url, media_type = _split(text(piece, member, path))
    return Media(
        kind=kind,
        data=data,
        url=url,
        media_type=media_type,
        file_id=text(piece, "file_id", path),
        detail=text(piece, "detail", path),
        extras=extras_of(own),
    )


def _split(address: str | None) -> tuple[str | None, str | None, str | None]:
    """An address as (data, url, media type): a base64 data URL is data."""
    if address is None or not address.startswith("data:"):
        return None, address, None
    head, comma, data = address[5:].partition(";base64,")
    return (data, None, head) if comma and head else (None, address, None)


def _file(piece: JsonObject, path: str) -> Media:
    own = unknown(piece, ("type", "file_data", "file_url", "file_id", "filename", "detail"))
    given = text(piece, "file_data", path)
    data, bare, media_type = _split(given)
    if data is None and bare is not None:
        data = bare
        own[ABSENT] = [_UNTYPED]
    return Media(
        kind="document",
        data=data,
        media_type=media_type,
        url=text(piece, "file_url", path),
        file_id=text(piece, "file_id", path),
        name=text(piece, "filename", path),
        detail=text(piece, "detail", path),
        extras=extras_of(own),
    )


def _audio(piece: JsonObject, path: str) -> Media:
    inner = object_of(piece.get("input_audio"), f"{path}.input_audio")
    where = f"{path}.input_audio"
    own = unknown(piece, ("type", "input_audio"))
    own[TYPE] = "input_audio"
    return Media(
        kind="audio",
        data=required_text(inner, "data", where),
        media_type=f"audio/{required_text(inner, 'format', where)}",
        extras={NAME: own},
    )


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_media(media: Media, fit: Fit, path: str) -> JsonObject | None:
    """The content part without its cache mark, or None (recorded) for what the wire cannot hold."""
    if fit.towards == "provider":
        allowed = issued_to(media, fit.target, fit.log, path)
        if allowed is None:
            return None
        media = allowed
    if media.text is not None:
        fit.log.substituted(path, "a document given as text is said as text")
        return {"type": "input_text", "text": media.text}
    if media.kind == "image":
        body = _write_image(media, fit, path)
    elif media.kind in ("document", "file"):
        body = _write_file(media, fit, path)
    elif media.kind == "audio" and media.data is not None and _takes_audio(media, fit):
        body = _write_audio(media.data, media)
    else:
        fit.log.dropped(path, f"the wire takes no {media.kind}")
        return None
    if body is None:
        fit.log.dropped(path, "the media has no data, url or file_id")
        return None
    if media.transcript is not None:
        fit.log.dropped(f"{path}.transcript", "only generated audio has a transcript", media.transcript)
    if notes(media.extras).get(ITEM, {}).get("type") == "image_generation_call":
        return body  # its members tell how it was generated, and are none of an input image's
    return body | members(media.extras)


def _takes_audio(media: Media, fit: Fit) -> bool:
    return notes(media.extras).get(TYPE) == "input_audio" or fit.target.quirks.responses.audio_input


def _detail(media: Media, kind: str, fit: Fit, path: str) -> str | None:
    if media.detail is None or media.detail in _DETAILS[kind] or NAME in media.extras:
        return media.detail
    fit.log.dropped(f"{path}.detail", f"{kind} knows {', '.join(_DETAILS[kind])}", media.detail)
    return None


def _write_image(media: Media, fit: Fit, path: str) -> JsonObject | None:
    own = notes(media.extras)
    kind = own.get(TYPE, "input_image")
    body: JsonObject = {"type": kind}
    if media.data is not None:
        body["image_url"] = f"data:{media.media_type or 'image/png'};base64,{media.data}"
        if media.media_type is None:
            fit.log.defaulted(f"{path}.media_type", "inline images need one", "image/png")
    elif media.url is not None:
        body["image_url"] = media.url
    if media.file_id is not None:
        body["file_id"] = media.file_id
    if len(body) == 1:
        return None
    if media.name is not None:
        fit.log.dropped(f"{path}.name", "an image has no name", media.name)
    detail = _detail(media, kind, fit, path)
    if detail is not None:
        body["detail"] = detail
    elif kind == "input_image" and "detail" not in own.get(ABSENT, ()):
        body["detail"] = "auto"
        fit.log.defaulted(f"{path}.detail", "the wire requires it", "auto")
    return body


def _write_file(media: Media, fit: Fit, path: str) -> JsonObject | None:
    untyped = _UNTYPED in notes(media.extras).get(ABSENT, ())
    body: JsonObject = {"type": "input_file"}
    if media.data is not None and media.media_type is None and untyped:
        body["file_data"] = media.data
    elif media.data is not None:
        media_type = media.media_type or _DEFAULT_TYPE[media.kind]
        body["file_data"] = f"data:{media_type};base64,{media.data}"
        if media.media_type is None:
            fit.log.defaulted(f"{path}.media_type", "inline files need one", media_type)
        if media.name is None and NAME not in media.extras and fit.towards == "provider":
            body["filename"] = f"file{guess_extension(media_type) or ''}"
            fit.log.defaulted(f"{path}.name", "inline files need one", body["filename"])
    given: dict[str, Any] = {"file_url": media.url, "file_id": media.file_id, "filename": media.name}
    body.update((name, value) for name, value in given.items() if value is not None)
    if not body.keys() & {"file_data", "file_url", "file_id"}:
        return None
    detail = _detail(media, "input_file", fit, path)
    if detail is not None:
        body["detail"] = detail
    return body


def _write_audio(data: str, media: Media) -> JsonObject:
    media_type = media.media_type or "audio/wav"
    form = _FORMAT_OF.get(media_type, media_type.partition("/")[2])
    return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
