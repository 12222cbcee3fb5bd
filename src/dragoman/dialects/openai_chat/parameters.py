"""The members of a request that say how to answer: limits, sampling, the form of the output."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.openai_chat.effort import read_reasoning_options, write_reasoning_options
from dragoman.dialects.openai_chat.notes import NAME, WIRE, extras_of, keep_exact, own, rest
from dragoman.dialects.reading import boolean, integer, number, object_of, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, OutputFormat, Request, Target, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.values import JsonObject

__all__ = ["PARAMETERS", "read_parameters", "write_parameters"]

# wire member, field of Request, reader
_SCALARS: Final[tuple[tuple[str, str, Callable[[JsonObject, str], Any]], ...]] = (
    ("temperature", "temperature", number),
    ("top_p", "top_p", number),
    ("seed", "seed", integer),
    ("presence_penalty", "presence_penalty", number),
    ("frequency_penalty", "frequency_penalty", number),
    ("top_logprobs", "top_logprobs", integer),
    ("n", "choices", integer),
    ("user", "user", text),
    ("service_tier", "service_tier", text),
    ("store", "store", boolean),
    ("prompt_cache_key", "cache_key", text),
)
_CAPS: Final = ("max_completion_tokens", "max_tokens")
_TIERS: Final = frozenset(("auto", "default", "flex", "scale", "priority", "fast", "on_demand", "performance"))

_SCALAR_MEMBERS: Final = frozenset(member for member, _, _ in _SCALARS)
_SCALAR_VALUES: Final = attrgetter(*(field for _, field, _ in _SCALARS))
_NO_SCALARS: Final = (None,) * len(_SCALARS)
_ODDITIES: Final = frozenset(("top_k", "logprobs", "stop", "metadata", "modalities"))
_REASONING: Final = frozenset(("reasoning_effort", "reasoning", "thinking"))

PARAMETERS: Final = frozenset(
    (*_SCALAR_MEMBERS, *_CAPS, *_ODDITIES, *_REASONING, "response_format", "stream", "stream_options")
)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_parameters(body: JsonObject, target: Target, members: JsonObject, void: JsonObject) -> dict[str, Any]:
    """The fields of a Request that the body's parameters give; forms are put into `members`, nulls into `void`."""
    fields: dict[str, Any] = {}
    # On the path of every request: what is not there is passed over, group by group.
    for member, value in body.items():
        if value is None and member in PARAMETERS:
            void[member] = None
    if not _SCALAR_MEMBERS.isdisjoint(body):
        _read_scalars(body, target, fields, members)
    if "max_tokens" in body or "max_completion_tokens" in body:
        _read_caps(body, fields, members)
    if not _ODDITIES.isdisjoint(body):
        _read_oddities(body, fields, members)
    if "stream" in body or "stream_options" in body:
        _read_stream(body, fields, members, void)
    output = body.get("response_format")
    if output is not None:
        _read_output(object_of(output, "response_format"), target, fields, members)
    if not _REASONING.isdisjoint(body):
        reasoning = read_reasoning_options(body, members)
        if reasoning is not None:
            fields["reasoning"] = reasoning
    return fields


def _read_scalars(body: JsonObject, target: Target, fields: dict[str, Any], members: JsonObject) -> None:
    for member, field, reader in _SCALARS:
        if member in body:
            value = reader(body, member)
            fields[field] = value
            keep_exact(body, member, value, members)
    if "seed" in fields and target.quirks.chat.seed_member != "seed":
        members[":seed"] = "said"


def _read_caps(body: JsonObject, fields: dict[str, Any], members: JsonObject) -> None:
    for member in _CAPS:
        value = integer(body, member) if member in body else None
        if value is None:
            continue
        if "max_tokens" in fields:
            members[member] = body[member]  # both were given: the newer one rules, the other is kept
        else:
            fields["max_tokens"] = value
            members[":max_tokens"] = member
        keep_exact(body, member, value, members)


def _read_oddities(body: JsonObject, fields: dict[str, Any], members: JsonObject) -> None:
    logprobs = body.get("logprobs")
    if isinstance(logprobs, int) and not isinstance(logprobs, bool):
        members["logprobs"] = logprobs  # Together: how many
    elif logprobs is not None:
        fields["logprobs"] = boolean(body, "logprobs")
    if body.get("top_k") is not None:
        fields["top_k"] = integer(body, "top_k")
        members[":top_k"] = True
        keep_exact(body, "top_k", fields["top_k"], members)
    stop = body.get("stop")
    if isinstance(stop, str):
        fields["stop"] = (stop,)
        members[":stop"] = "text"
    elif stop is not None:
        fields["stop"] = _texts(stop, "stop")
        if not stop:
            members[":stop"] = "empty"
        elif len(stop) > 4:
            members[":stop"] = "said"
    if body.get("metadata") is not None:
        fields["metadata"] = object_of(body["metadata"], "metadata")
    if body.get("modalities") is not None:
        fields["modalities"] = _texts(body["modalities"], "modalities")
        members[":modalities"] = "said"


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):  # pyright: ignore[reportUnknownVariableType]
        return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    raise ProtocolViolation(f"{path} should be a list of texts, and is {value!r:.80}", path=path)


def _read_stream(body: JsonObject, fields: dict[str, Any], members: JsonObject, void: JsonObject) -> None:
    streams = boolean(body, "stream")
    fields["stream"] = bool(streams)
    if streams is False:
        void["stream"] = False
    options = body.get("stream_options")
    if options is None:
        return
    held = object_of(options, "stream_options")
    fields["stream_usage"] = boolean(held, "include_usage", "stream_options")
    others = {name: value for name, value in held.items() if name != "include_usage" or value is None}
    if others or not held:
        members[":stream_options"] = others


def _read_output(wire: JsonObject, target: Target, fields: dict[str, Any], members: JsonObject) -> None:
    kind = wire.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        members["response_format"] = wire  # a grammar, a regex: only some hosts have it
        return
    value = OutputFormat(type=kind)
    void: JsonObject = {}
    kept = rest(wire, ("type", "json_schema"), void)
    if kind == "json_schema":
        path = "response_format.json_schema"
        held = object_of(wire.get("json_schema"), path)
        schema = held.get("schema")
        value = OutputFormat(
            type=kind,
            schema=None if schema is None else object_of(schema, f"{path}.schema"),
            name=text(held, "name", path),
            description=text(held, "description", path),
            strict=boolean(held, "strict", path),
        )
    value = replace(value, extras=extras_of(kept))
    if _output(value) != wire or (kind == "json_schema" and value.name is None):
        value = replace(value, extras=extras_of({**kept, WIRE: wire}))
    fields["output"] = value


def _output(output: OutputFormat) -> JsonObject:
    wire: JsonObject = {"type": output.type}
    if output.type == "json_schema":
        held: JsonObject = {}
        for name in ("name", "description", "schema", "strict"):
            value = getattr(output, name)
            if value is not None:
                held[name] = value
        wire["json_schema"] = held
    for name, value in own(output.extras).items():
        if not name.startswith(":"):
            wire[name] = value
    return wire


# -- writing -----------------------------------------------------------------------------------------------------------


def write_parameters(request: Request, body: JsonObject, target: Target, log: AdaptationLog) -> None:
    """Adds the parameters to the body."""
    members = own(request.extras)
    values = _SCALAR_VALUES(request)
    if values != _NO_SCALARS:
        for (member, _, _), value in zip(_SCALARS, values, strict=True):
            if value is not None:
                body[member] = value
    _write_spellings(request, body, members, target, log)
    if request.top_k is not None:
        if target.quirks.chat.top_k or ":top_k" in members:
            body["top_k"] = request.top_k
        else:
            log.dropped("top_k", "the host does not take it", request.top_k)
    if request.logprobs is not None:
        body["logprobs"] = request.logprobs
    _write_lists(request, body, members, target, log)
    if request.output is not None:
        _write_output(request.output, body, target, log)
    if request.reasoning is not None:
        write_reasoning_options(request.reasoning, body, target, log)
    _write_stream(request, body, members, target, log)
    if request.previous_response_id is not None:
        log.dropped("previous_response_id", "the wire keeps no state", request.previous_response_id)


def _write_spellings(
    request: Request, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog
) -> None:
    quirks = target.quirks.chat
    if request.max_tokens is not None:
        wanted = quirks.max_tokens_member
        said = members.get(":max_tokens", wanted)
        # OpenAI takes both spellings, but for some models; a host with a spelling of its own takes that one alone.
        if wanted == "max_completion_tokens" and not quirks.newer_cap_alone:
            wanted = said
        elif said != wanted:
            log.substituted("max_tokens", "the host's spelling", said, wanted)
        body[wanted] = request.max_tokens
    if "seed" in body and quirks.seed_member != "seed":
        body[quirks.seed_member] = body.pop("seed")
        if ":seed" in members:
            log.substituted("seed", "the host's spelling", "seed", quirks.seed_member)
    tier = body.get("service_tier")
    if tier == "standard":
        body["service_tier"] = "default"
        log.substituted("service_tier", "the wire's word", tier, "default")
    elif tier == "standard_only":
        del body["service_tier"]
        log.dropped("service_tier", "no host of this wire has such a tier", tier)


def _write_lists(request: Request, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog) -> None:
    quirks = target.quirks.chat
    if request.stop:
        alone = members.get(":stop") == "text" and len(request.stop) == 1
        stop = list(request.stop)
        if len(stop) > quirks.max_stop and members.get(":stop") != "said":
            log.clamped("stop", f"the host takes {quirks.max_stop} sequences", stop, stop[: quirks.max_stop])
            stop = stop[: quirks.max_stop]
        body["stop"] = stop[0] if alone else stop
    elif members.get(":stop") == "empty":
        body["stop"] = []
    if request.metadata is not None:
        body["metadata"] = request.metadata
    modalities = list(request.modalities)
    if ":modalities" not in members:
        modalities = [modality for modality in modalities if modality in quirks.modalities]
        if len(modalities) < len(request.modalities):
            log.dropped("modalities", "the host does not give all of them", list(request.modalities))
    if modalities or ":modalities" in members:
        body["modalities"] = modalities


def _write_stream(request: Request, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog) -> None:
    if request.stream:
        body["stream"] = True
    options: JsonObject = dict(members.get(":stream_options", {}))
    if request.stream_usage is not None:
        if target.quirks.chat.stream_usage:
            options["include_usage"] = request.stream_usage
        elif request.stream_usage:
            log.dropped("stream_usage", "the host does not take stream_options", True)
    if options or (":stream_options" in members and target.quirks.chat.stream_usage):
        body["stream_options"] = options


def _write_output(output: OutputFormat, body: JsonObject, target: Target, log: AdaptationLog) -> None:
    if output.extras:
        log.foreign_extras(output.extras, NAME, "output")
    wanted = target.quirks.chat.schema_output
    if output.type == "json_schema" and wanted == "json_object":
        log.substituted("output", "the host takes no schema", "json_schema", "json_object")
        body["response_format"] = {"type": "json_object"}
        return
    if output.type != "text" and wanted == "none":
        log.dropped("output", "the host takes no form of output", output.type)
        return
    original = own(output.extras).get(WIRE)
    if original is not None:
        fields: dict[str, Any] = {}
        _read_output(original, target, fields, {})
        if fields.get("output") == output:
            body["response_format"] = original
            return
    wire = _output(output)
    if output.type == "json_schema" and output.name is None:
        wire["json_schema"]["name"] = "output"
        log.defaulted("output.name", "the wire wants a name for the schema", "output")
    body["response_format"] = wire
