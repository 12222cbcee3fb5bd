"""What Amazon Bedrock's Converse refuses, whichever model it asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from dragoman.testing.refusals.cache_marks import cache_marks
from dragoman.testing.refusals.row import Found, Refusal, above, missing, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")


def _no_messages(body: JsonObject) -> Found | None:
    return ("messages", "messages: a conversation must have at least one message.") if body["messages"] == [] else None


def _roles(body: JsonObject) -> Found | None:
    for index, message in enumerate(objects(body, "messages")):
        if message.get("role") not in ("user", "assistant"):
            return f"messages.{index}.role", "Member must satisfy enum value set: [user, assistant]"
    return None


def _begins_with_user(body: JsonObject) -> Found | None:
    messages = objects(body, "messages")
    if messages and messages[0].get("role") == "assistant":
        return "messages.0.role", "A conversation must start with a user message."
    return None


def _alternation(body: JsonObject) -> Found | None:
    messages = objects(body, "messages")
    for index in range(1, len(messages)):
        if messages[index].get("role") == messages[index - 1].get("role"):
            return f"messages.{index}.role", "A conversation must alternate between user and assistant roles."
    return None


def _empty(body: JsonObject) -> Found | None:
    for index, message in enumerate(objects(body, "messages")):
        if not objects(message, "content"):
            return f"messages.{index}", f"The content field in the Message object at messages.{index} is empty."
        for place, block in enumerate(objects(message, "content")):
            if block.get("text") == "":
                where = f"messages.{index}.content.{place}"
                return where, f"The text field in the ContentBlock object at {where} is blank."
    return None


def _ids(message: JsonObject, member: str) -> set[str]:
    held = [block.get(member) for block in objects(message, "content")]
    return {str(cast("JsonObject", one).get("toolUseId")) for one in held if isinstance(one, dict)}


def _unpaired(body: JsonObject) -> Found | None:
    """The message after one with `toolUse` holds a result for each of them, and no other results."""
    expected: set[str] = set()
    for index, message in enumerate(objects(body, "messages")):
        given = _ids(message, "toolResult")
        if given - expected:
            return f"messages.{index}.content", (
                f"The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        if expected - given:
            left = ", ".join(sorted(expected - given))
            return f"messages.{index}.content", (
                f"Expected toolResult blocks at messages.{index}.content for the following Ids: {left}"
            )
        expected = _ids(message, "toolUse")
    return None


def _tools_unsaid(body: JsonObject) -> Found | None:
    used = any(_ids(message, "toolUse") | _ids(message, "toolResult") for message in objects(body, "messages"))
    if used and not body.get("toolConfig"):
        return "toolConfig", ("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    return None


def _tools(body: JsonObject) -> Found | None:
    config: Any = body.get("toolConfig")
    if config is None:
        return None
    tools = objects(config, "tools")
    if not tools:
        return "toolConfig.tools", "toolConfig.tools: Member must have length greater than or equal to 1"
    for index, tool in enumerate(tools):
        specification: Any = tool.get("toolSpec")
        if isinstance(specification, dict):
            held = cast("JsonObject", specification)
            if not _TOOL_NAME.match(str(held.get("name") or "")) or not held.get("inputSchema"):
                return f"toolConfig.tools.{index}.toolSpec", "toolSpec: a name and an inputSchema are required"
    return None


def _inference(body: JsonObject) -> Found | None:
    config: Any = body.get("inferenceConfig")
    if not isinstance(config, dict):
        return None
    held = cast("JsonObject", config)
    if isinstance(held.get("maxTokens"), int) and held["maxTokens"] < 1:
        return "inferenceConfig.maxTokens", "maxTokens: Member must have value greater than or equal to 1"
    found = above(1, "temperature", "topP")(held)
    return (f"inferenceConfig.{found[0]}", found[1]) if found else None


ROWS = (
    Refusal("messages are there", missing("messages")),
    Refusal("there is a message", _no_messages),
    Refusal("only users and assistants speak", _roles),
    Refusal("a user speaks first", _begins_with_user),
    Refusal("users and assistants take turns", _alternation),
    Refusal("contents and texts are not empty", _empty),
    Refusal("calls and results are paired", _unpaired),
    Refusal("tools are said where they were used", _tools_unsaid),
    Refusal("a tool has a name and a schema", _tools),
    Refusal("the settings of inference lie in their ranges", _inference),
    cache_marks("cachePoint", "toolConfig", "system", "messages"),
)
