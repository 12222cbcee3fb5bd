"""When an answer was made: as its dialect says, or by the `date` of the answer where the dialect has no word for it."""

from __future__ import annotations

import pytest

from dragoman.transport import FakeTransport, HttpResponse
from tests.face.dialect_wire import model_of, said, streamed, whole

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
AT = 784111777
UNDATED = ("anthropic", "bedrock", "cohere")


def dated(answer: HttpResponse, date: str) -> HttpResponse:
    return HttpResponse(answer.status, {**answer.headers, "date": date}, answer.body)


@pytest.mark.parametrize("dialect", UNDATED)
def test_an_answer_without_a_time_has_that_of_its_date_header(dialect: str) -> None:
    answer = dated(whole(dialect, said("Hi")), DATE)
    model, _ = model_of(dialect, [answer])
    assert model.chat("Hi").created == AT


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_a_date_that_is_none_says_nothing(date: str) -> None:
    answer = dated(whole("anthropic", said("Hi")), date)
    model, _ = model_of("anthropic", [answer])
    assert model.chat("Hi").created is None


def test_an_answers_own_time_counts() -> None:
    answer = dated(whole("openai-chat", said("Hi")), DATE)
    model, _ = model_of("openai-chat", [answer])
    assert model.chat("Hi").created == 1


@pytest.mark.parametrize("dialect", UNDATED)
def test_a_stream_says_so_too(dialect: str) -> None:
    answer = streamed(dialect, said("Hi"))
    model, _ = model_of(dialect, [FakeTransport.streamed(answer, headers={**answer.headers, "date": DATE})])
    with model.stream("Hi") as stream:
        assert "".join(chunk.delta for chunk in stream) == "Hi"
    assert stream.response.created == AT
