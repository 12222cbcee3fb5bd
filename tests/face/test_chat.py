"""Whole answers: what goes out, what comes back, what is told about it."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest

import dragoman
from dragoman import Message, MessageRole, ToolDefinition, system, tool_result, user
from tests.face.chat_wire import answer, failure, frame, model_over, sent, stream_of


def test_an_answer_tells_what_was_said_and_how_it_was_come_by() -> None:
    model, transport = model_over([answer("Hello.")])
    response = model.chat("Hi")
    assert response.content == "Hello."
    assert response.finish_reason == "stop"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 3)
    assert response.request_id == "req-1"
    assert response.provider == "chat_completions"
    assert response.cost is None
    (attempt,) = response.attempts
    assert (attempt.outcome, attempt.status, attempt.sent) == ("ok", 200, "yes")
    assert attempt.duration_seconds >= 0
    assert response.metadata["model"] == "m-1"
    assert response.metadata["usage"]["input_tokens"] == 7
    assert transport.requests[0].url == "http://127.0.0.1:9/v1/chat/completions"
    assert ("authorization", "Bearer k") in transport.requests[0].headers


def test_async_and_sync_give_the_same() -> None:
    model, _ = model_over(lambda _request: answer("Same."))
    there = asyncio.run(model.achat("Hi"))
    here = model.chat("Hi")
    assert there.message == here.message
    assert there.usage == here.usage


@pytest.mark.parametrize(
    "given",
    [
        "Hi",
        user("Hi"),
        Message(role=MessageRole.USER, content="Hi"),
        [Message(MessageRole.USER, "Hi")],
        [{"role": "user", "content": "Hi"}],
        {"role": "user", "content": "Hi"},
        ["Hi"],
    ],
)
def test_messages_come_in_every_shape_people_have(given: Any) -> None:
    model, transport = model_over([answer()])
    model.chat(given)
    assert sent(transport)["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_conversation_goes_on_with_the_answer_itself() -> None:
    model, transport = model_over([answer("One."), answer("Two.")])
    first = model.chat("Say one")
    model.chat([user("Say one"), first, user("Now two")])
    roles = [message["role"] for message in sent(transport, 1)["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.parametrize("given", [[], 7, [7], [{"role": "nobody", "content": "x"}], [{"content": 7, "role": "user"}]])
def test_what_is_no_message_is_refused_before_anything_is_sent(given: Any) -> None:
    model, transport = model_over([])
    with pytest.raises(dragoman.InvalidRequest):
        model.chat(given)
    assert transport.requests == []


def test_options_travel_under_their_wire_names() -> None:
    model, transport = model_over([answer()])
    model.chat(
        "Hi",
        temperature=0.7,
        max_tokens=2048,
        top_p=0.9,
        stop="END",
        seed=3,
        user="u-1",
        response_format={"type": "json_object"},
        extra_body={"mystery": {"x": 1}},
        extra_headers={"X-Mine": "yes"},
    )
    body = sent(transport)
    assert body["temperature"] == 0.7
    assert 2048 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert body["top_p"] == 0.9
    assert body["stop"] in ("END", ["END"])
    assert body["seed"] == 3
    assert body["user"] == "u-1"
    assert body["response_format"] == {"type": "json_object"}
    assert body["mystery"] == {"x": 1}
    assert ("X-Mine", "yes") in transport.requests[0].headers


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"temprature": 1}, "temperature"),
        ({"temperature": "hot"}, "number"),
        ({"max_tokens": 1.5}, "whole number"),
        ({"tool_choice": 7}, "tool_choice"),
        ({"response_format": {"type": "yaml"}}, "json_object"),
        ({"adapt": "perhaps"}, "refuse"),
        ({"max_retries": -1}, "max_retries"),
        ({"timeout": 0}, "seconds"),
        ({"reasoning": {"depth": 3}}, "effort"),
    ],
)
def test_a_wrong_option_is_named_with_the_remedy(options: dict[str, Any], named: str) -> None:
    model, transport = model_over([])
    with pytest.raises(dragoman.InvalidRequest, match=named):
        model.chat("Hi", **options)
    assert transport.requests == []


CALCULATOR = ToolDefinition(
    name="calculator",
    description="Evaluate.",
    input_schema={"type": "object", "properties": {"expression": {"type": "string"}}},
)


def add(first: int, second: int = 2) -> int:
    """Add two numbers."""
    return first + second


def test_bound_tools_are_offered_by_the_copy_alone() -> None:
    model, transport = model_over([answer(), answer()])
    tooled = model.bind_tools([CALCULATOR])
    tooled.chat("2+2")
    model.chat("2+2")
    assert [tool["function"]["name"] for tool in sent(transport)["tools"]] == ["calculator"]
    assert "tools" not in sent(transport, 1)


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"name": "f", "description": "d", "parameters": {"type": "object"}},
        {"name": "f", "description": "d", "input_schema": {"type": "object"}},
    ],
)
def test_tools_come_as_dictionaries_of_every_common_shape(shape: dict[str, Any]) -> None:
    model, transport = model_over([answer()])
    model.bind_tools([shape]).chat("x")
    (tool,) = sent(transport)["tools"]
    assert tool["function"] == {"name": "f", "description": "d", "parameters": {"type": "object"}}


def test_a_typed_function_is_a_tool() -> None:
    model, transport = model_over([answer()])
    model.bind_tools([add]).chat("x")
    (tool,) = sent(transport)["tools"]
    assert tool["function"]["name"] == "add"
    assert tool["function"]["description"] == "Add two numbers."
    schema = tool["function"]["parameters"]
    assert schema["properties"] == {"first": {"type": "integer"}, "second": {"type": "integer", "default": 2}}
    assert schema["required"] == ["first"]


def untyped(value):  # type: ignore[no-untyped-def]
    return value  # pyright: ignore[reportUnknownVariableType]


@pytest.mark.parametrize("tool", [7, {"function": 7}, {"name": ""}, {"name": "f", "colour": 1}, untyped, lambda x: x])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
def test_what_is_no_tool_is_refused(tool: Any) -> None:
    model, _ = model_over([])
    with pytest.raises(dragoman.InvalidRequest):
        model.bind_tools([tool])


def test_tool_calls_come_back_parsed_and_go_back_answered() -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "calculator", "arguments": '{"expression": "2+2"}'},
    }
    model, transport = model_over([answer("", tool_calls=[call]), answer("4")])
    first = model.bind_tools([CALCULATOR]).chat("2+2?", tool_choice="required")
    (asked,) = first.tool_calls
    assert (asked.id, asked.name, asked.arguments) == ("call_1", "calculator", {"expression": "2+2"})
    assert asked.arguments_text == '{"expression": "2+2"}'
    assert first.finish_reason == "tool_calls"
    assert model.chat([user("2+2?"), first, tool_result(asked, "4")]).content == "4"
    assert sent(transport)["tool_choice"] == "required"
    last = sent(transport, 1)["messages"][-1]
    assert (last["role"], last["tool_call_id"], last["content"]) == ("tool", "call_1", "4")


def test_arguments_that_are_no_json_are_visible_and_raise_on_typed_access() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "calculator", "arguments": '{"expression": '}}
    model, _ = model_over([answer("", tool_calls=[call])])
    (asked,) = model.chat("x").tool_calls
    assert asked.arguments_text == '{"expression": '
    with pytest.raises(dragoman.InvalidArguments, match="calculator"):
        _ = asked.arguments


def test_adaptations_are_noted_refused_or_silent() -> None:
    model, _ = model_over(lambda _request: answer())
    noted = model.chat("Hi", top_k=5)
    assert [entry.path for entry in noted.adaptations] == ["top_k"] or noted.adaptations == ()
    quiet = model.chat("Hi", top_k=5, adapt="silent")
    assert quiet.adaptations == ()
    if noted.adaptations:
        with pytest.raises(dragoman.Unsupported, match="top_k"):
            model.chat("Hi", top_k=5, adapt="refuse")


def test_the_reported_cost_is_the_answers_cost() -> None:
    body = answer().body.replace(b'"total_tokens": 10', b'"total_tokens": 10, "cost": 0.00125')
    from dragoman.transport import HttpResponse

    model, _ = model_over([HttpResponse(200, {"content-type": "application/json"}, body)])
    cost = model.chat("Hi").cost
    assert cost is not None
    assert (cost.amount, cost.currency, cost.basis) == (Decimal("0.00125"), "USD", "reported")


def test_a_redirect_is_told_and_not_followed() -> None:
    model, transport = model_over([failure(307, headers={"location": "https://elsewhere.example/v1"})])
    with pytest.raises(dragoman.NotFound, match=r"redirect to https://elsewhere\.example"):
        model.chat("Hi")
    assert len(transport.requests) == 1


def test_an_answer_that_is_no_json_is_a_protocol_violation() -> None:
    from dragoman.transport import HttpResponse

    page = HttpResponse(200, {"content-type": "text/html"}, b"<html>It works!</html>")
    model, _ = model_over([page], max_retries=0)
    with pytest.raises(dragoman.ProtocolViolation, match="text/html"):
        model.chat("Hi")


def test_a_sync_call_works_in_threads_and_beside_a_running_loop() -> None:
    model, _ = model_over(lambda _request: answer("ok"))
    results: list[str] = []

    async def inside() -> str:
        return model.chat("Hi").content

    threads = [threading.Thread(target=lambda: results.append(model.chat("Hi").content)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["ok"] * 4
    assert asyncio.run(inside()) == "ok"


def test_embeddings_come_back_one_per_text() -> None:
    from dragoman.transport import FakeTransport, HttpResponse

    body = (
        b'{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]},'
        b'{"object":"embedding","index":1,"embedding":[1.0,2.0]}],"usage":{"prompt_tokens":4,"total_tokens":4}}'
    )
    transport = FakeTransport([HttpResponse(200, {"content-type": "application/json"}, body)])
    response = dragoman.embed("openai/text-embedding-3-small", ["a", "b"], api_key="k", transport=transport)
    assert response.vectors == ((0.5, -1.0), (1.0, 2.0))
    assert response.usage.input_tokens == 4
    assert transport.requests[0].url == "https://api.openai.com/v1/embeddings"
    assert response.attempts[0].outcome == "ok"


def test_system_messages_travel() -> None:
    model, transport = model_over([answer()])
    model.chat([system("Be brief."), user("Hi")])
    assert sent(transport)["messages"][0] == {"role": "system", "content": "Be brief."}


def test_defaults_of_a_model_give_way_to_a_calls_own_options() -> None:
    model, transport = model_over([answer(), answer()], temperature=0.1)
    model.chat("Hi")
    model.with_options(seed=1).chat("Hi", temperature=0.9)
    assert sent(transport)["temperature"] == 0.1
    assert (sent(transport, 1)["temperature"], sent(transport, 1)["seed"]) == (0.9, 1)


def test_a_stream_that_is_answered_with_one_document_is_still_a_stream() -> None:
    model, _ = model_over([answer("Whole.")])
    with model.stream("Hi") as stream:
        assert "".join(chunk.delta for chunk in stream) == "Whole."
    assert stream.response.content == "Whole."


def test_bytes_of_an_error_frame_inside_a_stream_raise_with_what_came() -> None:
    broken = stream_of(frame({"content": "Half"}), b'data: {"error": {"message": "gone", "code": 500}}\n\n')
    model, _ = model_over([broken])
    stream = model.stream("Hi")
    with pytest.raises(dragoman.ProviderError) as caught:
        list(stream)
    assert caught.value.in_stream
    assert caught.value.partial.content == "Half"


def test_a_transport_error_says_who_and_what_to_do() -> None:
    model = dragoman.ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url="http://127.0.0.1:9/v1", api_key="k", max_retries=0
    )
    with pytest.raises(dragoman.ConnectFailed, match=r"^chat_completions: .*Check base_url"):
        model.chat("Hi")
    with pytest.raises(dragoman.ConnectFailed, match=r"^chat_completions: .*Check base_url"):
        list(model.stream("Hi"))


def test_bytes_are_no_message() -> None:
    model, _ = model_over([])
    with pytest.raises(dragoman.InvalidRequest, match="decode"):
        model.chat(b"x")  # pyright: ignore[reportArgumentType]
