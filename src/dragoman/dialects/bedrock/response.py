"""Answers: an object of Converse → `Response`, and back. A head is the answer without its content.

Answers have no id, and do not name their model: it is the one that was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.bedrock.blocks import decode_content
from dragoman.dialects.bedrock.errors import error_in_body
from dragoman.dialects.bedrock.finish import decode_finish, encode_finish
from dragoman.dialects.bedrock.forms import NAME, Writing, note, tier_word
from dragoman.dialects.bedrock.parts import encode_blocks
from dragoman.dialects.bedrock.usage import decode_usage, encode_usage
from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import object_of, text
from dragoman.values import AdaptationLog, Choice, Message, MessageRole, Response, Usage

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Part, Target

__all__ = ["decode_head", "decode_response", "encode_head", "encode_response"]

_KNOWN = frozenset({"output", "stopReason", "usage", "serviceTier"})
_COMPLETE = ("stopReason", "usage")
_MESSAGE = frozenset({"role", "content"})


def decode_response(body: Any, target: Target) -> Response:
    """The answer in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    output = object_of(wire.get("output"), "output")
    message = object_of(output.get("message"), "output.message")
    return decode_head(wire, decode_content(message, "output.message", target), target)


def decode_head(wire: JsonObject, parts: tuple[Part, ...], target: Target) -> Response:
    """The answer whose members stand in `wire` and whose content came to `parts`."""
    output = object_of(wire.get("output"), "output")
    message = object_of(output.get("message"), "output.message")
    role = text(message, "role", "output.message")
    notes: JsonObject = {}
    rest = {name: value for name, value in output.items() if name != "message"}
    if rest:
        notes["output"] = rest
    tier = wire.get("serviceTier")
    tier = None if tier is None else object_of(tier, "serviceTier")
    word = None if tier is None else text(tier, "type", "serviceTier")
    if tier is not None and tier != {"type": word}:
        notes[":serviceTier"] = tier
    usage = wire.get("usage")
    said = Message(
        MessageRole.ASSISTANT,
        parts=parts,
        extras=kept(
            message,
            _MESSAGE,
            NAME,
            complete=("content",),
            notes={} if role == "assistant" else {":role": {name: message[name] for name in message if name == "role"}},
        ),
    )
    return Response(
        model=target.model,
        provider=target.provider,
        dialect=NAME,
        choices=(Choice(message=said, finish=decode_finish(wire)),),
        usage=Usage() if usage is None else decode_usage(object_of(usage, "usage")),
        service_tier=word,
        extras=kept(wire, _KNOWN, NAME, complete=_COMPLETE, notes=notes),
    )


def encode_response(response: Response, target: Target) -> EncodedBody:
    """An answer for a client, complete as the official ones want it."""
    writing = Writing(target, AdaptationLog(), mend=response.dialect != NAME, answer=True)
    for index, choice in enumerate(response.choices[1:], 1):
        writing.log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
    message = response.message
    places = [(f"choices[0].message.parts[{index}]", part) for index, part in enumerate(message.parts)]
    body = encode_head(response, writing)
    body["output"]["message"]["content"] = encode_blocks(places, writing)
    write_back(body["output"]["message"], message.extras, NAME)
    return EncodedBody(body, writing.log.entries())


def _role(message: Message) -> JsonObject:
    """The role; an unusual one, or none, as it came."""
    unusual: JsonObject | None = note(message.extras, ":role")
    return {"role": "assistant"} if unusual is None else unusual


def encode_head(response: Response, writing: Writing) -> JsonObject:
    """The answer without its content (an empty list stands in its place)."""
    message = response.message
    for path, extras in (("", response.extras), ("choices[0].message", message.extras)):
        if extras:
            writing.log.foreign_extras(extras, NAME, path)
    if response.choices:
        writing.log.foreign_extras(response.choices[0].extras, NAME, "choices[0]")
    members = own(response.extras, NAME)
    head: JsonObject = {
        "output": {
            **members.get("output", {}),
            "message": {**_role(message), "content": []},
        }
    }
    if response.finish is not None:
        head |= encode_finish(response.finish, message, writing)
    if response.usage or writing.mend:
        head["usage"] = encode_usage(response.usage, writing)
    original: Any = members.get(":serviceTier")
    tier = tier_word(response.service_tier, writing)
    if original is not None and original.get("type") == response.service_tier:
        head["serviceTier"] = original
    elif tier is not None:
        head["serviceTier"] = {"type": tier}
    if writing.mend:
        head["metrics"] = {"latencyMs": 0}
        writing.log.defaulted("metrics", "this wire tells how long an answer took; it was not measured here", 0)
    return write_back(head, {NAME: {name: value for name, value in members.items() if name != "output"}}, NAME)
