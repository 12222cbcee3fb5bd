"""Messages → input items.

System and developer messages are input items at their place, under their own roles, so that their order and number
stay; only one that came as `instructions` goes back there. Outputs of tools and other items among a message's parts
split it, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.openai_responses.content import encode_content, plain
from dragoman.dialects.openai_responses.item_reading import read_message
from dragoman.dialects.openai_responses.item_writing import is_item
from dragoman.dialects.openai_responses.wire import CONTENT, ISSUER, ITEM, NAME, WIRE, members, notes, without_note
from dragoman.errors import InvalidRequest
from dragoman.values import MessageRole, Text

if TYPE_CHECKING:
    from dragoman.dialects.openai_responses.item_writing import ItemWriter
    from dragoman.values import JsonObject, Message
    from dragoman.values.parts import Part

__all__ = ["write_message"]


def write_message(message: Message, writer: ItemWriter, path: str) -> list[JsonObject]:
    """The items that say this message; what they cannot is recorded below `path`."""
    fit = writer.fit
    if message.name is not None:
        fit.log.dropped(f"{path}.name", "a message of this wire has no name", message.name)
    fit.log.foreign_extras(message.extras, NAME, path)
    if message.role is MessageRole.ASSISTANT:
        return writer.items(message.parts, f"{path}.parts")
    own = notes(message.extras)
    if WIRE in own and fit.knows(own.get(ITEM, {})):
        issuer = own.get(ITEM, {}).get(ISSUER, fit.target.issuer)
        if read_message(own[WIRE], path, issuer) == without_note(message, WIRE):
            return [own[WIRE]]
    items: list[JsonObject] = []
    first = 0
    for index in range(len(message.parts) + 1):
        if index < len(message.parts) and not is_item(message.parts[index]):
            continue
        if first < index or not message.parts:
            items.append(_message_item(message, message.parts[first:index], writer, f"{path}.parts", first))
        if index < len(message.parts):
            items.extend(writer.items(message.parts[index : index + 1], f"{path}.parts", index))
        first = index + 1
    return items


def _message_item(message: Message, parts: tuple[Part, ...], writer: ItemWriter, path: str, first: int) -> JsonObject:
    if message.role is MessageRole.TOOL:
        raise InvalidRequest(
            "a tool message holds tool results; give each with the id of its call (dragoman.tool_result)", path=path
        )
    own = notes(message.extras)
    note: JsonObject = own.get(ITEM, {})
    body: JsonObject = {"role": message.role.value}
    for name in ("type", "status", "phase"):
        if name in note:
            body[name] = note[name]
    if "id" in note and writer.fit.knows(note):
        body["id"] = note["id"]
    if len(parts) == 1 and plain(parts[0]) and own.get(CONTENT) != "list":
        writer.fit.common(parts[0], f"{path}[{first}]")
        body["content"] = parts[0].text if isinstance(parts[0], Text) else ""
    else:
        body["content"] = encode_content(parts, "input", writer.fit, path, first)
    return body | members(message.extras)
