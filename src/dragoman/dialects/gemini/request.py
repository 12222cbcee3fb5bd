"""generateContent and streamGenerateContent requests, both ways.

Members without a field stay in `extras["gemini"]` under their names (safetySettings, cachedContent, modelArmorConfig,
what is left of toolConfig and generationConfig …). Notes: ":method" from the path, which also marks a request that came
over this wire; ":framing" "array" where a stream was not asked for as server-sent events; ":model" as the body spells
it, and the model that it then stood for; ":contents" "absent"; ":toolConfig" and ":generationConfig" hold the notes of
those objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.caching import note_loss
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.gemini.config import read_config, write_config
from dragoman.dialects.gemini.content_writer import ContentWriter
from dragoman.dialects.gemini.contents import read_contents, read_system
from dragoman.dialects.gemini.members import NAME, listed, own, read, shape, write
from dragoman.dialects.gemini.paths import model_in, parse_path, path_of
from dragoman.dialects.gemini.tools import read_choice, read_tools, write_choice, write_tools
from dragoman.dialects.reading import boolean, object_of, reading_request, text
from dragoman.errors import InvalidRequest
from dragoman.values import AdaptationLog, Request

if TYPE_CHECKING:
    from dragoman.dialects.gemini.members import Reading
    from dragoman.values import JsonObject, Target

__all__ = ["decode_request", "encode_request"]

_REQUEST = shape(
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "serviceTier",
    "store",
    "labels",
)
_TOOL_CONFIG = shape("functionCallingConfig")
_GENERATE = "generateContent"
_STREAM = "streamGenerateContent"
_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}


def decode_request(body: JsonObject, target: Target, path: str = "") -> Request:
    """A client's request. `path` names the model and says whether to stream; without one, the body's model counts."""
    with reading_request():
        return _decode(object_of(body, "body"), target, path)


def _decode(body: JsonObject, target: Target, path: str) -> Request:
    reading = read(body, _REQUEST, "body")
    found, notes = reading.found, reading.notes
    model, method, events = parse_path(path)
    if method not in (None, _GENERATE, _STREAM):
        raise InvalidRequest(f"{method!r} is not a method that generates content", path="path")
    notes[":method"] = method or _GENERATE
    if method == _STREAM and not events:
        notes[":framing"] = "array"
    named = text(found, "model")
    if named is not None:
        model = model or model_in(named)
        notes[":model"] = [named, model]
    fields: JsonObject = {"messages": _messages(reading, target)}
    if "tools" in found:
        fields["tools"] = read_tools(listed(reading, "tools", ""), "tools")
        if not fields["tools"]:
            reading.rest["tools"] = found["tools"]
    if "toolConfig" in found:
        _tool_config(reading, fields)
    if "generationConfig" in found:
        told, rest, config_notes = read_config(object_of(found["generationConfig"], "generationConfig"))
        fields.update(told)
        if rest:
            reading.rest["generationConfig"] = rest
        if config_notes:
            notes[":generationConfig"] = config_notes
    if "labels" in found:
        fields["metadata"] = object_of(found["labels"], "labels")
        notes[":labels"] = True
    return Request(
        model=model or target.model,
        stream=method == _STREAM,
        service_tier=text(found, "serviceTier"),
        store=boolean(found, "store"),
        extras=reading.extras,
        **fields,
    )


def _messages(reading: Reading, target: Target) -> tuple[Any, ...]:
    found = reading.found
    messages: list[Any] = []
    if "systemInstruction" in found:
        instruction = object_of(found["systemInstruction"], "systemInstruction")
        messages.append(read_system(instruction, target.issuer, "systemInstruction"))
    if "contents" in found:
        messages.extend(read_contents(listed(reading, "contents", ""), target.issuer, "contents"))
    else:
        reading.notes[":contents"] = "absent"
    return tuple(messages)


def _tool_config(reading: Reading, fields: JsonObject) -> None:
    found, rest, notes = read(object_of(reading.found["toolConfig"], "toolConfig"), _TOOL_CONFIG, "toolConfig")
    if "functionCallingConfig" in found:
        where = "toolConfig.functionCallingConfig"
        fields["tool_choice"] = read_choice(object_of(found["functionCallingConfig"], where), where)
    elif not rest:
        notes[":empty"] = True
    if rest:
        reading.rest["toolConfig"] = rest
    if notes:
        reading.notes[":toolConfig"] = notes


# -- writing -----------------------------------------------------------------------------------------------------------


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The call for `target`; what the wire cannot say is recorded."""
    log = AdaptationLog()
    log.foreign_extras(request.extras, NAME, "")
    note_loss(request, log, automatic=True)
    extras = own(request.extras)
    native = ":method" in extras
    model = request.model or target.model
    body: JsonObject = {}
    spelled = extras.get(":model")
    if spelled is not None:
        body["model"] = spelled[0] if spelled[1] == model else f"models/{model_in(model)}"
    instruction, contents = ContentWriter(request.messages, target, log).write(native=native)
    if instruction is not None:
        body["systemInstruction"] = instruction
    if contents or ":contents" not in extras:
        body["contents"] = contents
    if request.tools:
        tools = write_tools(request.tools, target, log)
        if tools:
            body["tools"] = tools
    config = _write_tool_config(request, extras, log)
    if config is not None:
        body["toolConfig"] = config
    config = write_config(request, target, log)
    if config is not None:
        body["generationConfig"] = config
    _settings(body, request, target, log)
    rest = {name: value for name, value in extras.items() if name not in ("toolConfig", "generationConfig")}
    body = write(body, rest)
    for name in target.quirks.gemini.refused:
        if name in body:
            log.dropped(_FIELDS.get(name, f"extras.{NAME}.{name}"), "the host refuses it", body.pop(name))
    method, query = (_STREAM, "?alt=sse") if request.stream else (_GENERATE, "")
    return EncodedRequest(path_of(model, method, query), body, adaptations=log.entries())


_FIELDS = {
    "serviceTier": "service_tier",
    "store": "store",
    "labels": "metadata",
    "tools": "tools",
    "toolConfig": "tool_choice",
}


def _write_tool_config(request: Request, extras: JsonObject, log: AdaptationLog) -> JsonObject | None:
    members: JsonObject = {}
    if request.tool_choice is not None:
        choice = write_choice(request.tool_choice, log)
        if choice is not None:
            members["functionCallingConfig"] = choice
    rest: JsonObject = extras.get("toolConfig", {})
    notes: JsonObject = extras.get(":toolConfig", {})
    if not members and not rest and not notes:
        return None
    return write(members, {**rest, **notes})


def _settings(body: JsonObject, request: Request, target: Target, log: AdaptationLog) -> None:
    extras = own(request.extras)
    if request.service_tier is not None:
        tier = request.service_tier if ":method" in extras else _TIERS.get(request.service_tier)
        if tier is not None:
            body["serviceTier"] = tier
        if tier != request.service_tier:
            if tier is None:
                log.dropped("service_tier", "there is no such tier here", request.service_tier)
            else:
                log.substituted("service_tier", "the tier has another name here", request.service_tier, tier)
    if request.store is not None:
        body["store"] = request.store
    if request.metadata is not None:
        if ":labels" in extras or target.quirks.gemini.labels:
            body["labels"] = request.metadata
        else:
            log.dropped("metadata", "requests have no labels here", request.metadata)
    for name in ("user", "previous_response_id", "cache_key"):
        value = getattr(request, name)
        if value is not None:
            log.dropped(name, "the wire has nothing of the kind", value)
