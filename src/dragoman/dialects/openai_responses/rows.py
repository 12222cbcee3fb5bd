"""The kinds of items that are calls of tools, and those that hold their outputs, as data.

A call becomes a `ToolCall`: `member` holds its arguments (as text, or as JSON that becomes text), `name` is ours where
the wire's item names no tool, `identified` says which member ties it to its output, `runner` who runs it. `stem` is
the name of its argument events in a stream, without `.delta` and `.done`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = [
    "CALLS",
    "KNOWN_ITEMS",
    "OUTPUTS",
    "OUTPUT_OF",
    "USER_ITEMS",
    "CallRow",
    "argument_member",
    "json_text",
    "runner",
]


@dataclass(frozen=True, slots=True)
class CallRow:
    """See the module's docstring."""

    member: str
    name: str | None = None
    coding: Literal["text", "json"] = "text"
    input: Literal["json", "text"] = "json"
    identified: Literal["call_id", "id"] = "call_id"
    runner: Literal["client", "provider"] = "client"
    stem: str | None = None


CALLS: dict[str, CallRow] = {
    "function_call": CallRow("arguments", stem="response.function_call_arguments"),
    "custom_tool_call": CallRow("input", input="text", stem="response.custom_tool_call_input"),
    "mcp_call": CallRow("arguments", identified="id", runner="provider", stem="response.mcp_call_arguments"),
    "code_interpreter_call": CallRow(
        "code",
        "code_interpreter",
        input="text",
        identified="id",
        runner="provider",
        stem="response.code_interpreter_call_code",
    ),
    "web_search_call": CallRow("action", "web_search", "json", identified="id", runner="provider"),
    "file_search_call": CallRow("queries", "file_search", "json", identified="id", runner="provider"),
    "tool_search_call": CallRow("arguments", "tool_search", "json", runner="provider"),
    "computer_call": CallRow("action", "computer", "json"),
    "local_shell_call": CallRow("action", "local_shell", "json"),
    "shell_call": CallRow("action", "shell", "json"),
    "apply_patch_call": CallRow("operation", "apply_patch", "json"),
}

OUTPUTS: dict[str, str] = {
    "function_call_output": "call_id",
    "custom_tool_call_output": "call_id",
    "computer_call_output": "call_id",
    "shell_call_output": "call_id",
    "apply_patch_call_output": "call_id",
    "local_shell_call_output": "id",
}
"""The kinds of items that hold what the caller's tools came to, and the member that names the call."""

OUTPUT_OF: dict[str, str] = {f"{name}": f"{name}_output" for name in CALLS if f"{name}_output" in OUTPUTS}

USER_ITEMS: dict[str, Literal["user", "developer"]] = {
    "mcp_approval_response": "user",
    "compaction_trigger": "user",
    "additional_tools": "developer",
}
"""Items without a part of their own that the caller's side says; all others are the assistant's."""

KNOWN_ITEMS = frozenset(
    {
        *CALLS,
        *OUTPUTS,
        *USER_ITEMS,
        "message",
        "reasoning",
        "image_generation_call",
        "compaction",
        "item_reference",
        "mcp_approval_request",
        "mcp_list_tools",
        "program",
        "program_output",
        "tool_search_output",
    }
)
"""The types of items; an `Opaque` of another kind, without the note of an item, is a content part."""


def argument_member(row: CallRow, item: JsonObject) -> str:
    """The member that holds the arguments; a computer call has one action, or a list of them."""
    return "actions" if row.member == "action" and "action" not in item and "actions" in item else row.member


def runner(row: CallRow, item: JsonObject) -> Literal["client", "provider"]:
    """Who runs the call: a tool search and a shell may be run by either side, and say so."""
    if row.name == "tool_search":
        return "client" if item.get("execution") == "client" else "provider"
    if row.name == "shell":
        environment: Any = item.get("environment")
        remote = isinstance(environment, dict) and "container_id" in environment
        return "provider" if remote else "client"
    return row.runner


def json_text(value: Any) -> str:
    """JSON as text."""
    return msgspec.json.encode(value).decode()
