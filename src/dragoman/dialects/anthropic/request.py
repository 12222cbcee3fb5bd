"""Requests: a body of `POST /v1/messages` → `Request`, and back.

| wire | request |
| --- | --- |
| model, messages, system | model, messages |
| max_tokens, temperature, top_p, top_k, stream | the same names |
| stop_sequences | stop |
| tools, tool_choice | tools, tool_choice |
| thinking, output_config.effort | reasoning |
| output_config.format, output_format | output |
| metadata.user_id | user |
| service_tier | service_tier |
| everything else | extras |

`max_tokens` is required: without one the quirks' default is sent (with the thinking budget on top) and recorded.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.anthropic.betas import betas_of
from dragoman.dialects.anthropic.forms import NAME, Writing, kept, note, restore
from dragoman.dialects.anthropic.messages import decode_messages, encode_messages
from dragoman.dialects.anthropic.output import decode_output, encode_output, instruction
from dragoman.dialects.anthropic.reasoning import decode_reasoning, encode_reasoning
from dragoman.dialects.anthropic.rules import keep_rules
from dragoman.dialects.anthropic.tools import decode_choice, decode_tools, encode_choice, encode_tools
from dragoman.dialects.caching import MarkRules, note_loss, place_marks
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.reading import boolean, integer, number, object_of, reading_request, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, Media, Request, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, MessageRole, Part, Target

__all__ = ["PATH", "VERSION", "decode_request", "encode_request"]

PATH = "/messages"
VERSION = "2023-06-01"

_KNOWN = frozenset(
    "model messages system max_tokens temperature top_p top_k stream stop_sequences tools tool_choice thinking "
    "output_config output_format metadata service_tier".split()
)
_SILENT = tuple(_KNOWN - {"model", "messages", "max_tokens", "temperature", "top_p", "top_k", "system"})
_HEADERS = (("anthropic-version", VERSION),)
_NUMBERS = ("max_tokens", "temperature", "top_p", "top_k", "system")
_OURS = {"stop_sequences": "stop", "thinking": "reasoning", "output_config": "output", "output_format": "output"}
_TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only", "priority": "auto"}


# -- from a client -----------------------------------------------------------------------------------------------------


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """The request in a client's body; `InvalidRequest` names the member that is wrong. `path` says nothing here."""
    with reading_request():
        return _decode(object_of(body, "body"), target)


def _decode(body: JsonObject, target: Target) -> Request:
    output, effort, members = decode_output(body)
    user, metadata = _decode_metadata(body)
    silent = [*_SILENT, *(name for name in _NUMBERS if body.get(name, 0) is None)]
    extras = kept(body, _KNOWN, silent=silent, notes={":spoken": True, **members, **metadata})
    return Request(
        model=required_text(body, "model"),
        messages=decode_messages(body, target),
        tools=decode_tools(body),
        tool_choice=decode_choice(body),
        output=output,
        reasoning=decode_reasoning(body, effort),
        max_tokens=integer(body, "max_tokens"),
        temperature=number(body, "temperature"),
        top_p=number(body, "top_p"),
        top_k=integer(body, "top_k"),
        stop=_decode_stop(body),
        user=user,
        service_tier=text(body, "service_tier"),
        stream=bool(boolean(body, "stream")),
        extras=extras,
    )


def _decode_stop(body: JsonObject) -> tuple[str, ...]:
    value: Any = body.get("stop_sequences")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise ProtocolViolation("stop_sequences should be a list of texts", path="stop_sequences")
    return tuple(cast("list[str]", value))


def _decode_metadata(body: JsonObject) -> tuple[str | None, dict[str, Any]]:
    if body.get("metadata") is None:
        return None, {}
    metadata = object_of(body["metadata"], "metadata")
    user = text(metadata, "user_id", "metadata")
    rest = {name: value for name, value in metadata.items() if name != "user_id"}
    members: dict[str, Any] = {"metadata": rest} if rest else {}
    if user is None and "user_id" in metadata:
        members[":metadata"] = metadata
    return user, members


# -- to a provider -----------------------------------------------------------------------------------------------------


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The body, the version and beta headers, and what could not be said."""
    writing = Writing(target, AdaptationLog())
    if request.extras:
        writing.mend = not note(request.extras, ":spoken")
        writing.log.foreign_extras(request.extras, NAME, "")
    if request.cache is not None:
        note_loss(request, writing.log, automatic=True, ttl=False)
        request = place_marks(request, _MARKS, writing.log)
    body: JsonObject = {"model": request.model}
    _write_turns(body, request, writing)
    _write_tools(body, request, writing)
    effort = None
    if request.reasoning is not None:
        thinking, effort = encode_reasoning(request.reasoning, writing)
        if thinking is not None:
            body["thinking"] = thinking
    if request.output is not None or effort is not None or NAME in request.extras:
        encode_output(body, request.output, effort, request.extras, writing)
    _write_numbers(body, request, writing)
    _write_account(body, request, writing)
    keep_rules(body, request, writing)
    _note_unsaid(request, writing)
    if request.stream:
        body["stream"] = True
    if NAME in request.extras:
        restore(body, request.extras)
    for name in target.quirks.anthropic.refused:
        if name in body:
            writing.log.dropped(_OURS.get(name, name), "this host refuses it", body.pop(name))
    headers = _HEADERS
    if target.quirks.anthropic.betas and (betas := betas_of(body, plain_turns=writing.plain)):
        headers = (*_HEADERS, ("anthropic-beta", ",".join(betas)))
    return EncodedRequest(PATH, body, headers, writing.log.entries())


def _write_turns(body: JsonObject, request: Request, writing: Writing) -> None:
    system, turns = encode_messages(request, writing)
    words = None if request.output is None else instruction(request.output, writing)
    if words is not None:
        blocks = [{"type": "text", "text": system}] if isinstance(system, str) else list(system or ())
        system = [*blocks, {"type": "text", "text": words}]
    if writing.mend and not turns and system:
        writing.log.substituted("messages", "this wire wants a user's turn; the system text is sent as one")
        turns, system = [{"role": "user", "content": system}], None
    if system is not None and (system or not writing.mend):
        body["system"] = system
    body["messages"] = turns


def _write_tools(body: JsonObject, request: Request, writing: Writing) -> None:
    tools = encode_tools(request, writing) if request.tools else []
    if tools:
        body["tools"] = tools
    choice = None if request.tool_choice is None else encode_choice(request, tools, writing)
    if choice is not None:
        body["tool_choice"] = choice


def _write_numbers(body: JsonObject, request: Request, writing: Writing) -> None:
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    elif "max_tokens" not in (note(request.extras, ":explicit") or ()):
        budget = body.get("thinking", {}).get("budget_tokens", 0)
        body["max_tokens"] = writing.target.quirks.anthropic.default_max_tokens + budget
        writing.log.defaulted("max_tokens", "this wire requires a cap on the answer", body["max_tokens"])
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    if request.stop:
        body["stop_sequences"] = list(request.stop)


def _write_account(body: JsonObject, request: Request, writing: Writing) -> None:
    if request.user is not None or NAME in request.extras:
        _write_metadata(body, request)
    if request.service_tier is not None:
        _write_tier(body, request.service_tier, writing)


def _write_metadata(body: JsonObject, request: Request) -> None:
    original = note(request.extras, ":metadata")
    if original is not None and request.user is None:
        body["metadata"] = original
        return
    metadata: JsonObject = dict(note(request.extras, "metadata") or {})
    if request.user is not None:
        metadata["user_id"] = request.user
    if metadata:
        body["metadata"] = metadata


def _write_tier(body: JsonObject, tier: str, writing: Writing) -> None:
    said = _TIERS.get(tier) if writing.mend else tier
    if said is None:
        writing.log.dropped("service_tier", "this wire has no such tier", tier)
        return
    if said != tier:
        writing.log.substituted("service_tier", "this wire's word for it", tier, said)
    body["service_tier"] = said


def _note_unsaid(request: Request, writing: Writing) -> None:
    """Records the members that this wire has no word for; what equals its own behaviour is no loss."""
    if _UNASKED(request) == _NOTHING_ASKED:
        return  # nearly always: one look instead of eleven
    for name, harmless in _UNSAID.items():
        value: Any = getattr(request, name)
        if value is not None and value not in harmless:
            writing.log.dropped(name, "this wire has no such member", value)


def _holds_mark(part: Part, role: MessageRole) -> bool:
    """Whether the block of a part may be marked; thoughts may not, and what a host ran may be of another one."""
    return isinstance(part, (Text, Media)) or (isinstance(part, (ToolCall, ToolResult)) and part.runner == "client")


_MARKS = MarkRules(_holds_mark)
_UNSAID: dict[str, tuple[Any, ...]] = {
    "modalities": ((), ("text",)),
    "seed": (),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (),
    "choices": (1,),
    "metadata": ({},),
    "store": (False,),
    "previous_response_id": (),
    "cache_key": (),
}
_UNASKED = attrgetter(*_UNSAID)
_NOTHING_ASKED = _UNASKED(Request(model=""))
