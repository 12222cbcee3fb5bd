"""Betas: which `anthropic-beta` values a body needs, as tables of members, tool types, edits and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
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
_HOLDERS = frozenset(("context_management", "output_config", "container", "thinking"))
_MEMBER_NAMES = frozenset(_MEMBERS)
_TURN_NAMES = frozenset(_TURNS)


def betas_of(body: JsonObject, *, plain_turns: bool = False) -> list[str]:
    """The values that the body's features need, in a fixed order, each once.

    `plain_turns`: whoever wrote the turns knows that they are texts, calls and results alone, which need none.
    """
    # On the path of every request: turns and blocks without anything special are passed over with few looks.
    found: list[str] = []
    if not _MEMBER_NAMES.isdisjoint(body):
        _add_named(_MEMBERS, body, found)
    tools, servers = body.get("tools"), body.get("mcp_servers")
    if tools or servers:
        _add_of_tools(tools, bool(servers), found)
    if not _HOLDERS.isdisjoint(body):
        _add_of_members(body, found)
    for turn in () if plain_turns else _objects(body.get("messages")):
        if not _TURN_NAMES.isdisjoint(turn):
            _add_named(_TURNS, turn, found)
        content = turn.get("content")
        if isinstance(content, list):
            _add_of_blocks(content, found)  # pyright: ignore[reportUnknownArgumentType]  # JSON
    return list(dict.fromkeys(found)) if found else found


def _add_named(table: dict[str, str], holder: JsonObject, found: list[str]) -> None:
    found += [beta for name, beta in table.items() if holder.get(name) is not None]


def _add_of_tools(tools: Any, has_servers: bool, found: list[str]) -> None:
    kinds = {str(tool["type"]) for tool in _objects(tools) if "type" in tool}
    if kinds:
        found += [beta for kind, beta in _TOOLS.items() if kind in kinds]
    if has_servers and "mcp_toolset" not in kinds:
        found.append("mcp-client-2025-04-04")


def _add_of_members(body: JsonObject, found: list[str]) -> None:
    edits = {str(edit.get("type")) for edit in _objects(_member(body, "context_management", "edits"))}
    found += [beta for kind, beta in _EDITS.items() if kind in edits]
    if _member(body, "output_config", "task_budget") is not None:
        found.append("task-budgets-2026-03-13")
    if _member(body, "container", "skills") is not None:
        found.append("skills-2025-10-02")
    if _member(body, "thinking", "display") == "updates":
        found.append("thinking-display-updates-2026-08-18")
    if _member(body, "thinking", "block_binding") is not None:
        found.append("thinking-binding-controls-2026-08-01")


def _add_of_blocks(content: list[Any], found: list[str]) -> None:
    for block in content:
        if not isinstance(block, dict):
            continue
        holder: JsonObject = block  # pyright: ignore[reportUnknownVariableType]  # JSON
        kind = holder.get("type")
        if "source" not in holder:
            if kind == "text" or kind == "tool_use":
                continue  # nearly all of them
            if kind == "tool_result":
                _add_of_blocks(_list(holder.get("content")), found)
                continue
        beta = _BLOCKS.get(str(kind))
        if beta is not None:
            found.append(beta)
        if _member(holder, "source", "type") == "file":
            found.append(_FILES)
        elif kind == "tool_result":
            _add_of_blocks(_list(holder.get("content")), found)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]  # JSON


def _objects(value: Any) -> list[JsonObject]:
    if not isinstance(value, list):
        return []
    items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON
    return [item for item in items if isinstance(item, dict)]


def _member(holder: JsonObject, name: str, inner: str) -> Any:
    value = holder.get(name)
    return cast("JsonObject", value).get(inner) if isinstance(value, dict) else None
