"""Requests: a body of `POST /v2/chat` → `Request`, and back. Settings are in `options`, messages in `messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.caching import note_loss
from dragoman.dialects.cohere.message_writer import MessageWriter
from dragoman.dialects.cohere.messages import decode_messages
from dragoman.dialects.cohere.names import NAME, Writing
from dragoman.dialects.cohere.options import (
    FIELDS,
    decode_numbers,
    decode_output,
    decode_thinking,
    write_numbers,
    write_output,
    write_thinking,
)
from dragoman.dialects.cohere.tools import decode_choice, decode_tools, write_tools
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import boolean, object_of, reading_request, required_text
from dragoman.values import AdaptationLog, Request

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = ["decode_request", "encode_request", "without_refused"]

_PATH = "/chat"
_KNOWN = frozenset(
    {"model", "messages", "stream", "tools", "strict_tools", "tool_choice", "response_format", "thinking", *FIELDS}
)
_UNKNOWN_HERE = (
    "top_logprobs",
    "user",
    "metadata",
    "service_tier",
    "store",
    "previous_response_id",
    "cache_key",
)
_OURS: dict[str, str] = {**FIELDS, "response_format": "output", "thinking": "reasoning", "strict_tools": "tools"}


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """The request in a client's body; `InvalidRequest` names the member that is wrong. `path` says nothing here."""
    with reading_request():
        return _decode(object_of(body, "body"), target)


def _decode(body: JsonObject, target: Target) -> Request:
    fields, read = decode_numbers(body)
    choice, choice_members = decode_choice(body)
    tools = decode_tools(body)
    notes: JsonObject = {**choice_members, ":spoken": True}
    if body.get("strict_tools") is True and not any(getattr(tool, "strict", False) for tool in tools):
        notes["strict_tools"] = True
    return Request(
        model=required_text(body, "model"),
        messages=decode_messages(body, target),
        tools=tools,
        tool_choice=choice,
        output=decode_output(body),
        reasoning=decode_thinking(body),
        stream=bool(boolean(body, "stream")),
        extras=kept(body, _KNOWN, NAME, complete=("messages",), read=read, notes=notes),
        **fields,
    )


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The body, and what could not be said."""
    log = AdaptationLog()
    members = own(request.extras, NAME)
    writing = Writing(target, log, mend=":spoken" not in members)
    log.foreign_extras(request.extras, NAME, "")
    note_loss(request, log, automatic=True)
    writer = MessageWriter(writing)
    body: JsonObject = {"model": request.model, "messages": writer.write_all(request.messages)}
    if writer.documents:
        body["documents"] = [*(members.get("documents") or ()), *writer.documents]
    elif "documents" in members:
        body["documents"] = members["documents"]
    write_tools(body, request, writing)
    write_output(body, request.output, writing)
    write_thinking(body, request.reasoning, writing)
    write_numbers(body, request, writing)
    for name in _UNKNOWN_HERE:
        if (value := getattr(request, name)) is not None:
            log.dropped(name, "this wire does not have it", value)
    if request.choices not in (None, 1):
        log.dropped("choices", "this wire gives one answer", request.choices)
    others = [modality for modality in request.modalities if modality != "text"]
    if others:
        log.dropped("modalities", "this wire answers with text", others)
    if request.stream or writing.mend:
        body["stream"] = request.stream  # the description marks it as required
    write_back(body, request.extras, NAME)
    return EncodedRequest(_PATH, without_refused(body, writing), (), log.entries())


def without_refused(body: JsonObject, writing: Writing) -> JsonObject:
    """The body without the members that the host is known to refuse."""
    for name in writing.target.quirks.cohere.refused:
        if name in body:
            writing.log.dropped(_OURS.get(name, name), "this host refuses it", body.pop(name))
    return body
