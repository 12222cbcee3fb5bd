"""Server-sent events as blocks of bytes: nothing is lost or moved, and each block is one event."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.framing import SseBlocks

_EVENTS = st.lists(
    st.tuples(
        st.sampled_from([b"data: one", b"event: ping\ndata: {}", b": a comment"]), st.sampled_from([b"\n", b"\r\n"])
    ),
    max_size=8,
)


def blocks_of(*pieces: bytes) -> tuple[list[bytes], bytes]:
    splitter = SseBlocks()
    blocks = [block for piece in pieces for block in splitter.feed(piece)]
    return blocks, splitter.close()


def written(events: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [event.replace(b"\n", end) + end + end for event, end in events]


@given(events=_EVENTS)
def test_a_piece_of_several_events_is_several_blocks_whatever_ends_their_lines(
    events: list[tuple[bytes, bytes]],
) -> None:
    wanted = written(events)
    assert blocks_of(b"".join(wanted)) == (wanted, b"")


@given(events=_EVENTS, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_nothing_is_lost_however_the_bytes_are_cut(events: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    data = b"".join(written(events)) + b"data: unended"
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    blocks, rest = blocks_of(*(data[begin:end] for begin, end in pairwise(places)))
    assert b"".join(blocks) + rest == data
    assert len(blocks) == len(events)


def test_a_comment_of_a_proxy_among_events_with_other_line_ends() -> None:
    event = b'data: {"a": 1}\r\n\r\n'
    assert blocks_of(event + event + b": ping\n\n") == ([event, event, b": ping\n\n"], b"")


def test_a_block_beyond_the_bound_is_a_violation() -> None:
    splitter = SseBlocks(max_block_bytes=100)
    with pytest.raises(ProtocolViolation, match="100 bytes"):
        splitter.feed(b"data: " + b"x" * 200)
