"""Every recorded stream keeps the laws: whole, cut at every byte, in drips, and cut off before its finish."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dragoman.errors import ProviderError, StreamTruncated
from dragoman.values import Finished, Response
from tests.wire.error_rules import expected_classes
from tests.wire.finishes import finishes, frame_ends
from tests.wire.judging import dialect_of, judge_stream, run_stream
from tests.wire.laws import Run, check_events, run_decoder
from tests.wire.recordings import DIALECTS, Exchange, exchanges, require_recordings, stream_bytes, target_for

require_recordings()

_STREAMS = [exchange for exchange in exchanges() if exchange.dialect and exchange.is_stream]
_ANSWERED = [exchange for exchange in _STREAMS if "stream_error" not in exchange.features]
_WITH_MARKERS = [exchange for exchange in _ANSWERED if exchange.response.kind == "sse"]
_FAILED = [exchange for exchange in _STREAMS if "stream_error" in exchange.features]

# Figures for one core: a decoder takes some 10 MB/s, and all streams together are 2 MB.
_TWO_PIECES_BELOW = 4_000
_SHORT_STREAM = 20_000
_SAMPLES = 48


def _id(exchange: Exchange) -> str:
    return exchange.case


def _decode(exchange: Exchange, pieces: Iterator[bytes] | list[bytes]) -> Run:
    return run_decoder(dialect_of(exchange).stream_decoder(target_for(exchange)), pieces)


def _pieces(body: bytes, size: int, offset: int) -> Iterator[bytes]:
    """The body in pieces of `size`, the first of `offset` bytes."""
    if offset:
        yield body[:offset]
    for start in range(offset, len(body), size):
        yield body[start : start + size]


def _sampled(length: int, count: int) -> range:
    """At most about `count` positions in 1..length-1, the same ones in every run."""
    return range(1, length, max(1, length // count))


def _assert_same(run: Run, whole: Run, how: str) -> None:
    assert run.meant == whole.meant, f"other events when {how}"
    assert type(run.error) is type(whole.error), f"{run.error!r} instead of {whole.error!r} when {how}"


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_a_stream_is_lawful_and_equals_its_other_forms(exchange: Exchange) -> None:
    verdict = judge_stream(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_a_complete_stream_finishes(exchange: Exchange) -> None:
    assert finishes(exchange.dialect or "", stream_bytes(exchange)) is not None, "the recording itself is cut off"
    run = run_stream(exchange)
    assert run.error is None
    assert isinstance(run.events[-1], Finished)


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_cuts_at_every_byte_change_nothing(exchange: Exchange) -> None:
    """Pieces of one size laid at every offset put a cut at every byte, before and after pieces of many sizes."""
    body = stream_bytes(exchange)
    whole = run_stream(exchange)
    sizes = [1, 2, 16, 257] if len(body) < _SHORT_STREAM else [1, 7, 8191]
    for size in sizes:
        offsets = range(size) if len(body) * size < _SHORT_STREAM * 64 else _sampled(size, 8)
        for offset in offsets:
            _assert_same(_decode(exchange, _pieces(body, size, offset)), whole, f"cut in {size}s from {offset}")


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_two_pieces_change_nothing(exchange: Exchange) -> None:
    body = stream_bytes(exchange)
    whole = run_stream(exchange)
    cuts = range(1, len(body)) if len(body) < _TWO_PIECES_BELOW else _sampled(len(body), _SAMPLES)
    for cut in cuts:
        _assert_same(_decode(exchange, [body[:cut], body[cut:]]), whole, f"cut at {cut}")


def _prefix_lengths(body: bytes, before: int) -> Iterator[int]:
    """Prefixes that lack the finish: at the ends of frames, next to them, and within."""
    if before < _TWO_PIECES_BELOW:
        yield from range(before)
        return
    ends = [end for end in frame_ends(body) if end < before]
    for end in ends[:: max(1, len(ends) // _SAMPLES)]:
        yield from (end - 1, end, min(end + 9, before - 1))
    yield from _sampled(before, _SAMPLES)
    yield before - 1


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_a_stream_cut_off_before_its_finish_is_truncated(exchange: Exchange) -> None:
    body = stream_bytes(exchange)
    complete = finishes(exchange.dialect or "", body)
    assert complete is not None
    for length in _prefix_lengths(body, complete.first):
        run = _decode(exchange, [body[:length]])
        assert isinstance(run.error, StreamTruncated), f"cut off at {length}: {run.error!r}, {run.events[-1:]!r}"
        assert isinstance(run.error.partial, Response)
        check_events(run.events)


@pytest.mark.parametrize("exchange", _WITH_MARKERS, ids=_id)
def test_a_done_marker_is_no_finish(exchange: Exchange) -> None:
    body = stream_bytes(exchange)
    complete = finishes(exchange.dialect or "", body)
    assert complete is not None
    ends = [end for end in frame_ends(body) if end < complete.first]
    for end in ends[:: max(1, len(ends) // 8)]:
        run = _decode(exchange, [body[:end], b"data: [DONE]\n\n"])
        assert isinstance(run.error, StreamTruncated), f"[DONE] at {end}: {run.error!r}"


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_a_stream_cut_off_behind_its_finish_is_complete(exchange: Exchange) -> None:
    body = stream_bytes(exchange)
    complete = finishes(exchange.dialect or "", body)
    assert complete is not None
    whole = run_stream(exchange)
    assert whole.response is not None
    for length in {complete.last, *(end for end in frame_ends(body) if end >= complete.last)}:
        response = _decode(exchange, [body[:length]]).response
        assert response is not None, f"cut off at {length}"
        assert [choice.finish for choice in response.choices] == [choice.finish for choice in whole.response.choices]
        assert response.content == whole.response.content
        assert response.tool_calls == whole.response.tool_calls


@pytest.mark.parametrize("exchange", _FAILED, ids=_id)
def test_an_error_inside_a_stream_is_raised_with_what_came_before(exchange: Exchange) -> None:
    run = run_stream(exchange)
    assert isinstance(run.error, ProviderError)
    assert run.error.in_stream
    assert run.error.provider == exchange.provider
    assert isinstance(run.error.partial, Response)
    assert type(run.error) in expected_classes(exchange.provider, None, run.error.body, run.error.code)
    assert run.response is None


def test_there_are_streams_of_every_dialect() -> None:
    assert {exchange.dialect for exchange in _STREAMS} == set(DIALECTS)
