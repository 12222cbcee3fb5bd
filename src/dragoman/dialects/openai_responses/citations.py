"""Annotations of output text ↔ citations. Positions are characters of the part's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dragoman.dialects.openai_responses.wire import NAME, TYPE, WIRE, members, noted, notes, same_json, without_note
from dragoman.dialects.reading import integer, text, unknown
from dragoman.values import Citation

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject

__all__ = ["decode_citation", "encode_citation"]

_KINDS: dict[str, Literal["url", "file"]] = {
    "url_citation": "url",
    "file_citation": "file",
    "container_file_citation": "file",
    "file_path": "file",
}
_KNOWN = ("type", "start_index", "end_index", "url", "title", "filename", "file_id")


def decode_citation(annotation: JsonObject, path: str) -> Citation:
    """One annotation; what no field holds goes to extras, an odd form to a note."""
    citation = _read(annotation, path)
    if not same_json(_write(citation), annotation):
        citation = noted(citation, **{WIRE: annotation})
    return citation


def _read(annotation: JsonObject, path: str) -> Citation:
    word = text(annotation, "type", path) or ""
    kind = _KINDS.get(word)
    titled = "title" if kind == "url" else "filename"
    own = unknown(annotation, _KNOWN)
    own[TYPE] = word
    return Citation(
        kind=kind or "other",
        start=integer(annotation, "start_index", path),
        end=integer(annotation, "end_index", path),
        url=text(annotation, "url", path),
        title=text(annotation, titled, path),
        source_id=text(annotation, "file_id", path),
        extras={NAME: own},
    )


def _write(citation: Citation) -> JsonObject:
    word: str = notes(citation.extras)[TYPE]
    titled = "title" if citation.kind == "url" else "filename"
    values = {
        "start_index": citation.start,
        "end_index": citation.end,
        "url": citation.url,
        titled: citation.title,
        "file_id": citation.source_id,
    }
    body: JsonObject = {"type": word}
    body.update((name, value) for name, value in values.items() if value is not None)
    return body | members(citation.extras)


def encode_citation(citation: Citation, log: AdaptationLog, path: str) -> JsonObject | None:
    """The annotation, or None (recorded) for a kind of source that the wire has no annotation for."""
    own = notes(citation.extras)
    if WIRE in own and _read(own[WIRE], path) == without_note(citation, WIRE):
        return own[WIRE]
    if TYPE in own:
        return _write(citation)
    log.foreign_extras(citation.extras, NAME, path)
    if citation.cited_text is not None:
        log.dropped(f"{path}.cited_text", "an annotation does not quote its source", citation.cited_text)
    if citation.url is not None:
        return {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title or "",
            "start_index": citation.start or 0,
            "end_index": citation.end or 0,
        }
    if citation.kind == "file" and citation.source_id is not None:
        return {
            "type": "file_citation",
            "file_id": citation.source_id,
            "filename": citation.title or "",
            "index": citation.end or 0,
        }
    log.dropped(path, f"there is no annotation for a source of kind {citation.kind!r}")
    return None
