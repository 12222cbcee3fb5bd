"""What OpenAI's chat completions refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.testing.refusals.row import Found, Refusal, above, missing, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]


def _no_messages(body: JsonObject) -> Found | None:
    if body.get("messages") == []:
        return "messages", "Invalid 'messages': empty array. Expected an array with minimum length 1."
    return None


def _no_content(body: JsonObject) -> Found | None:
    for index, message in enumerate(objects(body, "messages")):
        bare = message.get("content") is None and not message.get("tool_calls") and not message.get("refusal")
        if bare and not (message.get("role") == "assistant" and message.get("audio")):
            return f"messages.[{index}].content", "Invalid value for 'content': expected a string, got null."
    return None


def _unpaired(body: JsonObject) -> Found | None:
    """Each call is answered by the tool messages right after it, and each tool message answers such a call."""
    open_calls: set[str] = set()
    for index, message in enumerate(objects(body, "messages")):
        if message.get("role") == "tool":
            call_id = message.get("tool_call_id")
            if call_id not in open_calls:
                return (
                    f"messages.[{index}].role",
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                )
            open_calls.discard(str(call_id))
            continue
        if open_calls:
            break
        open_calls = {str(call.get("id")) for call in objects(message, "tool_calls")}
    if open_calls:
        return (
            "messages",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
        )
    return None


def _nameless_tool(body: JsonObject) -> Found | None:
    for index, tool in enumerate(objects(body, "tools")):
        kind = tool.get("type")
        if kind is None:
            return f"tools[{index}].type", f"Missing required parameter: 'tools[{index}].type'."
        function: Any = tool.get("function")
        if kind == "function" and (not isinstance(function, dict) or not function.get("name")):  # pyright: ignore[reportUnknownMemberType]
            return f"tools[{index}].function", f"Missing required parameter: 'tools[{index}].function.name'."
    return None


def _choice_without_tools(body: JsonObject) -> Found | None:
    if body.get("tool_choice") not in (None, "none") and not body.get("tools") and not body.get("functions"):
        return "tool_choice", "'tool_choice' is only allowed when 'tools' are specified."
    return None


def _json_unsaid(body: JsonObject) -> Found | None:
    form: Any = body.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_object" and "json" not in str(body["messages"]).lower():  # pyright: ignore[reportUnknownMemberType]
        return (
            "messages",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        )
    return None


ROWS = (
    Refusal("model and messages are there", missing("model", "messages")),
    Refusal("there is a message", _no_messages),
    Refusal("a message has content, unless it calls tools", _no_content),
    Refusal("calls and results are paired", _unpaired),
    Refusal("a tool has a type and a name", _nameless_tool),
    Refusal("tool_choice comes with tools", _choice_without_tools),
    Refusal("JSON mode is spoken of in the messages", _json_unsaid),
    Refusal("temperature lies between 0 and 2", above(2, "temperature")),
    Refusal("top_p lies between 0 and 1", above(1, "top_p")),
)
