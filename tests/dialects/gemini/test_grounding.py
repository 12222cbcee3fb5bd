"""Citations: bytes of the visible text become code points of a part."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.values import Citation, Text
from tests.dialects.gemini.wire import answer, answer_survives

CHUNKS: Any = [
    {"web": {"uri": "https://a", "title": "A"}},
    {"retrievedContext": {"uri": "gs://b", "title": "B", "text": "words", "documentName": "d"}},
    {"maps": {"uri": "https://m", "title": "M", "placeId": "places/1"}},
    {"image": {"sourceUri": "https://i", "imageUri": "https://i/1.png"}},
]


def cited(*parts: Any, **segment: Any) -> list[tuple[int, Citation]]:
    support = {"groundingChunkIndices": segment.pop("chunks", [0])}
    if segment:
        support["segment"] = segment
    metadata = {"groundingChunks": CHUNKS, "groundingSupports": [support]}
    response = answer_survives(answer(*parts, groundingMetadata=metadata))
    return [
        (index, citation)
        for index, part in enumerate(response.message.parts)
        if isinstance(part, Text)
        for citation in part.citations
    ]


def spans(*parts: Any, **segment: Any) -> list[tuple[int, int | None, int | None]]:
    return [(index, citation.start, citation.end) for index, citation in cited(*parts, **segment)]


def test_bytes_become_code_points() -> None:
    assert spans({"text": "Zürich 🌧 rain"}, startIndex=8, endIndex=12, text="🌧") == [(0, 7, 8)]
    assert spans({"text": "Zürich"}, endIndex=7, text="Zürich") == [(0, 0, 6)]
    assert spans({"text": "Zürich"}, startIndex=2, endIndex=4) == [(0, 1, 3)]


def test_offsets_count_the_visible_text_of_all_parts() -> None:
    parts = [{"text": "hidden", "thought": True}, {"text": "abc"}, {"functionCall": {"name": "f"}}, {"text": "défg"}]
    assert spans(*parts, startIndex=3, endIndex=6, text="dé") == [(3, 0, 2)]
    assert spans(*parts, startIndex=0, endIndex=3, text="abc") == [(1, 0, 3)]


def test_a_part_index_names_the_part() -> None:
    parts = [{"text": "abc"}, {"text": "défg"}]
    assert spans(*parts, partIndex=1, startIndex=1, endIndex=3, text="é") == [(1, 1, 2)]


def test_a_segment_that_is_elsewhere_is_looked_for() -> None:
    words = {"text": "one two one two"}
    assert spans(words, startIndex=1, endIndex=4, text="two") == [(0, 4, 7)]
    assert spans(words, startIndex=11, endIndex=14, text="two") == [(0, 12, 15)]
    assert spans(words, startIndex=0, endIndex=3, text="three") == [(0, None, None)]


def test_a_support_without_a_segment_is_of_the_whole() -> None:
    assert spans({"text": "a"}, {"text": "b"}, {"text": "", "thoughtSignature": "c2ln"}) == [(1, None, None)]
    assert spans({"text": "a"}, startIndex=0, endIndex=99) == [(0, 0, 1)]


def test_nothing_is_cited_where_nothing_is_said() -> None:
    assert spans({"functionCall": {"name": "f"}}, endIndex=3) == []
    assert spans({"text": ""}, endIndex=3) == []
    assert spans({"text": "a"}, chunks=[9, -1], endIndex=1) == []


def test_every_kind_of_source() -> None:
    told = [citation for _, citation in cited({"text": "ab"}, chunks=[0, 1, 2, 3], endIndex=2, text="ab")]
    assert [(item.kind, item.url, item.title) for item in told] == [
        ("url", "https://a", "A"),
        ("document", "gs://b", "B"),
        ("url", "https://m", "M"),
        ("url", "https://i", None),
    ]
    assert told[1].cited_text == "words"
    assert [item.source_id for item in told] == [None, "d", "places/1", None]


@pytest.mark.parametrize("name", ["citations", "citationSources"])
def test_recited_passages(name: str) -> None:
    sources = [{"startIndex": 1, "endIndex": 3, "uri": "https://r", "license": "MIT"}, {"endIndex": 1}]
    response = answer_survives(answer({"text": "aéb"}, citationMetadata={name: sources}))
    (part,) = response.message.parts
    assert isinstance(part, Text)
    assert [(item.kind, item.start, item.end, item.url) for item in part.citations] == [
        ("url", 1, 2, "https://r"),
        ("other", 0, 1, None),
    ]
