"""The official clients, given a provider's recorded bytes, understand what our decoders understand."""

from __future__ import annotations

import re

import pytest

from tests.official.clients import client_of
from tests.official.facts import Facts, disagreements, ours
from tests.official.replay_server import ReplayServer
from tests.wire.judging import dialect_of, run_stream
from tests.wire.recordings import Exchange, body_bytes, exchanges, require_recordings, stream_bytes, target_for

require_recordings()

_WITHOUT_ANSWER = {"stream_error", "error_in_200"}
_JUDGED = [
    exchange
    for exchange in exchanges()
    if exchange.dialect
    and not exchange.is_error
    and not _WITHOUT_ANSWER.intersection(exchange.features)
    # Google's own client never asks for enumerations as numbers, and cannot read them.
    and "enum-encoding" not in exchange.request.url
]
_ANSWERS = [exchange for exchange in _JUDGED if exchange.is_answer]
_STREAMS = [exchange for exchange in _JUDGED if exchange.is_stream]

_TRIMMED = re.compile(rb"TRIMMED\[[^\]]*\]")


def _id(exchange: Exchange) -> str:
    return exchange.case


def untrimmed(body: bytes) -> bytes:
    """The recordings cut long base64 short with words that are none; clients that decode it get some that is."""
    return _TRIMMED.sub(b"AAAA", body)


def _as_official(official: Facts, own: Facts, exchange: Exchange) -> Facts:
    """Counts are compared where the host counts as its dialect's own vendor does."""
    vendors = {"openai-chat": {"openai", "azure"}, "openai-responses": {"openai", "azure"}}
    if exchange.provider in vendors.get(exchange.dialect or "", {exchange.provider}):
        return own
    return Facts(own.said, official.input_tokens, official.output_tokens, own.id, own.model)


@pytest.mark.parametrize("exchange", _ANSWERS, ids=_id)
def test_a_whole_answer_is_understood_alike(exchange: Exchange, replay_server: ReplayServer) -> None:
    address = replay_server.serve(untrimmed(body_bytes(exchange)))
    official = client_of(exchange.dialect or "", address).whole()
    own = ours(dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange)))
    assert disagreements(official, _as_official(official, own, exchange)) == []


@pytest.mark.parametrize("exchange", _STREAMS, ids=_id)
def test_a_streamed_answer_is_understood_alike(exchange: Exchange, replay_server: ReplayServer) -> None:
    address = replay_server.serve(untrimmed(stream_bytes(exchange)), headers={"content-type": "text/event-stream"})
    official = client_of(exchange.dialect or "", address).streamed()
    response = run_stream(exchange).response
    assert response is not None
    own = ours(response)
    assert disagreements(official, _as_official(official, own, exchange)) == []
