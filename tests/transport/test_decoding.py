"""Compressed bodies: undone as they come, and held to what they may grow to."""

from __future__ import annotations

import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.transport import TransportLimits
from dragoman.transport.decoding import make_decoder

LIMITS = TransportLimits()


def bare(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def gzipped(data: bytes) -> bytes:
    """Without the time of day, which would be in the names of the tests."""
    return gzip.compress(data, mtime=0)


ENCODERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "Deflate ": bare}


def decode(coding: str, pieces: list[bytes], limits: TransportLimits = LIMITS) -> bytes:
    decoder = make_decoder(coding, limits)
    assert decoder is not None
    whole = b"".join([decoder.feed(piece) for piece in pieces])
    decoder.close()
    return whole


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=500), st.lists(st.integers(0, 500), max_size=8))
def test_however_it_is_cut(coding: str, body: bytes, where: list[int]) -> None:
    wire = ENCODERS[coding](body)
    cuts = sorted({0, len(wire), *[cut for cut in where if cut < len(wire)]})
    assert decode(coding, [wire[start:end] for start, end in itertools.pairwise(cuts)]) == body


@pytest.mark.parametrize("coding", ["", "identity", " , identity"])
def test_nothing_to_undo(coding: str) -> None:
    assert make_decoder(coding, LIMITS) is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip, br", "compress", "*"])
def test_what_was_not_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(ProtocolViolation, match="not asked for"):
        make_decoder(coding, LIMITS)


def test_members_may_follow_and_zeros_may_pad() -> None:
    wire = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 20
    assert decode("gzip", [wire]) == b"one two"
    assert decode("gzip", [wire[index : index + 1] for index in range(len(wire))]) == b"one two"


@pytest.mark.parametrize(
    ("coding", "wire"),
    [
        ("gzip", b"plain text"),
        ("gzip", gzipped(b"one") + b"and more"),
        ("deflate", zlib.compress(b"one") + b"and more"),
        ("gzip", gzipped(b"x" * 100)[:-1]),
        ("gzip", gzipped(b"x" * 100)[:5]),
        ("gzip", gzipped(b"x" * 100)[:-8] + b"\0" * 8),
        ("deflate", zlib.compress(b"x" * 100)[:-1]),
    ],
)
def test_damaged_and_cut_data_is_refused(coding: str, wire: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode(coding, [wire])


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_a_bomb_is_stopped_before_it_grows(size: int) -> None:
    """However it is cut, no more than the bound is ever held."""
    limits = TransportLimits(expansion_free_bytes=10_000, expansion_ratio=20)
    wire = gzip.compress(b"\0" * 50_000_000)
    decoder = make_decoder("gzip", limits)
    assert decoder is not None
    told = fed = 0
    stopped = ""
    for start in range(0, len(wire), size):
        piece = wire[start : start + size]
        fed += len(piece)
        try:
            told += len(decoder.feed(piece))
        except ProtocolViolation as violation:
            stopped = str(violation)
            break
    assert "expansion_ratio" in stopped
    assert told <= 10_000 + 20 * fed


def test_what_compresses_well_but_is_small_passes() -> None:
    assert decode("gzip", [gzip.compress(b" " * 900_000)]) == b" " * 900_000
