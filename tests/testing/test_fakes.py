"""Fake providers: answers, tools, streams and vectors in every dialect, over real HTTP, with a log."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request

import pytest

import dragoman
from dragoman import ToolDefinition, dialects, tool_result, user
from dragoman.testing import FakeProvider, call
from dragoman.testing.wires import WIRES
from dragoman.values import EmbeddingRequest, Request
from tests.testing.spoken import DIALECTS, EMBEDDING_DIALECTS
from tests.wire.laws import check_events

WEATHER = ToolDefinition(
    name="weather",
    description="The weather in a city.",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CLOCK = ToolDefinition(name="clock", input_schema={"type": "object", "properties": {}})


def test_every_dialect_has_its_wire() -> None:
    assert set(dialects.names()) <= set(WIRES)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_obeys_and_counts(dialect: str) -> None:
    with FakeProvider() as fake:
        answer = fake.model(dialect).chat("Say: good morning to all", max_tokens=100)
        assert answer.content == "good morning to all"
        assert answer.finish_reason == "stop"
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 4)
        assert answer.dialect == dialect
        (seen,) = fake.requests
        assert (seen.dialect, seen.model, seen.key, seen.streamed) == (dialect, "fake-model", seen.key, False)
        assert isinstance(seen.request, Request)
        assert seen.request.messages[-1].content == "Say: good morning to all"
        assert (seen.status, seen.ended) == (200, "whole")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_stops_where_it_is_told_to(dialect: str) -> None:
    with FakeProvider() as fake:
        words = " ".join(str(number) for number in range(40))
        cut = fake.model(dialect).chat(f"Say: {words}", max_tokens=16)
        assert cut.finish_reason == "length"
        assert cut.content == " ".join(str(number) for number in range(16))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_streams_are_lawful_and_equal_the_whole_answer(dialect: str) -> None:
    with FakeProvider() as fake:
        model = fake.model(dialect).bind_tools([WEATHER, CLOCK])
        for question in ("Say: one two three", 'Call weather {"city": "Zürich 🌉"} and clock'):
            with model.stream(question, tool_choice="none" if question.startswith("Say") else "auto") as stream:
                finished = check_events([chunk.event for chunk in stream])
            assert finished is not None
            whole = model.chat(question, tool_choice="none" if question.startswith("Say") else "auto")
            assert finished.content == whole.content
            assert [(one.name, one.arguments) for one in finished.tool_calls] == [
                (one.name, one.arguments) for one in whole.tool_calls
            ]
            assert finished.usage.output_tokens == whole.usage.output_tokens
        assert [seen.streamed for seen in fake.requests] == [True, False, True, False]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_round_of_tools(dialect: str) -> None:
    with FakeProvider() as fake:
        model = fake.model(dialect).bind_tools([WEATHER, CLOCK])
        question = user('Call weather {"city": "Zürich 🌉"} and clock')
        asked = model.chat([question])
        first, second = asked.tool_calls
        assert (first.name, first.arguments) == ("weather", {"city": "Zürich 🌉"})
        assert (second.name, second.arguments) == ("clock", {})
        assert first.id != second.id
        answer = model.chat([question, asked, tool_result(first, "rain"), tool_result(second, "noon")])
        assert answer.content == "The tool said: rain The tool said: noon"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_in_the_form_of_a_schema(dialect: str) -> None:
    schema = {"type": "object", "properties": {"bridges": {"type": "integer"}}, "required": ["bridges"]}
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    with FakeProvider() as fake:
        assert fake.model(dialect).chat("How many bridges?", response_format=form).content == '{"bridges":1}'


@pytest.mark.parametrize("dialect", EMBEDDING_DIALECTS)
def test_vectors(dialect: str) -> None:
    with FakeProvider() as fake:
        answer = fake.model(dialect).embed(["one", "two words"], dimensions=5)
        assert [len(vector) for vector in answer.vectors] == [5, 5]
        assert answer.vectors[0] != answer.vectors[1]
        assert isinstance(fake.requests[0].request, EmbeddingRequest)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if WIRES[name].key_headers])
def test_keys_and_models_that_it_does_not_know_are_refused(dialect: str) -> None:
    with FakeProvider(key="right", models=["here"]) as fake:
        assert fake.model(dialect, "here").chat("Hi").content
        with pytest.raises(dragoman.AuthenticationFailed):
            fake.model(dialect, "here", api_key="wrong").chat("Hi")
        with pytest.raises(dragoman.AuthenticationFailed):
            fake.model(dialect, "here", api_key="none").chat("Hi")
        with pytest.raises(dragoman.NotFound):
            fake.model(dialect, "elsewhere").chat("Hi")
        assert [seen.status // 100 for seen in fake.requests] == [2, 4, 4, 4]


def test_replies_come_first_and_a_function_may_answer_after_them() -> None:
    with FakeProvider("first", [call("clock")], say=lambda request: f"then {request.max_tokens}") as fake:
        model = fake.model()
        assert model.chat("Hi").content == "first"
        assert [one.name for one in model.chat("Hi").tool_calls] == ["clock"]
        assert model.chat("Hi", max_tokens=3).content == "then 3"
        fake.reply(dragoman.ContextOverflow("far too long"))
        with pytest.raises(dragoman.ContextOverflow, match="far too long"):
            model.chat("Hi")


def test_one_server_plays_any_provider_by_any_path() -> None:
    with FakeProvider() as fake:
        model = dragoman.get_model("groq/llama", base_url=f"{fake.url}/groq/openai/v1", api_key="k")
        assert model.chat("Say: hi").content == "hi"
        assert fake.requests[-1].path == "/groq/openai/v1/chat/completions"
        assert fake.requests[-1].key == "k"


def test_other_clients_are_answered_too() -> None:
    with FakeProvider() as fake:
        request = urllib.request.Request(
            f"{fake.url}/v1/chat/completions",
            data=b'{"model": "m", "messages": [{"role": "user", "content": "Say: hi"}]}',
            headers={"content-type": "application/json", "authorization": "Bearer k"},
        )
        with urllib.request.urlopen(request) as answer:
            assert b'"content":"hi"' in answer.read()
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{fake.url}/v1/elsewhere")
        assert caught.value.code == 404
        caught.value.close()


def test_waiting_on_the_log() -> None:
    with FakeProvider() as fake:
        thread = threading.Thread(target=lambda: fake.model().chat("Hi"))
        thread.start()
        fake.wait_for(lambda: len(fake.requests) == 1 and fake.requests[0].ended == "whole")
        thread.join()
        with pytest.raises(TimeoutError, match="still not so"):
            fake.wait_for(lambda: len(fake.requests) == 2, seconds=0.01)


def test_many_calls_at_once() -> None:
    async def there(model: dragoman.ChatModel) -> set[str]:
        async with model:
            answers = await asyncio.gather(*(model.achat(f"Say: {number}") for number in range(40)))
        return {answer.content for answer in answers}

    with FakeProvider() as fake:
        assert asyncio.run(there(fake.model())) == {str(number) for number in range(40)}
        assert sorted(seen.number for seen in fake.requests) == list(range(1, 41))
