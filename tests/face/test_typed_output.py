"""Typed output: kinds of types, corrections, what is raised, and streams."""

from __future__ import annotations

import asyncio
import builtins
import copy
import dataclasses
import datetime
import pickle
import threading
from typing import Any, Literal, TypedDict, assert_type

import msgspec
import pydantic
import pytest

import dragoman
from dragoman import MissingExtra, Response, SchemaMismatch, StreamStateError, UnusableAnswer
from dragoman.face.partial import PartialJson
from dragoman.transport import HttpResponse
from tests.face.chat_wire import answer, frame, model_over, sent, stream_of, streamed
from tests.face.dialect_wire import call, model_of, said, whole
from tests.face.test_tools_loop import calls, double


class Person(pydantic.BaseModel):
    name: str
    age: int = pydantic.Field(default=0, ge=0)


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Event(msgspec.Struct):
    title: str
    when: datetime.date


class Pair(TypedDict):
    left: str
    right: Literal["a", "b"]


@pydantic.dataclasses.dataclass
class Checked:
    size: int = pydantic.Field(gt=2)


KINDS: list[tuple[Any, str, Any]] = [
    (Person, '{"name": "Ada", "age": 36}', Person(name="Ada", age=36)),
    (Point, '{"x": 1}', Point(1)),
    (Event, '{"title": "t", "when": "2026-01-02"}', Event("t", datetime.date(2026, 1, 2))),
    (Pair, '{"left": "l", "right": "b"}', {"left": "l", "right": "b"}),
    (Checked, '{"size": 3}', Checked(size=3)),
    (list[Person], '{"value": [{"name": "A"}]}', [Person(name="A")]),
    (list[Point], '{"value": [{"x": 1, "y": null}]}', [Point(1)]),
    (Literal["yes", "no"], '{"value": "yes"}', "yes"),
    (int, '{"value": 7}', 7),
    (Person | Point, '{"value": {"x": 1}}', Point(1)),
    ({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, '{"a": 1}', {"a": 1}),
]


@pytest.mark.parametrize(("kind", "text", "value"), KINDS, ids=lambda given: str(given)[:24])
def test_every_kind_of_type_is_asked_for_and_parsed(kind: Any, text: str, value: Any) -> None:
    model, transport = model_over([answer(text)])
    response = model.chat("Go", output=kind)
    assert response.parsed == value
    format = sent(transport)["response_format"]
    assert format["type"] == "json_schema"
    assert format["json_schema"]["schema"]["type"] == "object"
    assert format["json_schema"]["name"]


def test_the_type_checker_knows_the_type() -> None:
    model, _ = model_over(lambda _request: answer('{"name": "Ada"}'))
    typed = model.chat("Go", output=Person)
    assert_type(typed, Response[Person])
    assert_type(typed.parsed, Person)
    assert_type(model.chat("Go").parsed, Any)
    assert_type(model.run_tools("Go", output=Person).response.parsed, Person)
    assert isinstance(typed, dragoman.Response)
    assert model.chat("Go").parsed is None


def test_a_typed_response_is_a_response_that_can_be_kept() -> None:
    model, _ = model_over([answer('{"name": "Ada"}')])
    typed = model.chat("Go", output=Person)
    for again in (copy.copy(typed), pickle.loads(pickle.dumps(typed))):  # noqa: S301 - our own bytes
        assert again.parsed == Person(name="Ada")
        assert again.content == typed.content
    assert dragoman.from_json(dragoman.to_json(typed)).content == typed.content
    assert typed.metadata["output_mode"] == "native"


def test_two_corrections_each_a_call_of_its_own() -> None:
    model, transport = model_over([answer("I think Ada."), answer('{"name": 1}'), answer('{"name": "Ada"}')])
    response = model.chat("Who?", output=Person)
    assert response.parsed == Person(name="Ada")
    assert len(response.attempts) == 3
    messages = sent(transport, 2)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[3]["content"] == '{"name": 1}'
    assert "name: Input should be a valid string" in messages[4]["content"]


def test_after_the_corrections_the_mismatch_is_raised_with_all_that_was_tried() -> None:
    model, transport = model_over(lambda _request: answer('{"name": 1}'))
    with pytest.raises(SchemaMismatch, match="Person") as caught:
        model.chat("Who?", output=Person)
    assert len(transport.requests) == 3
    assert len(caught.value.attempts) == 3
    assert caught.value.response.content == '{"name": 1}'
    assert isinstance(caught.value, dragoman.OutputError)
    with pytest.raises(SchemaMismatch):
        asyncio.run(model.achat("Who?", output=Person, output_retries=0))
    assert len(transport.requests) == 4
    with pytest.raises(dragoman.InvalidRequest, match="output_retries"):
        model.chat("Who?", output=Person, output_retries=-1)


@pytest.mark.parametrize(
    ("message", "finish", "reason"),
    [
        ({"content": '{"name": "A'}, "length", "length"),
        ({"content": None, "refusal": "I will not."}, "stop", "refusal"),
        ({"content": ""}, "content_filter", "content_filter"),
    ],
)
def test_what_correcting_cannot_help_is_raised_at_once(message: Any, finish: str, reason: str) -> None:
    whole = answer("")
    told = msgspec.json.decode(whole.body)
    told["choices"][0]["message"].update(message)
    told["choices"][0]["finish_reason"] = finish
    model, transport = model_over([HttpResponse(200, whole.headers, msgspec.json.encode(told))])
    with pytest.raises(UnusableAnswer, match=reason) as caught:
        model.chat("Who?", output=Person)
    assert caught.value.reason == reason
    assert len(transport.requests) == 1
    assert len(caught.value.attempts) == 1


def test_an_answer_that_asks_for_tools_has_no_value_yet() -> None:
    model, _ = model_over([calls(("double", '{"number": 1}'))])
    response = model.bind_tools([double]).chat("Go", output=Person)
    assert response.tool_calls
    with pytest.raises(dragoman.OutputError, match="run_tools"):
        _ = response.parsed


def test_validators_run_in_the_callers_thread() -> None:
    seen: list[threading.Thread] = []

    class Watched(pydantic.BaseModel):
        name: str

        @pydantic.field_validator("name")
        @classmethod
        def watch(cls, name: str) -> str:
            seen.append(threading.current_thread())
            return name

    model, _ = model_over([answer('{"name": "Ada"}')])
    model.chat("Go", output=Watched)
    assert seen == [threading.current_thread()]


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    model, transport = model_over([])
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "jsonschema":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'pip install "dragoman\[jsonschema\]"'):
        model.chat("Go", output={"type": "object"})
    assert not transport.requests


@pytest.mark.parametrize("kind", [threading.Thread, {"type": "nonsense"}, object()])
def test_what_no_answer_can_be_is_refused_before_anything_is_sent(kind: Any) -> None:
    model, transport = model_over([])
    with pytest.raises(dragoman.InvalidRequest, match=r"output|JSON Schema"):
        model.chat("Go", output=kind)
    assert not transport.requests


def test_the_policy_on_adaptations_holds_for_emulations() -> None:
    model, transport = model_over([answer('{"name": "Ada"}')])
    with pytest.raises(dragoman.Unsupported, match="output"):
        model.chat("Go", output=Person, output_mode="tool", adapt="refuse")
    assert not transport.requests
    assert model.chat("Go", output=Person, adapt="refuse").parsed == Person(name="Ada")


def test_a_response_format_may_name_its_mode_too() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    model, transport = model_over([answer('```json\n{"a": 1}\n```')])
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    response = model.chat("Go", response_format=form, output_mode="prompted")
    assert (response.content, response.output_mode) == ('{"a": 1}', "prompted")
    assert sent(transport)["messages"][0]["role"] == "system"
    with pytest.raises(dragoman.InvalidRequest, match="output_mode"):
        model.chat("Go", output=Person, output_mode="forced")  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_each_target_of_a_fallback_has_a_mode_of_its_own() -> None:
    first, _ = model_of("anthropic", [HttpResponse(529, {}, b"{}")])
    second, transport = model_of("cohere", [whole("cohere", said(call("Person", '{"name":"Ada"}')))])
    asked = dragoman.fallback(first, second).bind_tools([double])
    response = asked.chat("Go", output=Person)
    assert response.parsed == Person(name="Ada")
    assert response.output_mode == "tool"  # Cohere takes no schema beside tools
    assert [attempt.outcome for attempt in response.attempts] == ["error", "ok"]
    assert len(transport.requests) == 1


# -- streams -----------------------------------------------------------------------------------------------------------


def test_a_stream_that_is_not_of_the_type_raises_at_its_end() -> None:
    model, transport = model_over([streamed('{"name"', ": 1}")])
    stream = model.stream("Go", output=Person)
    with pytest.raises(StreamStateError):
        _ = stream.response
    seen: list[str] = []
    with pytest.raises(SchemaMismatch) as caught:
        seen.extend(chunk.delta for chunk in stream)
    assert "".join(seen) == '{"name": 1}'
    assert caught.value.response.content == '{"name": 1}'
    with pytest.raises(SchemaMismatch):
        _ = stream.response
    assert len(transport.requests) == 1


def test_an_async_stream_shows_partial_values() -> None:
    model, _ = model_over([streamed('{"na', 'me": "A', 'da", "age": 3', "6}")])

    async def main() -> tuple[list[Any], Person]:
        async with model.astream("Go", output=Person) as stream:
            partial = [chunk.partial async for chunk in stream if chunk.delta]
        return partial, stream.response.parsed

    partial, parsed = asyncio.run(main())
    assert partial == [{}, {"name": "A"}, {"name": "Ada"}, {"name": "Ada", "age": 36}]
    assert parsed == Person(name="Ada", age=36)


def test_a_truncated_stream_of_a_forced_tool_carries_its_text() -> None:
    opening = {
        "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "Person", "arguments": ""}}]
    }
    more = {"tool_calls": [{"index": 0, "function": {"arguments": '{"name": "A'}}]}
    model, _ = model_over([stream_of(frame(opening), frame(more))])
    with pytest.raises(dragoman.StreamTruncated) as caught:
        list(model.stream("Go", output=Person, output_mode="tool"))
    assert caught.value.partial.content == '{"name": "A'
    assert not caught.value.partial.tool_calls


TEXT = '{"a": [1, -2.5e3, true, null, "x\\n\\u00e9\\"y"], "b": {"c": "d"}, "e": ""}'


def test_partial_values_grow_and_never_lie() -> None:
    whole = msgspec.json.decode(TEXT)
    reader = PartialJson()
    for char in TEXT:
        reader.feed(char)
        assert _within(reader.value, whole), reader.value
    assert reader.value == whole
    for start in range(0, len(TEXT), 7):
        parts = PartialJson()
        parts.feed(TEXT[:start])
        parts.feed(TEXT[start:])
        assert parts.value == whole


def _within(part: Any, whole: Any) -> bool:
    if part is None:
        return True
    if isinstance(part, dict):
        return all(name in whole and _within(value, whole[name]) for name, value in part.items())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(part, list):
        return len(part) <= len(whole) and all(map(_within, part, whole))  # pyright: ignore[reportUnknownArgumentType]
    return whole.startswith(part) if isinstance(part, str) else part == whole


def test_partial_values_of_what_is_no_json_are_none() -> None:
    for text in ("", "  ", "tru", "hello", '"'):
        reader = PartialJson()
        reader.feed(text)
        assert reader.value in (None, "")
