"""Rules of the wires that no schema states: a call is answered where its wire wants it, and texts are not empty.

Sources: Anthropic, "Handle tool calls" (results first, in the message after the call); OpenAI, "Function calling" (tool
messages follow the assistant's message); Gemini, "Function calling" (as many responses as calls, in the next turn);
Amazon Bedrock, "Call a tool with the Converse API" and the errors of its API (turns alternate, texts are not blank).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dragoman.values import Request, ToolCall, ToolResult

__all__ = ["pairing_problems", "self_contained"]

_Objects = list[dict[str, Any]]


def self_contained(request: Request) -> bool:
    """Whether every result answers a call of the same request; the provider may keep the rest of a conversation."""
    parts = [part for message in request.messages for part in message.parts]
    called = {part.id for part in parts if isinstance(part, ToolCall)}
    return all(part.call_id in called for part in parts if isinstance(part, ToolResult))


def pairing_problems(dialect: str, body: dict[str, Any]) -> list[str]:
    """What a request breaks; nothing when it keeps the rules."""
    if dialect == "bedrock":
        return list(_bedrock(body["messages"]))
    if dialect == "anthropic":
        return list(_anthropic(body["messages"]))
    if dialect in ("openai-chat", "cohere"):
        return list(_chat(body["messages"]))
    if dialect == "openai-responses":
        return list(_responses(body.get("input") or []))
    return list(_gemini(body.get("contents") or []))


def _blocks(content: Any) -> _Objects:
    return cast("_Objects", content) if isinstance(content, list) else [{"type": "text", "text": content}]


def _anthropic(messages: _Objects) -> Iterator[str]:
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        blocks = _blocks(message["content"])
        answers = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if set(answers) != open_calls:
            yield f"message {number} answers {sorted(answers)}, and open are {sorted(open_calls)}"
        if any(block["type"] != "tool_result" for block in blocks[: len(answers)]):
            yield f"message {number}: results do not come first"
        if any(block["type"] == "text" and not block["text"] for block in blocks):
            yield f"message {number} holds an empty text"
        if not blocks:
            yield f"message {number} is empty"
        open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}


def _bedrock(messages: _Objects) -> Iterator[str]:
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        blocks = cast("_Objects", message["content"])
        if message["role"] != ("user", "assistant")[number % 2]:
            yield f"message {number} is of {message['role']}: turns alternate, and the user begins"
        answers = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
        if set(answers) != open_calls:
            yield f"message {number} answers {sorted(answers)}, and open are {sorted(open_calls)}"
        if any("toolResult" not in block for block in blocks[: len(answers)]):
            yield f"message {number}: results do not come first"
        if any(not block["text"].strip() for block in blocks if "text" in block) or not blocks:
            yield f"message {number} holds a blank text, or nothing"
        open_calls = {block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block}


def _chat(messages: _Objects) -> Iterator[str]:
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"message {number} answers {message['tool_call_id']!r}, which is not open"
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            yield f"message {number} comes while {sorted(open_calls)} are open"
        open_calls = {call["id"] for call in message.get("tool_calls") or ()}


def _responses(items: Any) -> Iterator[str]:
    called: set[str] = set()
    for number, item in enumerate(cast("_Objects", items) if isinstance(items, list) else []):
        kind = item.get("type")
        if kind in ("function_call", "custom_tool_call"):
            called.add(item["call_id"])
        elif kind in ("function_call_output", "custom_tool_call_output") and item["call_id"] not in called:
            yield f"item {number} answers {item['call_id']!r}, which nothing called"


def _gemini(contents: _Objects) -> Iterator[str]:
    open_calls: list[str] = []
    for number, content in enumerate(contents):
        parts = cast("_Objects", content.get("parts") or [])
        answered = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        if sorted(answered) != sorted(open_calls):
            yield f"content {number} answers {answered}, and open are {open_calls}"
        if not parts:
            yield f"content {number} is empty"
        open_calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
