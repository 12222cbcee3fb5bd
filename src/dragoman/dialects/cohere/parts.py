"""Content blocks: the objects in a `content` list, both ways. One of a type that we do not know is an Opaque.

A block that would not be written as it was read keeps the wire's object under `:wire`; it is written back if reading it
again gives the part at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.file_ids import issued_to
from dragoman.dialects.keeping import own
from dragoman.dialects.reading import object_of, required_text, text
from dragoman.values import AdaptationLog, Media, Opaque, Reasoning, Refusal, Replay, Text, own_replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects.cohere.names import Writing
    from dragoman.values import JsonObject, Part, Target

__all__ = ["document_of", "note_losses", "read_block", "thought", "write_block"]

_THINKING = "thinking"


def thought(words: str, target: Target) -> Reasoning:
    """Thinking, marked as this issuer's: it goes back to it, and to nobody else."""
    return Reasoning(text=words, replay=(Replay(issuer=target.issuer, dialect=NAME, kind=_THINKING, data=True),))


# -- reading -----------------------------------------------------------------------------------------------------------


def read_block(block: JsonObject, target: Target, path: str) -> Part:
    """One object of a content list."""
    kind = required_text(block, "type", path)
    reader = _READERS.get(kind)
    if reader is None:
        return Opaque(dialect=NAME, kind=kind, data=block)
    part = reader(block, target, path)
    if _plainly(part) != block:
        part = msgspec.structs.replace(part, extras={NAME: {":wire": block}})
    return part


def _text(block: JsonObject, _target: Target, path: str) -> Part:
    return Text(text=required_text(block, "text", path))


def _thought(block: JsonObject, target: Target, path: str) -> Part:
    return thought(required_text(block, "thinking", path), target)


def _image(block: JsonObject, _target: Target, path: str) -> Part:
    image = object_of(block.get("image_url"), f"{path}.image_url")
    url = required_text(image, "url", f"{path}.image_url")
    head, found, data = url.partition(";base64,")
    inline = bool(found) and head.startswith("data:")
    return Media(
        kind="image",
        data=data if inline else None,
        url=None if inline else url,
        media_type=(head[5:] or None) if inline else None,
        detail=text(image, "detail", f"{path}.image_url"),
    )


def _document(block: JsonObject, _target: Target, path: str) -> Part:
    document = object_of(block.get("document"), f"{path}.document")
    data: Any = document.get("data")
    held = cast("JsonObject", data) if isinstance(data, dict) else {}
    words: Any = data if isinstance(data, str) else held.get("text")
    if not isinstance(words, str):
        if not held:
            return Opaque(dialect=NAME, kind="document", data=block)
        words = msgspec.json.encode(held).decode()  # what a tool came to, member by member
    title: Any = held.get("title")
    return Media(kind="document", text=words, name=title if isinstance(title, str) else None)


_READERS: dict[str, Callable[[JsonObject, Target, str], Part]] = {
    "text": _text,
    "thinking": _thought,
    "image_url": _image,
    "document": _document,
}


# -- writing -----------------------------------------------------------------------------------------------------------


def _plainly(part: Part) -> JsonObject | None:
    """The block that a part is by itself; None for what has none."""
    if isinstance(part, (Text, Refusal)):
        return {"type": "text", "text": part.text}
    if isinstance(part, Reasoning):
        return {"type": "thinking", "thinking": part.text}
    if isinstance(part, Opaque):
        return part.data if part.dialect == NAME else None
    if not isinstance(part, Media):
        return None
    if part.text is not None:
        return {"type": "document", "document": document_of(part)}
    if part.kind != "image" and not (part.kind == "file" and (part.media_type or "").startswith("image/")):
        return None
    url = part.url if part.data is None else f"data:{part.media_type or 'image/png'};base64,{part.data}"
    if url is None:
        return None
    image: JsonObject = {"url": url}
    if part.detail is not None:
        image["detail"] = part.detail
    return {"type": "image_url", "image_url": image}


def document_of(media: Media) -> JsonObject:
    """A document that is given as text, as this wire has documents."""
    data = {"text": media.text or ""}
    if media.name is not None:
        data["title"] = media.name
    return {"data": data}


def write_block(part: Part, path: str, writing: Writing, *, allowed: frozenset[str]) -> JsonObject | None:
    """The block for a content list, of a type `allowed` there; None (and a record) for what cannot stand in it."""
    log = writing.log
    if isinstance(part, Reasoning):
        if not writing.answer and own_replay(part.replay, _THINKING, writing.target, NAME) is not True:
            issuer = part.replay[0].issuer if part.replay else "another provider"
            log.dropped(path, f"reasoning and replay state of {issuer}", part.form)
            return None
        if not part.text and not own(part.extras, NAME) and writing.mend:
            log.dropped(path, "reasoning without words", part.form)
            return None
    if isinstance(part, Media):
        issued = issued_to(part, writing.target, log, path)
        if issued is None:
            return None
        part = issued
    original = own(part.extras, NAME).get(":wire")
    if original is not None and read_block(original, writing.target, path) == _without_citations(part):
        note_losses(part, path, writing)
        return original
    block = _plainly(part)
    if block is None or (block["type"] not in allowed and not isinstance(part, Opaque)):
        log.dropped(path, _why_not(part), getattr(part, "kind", type(part).__name__))
        return None
    note_losses(part, path, writing)
    if isinstance(part, Media) and part.data is not None and part.media_type is None:
        log.defaulted(f"{path}.media_type", "this wire wants a media type", "image/png")
    if isinstance(part, Media) and part.name is not None and part.text is None:
        log.dropped(f"{path}.name", "images have no names on this wire", part.name)
    return block


def _without_citations(part: Part) -> Part:
    return msgspec.structs.replace(part, citations=()) if isinstance(part, Text) and part.citations else part


def _why_not(part: Part) -> str:
    if isinstance(part, Opaque):
        return f"only {part.dialect} has {part.kind}"
    return "this wire takes text and, from users, images by address or data"


def note_losses(part: Part, path: str, writing: Writing) -> None:
    """Records what stands beside a part's content and has no place on this wire."""
    log: AdaptationLog = writing.log
    if part.extras:
        log.foreign_extras(part.extras, NAME, path)
    if part.cache is not None:
        log.dropped(f"{path}.cache", "this wire has no cache marks", part.cache.ttl)
    for replay in part.replay:
        if replay.dialect != NAME:
            log.dropped(f"{path}.replay", f"replay state of {replay.issuer}", replay.kind)
            break
    if isinstance(part, Refusal):
        log.substituted(path, "this wire has no refusals apart from text", "refusal", "text")
    if isinstance(part, Text) and part.citations and not writing.answer:
        foreign = [citation for citation in part.citations if NAME not in citation.extras]
        if foreign:
            log.dropped(f"{path}.citations", "sources that another wire named", len(foreign))
