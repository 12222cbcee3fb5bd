"""Where an answer's text comes from: `groundingMetadata` and `citationMetadata` ↔ citations.

The wire counts bytes of UTF-8 from the start of the answer's visible text (all text parts but thoughts, one after the
other), or, where `partIndex` names a later part, from that part's start; a citation counts code points of its part.
Where a segment's own `text` is not at its offsets, which happens, it is looked for: the nearest place counts.

A support with several chunks makes several citations. The objects themselves stay in the choice's extras; a citation
made of them carries the notes ":support" and ":chunk", or ":source", so that it is not written a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dragoman.dialects.gemini.members import NAME, own
from dragoman.dialects.reading import integer, object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import Citation, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.values import AdaptationLog, JsonObject, Part

__all__ = ["citations_in", "grounding_of"]

_METADATA = "groundingMetadata"


class _Piece(NamedTuple):
    place: int
    start: int
    data: bytes


class _Span(NamedTuple):
    part: int
    start: int | None
    end: int | None


class _Words:
    """The visible text of an answer, and which part each byte of it is in."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.pieces: list[_Piece] = []
        start = 0
        for index, part in enumerate(parts):
            if isinstance(part, Text):
                data = part.text.encode("utf-8", "surrogatepass")
                self.pieces.append(_Piece(index, start, data))
                start += len(data)
        self._all = b"".join(piece.data for piece in self.pieces)
        # An empty text with a signature often stands last; nothing is cited in it.
        self.last = next((piece.place for piece in reversed(self.pieces) if piece.data), 0)

    def span(self, segment: JsonObject, path: str) -> _Span:
        """The part and the code points of a segment."""
        start = integer(segment, "startIndex", path) or 0
        end = integer(segment, "endIndex", path)
        part = integer(segment, "partIndex", path) or 0
        words = text(segment, "text", path)
        if end is None and words is None:
            return _Span(self.last, None, None)
        if part:
            start, end = self._shifted(part, start, end)
        return self._placed(start, end, words)

    def _shifted(self, part: int, start: int, end: int | None) -> tuple[int, int | None]:
        piece = next((piece for piece in self.pieces if piece.place == part), None)
        if piece is None:
            return start, end
        return start + piece.start, None if end is None else end + piece.start

    def _placed(self, start: int, end: int | None, words: str | None) -> _Span:
        if words:
            data = words.encode("utf-8", "surrogatepass")
            if self._all[start:end] != data:
                found = self._nearest(data, start)
                if found is None:
                    return _Span(self.last, None, None)
                start, end = found, found + len(data)
        if end is None:
            end = len(self._all)
        home = next((piece for piece in reversed(self.pieces) if piece.start <= start and piece.data), None)
        if home is None:
            return _Span(self.last, None, None)
        return _Span(home.place, _points(home, start), _points(home, end))

    def _nearest(self, data: bytes, start: int) -> int | None:
        before = self._all.rfind(data, 0, start + len(data))
        after = self._all.find(data, start)
        if before < 0 or after < 0:
            return max(before, after) if max(before, after) >= 0 else None
        return before if start - before <= after - start else after


def _points(piece: _Piece, offset: int) -> int:
    """Code points from the part's start to a byte of the whole text."""
    return len(piece.data[: max(0, offset - piece.start)].decode("utf-8", "ignore"))


def citations_in(candidate: JsonObject, parts: Sequence[Part]) -> list[tuple[int, Citation]]:
    """The citations that a candidate's metadata make, each with the index of its part."""
    grounding: Any = candidate.get(_METADATA)
    recited: Any = candidate.get("citationMetadata")
    if not grounding and not recited:
        return []
    words = _Words(parts)
    if not any(piece.data for piece in words.pieces):
        return []
    made: list[tuple[int, Citation]] = []
    if grounding:
        made.extend(_grounded(object_of(grounding, _METADATA), words))
    if recited:
        made.extend(_recited(object_of(recited, "citationMetadata"), words))
    return made


def _grounded(metadata: JsonObject, words: _Words) -> list[tuple[int, Citation]]:
    chunks = objects_in(metadata, "groundingChunks", _METADATA)
    supports = objects_in(metadata, "groundingSupports", _METADATA)
    made: list[tuple[int, Citation]] = []
    for number, support in enumerate(supports):
        path = f"{_METADATA}.groundingSupports[{number}]"
        span = words.span(object_of(support.get("segment") or {}, f"{path}.segment"), f"{path}.segment")
        made.extend(
            (span.part, _citation(chunks[chunk], span, {":support": number, ":chunk": chunk}))
            for chunk in _indices(support, path)
            if 0 <= chunk < len(chunks)
        )
    return made


def _indices(support: JsonObject, path: str) -> list[int]:
    value: Any = support.get("groundingChunkIndices")
    if value is None:
        return []
    if not isinstance(value, list) or not all(type(item) is int for item in cast("list[Any]", value)):
        where = f"{path}.groundingChunkIndices"
        raise ProtocolViolation(f"{where} should be a list of integers: {value!r:.80}", path=where)
    return cast("list[int]", value)


def _citation(chunk: JsonObject, span: _Span, notes: JsonObject) -> Citation:
    kind = next(iter(chunk), "")
    source: Any = chunk.get(kind)
    members = cast("JsonObject", source) if isinstance(source, dict) else {}
    address = _said(members, "uri") or _said(members, "sourceUri") or _said(members, "imageUri")
    if kind == "retrievedContext":
        address = _said(members, "uri")
    return Citation(
        kind="document" if kind == "retrievedContext" else "url" if address else "other",
        start=span.start,
        end=span.end,
        cited_text=_said(members, "text"),
        url=address,
        title=_said(members, "title"),
        source_id=_said(members, "documentName") or _said(members, "fileSearchStore") or _said(members, "placeId"),
        extras={NAME: notes},
    )


def _said(members: JsonObject, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _recited(metadata: JsonObject, words: _Words) -> list[tuple[int, Citation]]:
    """Passages that the answer recites. The Gemini API and Vertex name the list differently."""
    name = "citations" if "citations" in metadata else "citationSources"
    made: list[tuple[int, Citation]] = []
    for number, source in enumerate(objects_in(metadata, name, "citationMetadata")):
        span = words.span(source, f"citationMetadata.{name}[{number}]")
        address = _said(source, "uri")
        made.append(
            (
                span.part,
                Citation(
                    kind="url" if address else "other",
                    start=span.start,
                    end=span.end,
                    url=address,
                    title=_said(source, "title"),
                    extras={NAME: {":source": number}},
                ),
            )
        )
    return made


# -- writing -----------------------------------------------------------------------------------------------------------


def grounding_of(parts: Sequence[Part], log: AdaptationLog, path: str) -> JsonObject | None:
    """`groundingMetadata` of citations that came from elsewhere; None where there are none."""
    chunks: list[JsonObject] = []
    supports: list[JsonObject] = []
    for piece in _Words(parts).pieces:
        part = parts[piece.place]
        if isinstance(part, Text):
            for number, citation in enumerate(part.citations):
                if own(citation.extras):
                    continue
                log.foreign_extras(citation.extras, NAME, f"{path}.parts[{piece.place}].citations[{number}]")
                chunk = _chunk(citation)
                if chunk not in chunks:
                    chunks.append(chunk)
                support: JsonObject = {"groundingChunkIndices": [chunks.index(chunk)]}
                if citation.start is not None and citation.end is not None:
                    support["segment"] = _segment(part.text, piece.start, citation.start, citation.end)
                supports.append(support)
    return {"groundingChunks": chunks, "groundingSupports": supports} if supports else None


def _chunk(citation: Citation) -> JsonObject:
    source: JsonObject = {}
    if citation.url is not None:
        source["uri"] = citation.url
    if citation.title is not None:
        source["title"] = citation.title
    if citation.kind == "url":
        return {"web": source}
    if citation.cited_text is not None:
        source["text"] = citation.cited_text
    return {"retrievedContext": source}


def _segment(words: str, before: int, start: int, end: int) -> JsonObject:
    first = before + len(words[:start].encode("utf-8", "surrogatepass"))
    cited = words[start:end]
    last = first + len(cited.encode("utf-8", "surrogatepass"))
    return {"startIndex": first, "endIndex": last, "text": cited}
