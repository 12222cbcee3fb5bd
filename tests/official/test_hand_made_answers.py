"""A hand-made answer, whole and streamed, is understood by the official client of every dialect."""

from __future__ import annotations

import pytest

from dragoman import dialects
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    FinishReason,
    Part,
    Reasoning,
    Refusal,
    Request,
    Response,
    Target,
    Text,
    ToolCall,
    Usage,
    assistant,
)
from dragoman.values.unrolled import events_of
from tests.official.asking import Official
from tests.official.clients import JUDGED
from tests.official.facts import Facts, Said, disagreements, ours
from tests.wire.laws import run_decoder

_TARGET = Target(provider="elsewhere", issuer="elsewhere", model="m")
_PARIS = ToolCall(id="call_1", name="weather", arguments_text='{"city": "Paris, 世界"}')
_NOW = ToolCall(id="call_2", name="now")


def _answer(*parts: Part, reason: FinishReason = "stop", usage: Usage | None = None) -> Response:
    choice = Choice(message=assistant(*parts), finish=Finish(reason=reason))
    return Response(
        id="answer-1",
        model="a-model",
        provider="elsewhere",
        dialect="nowhere",
        created=1767225600,
        choices=(choice,),
        usage=usage or Usage(input_tokens=12, output_tokens=7, total_tokens=19),
    )


_ANSWERS: dict[str, Response] = {
    "text": _answer(Text(text='Grüße, 世界! \U0001f600\n"quoted" \\ done')),
    "an empty text": _answer(Text(text="")),
    "nothing": _answer(),
    "two texts": _answer(Text(text="One. "), Text(text="Two.")),
    "a citation": _answer(
        Text(text="Paris.", citations=(Citation(kind="url", url="https://example.org", title="P", start=0, end=5),))
    ),
    "thoughts": _answer(Reasoning(text="Hm."), Text(text="Yes.")),
    "summarised thoughts": _answer(Reasoning(text="In short.", form="summary"), Text(text="Yes.")),
    "withheld thoughts": _answer(Reasoning(form="redacted"), Text(text="Yes.")),
    "a call": _answer(_PARIS, reason="tool_calls"),
    "words and two calls": _answer(Text(text="Looking."), _PARIS, _NOW, reason="tool_calls"),
    "a call between words": _answer(Text(text="One. "), _NOW, Text(text="Two."), reason="tool_calls"),
    "the provider's own call": _answer(
        ToolCall(id="ws_1", name="web_search", arguments_text='{"q":"x"}', runner="provider"), Text(text="Found.")
    ),
    "a refusal": _answer(Refusal(text="I cannot."), reason="refusal"),
    "cut short": _answer(Text(text="And then"), reason="length"),
    "filtered": _answer(Text(text="And"), reason="content_filter"),
    "every count": _answer(
        Text(text="Yes."),
        usage=Usage(
            input_tokens=100,
            output_tokens=50,
            total_tokens=150,
            cache_read_tokens=40,
            cache_write_tokens=20,
            reasoning_tokens=30,
        ),
    ),
    "other ends": _answer(Text(text="Hm."), reason="other"),
    "paused": _answer(Text(text="Hm."), reason="paused"),
}
_CASES = [
    pytest.param(answer, dialect, id=f"{name}-to-{dialect}") for name, answer in _ANSWERS.items() for dialect in JUDGED
]


def _expected(answer: Response, dialect: str) -> Facts:
    facts = ours(answer)
    (said,) = facts.said
    if dialect in ("anthropic", "bedrock", "gemini"):  # which have no words of their own for a refusal
        said = Said(said.text + said.refusal, "", said.calls, said.finish)
    return Facts((said,), facts.input_tokens, facts.output_tokens, facts.id, facts.model)


def _assert_understood(official: Facts, answer: Response, dialect: str) -> None:
    if not official.said and not answer.message.parts:
        return
    assert disagreements(official, _expected(answer, dialect), ids=False) == []
    assert official.said[0].finish, "the client sees no reason why the answer ended"
    assert all(call[0] for call in official.said[0].calls) or dialect == "gemini"
    assert official.model == "a-model" or dialect == "bedrock"


@pytest.mark.parametrize(("answer", "dialect"), _CASES)
def test_a_whole_answer_is_understood(answer: Response, dialect: str, official: Official) -> None:
    body = dialects.load(dialect).encode_response(answer, _TARGET).body
    _assert_understood(official.given(dialect, body).whole(), answer, dialect)


@pytest.mark.parametrize(("answer", "dialect"), _CASES)
def test_a_streamed_answer_is_understood(answer: Response, dialect: str, official: Official) -> None:
    request = Request(model="m", stream=True, stream_usage=True)
    encoder = dialects.load(dialect).stream_encoder(request, _TARGET)
    body = b"".join([*(encoder.feed(event) for event in events_of(answer)), encoder.close()])
    strict = answer.finish_reason not in ("length", "content_filter", "refusal")
    _assert_understood(official.given(dialect, body).streamed(strict=strict), answer, dialect)


@pytest.mark.parametrize(("answer", "dialect"), _CASES)
def test_both_forms_decode_to_one_answer(answer: Response, dialect: str) -> None:
    codec = dialects.load(dialect)
    encoder = codec.stream_encoder(Request(model="m", stream=True, stream_usage=True), _TARGET)
    body = b"".join([*(encoder.feed(event) for event in events_of(answer)), encoder.close()])
    response = run_decoder(codec.stream_decoder(_TARGET), [body]).response
    assert response is not None
    streamed = ours(response)
    whole = ours(codec.decode_response(codec.encode_response(answer, _TARGET).body, _TARGET))
    assert disagreements(streamed, whole, ids=False) == []
    assert streamed.said[0].finish == whole.said[0].finish
