"""What the upstream answers, and what clients ask: one small chat, and one with tools that has to be translated."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["ANTHROPIC_ANSWER", "CHAT_ANSWER", "MODEL", "TRANSLATED_MODEL", "chat", "tool_chat"]

MODEL = "gpt-4o"
TRANSLATED_MODEL = "claude-sonnet-4-5"

CHAT_ANSWER = json.dumps(
    {
        "id": "chatcmpl-CdvAqx1pNbH2SBZZPnJvFvYyO7vhG",
        "object": "chat.completion",
        "created": 1_763_622_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello there, how can I help you today?", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19},
    },
    separators=(",", ":"),
).encode()

ANTHROPIC_ANSWER = json.dumps(
    {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": TRANSLATED_MODEL,
        "content": [
            {"type": "text", "text": "Let me look that up."},
            {
                "type": "tool_use",
                "id": "toolu_01D7FLrfh4GYq7yT1ULFeyMV",
                "name": "weather",
                "input": {"city": "Istanbul", "unit": "celsius"},
            },
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 420, "output_tokens": 31},
    },
    separators=(",", ":"),
).encode()

_WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    },
}


def chat(model: str = MODEL, *, size_bytes: int = 0, stream: bool = False) -> bytes:
    """A small chat, or one whose prompt has this size."""
    filler = "".join(f" word{index}" for index in range(size_bytes // 8 + 1))[:size_bytes]
    body = {"model": model, "messages": [{"role": "user", "content": f"Say hello.{filler}"}]}
    return json.dumps({**body, "stream": True} if stream else body, separators=(",", ":")).encode()


def tool_chat() -> bytes:
    """A chat with two tools and a past call, for a provider of another dialect."""
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ankara"}'}}
    function: dict[str, Any] = {**_WEATHER["function"], "name": "time", "description": "The time in a city."}
    time = {"type": "function", "function": function}
    return json.dumps(
        {
            "model": TRANSLATED_MODEL,
            "messages": [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": "What is the weather in Ankara?"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "17 degrees, clear"},
                {"role": "user", "content": "And in Istanbul?"},
            ],
            "tools": [_WEATHER, time],
            "tool_choice": "auto",
            "max_tokens": 512,
        },
        separators=(",", ":"),
    ).encode()
