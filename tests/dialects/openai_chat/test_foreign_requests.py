"""Values that came from elsewhere, said on this wire: what it can say is said, what it cannot is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.values import (
    CacheHint,
    Citation,
    Media,
    Message,
    MessageRole,
    Opaque,
    OutputFormat,
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
from tests.dialects.openai_chat.wire import JSON, OPENAI, actions, target

CALL = ToolCall(id="toolu_1", name="weather", arguments_text='{"city":"Rome"}')
PIXEL = Media(kind="image", data="iVBO", media_type="image/png")
SIGNED = Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="EqoBstate")


def encoded(*messages: Message, whom: Target = OPENAI, **settings: Any) -> EncodedRequest:
    request = replace(Request(model="m", messages=messages), **settings)
    return DIALECT.encode_request(request, whom)


def said(*messages: Message, whom: Target = OPENAI) -> list[JSON]:
    return encoded(*messages, whom=whom).body["messages"]


def test_plain_messages() -> None:
    assert said(system("a"), user("b"), assistant("c")) == [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "c"},
    ]


def test_instructions_stay_where_they_stand() -> None:
    written = said(user("a"), Message(MessageRole.DEVELOPER, "b"), system("c"))
    assert [message["role"] for message in written] == ["user", "developer", "system"]


def test_a_host_without_developers_gets_a_system() -> None:
    result = encoded(Message(MessageRole.DEVELOPER, "b"), whom=target(developer_role=False))
    assert result.body["messages"][0]["role"] == "system"
    assert actions(result.adaptations) == [("substituted", "messages[0].role")]


def test_several_texts_are_a_list() -> None:
    assert said(user("a", "b"))[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def test_a_host_of_texts_alone_gets_one() -> None:
    result = encoded(user("a", "b", PIXEL), whom=target(content_parts=False))
    assert result.body["messages"][0]["content"] == "a\nb"
    assert {action for action, _ in actions(result.adaptations)} == {"dropped", "substituted"}


def test_a_conversation_without_messages_gets_one() -> None:
    result = encoded()
    assert result.body["messages"] == [{"role": "user", "content": ""}]
    assert actions(result.adaptations) == [("defaulted", "messages")]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (PIXEL, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}),
        (
            Media(kind="image", url="https://a.b/c", detail="high"),
            {"type": "image_url", "image_url": {"url": "https://a.b/c", "detail": "high"}},
        ),
        (Media(kind="image", file_id="file-1"), {"type": "file", "file": {"file_id": "file-1"}}),
        (
            Media(kind="audio", data="UklG", media_type="audio/mpeg"),
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "mp3"}},
        ),
        (
            Media(kind="document", data="JVBE", media_type="application/pdf", name="a.pdf"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
    ],
)
def test_media(media: Media, expected: JSON) -> None:
    result = encoded(user(media, "?"))
    assert result.body["messages"][0]["content"][0] == expected
    assert result.adaptations == ()


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media(kind="image", data="iVBO"), ("defaulted", "messages[0].parts[0].media_type")),
        (Media(kind="audio", data="UklG"), ("defaulted", "messages[0].parts[0].media_type")),
        (Media(kind="document", data="JVBE", media_type="application/pdf"), ("defaulted", "messages[0].parts[0].name")),
        (Media(kind="document", text="words"), ("substituted", "messages[0].parts[0]")),
        (Media(kind="document", url="https://a.b/c.pdf"), ("dropped", "messages[0].parts[0]")),
        (Media(kind="audio", url="https://a.b/c.mp3"), ("dropped", "messages[0].parts[0]")),
        (Media(kind="video", url="https://a.b/c.mp4"), ("dropped", "messages[0].parts[0]")),
        (Opaque(dialect="gemini", kind="executableCode", data={}), ("dropped", "messages[0].parts[0]")),
    ],
)
def test_media_that_need_adapting(media: Media | Opaque, expected: tuple[str, str]) -> None:
    assert actions(encoded(user(media, "?")).adaptations) == [expected]


def test_hosts_that_take_more_media_get_them() -> None:
    whom = target(video_parts=True, file_urls=True)
    result = encoded(
        user(
            Media(kind="video", url="https://a.b/c.mp4"), Media(kind="document", url="https://a.b/c.pdf", name="c.pdf")
        ),
        whom=whom,
    )
    assert result.adaptations == ()
    assert [part["type"] for part in result.body["messages"][0]["content"]] == ["video_url", "file"]


# -- tools -------------------------------------------------------------------------------------------------------------


def test_calls_and_results() -> None:
    assert said(user("?"), assistant("Looking.", CALL), tool_result(CALL, "21")) == [
        {"role": "user", "content": "?"},
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "21"},
    ]


def test_results_among_a_users_words_stand_behind_their_calls() -> None:
    other = replace(CALL, id="toolu_2")
    turn = Message(
        MessageRole.USER,
        parts=(
            Text(text="Well?"),
            ToolResult(call_id="toolu_1", content=(Text(text="21"),)),
            ToolResult(call_id="toolu_2", content=(Text(text="25"),)),
        ),
    )
    result = encoded(user("?"), assistant(CALL, other), turn)
    roles = [(message["role"], message.get("tool_call_id")) for message in result.body["messages"][2:]]
    assert roles == [("tool", "toolu_1"), ("tool", "toolu_2"), ("user", None)]
    assert ("substituted", "messages[2].parts[1]") in actions(result.adaptations)


def test_results_in_one_message_are_split() -> None:
    turn = Message(
        MessageRole.TOOL,
        parts=(
            ToolResult(call_id="a", content=(Text(text="1"),)),
            ToolResult(call_id="b", content=(Text(text="2"),)),
        ),
    )
    assert [message["tool_call_id"] for message in said(turn)] == ["a", "b"]


def test_media_of_results_follow_in_a_users_message() -> None:
    other = replace(CALL, id="toolu_2")
    result = encoded(
        assistant(CALL, other), tool_result(CALL, ["See:", PIXEL]), tool_result(other, [PIXEL]), user("And?")
    )
    roles = [message["role"] for message in result.body["messages"]]
    assert roles == ["assistant", "tool", "tool", "user", "user"]
    first, second, media = result.body["messages"][1:4]
    assert first["content"] == "See:"
    assert second["content"]
    assert [part["type"] for part in media["content"]] == ["text", "image_url", "text", "image_url"]
    assert "toolu_1" in media["content"][0]["text"]
    assert ("emulated", "messages[1].parts[0].content[1]") in actions(result.adaptations)


def test_hosts_that_take_media_in_results_get_them() -> None:
    result = encoded(assistant(CALL), tool_result(CALL, ["See:", PIXEL]), whom=target(tool_media=True))
    assert [part["type"] for part in result.body["messages"][1]["content"]] == ["text", "image_url"]
    assert result.adaptations == ()


def test_a_failed_result_is_recorded() -> None:
    result = encoded(assistant(CALL), tool_result(CALL, "no", is_error=True))
    assert actions(result.adaptations) == [("dropped", "messages[1].parts[0].is_error")]


def test_a_call_without_arguments_is_an_empty_object() -> None:
    call = ToolCall(id="c", name="now")
    assert said(assistant(call))[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_free_form_call() -> None:
    call = ToolCall(id="c", name="sh", arguments_text="ls", input="text")
    assert said(assistant(call))[0]["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
    ]


@pytest.mark.parametrize("form", ["free", "nine"])
def test_ids_that_a_host_bounds_are_mapped_on_both_ends(form: str) -> None:
    calls = [replace(CALL, id=f"{'x' * 200}{number}") for number in range(3)]
    results = [tool_result(call, str(number)) for number, call in enumerate(calls)]
    result = encoded(assistant(*calls), *results, whom=target(call_id_form=form))
    ids = [call["id"] for call in result.body["messages"][0]["tool_calls"]]
    assert len(set(ids)) == 3
    assert all(len(call_id) == 9 and call_id.isalnum() if form == "nine" else len(call_id) <= 40 for call_id in ids)
    assert [message["tool_call_id"] for message in result.body["messages"][1:]] == ids
    assert len(result.adaptations) == 3


def test_ids_that_fit_are_kept() -> None:
    calls = [replace(CALL, id="abcdefgh1"), replace(CALL, id="x" * 40)]
    assert [call["id"] for call in said(assistant(*calls))[0]["tool_calls"]] == ["abcdefgh1", "x" * 40]
    assert said(assistant(calls[0]), whom=target(call_id_form="nine"))[0]["tool_calls"][0]["id"] == "abcdefgh1"


def test_tools_and_choices() -> None:
    tools = (ToolDefinition(name="a", description="d", input_schema={"type": "object"}), ToolDefinition(name="b"))
    result = encoded(user("?"), tools=tools, tool_choice=ToolChoice(mode="named", names=("a",), parallel=False))
    assert result.body["tools"] == [
        {"type": "function", "function": {"name": "a", "description": "d", "parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": "b"}},
    ]
    assert result.body["tool_choice"] == {"type": "function", "function": {"name": "a"}}
    assert result.body["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice(mode="auto"), "auto"),
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="required"), "required"),
        (
            ToolChoice(mode="named", names=("a", "b")),
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": name}} for name in ("a", "b")],
                },
            },
        ),
    ],
)
def test_modes_of_choice(choice: ToolChoice, expected: Any) -> None:
    assert encoded(user("?"), tool_choice=choice).body["tool_choice"] == expected


def test_a_host_s_own_word_for_required() -> None:
    result = encoded(user("?"), tool_choice=ToolChoice(mode="required"), whom=target(required_word="any"))
    assert result.body["tool_choice"] == "any"


def test_tools_of_another_dialect_are_recorded() -> None:
    result = encoded(user("?"), tools=(Opaque(dialect="anthropic", kind="web_search_20250305", data={}),))
    assert "tools" not in result.body
    assert actions(result.adaptations) == [("dropped", "tools[0]")]


def test_a_host_that_knows_no_strict_tools() -> None:
    result = encoded(user("?"), tools=(ToolDefinition(name="a", strict=True),), whom=target(strict_tools=False))
    assert result.body["tools"] == [{"type": "function", "function": {"name": "a"}}]
    assert actions(result.adaptations) == [("dropped", "tools[0].strict")]


# -- what belongs to others --------------------------------------------------------------------------------------------


def test_foreign_state_and_parts_are_recorded() -> None:
    message = assistant(
        Reasoning(text="Hm.", replay=(SIGNED,)),
        Reasoning(form="redacted", replay=(SIGNED,)),
        Text(text="a", citations=(Citation(kind="document", cited_text="b"),)),
        Refusal(text="No."),
        ToolCall(id="s", name="web_search", runner="provider"),
        ToolResult(call_id="s", runner="provider"),
        Opaque(dialect="anthropic", kind="container_upload", data={}),
        replace(CALL, replay=(SIGNED,)),
    )
    result = encoded(message)
    (written,) = result.body["messages"]
    assert written["content"] == "a"
    assert written["refusal"] == "No."
    assert written["tool_calls"][0]["id"] == "toolu_1"
    assert "EqoBstate" not in str(result.body)
    assert "Hm." not in str(result.body)
    dropped = {path for action, path in actions(result.adaptations) if action == "dropped"}
    assert dropped == {
        "messages[0].parts[0]",
        "messages[0].parts[1]",
        "messages[0].parts[2].citations",
        "messages[0].parts[4]",
        "messages[0].parts[5]",
        "messages[0].parts[6]",
        "messages[0].parts[7].replay",
    }
    assert "replay state of anthropic" in str(result.adaptations)


def test_foreign_members_are_recorded_and_notes_are_not() -> None:
    extras = {"anthropic": {"container": "c", ":form": "list"}}
    result = encoded(replace(user("a"), extras=extras), extras=extras)
    assert {entry.path for entry in result.adaptations} == {
        "extras.anthropic.container",
        "messages[0].extras.anthropic.container",
    }


def test_an_assistant_of_whom_nothing_is_left_still_speaks() -> None:
    assert said(assistant(Reasoning(text="Hm.")), user("?"))[0] == {"role": "assistant", "content": ""}


def test_cache_hints() -> None:
    hinted = user(Text(text="a", cache=CacheHint(ttl="1h")))
    result = encoded(hinted)
    assert result.body["messages"] == [{"role": "user", "content": "a"}]
    assert actions(result.adaptations) == [("dropped", "messages[0].parts[0].cache")]
    marked = encoded(hinted, tools=(ToolDefinition(name="t", cache=CacheHint()),), whom=target(cache_marks=True))
    assert marked.body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert marked.body["tools"][0]["cache_control"] == {"type": "ephemeral"}


# -- settings ----------------------------------------------------------------------------------------------------------


def test_settings() -> None:
    result = encoded(
        user("?"),
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        stop=("a",),
        seed=1,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=2,
        choices=2,
        user="u",
        metadata={"a": "b"},
        service_tier="flex",
        store=True,
        cache_key="k",
        modalities=("text",),
        stream=True,
        stream_usage=True,
    )
    assert result.adaptations == ()
    assert {name: value for name, value in result.body.items() if name not in ("model", "messages")} == {
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["a"],
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logprobs": True,
        "top_logprobs": 2,
        "n": 2,
        "user": "u",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "store": True,
        "prompt_cache_key": "k",
        "modalities": ["text"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("settings", "quirks", "members", "expected"),
    [
        ({"max_tokens": 9}, {"max_tokens_member": "max_tokens"}, {"max_tokens": 9}, []),
        ({"seed": 9}, {"seed_member": "random_seed"}, {"random_seed": 9}, []),
        ({"top_k": 9}, {}, {}, [("dropped", "top_k")]),
        ({"top_k": 9}, {"top_k": True}, {"top_k": 9}, []),
        ({"stop": tuple("abcdef")}, {}, {"stop": list("abcd")}, [("clamped", "stop")]),
        ({"stop": tuple("abcdef")}, {"max_stop": 16}, {"stop": list("abcdef")}, []),
        ({"modalities": ("text", "image")}, {}, {"modalities": ["text"]}, [("dropped", "modalities")]),
        ({"service_tier": "standard"}, {}, {"service_tier": "default"}, [("substituted", "service_tier")]),
        ({"service_tier": "standard_only"}, {}, {}, [("dropped", "service_tier")]),
        ({"previous_response_id": "resp_1"}, {}, {}, [("dropped", "previous_response_id")]),
        ({"seed": 9, "choices": 2}, {"refused": ("seed", "n")}, {}, [("dropped", "seed"), ("dropped", "choices")]),
        ({"stream_usage": True}, {"stream_usage": False}, {}, [("dropped", "stream_usage")]),
        (
            {"output": OutputFormat(type="json_schema", schema={})},
            {},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": {}}}},
            [("defaulted", "output.name")],
        ),
        (
            {"output": OutputFormat(type="json_schema", schema={}, name="n")},
            {"schema_output": "json_object"},
            {"response_format": {"type": "json_object"}},
            [("substituted", "output")],
        ),
        ({"output": OutputFormat(type="json_object")}, {"schema_output": "none"}, {}, [("dropped", "output")]),
    ],
)
def test_settings_that_need_adapting(
    settings: JSON, quirks: JSON, members: JSON, expected: list[tuple[str, str]]
) -> None:
    result = encoded(user("?"), whom=target(**quirks), **settings)
    assert {name: value for name, value in result.body.items() if name not in ("model", "messages")} == members
    assert actions(result.adaptations) == expected


@pytest.mark.parametrize(
    ("options", "form", "members", "expected"),
    [
        (ReasoningOptions(effort="high"), "reasoning_effort", {"reasoning_effort": "high"}, []),
        (ReasoningOptions(budget_tokens=0), "reasoning_effort", {"reasoning_effort": "none"}, ["substituted"]),
        (ReasoningOptions(budget_tokens=2048), "reasoning_effort", {"reasoning_effort": "low"}, ["substituted"]),
        (ReasoningOptions(budget_tokens=8192), "reasoning_effort", {"reasoning_effort": "medium"}, ["substituted"]),
        (ReasoningOptions(budget_tokens=8193), "reasoning_effort", {"reasoning_effort": "high"}, ["substituted"]),
        (ReasoningOptions(budget_tokens=-1), "reasoning_effort", {}, ["dropped"]),
        (
            ReasoningOptions(effort="low", summary="auto", visible=True),
            "reasoning_effort",
            {"reasoning_effort": "low"},
            ["dropped", "dropped"],
        ),
        (
            ReasoningOptions(effort="low", summary="auto", visible=False),
            "reasoning_object",
            {"reasoning": {"effort": "low", "summary": "auto", "exclude": True}},
            [],
        ),
        (ReasoningOptions(budget_tokens=99), "reasoning_object", {"reasoning": {"max_tokens": 99}}, []),
        (ReasoningOptions(budget_tokens=-1), "reasoning_object", {"reasoning": {"enabled": True}}, []),
        (ReasoningOptions(budget_tokens=0), "reasoning_object", {"reasoning": {"enabled": False}}, []),
        (ReasoningOptions(effort="none"), "thinking_object", {"thinking": {"type": "disabled"}}, []),
        (ReasoningOptions(effort="high"), "thinking_object", {"thinking": {"type": "enabled"}}, ["substituted"]),
        (ReasoningOptions(effort="high"), "none", {}, ["dropped"]),
    ],
)
def test_reasoning_options(options: ReasoningOptions, form: str, members: JSON, expected: list[str]) -> None:
    result = encoded(user("?"), whom=target(effort_form=form), reasoning=options)
    assert {name: value for name, value in result.body.items() if name not in ("model", "messages")} == members
    assert [action for action, _ in actions(result.adaptations)] == expected
