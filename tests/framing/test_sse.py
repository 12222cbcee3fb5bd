"""Server-sent events: every form that hosts send, cut anywhere, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.framing import SseDecoder, SseFrame, encode_sse
from tests.framing.test_lines import feed_in_pieces, pieces_of


def decoded(*pieces: bytes) -> list[SseFrame]:
    decoder = SseDecoder()
    frames = [frame for piece in pieces for frame in decoder.feed(piece)]
    return frames + decoder.close()


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b'data: {"a":1}\n\n', [SseFrame(b'{"a":1}')]),
        (b"data:no space\n\n", [SseFrame(b"no space")]),
        (b"data:  two spaces\n\n", [SseFrame(b" two spaces")]),
        (b"event: ping\ndata: {}\n\n", [SseFrame(b"{}", "ping")]),
        (b"data: {}\nevent: late\n\n", [SseFrame(b"{}", "late")]),
        (b"data: one\ndata: two\n\n", [SseFrame(b"one\ntwo")]),
        (b"data: \n\n", [SseFrame(b"")]),
        (b": keep-alive\n\ndata: x\n\n", [SseFrame(comment="keep-alive"), SseFrame(b"x")]),
        (b":\n\n", [SseFrame(comment="")]),
        (b"id: 7\nretry: 10\ndata: x\n\n", [SseFrame(b"x")]),
        (b"unknown: y\ndata: x\n\n", [SseFrame(b"x")]),
        (b"\n\n\n\ndata: x\n\n\n", [SseFrame(b"x")]),
        (b"event: alone\n\n", [SseFrame(b"", "alone")]),
        (b"\xef\xbb\xbfdata: x\n\n", [SseFrame(b"x")]),
        (b"data: \xef\xbb\xbfx\n\n", [SseFrame(b"\xef\xbb\xbfx")]),
        (b"data: x", [SseFrame(b"x")]),
        (b"data: x\n", [SseFrame(b"x")]),
        (b"", []),
        ("data: Grüße 世界\n\n".encode(), [SseFrame("Grüße 世界".encode())]),
        ("event: größe\ndata: x\n\n".encode(), [SseFrame(b"x", "größe")]),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_frames(body: bytes, frames: list[SseFrame], end: bytes) -> None:
    body = body.replace(b"\n", end)
    assert decoded(body) == frames
    assert decoded(*(body[index : index + 1] for index in range(len(body)))) == frames
    for cut in range(len(body)):
        assert decoded(body[:cut], body[cut:]) == frames


def test_a_frame_is_given_with_the_byte_that_ends_it() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: x\r") == []
    assert decoder.feed(b"\n\r") == [SseFrame(b"x")]
    assert decoder.feed(b"\ndata: y\n\n") == [SseFrame(b"y")]
    assert decoder.close() == []


_END = st.sampled_from([b"\n", b"\r\n", b"\r"])
_TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8)


@st.composite
def _streams(draw: st.DrawFn) -> tuple[bytes, list[SseFrame]]:
    """A stream and the frames that it holds. Blank lines end frames; line ends are mixed at will."""
    body = bytearray()
    frames: list[SseFrame] = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            words = draw(_TEXT).strip()
            body += b": " + words.encode() + draw(_END)
            frames.append(SseFrame(comment=words))
        data = [draw(_TEXT).encode() for _ in range(draw(st.integers(1, 3)))]
        name = draw(st.none() | st.sampled_from(["ping", "message_start"]))
        if name:
            body += b"event: " + name.encode() + draw(_END)
        for line in data:
            body += b"data: " + line + draw(_END)
        # CR and LF in a row would be one line end, so that a blank line after CR must not be a lone LF.
        body += b"\r" if body.endswith(b"\r") else draw(_END)
        frames.append(SseFrame(b"\n".join(data), name))
    return bytes(body), frames


@given(stream=_streams(), cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20))
def test_mixed_line_ends_cut_anywhere(stream: tuple[bytes, list[SseFrame]], cuts: list[int]) -> None:
    body, frames = stream
    assert decoded(*pieces_of(body, cuts)) == frames


@given(data=st.binary(max_size=80), cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20))
def test_any_bytes_give_the_same_frames_cut_anywhere(data: bytes, cuts: list[int]) -> None:
    assert decoded(*pieces_of(data, cuts)) == decoded(data)


@pytest.mark.parametrize("size", [1, 16, 10_000])
@pytest.mark.parametrize(
    "body",
    [b"data: " + b"x" * 200 + b"\n\n", b"data: 0123456789\n" * 20 + b"\n", b"data: ok\n\n: " + b"x" * 200 + b"\n"],
    ids=["one line", "many lines", "a comment"],
)
def test_a_frame_beyond_the_bound_is_a_violation(body: bytes, size: int) -> None:
    decoder = SseDecoder(max_frame_bytes=100)
    with pytest.raises(ProtocolViolation, match="100 bytes"):
        feed_in_pieces(decoder.feed, body, size)


def test_the_bound_is_of_one_frame_not_of_the_stream() -> None:
    decoder = SseDecoder(max_frame_bytes=100)
    frames = [frame for _ in range(50) for frame in decoder.feed(b"data: 0123456789\n\n")]
    assert frames == [SseFrame(b"0123456789")] * 50


@given(
    data=st.lists(st.tuples(_TEXT.map(str.encode), st.none() | st.sampled_from(["ping", "message_stop"])), max_size=5)
)
def test_what_is_encoded_decodes(data: list[tuple[bytes, str | None]]) -> None:
    body = b"".join(encode_sse(content, name) for content, name in data)
    assert decoded(body) == [SseFrame(content, name) for content, name in data]


@pytest.mark.parametrize(
    "block",
    [
        b'data: {"a":1}\n\n',
        b"data:x\n\n",
        b"data:  two blanks\n\n",
        b"event: e\ndata: x\n\n",
        b"event:\ndata: x\n\n",
        b"event: e\n\n",
        b"data: one\ndata: two\n\n",
        b"data: x\n\n\n",
        b"data: x\n\ndata: y\n\n",
        b": said\n\n",
        b"id: 1\ndata: x\n\n",
        b"event: e\nid: 1\ndata: x\n\n",
        b"data: x\r\n\r\n",
        b"\xef\xbb\xbfdata: x\n\n",
        b"\n\n",
        b"datum\n\n",
    ],
)
@pytest.mark.parametrize("before", [b"", b"data: first\n\n", b"data: ", b"event: named\n", b"data: x\r"])
def test_what_comes_at_once_is_what_comes_byte_by_byte(block: bytes, before: bytes) -> None:
    whole, dripped = SseDecoder(), SseDecoder()
    at_once = [*whole.feed(before), *whole.feed(block), *whole.feed(block), *whole.close()]
    bytewise = [frame for byte in before + block * 2 for frame in dripped.feed(bytes([byte]))]
    assert at_once == [*bytewise, *dripped.close()]


def test_an_event_that_comes_at_once_is_bounded_too() -> None:
    with pytest.raises(ProtocolViolation):
        SseDecoder(max_frame_bytes=10).feed(b"data: 0123456789\n\n")
