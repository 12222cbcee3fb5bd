"""What Anthropic's messages refuse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from dragoman.testing.refusals.cache_marks import cache_marks
from dragoman.testing.refusals.row import Found, Refusal, above, missing, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
LEAST_THINKING_TOKENS = 1024


def _no_messages(body: JsonObject) -> Found | None:
    if body.get("messages") == []:
        return "messages", "messages: at least one message is required"
    return None


def _no_tokens(body: JsonObject) -> Found | None:
    most: Any = body.get("max_tokens")
    if isinstance(most, int) and most < 1:
        return "max_tokens", "max_tokens: Input should be greater than or equal to 1"
    return None


def _roles(body: JsonObject) -> Found | None:
    for index, message in enumerate(objects(body, "messages")):
        if message.get("role") not in ("user", "assistant"):
            return f"messages.{index}.role", f"messages.{index}.role: Input should be 'user' or 'assistant'"
    return None


def _begins_with_assistant(body: JsonObject) -> Found | None:
    messages = objects(body, "messages")
    if messages and messages[0].get("role") == "assistant":
        return "messages.0.role", 'messages: first message must use the "user" role'
    return None


def _alternation(body: JsonObject) -> Found | None:
    messages = objects(body, "messages")
    for index in range(1, len(messages)):
        if messages[index].get("role") == messages[index - 1].get("role") == "assistant":
            return (
                f"messages.{index}.role",
                'messages: roles must alternate between "user" and "assistant", but found multiple "assistant" roles '
                "in a row",
            )
    return None


def _empty(body: JsonObject) -> Found | None:
    messages = objects(body, "messages")
    for index, message in enumerate(messages):
        last_assistant = index == len(messages) - 1 and message.get("role") == "assistant"
        if message.get("content") in ("", []) and not last_assistant:
            return f"messages.{index}", f"messages.{index}: all messages must have non-empty content"
        for block in _blocks(message, "text"):
            if not block.get("text"):
                return f"messages.{index}", "messages: text content blocks must be non-empty"
    return None


def _blocks(message: JsonObject, kind: str) -> list[JsonObject]:
    return [block for block in objects(message, "content") if block.get("type") == kind]


def _unpaired(body: JsonObject) -> Found | None:
    """The message after one with `tool_use` holds a result for each of them, and no other results."""
    expected: set[Any] = set()
    messages = objects(body, "messages")
    for index, message in enumerate(messages):
        given = [block.get("tool_use_id") for block in _blocks(message, "tool_result")]
        for call_id in given:
            if call_id not in expected:
                return (
                    f"messages.{index}.content",
                    f"messages.{index}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. "
                    "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
                )
        if expected - set(given):
            left = ", ".join(sorted(map(str, expected - set(given))))
            return (
                f"messages.{index}",
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {left}.",
            )
        expected = {block.get("id") for block in _blocks(message, "tool_use")}
    if expected:
        return "messages", "messages: `tool_use` blocks at the end without `tool_result` blocks after them."
    return None


def _call_ids(body: JsonObject) -> Found | None:
    for index, message in enumerate(objects(body, "messages")):
        for block in _blocks(message, "tool_use"):
            if not _CALL_ID.match(str(block.get("id"))):
                return (
                    f"messages.{index}.content",
                    f"messages.{index}.content: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
                )
            if not isinstance(block.get("input"), dict):
                return f"messages.{index}.content", "tool_use.input: Input should be a valid dictionary"
    return None


def _tools(body: JsonObject) -> Found | None:
    for index, tool in enumerate(objects(body, "tools")):
        if not _TOOL_NAME.match(str(tool.get("name") or "")):
            return f"tools.{index}.name", f"tools.{index}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        if tool.get("type") in (None, "custom") and not isinstance(tool.get("input_schema"), dict):
            return f"tools.{index}.input_schema", f"tools.{index}.custom.input_schema: Field required"
        if tool.get("type") in (None, "custom") and tool["input_schema"].get("type") != "object":
            return f"tools.{index}.input_schema", f"tools.{index}.custom.input_schema.type: Field required"
    return None


def _thinking(body: JsonObject) -> Found | None:
    thinking: Any = body.get("thinking")
    if not isinstance(thinking, dict):
        return None
    budget: Any = cast("JsonObject", thinking).get("budget_tokens")
    if not isinstance(budget, int):
        return None
    if budget < LEAST_THINKING_TOKENS:
        return "thinking", "thinking.budget_tokens: Input should be greater than or equal to 1024"
    if isinstance(body.get("max_tokens"), int) and body["max_tokens"] <= budget:
        return "max_tokens", "`max_tokens` must be greater than `thinking.budget_tokens`."
    return None


ROWS = (
    Refusal("model, max_tokens and messages are there", missing("model", "max_tokens", "messages")),
    Refusal("at least one token may be said", _no_tokens),
    Refusal("there is a message", _no_messages),
    Refusal("only users and assistants speak", _roles),
    Refusal("a user speaks first", _begins_with_assistant),
    Refusal("no two assistant turns stand in a row", _alternation),
    Refusal("messages and texts are not empty", _empty),
    Refusal("calls and results are paired", _unpaired),
    Refusal("call ids and inputs have their form", _call_ids),
    Refusal("a tool has a name and a schema of an object", _tools),
    Refusal("thinking has a budget that fits", _thinking),
    Refusal("temperature and top_p lie between 0 and 1", above(1, "temperature", "top_p")),
    cache_marks("cache_control", "tools", "system", "messages"),
)
