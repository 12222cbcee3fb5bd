"""Whatever provider answered, the official client of every dialect understands what our encoders make of the answer."""

from __future__ import annotations

import pytest

from dragoman import dialects
from dragoman.values import Event, Media, Request, Response, Target
from tests.official.asking import Official
from tests.official.clients import JUDGED, Client, readable
from tests.official.facts import Facts, Said, counts_of_vendor, disagreements, ours
from tests.wire.judging import dialect_of, run_stream
from tests.wire.recordings import Exchange, exchanges, require_recordings, target_for

require_recordings()

_REQUEST = Request(model="m", stream=True, stream_usage=True)
_WITHOUT_ANSWER = {"stream_error", "error_in_200", "background"}
_ONE_CHOICE = {"anthropic", "bedrock", "openai-responses"}
_WITHOUT_REFUSAL = {"anthropic", "bedrock", "gemini"}
_WITHOUT_SOUND = {"anthropic", "bedrock"}


def _pairs(streams: bool) -> list[object]:
    return [
        pytest.param(exchange, dialect, id=f"{exchange.case}-to-{dialect}")
        for exchange in exchanges()
        if exchange.dialect
        and (exchange.is_stream if streams else exchange.is_answer)
        and not _WITHOUT_ANSWER.intersection(exchange.features)
        for dialect in JUDGED
        if dialect != exchange.dialect or readable(exchange)
    ]


def _expected(response: Response, dialect: str) -> Facts:
    """What the dialect can say of the answer."""
    facts = ours(response)
    said = facts.said[:1] if dialect in _ONE_CHOICE else facts.said
    if dialect in _WITHOUT_REFUSAL:
        said = tuple(Said(choice.text + choice.refusal, "", choice.calls, choice.finish) for choice in said)
    if dialect in _WITHOUT_SOUND and (spoken := _spoken(response)):
        said = tuple(Said(choice.text + spoken, choice.refusal, choice.calls, choice.finish) for choice in said)
    return Facts(said, facts.input_tokens, facts.output_tokens, facts.id, facts.model)


def _spoken(response: Response) -> str:
    """The words of generated sound, which a dialect without sound gives as text."""
    return "".join(part.transcript or "" for part in response.message.parts if isinstance(part, Media))


def _free_form(response: Response) -> bool:
    """Whether it calls a tool whose input is no JSON: each dialect has its own clothes for that."""
    return any(call.input == "text" for choice in response.choices for call in choice.message.tool_calls)


def _assert_understood(official: Facts, response: Response, dialect: str) -> None:
    same = response.dialect == dialect
    expected = _expected(response, dialect)
    if same:
        expected = counts_of_vendor(official, expected, response.provider, dialect)
    if _free_form(response) and not same:
        assert [[call[1] for call in choice.calls] for choice in official.said] == [
            [call[1] for call in choice.calls] for choice in expected.said
        ]
        return
    # A dialect whose counts are not optional says 0 for what nobody reported.
    counts = (expected.input_tokens, expected.output_tokens)
    if None in counts:
        expected = Facts(expected.said, official.input_tokens, official.output_tokens, expected.id, expected.model)
    assert disagreements(official, expected, ids=same) == []


@pytest.mark.parametrize(("exchange", "dialect"), _pairs(streams=False))
def test_a_whole_answer_is_understood(exchange: Exchange, dialect: str, official: Official) -> None:
    response = dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange))
    body = dialects.load(dialect).encode_response(response, target_for(exchange)).body
    if "enum-encoding" in exchange.request.url and dialect == exchange.dialect:
        assert body == exchange.response.content  # numbers for words, which Google's own client cannot read
        return
    _assert_understood(official.given(dialect, body).whole(), response, dialect)


def _stream(dialect: str, events: list[Event], target: Target) -> bytes:
    encoder = dialects.load(dialect).stream_encoder(_REQUEST, target)
    return b"".join([*(encoder.feed(event) for event in events), encoder.close()])


def _heard(client: Client, response: Response) -> Facts:
    """By the client's own accumulating helper, which refuses answers that were cut short or filtered."""
    return client.streamed(strict=response.finish_reason not in ("length", "content_filter", "refusal"))


@pytest.mark.parametrize(("exchange", "dialect"), _pairs(streams=True))
def test_a_streamed_answer_is_understood(exchange: Exchange, dialect: str, official: Official) -> None:
    run = run_stream(exchange)
    response = run.response
    assert response is not None
    if "enum-encoding" in exchange.request.url and dialect == exchange.dialect:
        return
    body = _stream(dialect, run.events, target_for(exchange))
    _assert_understood(_heard(official.given(dialect, body), response), response, dialect)
