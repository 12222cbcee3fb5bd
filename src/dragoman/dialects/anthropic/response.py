"""Answers: a message object → `Response`, and back. `Head` is the message without its content: streams build it too."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dragoman.dialects.anthropic.blocks import decode_blocks
from dragoman.dialects.anthropic.errors import error_in_body
from dragoman.dialects.anthropic.finish import decode_finish, encode_finish
from dragoman.dialects.anthropic.forms import NAME, Writing, kept, note, restore
from dragoman.dialects.anthropic.parts import encode_parts
from dragoman.dialects.anthropic.usage import decode_usage, encode_usage, service_tier
from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.reading import object_of, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, MessageRole, Response, Usage
from dragoman.values.messages import message_of

if TYPE_CHECKING:
    from dragoman.values import Extras, Finish, JsonObject, Part, Target

__all__ = ["decode_head", "decode_response", "encode_head", "encode_response", "leave_out", "message_id"]

_ASSISTANT = MessageRole.ASSISTANT
_KNOWN = frozenset({"id", "type", "role", "content", "model", "stop_reason", "stop_sequence", "usage"})
_NULLABLE = ("type", "role", "model")
_WRITTEN = ("id", "type", "role", "content", "model", "stop_reason", "stop_sequence", "usage")
_ALL_WRITTEN = frozenset(_WRITTEN)
_KNOWN_UNFINISHED, _KNOWN_FINISHED = _KNOWN - {"stop_sequence"}, _KNOWN | {"stop_details"}


def decode_response(body: Any, target: Target) -> Response:
    """The answer in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    if "content" not in wire and wire.get("type") != "message":
        raise ProtocolViolation("content is missing: this is not an answer of this wire", path="content")
    return decode_head(wire, decode_blocks(wire, "", target), target)


def decode_head(wire: JsonObject, parts: tuple[Part, ...], target: Target) -> Response:
    """The answer whose members stand in `wire` and whose content came to `parts`."""
    finish = decode_finish(wire)
    notes: dict[str, Any] = {}
    if not wire.keys() >= _ALL_WRITTEN:
        notes[":absent"] = [name for name in _WRITTEN if name not in wire]
    model = wire.get("model")
    if wire.get("type") != "message" or wire.get("role") != "assistant" or not isinstance(model, str):
        model = _odd_members(wire, notes)
    raw = wire.get("usage")
    usage = Usage() if raw is None else decode_usage(object_of(raw, "usage"))
    return Response(
        id=text(wire, "id"),
        model=target.model if model is None else model,
        provider=target.provider,
        dialect=NAME,
        choices=(Choice(message=message_of(_ASSISTANT, parts), finish=finish),),
        usage=usage,
        service_tier=service_tier(usage),
        extras=_extras(wire, finish, notes),
    )


def _extras(wire: JsonObject, finish: Finish | None, notes: dict[str, Any]) -> Extras:
    absent = wire.get("content") is None
    if finish is not None and not absent and not notes and _KNOWN.issuperset(wire):
        return {}  # most answers say nothing else
    known = _KNOWN_UNFINISHED if finish is None else _KNOWN_FINISHED
    return kept(wire, known, silent=("stop_details", "content") if absent else ("stop_details",), notes=notes)


def _odd_members(wire: JsonObject, notes: dict[str, Any]) -> str | None:
    """The model, where a member that is always the same is another or null, which `notes` are to tell."""
    nulls = [name for name in _NULLABLE if name in wire and wire[name] is None]
    if nulls:
        notes[":null"] = nulls
    for name, usual in (("type", "message"), ("role", "assistant")):
        if text(wire, name) not in (None, usual):
            notes[f":{name}"] = wire[name]
    return text(wire, "model")


def encode_response(response: Response, target: Target) -> EncodedBody:
    """A message object for a client, complete as the official ones want it."""
    writing = Writing(target, AdaptationLog(), mend=response.dialect != NAME, answer=True)
    for index, choice in enumerate(response.choices[1:], 1):
        writing.log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
    content = encode_parts(response.message.parts, "choices[0].message", writing)
    body = encode_head(response, writing)
    body["content"] = content
    explicit: JsonObject = note(response.extras, ":explicit") or {}
    if not content and explicit.get("content", ()) is None:
        body["content"] = None
    leave_out(body, response.extras)
    return EncodedBody(body, writing.log.entries())


def encode_head(response: Response, writing: Writing) -> JsonObject:
    """The message without its content (an empty list stands in its place)."""
    writing.log.foreign_extras(response.extras, NAME, "")
    kind, role = note(response.extras, ":type"), note(response.extras, ":role")
    head: JsonObject = {
        "id": response.id if response.id is not None or not writing.mend else message_id(response),
        "type": "message" if kind is None else kind,
        "role": "assistant" if role is None else role,
        "model": response.model,
        "content": [],
        **encode_finish(response.finish, response.message, writing),
    }
    if response.choices:
        writing.log.foreign_extras(response.choices[0].extras, NAME, "choices[0]")
        writing.log.foreign_extras(response.message.extras, NAME, "choices[0].message")
    for name in note(response.extras, ":null") or ():
        head[name] = None
    if response.usage or writing.mend:
        head["usage"] = encode_usage(response.usage, response.service_tier, writing)
    else:
        head["usage"] = None
    if writing.mend:
        head.setdefault("stop_details", None)
        head.setdefault("container", None)
    restore(head, response.extras)
    head.setdefault("stop_sequence", None)
    return head


def leave_out(wire: JsonObject, extras: Extras) -> None:
    """Takes out of an answer the members that it lacked, unless they now say something."""
    for name in note(extras, ":absent") or ():
        if name in _NULLABLE or not wire.get(name):
            wire.pop(name, None)


def message_id(response: Response) -> str:
    """An id for an answer that has none: the same for the same answer."""
    said = f"{response.provider} {response.model} {response.created} {response.request_id} {response.content}"
    return "msg_" + hashlib.sha256(said.encode()).hexdigest()[:24]
