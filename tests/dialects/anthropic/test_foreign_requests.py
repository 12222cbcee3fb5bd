"""Requests made by hand or come over another wire: valid here, and whatever cannot be said is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.dialects.contract import EncodedRequest
from dragoman.values import (
    AnthropicQuirks,
    CacheHint,
    Citation,
    Media,
    Message,
    MessageRole,
    Opaque,
    OutputFormat,
    Part,
    Quirks,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Replay,
    Request,
    Target,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    assistant,
    replace,
    system,
    tool_result,
    user,
)
from tests.dialects.anthropic.bodies import ANSWERS
from tests.dialects.anthropic.wire import TARGET, paths

_WEATHER = ToolDefinition(name="weather", input_schema={"type": "object", "properties": {}})
_CALL = ToolCall(id="call_1", name="weather", arguments_text='{"city": "Bern"}')


def _encoded(*messages: Message, quirks: AnthropicQuirks | None = None, **settings: Any) -> EncodedRequest:
    target = replace(TARGET, quirks=Quirks(anthropic=quirks)) if quirks else TARGET
    return DIALECT.encode_request(Request(model="m", messages=messages or (user("Hi"),), **settings), target)


def _turns(*messages: Message) -> list[dict[str, Any]]:
    return _encoded(*messages).body["messages"]


def _lost(encoded: EncodedRequest) -> list[tuple[str, str]]:
    """What was recorded, but for the cap that every such request gets."""
    return [entry for entry in paths(encoded.adaptations) if entry != ("max_tokens", "defaulted")]


# -- messages ----------------------------------------------------------------------------------------------------------


def test_a_cap_is_required_and_defaulted() -> None:
    encoded = _encoded(quirks=AnthropicQuirks(default_max_tokens=77))
    assert encoded.body["max_tokens"] == 77
    assert paths(encoded.adaptations) == [("max_tokens", "defaulted")]
    assert _encoded(max_tokens=5).adaptations == ()


def test_system_and_developer_messages_stand_before_the_turns() -> None:
    encoded = _encoded(system("One."), Message(MessageRole.DEVELOPER, "Two."), user("Hi"), system("Three."), user("Ho"))
    assert [block["text"] for block in encoded.body["system"]] == ["One.", "Two.", "Three."]
    assert [turn["role"] for turn in encoded.body["messages"]] == ["user", "user"]
    assert _lost(encoded) == [("messages[3]", "substituted")]


def test_system_text_alone_becomes_a_users_turn() -> None:
    encoded = _encoded(system("Say hello."))
    assert "system" not in encoded.body
    assert encoded.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}]
    assert _lost(encoded) == [("messages", "substituted")]


def test_system_media_cannot_be_said() -> None:
    encoded = _encoded(Message(MessageRole.SYSTEM, ["Look", Media(kind="image", url="https://e.org/a")]), user("Hi"))
    assert _lost(encoded) == [("messages[0].parts[1]", "dropped")]


def test_results_of_one_round_become_one_users_turn() -> None:
    other = replace(_CALL, id="call_2")
    turns = _turns(user("Hi"), assistant(_CALL, other), tool_result(_CALL, "12"), tool_result(other, []), user("So?"))
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "user"]
    assert [block["tool_use_id"] for block in turns[2]["content"]] == ["call_1", "call_2"]
    assert "content" not in turns[2]["content"][1]


def test_results_stand_before_words_in_their_turn() -> None:
    result = ToolResult(call_id="call_1", content=(Text(text="12"),))
    turns = _turns(assistant(_CALL), Message("user", ["So?", result]))
    assert [block["type"] for block in turns[1]["content"]] == ["tool_result", "text"]


def test_empty_words_and_empty_turns_are_left_out() -> None:
    assert _turns(user(""), user("Hi", ""), assistant()) == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    ]


def test_names_are_recorded() -> None:
    assert _lost(_encoded(Message("user", "Hi", name="ann"))) == [("messages[0].name", "dropped")]


@pytest.mark.parametrize(
    "name", ["text", "thinking", "calls", "server tools", "mcp", "compaction", "citations", "upload"]
)
def test_an_answer_goes_back_as_it_came(name: str) -> None:
    message = DIALECT.decode_response(ANSWERS[name], TARGET).message
    encoded = _encoded(user("Hi"), message, user("Go on"))
    assert encoded.body["messages"][1] == {"role": "assistant", "content": ANSWERS[name]["content"]}
    assert _lost(encoded) == []


# -- parts -------------------------------------------------------------------------------------------------------------

_SECRET = "another-issuers-state"
_FOREIGN_PARTS: dict[str, tuple[Part, list[tuple[str, str]]]] = {
    "reasoning": (Reasoning(text="Hm."), [("", "dropped")]),
    "signed by another": (
        Reasoning(text="Hm.", replay=(Replay(issuer="x", dialect="anthropic", kind="signature", data=_SECRET),)),
        [(".replay", "dropped"), ("", "dropped")],
    ),
    "sealed over another wire": (
        Reasoning(
            form="redacted", replay=(Replay(issuer="anthropic", dialect="gemini", kind="redacted", data=_SECRET),)
        ),
        [(".replay", "dropped"), ("", "dropped")],
    ),
    "a provider's call": (ToolCall(id="a", name="search", runner="provider"), [("", "dropped")]),
    "a provider's result": (ToolResult(call_id="a", runner="provider"), [("", "dropped")]),
    "opaque": (Opaque(dialect="gemini", kind="code", data={"secret": _SECRET}), [("", "dropped")]),
    "audio": (Media(kind="audio", data="UklGRg=="), [("", "dropped")]),
    "video": (Media(kind="video", url="https://e.org/v.mp4"), [("", "dropped")]),
    "a text file as base64": (Media(kind="file", data="SGk=", media_type="text/plain"), [("", "dropped")]),
}


@pytest.mark.parametrize("name", _FOREIGN_PARTS)
def test_a_part_that_cannot_be_said_is_recorded(name: str) -> None:
    part, losses = _FOREIGN_PARTS[name]
    encoded = _encoded(user("Hi"), assistant("Ho", part))
    assert encoded.body["messages"][1]["content"] == [{"type": "text", "text": "Ho"}]
    assert _lost(encoded) == [(f"messages[1].parts[1]{path}", action) for path, action in losses]
    assert _SECRET not in str(encoded.body)


def test_thoughts_go_back_to_their_issuer() -> None:
    signed = Reasoning(
        text="Hm.", replay=(Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="signed"),)
    )
    assert _turns(user("Hi"), assistant(signed, "Ho"))[1]["content"][0] == {
        "type": "thinking",
        "thinking": "Hm.",
        "signature": "signed",
    }


def test_state_of_another_wire_on_a_call_is_recorded() -> None:
    call = replace(_CALL, replay=(Replay(issuer="google", dialect="gemini", kind="thought-signature", data=_SECRET),))
    encoded = _encoded(user("Hi"), assistant(call))
    assert _lost(encoded) == [("messages[1].parts[0].replay", "dropped")]
    assert encoded.adaptations[0].reason == "replay state of google"


_MEDIA: list[tuple[Media, dict[str, Any]]] = [
    (
        Media(kind="image", data="iVBORw0KGgoAAAA"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAA"}},
    ),
    (
        Media(kind="image", data="/9j/4AAQ"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"}},
    ),
    (
        Media(kind="image", url="data:image/gif;base64,R0lGOD"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lGOD"}},
    ),
    (
        Media(kind="file", file_id="file_1", name="a.pdf"),
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "a.pdf"},
    ),
    (
        Media(kind="file", url="https://e.org/a", media_type="image/png"),
        {"type": "image", "source": {"type": "url", "url": "https://e.org/a"}},
    ),
    (
        Media(kind="document", text="Hi"),
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}},
    ),
    (
        Media(kind="document", data="JVBERi0xLjQ"),
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ"}},
    ),
    (Media(kind="audio", data="UklGRg==", transcript="Hello."), {"type": "text", "text": "Hello."}),
]


@pytest.mark.parametrize(("media", "block"), _MEDIA, ids=str)
def test_media_is_said_as_the_wire_can(media: Media, block: dict[str, Any]) -> None:
    assert _turns(user(media))[0]["content"] == [block]


def test_details_that_images_cannot_have_are_recorded() -> None:
    encoded = _encoded(user(Media(kind="image", url="https://e.org/a", detail="low", name="a.png")))
    assert _lost(encoded) == [("messages[0].parts[0].detail", "dropped"), ("messages[0].parts[0].name", "dropped")]


def test_arguments_become_objects() -> None:
    encoded = _encoded(
        assistant(
            _CALL,
            replace(_CALL, arguments_text=""),
            replace(_CALL, arguments_text='{"city": "Be'),
            replace(_CALL, arguments_text="[1]"),
            replace(_CALL, arguments_text="print(1)", input="text"),
        )
    )
    assert [block["input"] for block in encoded.body["messages"][0]["content"]] == [
        {"city": "Bern"},
        {},
        {"INVALID_JSON": '{"city": "Be'},
        {"INVALID_JSON": "[1]"},
        {"input": "print(1)"},
    ]
    assert _lost(encoded) == [
        ("messages[0].parts[2].arguments_text", "substituted"),
        ("messages[0].parts[3].arguments_text", "substituted"),
        ("messages[0].parts[4].input", "emulated"),
    ]


def test_ids_are_mapped_so_that_they_stay_apart_and_together() -> None:
    first, second = replace(_CALL, id="a:1"), replace(_CALL, id="a/1")
    turns = _turns(assistant(first, second), tool_result(first, "x"), tool_result(second, "y"))
    calls = [block["id"] for block in turns[0]["content"]]
    assert calls == [block["tool_use_id"] for block in turns[1]["content"]]
    assert len(set(calls)) == 2
    assert all(call.replace("_", "").isalnum() for call in calls)


def test_refusals_citations_channels_and_marks() -> None:
    encoded = _encoded(
        assistant(
            Refusal(text="No."),
            Text(text="See.", citations=(Citation(kind="url", url="https://e.org"),), channel="commentary"),
            Text(text="Kept.", cache=CacheHint(ttl="24h")),
        )
    )
    assert encoded.body["messages"][0]["content"] == [
        {"type": "text", "text": "No."},
        {"type": "text", "text": "See."},
        {"type": "text", "text": "Kept.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
    assert _lost(encoded) == [
        ("messages[0].parts[0]", "substituted"),
        ("messages[0].parts[1].channel", "dropped"),
        ("messages[0].parts[1].citations", "dropped"),
        ("messages[0].parts[2].cache.ttl", "substituted"),
    ]


def test_extras_of_other_wires_are_recorded_but_not_their_notes() -> None:
    text = Text(text="Hi", extras={"gemini": {"videoMetadata": 1, ":form": "x"}})
    encoded = _encoded(user(text), extras={"openai-chat": {"logit_bias": {}}})
    assert _lost(encoded) == [
        ("extras.openai-chat.logit_bias", "dropped"),
        ("messages[0].parts[0].extras.gemini.videoMetadata", "dropped"),
    ]


# -- settings ----------------------------------------------------------------------------------------------------------


def test_what_this_wire_has_no_word_for_is_recorded() -> None:
    encoded = _encoded(
        modalities=("audio",),
        seed=1,
        presence_penalty=0.5,
        frequency_penalty=0.5,
        logprobs=True,
        top_logprobs=2,
        choices=2,
        metadata={"a": 1},
        store=True,
        previous_response_id="r",
        cache_key="k",
        service_tier="flex",
    )
    names = {path for path, _ in _lost(encoded)}
    assert names == {
        "modalities",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "choices",
        "metadata",
        "store",
        "previous_response_id",
        "cache_key",
        "service_tier",
    }


def test_what_equals_this_wires_own_way_is_no_loss() -> None:
    encoded = _encoded(
        modalities=("text",), presence_penalty=0, choices=1, store=False, logprobs=False, stream_usage=True
    )
    assert _lost(encoded) == []


def test_numbers_are_brought_into_range() -> None:
    encoded = _encoded(temperature=1.7, stop=("A", "\n"), top_p=0.5, top_k=2, stream=True, user="u")
    assert (encoded.body["temperature"], encoded.body["stop_sequences"], encoded.body["stream"]) == (1, ["A"], True)
    assert encoded.body["metadata"] == {"user_id": "u"}
    assert _lost(encoded) == [("temperature", "clamped"), ("stop", "dropped")]


@pytest.mark.parametrize(("tier", "said"), [("auto", "auto"), ("default", "standard_only"), ("priority", "auto")])
def test_tiers_have_other_names_here(tier: str, said: str) -> None:
    assert _encoded(service_tier=tier).body["service_tier"] == said


_CHOICES: list[tuple[ToolChoice, dict[str, Any]]] = [
    (ToolChoice(mode="auto"), {"type": "auto"}),
    (ToolChoice(mode="none", parallel=False), {"type": "none"}),
    (ToolChoice(mode="required", parallel=True), {"type": "any", "disable_parallel_tool_use": False}),
    (ToolChoice(mode="named", names=("weather",)), {"type": "tool", "name": "weather"}),
    (ToolChoice(parallel=False), {"type": "auto", "disable_parallel_tool_use": True}),
]


@pytest.mark.parametrize(("choice", "wire"), _CHOICES, ids=str)
def test_every_choice_is_said(choice: ToolChoice, wire: dict[str, Any]) -> None:
    encoded = _encoded(tools=(_WEATHER,), tool_choice=choice)
    assert encoded.body["tool_choice"] == wire
    assert _lost(encoded) == []


def test_several_allowed_names_are_emulated_by_offering_those_alone() -> None:
    tools = (_WEATHER, replace(_WEATHER, name="time"), replace(_WEATHER, name="news"))
    encoded = _encoded(tools=tools, tool_choice=ToolChoice(mode="named", names=("weather", "news")))
    assert [tool["name"] for tool in encoded.body["tools"]] == ["weather", "news"]
    assert encoded.body["tool_choice"] == {"type": "any"}
    assert _lost(encoded) == [("tools[1]", "dropped"), ("tool_choice.names", "emulated")]


def test_tools_get_the_schema_that_the_wire_wants() -> None:
    encoded = _encoded(
        tools=(
            ToolDefinition(name="a"),
            ToolDefinition(name="b", input_schema={"properties": {}}, strict=False, cache=CacheHint()),
            Opaque(dialect="gemini", kind="google_search", data={}),
        ),
        tool_choice=ToolChoice(mode="required"),
    )
    assert encoded.body["tools"] == [
        {"name": "a", "input_schema": {"type": "object", "properties": {}}},
        {
            "name": "b",
            "input_schema": {"type": "object", "properties": {}},
            "strict": False,
            "cache_control": {"type": "ephemeral"},
        },
    ]
    assert _lost(encoded) == [("tools[1].input_schema", "substituted"), ("tools[2]", "dropped")]


def test_a_choice_without_tools_is_recorded() -> None:
    encoded = _encoded(tool_choice=ToolChoice(mode="required"))
    assert "tool_choice" not in encoded.body
    assert _lost(encoded) == [("tool_choice", "dropped")]


# -- output ------------------------------------------------------------------------------------------------------------

_OPEN: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "object", "properties": {}}, "b": {"type": "string"}},
}


def test_a_schema_is_closed_and_loses_its_label() -> None:
    output = OutputFormat(type="json_schema", schema=_OPEN, name="person", strict=True)
    encoded = _encoded(output=output)
    wire = encoded.body["output_config"]["format"]
    assert wire["schema"]["additionalProperties"] is False
    assert wire["schema"]["properties"]["a"]["additionalProperties"] is False
    assert _OPEN["properties"]["a"] == {"type": "object", "properties": {}}
    assert _lost(encoded) == [("output.name", "dropped"), ("output.schema", "substituted")]
    assert "output_config" not in _encoded(output=OutputFormat(type="text")).body


@pytest.mark.parametrize("before", [(), (system("Be brief."),)])
def test_json_without_a_schema_is_asked_for_in_words(before: tuple[Message, ...]) -> None:
    encoded = _encoded(*before, user("Hi"), output=OutputFormat(type="json_object"))
    assert "JSON object" in encoded.body["system"][-1]["text"]
    assert len(encoded.body["system"]) == len(before) + 1
    assert _lost(encoded) == [("output", "emulated")]


def test_a_host_without_schema_output_is_asked_in_words() -> None:
    output = OutputFormat(type="json_schema", schema={"type": "object", "title": "Person"})
    encoded = _encoded(output=output, quirks=AnthropicQuirks(schema_output=False))
    assert '"title":"Person"' in encoded.body["system"][-1]["text"]
    assert "output_config" not in encoded.body


# -- reasoning ---------------------------------------------------------------------------------------------------------

_REASONING: list[tuple[str, ReasoningOptions, dict[str, Any] | None, str | None]] = [
    ("native", ReasoningOptions(effort="high"), {"type": "adaptive"}, "high"),
    ("native", ReasoningOptions(effort="minimal"), {"type": "adaptive"}, "low"),
    ("native", ReasoningOptions(effort="none"), {"type": "disabled"}, None),
    ("native", ReasoningOptions(budget_tokens=0), {"type": "disabled"}, None),
    ("native", ReasoningOptions(budget_tokens=-1), {"type": "adaptive"}, None),
    ("native", ReasoningOptions(budget_tokens=9000), {"type": "enabled", "budget_tokens": 9000}, None),
    ("native", ReasoningOptions(budget_tokens=5), {"type": "enabled", "budget_tokens": 1024}, None),
    ("native", ReasoningOptions(effort="low", visible=False), {"type": "adaptive", "display": "omitted"}, "low"),
    ("native", ReasoningOptions(effort="low", summary="auto"), {"type": "adaptive", "display": "summarized"}, "low"),
    ("native", ReasoningOptions(effort="beyond"), None, None),
    ("native", ReasoningOptions(visible=True), None, None),
    ("budget", ReasoningOptions(effort="medium"), {"type": "enabled", "budget_tokens": 8192}, None),
    ("budget", ReasoningOptions(budget_tokens=-1), {"type": "enabled", "budget_tokens": 8192}, None),
    ("budget", ReasoningOptions(effort="max", budget_tokens=2000), {"type": "enabled", "budget_tokens": 2000}, None),
    ("adaptive", ReasoningOptions(budget_tokens=9000), {"type": "adaptive"}, "high"),
    ("adaptive", ReasoningOptions(budget_tokens=99999), {"type": "adaptive"}, "max"),
    ("none", ReasoningOptions(effort="high"), None, None),
]


@pytest.mark.parametrize(("form", "options", "thinking", "effort"), _REASONING, ids=str)
def test_reasoning_is_said_in_the_form_that_the_host_knows(
    form: Any, options: ReasoningOptions, thinking: dict[str, Any] | None, effort: str | None
) -> None:
    encoded = _encoded(reasoning=options, quirks=AnthropicQuirks(thinking_form=form))
    assert encoded.body.get("thinking") == thinking
    assert encoded.body.get("output_config", {}).get("effort") == effort


def test_the_cap_leaves_room_for_the_budget() -> None:
    assert _encoded(reasoning=ReasoningOptions(budget_tokens=9000)).body["max_tokens"] == 9000 + 4096
    encoded = _encoded(reasoning=ReasoningOptions(budget_tokens=9000), max_tokens=4000)
    assert encoded.body["thinking"]["budget_tokens"] == 3999
    assert _lost(encoded) == [("reasoning.budget_tokens", "clamped")]
    encoded = _encoded(reasoning=ReasoningOptions(budget_tokens=9000), max_tokens=500)
    assert "thinking" not in encoded.body
    assert _lost(encoded) == [("reasoning", "dropped")]


def test_what_thinking_does_not_go_with_is_recorded() -> None:
    encoded = _encoded(
        reasoning=ReasoningOptions(budget_tokens=2000),
        temperature=0.5,
        top_k=3,
        top_p=0.5,
        tools=(_WEATHER,),
        tool_choice=ToolChoice(mode="named", names=("weather",), parallel=False),
    )
    assert encoded.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert not {"temperature", "top_k", "top_p"} & encoded.body.keys()
    assert _lost(encoded) == [
        ("temperature", "dropped"),
        ("top_k", "dropped"),
        ("top_p", "dropped"),
        ("tool_choice", "substituted"),
    ]


@pytest.mark.parametrize("answered", [True, False])
def test_an_open_round_without_thoughts_stops_a_budget(answered: bool) -> None:
    after = (user("And now?"),) if answered else ()
    messages = (user("Hi"), assistant("Let me see.", _CALL), tool_result(_CALL, "12"), *after)
    encoded = _encoded(*messages, reasoning=ReasoningOptions(budget_tokens=2000), tools=(_WEATHER,))
    assert ("thinking" in encoded.body) is answered


def test_refused_members_are_left_out_and_recorded() -> None:
    quirks = AnthropicQuirks(refused=("temperature", "stop_sequences"), betas=False)
    encoded = _encoded(user(Media(kind="image", file_id="f")), temperature=0.5, stop=("A",), quirks=quirks)
    assert not {"temperature", "stop_sequences"} & encoded.body.keys()
    assert _lost(encoded) == [("temperature", "dropped"), ("stop", "dropped")]
    assert encoded.headers == (("anthropic-version", "2023-06-01"),)


def test_the_next_request_begins_with_the_turns_of_the_last() -> None:
    """A provider's prompt cache is keyed by the prefix, which must not change as a conversation grows."""
    first = (system("Be brief."), user("Hi"))
    second = (*first, assistant("Let me see.", _CALL), tool_result(_CALL, "12"))
    third = (*second, assistant("12 °C."), user("Thanks"))
    bodies = [_encoded(*messages).body["messages"] for messages in (first, second, third)]
    assert bodies[1][: len(bodies[0])] == bodies[0]
    assert bodies[2][: len(bodies[1])] == bodies[1]


def test_a_target_without_names_still_gets_a_request() -> None:
    assert DIALECT.encode_request(Request(model="m", messages=(user("Hi"),)), Target()).body["model"] == "m"
