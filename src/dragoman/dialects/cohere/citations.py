"""Citations: which stretch of a text, of the plan or of the thoughts comes from which tool's output or document.

The wire has one list beside the content; each entry goes to the part that it speaks of (`content_index`, or the plan),
with the wire's object and its place in the list as notes. What speaks of thoughts, which cite nothing with us, stays a
member of the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.keeping import own
from dragoman.dialects.reading import integer, objects_in, text
from dragoman.values import Citation

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Text

__all__ = ["PLAN", "decode_citation", "subject_of", "write_citations"]

PLAN = -1
"""Stands for the plan where others are numbers of content blocks."""

_KINDS: dict[str, Any] = {"tool": "tool", "document": "document"}


def subject_of(wire: JsonObject, path: str) -> int | None:
    """The number of the content block that a citation speaks of, `PLAN`, or None for the thoughts."""
    kind = text(wire, "type", path)
    if kind == "PLAN":
        return PLAN
    if kind == "THINKING_CONTENT":
        return None
    return integer(wire, "content_index", path) or 0


def decode_citation(wire: JsonObject, place: int, path: str) -> Citation:
    """One citation; `place` is its number in the wire's list."""
    sources = objects_in(wire, "sources", path)
    first = sources[0] if sources else {}
    document: Any = first.get("document")
    held: JsonObject = cast("JsonObject", document) if isinstance(document, dict) else {}
    return Citation(
        kind=_KINDS.get(str(first.get("type")), "other"),
        start=integer(wire, "start", path),
        end=integer(wire, "end", path),
        cited_text=_word(held, "snippet") or _word(held, "text"),
        url=_word(held, "url"),
        title=_word(held, "title"),
        source_id=text(first, "id", f"{path}.sources[0]"),
        extras={NAME: {":wire": wire, ":place": place}},
    )


def _word(holder: JsonObject, name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) else None


def write_citations(part: Text, index: int | None) -> list[tuple[int, JsonObject]]:
    """A text's citations, each with its place; `index` is the number of its block, None that of the plan."""
    return [
        (own(citation.extras, NAME).get(":place", number), _write(citation, part, index))
        for number, citation in enumerate(part.citations)
    ]


def _write(citation: Citation, part: Text, index: int | None) -> JsonObject:
    notes = own(citation.extras, NAME)
    original = notes.get(":wire")
    if original is not None and decode_citation(original, notes.get(":place", 0), "") == citation:
        return original
    start = citation.start or 0
    end = citation.end if citation.end is not None else len(part.text)
    wire: JsonObject = {"start": start, "end": end, "text": part.text[start:end], "sources": [_source(citation)]}
    wire["type"] = "PLAN" if index is None else "TEXT_CONTENT"
    if index:
        wire["content_index"] = index
    return wire


def _source(citation: Citation) -> JsonObject:
    source_id = citation.source_id or citation.url or citation.title or "source"
    if citation.kind == "tool":
        return {"type": "tool", "id": source_id, "tool_output": {"content": citation.cited_text or ""}}
    told = {"url": citation.url, "title": citation.title, "snippet": citation.cited_text}
    document = {name: value for name, value in told.items() if value is not None}
    return {"type": "document", "id": source_id, "document": document}
