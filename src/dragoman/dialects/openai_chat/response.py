"""Answers, both ways."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.openai_chat.annotations import read_sources, without_sources
from dragoman.dialects.openai_chat.assistant_writer import plain_answer
from dragoman.dialects.openai_chat.errors import error_in_body
from dragoman.dialects.openai_chat.finish import read_finish, write_finish
from dragoman.dialects.openai_chat.message_writer import MessageWriter
from dragoman.dialects.openai_chat.messages import MessageReader
from dragoman.dialects.openai_chat.notes import (
    ABSENT,
    NAME,
    VOID,
    extras_of,
    keep_exact,
    non_empty,
    own,
    rest,
    write_members,
)
from dragoman.dialects.openai_chat.usage import decode_usage, encode_usage
from dragoman.dialects.reading import integer, number, object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, Message, MessageRole, Response, Text, Usage, replace

if TYPE_CHECKING:
    from dragoman.values import Finish, JsonObject, Target

__all__ = ["decode_response", "encode_response", "read_created", "with_sources"]

_KNOWN: Final = frozenset(("id", "object", "created", "model", "choices", "usage", "service_tier", "error"))
_CHOICE: Final = frozenset(("index", "message", "finish_reason"))


def decode_response(body: Any, target: Target) -> Response:
    """A whole answer. An error object in it raises `ProviderError`, any other shape `ProtocolViolation`."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    if wire.get("choices") is None:
        raise ProtocolViolation("choices is missing: this is not a chat completion", path="choices")
    void: JsonObject = {}
    response_id = non_empty(wire, "id", void)
    usage = wire.get("usage")
    if usage is None and "usage" in wire:
        void["usage"] = None
    if "error" in wire:
        void["error"] = None
    model = non_empty(wire, "model", void)
    tier = non_empty(wire, "service_tier", void)
    created = read_created(wire)
    members = _form(wire, void, created)
    response = Response(
        id=response_id,
        model=model or "",
        provider=target.provider,
        dialect=NAME,
        created=created,
        choices=tuple(
            _read_choice(choice, target, response_id or "", place)
            for place, choice in enumerate(objects_in(wire, "choices"))
        ),
        usage=Usage() if usage is None else decode_usage(object_of(usage, "usage"), target),
        service_tier=tier,
        extras=extras_of(members),
    )
    return with_sources(response)


def read_created(wire: JsonObject) -> int | None:
    """Unix time in whole seconds; some local servers write fractions."""
    created = number(wire, "created")
    return None if created is None else int(created)


def _form(wire: JsonObject, void: JsonObject, created: int | None) -> JsonObject:
    members = rest(wire, _KNOWN, void)
    if isinstance(wire.get("created"), float):
        members[":created"] = wire["created"]
    if wire.get("object") != "chat.completion" and "object" in wire:
        void["object"] = wire["object"]
    absent = [name for name in ("id", "object", "created", "model") if name not in wire]
    if created is None and "created" in wire:
        void["created"] = None
    if absent:
        members[ABSENT] = absent
    if void:
        members[VOID] = void
    return members


def _read_choice(wire: JsonObject, target: Target, response_id: str, place: int) -> Choice:
    path = f"choices[{place}]"
    index = integer(wire, "index", path)
    held = wire.get("message")
    reader = MessageReader(target, answer=True, seed=response_id, place=place if index is None else index)
    if held is None:
        # A filter that let nothing through (Azure) leaves a choice without a message.
        message = Message(MessageRole.ASSISTANT)
    else:
        message = reader.read(object_of(held, f"{path}.message"), f"{path}.message")
    void: JsonObject = {}
    members = rest(wire, _CHOICE, void)
    keep_exact(wire, "index", index, members)
    if index is None and "index" in wire:
        void["index"] = None
    if "logprobs" in void:
        del void["logprobs"]  # null is the complete form's own
    elif _says_nothing(members.get("logprobs")):
        void["logprobs"] = members.pop("logprobs")
    absent = [name for name in ("index", "message", "logprobs", "finish_reason") if name not in wire]
    if absent:
        members[ABSENT] = absent
    if "message" in wire and held is None:
        void["message"] = None
    if void:
        members[VOID] = void
    word = text(wire, "finish_reason", path)
    return Choice(
        index=place if index is None else index,
        message=message,
        finish=None if word is None else read_finish(word, message.parts),
        extras=extras_of(members),
    )


def _says_nothing(logprobs: Any) -> bool:
    return isinstance(logprobs, dict) and not any(logprobs.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def with_sources(response: Response) -> Response:
    """The response with the sources of the whole answer as citations of its first text, if that has none yet."""
    sources = read_sources(response)
    if not sources or not response.choices:
        return response
    first = response.choices[0]
    for index, part in enumerate(first.message.parts):
        if isinstance(part, Text) and not part.citations:
            parts = list(first.message.parts)
            parts[index] = replace(part, citations=sources)
            changed = replace(first, message=replace(first.message, parts=tuple(parts)))
            return replace(response, choices=(changed, *response.choices[1:]))
    return response


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_response(response: Response, target: Target) -> EncodedBody:
    """The answer as an official client of this dialect reads it."""
    log = AdaptationLog()
    foreign = response.dialect != NAME
    members = own(response.extras)
    if response.extras:
        response = without_sources(response)
        log.foreign_extras(response.extras, NAME, "")
    absent = members.get(ABSENT, ())
    wire: JsonObject = {
        "id": response.id or ("" if "id" in absent or "id" in members.get(VOID, ()) else _minted(log)),
        "object": "chat.completion",
        "created": response.created,
        "model": response.model,
        "choices": [_write_choice(choice, response, target, log, foreign) for choice in response.choices],
    }
    if response.created is None and "created" not in absent and "created" not in members.get(VOID, ()):
        wire["created"] = int(time.time())
        log.defaulted("created", "the wire wants the time of the answer", wire["created"])
    elif ":created" in members and int(members[":created"]) == response.created:
        wire["created"] = members[":created"]
    if response.usage:
        wire["usage"] = encode_usage(response.usage, target)
    if response.service_tier is not None:
        wire["service_tier"] = response.service_tier
    if members:
        write_members(wire, members)
    return EncodedBody(wire, log.entries())


def _minted(log: AdaptationLog) -> str:
    minted = f"chatcmpl-{uuid4().hex}"
    log.defaulted("id", "the wire wants an id", minted)
    return minted


def _write_choice(choice: Choice, response: Response, target: Target, log: AdaptationLog, foreign: bool) -> JsonObject:
    path = f"choices[{choice.index}]"
    members = own(choice.extras)
    if choice.extras:
        log.foreign_extras(choice.extras, NAME, path)
    message = plain_answer(choice.message)
    if message is None:
        reader = MessageReader(target, answer=True, seed=response.id or "", place=choice.index)
        writer = MessageWriter(
            target, log, answer=True, foreign=foreign, reader=lambda original: reader.read(original, f"{path}.message")
        )
        message = writer.write(choice.message, f"{path}.message")[0]
    wire: JsonObject = {
        "index": choice.index,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_word(choice.finish, choice, log, path, foreign),
    }
    if not members:
        return wire
    if "logprobs" in members:
        wire["logprobs"] = members["logprobs"]
    if not choice.message.parts:
        if "message" in members.get(ABSENT, ()):
            del wire["message"]
        elif "message" in members.get(VOID, ()):
            wire["message"] = None
    write_members(wire, members)
    return wire


def _finish_word(finish: Finish | None, choice: Choice, log: AdaptationLog, path: str, foreign: bool) -> str | None:
    if finish is None:
        return None
    return write_finish(finish, choice.message.parts, log, f"{path}.finish", foreign=foreign)
