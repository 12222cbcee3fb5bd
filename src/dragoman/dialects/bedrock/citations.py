"""Citations: sources of a text, by the place that names them, and ours.

| location | kind | fields |
| --- | --- | --- |
| web | url | url; title, cited_text |
| documentChar, documentPage, documentChunk | document | source_id = the source or the document's index |
| searchResultLocation | url or document | source as url (where it is one) and source_id |

The wire's object is in the citation's extras and goes back unchanged while it still says what the citation says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dragoman.dialects.bedrock.forms import NAME, Writing
from dragoman.dialects.reading import object_of, objects_in, text
from dragoman.values import Citation

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["decode_citation", "encode_citation"]

_DOCUMENTS = ("documentChar", "documentPage", "documentChunk")


def decode_citation(wire: JsonObject, path: str) -> Citation:
    """A citation of any kind."""
    source = text(wire, "source", path)
    pieces = [text(piece, "text", path) or "" for piece in objects_in(wire, "sourceContent", path)]
    location = wire.get("location")
    location = {} if location is None else object_of(location, f"{path}.location")
    kind: Literal["url", "document", "other"] = "other"
    url: str | None = None
    source_id = source
    if location.get("web") is not None:
        kind = "url"
        url = text(object_of(location["web"], f"{path}.location.web"), "url", f"{path}.location.web")
    elif location.get("searchResultLocation") is not None:
        url = source if source is not None and source.startswith(("http://", "https://")) else None
        kind = "document" if url is None else "url"
    for name in _DOCUMENTS:
        if location.get(name) is not None:
            kind = "document"
            index: Any = object_of(location[name], f"{path}.location.{name}").get("documentIndex")
            source_id = source if source is not None or index is None else str(index)
    return Citation(
        kind=kind,
        cited_text="".join(pieces) if pieces else None,
        url=url,
        title=text(wire, "title", path),
        source_id=source_id,
        extras={NAME: wire},
    )


def encode_citation(citation: Citation, path: str, writing: Writing) -> JsonObject | None:
    """The wire's citation, or None (recorded)."""
    wire = citation.extras.get(NAME)
    if wire is not None and decode_citation(wire, path) == citation:
        return wire
    writing.log.foreign_extras(citation.extras, NAME, path)
    if not writing.answer or citation.url is None:
        reason = "a citation that this wire did not make cannot be said on it"
        writing.log.dropped(path, reason, citation.url or citation.title)
        return None
    made: JsonObject = {"location": {"web": {"url": citation.url}}}
    if citation.title is not None:
        made["title"] = citation.title
    if citation.source_id is not None:
        made["source"] = citation.source_id
    if citation.cited_text is not None:
        made["sourceContent"] = [{"text": citation.cited_text}]
    return made
