"""The reader of answers, without sockets: however the bytes are cut, it reads the same."""

from __future__ import annotations

import gzip
import itertools
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.transport import TransportLimits
from dragoman.transport.headers import ResponseHeaders
from dragoman.transport.response import ResponseReader

Read = tuple[int, dict[str, str], bytes, bool, bool]
_NAMES = st.sampled_from(["content-type", "X-Request-Id", "retry-after", "x-empty", "date"])
_VALUES = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, Read]:
    """A valid answer in any framing and encoding, and what it has to be read as."""
    status = draw(st.sampled_from([200, 201, 400, 429, 500]))
    body = draw(st.binary(max_size=300))
    headers = dict(draw(st.lists(st.tuples(_NAMES, _VALUES), max_size=4, unique_by=lambda pair: pair[0])))
    encoding = draw(st.sampled_from(["", "gzip", "deflate"]))
    wire = {"": lambda: body, "gzip": lambda: gzip.compress(body), "deflate": lambda: zlib.compress(body)}[encoding]()
    if encoding:
        headers["Content-Encoding"] = encoding
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if framing == "length":
        headers["Content-Length"] = str(len(wire))
    elif framing == "chunked":
        headers["Transfer-Encoding"] = "chunked"
        cuts = sorted({*draw(st.lists(st.integers(0, len(wire)), max_size=4)), 0, len(wire)})
        pieces = [wire[start:end] for start, end in itertools.pairwise(cuts)]
        extension = draw(st.sampled_from([b"", b";name", b';name="value"']))
        trailer = draw(st.sampled_from([b"", b"x-trailer: 1\r\n"]))
        wire = b"".join(b"%X%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
        wire += b"0%s\r\n%s\r\n" % (extension, trailer)
    interim = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"])
    )
    head = f"HTTP/1.1 {status} Reason\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    lower = {name.lower(): value for name, value in headers.items()}
    return interim + head.encode() + b"\r\n" + wire, (status, lower, body, True, framing != "close")


def read(pieces: list[bytes]) -> Read:
    reader = ResponseReader(TransportLimits())
    reader.begin()
    body = b""
    for piece in pieces:
        # As from the connection's own buffer, which is overwritten by the next read.
        lent = bytearray(piece)
        reader.feed(memoryview(lent))
        lent[:] = b"\xff" * len(lent)
        body += reader.take_body()
    if not reader.complete:
        reader.end()
    return reader.status, dict(reader.headers), body, reader.complete, reader.keep_alive


@given(answers(), st.data())
@settings(max_examples=300, deadline=None)
def test_however_it_is_cut(answer: tuple[bytes, Read], data: st.DataObject) -> None:
    wire, expected = answer
    assert read([wire]) == expected
    cuts = sorted({0, len(wire), *data.draw(st.lists(st.integers(0, len(wire)), max_size=12))})
    assert read([wire[start:end] for start, end in itertools.pairwise(cuts)]) == expected


@given(answers())
@settings(max_examples=60, deadline=None)
def test_byte_by_byte(answer: tuple[bytes, Read]) -> None:
    wire, expected = answer
    assert read([wire[index : index + 1] for index in range(len(wire))]) == expected


@given(answers(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_part_is_never_taken_for_the_whole(answer: tuple[bytes, Read], data: st.DataObject) -> None:
    wire, (_, _, _, _, framed) = answer
    if not framed:
        return
    reader = ResponseReader(TransportLimits())
    reader.begin()
    reader.feed(wire[: data.draw(st.integers(0, len(wire) - 1))])
    assert not reader.end()
    assert not reader.complete


@given(st.binary(max_size=200), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_noise_is_refused_or_waited_on_and_nothing_else(noise: bytes, whole: bool, opened: bool) -> None:
    reader = ResponseReader(TransportLimits())
    reader.begin(whole=whole)
    try:
        reader.feed((b"HTTP/1.1 200 OK\r\n" if opened else b"") + noise)
        reader.end()
    except ProtocolViolation:
        return


def test_one_reader_reads_many_answers() -> None:
    reader = ResponseReader(TransportLimits())
    for number in range(5):
        body = b"%d" % number
        reader.begin(head_only=number == 2)
        reader.feed(b"HTTP/1.1 200 OK\r\nx-number: %s\r\ncontent-length: 1\r\n\r\n" % body)
        if number != 2:
            assert not reader.complete
            reader.feed(body)
        assert reader.complete
        assert reader.keep_alive
        assert reader.take_body() == (b"" if number == 2 else body)
        assert reader.headers["x-number"] == str(number)


@pytest.mark.parametrize(
    "extra", [b"H", b"HTTP/1.1 200 OK\r\n", b"x", b"HTTP/1.1 408 Timeout\r\ncontent-length: 0\r\n\r\n"]
)
@pytest.mark.parametrize("apart", [False, True])
def test_bytes_after_an_answer_spoil_the_connection_and_not_the_answer(extra: bytes, apart: bool) -> None:
    reader = ResponseReader(TransportLimits())
    reader.begin()
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    for piece in (answer, extra) if apart else (answer + extra,):
        reader.feed(piece)
    assert reader.complete
    assert reader.take_body() == b"hi"
    assert reader.status == 200
    assert not reader.keep_alive


@pytest.mark.parametrize("body", [b"x" * 101, b"x" * 5000])
@pytest.mark.parametrize("framed", [True, False])
def test_a_whole_body_is_bounded(body: bytes, framed: bool) -> None:
    reader = ResponseReader(TransportLimits(body_bytes=100))
    reader.begin(whole=True)
    head = b"HTTP/1.1 200 OK\r\n" + (b"content-length: %d\r\n" % len(body) if framed else b"") + b"\r\n"
    with pytest.raises(ProtocolViolation, match="body_bytes"):
        reader.feed(head + body)


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_001])
@pytest.mark.parametrize("piece_size", [1000, 64 * 1024, 4_000_000])
def test_a_large_body_is_whole_and_the_next_one_knows_nothing_of_it(size: int, piece_size: int) -> None:
    body = random.Random(size).randbytes(size)
    reader = ResponseReader(TransportLimits())
    for _ in range(2):
        reader.begin(whole=True)
        reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for at in range(0, size, piece_size):
            reader.feed(body[at : at + piece_size])
        assert reader.complete
        assert reader.take_body() == body
        assert reader.take_body() == b""


def test_a_large_read_behind_a_small_head_is_no_large_head() -> None:
    reader = ResponseReader(TransportLimits(head_bytes=100))
    reader.begin()
    reader.feed(b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000)
    assert reader.complete


class TestHeaders:
    headers = ResponseHeaders({b"content-type": b"text/plain", b"x-name": b"Zo\xeb ", b"x-empty": b""})

    def test_are_a_mapping_of_text(self) -> None:
        assert self.headers["content-type"] == "text/plain"
        assert self.headers["x-name"] == "Zoë"
        assert dict(self.headers) == {"content-type": "text/plain", "x-name": "Zoë", "x-empty": ""}
        assert len(self.headers) == 3
        assert self.headers == {"content-type": "text/plain", "x-name": "Zoë", "x-empty": ""}

    def test_have_no_others(self) -> None:
        assert self.headers.get("missing") is None
        assert "€" not in self.headers
        with pytest.raises(KeyError, match="missing"):
            self.headers["missing"]
