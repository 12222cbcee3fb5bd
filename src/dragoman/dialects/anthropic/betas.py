"""Betas: which `anthropic-beta` values a body needs, as tables of members, tool types, edits and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.values import JsonObject

__all__ = ["betas_of"]

_FILES = "files-api-2025-04-14"
_MEMBERS = {
    "context_management": "context-management-2025-06-27",
    "compaction": "compact-2026-09-04",
    "output_format": "structured-outputs-2025-11-13",
    "user_profile_id": "user-profiles-2026-03-24",
    "fallbacks": "server-side-fallback-2026-07-01",
    "fallback_credit_token": "fallback-credit-2026-07-01",
    "diagnostics": "cache-diagnosis-2026-04-07",
    "thread": "message-threads-2026-08-12",
    "speed": "fast-mode-2026-02-01",
}
_TOOLS = {
    "computer_20241022": "computer-use-2024-10-22",
    "bash_20241022": "computer-use-2024-10-22",
    "text_editor_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "code_execution_20250522": "code-execution-2025-05-22",
    "advisor_20260301": "advisor-tool-2026-03-01",
    "mcp_toolset": "mcp-client-2025-11-20",
}
_EDITS = {"compact_20260112": "compact-2026-01-12"}
_BLOCKS = {
    "container_upload": _FILES,
    "tool_addition": "mid-conversation-tool-changes-2026-07-01",
    "tool_removal": "mid-conversation-tool-changes-2026-07-01",
}
_TURNS = {
    "clear_at": "mid-conversation-system-clear-at-2026-08-21",
    "output_config": "mid-conversation-output-config-2026-07-01",
}


def betas_of(body: JsonObject) -> list[str]:
    """The values that the body's features need, in a fixed order, each once."""
    return list(dict.fromkeys(_found(body)))


def _found(body: JsonObject) -> Iterator[str]:
    for name, beta in _MEMBERS.items():
        if body.get(name) is not None:
            yield beta
    tools = {str(tool.get("type")) for tool in _objects(body.get("tools"))}
    for kind, beta in _TOOLS.items():
        if kind in tools:
            yield beta
    if body.get("mcp_servers") and "mcp_toolset" not in tools:
        yield "mcp-client-2025-04-04"
    yield from _in_members(body)
    for turn in _objects(body.get("messages")):
        for name, beta in _TURNS.items():
            if turn.get(name) is not None:
                yield beta
        yield from _in_blocks(turn.get("content"))


def _in_members(body: JsonObject) -> Iterator[str]:
    edits = {str(edit.get("type")) for edit in _objects(_member(body, "context_management", "edits"))}
    for kind, beta in _EDITS.items():
        if kind in edits:
            yield beta
    if _member(body, "output_config", "task_budget") is not None:
        yield "task-budgets-2026-03-13"
    if _member(body, "container", "skills") is not None:
        yield "skills-2025-10-02"
    if _member(body, "thinking", "display") == "updates":
        yield "thinking-display-updates-2026-08-18"
    if _member(body, "thinking", "block_binding") is not None:
        yield "thinking-binding-controls-2026-08-01"


def _in_blocks(content: Any) -> Iterator[str]:
    for block in _objects(content):
        beta = _BLOCKS.get(str(block.get("type")))
        if beta is not None:
            yield beta
        if _member(block, "source", "type") == "file":
            yield _FILES
        elif block.get("type") == "tool_result":
            yield from _in_blocks(block.get("content"))


def _objects(value: Any) -> list[JsonObject]:
    if not isinstance(value, list):
        return []
    return [cast("JsonObject", item) for item in cast("list[Any]", value) if isinstance(item, dict)]


def _member(holder: JsonObject, name: str, inner: str) -> Any:
    value = holder.get(name)
    return cast("JsonObject", value).get(inner) if isinstance(value, dict) else None
