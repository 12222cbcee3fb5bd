"""The official clients, given a provider's recorded bytes, understand what our decoders understand."""

from __future__ import annotations

import pytest

from tests.official.asking import Official
from tests.official.clients import JUDGED, readable
from tests.official.facts import counts_of_vendor, disagreements, ours
from tests.wire.judging import dialect_of, run_stream
from tests.wire.recordings import Exchange, exchanges, require_recordings, stream_bytes, target_for

require_recordings()

_WITHOUT_ANSWER = {"stream_error", "error_in_200", "background"}
_JUDGED = [
    exchange
    for exchange in exchanges()
    if exchange.dialect in JUDGED
    and readable(exchange)
    and not exchange.is_error
    and not _WITHOUT_ANSWER.intersection(exchange.features)
    # Google's own client never asks for enumerations as numbers, and cannot read them.
    and "enum-encoding" not in exchange.request.url
]
_ANSWERS = [exchange for exchange in _JUDGED if exchange.is_answer]
_STREAMS = [exchange for exchange in _JUDGED if exchange.is_stream]


def _id(exchange: Exchange) -> str:
    return exchange.case


@pytest.mark.parametrize("exchange", _ANSWERS, ids=_id)
def test_a_whole_answer_is_understood_alike(exchange: Exchange, official: Official) -> None:
    facts = official.given(exchange.dialect or "", exchange.response.content).whole()
    own = ours(dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange)))
    assert disagreements(facts, counts_of_vendor(facts, own, exchange.provider, exchange.dialect)) == []


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_a_streamed_answer_is_understood_alike(exchange: Exchange, official: Official) -> None:
    facts = official.given(exchange.dialect or "", stream_bytes(exchange)).streamed()
    response = run_stream(exchange).response
    assert response is not None
    own = ours(response)
    assert disagreements(facts, counts_of_vendor(facts, own, exchange.provider, exchange.dialect)) == []
