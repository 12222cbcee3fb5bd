"""Annotations: the sources of an answer's text, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.dialects.openai_chat.notes import NAME, WIRE, extras_of, own
from dragoman.dialects.reading import integer, object_of, objects_in, text
from dragoman.values import Citation, Text, replace

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, Choice, JsonObject, Message, Response

__all__ = [
    "read_annotation",
    "read_annotations",
    "read_sources",
    "without_sources",
    "write_annotation",
    "write_annotations",
]

_KINDS: Final[dict[str, tuple[Any, str | None]]] = {
    "url_citation": ("url", None),
    "document_citation": ("document", "document_id"),
    "function_citation": ("tool", "tool_call_id"),
    "file_citation": ("file", "file_id"),
}


def read_annotation(annotation: JsonObject, path: str) -> Citation:
    """One annotation; a kind that we do not know is a citation of kind "other"."""
    kind = annotation.get("type")
    known, source = _KINDS.get(kind, ("other", None)) if isinstance(kind, str) else ("other", None)
    holder = annotation.get(kind) if isinstance(kind, str) else None
    held: JsonObject = object_of(holder, f"{path}.{kind}") if holder is not None else {}
    where = f"{path}.{kind}"
    start, end = integer(held, "start_index", where), integer(held, "end_index", where)
    if not end:  # OpenRouter's "0 to 0": the place is not known
        start = end = None
    return Citation(
        kind=known,
        start=start,
        end=end,
        cited_text=text(held, "content", where) if known == "url" else None,
        url=text(held, "url", where) if known == "url" else None,
        title=text(held, "title", where) if known == "url" else None,
        source_id=text(held, source, where) if source else None,
        extras=extras_of({WIRE: annotation}),
    )


def read_annotations(message: Message, members: JsonObject) -> Message:
    """The message with its annotations on its text; where it has not one text, they stay a member."""
    texts = [index for index, part in enumerate(message.parts) if isinstance(part, Text)]
    if len(texts) != 1:
        return message
    found = objects_in(members, "annotations")
    del members["annotations"]
    citations = tuple(read_annotation(item, f"annotations[{index}]") for index, item in enumerate(found))
    parts = list(message.parts)
    parts[texts[0]] = replace(cast("Text", parts[texts[0]]), citations=citations)
    return replace(message, parts=tuple(parts))


def read_sources(response: Response) -> tuple[Citation, ...]:
    """Perplexity's `search_results` (or bare `citations`), which belong to the whole answer, as citations.

    They stay members of the response too, and are written from there.
    """
    members = own(response.extras)
    results: Any = members.get("search_results") or members.get("citations")
    if not isinstance(results, list):
        return ()
    sources: list[Citation] = []
    for result in cast("list[Any]", results):
        if isinstance(result, str):
            sources.append(Citation(kind="url", url=result, extras=_MEMBER))
        elif isinstance(result, dict):
            held = cast("JsonObject", result)
            url, title = held.get("url"), held.get("title")
            if isinstance(url, str):
                sources.append(
                    Citation(kind="url", url=url, title=title if isinstance(title, str) else None, extras=_MEMBER)
                )
    return tuple(sources)


_MEMBER: Final = extras_of({":from": "member"})


def without_sources(response: Response) -> Response:
    """The response without what `read_sources` added to it."""
    members = own(response.extras)
    if "search_results" not in members and "citations" not in members:
        return response
    return replace(response, choices=tuple(_bare_choice(choice) for choice in response.choices))


def _bare_choice(choice: Choice) -> Choice:
    parts = tuple(
        replace(part, citations=tuple(item for item in part.citations if ":from" not in own(item.extras)))
        if isinstance(part, Text) and part.citations
        else part
        for part in choice.message.parts
    )
    return replace(choice, message=replace(choice.message, parts=parts))


def write_annotations(part: Text, offset: int, log: AdaptationLog, path: str) -> list[JsonObject]:
    """The annotations for a text that begins `offset` code points into the content."""
    written = [
        write_annotation(citation, len(part.text), offset, log, f"{path}.citations[{index}]")
        for index, citation in enumerate(part.citations)
    ]
    return [annotation for annotation in written if annotation is not None]


def write_annotation(citation: Citation, length: int, offset: int, log: AdaptationLog, path: str) -> JsonObject | None:
    """One annotation, its text being `length` code points; None for what another member says, or the wire cannot."""
    notes = own(citation.extras)
    if ":from" in notes:
        return None
    log.foreign_extras(citation.extras, NAME, path)
    original = notes.get(WIRE)
    if original is not None and not offset and read_annotation(original, "") == citation:
        return original
    if citation.url is None:
        log.dropped(path, "the wire cites addresses alone", citation.kind)
        return None
    start = citation.start if citation.start is not None else 0
    end = citation.end if citation.end is not None else length
    held: JsonObject = {
        "start_index": offset + start,
        "end_index": offset + end,
        "url": citation.url,
        "title": citation.title or "",
    }
    if citation.cited_text is not None:
        held["content"] = citation.cited_text  # as OpenRouter has it
    return {"type": "url_citation", "url_citation": held}
