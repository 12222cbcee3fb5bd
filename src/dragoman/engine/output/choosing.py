"""Choosing how the form of an answer is had: native, by a forced tool, or in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.values import ToolDefinition

if TYPE_CHECKING:
    from dragoman.engine.output.abilities import Abilities
    from dragoman.values import OutputMode, Request

__all__ = ["Choice", "choose", "thinks"]

Choice = tuple["OutputMode", str]
"""The mode, and why it is not the native one ("" when it is, or when the caller asked for it)."""


def choose(request: Request, dialect: str, abilities: Abilities) -> Choice:
    """The first of native, tool and prompted that the target has; the caller's own word where there is one.

    A format that came over this very dialect is native: whoever wrote it knows the host.
    """
    output = request.output
    assert output is not None  # asked only for requests that have one
    if output.mode is not None:
        return output.mode, ""
    if dialect in output.extras:
        return "native", ""
    if output.type == "json_object":
        return (
            ("native", "") if abilities.json_object else ("prompted", "this target has no JSON mode without a schema")
        )
    beside_tools = bool(request.tools)
    if abilities.schema and (abilities.schema_beside_tools or not beside_tools):
        return "native", ""
    reason = (
        "this target takes no schema beside tools"
        if abilities.schema
        else "this target has no schema output of its own"
    )
    return ("tool" if _can_force(request, abilities) else "prompted"), reason


def _can_force(request: Request, abilities: Abilities) -> bool:
    return (
        abilities.forced_tool
        and (abilities.forced_while_thinking or not thinks(request))
        and not _names_a_tool(request)
    )


def _names_a_tool(request: Request) -> bool:
    """Whether the caller forces a tool of the request's own, beside which none can be forced."""
    choice = request.tool_choice
    if choice is None or choice.mode not in ("required", "named"):
        return False
    return any(isinstance(tool, ToolDefinition) for tool in request.tools)


def thinks(request: Request) -> bool:
    """Whether the request asks for thinking."""
    options = request.reasoning
    if options is None:
        return False
    return options.effort not in (None, "none") or options.budget_tokens not in (None, 0)
