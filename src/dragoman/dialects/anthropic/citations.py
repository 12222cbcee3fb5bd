"""Citations: the five kinds of source that a text block may name, and ours.

| wire | kind | fields |
| --- | --- | --- |
| char_location, page_location, content_block_location | document | title, cited_text, source_id = the file or index |
| web_search_result_location | url | url, title, cited_text; `encrypted_index` is its issuer's state |
| search_result_location | url or document | source as url (where it is one) and source_id |

The wire's object is in the citation's extras and goes back unchanged while it still says what the citation says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dragoman.dialects.anthropic.forms import NAME, Writing
from dragoman.dialects.reading import text
from dragoman.values import Citation

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_citation", "encode_citation", "holds_state"]

_SEALED = "encrypted_index"


def decode_citation(wire: JsonObject, path: str) -> Citation:
    """A citation of any kind; of one that we do not know, what it says under the usual names."""
    kind, url, title, source_id = _READERS.get(text(wire, "type", path) or "", _other)(wire, path)
    return Citation(
        kind=kind,
        cited_text=text(wire, "cited_text", path),
        url=url,
        title=title,
        source_id=source_id,
        extras={NAME: wire},
    )


_Source = tuple[Literal["url", "document", "other"], str | None, str | None, str | None]


def _document(wire: JsonObject, path: str) -> _Source:
    source: Any = wire.get("file_id")
    if source is None:
        source = wire.get("document_index")
    return "document", None, text(wire, "document_title", path), None if source is None else str(source)


def _web(wire: JsonObject, path: str) -> _Source:
    return "url", text(wire, "url", path), text(wire, "title", path), None


def _search_result(wire: JsonObject, path: str) -> _Source:
    source = text(wire, "source", path)
    is_url = source is not None and source.startswith(("http://", "https://"))
    return "url" if is_url else "document", source if is_url else None, text(wire, "title", path), source


def _other(wire: JsonObject, path: str) -> _Source:
    return "other", text(wire, "url", path), text(wire, "title", path), None


_READERS = {
    "char_location": _document,
    "page_location": _document,
    "content_block_location": _document,
    "web_search_result_location": _web,
    "search_result_location": _search_result,
}


def holds_state(wire: JsonObject) -> bool:
    """Whether a citation can be read by its issuer alone."""
    return bool(wire.get(_SEALED))


def encode_citation(citation: Citation, path: str, writing: Writing, foreign: str | None) -> JsonObject | None:
    """The wire's citation, or None (recorded). `foreign` names the issuer whose state the text holds, if not ours."""
    wire = citation.extras.get(NAME)
    if wire is not None and decode_citation(wire, path) == citation:
        if holds_state(wire) and foreign is not None:
            writing.log.dropped(path, f"replay state of {foreign}")
            return None
        if not writing.answer and wire.get(_SEALED) == "":
            # Our own answers write an empty index where the source came from elsewhere; no issuer would take it back.
            writing.log.dropped(path, "a citation that this wire did not make cannot be sent back over it")
            return None
        return wire
    writing.log.foreign_extras(citation.extras, NAME, path)
    if writing.answer and citation.url is not None:
        return {
            "type": "web_search_result_location",
            "url": citation.url,
            "title": citation.title,
            "cited_text": citation.cited_text or "",
            _SEALED: "",
        }
    writing.log.dropped(path, "a citation that this wire did not make cannot be said on it", citation.url)
    return None
