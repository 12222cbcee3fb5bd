"""Answers: the object that `/v2/chat` gives → `Response`, and back. It does not name the model that answered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.cohere.errors import error_in_body
from dragoman.dialects.cohere.message_writer import write_assistant
from dragoman.dialects.cohere.messages import decode_assistant
from dragoman.dialects.cohere.names import NAME, Writing
from dragoman.dialects.cohere.usage import decode_usage, encode_usage
from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import object_of, objects_in, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, Finish, Response, Usage

if TYPE_CHECKING:
    from dragoman.values import FinishReason, JsonObject, Target

__all__ = ["answer_id", "decode_finish", "decode_response", "encode_response", "finish_word", "note_unsaid"]

_REASONS: Final[dict[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
    "ERROR": "error",
    "TIMEOUT": "error",
}
_WORDS: Final[dict[FinishReason, str]] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
    "error": "ERROR",
}
_KNOWN: Final = frozenset({"id", "finish_reason", "message", "usage", "logprobs"})


def decode_response(body: Any, target: Target) -> Response:
    """The answer in a body of status 200; raises the `ProviderError` that may stand there instead."""
    wire = object_of(body, "body")
    if not isinstance(wire.get("message"), dict):
        error = error_in_body(wire, target)
        if error is not None:
            raise error
        raise ProtocolViolation("message is missing: this is not an answer of this wire", path="message")
    logprobs = objects_in(wire, "logprobs")
    usage = wire.get("usage")
    return Response(
        id=text(wire, "id") or None,
        model=target.model,
        provider=target.provider,
        dialect=NAME,
        choices=(
            Choice(
                message=decode_assistant(object_of(wire["message"], "message"), target, "message"),
                finish=decode_finish(text(wire, "finish_reason")),
                extras={NAME: {"logprobs": logprobs}} if logprobs else {},
            ),
        ),
        usage=Usage() if usage is None else decode_usage(object_of(usage, "usage")),
        extras=kept(wire, _KNOWN, NAME, complete=("id", "usage", "finish_reason")),
    )


def decode_finish(word: str | None) -> Finish | None:
    """Why the answer ended, or None where it does not say."""
    return Finish(reason=_REASONS.get(word, "other"), raw=word) if word else None


def finish_word(response: Response, writing: Writing) -> str | None:
    """The wire's word for the end."""
    finish = response.finish
    if finish is None:
        return None
    if response.dialect == NAME and finish.raw is not None and _REASONS.get(finish.raw, "other") == finish.reason:
        return finish.raw
    log = writing.log
    if finish.detail is not None:
        log.dropped("choices[0].finish.detail", "this wire has one word for the end", finish.detail)
    if finish.stop_sequence is not None:
        log.dropped("choices[0].finish.stop_sequence", "this wire does not tell which", finish.stop_sequence)
        return "STOP_SEQUENCE"
    word = _WORDS.get(finish.reason)
    if word is None:
        word = "COMPLETE"
        log.substituted("choices[0].finish", "this wire has no such end", finish.reason, word)
    return word


def note_unsaid(response: Response, writing: Writing) -> None:
    """Records what of an answer has no place on this wire."""
    log = writing.log
    log.foreign_extras(response.extras, NAME, "")
    if response.choices:
        log.foreign_extras(response.choices[0].extras, NAME, "choices[0]")
    for index, choice in enumerate(response.choices[1:], 1):
        log.dropped(f"choices[{index}]", "this wire gives one answer", choice.message.content)
    for name in ("created", "service_tier"):
        if (value := getattr(response, name)) is not None:
            log.dropped(name, "this wire does not have it", value)


def answer_id(response: Response) -> str:
    """An id for an answer that has none: the same for the same answer."""
    said = f"{response.provider} {response.model} {response.created} {response.request_id} {response.content}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def encode_response(response: Response, target: Target) -> EncodedBody:
    """The object for a client, complete as the official one wants it."""
    log = AdaptationLog()
    writing = Writing(target, log, mend=response.dialect != NAME, answer=True)
    note_unsaid(response, writing)
    body: JsonObject = {"id": response.id if response.id is not None else ""}
    if not body["id"] and writing.mend:
        body["id"] = answer_id(response)
    word = finish_word(response, writing)
    if word is not None:
        body["finish_reason"] = word
    body["message"] = write_assistant(response.message, "choices[0].message", writing)
    if response.usage:
        body["usage"] = encode_usage(response.usage)
    logprobs = own(response.choices[0].extras, NAME).get("logprobs") if response.choices else None
    if logprobs:
        body["logprobs"] = logprobs
    return EncodedBody(write_back(body, response.extras, NAME), log.entries())
