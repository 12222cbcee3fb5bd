"""The `cache` setting of calls and models, from end to end."""

from __future__ import annotations

from typing import Any

import pytest

import dragoman
from dragoman import CachePolicy, ChatModel, Message, ToolDefinition, Unsupported, facts, system, tool_result, user
from dragoman.testing import FakeProvider
from dragoman.transport import FakeTransport, HttpResponse
from tests.dialects.test_cache_matrix import marks_in
from tests.face.dialect_wire import PROVIDERS
from tests.testing.spoken import DIALECTS

LONG = "Much to read. " * 60
WEATHER = ToolDefinition(
    name="weather",
    description=LONG,
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("asked", [True, "1h", CachePolicy(ttl="24h", key="k")])
def test_a_conversation_is_taken_everywhere(dialect: str, asked: Any) -> None:
    """The fakes refuse what the real ones do: more than four marks, and longer times behind shorter ones."""
    with FakeProvider() as fake:
        model = fake.model(dialect).bind_tools([WEATHER]).with_options(cache=asked, max_tokens=50)
        messages: list[Message] = [system(LONG)]
        for question in ('Call weather {"city": "Basra"}', "Say: one", 'Call weather {"city": "Pera"}', "Say: two"):
            messages.append(user(question))
            choice = "auto" if question.startswith("Call") else "none"
            answer = model.chat(messages, tool_choice=choice)
            messages.append(answer.message)
            if answer.tool_calls:
                messages += [tool_result(call, "sunny") for call in answer.tool_calls]
                messages.append(model.chat(messages, tool_choice="none").message)
        with model.stream([*messages, user("Say: three")], tool_choice="none") as stream:
            assert list(stream)
        assert stream.response.finish_reason in ("stop", "tool_calls")  # Bedrock cannot say that no tool may be called
        assert {seen.status for seen in fake.requests} == {200}


def over(provider: str, model: str, **options: Any) -> tuple[ChatModel, list[Any]]:
    """A model whose requests are kept, and answered with an error."""
    import msgspec

    bodies: list[Any] = []

    def script(request: Any) -> HttpResponse:
        bodies.append(msgspec.json.decode(request.body))
        return HttpResponse(400, {"content-type": "application/json"}, b'{"error": {"message": "no"}, "message": "no"}')

    needed = PROVIDERS["bedrock"][1] if provider == "bedrock" else {}
    transport = FakeTransport(script)
    got = dragoman.ProviderRegistry.get_provider(
        provider, model=model, api_key="k", transport=transport, **needed, **options
    )
    return got, bodies


def sent(model: ChatModel, bodies: list[Any], **options: Any) -> Any:
    with pytest.raises(dragoman.ProviderError):
        model.chat([system(LONG), user("Hello.")], max_tokens=9, **options)
    return bodies[-1]


def test_bedrock_gets_points_for_models_that_are_known_to_take_them() -> None:
    body = sent(*over("bedrock", SONNET), cache="1h")
    assert sorted(marks_in(body)) == ["messages/0/content/1=1h", "system/1=1h"]
    assert sorted(marks_in(sent(*over("bedrock", "us.amazon.nova-pro-v1:0"), cache="1h"))) == [
        "messages/0/content/1",
        "system/1",
    ]
    assert list(marks_in(sent(*over("bedrock", "meta.llama3-1-70b-instruct-v1:0"), cache=True))) == []
    assert list(marks_in(sent(*over("bedrock", SONNET, facts=False), cache=True))) == []


def test_a_models_default_and_a_call_that_undoes_it() -> None:
    model, bodies = over("anthropic", "claude-sonnet-4-5", cache=True)
    assert sorted(marks_in(sent(model, bodies))) == ["messages/0/content/0", "system/0"]
    assert list(marks_in(sent(model, bodies, cache=False))) == []
    assert sorted(marks_in(sent(model.with_options(cache="1h"), bodies))) == ["messages/0/content/0=1h", "system/0=1h"]


def test_a_call_undoes_the_default_of_a_model_inside_a_fallback() -> None:
    model, bodies = over("anthropic", "claude-sonnet-4-5", cache=True, max_retries=0)
    both = dragoman.fallback(model, model)
    for cache, marks in ((None, 2), (False, 0)):
        with pytest.raises(dragoman.DragomanError):
            both.chat([system(LONG), user("Hello.")], max_tokens=9, cache=cache)
        assert len(list(marks_in(bodies[-1]))) == marks


def test_what_nobody_keeps_is_recorded_or_refused() -> None:
    with FakeProvider() as fake:
        model = fake.model("openai-chat")  # a host that nothing is known of
        answer = model.chat("Say: a", cache=True)
        assert [(entry.path, entry.action) for entry in answer.adaptations] == [("cache", "dropped")]
        with pytest.raises(Unsupported, match="cannot take cache as asked"):
            model.chat("Say: a", cache=True, adapt="refuse")
        assert model.chat("Say: a", cache=False, adapt="refuse").adaptations == ()


def test_what_the_program_says_of_a_model_counts() -> None:
    model, bodies = over("together", "some/model")
    facts.override("together", "some/model", profile={"cache": {"kinds": ["automatic"]}})
    try:
        assert "prompt_cache_key" not in sent(model, bodies, cache=True, adapt="refuse")
    finally:
        facts.forget()
