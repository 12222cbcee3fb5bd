"""Typed output in every dialect and every mode, whole and streamed: what is asked, and what the caller gets."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from dragoman.dialects import names
from dragoman.engine.output.abilities import abilities_of
from dragoman.transport import HttpRequest
from dragoman.values import ToolCall, ToolDefinition
from tests.face.dialect_wire import PROVIDERS, asked, call, model_of, said, streamed, system_text, whole

DIALECTS = sorted(names())
MODES = ("native", "tool", "prompted")


@dataclasses.dataclass
class City:
    """A city."""

    name: str
    bridges: int | None = None
    tags: list[str] = dataclasses.field(default_factory=list[str])


ISTANBUL = City("Istanbul", 3, ["old"])
TEXT = '{"name":"Istanbul","bridges":3,"tags":["old"]}'


def test_every_dialect_is_in_the_matrix() -> None:
    assert set(DIALECTS) <= set(PROVIDERS)


def _answer(mode: str, text: str = TEXT, *, tool: str = "City") -> Any:
    if mode == "tool":
        return said(call(tool, text))
    if mode == "prompted":
        return said(f"Here it is:\n```json\n{text}\n```\nAnything else?")
    return said(text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_typed_answer_comes_in_every_mode(dialect: str, mode: Any) -> None:
    model, transport = model_of(dialect, [whole(dialect, _answer(mode))])
    answer = model.chat("Which city?", output=City, output_mode=mode)
    assert answer.parsed == ISTANBUL
    assert answer.output_mode == mode
    assert answer.finish_reason == "stop"
    assert not answer.tool_calls
    request = asked(dialect, transport.requests[0])
    tools = [tool.name for tool in request.tools if isinstance(tool, ToolDefinition)]
    if mode == "native":
        assert request.output is not None
        assert request.output.schema is not None
        assert not tools
    elif mode == "tool":
        assert tools == ["City"]
        assert request.output is None or request.output.type == "text"
    else:
        assert not tools
        assert "JSON Schema" in system_text(request)
        assert request.output is None or request.output.type == "json_object"
    emulated = [one.path for one in answer.adaptations if one.action == "emulated" and one.path == "output"]
    assert bool(emulated) == (mode != "native")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_typed_stream_shows_the_value_as_it_comes(dialect: str, mode: Any) -> None:
    model, _ = model_of(dialect, [streamed(dialect, _answer(mode))])
    seen: list[Any] = []
    with model.stream("Which city?", output=City, output_mode=mode) as stream:
        text = ""
        for chunk in stream:
            text += chunk.delta
            seen.append(chunk.partial)
    assert stream.response.parsed == ISTANBUL
    assert stream.response.content == text
    assert stream.response.output_mode == mode
    assert stream.response.finish_reason == "stop"
    assert seen[-1] == {"name": "Istanbul", "bridges": 3, "tags": ["old"]}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_no_object_travels_in_one_and_comes_out_of_it(dialect: str, mode: Any) -> None:
    """A target that takes any schema is given the list itself; the others answer with an object around it."""

    def play(request: HttpRequest) -> Any:
        wrapped = b"value" in request.body
        return whole(dialect, _answer(mode, '{"value":["a","b"]}' if wrapped else '["a","b"]', tool="answer"))

    model, transport = model_of(dialect, play)
    answer = model.chat("Which cities?", output=list[str], output_mode=mode)
    assert answer.parsed == ["a", "b"]
    assert answer.content == '["a","b"]'
    assert len(transport.requests) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_mode_is_chosen_by_what_the_target_can(dialect: str) -> None:
    model, transport = model_of(dialect, [whole(dialect, said(TEXT))])
    abilities = abilities_of(dialect, model.route.candidates[0].deployment.target.quirks)
    assert model.chat("Which city?", output=City).output_mode == ("native" if abilities.schema else "tool")
    request = asked(dialect, transport.requests[0])
    assert (request.output is not None) == abilities.schema
    assert bool(request.tools) != abilities.schema


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_beside_tools_an_answer_is_an_answer_and_a_call_is_a_call(dialect: str, mode: Any) -> None:
    model, transport = model_of(
        dialect,
        [whole(dialect, said(call("count", {"city": "Istanbul"}))), whole(dialect, _answer(mode))],
    )

    def count(city: str) -> int:
        """Counts the bridges of a city."""
        return {"Istanbul": 3}[city]

    run = model.bind_tools([count]).run_tools("Which city?", output=City, output_mode=mode)
    assert run.response.parsed == ISTANBUL
    assert run.rounds == 2
    assert not run.failures
    last = asked(dialect, transport.requests[1])
    assert [part.name for message in last.messages for part in message.parts if isinstance(part, ToolCall)] == ["count"]
    assert [one.role for one in run.messages] == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_conversation_goes_on_after_a_typed_answer(dialect: str, mode: Any) -> None:
    model, transport = model_of(dialect, [whole(dialect, _answer(mode)), whole(dialect, said("Yes."))])
    answer = model.chat("Which city?", output=City, output_mode=mode)
    model.chat([{"role": "user", "content": "Which city?"}, answer, {"role": "user", "content": "Sure?"}])
    earlier = asked(dialect, transport.requests[1]).messages[1]
    assert earlier.content == TEXT
    assert not earlier.tool_calls


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_wrong_answer_is_corrected(dialect: str, mode: Any) -> None:
    script = [whole(dialect, _answer(mode, '{"name": 7}')), whole(dialect, _answer(mode))]
    model, transport = model_of(dialect, script)
    answer = asyncio.run(model.achat("Which city?", output=City, output_mode=mode))
    assert answer.parsed == ISTANBUL
    assert [attempt.outcome for attempt in answer.attempts] == ["ok", "ok"]
    correction = asked(dialect, transport.requests[1]).messages[-1].content
    assert "$.name" in correction
