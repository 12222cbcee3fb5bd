"""Token counts: the provider is asked where it counts, and the prompt is estimated where it does not."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import anthropic
import pytest

from dragoman.testing import FakeProvider
from tests.gateway.object_service import ask
from tests.gateway.running import KEY, RunningGateway, running_gateway

CONFIG = """
providers:
  counting: {{like: anthropic, base_url: "{anthropic}", api_key: "fake-key-1"}}
  near-google: {{like: gemini, base_url: "{gemini}", api_key: "fake-key-1"}}
  silent: {{dialect: openai-chat, base_url: "{chat}", api_key: "fake-key-1"}}
models:
  counted: [counting/fake-model]
  googled: [near-google/fake-model]
  guessed: [silent/fake-model]
keys:
  - {{name: ci, key: {key}}}
"""
PROMPT: list[Any] = [{"role": "user", "content": "How many tokens is this?"}]


@pytest.fixture(scope="module")
def fake() -> Generator[FakeProvider]:
    with FakeProvider() as found:
        yield found


@pytest.fixture(scope="module")
def front(fake: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    text = CONFIG.format(
        anthropic=fake.base_url("anthropic"), gemini=fake.base_url("gemini"), chat=fake.base_url("openai-chat"), key=KEY
    )
    with running_gateway(text, tmp_path_factory.mktemp("front")) as found:
        yield found


@pytest.mark.parametrize("model", ["counted", "googled", "guessed"])
def test_the_official_client_gets_a_count(front: RunningGateway, model: str) -> None:
    with anthropic.Anthropic(base_url=front.url, api_key=KEY, max_retries=0) as client:
        assert client.messages.count_tokens(model=model, messages=PROMPT).input_tokens > 3


def test_the_provider_is_asked_and_the_question_booked(front: RunningGateway, fake: FakeProvider) -> None:
    before = len(fake.requests)
    answer = ask(front.url, "POST", "/v1/messages/count_tokens", KEY, {"model": "counted", "messages": PROMPT})
    assert answer.headers["x-dragoman-count-basis"] == "provider"
    (seen,) = fake.requests[before:]
    assert seen.path.endswith("/messages/count_tokens")
    told = ask(front.url, "GET", f"/v1/requests/{answer.headers['x-dragoman-request-id']}", KEY).json
    assert [(each["outcome"], each["cost"]) for each in told["attempts"]] == [("ok", "0")]


def test_an_estimate_asks_nobody(front: RunningGateway, fake: FakeProvider) -> None:
    before = len(fake.requests)
    answer = ask(front.url, "POST", "/v1/messages/count_tokens", KEY, {"model": "guessed", "messages": PROMPT})
    assert (answer.headers["x-dragoman-count-basis"], answer.json.keys()) == ("estimated", {"input_tokens"})
    assert len(fake.requests) == before


def test_a_client_of_gemini_counts_across_dialects(front: RunningGateway) -> None:
    contents = [{"role": "user", "parts": [{"text": "How many tokens is this?"}]}]
    for body in ({"contents": contents}, {"generateContentRequest": {"model": "models/counted", "contents": contents}}):
        answer = ask(front.url, "POST", "/v1beta/models/counted:countTokens", KEY, body)
        assert answer.json["totalTokens"] > 3


def test_a_client_of_responses_counts_across_dialects(front: RunningGateway) -> None:
    answer = ask(front.url, "POST", "/v1/responses/input_tokens", KEY, {"model": "counted", "input": "How many?"})
    assert answer.json["object"] == "response.input_tokens"


def test_a_body_that_is_wrong_is_refused_by_name(front: RunningGateway) -> None:
    answer = ask(front.url, "POST", "/v1/messages/count_tokens", KEY, {"model": "counted", "messages": 7})
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert "messages" in answer.json["error"]["message"]
