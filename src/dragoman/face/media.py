"""Images, sound, film and documents for messages, from what people have: bytes, a file, an address, or a file's id."""

from __future__ import annotations

import base64
import binascii
import re
from os import fsdecode
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from dragoman.errors import InvalidRequest
from dragoman.face.media_types import by_signature, by_suffix, family_of
from dragoman.values import Media

if TYPE_CHECKING:
    from os import PathLike

    Source = bytes | bytearray | memoryview | str | PathLike[str] | None

__all__ = ["MAX_BYTES", "Audio", "Document", "Image", "Video"]

MAX_BYTES = 50 * 2**20
"""What one piece of media may hold unless `max_bytes` says otherwise: about what the largest providers take inline."""

_Kind = Literal["image", "audio", "video", "document"]
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.\-]+://|data:)", re.IGNORECASE)
_LOCATED = ("http://", "https://", "gs://", "s3://")
_SCHEMES = (*_LOCATED, "data:")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+\-]+/[\w!#$&^.+\-]+(?:\s*;.*)?\Z")
_EXAMPLES: dict[_Kind, str] = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/pdf",
}
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml"})


def Image(
    source: Source = None,
    *,
    url: str | None = None,
    file_id: str | None = None,
    issuer: str | None = None,
    media_type: str | None = None,
    name: str | None = None,
    detail: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Media:
    """An image part: `Image(b"…")`, `Image("chart.png")`, `Image("https://…")`, `Image(file_id="file-…")`.

    A text is an address when it begins with http://, https://, gs://, s3:// or data:, else a path. The media type is
    read from the bytes, else from the file's name, where it is not given. `issuer` names the provider whose file id it
    is: it is sent to no other; without one it is sent to whoever is asked. `detail` is the resolution to look with
    ("low", "high", "auto"). Raises `InvalidRequest` when there is not exactly one source, when the file cannot be read
    or holds more than `max_bytes`, and when the bytes are no image, or one of an unknown kind without a media type.
    """
    given = _Given("image", source, url, file_id, None, issuer, media_type, name, max_bytes)
    return _part(given, detail=detail)


def Audio(
    source: Source = None,
    *,
    url: str | None = None,
    file_id: str | None = None,
    issuer: str | None = None,
    media_type: str | None = None,
    name: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Media:
    """A part of sound: `Audio(b"…")`, `Audio("call.mp3")`, `Audio("https://…")`, `Audio(file_id="…")`; as `Image`."""
    return _part(_Given("audio", source, url, file_id, None, issuer, media_type, name, max_bytes))


def Video(
    source: Source = None,
    *,
    url: str | None = None,
    file_id: str | None = None,
    issuer: str | None = None,
    media_type: str | None = None,
    name: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Media:
    """A part of film: `Video(b"…")`, `Video("tour.mp4")`, `Video("https://…")`, `Video(file_id="…")`; as `Image`."""
    return _part(_Given("video", source, url, file_id, None, issuer, media_type, name, max_bytes))


def Document(
    source: Source = None,
    *,
    url: str | None = None,
    file_id: str | None = None,
    text: str | None = None,
    issuer: str | None = None,
    media_type: str | None = None,
    name: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Media:
    """A document part: `Document("report.pdf")`, `Document(b"…")`, `Document("https://…")`, `Document(text="…")`.

    As `Image`, and: a document of text (plain, Markdown, CSV, JSON …; UTF-8) is given as text, which every provider
    takes; a file's own name is the document's unless `name` says otherwise (name="" for none).
    """
    return _part(_Given("document", source, url, file_id, text, issuer, media_type, name, max_bytes))


class _Given(NamedTuple):
    kind: _Kind
    source: Any
    url: str | None
    file_id: str | None
    text: str | None
    issuer: str | None
    media_type: str | None
    name: str | None
    max_bytes: int

    def wrong(self, words: str) -> InvalidRequest:
        return InvalidRequest(words, path=self.kind)

    @property
    def one(self) -> str:
        return f"{'a' if self.kind in ('video', 'document') else 'an'} {self.kind}"


def _part(given: _Given, **fields: Any) -> Media:
    _check(given)
    fields |= {"kind": given.kind, "name": given.name or None}
    if given.file_id is not None:
        return Media(**fields, file_id=given.file_id, issuer=given.issuer, media_type=given.media_type)
    if given.text is not None:
        return Media(**fields, text=given.text, media_type=given.media_type or "text/plain")
    source: Any = given.source if given.url is None else given.url
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _by_bytes(given, bytes(cast("bytes", source)), fields)
    if isinstance(source, str) and (given.url is not None or _ADDRESS.match(source)):
        return _by_address(given, source, fields)
    return _by_path(given, source, fields)


def _check(given: _Given) -> None:
    sources = (given.source, given.url, given.file_id, given.text)
    if sum(source is not None for source in sources) != 1:
        more = ", or text=…" if given.kind == "document" else ""
        raise given.wrong(f"{given.one} has exactly one source: bytes or a path, url=…, file_id=…{more}")
    address: Any = given.source if given.url is None else given.url
    located = isinstance(address, str) and address.lower().startswith(_LOCATED)
    if given.issuer is not None and given.file_id is None and not located:
        raise given.wrong("issuer says whose file_id (or url) it is; what is sent inline is nobody's")
    media_type = given.media_type
    if media_type is None:
        return
    if not _MEDIA_TYPE.match(media_type):
        raise given.wrong(f"a media type looks like 'image/png', and not like {media_type!r:.80}")
    if given.kind != "document" and family_of(media_type) != given.kind:
        raise given.wrong(f"{media_type} is no media type of {given.one}; use {_maker(media_type)}(…)")


def _by_path(given: _Given, source: Any, fields: dict[str, Any]) -> Media:
    try:
        path = fsdecode(source)
    except TypeError:
        words = f"{given.one} is given by bytes, a path, url=… or file_id=…, and not by {type(source).__name__}"
        raise given.wrong(words) from None
    try:
        with open(path, "rb") as file:
            data = file.read(given.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = "; if it is base64 and no path, decode it first" if len(path) > 255 else ""
        raise given.wrong(f"the {given.kind} file {path[:255]!r} cannot be read: {reason}{advice}") from None
    file_name = re.split(r"[/\\]", path)[-1]
    if given.kind == "document" and given.name is None:
        fields["name"] = file_name
    return _by_bytes(given, data, fields, file_name)


def _by_bytes(given: _Given, data: bytes, fields: dict[str, Any], file_name: str = "") -> Media:
    what = f"the file {file_name!r}" if file_name else f"the {given.kind}"
    if not data:
        raise given.wrong(f"{what} is empty")
    if len(data) > given.max_bytes:
        raise given.wrong(_too_large(given, what))
    media_type = given.media_type or _type_of(given, data, file_name)
    if given.kind == "document" and _is_text(media_type):
        text = _as_text(data)
        if text is not None:
            return Media(**fields, text=text, media_type=media_type)
    return Media(**fields, data=base64.b64encode(data).decode(), media_type=media_type)


def _too_large(given: _Given, what: str) -> str:
    return (
        f"{what} holds more than {given.max_bytes:,} bytes, the bound of what is sent inline; upload it to the "
        "provider and give file_id=…, give its url=…, or raise max_bytes"
    )


def _type_of(given: _Given, data: bytes, file_name: str) -> str:
    found = by_signature(data, given.kind)
    if found is not None and given.kind == "document" != family_of(found) and _as_text(data) is not None:
        found = None  # words that happen to begin as a format does
    named = by_suffix(file_name or given.name or "")
    if found is None and named is not None and _may_be(named, data):
        found = named
    if found is None and given.kind == "document" and _as_text(data) is not None:
        found = "text/plain"
    if found is None:
        raise given.wrong(f"these bytes are no {given.kind} of a known kind; give media_type='{_EXAMPLES[given.kind]}'")
    if family_of(found) != given.kind:
        raise given.wrong(f"this is {found}, and not {given.one}; use {_maker(found)}(…), or say media_type=…")
    return found


def _may_be(media_type: str, data: bytes) -> bool:
    """Whether a file's name may be believed where no signature is found: words are words, and nothing else is."""
    if family_of(media_type) == "document" and not _is_text(media_type):
        return True
    return (_is_text(media_type) or media_type == "image/svg+xml") == (_as_text(data) is not None)


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.partition(";")[0] in _TEXTS


def _as_text(data: bytes) -> str | None:
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _by_address(given: _Given, address: str, fields: dict[str, Any]) -> Media:
    if not address.lower().startswith(_SCHEMES):
        known = ", ".join(_SCHEMES)
        raise given.wrong(f"an address begins with one of {known}, and not as {address[:80]!r}; a local file is a path")
    if not address.lower().startswith("data:"):
        return Media(**fields, url=address, issuer=given.issuer, media_type=given.media_type)
    head, comma, data = address[5:].partition(",")
    if not comma:
        raise given.wrong("this data: address has no comma, and so no data (RFC 2397)")
    form, *parameters = (piece.strip() for piece in head.split(";"))
    if given.media_type is None and form:
        given = given._replace(media_type=form)
        _check(given)
    if "base64" not in (piece.lower() for piece in parameters):
        return _by_bytes(given, unquote_to_bytes(data), fields)
    if len(data) // 4 * 3 > given.max_bytes + 3:
        raise given.wrong(_too_large(given, f"the {given.kind}"))
    try:
        return _by_bytes(given, base64.b64decode(unquote_to_bytes(data), validate=True), fields)
    except binascii.Error as error:
        raise given.wrong(f"the data of this data: address are not base64: {error}") from None


def _maker(media_type: str) -> str:
    return family_of(media_type).capitalize()
