"""Token counts: each dialect's question and answer, both ways, and against recordings."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects import load
from dragoman.errors import InvalidRequest, ProtocolViolation
from dragoman.values import GeminiQuirks, Quirks, Request, Target, ToolDefinition, system, user
from tests.wire.judging import Verdict, judge_count_answer, judge_count_request, judge_error
from tests.wire.recordings import Exchange, exchanges

RECORDED = [exchange for exchange in exchanges() if exchange.counting_dialect]

TOOL = ToolDefinition(name="weather", description="Tells the weather", input_schema={"type": "object"})
REQUEST = Request(
    model="m-1", messages=(system("Be brief."), user("Hi")), tools=(TOOL,), max_tokens=100, temperature=0.5
)
PATHS = {
    "anthropic": "/messages/count_tokens",
    "openai-responses": "/responses/input_tokens",
    "gemini": "/models/m-1:countTokens",
    "bedrock": "/model/m-1/count-tokens",
}


@pytest.mark.skipif(not RECORDED, reason="the recordings are not here")
@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange.id)
def test_recorded_questions_and_answers_survive(exchange: Exchange) -> None:
    assert judge_count_request(exchange) == Verdict("equal")
    if exchange.is_error:
        assert judge_error(exchange).outcome == "error"
    else:
        assert judge_count_answer(exchange) == Verdict("equal")


@pytest.mark.parametrize("name", PATHS)
def test_the_question_says_what_makes_a_prompt_and_nothing_else(name: str) -> None:
    dialect = load(name)
    assert dialect.encode_count_request is not None
    assert dialect.decode_count_request is not None
    target = Target(provider="p", issuer="p", model="m-1")
    encoded = dialect.encode_count_request(REQUEST, target)
    assert encoded.path == PATHS[name]
    said = str(encoded.body)
    assert "max" not in said or name == "gemini"  # Gemini's configuration is a part of what it counts
    assert "weather" in said
    assert "Be brief." in said
    again = dialect.decode_count_request(encoded.body, target, encoded.path)
    assert again.model == "m-1"
    assert [message.content for message in again.messages] == ["Be brief.", "Hi"]
    assert [tool.name for tool in again.tools if isinstance(tool, ToolDefinition)] == ["weather"]


@pytest.mark.parametrize("name", PATHS)
def test_an_answer_survives(name: str) -> None:
    dialect = load(name)
    assert dialect.encode_count_response is not None
    assert dialect.decode_count_response is not None
    target = Target(provider="p", issuer="p", model="m-1")
    assert dialect.decode_count_response(dialect.encode_count_response(321, target).body, target) == 321


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("body", [{}, [], {"input_tokens": -1, "inputTokens": -1, "totalTokens": -1}])
def test_an_answer_without_a_count_is_a_violation(name: str, body: Any) -> None:
    dialect = load(name)
    assert dialect.decode_count_response is not None
    with pytest.raises(ProtocolViolation):
        dialect.decode_count_response(body, Target())


@pytest.mark.parametrize("name", PATHS)
def test_a_bad_question_names_the_member(name: str) -> None:
    dialect = load(name)
    assert dialect.decode_count_request is not None
    wrong: dict[str, Any] = {"model": "m-1", "messages": 7, "input": 7, "contents": 7}
    with pytest.raises(InvalidRequest) as caught:
        dialect.decode_count_request(wrong, Target(model="m-1"), PATHS[name])
    assert caught.value.path


def test_gemini_wraps_a_request_with_more_than_contents_where_the_host_wants_it() -> None:
    dialect = load("gemini")
    assert dialect.encode_count_request is not None
    wrapped = dialect.encode_count_request(REQUEST, Target(model="m-1")).body
    assert wrapped.keys() == {"generateContentRequest"}
    assert wrapped["generateContentRequest"]["model"] == "models/m-1"
    quirks = Quirks(gemini=GeminiQuirks(count_wrapped=False))
    plain = dialect.encode_count_request(REQUEST, Target(model="m-1", quirks=quirks)).body
    assert {"contents", "systemInstruction", "tools"} <= plain.keys()
    bare = dialect.encode_count_request(Request(model="m-1", messages=(user("Hi"),)), Target(model="m-1")).body
    assert bare.keys() == {"contents"}


def test_dialects_that_have_no_question_say_so() -> None:
    for name in ("openai-chat", "cohere", "ollama"):
        assert load(name).encode_count_request is None
