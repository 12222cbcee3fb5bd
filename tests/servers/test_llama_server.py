"""What the real llama.cpp server says on the wire, so that a test that drives it knows what it drives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from examples.llama_server import running_llama_server
from examples.tiny_model import MODEL_NAME, ONE_TOOL_CALL, write_tiny_model
from tests.servers.plain_http import post

QUESTION = [{"role": "user", "content": "What is a dragoman?"}]
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 12},
        "bridges": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["city", "bridges"],
    "additionalProperties": False,
}


def test_the_model_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (write_tiny_model(tmp_path / name).read_bytes() for name in ("a.gguf", "b.gguf"))
    assert first == second
    assert 400_000 < len(first) < 800_000


def test_chat_completion(llama_server: str) -> None:
    answer = post(f"{llama_server}/v1/chat/completions", {"messages": QUESTION, "max_tokens": 8, "model": MODEL_NAME})
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"]
    assert 1 <= answer.json["usage"]["completion_tokens"] <= 8


def test_chat_stream(llama_server: str) -> None:
    body = {"messages": QUESTION, "max_tokens": 8, "stream": True, "stream_options": {"include_usage": True}}
    answer = post(f"{llama_server}/v1/chat/completions", body)
    assert answer.data_lines[-1] == "[DONE]"
    assert answer.events[-1]["usage"]["prompt_tokens"] > 0
    finishes = [choice["finish_reason"] for event in answer.events for choice in event["choices"]]
    assert finishes[-1] in ("stop", "length")
    assert set(finishes[:-1]) == {None}


def test_chat_schema_output(llama_server: str) -> None:
    response_format = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
    body = {"messages": QUESTION, "max_tokens": 400, "response_format": response_format}
    place = json.loads(post(f"{llama_server}/v1/chat/completions", body).json["choices"][0]["message"]["content"])
    assert place.keys() == {"city", "bridges"}
    assert isinstance(place["bridges"], int)


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_chat_tool_call(llama_server: str, choice: str) -> None:
    body: dict[str, object] = {
        "messages": QUESTION,
        "max_tokens": 400,
        "tools": [{"type": "function", "function": {"name": "visit", "description": "Visit", "parameters": SCHEMA}}],
        "tool_choice": choice,
        "logit_bias": ONE_TOOL_CALL,
    }
    answered = post(f"{llama_server}/v1/chat/completions", body).json["choices"][0]
    assert answered["finish_reason"] == "tool_calls"
    (call,) = answered["message"]["tool_calls"]
    assert call["function"]["name"] == "visit"
    assert json.loads(call["function"]["arguments"]).keys() == {"city", "bridges"}
    events = post(f"{llama_server}/v1/chat/completions", body | {"stream": True}).events
    pieces = [call for event in events for call in event["choices"][0]["delta"].get("tool_calls", [])]
    assert pieces[0]["function"]["name"] == "visit"
    arguments = "".join(piece["function"].get("arguments", "") for piece in pieces)
    assert json.loads(arguments).keys() == {"city", "bridges"}


def test_responses(llama_server: str) -> None:
    body = {"input": "What is a dragoman?", "max_output_tokens": 8}
    answer = post(f"{llama_server}/v1/responses", body).json
    assert answer["object"] == "response"
    assert answer["output"][0]["content"][0]["type"] == "output_text"
    assert answer["usage"]["output_tokens"] <= 8


def test_responses_stream(llama_server: str) -> None:
    body = {"input": "What is a dragoman?", "max_output_tokens": 8, "stream": True}
    events = post(f"{llama_server}/v1/responses", body).events
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text


def test_anthropic_messages(llama_server: str) -> None:
    answer = post(f"{llama_server}/v1/messages", {"messages": QUESTION, "max_tokens": 8, "model": MODEL_NAME}).json
    assert answer["type"] == "message"
    assert answer["content"][0]["type"] == "text"
    assert answer["stop_reason"] in ("end_turn", "max_tokens")


def test_anthropic_stream(llama_server: str) -> None:
    body = {"messages": QUESTION, "max_tokens": 8, "model": MODEL_NAME, "stream": True}
    events: list[dict[str, Any]] = post(f"{llama_server}/v1/messages", body).events
    assert [event["type"] for event in events if "delta" not in event["type"]] == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_stop",
    ]


def test_an_error_is_an_object_with_a_code(llama_server: str) -> None:
    answer = post(f"{llama_server}/v1/chat/completions", {"messages": "none"})
    assert (answer.status, answer.json["error"]["code"]) == (400, 400)


def test_two_servers_do_not_meet() -> None:
    with running_llama_server() as first, running_llama_server() as second:
        assert first != second
