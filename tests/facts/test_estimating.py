"""Estimates: what they say before and after a model was seen, and what they may cost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from statistics import median

import pytest

from dragoman import facts
from dragoman.facts import estimating
from dragoman.facts.estimating import learned
from dragoman.facts.regression import Regression
from dragoman.facts.text_tokens import text_tokens
from dragoman.values import Media, Opaque, Request, ToolDefinition, Usage, assistant, replace, user

WORDS = "when a channel is closed every receiver sees the zero value at once and no sender may send again".split()


@pytest.fixture(autouse=True)
def nothing_learned() -> Iterator[None]:
    facts.forget_observations()
    yield
    facts.forget_observations()


def _request(dice: random.Random) -> Request:
    def said() -> str:
        return " ".join(dice.choices(WORDS, k=dice.randint(3, 200)))

    turns = [user(said())]
    for _ in range(dice.randint(0, 3)):
        turns += [assistant(said()), user(said())]
    tools = tuple(
        ToolDefinition(name=f"tool_{number}", description=said()[:60], input_schema={"type": "object"})
        for number in range(dice.choice([0, 0, 1, 4]))
    )
    return Request(model="new-1", messages=tuple(turns), tools=tools)


def _truth(request: Request, dice: random.Random) -> int:
    """A model of its own kind: a third more tokens to a text, heavy tools, long templates."""
    texts = sum(text_tokens(message.content) for message in request.messages)
    tools = sum(
        text_tokens(f"{tool.name} {tool.description}") for tool in request.tools if isinstance(tool, ToolDefinition)
    )
    tokens = 1.33 * texts + 0.5 * tools + 9 * len(request.messages) + (230 + 14 * len(request.tools) if tools else 0)
    return round(tokens * dice.uniform(0.97, 1.03))


def test_twenty_prompts_teach_a_model_nobody_knew() -> None:
    dice = random.Random(7)
    for _ in range(20):
        request = _request(dice)
        facts.observe("somebody", "new-1", Usage(input_tokens=_truth(request, dice)), request=request)
        facts.estimate_tokens(request, "somebody", "new-1")
    errors: list[float] = []
    for _ in range(60):
        request = _request(dice)
        truth = _truth(request, dice)
        estimate = facts.estimate_tokens(request, "somebody", "new-1")
        assert (estimate.basis, estimate.observations) == ("learned", 20)
        errors.append(abs(estimate.tokens / truth - 1))
    assert median(errors) <= 0.05


def test_a_wild_report_moves_little() -> None:
    dice = random.Random(8)
    probe = _request(dice)
    for _ in range(30):
        request = _request(dice)
        facts.observe("somebody", "new-1", Usage(input_tokens=_truth(request, dice)), request=request)
    before = facts.estimate_tokens(probe, "somebody", "new-1").tokens
    facts.observe("somebody", "new-1", Usage(input_tokens=400_000), request=_request(dice))
    after = facts.estimate_tokens(probe, "somebody", "new-1").tokens
    assert after == pytest.approx(before, rel=0.5)


def test_models_and_dialects_learn_by_themselves() -> None:
    request = Request(model="m", messages=(user("one two three four"),))
    for _ in range(10):
        facts.observe("p", "m", Usage(input_tokens=50), request=request, dialect="openai-chat")
        facts.observe("p", "m", Usage(input_tokens=9), request=request, dialect="openai-responses")
    chat = facts.estimate_tokens(request, "p", "m", dialect="openai-chat")
    responses = facts.estimate_tokens(request, "p", "m", dialect="openai-responses")
    assert chat.tokens > 30
    assert responses.tokens < 15
    assert facts.estimate_tokens(request, "p", "m").tokens == responses.tokens  # the one that was spoken last
    assert facts.estimate_tokens(request, "p", "other").basis == "prior"


def test_prompts_with_contents_that_nobody_saw_teach_nothing() -> None:
    text = Request(model="m", messages=(user("one two three four"),))
    picture = replace(text, messages=(user(Media(kind="image", url="https://example.org/a.png")),))
    search = replace(text, tools=(Opaque(dialect="anthropic", kind="web_search", data={}),))
    held = replace(text, previous_response_id="resp_1")
    for request in (picture, search, held):
        facts.observe("p", "m", Usage(input_tokens=5000), request=request)
    facts.observe("p", "m", Usage(input_tokens=5000, tool_uses={"web_search": 2}), request=text)
    facts.observe("p", "m", Usage(input_tokens=0), request=text)
    facts.observe("p", "m", Usage(), request=text)
    assert facts.estimate_tokens(text, "p", "m").basis == "prior"
    assert facts.estimate_tokens(search, "p", "m").beyond


def test_the_length_of_a_body_is_learned_too() -> None:
    before = facts.estimate_bytes(10_000, "p", "m")
    assert 1000 <= before <= 4000
    for length in range(1000, 21_000, 1000):
        facts.observe("p", "m", Usage(input_tokens=length // 3, output_tokens=70), body_bytes=length)
        facts.estimate_bytes(length, "p", "m")
    assert facts.estimate_bytes(10_000, "p", "m") == pytest.approx(3333, rel=0.1)
    assert facts.estimate_bytes(1, "p", "m") >= 1


def test_an_expectation_is_the_estimate_and_the_usual_answer_within_its_cap() -> None:
    request = Request(model="m", messages=(user("one two three four"),))
    fresh = facts.expectation(request, "p", "m")
    assert fresh.observations == 0
    for _ in range(20):
        facts.observe("p", "m", Usage(input_tokens=9, output_tokens=800), request=request)
        facts.expectation(request, "p", "m")
    known = facts.expectation(request, "p", "m")
    assert (known.input_tokens, known.observations) == (9, 20)
    assert known.output_tokens == pytest.approx(800, rel=0.2)
    assert known.tokens == known.input_tokens + known.output_tokens
    assert facts.expectation(replace(request, max_tokens=100, choices=2), "p", "m").output_tokens == 200
    assert facts.expectation_of_bytes(500, "p", "m", max_tokens=100).output_tokens == 100


def test_what_is_learned_is_bounded() -> None:
    request = Request(model="m", messages=(user("one two three four"),))
    for number in range(3000):
        facts.observe("p", f"m-{number}", Usage(input_tokens=9), request=request, body_bytes=100)
        learned("p", "m-0")
    assert len(estimating._known) <= 1024  # pyright: ignore[reportPrivateUsage]
    assert len(estimating._seen) <= 1024  # pyright: ignore[reportPrivateUsage]
    assert len(estimating._last_dialect) <= 1024  # pyright: ignore[reportPrivateUsage]
    for _ in range(3000):
        facts.observe("p", "m", Usage(input_tokens=9), request=request, body_bytes=10**9)
    waiting = estimating._pending  # pyright: ignore[reportPrivateUsage]
    assert len(waiting) <= 32
    assert all(each.request is None for each in waiting)  # a long request is not kept


def test_an_estimate_is_never_less_than_a_token() -> None:
    assert facts.estimate_tokens(Request(model="m"), "p", "m").tokens >= 1
    huge = Regression((0.0,) * 9, (1.0,) * 9)
    assert huge.predict((1.0,) * 9) == 0.0
