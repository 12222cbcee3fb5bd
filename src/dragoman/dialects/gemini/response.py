"""Unstreamed answers, both ways.

An answer whose prompt was blocked (`promptFeedback.blockReason`, no candidates, status 200) is an answer: one choice
without parts, finished "content_filter" with the block reason as its raw word. It was paid for, it has an id and usage,
and the same call over a wire that puts the filter's word into the finish would look the same. An answer that has no
candidates for no reason that it tells is such a choice too, finished "other".

A candidate of a whole answer is over, whether it says why or not: one without a reason is finished by what blocked the
answer, or "other" ("stop" by the quirk `finish_optional`).

Notes: ":createTime" and ":modelVersion" as the wire has them, on a choice ":index" "absent", ":content" "absent" and
":unfinished".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.contract import EncodedBody
from dragoman.dialects.gemini.candidates import (
    BLOCKED,
    CANDIDATE,
    blocked_finish,
    candidate_index,
    created_text,
    finish_members,
    read_answer_members,
    read_finish,
    seconds,
    unsaid_finish,
    with_calls,
)
from dragoman.dialects.gemini.content_writer import content_of
from dragoman.dialects.gemini.contents import read_answer
from dragoman.dialects.gemini.errors import error_in
from dragoman.dialects.gemini.grounding import citations_in, grounding_of
from dragoman.dialects.gemini.members import NAME, extras_of, listed, own, read, write
from dragoman.dialects.gemini.part_writer import PartWriter
from dragoman.dialects.gemini.parts import PartReader
from dragoman.dialects.gemini.usage import decode_usage, encode_usage
from dragoman.dialects.reading import object_of, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Choice, Message, MessageRole, Response, Text, Usage, replace

if TYPE_CHECKING:
    from dragoman.values import Citation, Finish, JsonObject, Part, Target

__all__ = ["decode_response", "encode_answer", "encode_candidate", "encode_response"]


def decode_response(body: Any, target: Target) -> Response:
    """An answer of status 200."""
    answer = object_of(body, "answer")
    failed = error_in(answer, target)
    if failed is not None:
        raise failed
    reading = read_answer_members(answer, "")
    found, notes = reading.found, reading.notes
    if not found:
        raise ProtocolViolation(f"this is no answer: it has the members {', '.join(answer) or 'of nothing'}", path="")
    seed = text(found, "responseId")
    candidates = listed(reading, "candidates", "")
    if "candidates" in found and not candidates:
        notes[":candidates"] = "empty"
    blocked = blocked_finish(found.get("promptFeedback"))
    choices = tuple(
        _choice(wire, target, seed or "", f"candidates[{index}]", blocked) for index, wire in enumerate(candidates)
    )
    if not choices:
        finish = unsaid_finish(blocked, {}, target)
        choices = (Choice(message=Message(MessageRole.ASSISTANT), finish=finish, extras=extras_of({BLOCKED: True})),)
    model = text(found, "modelVersion")
    if model is None:
        notes[":modelVersion"] = None
    stamp = text(found, "createTime")
    created = seconds(stamp)
    if stamp is not None:
        notes[":createTime"] = stamp
    usage = decode_usage(object_of(found["usageMetadata"], "usageMetadata")) if "usageMetadata" in found else Usage()
    return Response(
        id=seed,
        model=model if model is not None else target.model,
        provider=target.provider,
        dialect=NAME,
        created=created,
        choices=choices,
        usage=usage,
        service_tier=text(usage.raw, "serviceTier") if usage.raw is not None else None,
        extras=reading.extras,
    )


def _choice(wire: JsonObject, target: Target, seed: str, path: str, blocked: Finish | None) -> Choice:
    reading = read(wire, CANDIDATE, path)
    found, notes = reading.found, reading.notes
    index = candidate_index(found, path)
    if "index" not in found:
        notes[":index"] = "absent"
    if "content" in found:
        reader = PartReader(target.issuer, f"{seed}/{index}" if seed else "")
        message = read_answer(object_of(found["content"], f"{path}.content"), reader, f"{path}.content")
    else:
        message = Message(MessageRole.ASSISTANT)
        if "content" not in notes.get(":null", ()):
            notes[":content"] = "absent"
    parts = cited(message.parts, citations_in(reading.rest, message.parts))
    if parts is not message.parts:
        message = replace(message, parts=parts)
    finish = read_finish(found, notes, target, path)
    if finish is None:
        finish = unsaid_finish(blocked, notes, target)
    return Choice(
        index=index,
        message=message,
        finish=with_calls(finish, parts),
        extras=reading.extras,
    )


def cited(parts: tuple[Part, ...], citations: list[tuple[int, Citation]]) -> tuple[Part, ...]:
    """The parts with their citations."""
    if not citations:
        return parts
    told = list(parts)
    for index, citation in citations:
        part = told[index]
        if isinstance(part, Text):
            told[index] = replace(part, citations=(*part.citations, citation))
    return tuple(told)


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_response(response: Response, target: Target) -> EncodedBody:
    """The answer as this dialect's clients read it."""
    log = AdaptationLog()
    native = response.dialect == NAME
    log.foreign_extras(response.extras, NAME, "")
    body: JsonObject = {}
    written = [choice for choice in response.choices if BLOCKED not in own(choice.extras)]
    if written or own(response.extras).get(":candidates") == "empty" or (not native and not response.choices):
        body["candidates"] = [
            encode_candidate(choice, position, target, log, native=native) for position, choice in enumerate(written)
        ]
    body.update(encode_answer(response, native=native))
    body = write(body, own(response.extras))
    return EncodedBody(body, log.entries())


def encode_answer(response: Response, *, native: bool) -> JsonObject:
    """The members of an answer beside its candidates; what this dialect's clients expect is there."""
    extras = own(response.extras)
    members: JsonObject = {}
    if response.usage:
        members["usageMetadata"] = encode_usage(response.usage)
    if response.model if not native else ":modelVersion" not in extras:
        members["modelVersion"] = response.model
    stamp: Any = extras.get(":createTime")
    if stamp is not None and seconds(stamp) == response.created:
        members["createTime"] = stamp
    elif response.created is not None:
        members["createTime"] = created_text(response.created)
    if response.id is not None:
        members["responseId"] = response.id
    return members


def encode_candidate(
    choice: Choice,
    position: int,
    target: Target,
    log: AdaptationLog,
    *,
    native: bool,
    said: list[JsonObject] | None = None,
) -> JsonObject:
    """One candidate. `said` stands for its parts where they have been written before."""
    path = f"choices[{position}]"
    log.foreign_extras(choice.extras, NAME, path)
    extras = own(choice.extras)
    members: JsonObject = {}
    message = choice.message
    log.foreign_extras(message.extras, NAME, f"{path}.message")
    if said is None:
        writer = PartWriter(target, log, answering=True)
        parts = [writer.write(part, f"{path}.message.parts[{index}]") for index, part in enumerate(message.parts)]
        said = [part for part in parts if part is not None]
    if said or not (extras.get(":content") == "absent" or "content" in extras.get(":null", ())):
        members["content"] = content_of(said, "model", own(message.extras))
    if choice.finish is not None:
        members.update(finish_members(choice.finish, extras, target, log, path, native=native))
    elif ":finishMessage" in extras:
        members["finishMessage"] = extras[":finishMessage"]
    if extras.get(":index") != "absent" or choice.index:
        members["index"] = choice.index
    grounding = grounding_of(message.parts, log, f"{path}.message")
    if grounding is not None and "groundingMetadata" not in extras:
        members["groundingMetadata"] = grounding
    elif grounding is not None:
        log.dropped(f"{path}.message", "citations beside those of the provider's own grounding")
    return write(members, extras)
