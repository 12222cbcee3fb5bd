"""The face over the real llama.cpp server: the same code through all three of its endpoints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pytest

import dragoman
from dragoman import ToolDefinition, fallback
from dragoman.transport import AiohttpTransport, HttpTransport
from dragoman.values import Event, Request, ToolResult
from examples.tiny_model import ONE_TOOL_CALL

if TYPE_CHECKING:
    from dragoman import ChatModel
    from dragoman.routing.route import Attempting

DIALECTS = ("openai-chat", "openai-responses", "anthropic")


def model_of(address: str, dialect: str, **options: Any) -> ChatModel:
    return dragoman.ProviderRegistry.get_provider(
        "llama_cpp", model="tiny", base_url=address, dialect=dialect, **options
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_has_text_usage_and_a_finish(llama_server: str, dialect: str) -> None:
    response = model_of(llama_server, dialect).chat("Say something", max_tokens=24)
    assert response.dialect == dialect
    assert response.content
    assert response.finish_reason in ("stop", "length")
    assert response.usage.input_tokens
    assert response.usage.output_tokens
    assert response.attempts[0].outcome == "ok"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tools", [(), (ToolDefinition(name="weather", input_schema={"type": "object"}),)])
def test_a_prompt_is_counted_as_its_answer_reports_it(
    llama_server: str, dialect: str, tools: tuple[ToolDefinition, ...]
) -> None:
    model = model_of(llama_server, dialect)
    count = model.count_tokens("Say something", tools=tools)
    answer = model.chat("Say something", tools=tools, max_tokens=1)
    assert count.basis == "provider"
    assert count.tokens == answer.usage.input_tokens


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_adds_up_to_its_answer_sync_and_async(llama_server: str, dialect: str) -> None:
    model = model_of(llama_server, dialect)
    with model.stream("Say something", max_tokens=24) as stream:
        text = "".join(chunk.delta for chunk in stream)
    assert text
    assert stream.response.content == text
    assert stream.response.usage.output_tokens

    async def there() -> tuple[str, dragoman.Response]:
        async with model.astream("Say something", max_tokens=24) as stream:
            text = "".join([chunk.delta async for chunk in stream])
        return text, stream.response

    text, response = asyncio.run(there())
    assert response.content == text


def test_the_chat_endpoint_returns_what_a_schema_asks_for(llama_server: str) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": False,
    }
    response = model_of(llama_server, "openai-chat").chat(
        "Name a city",
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}},
        max_tokens=400,
    )
    answer = json.loads(response.content)
    assert set(answer) == {"city", "large"}
    assert isinstance(answer["large"], bool)


@pytest.mark.parametrize("dialect", DIALECTS[:2])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_with_arguments_of_its_schema(llama_server: str, dialect: str, streamed: bool) -> None:
    tool = ToolDefinition(
        name="weather",
        description="The weather of a city.",
        input_schema={
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 8}},
            "required": ["city"],
        },
    )
    model = model_of(llama_server, dialect).bind_tools([tool])
    options: dict[str, Any] = {"max_tokens": 400, "extra_body": {"logit_bias": ONE_TOOL_CALL}}
    response: dragoman.Response
    if streamed:
        stream: dragoman.ChatStream = model.stream("Weather?", **options)
        list(stream)
        response = stream.response
    else:
        response = model.chat("Weather?", **options)
    (call,) = response.tool_calls
    assert call.name == "weather"
    assert isinstance(call.arguments["city"], str)
    assert call.arguments_text == call.arguments_text.strip()
    follow_up = model.chat([dragoman.user("Weather?"), response, dragoman.tool_result(call, "Sunny.")], max_tokens=8)
    assert follow_up.finish_reason in ("stop", "length", "tool_calls")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_leaving_a_stream_early_stops_the_server(llama_server: str, dialect: str) -> None:
    async def there() -> None:
        transport = HttpTransport()
        model = model_of(llama_server, dialect, transport=transport)
        async with model.astream("Go on and on", max_tokens=2000) as stream:
            async for chunk in stream:
                if chunk.delta:
                    break
        counts = transport.statistics()
        # The answer may have been complete by then: its connection rests, and serves again.
        assert counts.in_use == counts.connecting == counts.waiting == 0
        await transport.aclose()

    asyncio.run(there())


def test_the_aiohttp_adapter_is_one_setting_away(llama_server: str) -> None:
    async def there() -> dragoman.Response:
        async with AiohttpTransport() as transport:
            return await model_of(llama_server, "openai-chat", transport=transport).achat("Hi", max_tokens=4)

    assert asyncio.run(there()).content


def test_a_dead_server_is_stood_in_for(llama_server: str) -> None:
    dead = model_of("http://127.0.0.1:9", "openai-chat", max_retries=0)
    response = fallback(dead, model_of(llama_server, "anthropic")).chat("Hi", max_tokens=4)
    assert response.dialect == "anthropic"
    assert [attempt.error for attempt in response.attempts] == ["ConnectFailed", None]


def test_a_wrong_request_says_what_the_server_says(llama_server: str) -> None:
    with pytest.raises(dragoman.ProviderError) as caught:
        model_of(llama_server, "openai-chat").chat("Hi", extra_body={"messages": 7})
    assert caught.value.status == 400 or isinstance(caught.value, dragoman.ServerFault)
    assert caught.value.provider == "llama_cpp"


class Town(msgspec.Struct):
    """A town."""

    name: Annotated[str, msgspec.Meta(max_length=12)]
    large: bool
    bridges: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = None


def test_a_typed_answer_comes_from_the_chat_endpoint_whole_and_streamed(llama_server: str) -> None:
    model = model_of(llama_server, "openai-chat")
    answer = model.chat("Name a town", output=Town, max_tokens=400)
    assert isinstance(answer.parsed, Town)
    assert answer.output_mode == "native"
    with model.stream("Name a town", output=Town, max_tokens=400) as stream:
        partial = [chunk.partial for chunk in stream]
    assert isinstance(stream.response.parsed, Town)
    assert msgspec.convert(partial[-1], Town) == stream.response.parsed


def test_a_list_comes_out_of_the_object_that_it_travelled_in(llama_server: str) -> None:
    kind = list[Literal["ferry", "bridge"]]
    answer = model_of(llama_server, "openai-chat").chat("Name some", output=kind, max_tokens=2000, seed=7)
    assert set(answer.parsed) <= {"ferry", "bridge"}


def test_a_forced_tool_is_the_answer(llama_server: str) -> None:
    """The model's noise has to be told to call; the server's grammar then holds the arguments to the schema."""
    answer = model_of(llama_server, "openai-chat").chat(
        "Name a town",
        output=Town,
        output_mode="tool",
        max_tokens=400,
        extra_body={"logit_bias": ONE_TOOL_CALL},
        output_retries=0,
    )
    assert isinstance(answer.parsed, Town)
    assert answer.output_mode == "tool"
    assert answer.finish_reason == "stop"
    assert not answer.tool_calls


def test_the_tool_loop_runs_what_the_model_calls(llama_server: str) -> None:
    asked: list[str] = []

    def weather(city: Annotated[str, msgspec.Meta(max_length=8)]) -> str:
        """The weather of a city."""
        asked.append(city)
        return "Sunny."

    async def one_call(request: Request, next: Attempting) -> AsyncIterator[Event]:
        """Makes the model call a tool in the first round, and answer in the second."""
        first = not any(isinstance(part, ToolResult) for message in request.messages for part in message.parts)
        body = {"logit_bias": ONE_TOOL_CALL} if first else {"max_tokens": 8}
        async for event in next(msgspec.structs.replace(request, extra_body=body)):
            yield event

    model = dragoman.wrap(model_of(llama_server, "openai-chat"), one_call).bind_tools([weather])
    run = model.run_tools("Weather?", max_tokens=400)
    assert len(asked) == 1
    assert run.rounds == 2
    assert not run.failures
    assert [message.role for message in run.messages] == ["user", "assistant", "tool", "assistant"]
