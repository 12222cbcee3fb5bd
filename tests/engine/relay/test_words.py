"""What stands between quotation marks in a body, and whether names are among it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.engine.relay import holds_any, words_of

MARKS = (b'"file_id"', b'"signature"')


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (b'{"model":"m","file_id":"f"}', b'"file_id"'),
        (b'{"content":"signature"}', b'"signature"'),
        (b'{"content":"a signature of mine"}', None),
        (rb'{"content":"{\"signature\": 1}"}', None),
        (b"{}", None),
        (b"", None),
    ],
)
def test_names_in_quotation_marks_are_found(body: bytes, held: bytes | None) -> None:
    assert holds_any(MARKS, body, words_of(body)) == held


@given(st.lists(st.sampled_from([b'"', b"file_id", b"signature", b"\\", b" ", b"x" * 60]), max_size=30), st.booleans())
def test_a_name_is_found_where_a_search_finds_it(pieces: list[bytes], large: bool) -> None:
    body = b"".join(pieces)
    if large:
        body = b"y" * 70_000 + body + b"z" * 70_000
    searched = next((mark for mark in MARKS if mark in body), None)
    assert holds_any(MARKS, body, words_of(body)) == searched


def test_what_is_no_name_in_quotation_marks_is_searched_for() -> None:
    assert holds_any((b"image",), b'{"a":"my image"}', words_of(b'{"a":"my image"}')) == b"image"
