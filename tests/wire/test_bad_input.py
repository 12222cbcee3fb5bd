"""Damaged requests, answers and streams end in a typed error or in a lawful answer: never in a crash."""

from __future__ import annotations

from zlib import crc32

import msgspec
import pytest

from dragoman.errors import InvalidRequest, ProtocolViolation, ProviderError, StreamTruncated
from tests.wire.judging import dialect_of
from tests.wire.laws import check_events, run_decoder
from tests.wire.mutating import mutated_frames, mutations
from tests.wire.recordings import Exchange, body_bytes, exchanges, require_recordings, stream_bytes, target_for

require_recordings()

_SPOKEN = [exchange for exchange in exchanges() if exchange.dialect]
_ASKED = [exchange for exchange in _SPOKEN if isinstance(exchange.request.body, dict)]
_ANSWERS = [exchange for exchange in _SPOKEN if exchange.is_answer]
_ERRORS = [exchange for exchange in _SPOKEN if exchange.is_error]
_STREAMS = [exchange for exchange in _SPOKEN if exchange.is_stream]

_PER_BODY = 90
_FRAMES = 12


def _id(exchange: Exchange) -> str:
    return exchange.case


def _seed(exchange: Exchange) -> int:
    return crc32(exchange.id.encode())


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_a_damaged_request_is_refused_by_name_or_taken(exchange: Exchange) -> None:
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    nameless: list[str] = []
    for what, body in mutations(exchange.request.body, limit=_PER_BODY, seed=_seed(exchange)):
        try:
            request = dialect.decode_request(body, target, exchange.request.path)
            dialect.encode_request(request, target)
        except InvalidRequest as error:
            if not error.path:
                nameless.append(f"{what}: {error}")
        except Exception as crash:  # noqa: BLE001 - any other error is the fault that is looked for
            pytest.fail(f"{what}: {crash!r:.300}")
    assert nameless == [], "refused without naming the member"


@pytest.mark.parametrize("exchange", _ANSWERS, ids=_id)
def test_a_damaged_answer_is_a_violation_or_taken(exchange: Exchange) -> None:
    dialect = dialect_of(exchange)
    target = target_for(exchange)
    for what, body in mutations(exchange.response.content, limit=_PER_BODY, seed=_seed(exchange)):
        try:
            dialect.encode_response(dialect.decode_response(body, target), target)
        except (ProtocolViolation, ProviderError):
            pass
        except Exception as crash:  # noqa: BLE001 - any other error is the fault that is looked for
            pytest.fail(f"{what}: {crash!r:.300}")


@pytest.mark.parametrize("exchange", _ERRORS, ids=_id)
def test_a_damaged_error_is_still_an_error(exchange: Exchange) -> None:
    dialect = dialect_of(exchange)
    content = exchange.response.content
    damaged = [body_bytes(exchange)[::-1], b"\xff\xfe\x00", b"null", b"[]", b'"x"', b"7", b'{"error":null}']
    if isinstance(content, dict):
        damaged += [msgspec.json.encode(body) for _, body in mutations(content, limit=_PER_BODY, seed=_seed(exchange))]
    for body in damaged:
        error = dialect.decode_error(exchange.response.status, exchange.response.headers, body, target_for(exchange))
        assert (error.status, error.provider) == (exchange.response.status, exchange.provider)
        assert dialect.encode_error(error).status >= 400


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_a_damaged_stream_ends_in_a_typed_error_or_lawfully(exchange: Exchange) -> None:
    dialect = dialect_of(exchange)
    for what, body in mutated_frames(stream_bytes(exchange), limit=_FRAMES, seed=_seed(exchange)):
        try:
            run = run_decoder(dialect.stream_decoder(target_for(exchange)), [body])
        except Exception as crash:  # noqa: BLE001 - any other error is the fault that is looked for
            pytest.fail(f"{what}: {crash!r:.300}")
        try:
            finished = check_events(run.events)
        except AssertionError as broken:
            pytest.fail(f"{what}: {broken}")
        if run.error is not None:
            assert isinstance(run.error, (ProtocolViolation, StreamTruncated, ProviderError)), what
            assert finished is None, what
            assert run.error.partial is not None, what
        else:
            assert finished is not None, what
