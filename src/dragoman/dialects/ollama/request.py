"""Requests: a body of `POST /api/chat` → `Request`, and back. Settings are in `options`, messages in `messages`.

`stream` is on where it is missing, so that it is always written for callers of other wires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.caching import note_loss
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.ollama.message_writer import write_messages
from dragoman.dialects.ollama.messages import decode_messages
from dragoman.dialects.ollama.names import NAME, Writing
from dragoman.dialects.ollama.options import (
    decode_format,
    decode_options,
    decode_think,
    write_format,
    write_options,
    write_think,
)
from dragoman.dialects.ollama.tools import decode_tools, write_tools
from dragoman.dialects.reading import boolean, integer, object_of, reading_request, required_text
from dragoman.values import AdaptationLog, Request

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Target

__all__ = ["decode_request", "encode_request", "without_refused"]

_PATH = "/chat"
_KNOWN = frozenset("model messages tools format options think logprobs top_logprobs".split())
_UNKNOWN_HERE = ("user", "metadata", "service_tier", "store", "previous_response_id", "cache_key")


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """The request in a client's body; `InvalidRequest` names the member that is wrong. `path` says nothing here."""
    with reading_request():
        return _decode(object_of(body, "body"), target)


def _decode(body: JsonObject, target: Target) -> Request:
    fields, notes = decode_options(body)
    output, format_members = decode_format(body)
    stream = boolean(body, "stream")
    top = integer(body, "top_logprobs")
    notes |= format_members
    if stream is None:
        notes[":stream"] = "null" if "stream" in body else "absent"
    rest = {name: value for name, value in body.items() if name != "stream"}
    extras = kept(rest, _KNOWN, NAME, complete=("messages",), read={"top_logprobs": top}, notes=notes)
    return Request(
        model=required_text(body, "model"),
        messages=decode_messages(body, target),
        tools=decode_tools(body),
        output=output,
        reasoning=decode_think(body),
        logprobs=boolean(body, "logprobs"),
        top_logprobs=top,
        stream=stream is not False,
        extras=extras,
        **fields,
    )


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The body, and what could not be said."""
    writing = Writing(target, AdaptationLog())
    log = writing.log
    members = own(request.extras, NAME)
    log.foreign_extras(request.extras, NAME, "")
    note_loss(request, log, automatic=True)
    body: JsonObject = {"model": request.model, "messages": write_messages(request.messages, writing)}
    tools = write_tools(request, writing)
    if tools:
        body["tools"] = tools
    write_format(body, request.output, writing)
    write_think(body, request.reasoning, writing)
    if request.logprobs is not None:
        body["logprobs"] = request.logprobs
    if request.top_logprobs is not None:
        body["top_logprobs"] = request.top_logprobs
    options = write_options(request, writing)
    if options:
        body["options"] = options
    _note_unsaid(request, log)
    form = members.get(":stream") if request.stream else None
    if form != "absent":
        body["stream"] = None if form == "null" else request.stream
    rest = {name: value for name, value in members.items() if name != "options"}
    write_back(body, {NAME: rest}, NAME)
    return EncodedRequest(_PATH, without_refused(body, writing), (), log.entries())


def _note_unsaid(request: Request, log: AdaptationLog) -> None:
    for name in _UNKNOWN_HERE:
        value = getattr(request, name)
        if value is not None:
            log.dropped(name, "this wire does not have it", value)
    if request.choices not in (None, 1):
        log.dropped("choices", "this wire gives one answer", request.choices)
    others = [modality for modality in request.modalities if modality != "text"]
    if others:
        log.dropped("modalities", "this wire answers with text", others)


def without_refused(body: JsonObject, writing: Writing) -> JsonObject:
    """The body without the members that the host is known to refuse."""
    for name in writing.target.quirks.ollama.refused:
        if name in body:
            writing.log.dropped(_OURS.get(name, name), "this host refuses it", body.pop(name))
    return body


_OURS = {"format": "output", "think": "reasoning"}
