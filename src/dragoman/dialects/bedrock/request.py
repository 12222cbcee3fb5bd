"""Requests: the path and a body of Converse → `Request`, and back. The package's docstring tells what goes where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

import msgspec

from dragoman.dialects.bedrock.forms import NAME, Writing, nested, note, tier_word, write_nested
from dragoman.dialects.bedrock.messages import decode_messages, encode_messages
from dragoman.dialects.bedrock.output import decode_output, encode_output, instruction
from dragoman.dialects.bedrock.reasoning import decode_reasoning, encode_reasoning, keep_rules
from dragoman.dialects.bedrock.tools import decode_tools, encode_tools
from dragoman.dialects.caching import MarkRules, note_loss, place_marks
from dragoman.dialects.contract import EncodedRequest
from dragoman.dialects.keeping import kept, write_back
from dragoman.dialects.reading import integer, number, object_of, reading_request, text
from dragoman.errors import InvalidRequest, ProtocolViolation
from dragoman.values import AdaptationLog, Media, Request, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from dragoman.values import JsonObject, MessageRole, Part, Target

__all__ = ["decode_request", "encode_request"]

_KNOWN = frozenset(
    "messages system inferenceConfig toolConfig outputConfig requestMetadata serviceTier "
    "additionalModelRequestFields".split()
)
_INFERENCE = frozenset({"maxTokens", "temperature", "topP", "stopSequences"})
_OURS = {
    "inferenceConfig": "max_tokens",
    "toolConfig": "tools",
    "outputConfig": "output",
    "requestMetadata": "metadata",
    "serviceTier": "service_tier",
    "additionalModelRequestFields": "reasoning",
}
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.\-]{0,256}")
_METADATA_ENTRIES = 16


# -- from a client -----------------------------------------------------------------------------------------------------


def decode_request(body: Any, target: Target, path: str = "") -> Request:
    """The request in a client's path and body; `InvalidRequest` names the member that is wrong."""
    model, stream = _of_path(path, target)
    with reading_request():
        return _decode(object_of(body, "body"), target, model, stream)


def _of_path(path: str, target: Target) -> tuple[str, bool]:
    _, found, rest = path.partition("/model/")
    name, _, operation = rest.partition("?")[0].rpartition("/")
    if not found or not name:
        return target.model, False
    return unquote(name), operation == "converse-stream"


def _decode(body: JsonObject, target: Target, model: str, stream: bool) -> Request:
    config = body.get("inferenceConfig")
    config = {} if config is None else object_of(config, "inferenceConfig")
    maximum = integer(config, "maxTokens", "inferenceConfig")
    tools, choice, kept_tools = decode_tools(body)
    output, effort, kept_output = decode_output(body)
    thinking, kept_fields = _decode_fields(body)
    tier, kept_tier = _decode_tier(body)
    notes: JsonObject = {
        ":spoken": True,
        **nested("inferenceConfig", config, _INFERENCE, {"maxTokens": maximum}),
        **kept_tools,
        **kept_output,
        **kept_fields,
        **kept_tier,
    }
    return Request(
        model=model,
        messages=decode_messages(body, target),
        tools=tools,
        tool_choice=choice,
        output=output,
        reasoning=decode_reasoning(thinking, effort),
        max_tokens=maximum,
        temperature=number(config, "temperature", "inferenceConfig"),
        top_p=number(config, "topP", "inferenceConfig"),
        stop=_decode_stop(config),
        metadata=_decode_metadata(body),
        service_tier=tier,
        stream=stream,
        extras=kept(body, _KNOWN, NAME, complete=("messages",), notes=notes),
    )


def _decode_stop(config: JsonObject) -> tuple[str, ...]:
    value: Any = config.get("stopSequences")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise ProtocolViolation("inferenceConfig.stopSequences should be texts", path="inferenceConfig.stopSequences")
    return tuple(cast("list[str]", value))


def _decode_metadata(body: JsonObject) -> JsonObject | None:
    value = body.get("requestMetadata")
    return None if value is None else object_of(value, "requestMetadata") or None


def _decode_tier(body: JsonObject) -> tuple[str | None, JsonObject]:
    wire = body.get("serviceTier")
    if wire is None:
        return None, {}
    wire = object_of(wire, "serviceTier")
    tier = text(wire, "type", "serviceTier")
    return tier, {} if wire == {"type": tier} else {":serviceTier": wire}


def _decode_fields(body: JsonObject) -> tuple[Any, JsonObject]:
    """`thinking`, and the other members of the model's own; they may be anything."""
    fields: Any = body.get("additionalModelRequestFields")
    if not isinstance(fields, dict):
        return None, {} if not fields else {"additionalModelRequestFields": fields}
    members = cast("JsonObject", fields)
    thinking: Any = members.get("thinking")
    if not isinstance(thinking, dict) or not isinstance(cast("JsonObject", thinking).get("type"), str):
        thinking = None
    rest = {name: value for name, value in members.items() if thinking is None or name != "thinking"}
    return cast("Any", thinking), {"additionalModelRequestFields": rest} if rest else {}


# -- to a provider -----------------------------------------------------------------------------------------------------


def encode_request(request: Request, target: Target) -> EncodedRequest:
    """The path, the body, and what could not be said. A model's name may be an ARN: it is one segment of the path."""
    if not request.model:
        raise InvalidRequest("this wire wants a model: it stands in the path", path="model")
    writing = Writing(target, AdaptationLog(), mend=not note(request.extras, ":spoken"))
    if request.extras:
        writing.log.foreign_extras(request.extras, NAME, "")
    if request.cache is not None:
        takes = target.quirks.bedrock.cache_points
        note_loss(request, writing.log, automatic=takes != "none", ttl=False)
        if takes != "none":
            rules = MarkRules(_holds_point, tools=takes == "all", ttls=target.quirks.bedrock.cache_ttls)
            request = place_marks(request, rules, writing.log)
    system, turns = encode_messages(request, writing)
    words = instruction(request.output, writing)
    if words is not None:
        system = [*system, {"text": words}]
    thinking, effort = encode_reasoning(request.reasoning, writing)
    members: JsonObject = {
        "system": system,
        "inferenceConfig": _inference(request, writing),
        "toolConfig": encode_tools(request, writing),
        "outputConfig": encode_output(request.output, effort, request.extras, writing),
        "requestMetadata": _metadata(request, writing),
        "serviceTier": _tier(request, writing),
        "additionalModelRequestFields": _fields(request, thinking, writing),
    }
    body: JsonObject = {"messages": turns, **{name: value for name, value in members.items() if value}}
    keep_rules(body, request, writing)
    _note_unsaid(request, writing)
    write_back(body, request.extras, NAME)
    for name in target.quirks.bedrock.refused:
        if name in body:
            writing.log.dropped(_OURS.get(name, name), "this host refuses it", body.pop(name))
    operation = "converse-stream" if request.stream else "converse"
    return EncodedRequest(f"/model/{quote(request.model, safe='')}/{operation}", body, (), writing.log.entries())


def _inference(request: Request, writing: Writing) -> JsonObject:
    config: JsonObject = {}
    temperature, stops = request.temperature, list(request.stop)
    if writing.mend:
        if temperature is not None and temperature > 1:
            writing.log.clamped("temperature", "this wire's range is 0 to 1", temperature, 1)
            temperature = 1
        if "" in stops:
            writing.log.dropped("stop", "this wire takes no empty stop", "")
            stops = [stop for stop in stops if stop]
    for name, value in (("maxTokens", request.max_tokens), ("temperature", temperature), ("topP", request.top_p)):
        if value is not None:
            config[name] = value
    if stops:
        config["stopSequences"] = stops
    return write_nested(config, request.extras, "inferenceConfig")


def _metadata(request: Request, writing: Writing) -> JsonObject:
    metadata = request.metadata or {}
    if not writing.mend:
        return metadata
    said: JsonObject = {}
    for name, value in metadata.items():
        words = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if name and _METADATA.fullmatch(name) and _METADATA.fullmatch(words) and len(said) < _METADATA_ENTRIES:
            said[name] = words
            if words != value:
                writing.log.substituted(f"metadata.{name}", "this wire takes texts alone", value, words)
        else:
            writing.log.dropped(f"metadata.{name}", "this wire takes 16 short texts of few kinds of letters", value)
    return said


def _tier(request: Request, writing: Writing) -> JsonObject:
    tier = request.service_tier
    original = note(request.extras, ":serviceTier")
    if original is not None and original.get("type") == tier:
        return original
    said = tier_word(tier, writing)
    return {} if said is None else {"type": said}


def _fields(request: Request, thinking: JsonObject | None, writing: Writing) -> Any:
    """The model's own members. One that the caller gave in the same place is not overwritten."""
    rest: Any = note(request.extras, "additionalModelRequestFields")
    if rest is not None and not isinstance(rest, dict):
        return rest
    fields: JsonObject = dict(cast("JsonObject", rest or {}))
    if thinking is not None:
        fields.setdefault("thinking", dict(thinking))
    if request.top_k is not None:
        path = writing.target.quirks.bedrock.top_k_path
        if not path:
            writing.log.dropped("top_k", "this wire has no such member, and the models do not agree on one")
        else:
            holder = fields
            for step in path[:-1]:
                holder[step] = dict(holder.get(step) or {})
                holder = holder[step]
            holder.setdefault(path[-1], request.top_k)
    return fields


def _note_unsaid(request: Request, writing: Writing) -> None:
    """Records the members that this wire has no word for; what equals its own behaviour is no loss."""
    for name, harmless in _UNSAID.items():
        value: Any = getattr(request, name)
        if value is not None and value not in harmless:
            writing.log.dropped(name, "this wire has no such member", value)


def _holds_point(part: Part, role: MessageRole) -> bool:
    """Whether a cache point may stand behind a part: documents and videos are refused there, as thoughts are."""
    if isinstance(part, Media):
        return part.kind == "image"
    return isinstance(part, Text) or (isinstance(part, (ToolCall, ToolResult)) and part.runner == "client")


_UNSAID: dict[str, tuple[Any, ...]] = {
    "modalities": ((), ("text",)),
    "seed": (),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (),
    "choices": (1,),
    "user": (),
    "store": (False,),
    "previous_response_id": (),
    "cache_key": (),
}
