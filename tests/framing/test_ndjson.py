"""Newline-delimited JSON: whole lines, cut anywhere, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.framing import NdjsonDecoder, encode_ndjson
from tests.framing.test_lines import feed_in_pieces, pieces_of


def _decoded(*pieces: bytes) -> list[bytes]:
    decoder = NdjsonDecoder()
    lines = [line for piece in pieces for line in decoder.feed(piece)]
    return lines + decoder.close()


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\n\n \n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b'  {"a":1}  \n', [b'{"a":1}']),
        (b"", []),
        (b"\n", []),
    ],
)
def test_lines(body: bytes, lines: list[bytes]) -> None:
    assert _decoded(body) == lines
    for cut in range(len(body)):
        assert _decoded(body[:cut], body[cut:]) == lines


@given(
    lines=st.lists(st.binary(min_size=1, max_size=9).map(lambda data: b"{" + data.hex().encode() + b"}"), max_size=9),
    cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20),
)
def test_what_is_encoded_decodes_cut_anywhere(lines: list[bytes], cuts: list[int]) -> None:
    body = b"".join(encode_ndjson(line) for line in lines)
    assert _decoded(*pieces_of(body, cuts)) == lines


@pytest.mark.parametrize("size", [1, 16, 1000])
def test_a_line_beyond_the_bound_is_a_violation(size: int) -> None:
    decoder = NdjsonDecoder(max_line_bytes=50)
    body = b"{}\n" + b"x" * 51 + b"\n"
    with pytest.raises(ProtocolViolation, match="longer than 50 bytes"):
        feed_in_pieces(decoder.feed, body, size)
