"""Messages: the turns of a conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from dragoman.errors import InvalidRequest
from dragoman.values.parts import Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, ToolResultPart
from dragoman.values.value import Extras, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Message", "MessageRole", "as_parts", "assistant", "message_of", "system", "tool_result", "user"]


class MessageRole(StrEnum):
    """Who speaks. `DEVELOPER` is the operator's instruction where a wire tells it apart; others treat it as system."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"

    __str__ = str.__str__


_PART_TYPES = (Text, Reasoning, Refusal, Media, ToolCall, ToolResult, Opaque)


def as_parts(content: str | Part | Iterable[str | Part] | None) -> tuple[Part, ...]:
    """A tuple of parts from text, a part, or an iterable of both."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(text=content),)
    if isinstance(content, _PART_TYPES):
        return (content,)
    return tuple(_as_part(item) for item in content)


def _as_part(item: Any) -> Part:
    if isinstance(item, str):
        return Text(text=item)
    if isinstance(item, _PART_TYPES):
        return item
    raise InvalidRequest(f"a message is made of text and parts, not of {type(item).__name__}: {item!r:.80}")


class _MessageMeta(type(msgspec.Struct)):
    """Lets `Message(role, "text")` be written, while the value holds parts alone."""

    def __call__(cls, role: Any = MessageRole.USER, content: Any = None, **fields: Any) -> Any:
        if content is not None:
            if "parts" in fields:
                raise InvalidRequest("give a message either content or parts, not both")
            fields["parts"] = as_parts(content)
        if not isinstance(role, MessageRole):
            try:
                role = MessageRole(role)
            except ValueError:
                known = ", ".join(member.value for member in MessageRole)
                raise InvalidRequest(f"unknown message role {role!r}; the roles are {known}") from None
        return super().__call__(role=role, **fields)


class Message(Value, frozen=True, kw_only=True, metaclass=_MessageMeta):
    """One turn: who speaks, and the ordered parts. Tool results stand in TOOL messages (or among a USER's parts).

    >>> Message(role=MessageRole.USER, content="Hello").content
    'Hello'
    """

    role: MessageRole
    parts: tuple[Part, ...] = ()
    name: str | None = None
    extras: Extras = {}

    if TYPE_CHECKING:

        def __init__(
            self,
            role: MessageRole | str = MessageRole.USER,
            content: str | Part | Iterable[str | Part] | None = None,
            *,
            parts: tuple[Part, ...] = (),
            name: str | None = None,
            extras: Extras = ...,
        ) -> None: ...

    @property
    def content(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the caller has to run; calls that the provider runs itself are among `parts`."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall) and part.runner == "client")


_BARE = {role: Message(role) for role in MessageRole}


def message_of(role: MessageRole, parts: tuple[Part, ...], extras: Extras | None = None) -> Message:
    """`Message(role, parts=parts)` in a third of the time, for the readers of every request's messages."""
    return replace(_BARE[role], parts=parts, extras={} if extras is None else extras)


def system(*content: str | Part) -> Message:
    """A system message."""
    return Message(MessageRole.SYSTEM, content)


def user(*content: str | Part) -> Message:
    """A user's message, of text and media."""
    return Message(MessageRole.USER, content)


def assistant(*content: str | Part) -> Message:
    """An assistant's message."""
    return Message(MessageRole.ASSISTANT, content)


def tool_result(
    call: ToolCall | str,
    content: str | ToolResultPart | Iterable[str | ToolResultPart],
    *,
    is_error: bool = False,
    name: str | None = None,
) -> Message:
    """The message that answers a tool call, given the call itself or its id."""
    parts = as_parts(content)
    for part in parts:
        if not isinstance(part, (Text, Media, Opaque)):
            raise InvalidRequest(f"a tool result is made of text and media, not of {type(part).__name__}")
    call_id = call if isinstance(call, str) else call.id
    result = ToolResult(
        call_id=call_id,
        name=name if isinstance(call, str) else call.name,
        content=tuple(part for part in parts if isinstance(part, (Text, Media, Opaque))),
        is_error=is_error,
    )
    return Message(MessageRole.TOOL, result)
