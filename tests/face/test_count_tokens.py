"""`count_tokens`: the provider is asked where it counts, and the prompt is estimated where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dragoman import facts
from dragoman.errors import AuthenticationFailed, ServerFault
from dragoman.testing import FakeProvider, Status
from dragoman.values import ToolDefinition, system, user

COUNTING = ("openai-responses", "anthropic", "gemini", "bedrock")
MESSAGES = [system("Be brief."), user("one two three")]
TOOL = ToolDefinition(name="weather", description="Tells the weather", input_schema={"type": "object"})


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_learned() -> Iterator[None]:
    facts.forget_observations()
    yield
    facts.forget_observations()


@pytest.mark.parametrize("dialect", COUNTING)
def test_the_provider_is_asked(fake: FakeProvider, dialect: str) -> None:
    count = fake.model(dialect).count_tokens(MESSAGES)
    assert (count.tokens, count.basis) == (5, "provider")  # fakes count words
    assert len(fake.requests) == 1
    assert fake.requests[0].request is not None


@pytest.mark.parametrize("dialect", COUNTING)
def test_asynchronously_too(fake: FakeProvider, dialect: str) -> None:
    async def ask() -> int:
        async with fake.model(dialect) as model:
            return (await model.acount_tokens(MESSAGES)).tokens

    assert asyncio.run(ask()) == 5


def test_options_and_bound_tools_count(fake: FakeProvider) -> None:
    model = fake.model("anthropic")
    assert model.bind_tools([TOOL]).count_tokens("one").tokens > model.count_tokens("one").tokens
    assert model.count_tokens("one", tools=[TOOL]).tokens > model.count_tokens("one").tokens
    assert "max_tokens" not in fake.requests[0].body


@pytest.mark.parametrize("dialect", ["openai-chat", "cohere", "ollama"])
def test_without_an_endpoint_it_is_an_estimate_and_nobody_is_asked(fake: FakeProvider, dialect: str) -> None:
    count = fake.model(dialect).count_tokens(MESSAGES)
    assert count.basis == "estimated"
    assert 3 <= count.tokens <= 40
    assert count.reason is not None
    assert fake.requests == []


@pytest.mark.parametrize("status", [404, 400])
def test_a_model_that_is_not_counted_is_estimated_with_the_providers_reason(fake: FakeProvider, status: int) -> None:
    fake.fail(Status(status))
    count = fake.model("anthropic").count_tokens(MESSAGES)
    assert count.basis == "estimated"
    assert count.reason
    assert len(fake.requests) == 1


def test_other_errors_are_told_and_those_that_pass_are_asked_again(fake: FakeProvider) -> None:
    fake.fail(Status(401))
    with pytest.raises(AuthenticationFailed):
        fake.model("anthropic").count_tokens(MESSAGES)
    fake.fail(Status(500), Status(500))
    with pytest.raises(ServerFault):
        fake.model("anthropic", max_retries=1).count_tokens(MESSAGES)
    assert len(fake.requests) == 3
    fake.fail(Status(503, retry_after=0.01))
    assert fake.model("anthropic").count_tokens(MESSAGES).tokens == 5


def test_estimates_learn_from_the_answers_of_calls(fake: FakeProvider) -> None:
    model = fake.model("openai-chat")
    before = model.count_tokens("one two three four five six seven eight")
    for _ in range(25):
        model.chat("one two three four five six seven eight")
        with model.stream("one two three") as stream:
            for _ in stream:
                pass
    after = model.count_tokens("one two three four five six seven eight")
    assert (before.observations, after.observations) == (0, 32)  # what waits to be looked at is bounded
    assert before.tokens > 10
    assert after.tokens == 8  # fakes count words
