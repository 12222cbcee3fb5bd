"""What a request needs of a model that answers it: what would be refused, or lost, where the model cannot do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.engine.capabilities.fitting import media_in
from dragoman.values import ToolDefinition

if TYPE_CHECKING:
    from dragoman.values import Request

__all__ = ["needs_of"]

_NEED_OF_KIND: Final = {"image": "vision", "audio": "audio", "video": "video", "document": "documents"}


def needs_of(request: Request) -> tuple[str, ...]:
    """The needs that the request itself states, as `facts.meets` takes them.

    Tools unless none may be called, and each kind of media that is to be perceived. What can be adapted is no need.
    """
    needs: dict[str, None] = {}
    choice = request.tool_choice
    if (choice is None or choice.mode != "none") and any(type(tool) is ToolDefinition for tool in request.tools):
        needs["tools"] = None
    for _, media in media_in(request.messages):
        if media.kind in _NEED_OF_KIND:
            needs[_NEED_OF_KIND[media.kind]] = None
    return tuple(needs)
