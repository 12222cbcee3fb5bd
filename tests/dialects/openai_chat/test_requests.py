"""Requests of clients: everything they hold survives, and goes where the values have a place for it."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.errors import InvalidRequest
from dragoman.values import (
    CacheHint,
    Media,
    MessageRole,
    Opaque,
    OutputFormat,
    Reasoning,
    Refusal,
    Request,
    Target,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    from_json,
    replace,
    to_json,
)
from tests.dialects.openai_chat.bodies import BODIES, HI, body, parts, turns
from tests.dialects.openai_chat.wire import DEEPSEEK, JSON, OPENAI, OPENROUTER, members_of
from tests.wire.comparing import first_difference


def decoded(wire: JSON, whom: Target = OPENAI) -> Request:
    return DIALECT.decode_request(wire, whom)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("whom", [OPENAI, OPENROUTER], ids=["openai", "openrouter"])
def test_a_request_survives(name: str, whom: Target) -> None:
    request = decoded(BODIES[name], whom)
    encoded = DIALECT.encode_request(request, whom)
    assert first_difference(BODIES[name], encoded.body) is None
    assert encoded.adaptations == ()
    assert encoded.path == "/chat/completions"
    assert from_json(to_json(request)) == request


def test_settings_go_to_their_fields() -> None:
    request = decoded(BODIES["every setting"])
    assert (request.temperature, request.top_p, request.top_k, request.seed) == (1, 0.5, 40, 7)
    assert (request.presence_penalty, request.frequency_penalty) == (0.5, -0.5)
    assert (request.logprobs, request.top_logprobs, request.choices) == (True, 3, 2)
    assert (request.user, request.service_tier, request.store, request.cache_key) == ("u", "flex", False, "k")
    assert (request.max_tokens, request.stop, request.modalities) == (9, ("a", "b"), ("text", "audio"))
    assert (request.stream, request.stream_usage, request.metadata) == (True, True, {"a": "b"})
    assert members_of(request.extras).keys() == {
        "min_p",
        "audio",
        "logit_bias",
        "prediction",
        "verbosity",
        "web_search_options",
    }


def test_nulls_are_no_members_that_other_dialects_have_to_record() -> None:
    assert members_of(decoded(BODIES["nulls"]).extras) == {}


def test_both_spellings_of_the_cap_are_one_field() -> None:
    assert decoded(body(max_tokens=9)).max_tokens == 9
    assert decoded(body(max_completion_tokens=9)).max_tokens == 9
    assert decoded(body(max_tokens=1, max_completion_tokens=9)).max_tokens == 9


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (BODIES["an image by address"], Media(kind="image", url="https://a.b/c.png", detail="low")),
        (BODIES["an image inline"], Media(kind="image", data="iVBO", media_type="image/png")),
        (BODIES["audio"], Media(kind="audio", data="UklG", media_type="audio/wav")),
        (
            BODIES["a file inline"],
            Media(kind="document", data="JVBE", media_type="application/pdf", name="a.pdf"),
        ),
        (BODIES["a file by id"], Media(kind="file", file_id="file-1", issuer="openai")),
    ],
)
def test_media_become_parts(part: JSON, expected: Media) -> None:
    assert decoded(part).messages[0].parts == (expected,)


def test_an_unknown_part_keeps_its_place() -> None:
    first, second = decoded(BODIES["a part of tomorrow"]).messages[0].parts
    assert isinstance(first, Opaque)
    assert (first.dialect, first.kind) == ("openai-chat", "hologram")
    assert second == Text(text="?")


def test_cache_marks_become_hints() -> None:
    first, second = decoded(BODIES["cache marks"]).messages
    assert first.parts[0].cache == CacheHint(ttl="1h")
    assert second.parts[0].cache == CacheHint()


def test_calls_and_results_become_parts() -> None:
    _, said, answered = decoded(BODIES["calls and results"]).messages
    assert said.parts == (ToolCall(id="call_1", name="weather", arguments_text='{"city": "Genève"}'),)
    assert answered.role is MessageRole.TOOL
    assert answered.parts == (ToolResult(call_id="call_1", content=(Text(text="21"),)),)


def test_results_without_ids_answer_the_calls_in_order() -> None:
    _, said, first, second = decoded(BODIES["calls without ids"]).messages
    ids = [call.id for call in said.tool_calls]
    assert len(set(ids)) == 2
    assert [part.call_id for turn in (first, second) for part in turn.parts if isinstance(part, ToolResult)] == ids


def test_legacy_functions_are_tools() -> None:
    request = decoded(BODIES["functions"])
    assert [tool.name for tool in request.tools if isinstance(tool, ToolDefinition)] == ["f", "g"]
    assert request.tool_choice is not None
    assert (request.tool_choice.mode, request.tool_choice.names) == ("named", ("f",))
    _, said, answered = request.messages
    (call,) = said.tool_calls
    (result,) = answered.parts
    assert isinstance(result, ToolResult)
    assert (result.call_id, result.name) == (call.id, "f")


def test_reasoning_becomes_a_part_before_the_text() -> None:
    for name in ("reasoning", "reasoning content", "reasoning details", "reasoning details alone", "thinking blocks"):
        thought, text = decoded(BODIES[name]).messages[1].parts
        assert isinstance(thought, Reasoning)
        assert thought.text == "Hm."
        assert text == Text(text="a")


def test_a_refusal_becomes_a_part() -> None:
    for name in ("a refusal", "a refusal in the list"):
        (part,) = decoded(BODIES[name]).messages[1].parts
        assert isinstance(part, Refusal)
        assert part.text == "No."


def test_the_form_of_the_output() -> None:
    assert decoded(BODIES["a schema"]).output == OutputFormat(
        type="json_schema", name="n", description="d", schema={"type": "object"}, strict=True
    )
    assert decoded(BODIES["a grammar"]).output is None


@pytest.mark.parametrize(
    ("name", "mode", "names"),
    [
        ("tool choice auto", "auto", ()),
        ("tool choice any", "required", ()),
        ("tool choice required", "required", ()),
        ("a named tool", "named", ("weather",)),
        ("a named tool as Anthropic has it", "named", ("weather",)),
        ("allowed tools", "auto", ("weather",)),
        ("a choice of tomorrow", None, ()),
    ],
)
def test_tool_choices(name: str, mode: str | None, names: tuple[str, ...]) -> None:
    choice = decoded(BODIES[name]).tool_choice
    assert choice is not None
    assert (choice.mode, choice.names) == (mode, names)


@pytest.mark.parametrize(
    ("members", "effort", "budget"),
    [
        ({"reasoning_effort": "high"}, "high", None),
        ({"reasoning": {"effort": "low"}}, "low", None),
        ({"reasoning": {"max_tokens": 100}}, None, 100),
        ({"reasoning": {"enabled": False}}, None, 0),
        ({"thinking": {"type": "enabled"}}, None, -1),
        ({"thinking": {"type": "disabled"}}, None, 0),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, None, 9),
    ],
)
def test_reasoning_options(members: JSON, effort: str | None, budget: int | None) -> None:
    options = decoded(body(**members)).reasoning
    assert options is not None
    assert (options.effort, options.budget_tokens) == (effort, budget)


# -- edited values -----------------------------------------------------------------------------------------------------


def test_an_edited_message_is_written_anew() -> None:
    request = decoded(BODIES["a refusal in the list"])
    hi, said = request.messages
    edited = replace(said, parts=(Text(text="Yes."),))
    written = DIALECT.encode_request(replace(request, messages=(hi, edited)), OPENAI).body
    assert written["messages"][1] == {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}


def test_an_edited_part_is_written_anew() -> None:
    request = decoded(BODIES["a file by id and data"])
    (message,) = request.messages
    (part,) = message.parts
    assert isinstance(part, Media)
    edited = replace(message, parts=(replace(part, file_id="file-2"),))
    written = DIALECT.encode_request(replace(request, messages=(edited,)), OPENAI).body
    assert written["messages"][0]["content"] == [{"type": "file", "file": {"file_id": "file-2"}}]


def test_edited_settings_are_written_anew() -> None:
    request = decoded(BODIES["a reasoning object"])
    assert request.reasoning is not None
    edited = replace(request, reasoning=replace(request.reasoning, effort="low"), tool_choice=ToolChoice(mode="none"))
    written = DIALECT.encode_request(edited, OPENAI).body
    assert written["reasoning"] == {"effort": "low", "exclude": True}
    assert written["tool_choice"] == "none"


def test_a_value_in_place_of_a_null_is_written() -> None:
    request = replace(decoded(BODIES["nulls"]), temperature=0.0, stop=("x",))
    written = DIALECT.encode_request(request, OPENAI).body
    assert written["temperature"] == 0.0
    assert written["stop"] == ["x"]


# -- state goes to its issuer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["reasoning", "reasoning content", "reasoning details", "thinking blocks", "signatures of Gemini"],
)
def test_state_goes_to_no_other_issuer(name: str) -> None:
    request = decoded(BODIES[name])
    encoded = DIALECT.encode_request(request, DEEPSEEK)
    written = str(encoded.body)
    assert "Hm." not in written
    assert "c2ln" not in written
    assert any("replay state of openai" in entry.reason for entry in encoded.adaptations)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ([], "body"),
        ({"messages": [HI]}, "model"),
        ({"model": 1, "messages": [HI]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": "Hi"}, "messages"),
        ({"model": "m", "messages": ["Hi"]}, "messages[0]"),
        ({"model": "m", "messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "king", "content": "Hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        (parts({"type": "text"}), "messages[0].content[0].text"),
        (parts({"type": "image_url", "image_url": {}}), "messages[0].content[0].image_url.url"),
        (turns({"role": "assistant", "tool_calls": [{"id": "a"}]}), "messages[1].tool_calls[0].function"),
        (turns({"role": "assistant", "tool_calls": {}}), "messages[1].tool_calls"),
        (body(temperature="hot"), "temperature"),
        (body(max_tokens=1.5), "max_tokens"),
        (body(stop=[1]), "stop"),
        (body(stream="yes"), "stream"),
        (body(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
        (body(response_format={"type": "json_schema"}), "response_format.json_schema"),
        (body(reasoning={"effort": 3}), "reasoning.effort"),
    ],
)
def test_bad_input_is_refused_by_name(wire: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.decode_request(wire, OPENAI)
    assert caught.value.path == path
