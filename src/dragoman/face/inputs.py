"""Messages in the shapes that people have them: text, a message, or a list of messages and dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.errors import InvalidRequest
from dragoman.values import Message, Response, Target, user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Conversation = str | Message | Mapping[str, Any] | Iterable[Message | Response | Mapping[str, Any] | str]

__all__ = ["Conversation", "as_messages"]


def as_messages(given: Conversation) -> tuple[Message, ...]:
    """The messages. A list may mix messages, answers (their message is meant), dictionaries and text (a user's)."""
    if isinstance(given, str):
        return (user(given),)
    if isinstance(given, Message):
        return (given,)
    if isinstance(given, (bytes, bytearray)):
        raise InvalidRequest("messages are text, and these are bytes; decode them first", path="messages")
    if isinstance(given, dict):
        return _from_dictionaries([cast("dict[str, Any]", given)])
    try:
        items = list(cast("Iterable[Any]", given))
    except TypeError:
        raise InvalidRequest(
            f"messages are text, a Message, or a list of them, and not {type(given).__name__}", path="messages"
        ) from None
    if not items:
        raise InvalidRequest("there are no messages to send", path="messages")
    return _mixed(items)


def _mixed(items: list[Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    waiting: list[dict[str, Any]] = []
    for item in items:
        if isinstance(item, dict):
            waiting.append(cast("dict[str, Any]", item))
            continue
        if waiting:
            messages.extend(_from_dictionaries(waiting))
            waiting = []
        messages.append(_one(item, len(messages)))
    if waiting:
        messages.extend(_from_dictionaries(waiting))
    return tuple(messages)


def _one(item: Any, index: int) -> Message:
    if isinstance(item, Message):
        return item
    if isinstance(item, Response):
        return item.message
    if isinstance(item, str):
        return user(item)
    raise InvalidRequest(
        f"messages[{index}] is a {type(item).__name__}; give a Message, a dictionary with role and content, or text",
        path=f"messages[{index}]",
    )


def _from_dictionaries(dictionaries: list[dict[str, Any]]) -> tuple[Message, ...]:
    from dragoman.dialects import load

    return load("openai-chat").decode_request({"model": "", "messages": dictionaries}, Target()).messages
