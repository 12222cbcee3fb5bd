"""Content parts: the objects in a `content` list, both ways.

A part that would not be written as it was read keeps the wire's object under `:wire`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.file_ids import issued_to, issuer_of
from dragoman.dialects.openai_chat.notes import NAME, VOID, WIRE, extras_of, own, rest, write_members
from dragoman.dialects.reading import object_of, required_text, text
from dragoman.values import (
    AdaptationLog,
    CacheHint,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Replay,
    Text,
    own_replay,
    replace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject, Part, Target

__all__ = [
    "audio_format",
    "audio_type",
    "data_url",
    "drop_foreign_state",
    "read_cache",
    "read_image",
    "read_part",
    "split_data_url",
    "write_cache",
    "write_media",
    "write_part",
]

_AUDIO_TYPES: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "pcm16": "audio/pcm",
    "m4a": "audio/mp4",
}
_AUDIO_FORMATS: Final = {
    **{kind: name for name, kind in _AUDIO_TYPES.items()},
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mp3": "mp3",
    "audio/L16": "pcm16",
    "audio/x-m4a": "m4a",
}
_DOCUMENT_SUFFIXES: Final = (".pdf", ".txt", ".md", ".html", ".csv", ".docx", ".doc", ".xlsx", ".pptx", ".json")
_DOCUMENT_TYPES: Final = ("application/pdf", "text/", "application/vnd.", "application/msword", "application/json")


def audio_type(name: str | None) -> str | None:
    """The MIME type for the wire's word for a format of audio."""
    return _AUDIO_TYPES.get(name, f"audio/{name}") if name else None


def audio_format(media_type: str | None) -> str | None:
    """The wire's word for a MIME type."""
    if media_type is None:
        return None
    bare = media_type.partition(";")[0].strip()
    return _AUDIO_FORMATS.get(bare) or (bare[6:] if bare.startswith("audio/") else None)


def split_data_url(url: str) -> tuple[str | None, str] | None:
    """The media type and the base64 text of a data URL; None for any other address."""
    if not url.startswith("data:"):
        return None
    head, found, data = url.partition(";base64,")
    return (head[5:] or None, data) if found and "," not in head else None


def data_url(media_type: str, data: str) -> str:
    """An address that holds what it speaks of (RFC 2397)."""
    return f"data:{media_type};base64,{data}"


# -- reading -----------------------------------------------------------------------------------------------------------


def read_part(part: JsonObject, target: Target, path: str) -> Part:
    """One object of a content list. What we do not know is an `Opaque` at its place."""
    kind = part.get("type")
    if kind == "text" and len(part) == 2:
        return Text(text=required_text(part, "text", path))
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        return Opaque(dialect=NAME, kind=kind if isinstance(kind, str) else "", data=part)
    value = reader(part, target, path)
    if _written(value, target) != part:
        return replace(value, extras=extras_of({**own(value.extras), WIRE: part}))
    return value


def _read_text(part: JsonObject, _target: Target, path: str) -> Part:
    said = required_text(part, "text", path)
    return Text(text=said, cache=read_cache(part, path), extras=_extras(part, _TEXT))


def _read_refusal(part: JsonObject, _target: Target, path: str) -> Part:
    # Elsewhere a refusal stands beside the content; only the object itself tells that it stood in the list.
    return Refusal(text=required_text(part, "refusal", path), extras=_extras(part, ("type", "refusal")))


def _read_image(part: JsonObject, _target: Target, path: str) -> Part:
    return read_image(part, path)


def read_image(part: JsonObject, path: str) -> Media:
    """An `image_url` object; Mistral's shape has the address itself there."""
    holder = part.get("image_url")
    image: JsonObject = {"url": holder} if isinstance(holder, str) else object_of(holder, f"{path}.image_url")
    url = required_text(image, "url", f"{path}.image_url")
    given = split_data_url(url)
    return Media(
        kind="image",
        data=given[1] if given else None,
        url=None if given else url,
        media_type=given[0] if given else None,
        detail=text(image, "detail", f"{path}.image_url"),
        cache=read_cache(part, path),
        extras=_extras(part, ("type", "image_url", "index", *_CACHE)),
    )


def _read_video(part: JsonObject, _target: Target, path: str) -> Part:
    return _read_located(part, "video", "video_url", path)


def _read_audio_url(part: JsonObject, _target: Target, path: str) -> Part:
    return _read_located(part, "audio", "audio_url", path)


def _read_located(part: JsonObject, kind: Any, member: str, path: str) -> Media:
    holder = object_of(part.get(member), f"{path}.{member}")
    url = required_text(holder, "url", f"{path}.{member}")
    given = split_data_url(url)
    return Media(
        kind=kind,
        data=given[1] if given else None,
        url=None if given else url,
        media_type=given[0] if given else None,
        cache=read_cache(part, path),
        extras=_extras(part, ("type", member, *_CACHE)),
    )


def _read_audio(part: JsonObject, _target: Target, path: str) -> Part:
    holder = part.get("input_audio")
    if isinstance(holder, str):  # Mistral: base64 text or an address
        located = holder.startswith(("http://", "https://"))
        return Media(kind="audio", data=None if located else holder, url=holder if located else None)
    audio = object_of(holder, f"{path}.input_audio")
    return Media(
        kind="audio",
        data=required_text(audio, "data", f"{path}.input_audio"),
        media_type=audio_type(text(audio, "format", f"{path}.input_audio")),
        cache=read_cache(part, path),
        extras=_extras(part, ("type", "input_audio", *_CACHE)),
    )


def _read_file(part: JsonObject, target: Target, path: str) -> Part:
    # Mistral's shape has `file_id` beside `type`.
    holder = part.get("file", part)
    file = object_of(holder, f"{path}.file")
    name = text(file, "filename", f"{path}.file")
    file_id = text(file, "file_id", f"{path}.file")
    held = text(file, "file_data", f"{path}.file")
    media_type = data = url = None
    if held is not None and file_id is None:
        given = split_data_url(held)
        if given is not None:
            media_type, data = given
        elif "://" in held[:16]:
            url = held
        else:
            data = held
    return Media(
        kind=_file_kind(media_type, name),
        data=data,
        url=url,
        file_id=file_id,
        issuer=issuer_of(file_id, target.issuer),
        media_type=media_type,
        name=name,
        cache=read_cache(part, path),
        extras=_extras(part, ("type", "file", "file_id", *_CACHE)),
    )


def _file_kind(media_type: str | None, name: str | None) -> Any:
    if media_type is not None:
        return "document" if media_type.startswith(_DOCUMENT_TYPES) else "file"
    return "document" if name is not None and name.lower().endswith(_DOCUMENT_SUFFIXES) else "file"


def _read_document_url(part: JsonObject, _target: Target, path: str) -> Part:
    url = required_text(part, "document_url", path)
    given = split_data_url(url)
    return Media(
        kind="document",
        data=given[1] if given else None,
        url=None if given else url,
        media_type=given[0] if given else None,
        name=text(part, "document_name", path),
    )


def _read_thinking(part: JsonObject, target: Target, path: str) -> Part:
    """Mistral's shape: a list of texts (and references), a signature, and whether the thought is closed."""
    thoughts = part.get("thinking")
    said: list[str] = []
    if isinstance(thoughts, str):
        said.append(thoughts)
    elif isinstance(thoughts, list):
        for index, item in enumerate(thoughts):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            where = f"{path}.thinking[{index}]"
            said.append(text(object_of(item, where), "text", where) or "")
    signature = text(part, "signature", path)
    data: JsonObject = {"member": "content"}
    if signature is not None:
        data["state"] = {"signature": signature}
    return Reasoning(
        text="".join(said), replay=(Replay(issuer=target.issuer, dialect=NAME, kind="reasoning", data=data),)
    )


_READERS: Final[dict[str, Callable[[JsonObject, Target, str], Part]]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "audio_url": _read_audio_url,
    "video_url": _read_video,
    "input_video": _read_video,
    "file": _read_file,
    "document_url": _read_document_url,
    "thinking": _read_thinking,
}
_CACHE: Final = ("cache_control", "prompt_cache_breakpoint")
_TEXT: Final = ("type", "text", *_CACHE)


def _extras(part: JsonObject, known: tuple[str, ...]) -> Any:
    void: JsonObject = {"index": part["index"]} if "index" in part else {}  # it counts, and says nothing
    members = rest(part, known, void)
    if void:
        members[VOID] = void
    return extras_of(members)


def read_cache(holder: JsonObject, path: str) -> CacheHint | None:
    """`cache_control` (Anthropic's, which OpenRouter and others take) or `prompt_cache_breakpoint` (OpenAI's)."""
    mark = holder.get("cache_control")
    if mark is not None:
        return CacheHint(ttl=text(object_of(mark, f"{path}.cache_control"), "ttl", f"{path}.cache_control"))
    return CacheHint() if holder.get("prompt_cache_breakpoint") is not None else None


# -- writing -----------------------------------------------------------------------------------------------------------


def write_part(part: Part, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    """The object for a content list; None (and a record) for what cannot stand in one."""
    members = own(part.extras)
    original = members.get(WIRE)
    if original is not None and read_part(original, target, path) == part:
        return original
    if part.extras:
        log.foreign_extras(part.extras, NAME, path)
    if part.replay:
        drop_foreign_state(part, target, log, path)
    wire = _write(part, target, log, path)
    if wire is not None:
        if part.cache is not None:
            write_cache(wire, part.cache, target, log, path)
        write_members(wire, members)
    return wire


def drop_foreign_state(part: Part, target: Target, log: AdaptationLog, path: str) -> None:
    """Records the state on a part that its issuer alone may have."""
    for replay in part.replay:
        if replay.dialect != NAME or replay.issuer != target.issuer:
            log.dropped(f"{path}.replay", f"replay state of {replay.issuer}", replay.kind)


def _written(part: Part, target: Target) -> JsonObject | None:
    return write_part(part, target, AdaptationLog(), "")


def _write(part: Part, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Media):
        return write_media(part, target, log, path)
    if isinstance(part, Opaque):
        if part.dialect == NAME:
            return dict(object_of(part.data, path))
        log.dropped(path, f"only {part.dialect} has {part.kind}", part.kind)
        return None
    if isinstance(part, Reasoning):
        thought: JsonObject = {"type": "thinking", "thinking": [{"type": "text", "text": part.text}]}
        data = own_replay(part.replay, "reasoning", target, NAME)
        return {**thought, **data["state"]} if data is not None and "state" in data else thought
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    log.dropped(path, f"a {type(part).__name__} cannot stand in content", None)
    return None


def write_cache(wire: JsonObject, cache: CacheHint, target: Target, log: AdaptationLog, path: str) -> None:
    """Marks an object as the end of a prefix worth caching, where the host takes marks."""
    if not target.quirks.chat.cache_marks:
        log.dropped(f"{path}.cache", "the host takes no cache marks", cache.ttl)
        return
    wire["cache_control"] = {"type": "ephemeral"} if cache.ttl is None else {"type": "ephemeral", "ttl": cache.ttl}


def write_media(media: Media, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    """An image, audio, video or document, as the wire says it; None (and a record) where it cannot."""
    allowed = issued_to(media, target, log, path)
    if allowed is None:
        return None
    media = allowed
    if media.text is not None:
        log.substituted(path, "the wire takes plain-text documents as text", media.kind, "text")
        return {"type": "text", "text": media.text}
    if media.file_id is not None:
        if target.quirks.chat.part_form == "mistral":
            return {"type": "file", "file_id": media.file_id}
        return {"type": "file", "file": _file(file_id=media.file_id, name=media.name)}
    if media.kind == "image":
        image: JsonObject = {"url": _address(media, "image/png", log, path)}
        if media.detail is not None:
            image["detail"] = media.detail
        return {"type": "image_url", "image_url": image}
    if media.kind == "audio":
        return _write_audio(media, target, log, path)
    if media.kind == "video":
        if target.quirks.chat.video_parts:
            return {"type": "video_url", "video_url": {"url": _address(media, "video/mp4", log, path)}}
        log.dropped(path, "the host takes no video", "video")
        return None
    return _write_document(media, target, log, path)


def _write_audio(media: Media, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    if target.quirks.chat.part_form == "mistral":
        return {"type": "input_audio", "input_audio": media.url if media.data is None else media.data}
    if media.data is None:
        log.dropped(path, "the wire takes audio as data, not by address", media.url)
        return None
    name = audio_format(media.media_type)
    if name is None:
        name = "wav"
        log.defaulted(f"{path}.media_type", "the wire wants the format of audio", name)
    return {"type": "input_audio", "input_audio": {"data": media.data, "format": name}}


def _write_document(media: Media, target: Target, log: AdaptationLog, path: str) -> JsonObject | None:
    if target.quirks.chat.part_form == "mistral":
        located: JsonObject = {"type": "document_url", "document_url": _address(media, "application/pdf", log, path)}
        return located if media.name is None else {**located, "document_name": media.name}
    if media.url is not None and not target.quirks.chat.file_urls:
        log.dropped(path, "the host takes documents as data or by file id, not by address", media.url)
        return None
    name = media.name
    if name is None:
        name = "document.pdf" if media.media_type in (None, "application/pdf") else "document"
        log.defaulted(f"{path}.name", "the wire wants a file name beside data", name)
    held = media.url if media.url is not None else _address(media, "application/pdf", log, path)
    return {"type": "file", "file": _file(file_data=held, name=name)}


def _file(*, file_data: str | None = None, file_id: str | None = None, name: str | None = None) -> JsonObject:
    file: JsonObject = {}
    if name is not None:
        file["filename"] = name
    if file_data is not None:
        file["file_data"] = file_data
    if file_id is not None:
        file["file_id"] = file_id
    return file


def _address(media: Media, default: str, log: AdaptationLog, path: str) -> str:
    if media.data is None:
        return media.url or ""
    kind = media.media_type
    if kind is None:
        kind = default
        log.defaulted(f"{path}.media_type", "a data URL names its media type", kind)
    return data_url(kind, media.data)
