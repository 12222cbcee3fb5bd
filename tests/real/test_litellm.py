"""The face over the real LiteLLM proxy, as the `litellm` provider."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import pytest

import dragoman
from dragoman.providers import litellm
from tests.servers.litellm_proxy import MOCK_TEXT, MOCK_TOOL_CALL

if TYPE_CHECKING:
    from tests.servers.litellm_proxy import Proxy


def test_it_answers_without_a_key(litellm_proxy: Proxy) -> None:
    response = litellm.new(model="mock-text", base_url=litellm_proxy.address).chat("Who are you?")
    assert response.content == MOCK_TEXT
    assert response.provider == "litellm"
    assert response.usage.output_tokens


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_it_answers_in_each_of_its_dialects(litellm_proxy: Proxy, dialect: str) -> None:
    model = litellm.new(model="mock-text", base_url=litellm_proxy.address, dialect=dialect)
    assert model.chat("Who are you?").content


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic"])
def test_it_streams(litellm_proxy: Proxy, dialect: str) -> None:
    model = litellm.new(model="mock-text", base_url=litellm_proxy.address, dialect=dialect)
    with model.stream("Who are you?") as stream:
        text = "".join(chunk.delta for chunk in stream)
    assert text == stream.response.content
    assert text


def test_a_stream_that_it_cannot_begin_is_an_error_of_its_own(litellm_proxy: Proxy) -> None:
    """Its mock models have no Responses stream: it answers 500, in the frames of a stream."""
    model = litellm.new(model="mock-text", base_url=litellm_proxy.address, dialect="openai-responses", max_retries=0)
    with pytest.raises(dragoman.ServerFault, match="Error processing stream start") as caught:
        list(model.stream("Who are you?"))
    assert caught.value.status == 500


def test_its_tool_calls_arrive(litellm_proxy: Proxy) -> None:
    model = litellm.new(model="mock-tools", base_url=litellm_proxy.address, dialect="openai-chat")
    tool = dragoman.ToolDefinition(name="calculator", input_schema={"type": "object"})
    (call,) = model.bind_tools([tool]).chat("6 * 7?", tool_choice="required").tool_calls
    assert call.id == MOCK_TOOL_CALL["id"]
    assert (call.name, call.arguments) == ("calculator", {"expression": "6 * 7"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mock-rate-limit", dragoman.RateLimited),
        ("mock-server-error", dragoman.ServerFault),
        ("mock-context-window", dragoman.ContextOverflow),
    ],
)
def test_its_errors_have_the_right_class(litellm_proxy: Proxy, name: str, kind: type[dragoman.ProviderError]) -> None:
    model = litellm.new(model=name, base_url=litellm_proxy.address, dialect="openai-chat", max_retries=0)
    with pytest.raises(kind) as caught:
        model.chat("Hi")
    assert caught.value.provider == "litellm"
    assert caught.value.status is not None


def test_the_key_it_demands_goes_by_argument_and_a_withheld_one_is_told(
    litellm_proxy_with_key: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, key = litellm_proxy_with_key.address, litellm_proxy_with_key.key
    assert key is not None
    assert litellm.new(model="mock-text", base_url=address, api_key=key).chat("Hi").content == MOCK_TEXT
    monkeypatch.setenv("LITELLM_API_KEY", key)
    with pytest.raises(dragoman.AuthenticationFailed, match="LITELLM_API_KEY") as caught:
        litellm.new(model="mock-text", base_url=address).chat("Hi")
    assert key not in str(caught.value)


@pytest.mark.parametrize("face", ["sync", "async"])
def test_the_tool_loop_runs_its_calls_up_to_the_bound(litellm_proxy: Proxy, face: str) -> None:
    """Its mock model calls in every round, so the loop ends at its bound, with the conversation so far."""
    asked: list[str] = []

    def calculator(expression: str) -> int:
        """Calculates."""
        asked.append(expression)
        return 42

    model = litellm.new(model="mock-tools", base_url=litellm_proxy.address, dialect="openai-chat")
    bound = model.bind_tools([calculator])

    def run() -> None:
        if face == "sync":
            bound.run_tools("6 * 7?", max_rounds=2)
        else:
            asyncio.run(bound.arun_tools("6 * 7?", max_rounds=2))

    with pytest.raises(dragoman.TooManyRounds) as caught:
        run()
    assert asked == ["6 * 7"]
    assert [message.role for message in caught.value.messages] == ["user", "assistant", "tool", "assistant"]
    assert len(caught.value.attempts) == 2


def test_a_forced_tool_comes_back_as_the_typed_answer(litellm_proxy: Proxy) -> None:
    @dataclasses.dataclass
    class calculator:  # the name that the proxy's mock calls
        expression: str

    model = litellm.new(model="mock-tools", base_url=litellm_proxy.address, dialect="openai-chat")
    answer = model.chat("6 * 7?", output=calculator, output_mode="tool")
    assert answer.parsed.expression == "6 * 7"
    assert (answer.output_mode, answer.finish_reason, answer.tool_calls) == ("tool", "stop", ())
