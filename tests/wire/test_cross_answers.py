"""Every recorded answer, said in the other dialects: complete there, whole and streamed alike, and the same answer."""

from __future__ import annotations

from functools import cache

import pytest

from dragoman import dialects
from dragoman.errors import InvalidArguments, ProviderError
from dragoman.values import Media, Request, Response, ToolCall
from tests.wire.comparing import first_difference, told
from tests.wire.each_dialect import in_each
from tests.wire.judging import dialect_of, run_stream
from tests.wire.laws import Run, check_events, check_usage, run_decoder
from tests.wire.recordings import DIALECTS, Exchange, exchanges, require_recordings, target_for
from tests.wire.specs import answer_problems, require_specs

require_recordings()
require_specs()

_WITHOUT_ANSWER = {"stream_error", "error_in_200", "background"}
_ANSWERED = [
    exchange
    for exchange in exchanges()
    if exchange.dialect and not exchange.is_error and not _WITHOUT_ANSWER.intersection(exchange.features)
]
_STREAMED = [exchange for exchange in _ANSWERED if exchange.is_stream]
_REQUEST = Request(model="m", stream=True, stream_usage=True)


def _id(exchange: Exchange) -> str:
    return exchange.case


def _others(exchange: Exchange) -> list[str]:
    return [dialect for dialect in DIALECTS if dialect != exchange.dialect]


@cache
def _run(exchange: Exchange) -> Run:
    return run_stream(exchange)


@cache
def _answer(exchange: Exchange) -> Response:
    if not exchange.is_stream:
        return dialect_of(exchange).decode_response(exchange.response.content, target_for(exchange))
    response = _run(exchange).response
    assert response is not None
    return response


def _whole(exchange: Exchange, dialect: str) -> Response:
    codec, target = dialects.load(dialect), target_for(exchange)
    return codec.decode_response(codec.encode_response(_answer(exchange), target).body, target)


def _words(response: Response) -> str:
    """Everything said in the first choice, refusals too: dialects give them different homes."""
    return response.content + (response.refusal or "")


def _spoken(response: Response) -> str:
    """The words of generated sound, which a dialect without sound may give as text, or name as dropped."""
    return "".join(part.transcript or "" for part in response.message.parts if isinstance(part, Media))


def _calls(response: Response) -> list[tuple[str, object]]:
    """The client's calls; what is cut off in mid-JSON, or is no JSON at all, is told by name alone."""
    return [(call.name, _arguments(call)) for call in response.tool_calls]


def _arguments(call: ToolCall) -> object:
    try:
        return call.arguments if call.input == "json" else None
    except InvalidArguments:
        return None


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_an_answer_is_complete_in_another_dialect(exchange: Exchange) -> None:
    """Members beyond the description are allowed: hosts have agreed on some, such as reasoning_content."""

    def is_complete(dialect: str) -> None:
        body = dialects.load(dialect).encode_response(_answer(exchange), target_for(exchange)).body
        wrong = [
            problem
            for problem in answer_problems(dialect, body)
            if not problem.endswith("unknown to the description")
            and not problem.startswith((".service_tier", ".usage: None"))  # the host's own word; nothing was reported
        ]
        assert wrong == []

    in_each(_others(exchange), is_complete)


@pytest.mark.parametrize("exchange", _ANSWERED, ids=_id)
def test_an_answer_says_the_same_in_another_dialect(exchange: Exchange) -> None:
    in_each(_others(exchange), lambda dialect: _assert_says_the_same(exchange, dialect))


def _assert_says_the_same(exchange: Exchange, dialect: str) -> None:
    answer = _answer(exchange)
    if answer.finish_reason == "error" and dialect == "openai-responses":
        with pytest.raises(ProviderError):  # there an answer that failed is an error
            _whole(exchange, dialect)
        return
    again = _whole(exchange, dialect)
    assert _words(again) in (_words(answer), _words(answer) + _spoken(answer))
    if all(call.input == "json" for call in answer.tool_calls):
        assert [name for name, _ in _calls(again)] == [name for name, _ in _calls(answer)]
        for (_, arguments), (_, expected) in zip(_calls(again), _calls(answer), strict=True):
            assert expected is None or arguments == expected
    assert (again.finish is None) == (answer.finish is None)
    check_usage(again.usage)
    if answer.usage.input_tokens is not None:
        assert again.usage.input_tokens == answer.usage.input_tokens
        assert (again.usage.output_tokens or 0) == (answer.usage.output_tokens or 0)


@pytest.mark.parametrize("exchange", _STREAMED, ids=_id)
def test_a_stream_is_the_same_answer_as_its_whole_form(exchange: Exchange) -> None:
    in_each(_others(exchange), lambda dialect: _assert_streams_the_same(exchange, dialect))


def _assert_streams_the_same(exchange: Exchange, dialect: str) -> None:
    codec, target = dialects.load(dialect), target_for(exchange)
    encoder = codec.stream_encoder(_REQUEST, target)
    body = b"".join([*(encoder.feed(event) for event in _run(exchange).events), encoder.close()])
    run = run_decoder(codec.stream_decoder(target), [body])
    assert run.error is None
    streamed = check_events(run.events)
    assert streamed is not None
    whole = _whole(exchange, dialect)
    assert _words(streamed) == _words(whole)
    assert streamed.reasoning == whole.reasoning
    assert _calls(streamed) == _calls(whole)
    assert streamed.finish_reason == whole.finish_reason
    assert first_difference(_counts(whole), _counts(streamed)) is None


def _counts(response: Response) -> dict[str, object]:
    counted: dict[str, object] = told(response.usage) if response.usage else {}
    return {name: value for name, value in counted.items() if name != "raw"}
