"""Whether a request may act on the world, and so must not be sent twice unless it was provably not sent at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.values import Opaque

if TYPE_CHECKING:
    from dragoman.values import Request

__all__ = ["acts_on_world"]

_ACTING_MEMBERS = ("background", "conversation", "mcp_servers", "container", "plugins", "web_search_options")


def acts_on_world(request: Request) -> bool:
    """True for tools that the provider runs, for `store` asked for, for background work and stateful conversations."""
    if request.store or any(isinstance(tool, Opaque) for tool in request.tools):
        return True
    members = [*request.extras.values(), *([request.extra_body] if request.extra_body else [])]
    return any(held.get(name) for held in members for name in (*_ACTING_MEMBERS, "store"))
