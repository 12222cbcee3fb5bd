"""What OpenAI's Responses refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.testing.refusals.row import Found, Refusal, above, missing, objects

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["ROWS"]

LEAST_OUTPUT_TOKENS = 16


def _no_model(body: JsonObject) -> Found | None:
    return None if body.get("prompt") else missing("model")(body)  # a kept prompt may name the model


def _nothing_asked(body: JsonObject) -> Found | None:
    if not body.get("input") and not body.get("previous_response_id") and not body.get("prompt"):
        return "input", "Missing required parameter: 'input'."
    return None


def _unpaired(body: JsonObject) -> Found | None:
    if body.get("previous_response_id") or body.get("conversation"):
        return None  # the calls may lie in what the provider keeps
    items = objects(body, "input")
    calls = {item.get("call_id") for item in items if item.get("type") == "function_call"}
    results = {item.get("call_id") for item in items if item.get("type") == "function_call_output"}
    for call_id in results - calls:
        return "input", f"No tool call found for function call output with call_id {call_id}."
    for call_id in calls - results:
        return "input", f"No tool output found for function call {call_id}."
    return None


def _nameless_tool(body: JsonObject) -> Found | None:
    for index, tool in enumerate(objects(body, "tools")):
        if tool.get("type") is None:
            return f"tools[{index}].type", f"Missing required parameter: 'tools[{index}].type'."
        if tool.get("type") == "function" and not tool.get("name"):
            return f"tools[{index}].name", f"Missing required parameter: 'tools[{index}].name'."
    return None


def _few_tokens(body: JsonObject) -> Found | None:
    most: Any = body.get("max_output_tokens")
    if isinstance(most, int) and most < LEAST_OUTPUT_TOKENS:
        return (
            "max_output_tokens",
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {LEAST_OUTPUT_TOKENS}.",
        )
    return None


def _unknown_member(body: JsonObject) -> Found | None:
    for name in ("messages", "max_tokens", "max_completion_tokens", "response_format", "stop"):
        if name in body:
            return name, f"Unknown parameter: '{name}'."
    return None


ROWS = (
    Refusal("model is there", _no_model),
    Refusal("something is asked", _nothing_asked),
    Refusal("members of the chat API are unknown", _unknown_member),
    Refusal("calls and outputs are paired", _unpaired),
    Refusal("a tool has a type and a name", _nameless_tool),
    Refusal("at least 16 output tokens are asked for", _few_tokens),
    Refusal("temperature lies between 0 and 2", above(2, "temperature")),
    Refusal("top_p lies between 0 and 1", above(1, "top_p")),
)
