"""Every recorded unstreamed answer decodes and encodes to the same JSON; every error becomes the right class."""

from __future__ import annotations

import pytest

from tests.wire.judging import dialect_of, judge_answer, judge_embedding_answer, judge_error
from tests.wire.recordings import Exchange, body_bytes, exchanges, require_recordings, target_for

require_recordings()

_ANSWERS = [exchange for exchange in exchanges() if exchange.dialect and exchange.is_answer]
_ERRORS = [
    exchange for exchange in exchanges() if (exchange.dialect or exchange.embeddings_dialect) and exchange.is_error
]
_VECTORS = [exchange for exchange in exchanges() if exchange.embeddings_dialect and exchange.is_answer]


def _id(exchange: Exchange) -> str:
    return exchange.case


@pytest.mark.parametrize("exchange", _ANSWERS, ids=_id)
def test_an_answer_survives_decoding_and_encoding(exchange: Exchange) -> None:
    verdict = judge_answer(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _VECTORS, ids=_id)
def test_an_embeddings_answer_survives(exchange: Exchange) -> None:
    verdict = judge_embedding_answer(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _ERRORS, ids=_id)
def test_an_error_becomes_the_right_class(exchange: Exchange) -> None:
    verdict = judge_error(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _ERRORS, ids=_id)
def test_an_error_s_body_cut_anywhere_is_still_an_error_of_its_status(exchange: Exchange) -> None:
    body = body_bytes(exchange)
    for length in {0, 1, len(body) // 2, max(0, len(body) - 1)}:
        error = dialect_of(exchange).decode_error(
            exchange.response.status, exchange.response.headers, body[:length], target_for(exchange)
        )
        assert error.status == exchange.response.status
        assert len(error.message) < 2000
