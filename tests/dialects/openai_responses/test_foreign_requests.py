"""Requests from elsewhere: valid on this wire, and whatever it cannot say is named."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import InvalidRequest
from dragoman.values import (
    Adaptation,
    CacheHint,
    Citation,
    Media,
    Message,
    Opaque,
    OutputFormat,
    Quirks,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Replay,
    Request,
    ResponsesQuirks,
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
from tests.dialects.openai_responses.bodies import JSON, OPENAI

CALL = ToolCall(id="call_1", name="weather", arguments_text='{"city": "Rome"}')


def _encoded(*messages: Message, target: Target = OPENAI, **fields: Any) -> tuple[JSON, tuple[Adaptation, ...]]:
    encoded = DIALECT.encode_request(Request(model="m", messages=messages, **fields), target)
    return encoded.body, encoded.adaptations


def _host(**quirks: Any) -> Target:
    return replace(OPENAI, quirks=Quirks(responses=ResponsesQuirks(**quirks)))


def _named(adaptations: tuple[Adaptation, ...]) -> set[tuple[str, str]]:
    return {(entry.path, entry.action) for entry in adaptations}


def test_a_conversation_is_a_list_of_items_in_order() -> None:
    body, adaptations = _encoded(
        system("Be brief."),
        user("Weather?"),
        Message("developer", "Metric."),
        assistant("Looking.", CALL, replace(CALL, id="call_2", arguments_text="")),
        tool_result(CALL, "21 °C"),
        Message("user", [ToolResult(call_id="call_2", content=(Text(text="25 °C"),)), "And?"]),
    )
    assert body == {
        "model": "m",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "developer", "content": "Metric."},
            {"type": "message", "role": "assistant", "content": "Looking."},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Rome"}'},
            {"type": "function_call", "call_id": "call_2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "21 °C"},
            {"type": "function_call_output", "call_id": "call_2", "output": "25 °C"},
            {"role": "user", "content": "And?"},
        ],
    }
    assert adaptations == ()


def test_nothing_is_said_that_was_not_asked() -> None:
    body, adaptations = _encoded(user("Hi"), store=None, stream=False)
    assert body == {"model": "m", "input": [{"role": "user", "content": "Hi"}]}
    assert adaptations == ()


def test_a_free_form_call_and_its_result_are_of_one_kind() -> None:
    call = ToolCall(id="c", name="python", arguments_text="print(1)", input="text")
    body, _ = _encoded(user("Run"), assistant(call), tool_result(call, "1"))
    assert [item["type"] for item in body["input"][1:]] == ["custom_tool_call", "custom_tool_call_output"]


def test_ids_that_are_too_long_are_cut_alike_and_apart() -> None:
    calls = [replace(CALL, id="x" * 80 + end) for end in "ab"]
    body, adaptations = _encoded(assistant(*calls), *(tool_result(call, "ok") for call in calls))
    first, second, *outputs = [item["call_id"] for item in body["input"]]
    assert outputs == [first, second]
    assert first != second
    assert {len(first), len(second)} == {64}
    assert ("messages[0].parts[0].id", "substituted") in _named(adaptations)


def test_media_is_said_by_what_it_has() -> None:
    body, adaptations = _encoded(
        user(
            Media(kind="image", data="iVBORw0KGgo=", media_type="image/png", detail="high"),
            Media(kind="image", url="https://example.org/a.png"),
            Media(kind="document", data="JVBERi0=", media_type="application/pdf"),
            Media(kind="document", file_id="file_1", name="a.pdf"),
            Media(kind="document", text="Plain."),
            Media(kind="file", data="AAAA"),
            Media(kind="audio", data="UklGRg==", media_type="audio/wav"),
            Media(kind="video", url="https://example.org/a.mp4"),
            Media(kind="image"),
        )
    )
    assert body["input"][0]["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"},
        {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0=", "filename": "file.pdf"},
        {"type": "input_file", "file_id": "file_1", "filename": "a.pdf"},
        {"type": "input_text", "text": "Plain."},
        {"type": "input_file", "file_data": "data:application/octet-stream;base64,AAAA", "filename": "file.bin"},
    ]
    assert _named(adaptations) == {
        ("messages[0].parts[1].detail", "defaulted"),
        ("messages[0].parts[2].name", "defaulted"),
        ("messages[0].parts[4]", "substituted"),
        ("messages[0].parts[5].media_type", "defaulted"),
        ("messages[0].parts[5].name", "defaulted"),
        ("messages[0].parts[6]", "dropped"),
        ("messages[0].parts[7]", "dropped"),
        ("messages[0].parts[8]", "dropped"),
    }


def test_a_host_that_hears_is_given_audio() -> None:
    audio = Media(kind="audio", data="UklGRg==", media_type="audio/mpeg")
    body, adaptations = _encoded(user(audio), target=_host(audio_input=True))
    assert body["input"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}}
    ]
    assert adaptations == ()


def test_what_only_others_have_is_named() -> None:
    replay = (Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="sig"),)
    body, adaptations = _encoded(
        Message("user", "Hi", name="ann", extras={"anthropic": {"a": 1, ":form": 2}}),
        assistant(
            Reasoning(text="Hm.", replay=replay),
            Reasoning(text="Hm."),
            Text(text="Yes", citations=(Citation(kind="url", url="https://example.org"),), replay=replay),
            Refusal(text=", no."),
            ToolCall(id="srv", name="search", runner="provider"),
            ToolResult(call_id="srv", runner="provider"),
            Opaque(dialect="anthropic", kind="fallback", data={}),
            Media(kind="image", data="iVBORw0KGgo="),
            Text(text="Well."),
        ),
        tool_result(CALL, "broken", is_error=True),
    )
    assert body["input"] == [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "assistant", "content": "Yes, no."},
        {"type": "message", "role": "assistant", "content": "Well."},
        {"type": "function_call_output", "call_id": "call_1", "output": "broken"},
    ]
    assert _named(adaptations) == {
        ("messages[0].name", "dropped"),
        ("messages[0].extras.anthropic.a", "dropped"),
        ("messages[1].parts[0]", "dropped"),
        ("messages[1].parts[1]", "dropped"),
        ("messages[1].parts[2].citations", "dropped"),
        ("messages[1].parts[2].replay", "dropped"),
        ("messages[1].parts[3]", "substituted"),
        ("messages[1].parts[4]", "dropped"),
        ("messages[1].parts[5]", "dropped"),
        ("messages[1].parts[6]", "dropped"),
        ("messages[1].parts[7]", "dropped"),
        ("messages[2].parts[0].is_error", "dropped"),
    }
    assert any(entry.reason == "replay state of anthropic" for entry in adaptations)


def test_marks_for_the_cache_go_where_they_are_taken() -> None:
    marked = Text(text="Long.", cache=CacheHint(ttl="1h"))
    body, adaptations = _encoded(user(marked), assistant(marked))
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "Long."}]
    assert _named(adaptations) == {("messages[0].parts[0].cache", "dropped"), ("messages[1].parts[0].cache", "dropped")}
    body, adaptations = _encoded(user(marked), target=_host(cache_marks=True))
    assert body["input"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert _named(adaptations) == {("messages[0].parts[0].cache.ttl", "dropped")}


def test_tools_are_complete() -> None:
    body, adaptations = _encoded(
        user("Hi"),
        tools=(
            ToolDefinition(name="bare", cache=CacheHint()),
            ToolDefinition(name="full", description="d", input_schema={"type": "object"}, strict=True),
            Opaque(dialect="anthropic", kind="web_search", data={}),
        ),
    )
    assert body["tools"] == [
        {"type": "function", "name": "bare", "parameters": {"type": "object", "properties": {}}, "strict": False},
        {"type": "function", "name": "full", "description": "d", "parameters": {"type": "object"}, "strict": True},
    ]
    assert _named(adaptations) == {
        ("tools[0].input_schema", "defaulted"),
        ("tools[0].strict", "defaulted"),
        ("tools[0].cache", "dropped"),
        ("tools[2]", "dropped"),
    }


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ToolChoice(mode="auto"), "auto"),
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="required"), "required"),
        (ToolChoice(mode="named", names=("a",)), {"type": "function", "name": "a"}),
        (
            ToolChoice(mode="named", names=("a", "b")),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}],
            },
        ),
        (
            ToolChoice(mode="auto", names=("a",)),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "a"}]},
        ),
    ],
)
def test_every_choice_is_said(choice: ToolChoice, said: Any) -> None:
    body, adaptations = _encoded(user("Hi"), tool_choice=choice)
    assert body["tool_choice"] == said
    assert adaptations == ()


def test_one_call_at_a_time() -> None:
    body, _ = _encoded(user("Hi"), tool_choice=ToolChoice(parallel=False))
    assert body["parallel_tool_calls"] is False
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("budget", "effort"),
    [(0, "none"), (1_023, "low"), (2_048, "low"), (4_000, "medium"), (8_193, "high"), (30_000, "high")],
)
def test_a_budget_is_the_nearest_effort(budget: int, effort: str) -> None:
    body, adaptations = _encoded(user("Hi"), reasoning=ReasoningOptions(budget_tokens=budget))
    assert body["reasoning"] == {"effort": effort}
    assert _named(adaptations) == {("reasoning.budget_tokens", "substituted")}


def test_reasoning_is_asked_for_as_the_wire_can() -> None:
    body, adaptations = _encoded(user("Hi"), reasoning=ReasoningOptions(budget_tokens=-1))
    assert "reasoning" not in body
    assert adaptations == ()
    body, adaptations = _encoded(user("Hi"), reasoning=ReasoningOptions(effort="high", budget_tokens=9, visible=True))
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert _named(adaptations) == {("reasoning.budget_tokens", "dropped"), ("reasoning.visible", "substituted")}
    body, adaptations = _encoded(user("Hi"), reasoning=ReasoningOptions(effort="fierce", summary="poem"))
    assert body["reasoning"] == {"summary": "auto"}
    assert _named(adaptations) == {("reasoning.effort", "dropped"), ("reasoning.summary", "substituted")}


def test_encrypted_reasoning_is_asked_for_where_nothing_is_kept() -> None:
    included = ["reasoning.encrypted_content"]
    thinking = ReasoningOptions(effort="low")
    assert _encoded(user("Hi"), store=False, reasoning=thinking)[0]["include"] == included
    assert _encoded(user("Hi"), target=_host(stateless=True))[0]["include"] == included
    assert "include" not in _encoded(user("Hi"), store=False)[0]
    assert "include" not in _encoded(user("Hi"), store=False, reasoning=ReasoningOptions(effort="none"))[0]
    own = DIALECT.decode_request({"model": "m", "input": "Hi", "store": False, "reasoning": {"effort": "low"}}, OPENAI)
    assert "include" not in DIALECT.encode_request(own, _host(stateless=True)).body


def test_settings_that_the_wire_lacks_are_named_and_others_fitted() -> None:
    body, adaptations = _encoded(
        user("Hi"),
        max_tokens=5,
        temperature=3.0,
        top_p=0.5,
        top_k=4,
        top_logprobs=30,
        seed=1,
        stop=("END",),
        presence_penalty=0.5,
        frequency_penalty=0.5,
        choices=2,
        modalities=("text", "audio"),
        metadata={"a": "b", "n": 1},
        service_tier="standard_only",
        user="ann",
        cache_key="k",
        output=OutputFormat(type="json_schema", schema={"type": "object"}),
    )
    assert body | {"input": None} == {
        "model": "m",
        "input": None,
        "max_output_tokens": 16,
        "temperature": 2,
        "top_p": 0.5,
        "top_logprobs": 20,
        "metadata": {"a": "b", "n": "1"},
        "user": "ann",
        "prompt_cache_key": "k",
        "text": {"format": {"type": "json_schema", "name": "output", "schema": {"type": "object"}}},
    }
    assert _named(adaptations) == {
        ("max_tokens", "clamped"),
        ("temperature", "clamped"),
        ("top_logprobs", "clamped"),
        ("top_k", "dropped"),
        ("seed", "dropped"),
        ("stop", "dropped"),
        ("presence_penalty", "dropped"),
        ("frequency_penalty", "dropped"),
        ("choices", "dropped"),
        ("modalities", "dropped"),
        ("metadata.n", "substituted"),
        ("service_tier", "dropped"),
        ("output.name", "defaulted"),
    }


def test_a_host_that_takes_more_is_given_more() -> None:
    host = _host(accepted=("top_k", "seed", "stop"), least_max_tokens=1)
    body, adaptations = _encoded(user("Hi"), target=host, top_k=4, seed=1, stop=("END",), max_tokens=5)
    assert (body["top_k"], body["seed"], body["stop"], body["max_output_tokens"]) == (4, 1, ["END"], 5)
    assert adaptations == ()


def test_results_of_this_wires_own_tools_have_their_own_form() -> None:
    items: list[JSON] = [
        {"type": "computer_call", "id": "cu_1", "call_id": "a", "action": {"type": "screenshot"}},
        {"type": "local_shell_call", "id": "l_1", "call_id": "b", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "shell_call", "id": "s_1", "call_id": "c", "action": {"commands": ["ls"]}},
        {"type": "apply_patch_call", "id": "p_1", "call_id": "d", "operation": {"type": "delete_file"}},
    ]
    request = DIALECT.decode_request({"model": "m", "input": items}, OPENAI)
    screenshot, local, shell, patch = request.messages[0].tool_calls
    answers = (
        tool_result(screenshot, [Media(kind="image", data="iVBORw0KGgo=", media_type="image/png")]),
        tool_result(local, "a"),
        tool_result(shell, "a", is_error=True),
        tool_result(patch, "done"),
    )
    encoded = DIALECT.encode_request(replace(request, messages=(*request.messages, *answers)), OPENAI)
    assert encoded.body["input"][4:] == [
        {
            "type": "computer_call_output",
            "call_id": "a",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        },
        {"type": "local_shell_call_output", "id": "b", "output": "a"},
        {
            "type": "shell_call_output",
            "call_id": "c",
            "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 1}}],
        },
        {"type": "apply_patch_call_output", "call_id": "d", "status": "completed", "output": "done"},
    ]


def test_a_tool_message_without_a_call_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="tool_result"):
        _encoded(Message("tool", "21"))
