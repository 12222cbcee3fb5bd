"""Facts in calls: what is sent to a model of which something is known, and who is passed over in a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman import Image, ToolDefinition, Unsupported, facts, fallback, user
from dragoman.catalogue import find
from dragoman.catalogue.lookup import unregister
from dragoman.engine.capabilities import touched_members
from dragoman.errors import ConfigError, ServerFault
from dragoman.face.combine import as_price
from dragoman.transport import FakeTransport
from dragoman.values import replace
from tests.face.chat_wire import answer, failure, frame, sent, stream_of, streamed

if TYPE_CHECKING:
    from dragoman import ChatModel

TOOL = ToolDefinition(name="look", description="Looks.", input_schema={"type": "object", "properties": {}})
PICTURE = Image(b"\x89PNG\r\n\x1a\n", media_type="image/png")


@pytest.fixture(autouse=True)
def own_facts() -> Iterator[None]:
    """What a test says about models is forgotten after it."""
    yield
    facts.forget()


def always(reply: Any) -> Any:
    """A script that gives the same reply to every request."""

    def script(_request: object) -> Any:
        return reply

    return script


def model_of(name: str, script: Any = None, **options: Any) -> tuple[ChatModel, FakeTransport]:
    """A model over a scripted transport, in the dialect of chat completions."""
    transport = FakeTransport(script or always(answer()))
    model = dragoman.get_model(name, api_key="k", dialect="openai-chat", transport=transport, max_retries=0, **options)
    return model, transport


def test_a_member_that_a_reasoning_model_refuses_is_left_out_and_told() -> None:
    model, transport = model_of("openai/o3")
    response = model.chat("Hi", temperature=0.3, reasoning="minimal")
    body = sent(transport)
    assert "temperature" not in body
    assert body["reasoning_effort"] == "low"
    assert {(entry.path, entry.action) for entry in response.adaptations} == {
        ("temperature", "dropped"),
        ("reasoning.effort", "substituted"),
    }


def test_the_same_on_a_stream() -> None:
    model, transport = model_of("openai/o3", always(streamed("Hello")))
    with model.stream("Hi", temperature=0.3) as stream:
        list(stream)
    assert "temperature" not in sent(transport)
    assert [entry.path for entry in stream.response.adaptations] == ["temperature"]


def test_policies_hold_for_facts_too() -> None:
    model, transport = model_of("openai/o3")
    with pytest.raises(Unsupported, match="temperature"):
        model.chat("Hi", temperature=0.3, adapt="refuse")
    assert transport.requests == []
    assert model.chat("Hi", temperature=1, adapt="refuse").content == "Hello."
    assert model.chat("Hi", temperature=0.3, adapt="silent").adaptations == ()


def test_facts_can_be_switched_off_for_a_model() -> None:
    model, transport = model_of("openai/o3", facts=False)
    assert model.chat("Hi", temperature=0.3).adaptations == ()
    assert sent(transport)["temperature"] == 0.3


def test_hosts_that_nobody_knows_have_no_facts() -> None:
    model, transport = model_of("openai_compatible/o3", base_url="http://127.0.0.1:9/v1")
    assert model.chat("Hi", temperature=0.3, max_tokens=10**9).adaptations == ()
    assert sent(transport)["max_tokens"] == 10**9


def test_a_row_of_ones_own_borrows_the_facts_that_it_names() -> None:
    own = replace(find("openai_compatible"), name="mine_borrowing", issuer="mine_borrowing", facts="openai")
    dragoman.ProviderRegistry.register("mine_borrowing", own)
    try:
        model, transport = model_of("mine_borrowing/o3", base_url="http://127.0.0.1:9/v1")
        model.chat("Hi", temperature=0.3)
        assert "temperature" not in sent(transport)
    finally:
        unregister("mine_borrowing")


def test_what_the_program_says_counts_at_once() -> None:
    model, transport = model_of("openai/some-new-model")
    model.chat("Hi", max_tokens=900)
    facts.override("openai", "some-new-model", profile={"output_tokens": 500, "schema_output": False})
    response = model.chat("Hi", max_tokens=900)
    assert [sent(transport, index)["max_completion_tokens"] for index in range(2)] == [900, 500]
    assert [entry.action for entry in response.adaptations] == ["clamped"]


def test_extra_body_is_the_callers_own() -> None:
    model, transport = model_of("openai/o3")
    assert model.chat("Hi", extra_body={"temperature": 0.3}).adaptations == ()
    assert sent(transport)["temperature"] == 0.3


def test_a_model_that_cannot_see_refuses_an_image_before_it_is_sent() -> None:
    facts.override("openai", "blind", profile={"input_modalities": ("text",)})
    model, transport = model_of("openai/blind")
    with pytest.raises(Unsupported, match=r"messages\[0\]\.parts\[1\]") as caught:
        model.chat([user("What is this?", PICTURE)])
    assert caught.value.path == "messages[0].parts[1]"
    assert transport.requests == []


def test_a_schema_is_had_natively_where_the_model_is_known_to_follow_one() -> None:
    schema = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    call = {"id": "c", "type": "function", "function": {"name": "City", "arguments": '{"name": "Bern"}'}}
    emulated, transport = model_of("groq/some-model", always(answer("", tool_calls=[call])))
    emulated.chat("Which?", output=schema)
    assert "response_format" not in sent(transport)
    facts.override("groq", "some-model", profile={"schema_output": True})
    native, transport = model_of("groq/some-model", always(answer('{"name": "Bern"}')))
    assert native.chat("Which?", output=schema).parsed == {"name": "Bern"}
    assert sent(transport)["response_format"]["type"] == "json_schema"


def test_the_relay_asks_the_same_facts() -> None:
    model, _ = model_of("openai/o3")
    deployment = model.route.candidates[0].deployment
    plain = {"model": "o3", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5}
    assert touched_members(deployment, plain) == frozenset()
    assert touched_members(deployment, {**plain, "temperature": 0.3}) == {"temperature"}
    off, _ = model_of("openai/o3", facts=False)
    assert touched_members(off.route.candidates[0].deployment, {**plain, "temperature": 0.3}) == frozenset()


# -- fallbacks ---------------------------------------------------------------------------------------------------------


def two(first: dict[str, Any], second: dict[str, Any], **wishes: Any) -> tuple[ChatModel, FakeTransport, FakeTransport]:
    """A fallback of two models, and what is known of each."""
    facts.override("openai", "first", profile=first)
    facts.override("openai", "second", profile=second)
    one, one_sent = model_of("openai/first")
    other, other_sent = model_of("openai/second")
    return fallback(one, other, **wishes), one_sent, other_sent


@pytest.mark.parametrize(
    ("lacking", "messages", "options", "told"),
    [
        ({"tools": False}, [user("Hi")], {"tools": [TOOL]}, "tools"),
        ({"input_modalities": ("text",)}, [user("See", PICTURE)], {}, "image input"),
        ({"context_tokens": 100}, [user("far " * 4000)], {}, "its window 100"),
    ],
)
def test_a_model_that_lacks_what_the_request_needs_is_passed_over(
    lacking: dict[str, Any], messages: list[Any], options: dict[str, Any], told: str
) -> None:
    model, first, second = two(lacking, {})
    response = model.chat(messages, **options)
    assert (len(first.requests), len(second.requests)) == (0, 1)
    (attempt,) = response.attempts
    assert attempt.model == "second"
    assert attempt.reason.startswith("first choice; passed over: openai/first, ")
    assert told in attempt.reason


def test_the_same_for_streams() -> None:
    facts.override("openai", "first", profile={"tools": False})
    one, first = model_of("openai/first", always(streamed("no")))
    other, _ = model_of("openai/second", always(stream_of(frame({"content": "yes"}), frame({}, "stop"))))
    with fallback(one, other).stream("Hi", tools=[TOOL]) as stream:
        assert "".join(chunk.delta for chunk in stream) == "yes"
    assert first.requests == []
    assert "passed over" in stream.response.attempts[0].reason


def test_what_is_not_known_passes_nobody_over() -> None:
    model, first, second = two({}, {}, needs=["vision", "window:1000000"], max_price=0)
    assert model.chat("Hi").content == "Hello."
    assert (len(first.requests), len(second.requests)) == (1, 0)


def test_needs_and_the_highest_price_are_wishes_of_the_fallback() -> None:
    model, first, _ = two({"reasoning": False}, {"reasoning": True}, needs="reasoning")
    assert model.chat("Hi").attempts[0].model == "second"
    facts.override("openai", "first", prices={"input": "2.5"})
    facts.override("openai", "second", prices={"input": "1"})
    model, first, _ = two({}, {}, max_price=2)
    response = model.chat("Hi")
    assert first.requests == []
    assert "2.5 USD" in response.attempts[0].reason


def test_wishes_of_a_nested_fallback_stay_with_its_models() -> None:
    inner, first, second = two({"tools": False}, {"tools": True}, needs=["tools"])
    last, _ = model_of("openai/last", [failure(500)])
    assert [candidate.needs for candidate in fallback(inner, last).route.candidates] == [("tools",), ("tools",), ()]
    assert fallback(inner, last).chat("Hi").attempts[0].model == "second"
    narrower = fallback(inner, needs=["vision"], max_price="0.5").route.candidates[0]
    assert (narrower.needs, narrower.max_price) == (("tools", "vision"), Decimal("0.5"))
    assert (len(first.requests), len(second.requests)) == (0, 1)


def test_when_nobody_is_left_each_ones_reason_is_told() -> None:
    model, first, second = two({"tools": False}, {"tools": False})
    with pytest.raises(Unsupported, match=r"openai/first, .*tools; openai/second, .*tools"):
        model.chat("Hi", tools=[TOOL])
    assert first.requests == second.requests == []


def test_a_failure_moves_past_those_that_are_passed_over() -> None:
    facts.override("openai", "middle", profile={"tools": False})
    one, _ = model_of("openai/one", always(failure(500)))
    middle, asked = model_of("openai/middle")
    last, _ = model_of("openai/last")
    response = asyncio.run(fallback(one, middle, last).achat("Hi", tools=[TOOL]))
    assert asked.requests == []
    assert [attempt.model for attempt in response.attempts] == ["one", "last"]
    assert response.attempts[1].reason.startswith("after ServerFault; passed over: openai/middle")
    one, _ = model_of("openai/one", always(failure(500)))
    with pytest.raises(ServerFault):
        fallback(one, middle).chat("Hi", tools=[TOOL])


@pytest.mark.parametrize("price", ["dear", -1, float("nan"), True])
def test_a_price_that_is_none_is_refused(price: Any) -> None:
    with pytest.raises(ConfigError, match="US dollars per million input tokens"):
        as_price(price)


def test_a_need_that_does_not_exist_is_refused_when_the_fallback_is_made() -> None:
    one, _ = model_of("openai/one")
    with pytest.raises(ConfigError, match="did you mean 'vision'"):
        fallback(one, needs=["vison"])
