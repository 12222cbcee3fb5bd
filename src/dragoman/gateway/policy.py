"""Policy: which members of a request may steer the provider, per model; all others of them are refused.

A provider that is itself a gateway obeys members that choose who answers (`models`, `provider`, `route`, …), with whose
credential and at which address (`api_base`, `api_key`, …); with tools of MCP it calls servers that the client names.
What a key may use, and what it costs, is decided here; a member that decides it anew has to be allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import msgspec

from dragoman.errors import InvalidRequest
from dragoman.gateway.config.structs import SteeringMember

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["STEERING", "Policy"]

STEERING: Final[frozenset[str]] = frozenset(get_args(SteeringMember))

_MCP_TOOLS: Final = "mcp_tools"
_MCP_TYPES: Final = frozenset(("mcp", "mcp_toolset"))


class Policy(msgspec.Struct, frozen=True):
    """What one model allows."""

    allowed: frozenset[str] = frozenset()

    def check(self, members: Iterable[str], tool_types: Iterable[str] = ()) -> None:
        """Raises `InvalidRequest` naming the first member that may not be there.

        `members` are the names in the body's top level, or those of them that steer at all (`ingress.shapes`),
        `tool_types` the types of its tools. Names count alike in large and small letters, for some hosts read them so.
        """
        for member in members:
            name = member.lower()
            if name in STEERING and name not in self.allowed:
                raise self._refused(member, name)
        for kind in tool_types:
            if kind in _MCP_TYPES and _MCP_TOOLS not in self.allowed:
                raise self._refused("tools", _MCP_TOOLS)

    def _refused(self, member: str, name: str) -> InvalidRequest:
        what = f"tools of the types {' and '.join(sorted(_MCP_TYPES))}" if name == _MCP_TOOLS else f"{member!r}"
        return InvalidRequest(
            f"this gateway does not take {what} for this model: they would steer the provider past it; its operator "
            f"may allow them (allow: [{name}])",
            path=member,
        )
