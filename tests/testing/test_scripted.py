"""Scripted models: replies of every shape, through the whole face, in every dialect."""

from __future__ import annotations

import asyncio

import pytest

import dragoman
from dragoman import Message, Response, ToolDefinition, fallback, tool_result, user, wrap
from dragoman.testing import ScriptedModel, call, echo
from dragoman.testing.scripted import ScriptedTransport
from dragoman.values import Choice, Finish, Finished, PartEnded, PartStarted, Reasoning, Text, TextDelta
from tests.face.test_middleware import shout
from tests.testing.spoken import DIALECTS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_replies_come_in_order_through_every_verb(dialect: str) -> None:
    model = ScriptedModel(["one", "two", "three", "four"], dialect=dialect)
    assert model.chat("a").content == "one"
    assert asyncio.run(model.achat("b")).content == "two"
    with model.stream("c") as stream:
        assert "".join(chunk.delta for chunk in stream) == "three"

    async def there() -> str:
        async with model.astream("d") as stream:
            return "".join([chunk.delta async for chunk in stream])

    assert asyncio.run(there()) == "four"
    assert [request.messages[-1].content for request in model.calls] == ["a", "b", "c", "d"]
    with pytest.raises(dragoman.ConfigError, match="4 replies, and this is request 5"):
        model.chat("e")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tool_calls_and_what_was_sent_after_them(dialect: str) -> None:
    model = ScriptedModel([["Let me look.", call("weather", {"city": "İzmir"})], "It rains."], dialect=dialect)
    tooled = model.bind_tools([ToolDefinition(name="weather", input_schema={"type": "object"})])
    asked = tooled.chat("Weather?")
    (wanted,) = asked.tool_calls
    assert (wanted.name, wanted.arguments, asked.finish_reason) == ("weather", {"city": "İzmir"}, "tool_calls")
    assert tooled.chat([user("Weather?"), asked, tool_result(wanted, "rain")]).content == "It rains."
    assert len(model.calls) == len(tooled.calls) == 2
    assert [tool.name for tool in tooled.bound_tools if isinstance(tool, ToolDefinition)] == ["weather"]
    assert model.bound_tools == ()


def test_errors_are_raised_as_a_providers_and_retried_only_if_asked() -> None:
    model = ScriptedModel([dragoman.RateLimited("slow", retry_after=0.0), "well"])
    with pytest.raises(dragoman.RateLimited) as caught:
        model.chat("Hi")
    assert caught.value.provider == "scripted"
    assert model.chat("Hi").content == "well"
    again = ScriptedModel([dragoman.RateLimited("slow", retry_after=0.0), "well"], max_retries=1)
    answer = again.chat("Hi")
    assert [attempt.outcome for attempt in answer.attempts] == ["error", "ok"]
    with pytest.raises(dragoman.ConnectFailed, match="no route"):
        ScriptedModel([dragoman.ConnectFailed("no route")]).chat("Hi")


def test_whole_answers_messages_parts_and_functions() -> None:
    given = Response(
        id="given",
        choices=(Choice(message=Message("assistant", "short"), finish=Finish(reason="length")),),
        usage=dragoman.Usage(input_tokens=1, output_tokens=2),
    )
    model = ScriptedModel(
        [
            given,
            Message("assistant", ["a ", "message"]),
            [Reasoning(text="hm"), "so"],
            lambda request: f"seed {request.seed}",
        ]
    )
    answer = model.chat("Hi")
    assert (answer.id, answer.finish_reason, answer.usage.output_tokens) == ("given", "length", 2)
    assert model.chat("Hi").content == "a message"
    assert model.chat("Hi").content == "so"
    assert model.chat("Hi", seed=7).content == "seed 7"


def test_events_are_streamed_as_scripted_and_may_end_in_an_error() -> None:
    whole = Text(text="ab")
    finish = Response(choices=(Choice(message=Message("assistant", whole), finish=Finish(reason="stop")),))
    steps = [PartStarted(0, Text(text="")), TextDelta(0, "a"), TextDelta(0, "b"), PartEnded(0, whole)]
    model = ScriptedModel(
        [
            [*steps, Finished(finish)],
            [*steps[:2], dragoman.Overloaded("full")],
            [*steps[:2], dragoman.ConnectionLost("gone")],
            steps[:2],
        ]
    )
    with model.stream("Hi") as stream:
        assert [chunk.delta for chunk in stream if chunk.delta] == ["a", "b"]
    for kind in (dragoman.Overloaded, dragoman.ConnectionLost, dragoman.StreamTruncated):
        with pytest.raises(kind) as caught:
            list(model.stream("Hi"))
        assert caught.value.partial.content == "a"


def test_copies_and_combinations() -> None:
    model = ScriptedModel(["one", "two"])
    loud = model.with_options(seed=3).layered(shout)
    assert loud.chat("Hi").id == "shouted"
    assert loud.calls[0].seed == 3
    assert isinstance(wrap(model, shout), ScriptedModel)
    failing = ScriptedModel([dragoman.ServerFault("no")])
    assert fallback(failing, model).chat("Hi").content == "two"
    assert len(failing.calls) == 1


def test_a_function_answers_every_request_and_echo_says_it_again() -> None:
    model = ScriptedModel(lambda request: str(len(request.messages)))
    assert model.chat("Hi").content == "1"
    assert model.chat([user("a"), user("b")]).content == "2"
    assert echo().chat("Merhaba 👋").content == "Merhaba 👋"
    assert echo(dialect="gemini").chat([user("a"), Message("assistant", "x"), user("b")]).content == "b"


def test_a_reply_that_is_none_is_told_so() -> None:
    with pytest.raises(dragoman.ConfigError, match="a list of replies"):
        ScriptedModel("Hello.")
    with pytest.raises(dragoman.ConfigError, match="a reply is"):
        ScriptedModel([3]).chat("Hi")  # pyright: ignore[reportArgumentType]


def test_nothing_stays_open() -> None:
    model = ScriptedModel(["one two three"])
    with model.stream("Hi") as stream:
        next(iter(stream))
    transport = model.route.candidates[0].deployment.transport
    assert isinstance(transport, ScriptedTransport)
    assert transport.open_streams == 0
