"""Answers: the object that `/api/chat` gives → `Response`, and back.

The wire says "stop" whether tools are called or not; our finish is `tool_calls` where they are. An id it does not have.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.ollama.errors import error_in_body
from dragoman.dialects.ollama.message_writer import write_answer
from dragoman.dialects.ollama.messages import decode_answer_parts
from dragoman.dialects.ollama.names import NAME, Writing
from dragoman.dialects.ollama.usage import COUNTS, decode_usage, encode_usage
from dragoman.dialects.reading import boolean, object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, Finish, Message, MessageRole, Response, ToolCall

if TYPE_CHECKING:
    from dragoman.values import Extras, FinishReason, JsonObject, Part, Target

__all__ = [
    "created_in",
    "decode_finish",
    "decode_response",
    "encode_head",
    "encode_response",
    "encode_tail",
    "head_extras",
    "message_extras",
    "write_created",
]

_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "load": "stop",  # no messages were sent: the model was loaded, and nothing was said
    "unload": "stop",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "paused": "paused",
    "error": "error",
}
_WORDS: Final[dict[FinishReason, str]] = {"stop": "stop", "length": "length", "tool_calls": "stop"}
_KNOWN: Final = frozenset({"model", "created_at", "message", "done", "done_reason", "logprobs", *COUNTS})
_MESSAGE: Final = frozenset({"role", "content", "thinking", "images", "tool_calls"})


def decode_response(body: Any, target: Target) -> Response:
    """The answer in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    error = error_in_body(wire, target)
    if error is not None:
        raise error
    if "message" not in wire and "done" not in wire:
        raise ProtocolViolation("message is missing: this is not an answer of this wire", path="message")
    message = object_of(wire["message"], "message") if wire.get("message") is not None else {}
    created = text(wire, "created_at")
    parts = decode_answer_parts(message, target, created or "")
    extras = message_extras(message)
    logprobs = objects_in(wire, "logprobs")
    return Response(
        model=text(wire, "model") or target.model,
        provider=target.provider,
        dialect=NAME,
        created=created_in(created),
        choices=(
            Choice(
                message=Message(MessageRole.ASSISTANT, parts=parts, extras=extras),
                finish=decode_finish(wire, parts),
                extras={NAME: {"logprobs": logprobs}} if logprobs else {},
            ),
        ),
        usage=decode_usage(wire),
        extras=head_extras(wire, created),
    )


def head_extras(wire: JsonObject, created: str | None) -> Extras:
    """The members and the form of an answer that its fields do not hold."""
    notes: JsonObject = {} if created is None else {":created_at": created}
    read = {name: wire[name] for name in COUNTS if type(wire.get(name)) is int}
    return kept(wire, _KNOWN, NAME, complete=("model", "message", "done"), read=read, notes=notes)


def message_extras(message: JsonObject) -> Extras:
    """The members and the form of an answer's message that parts do not hold."""
    role = text(message, "role", "message")
    notes = {":role": role} if role and role != "assistant" else {}
    return kept(message, _MESSAGE, NAME, complete=("role", "content"), notes=notes)


def created_in(when: str | None) -> int | None:
    """Unix seconds for the wire's time, or None for what is none."""
    if when is None:
        return None
    try:
        return int(datetime.fromisoformat(when).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def decode_finish(wire: JsonObject, parts: tuple[Part, ...]) -> Finish | None:
    """Why the answer ended, or None where it has not."""
    if not boolean(wire, "done"):
        return None
    raw = text(wire, "done_reason")
    reason = _reason(raw)
    if reason == "stop" and any(isinstance(part, ToolCall) for part in parts):
        reason = "tool_calls"
    return Finish(reason=reason, raw=raw)


def _reason(raw: str | None) -> FinishReason:
    return _REASONS.get(raw, "other") if raw else "stop"


# -- to a client -------------------------------------------------------------------------------------------------------


def encode_response(response: Response, target: Target) -> EncodedBody:
    """The object for a client, complete as the official ones want it."""
    writing = Writing(target, AdaptationLog(), answer=True)
    body = encode_head(response, writing)
    for index, choice in enumerate(response.choices[1:], 1):
        writing.log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
    message = write_answer(response.message, "choices[0].message", writing)
    body["message"] = _with_role(message, own(response.message.extras, NAME))
    body |= encode_tail(response, writing)
    absent = own(response.extras, NAME).get(":absent", ())
    if "message" in absent and not response.message.parts:
        del body["message"]
    if "model" in absent:
        del body["model"]
    return EncodedBody(body, writing.log.entries())


def _with_role(message: JsonObject, notes: JsonObject) -> JsonObject:
    if ":role" in notes:
        message["role"] = notes[":role"]
    elif "role" in notes.get(":void", ()):
        message["role"] = notes[":void"]["role"]
    elif "role" in notes.get(":absent", ()):
        del message["role"]
    return message


def encode_head(response: Response, writing: Writing) -> JsonObject:
    """What every object of an answer begins with."""
    if response.id is not None:
        writing.log.dropped("id", "answers have no id on this wire", response.id)
    if response.service_tier is not None:
        writing.log.dropped("service_tier", "this wire has no tiers", response.service_tier)
    head: JsonObject = {"model": response.model}
    write_created(head, response.extras, response.created)
    return head


def write_created(head: JsonObject, extras: Extras, created: int | None) -> None:
    """Sets `created_at`: the wire's own text, if the time is still that, else the time."""
    noted = own(extras, NAME).get(":created_at")
    if noted is not None and created_in(noted) == created:
        head["created_at"] = noted
    elif created is not None:
        head["created_at"] = datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z")


def encode_tail(response: Response, writing: Writing) -> JsonObject:
    """What the last object of an answer ends with: the finish, the counts, and all that was kept."""
    log = writing.log
    log.foreign_extras(response.extras, NAME, "")
    if response.choices:
        log.foreign_extras(response.choices[0].extras, NAME, "choices[0]")
    tail = _encode_finish(response, writing)
    tail |= encode_usage(response.usage)
    logprobs = own(response.choices[0].extras, NAME).get("logprobs") if response.choices else None
    if logprobs:
        tail["logprobs"] = logprobs
    members = own(response.extras, NAME)
    return write_back(tail, {NAME: members}, NAME)


def _encode_finish(response: Response, writing: Writing) -> JsonObject:
    finish = response.finish
    if finish is None:
        return {"done": False}
    if response.dialect == NAME and (finish.reason == "tool_calls" or _reason(finish.raw) == finish.reason):
        return {"done": True, "done_reason": finish.raw} if finish.raw else {"done": True}
    log = writing.log
    for member in ("stop_sequence", "detail"):
        if (value := getattr(finish, member)) is not None:
            log.dropped(f"choices[0].finish.{member}", "this wire has one word for the end", value)
    word = _WORDS.get(finish.reason)
    if word is None:
        word = finish.reason
        log.substituted("choices[0].finish", "the vendor's own words are stop and length", finish.raw, word)
    return {"done": True, "done_reason": word}
