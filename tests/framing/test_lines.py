"""Lines come out whole, wherever the bytes are cut and whichever of the three line ends is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.framing import LineSplitter

_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
_WORDS = st.binary(max_size=6).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b""))


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut at the given places, taken modulo its length."""
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def feed_in_pieces(feed: Callable[[bytes], object], data: bytes, size: int) -> None:
    """Feeds the data in pieces of one size."""
    for start in range(0, len(data), size):
        feed(data[start : start + size])


def _split(data: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    splitter = LineSplitter(1000)
    lines = [line for piece in pieces_of(data, cuts) for line in splitter.feed(piece)]
    return lines, splitter.close()


@given(
    lines=st.lists(st.tuples(_WORDS, _ENDS), max_size=12),
    rest=_WORDS,
    cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20),
)
def test_lines_are_whole_wherever_they_are_cut(lines: list[tuple[bytes, bytes]], rest: bytes, cuts: list[int]) -> None:
    data = b"".join(word + end for word, end in lines) + rest
    # A lone CR before a line that begins with LF is a CRLF; bytes.splitlines reads bytes by the same three ends.
    told = data.splitlines(keepends=True)
    whole = [line.rstrip(b"\r\n") for line in told if line.endswith((b"\n", b"\r"))]
    left = told[-1] if told and not told[-1].endswith((b"\n", b"\r")) else b""
    assert _split(data, cuts) == (whole, left)


@given(data=st.binary(max_size=60), cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20))
def test_any_bytes_give_the_same_lines_cut_anywhere(data: bytes, cuts: list[int]) -> None:
    assert _split(data, cuts) == _split(data, [])


def test_a_line_ended_by_cr_is_given_at_once() -> None:
    splitter = LineSplitter(100)
    assert splitter.feed(b"one\r") == [b"one"]
    assert splitter.feed(b"\ntwo\r\n") == [b"two"]


def test_cr_is_content_where_it_ends_no_lines() -> None:
    splitter = LineSplitter(100, cr_ends_lines=False)
    assert splitter.feed(b"a\rb\r\nc") == [b"a\rb\r"]
    assert splitter.close() == b"c"


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("before", [b"", b"short\n"])
def test_a_line_beyond_the_bound_is_a_violation_however_it_comes(size: int, before: bytes) -> None:
    splitter = LineSplitter(100)
    data = before + b"x" * 101 + b"\nrest\n"
    with pytest.raises(ProtocolViolation, match="longer than 100 bytes"):
        feed_in_pieces(splitter.feed, data, size)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_at_the_bound_pass(size: int) -> None:
    splitter = LineSplitter(100)
    data = (b"x" * 100 + b"\n") * 3
    lines = [line for start in range(0, len(data), size) for line in splitter.feed(data[start : start + size])]
    assert lines == [b"x" * 100] * 3
