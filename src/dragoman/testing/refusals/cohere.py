"""What version 2 of Cohere's chat refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.testing.refusals.row import Found, Refusal, above, missing, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]


def _no_messages(body: JsonObject) -> Found | None:
    return ("messages", "invalid request: list of messages must not be empty") if body["messages"] == [] else None


def _unpaired(body: JsonObject) -> Found | None:
    """Each call is answered by the tool messages right after it, and each tool message answers such a call."""
    open_calls: set[str] = set()
    for index, message in enumerate(objects(body, "messages")):
        if message.get("role") == "tool":
            call_id = str(message.get("tool_call_id"))
            if call_id not in open_calls:
                return f"messages[{index}]", f"invalid request: tool_call_id {call_id!r} answers no tool call"
            open_calls.discard(call_id)
            continue
        if open_calls:
            break
        open_calls = {str(call.get("id")) for call in objects(message, "tool_calls")}
    if open_calls:
        return "messages", f"invalid request: tool calls without a result: {', '.join(sorted(open_calls))}"
    return None


def _nameless_tool(body: JsonObject) -> Found | None:
    for index, tool in enumerate(objects(body, "tools")):
        function = tool.get("function")
        if not isinstance(function, dict) or not function.get("name"):  # pyright: ignore[reportUnknownMemberType]
            return f"tools[{index}].function", "invalid request: a tool must have a function with a name"
    return None


def _choice_without_tools(body: JsonObject) -> Found | None:
    if body.get("tool_choice") and not body.get("tools"):
        return "tool_choice", "invalid request: tool_choice requires tools"
    return None


ROWS = (
    Refusal("model and messages are there", missing("model", "messages")),
    Refusal("there is a message", _no_messages),
    Refusal("calls and results are paired", _unpaired),
    Refusal("a tool has a name", _nameless_tool),
    Refusal("tool_choice comes with tools", _choice_without_tools),
    Refusal("temperature lies between 0 and 2", above(2, "temperature")),
    Refusal("p lies between 0 and 1", above(1, "p")),
)
