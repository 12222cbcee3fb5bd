"""Hosts that refuse what they do not know, such as Mistral, are told what they know, and the rest is recorded."""

from __future__ import annotations

from typing import Any

from dragoman.catalogue import find
from dragoman.dialects import load
from dragoman.values import (
    Media,
    Message,
    ReasoningOptions,
    Refusal,
    Request,
    Target,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    assistant,
    replace,
    tool_result,
    user,
)

CHAT = load("openai-chat")
TARGET = Target(provider="mistral", issuer="mistral", model="m", quirks=find("mistral").quirks)


def _said(*messages: Message, **settings: Any) -> tuple[dict[str, Any], set[str]]:
    encoded = CHAT.encode_request(Request(model="m", messages=messages, **settings), TARGET)
    return encoded.body, {f"{entry.path} {entry.action}" for entry in encoded.adaptations}


def test_media_stand_in_parts_of_mistrals_own() -> None:
    body, _ = _said(
        user(
            Media(kind="document", url="https://example.org/a.pdf", name="a.pdf"),
            Media(kind="document", data="JVBERi0xLjQK", media_type="application/pdf"),
            Media(kind="audio", data="UklGRg==", media_type="audio/wav"),
            Media(kind="audio", url="https://example.org/a.mp3"),
        )
    )
    assert body["messages"][0]["content"] == [
        {"type": "document_url", "document_url": "https://example.org/a.pdf", "document_name": "a.pdf"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0xLjQK"},
        {"type": "input_audio", "input_audio": "UklGRg=="},
        {"type": "input_audio", "input_audio": "https://example.org/a.mp3"},
    ]


def test_a_document_in_its_address_is_its_data() -> None:
    url = "data:application/pdf;base64,JVBERi0xLjQK"
    part = {"type": "document_url", "document_url": url, "document_name": "a.pdf"}
    body = {"model": "m", "messages": [{"role": "user", "content": [part]}]}
    request = CHAT.decode_request(body, TARGET)
    (media,) = request.messages[0].parts
    assert isinstance(media, Media)
    assert (media.data, media.media_type, media.name) == ("JVBERi0xLjQK", "application/pdf", "a.pdf")
    assert CHAT.encode_request(request, TARGET).body == body


def test_calls_and_refusals_are_said_as_functions_and_text() -> None:
    call = ToolCall(id="call_1", name="run", arguments_text="print(1)", input="text")
    body, noted = _said(Message("user", "Hi", name="ann"), assistant(Refusal(text="No."), call), tool_result(call, "1"))
    assert "name" not in body["messages"][0]
    said = body["messages"][1]
    assert said["content"] == "No."
    (wire,) = said["tool_calls"]
    assert wire["function"] == {"name": "run", "arguments": '{"input":"print(1)"}'}
    assert wire["type"] == "function"
    assert len(wire["id"]) == 9
    assert body["messages"][2]["tool_call_id"] == wire["id"]
    assert {
        "messages[0].name dropped",
        "messages[1].parts[0] substituted",
        "messages[1].parts[1].arguments_text substituted",
    } <= noted


def test_tools_have_schemas_and_are_chosen_by_leaving_others_out() -> None:
    tools = tuple(ToolDefinition(name=name) for name in "fgh")
    body, noted = _said(user("Hi"), tools=tools, tool_choice=ToolChoice(mode="named", names=("f", "h")))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "h"]
    assert all("parameters" in tool["function"] for tool in body["tools"])
    assert body["tool_choice"] == "required"
    assert {"tool_choice emulated", "tools[0].input_schema defaulted"} <= noted


def test_words_and_numbers_beyond_the_hosts_are_mended() -> None:
    body, noted = _said(
        user("Hi"), temperature=1.9, service_tier="flex", reasoning=ReasoningOptions(effort="max"), seed=7
    )
    assert (body["temperature"], body["reasoning_effort"], body["random_seed"]) == (1.5, "xhigh", 7)
    assert "service_tier" not in body
    assert noted == {"temperature clamped", "service_tier dropped", "reasoning.effort substituted"}
    odd, _ = _said(user("Hi"), reasoning=ReasoningOptions(effort="odd"))
    assert "reasoning_effort" not in odd


def test_what_a_client_of_mistral_says_survives() -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True},
                    {"type": "text", "text": "I"},
                ],
                "prefix": True,
            },
        ],
        "random_seed": 4,
        "safe_prompt": True,
        "prompt_mode": "reasoning",
        "tool_choice": "any",
    }
    encoded = CHAT.encode_request(CHAT.decode_request(body, TARGET), replace(TARGET))
    assert {**encoded.body, "tool_choice": "any"} == body
    assert encoded.body["messages"][1]["prefix"] is True
