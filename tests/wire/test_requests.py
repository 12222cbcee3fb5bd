"""Every recorded request decodes, and encodes to the same JSON."""

from __future__ import annotations

import pytest

from dragoman import dialects
from tests.wire.judging import judge_embedding_request, judge_fitted_request, judge_request, request_of
from tests.wire.recordings import DIALECTS, Exchange, exchanges, require_recordings, target_for

require_recordings()

_ASKED = [exchange for exchange in exchanges() if exchange.dialect and exchange.request.body is not None]
_EMBEDDED = [exchange for exchange in exchanges() if exchange.embeddings_dialect]
_ACCEPTED = [exchange for exchange in _ASKED if not exchange.is_error]


_STREAMED_UNASKED = {"ollama"}
"""Dialects that stream where the request does not say otherwise."""


def _id(exchange: Exchange) -> str:
    return exchange.case


@pytest.mark.parametrize("exchange", _ASKED, ids=_id)
def test_a_request_survives_decoding_and_encoding(exchange: Exchange) -> None:
    verdict = judge_request(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_what_the_hosts_quirks_change_is_named(exchange: Exchange) -> None:
    verdict = judge_fitted_request(exchange)
    assert verdict.ok, verdict.detail


@pytest.mark.parametrize("exchange", _ACCEPTED, ids=_id)
def test_the_essentials_of_a_request_are_in_fields(exchange: Exchange) -> None:
    """A codec that kept the whole body aside would pass a round trip; what every dialect says must be in the value."""
    target = target_for(exchange)
    request = request_of(exchange)
    body = exchange.request.body
    assert request.model == target.model
    unasked = exchange.dialect in _STREAMED_UNASKED
    streamed = exchange.request.path.endswith("/converse-stream") or ":streamGenerateContent" in exchange.request.url
    streamed = streamed or body.get("stream", unasked) is True
    assert request.stream is streamed
    told = body.get("messages") or body.get("contents") or body.get("input")
    assert not told or any(message.parts for message in request.messages)
    settings = body.get("generationConfig", body.get("options", body.get("inferenceConfig", body)))
    assert request.temperature == settings.get("temperature")
    assert bool(request.tools) is bool(body.get("tools") or body.get("functions") or body.get("toolConfig"))
    path = dialects.load(exchange.dialect or "").encode_request(request, target).path
    assert path.startswith("/")


@pytest.mark.parametrize("exchange", _EMBEDDED, ids=_id)
def test_an_embeddings_request_survives(exchange: Exchange) -> None:
    verdict = judge_embedding_request(exchange)
    assert verdict.ok, verdict.detail


def test_every_dialect_has_recorded_requests() -> None:
    assert {exchange.dialect for exchange in _ASKED} == set(DIALECTS)
