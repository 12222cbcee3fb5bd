"""Parts → items: what the assistant said, and the outputs of tools.

An item that came over this wire is written as it was; towards a provider only if that provider gave it its id. What
came from elsewhere is said as the wire can say it: the assistant's text as a message without an id, a call of a
client's tool as a `function_call` or `custom_tool_call`. Towards a client of ours every item gets an id, minted from
the answer's id and the item's position, so that a stream and its terminal object agree.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dragoman.dialects.openai_responses.content import encode_content
from dragoman.dialects.openai_responses.item_reading import read_item
from dragoman.dialects.openai_responses.output_writing import fitted_call_id, write_output
from dragoman.dialects.openai_responses.rows import CALLS, KNOWN_ITEMS
from dragoman.dialects.openai_responses.wire import (
    CONTENT,
    ISSUER,
    ITEM,
    ITEM_EXTRAS,
    MINTED,
    NAME,
    TYPE,
    WIRE,
    members,
    notes,
    without_note,
)
from dragoman.values import Media, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import JsonObject
    from dragoman.values.parts import Part

__all__ = ["ItemWriter", "is_item", "joins"]

_SAYS = (Text, Refusal)


def is_item(part: Part) -> bool:
    """Whether the part is an item of its own rather than content of a message."""
    if isinstance(part, Opaque):
        return part.dialect == NAME and (ITEM in notes(part.extras) or part.kind in KNOWN_ITEMS)
    return isinstance(part, ToolCall | ToolResult | Reasoning)


def joins(last: Part, part: Part) -> bool:
    """Whether `part` continues the item that `last` sits in."""
    if last.item_id != part.item_id or _ends_item(last):
        return False
    if isinstance(part, Reasoning):
        return isinstance(last, Reasoning)
    if not _in_message(part) or not _in_message(last):
        return False
    return not (isinstance(last, Text) and isinstance(part, Text)) or last.channel == part.channel


def _ends_item(part: Part) -> bool:
    """Whether the part is the last of an item of this wire: it bears the item's note, or the state of its reasoning."""
    if ITEM in notes(part.extras):
        return True
    return isinstance(part, Reasoning) and any(replay.dialect == NAME for replay in part.replay)


def _in_message(part: Part) -> bool:
    if isinstance(part, Media):  # a generated image is an item; a message of this wire's may hold media too
        return part.item_id is not None and _note(part).get("type") != "image_generation_call"
    return isinstance(part, _SAYS) or (isinstance(part, Opaque) and part.dialect == NAME and not is_item(part))


def _note(part: Part) -> JsonObject:
    return notes(part.extras).get(ITEM, {})


def _verbatim(note: JsonObject) -> JsonObject:
    return {name: value for name, value in note.items() if name[:1] != ":" and name not in ("member", "name")}


class ItemWriter:
    """Writes the assistant's parts and tool outputs; `call_types` tells the item type of each call id."""

    def __init__(self, fit: Fit, *, call_types: Mapping[str, str] | None = None, seed: str = "") -> None:
        self.fit = fit
        self._call_types = call_types or {}
        self._seed = seed

    def items(self, parts: tuple[Part, ...], path: str, offset: int = 0) -> list[JsonObject]:
        """The parts (`path[offset + index]` in our values) as items; what cannot be said is recorded."""
        items: list[JsonObject] = []
        first = 0
        for index in range(1, len(parts) + 1):
            if index == len(parts) or not joins(parts[index - 1], parts[index]):
                item = self.item(parts[first:index], path, offset + first, len(items))
                if item is not None:
                    items.append(item)
                first = index
        return items

    def mint(self, prefix: str, position: int) -> str:
        """An id for the item at this position of the answer."""
        return f"{prefix}_{MINTED}{sha256(f'{self._seed}:{position}'.encode()).hexdigest()[:28]}"

    def item(self, group: tuple[Part, ...], path: str, first: int, position: int) -> JsonObject | None:
        """One item from the parts that belong to it, or None (recorded)."""
        note = _note(group[-1])
        where = f"{path}[{first}]"
        kept = self._kept(group, note)
        if kept is not None:
            return kept
        part = group[0]
        if isinstance(part, Reasoning):
            return self._reasoning(cast("tuple[Reasoning, ...]", group), note, path, first, position)
        if isinstance(part, ToolCall):
            return self._call(part, note, where, position)
        if isinstance(part, ToolResult):
            return write_output(part, self._call_types, self.fit, where)
        if isinstance(part, Opaque) and (part.dialect != NAME or is_item(part)):
            return self._opaque(part, note, where)
        if isinstance(part, Media) and not _in_message(part):
            return self._image(part, note, where, position)
        return self._message(group, note, path, first, position)

    def _kept(self, group: tuple[Part, ...], note: JsonObject) -> JsonObject | None:
        """The wire's original, where form notes did not suffice and nothing was changed since."""
        wire = notes(group[-1].extras).get(WIRE)
        if wire is None or not self.fit.knows(note):
            return None
        plain = (*group[:-1], without_note(group[-1], WIRE))
        read = read_item(wire, "", note.get(ISSUER, self.fit.target.issuer))
        ((*_, last), (*_, again)) = (plain, read)
        if isinstance(last, ToolCall | ToolResult) and isinstance(again, ToolCall | ToolResult):
            read = (replace(again, runner=last.runner),)  # the host tells that, not the item
        return wire if read == plain else None

    # -- messages ------------------------------------------------------------------------------------------------------

    def _message(
        self, group: tuple[Part, ...], note: JsonObject, path: str, first: int, position: int
    ) -> JsonObject | None:
        own = ITEM in notes(group[-1].extras)
        commentary = any(isinstance(part, Text) and part.channel == "commentary" for part in group)
        if self.fit.towards == "provider" and not (own and (group[-1].item_id is None or self.fit.knows(note))):
            return self._restated_message(group, commentary, path, first)
        if own:
            body = _verbatim(note)
            if group[-1].item_id is not None:
                body["id"] = group[-1].item_id
        else:
            body = {"id": self.mint("msg", position), "type": "message", "status": "completed"}
        body["role"] = "assistant"
        if commentary:
            body["phase"] = "commentary"
        elif body.get("phase") == "commentary":
            del body["phase"]
        body |= notes(group[-1].extras).get(ITEM_EXTRAS, {})
        content = encode_content(group, "output", self.fit, path, first)
        body["content"] = _content_form(note.get(CONTENT), content)
        return body if content or own else None

    def _restated_message(self, group: tuple[Part, ...], commentary: bool, path: str, first: int) -> JsonObject | None:
        """The assistant's words as text: the one form that needs no id of the provider's."""
        words: list[str] = []
        for index, part in enumerate(group, first):
            where = f"{path}[{index}]"
            if isinstance(part, Text):
                words.append(part.text)
                if part.citations:
                    self.fit.log.dropped(f"{where}.citations", "an assistant's text goes in without annotations")
            elif isinstance(part, Refusal):
                words.append(part.text)
                self.fit.log.substituted(where, "a refusal is said as text", "refusal", "text")
            else:
                self.fit.log.dropped(where, f"an assistant's message takes no {type(part).__name__}")
            self.fit.common(part, where)
        if not words:
            return None
        body: JsonObject = {"type": "message", "role": "assistant", "content": "".join(words)}
        if commentary:
            body["phase"] = "commentary"
        return body

    # -- reasoning -----------------------------------------------------------------------------------------------------

    def _reasoning(
        self, group: tuple[Reasoning, ...], note: JsonObject, path: str, first: int, position: int
    ) -> JsonObject | None:
        last = group[-1]
        encrypted = self.fit.state(last, "encrypted")
        known = encrypted is not None or self.fit.state(last, "item") is not None
        if self.fit.towards == "provider" and not (known and self.fit.knows(note)):
            self._dropped_reasoning(group, path, first)
            return None
        body: JsonObject = _verbatim(note) if ITEM in notes(last.extras) else {"type": "reasoning"}
        if not known and ITEM not in notes(last.extras):
            body["id"] = self.mint("rs", position)
        elif last.item_id is not None:
            body["id"] = last.item_id
        body["summary"] = [_reasoning_piece(part, "summary_text") for part in group if part.form == "summary"]
        thoughts = [_reasoning_piece(part, "reasoning_text") for part in group if part.form == "full"]
        if thoughts:
            body["content"] = thoughts
        if encrypted is not None:
            body["encrypted_content"] = encrypted
        for index, part in enumerate(group, first):
            self.fit.common(part, f"{path}[{index}]")
        return body | notes(last.extras).get(ITEM_EXTRAS, {})

    def _dropped_reasoning(self, group: tuple[Reasoning, ...], path: str, first: int) -> None:
        issuers = {replay.issuer or replay.dialect for part in group for replay in part.replay}
        reason = f"replay state of {', '.join(sorted(issuers))}" if issuers else "reasoning of another origin"
        for index, part in enumerate(group, first):
            self.fit.log.dropped(f"{path}[{index}]", reason)
            self.fit.log.foreign_extras(part.extras, NAME, f"{path}[{index}]")

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, part: ToolCall, note: JsonObject, path: str, position: int) -> JsonObject | None:
        own = ITEM in notes(part.extras)
        kind: str = note.get("type", "custom_tool_call" if part.input == "text" else "function_call")
        row = CALLS.get(kind)
        restatable = row is not None and row.name is None and row.identified == "call_id"
        known = own and self.fit.knows(note)
        if row is None or not (known or (restatable and part.runner == "client")):
            issuer = note.get(ISSUER) if own else None
            self.fit.log.dropped(path, f"an item of {issuer}" if issuer else "a tool that another provider runs")
            self.fit.common(part, path)
            return None
        body: JsonObject = _verbatim(note) if own else {"type": kind}
        if known and part.item_id is not None:
            body["id"] = part.item_id
        elif not own and self.fit.towards == "client":
            body |= {"id": self.mint("fc" if kind == "function_call" else "ctc", position), "status": "completed"}
        if row.identified == "call_id":
            body["call_id"] = fitted_call_id(part.id, self.fit, f"{path}.id")
        if row.name is None:
            body["name"] = part.name
        if row.coding == "text":
            body[row.member] = part.arguments_text or ("" if own or part.input == "text" else "{}")
        elif part.arguments_text:
            try:
                body[note.get("member", row.member)] = msgspec.json.decode(part.arguments_text)
            except msgspec.DecodeError:
                self.fit.log.dropped(path, "the arguments are not the JSON that the item holds", part.arguments_text)
                return None
        self.fit.common(part, path)
        return body | members(part.extras)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def _opaque(self, part: Opaque, note: JsonObject, path: str) -> JsonObject | None:
        if part.dialect != NAME:
            self.fit.log.dropped(path, f"only {part.dialect} has it ({part.kind})")
            self.fit.common(part, path)
            return None
        encrypted = self.fit.state(part, "encrypted")
        if not self.fit.knows(note) or (part.replay and encrypted is None):
            self.fit.common(part, path)
            self.fit.log.dropped(path, f"an item of {note.get(ISSUER) or 'another issuer'}")
            return None
        if encrypted is None:
            return part.data
        return {**part.data, "encrypted_content": encrypted}

    def _image(self, part: Media, note: JsonObject, path: str, position: int) -> JsonObject | None:
        own = ITEM in notes(part.extras)
        if not (own and self.fit.knows(note)) and self.fit.towards == "provider":
            self.fit.log.dropped(path, "an assistant's message holds no media on this wire")
            self.fit.common(part, path)
            return None
        if part.kind != "image" or part.data is None:
            self.fit.log.dropped(path, f"the wire generates images alone, given as data, and no {part.kind}")
            self.fit.common(part, path)
            return None
        body: JsonObject = (
            _verbatim(note)
            if own
            else {"type": "image_generation_call", "id": self.mint("ig", position), "status": "completed"}
        )
        if own and part.item_id is not None:
            body["id"] = part.item_id
        body["result"] = part.data
        self.fit.common(part, path)
        return body | members(part.extras)


def _content_form(form: Any, content: list[JsonObject]) -> str | list[JsonObject]:
    """A string or an empty list where the wire had one and the content still allows it."""
    if len(content) == 1 and isinstance(content[0].get("text"), str):
        if form == "text":
            return content[0]["text"]
        if form == "empty" and not content[0]["text"]:
            return []
    return content


def _reasoning_piece(part: Reasoning, usual: str) -> JsonObject:
    return {"type": notes(part.extras).get(TYPE, usual), "text": part.text, **members(part.extras)}
