"""Requests of Ollama's own API: they survive decoding and encoding, and others are fitted to what it can say."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects import load
from dragoman.errors import InvalidRequest
from dragoman.values import (
    Media,
    Message,
    MessageRole,
    OutputFormat,
    Quirks,
    Reasoning,
    ReasoningOptions,
    Replay,
    Request,
    Target,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    assistant,
    replace,
    tool_result,
    user,
)
from dragoman.values.quirks import OllamaQuirks

OLLAMA = load("ollama")
TARGET = Target(provider="ollama", issuer="ollama", model="m")
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}

BODIES: dict[str, dict[str, Any]] = {
    "bare": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "unstreamed": {"model": "m", "messages": [], "stream": False},
    "explicit nothings": {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi", "images": None}],
        "stream": None,
        "tools": [],
        "format": "",
        "options": {},
        "keep_alive": None,
        "think": None,
    },
    "settings": {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "options": {
            "num_predict": 50,
            "temperature": 0,
            "top_p": 0.5,
            "top_k": 40,
            "seed": 7,
            "stop": "END",
            "num_ctx": 8192,
            "repeat_penalty": 1.1,
            "presence_penalty": 0.5,
        },
        "keep_alive": "10m",
        "logprobs": True,
        "top_logprobs": 3,
        "truncate": False,
    },
    "numbers of other types": {"model": "m", "messages": [], "options": {"num_predict": 50.0, "seed": 1.0}},
    "without end": {"model": "m", "messages": [], "options": {"num_predict": -1}},
    "a list of stops": {"model": "m", "messages": [], "options": {"stop": ["a", "b"]}},
    "json": {"model": "m", "messages": [], "format": "json"},
    "a schema": {"model": "m", "messages": [], "format": {"type": "object", "properties": {"a": {}}}},
    "thinking": {"model": "m", "messages": [], "think": True},
    "no thinking": {"model": "m", "messages": [], "think": False},
    "a level": {"model": "m", "messages": [], "think": "high"},
    "an unknown level": {"model": "m", "messages": [], "think": "ultra"},
    "a conversation with tools": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Look", "images": ["aGk="]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "Hm.",
                "tool_calls": [
                    {"function": {"name": "f", "arguments": {"a": 1}}},
                    {"id": "call_9", "function": {"index": 1, "name": "g", "arguments": {}}, "type": "function"},
                ],
            },
            {"role": "tool", "content": "21", "tool_name": "f"},
            {"role": "tool", "content": "22", "tool_call_id": "call_9", "tool_name": "g"},
            {"role": "control", "content": "thinking"},
        ],
        "tools": [TOOL, {"type": "other", "other": {}}, {"function": {"name": "bare"}}],
        "stream": True,
    },
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_request_survives(body: dict[str, Any]) -> None:
    encoded = OLLAMA.encode_request(OLLAMA.decode_request(body, TARGET), TARGET)
    assert encoded.body == body
    assert encoded.adaptations == ()
    assert encoded.path == "/chat"


def test_settings_stand_in_fields() -> None:
    request = OLLAMA.decode_request(BODIES["settings"], TARGET)
    assert (request.max_tokens, request.temperature, request.top_k, request.seed) == (50, 0, 40, 7)
    assert request.stop == ("END",)
    assert request.stream
    assert not OLLAMA.decode_request(BODIES["unstreamed"], TARGET).stream


def test_results_answer_the_calls_that_they_name_or_follow() -> None:
    request = OLLAMA.decode_request(BODIES["a conversation with tools"], TARGET)
    calls = request.messages[2].tool_calls
    results = [part for message in request.messages for part in message.parts if isinstance(part, ToolResult)]
    assert [result.call_id for result in results] == [call.id for call in calls]
    assert calls[1].id == "call_9"
    assert all(call.id for call in calls)


def test_results_without_names_answer_in_order() -> None:
    calls: list[Any] = [{"function": {"name": name, "arguments": {}}} for name in ("f", "g")]
    results = [{"role": "tool", "content": content} for content in ("1", "2", "3")]
    body: Any = {"model": "m", "messages": [{"role": "assistant", "content": "", "tool_calls": calls}, *results]}
    request = OLLAMA.decode_request(body, TARGET)
    ids = [part.call_id for message in request.messages[1:] for part in message.parts if isinstance(part, ToolResult)]
    assert ids[:2] == [call.id for call in request.messages[0].tool_calls]
    assert len(set(ids)) == 3
    assert OLLAMA.encode_request(request, TARGET).body == body


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": []}, "model"),
        ({"model": "m", "messages": "Hi"}, "messages"),
        ({"model": "m", "messages": [{"role": "user", "content": ["Hi"]}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "images": [1]}]}, "messages[0].images"),
        ({"model": "m", "options": {"temperature": "hot"}}, "options.temperature"),
        ({"model": "m", "options": {"stop": [1]}}, "options.stop"),
        ({"model": "m", "format": 7}, "format"),
        ({"model": "m", "think": 7}, "think"),
        ({"model": "m", "stream": "yes"}, "stream"),
    ],
)
def test_a_wrong_request_is_refused_by_its_member(body: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        OLLAMA.decode_request(body, TARGET)
    assert caught.value.path == path


# -- from elsewhere ----------------------------------------------------------------------------------------------------


def _said(*messages: Message, **settings: Any) -> tuple[dict[str, Any], set[str]]:
    encoded = OLLAMA.encode_request(Request(model="m", messages=messages, **settings), TARGET)
    return encoded.body, {f"{entry.path} {entry.action}" for entry in encoded.adaptations}


def test_streaming_is_always_said_for_callers_of_other_wires() -> None:
    assert _said(user("Hi"))[0]["stream"] is False
    assert _said(user("Hi"), stream=True)[0]["stream"] is True


@pytest.mark.parametrize(
    ("options", "think", "adapted"),
    [
        (ReasoningOptions(effort="none"), False, set[str]()),
        (ReasoningOptions(effort="high"), "high", set[str]()),
        (ReasoningOptions(effort="minimal"), "low", {"reasoning.effort substituted"}),
        (ReasoningOptions(budget_tokens=0), False, set[str]()),
        (ReasoningOptions(budget_tokens=-1), True, set[str]()),
        (ReasoningOptions(budget_tokens=2000), True, {"reasoning.budget_tokens substituted"}),
        (ReasoningOptions(effort="odd"), None, {"reasoning.effort dropped"}),
        (
            ReasoningOptions(visible=False, summary="auto"),
            None,
            {"reasoning.visible dropped", "reasoning.summary dropped"},
        ),
    ],
)
def test_thinking_is_said_as_the_wire_can(options: ReasoningOptions, think: object, adapted: set[str]) -> None:
    body, noted = _said(user("Hi"), reasoning=options)
    assert body.get("think") == think
    assert noted == adapted


def test_tools_that_may_not_be_chosen_are_left_out() -> None:
    tools = (ToolDefinition(name="f", input_schema={"type": "object"}), ToolDefinition(name="g", strict=True))
    body, noted = _said(user("Hi"), tools=tools, tool_choice=ToolChoice(mode="named", names=("g",), parallel=False))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert {
        "tools[0] dropped",
        "tool_choice dropped",
        "tool_choice.parallel dropped",
        "tools[1].strict dropped",
    } <= noted
    assert "tools" not in _said(user("Hi"), tools=tools, tool_choice=ToolChoice(mode="none"))[0]


def test_a_round_of_tools_has_ids_on_both_sides() -> None:
    call = ToolCall(id="call_1", name="f", arguments_text='{"a":1}')
    body, noted = _said(user("Hi"), assistant("Looking.", call), tool_result(call, "21"))
    assert body["messages"][1]["tool_calls"] == [{"id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}}]
    assert body["messages"][2] == {"role": "tool", "content": "21", "tool_name": "f", "tool_call_id": "call_1"}
    assert noted == set()


def test_results_among_words_become_messages_of_their_own() -> None:
    call = ToolCall(id="c", name="f", arguments_text="not JSON")
    result = tool_result(call, ["21", Media(kind="image", data="aGk=")])
    mixed = Message(MessageRole.USER, parts=(*result.parts, *user("Well?").parts))
    body, noted = _said(assistant(call), mixed)
    assert [message["role"] for message in body["messages"]] == ["assistant", "tool", "user"]
    assert body["messages"][1]["images"] == ["aGk="]
    assert body["messages"][0]["tool_calls"][0]["function"]["arguments"] == {"input": "not JSON"}
    assert {"messages[1].role substituted", "messages[0].parts[0].arguments_text substituted"} <= noted


def test_what_the_wire_has_not_is_named() -> None:
    media = (Media(kind="image", url="https://example.org/a.png"), Media(kind="audio", data="AA=="))
    body, noted = _said(
        Message("user", ("Look", *media), name="ann"),
        Message("developer", "Be brief."),
        choices=2,
        user="user-1",
        output=OutputFormat(type="json_schema", schema={"type": "object"}, name="n"),
    )
    assert body["messages"][0] == {"role": "user", "content": "Look"}
    assert body["messages"][1]["role"] == "system"
    assert body["format"] == {"type": "object"}
    assert noted == {
        "messages[0].name dropped",
        "messages[0].parts[1] dropped",
        "messages[0].parts[2] dropped",
        "messages[1].role substituted",
        "choices dropped",
        "user dropped",
        "output.name dropped",
    }


def test_thoughts_go_to_their_issuer_alone() -> None:
    request = OLLAMA.decode_request(BODIES["a conversation with tools"], TARGET)
    other = OLLAMA.encode_request(request, replace(TARGET, issuer="another"))
    assert "thinking" not in other.body["messages"][2]
    assert [entry.path for entry in other.adaptations] == ["messages[2].parts[0]"]
    foreign = Reasoning(text="Hm.", replay=(Replay(issuer="x", dialect="anthropic", kind="signature", data="s"),))
    assert "thinking" not in _said(assistant(foreign, "Hi"))[0]["messages"][0]


def test_what_a_host_refuses_is_left_out() -> None:
    target = replace(TARGET, quirks=Quirks(ollama=OllamaQuirks(refused=("think", "top_k"))))
    request = Request(model="m", messages=(user("Hi"),), top_k=4, reasoning=ReasoningOptions(effort="low"))
    encoded = OLLAMA.encode_request(request, target)
    assert "think" not in encoded.body
    assert "options" not in encoded.body or "top_k" not in encoded.body["options"]
    assert {entry.path for entry in encoded.adaptations} == {"reasoning", "top_k"}
