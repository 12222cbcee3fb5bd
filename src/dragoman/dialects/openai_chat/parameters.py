"""The members of a request that say how to answer: limits, sampling, reasoning, the form of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.openai_chat.notes import EXACT, NAME, WIRE, extras_of, own, rest
from dragoman.dialects.reading import boolean, integer, number, object_of, required_text, text
from dragoman.errors import ProtocolViolation
from dragoman.values import AdaptationLog, OutputFormat, ReasoningOptions, Request, Target, replace

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

PARAMETERS: Final = frozenset(
    (
        *(member for member, _, _ in _SCALARS),
        *_CAPS,
        "top_k",
        "logprobs",
        "stop",
        "metadata",
        "modalities",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "stream",
        "stream_options",
    )
)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_parameters(body: JsonObject, target: Target, members: JsonObject, void: JsonObject) -> dict[str, Any]:
    """The fields of a Request that the body's parameters give; forms are put into `members`, nulls into `void`."""
    fields: dict[str, Any] = {}
    for member in PARAMETERS.intersection(body):
        if body[member] is None:
            void[member] = None
    for member, field, reader in _SCALARS:
        if member in body:
            value = reader(body, member)
            fields[field] = value
            _keep_exact(body[member], value, member, members)
    _read_caps(body, fields, members)
    _read_oddities(body, fields, members)
    _read_stream(body, fields, members, void)
    output = body.get("response_format")
    if output is not None:
        _read_output(object_of(output, "response_format"), target, fields, members)
    reasoning = _read_reasoning(body, target, members)
    if reasoning is not None:
        fields["reasoning"] = reasoning
    return fields


def _keep_exact(given: Any, value: Any, member: str, members: JsonObject) -> None:
    if given is not None and type(given) is not type(value):
        members.setdefault(EXACT, {})[member] = given


def _read_caps(body: JsonObject, fields: dict[str, Any], members: JsonObject) -> None:
    for member in _CAPS:
        value = integer(body, member)
        if value is None:
            continue
        if "max_tokens" in fields:
            members[member] = body[member]  # both were given: the newer one rules, the other is kept
        else:
            fields["max_tokens"] = value
            members[":max_tokens"] = member
        _keep_exact(body[member], value, member, members)


def _read_oddities(body: JsonObject, fields: dict[str, Any], members: JsonObject) -> None:
    logprobs = body.get("logprobs")
    if isinstance(logprobs, int) and not isinstance(logprobs, bool):
        members["logprobs"] = logprobs  # Together: how many
    elif logprobs is not None:
        fields["logprobs"] = boolean(body, "logprobs")
    if body.get("top_k") is not None:
        fields["top_k"] = integer(body, "top_k")
        members[":top_k"] = True
        _keep_exact(body["top_k"], fields["top_k"], "top_k", members)
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
    if _output(value) != wire:
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


def _read_reasoning(body: JsonObject, target: Target, members: JsonObject) -> ReasoningOptions | None:
    """The first of the three forms that is there; another one beside it stays a member."""
    found: ReasoningOptions | None = None
    for form in ("reasoning", "thinking", "reasoning_effort"):
        given = body.get(form)
        if given is None:
            continue
        if found is not None:
            members[form] = given
            continue
        found = _READERS[form](body)
        found = replace(
            found, extras=extras_of({":form": form, **({WIRE: given} if form != "reasoning_effort" else {})})
        )
    return found


def _read_effort(body: JsonObject) -> ReasoningOptions:
    return ReasoningOptions(effort=text(body, "reasoning_effort"))


def _read_reasoning_object(body: JsonObject) -> ReasoningOptions:
    """OpenRouter's: `effort` or `max_tokens`, `exclude`, `enabled`, `summary`."""
    held = object_of(body["reasoning"], "reasoning")
    effort = text(held, "effort", "reasoning")
    budget = integer(held, "max_tokens", "reasoning")
    enabled = boolean(held, "enabled", "reasoning")
    if enabled is not None and effort is None and budget is None:
        budget = -1 if enabled else 0
    exclude = boolean(held, "exclude", "reasoning")
    return ReasoningOptions(
        effort=effort,
        budget_tokens=budget,
        summary=text(held, "summary", "reasoning"),
        visible=None if exclude is None else not exclude,
    )


def _read_thinking_object(body: JsonObject) -> ReasoningOptions:
    """Z.ai's, DeepSeek's and Moonshot's: `type` enabled or disabled, sometimes `budget_tokens`."""
    held = object_of(body["thinking"], "thinking")
    kind = required_text(held, "type", "thinking")
    budget = integer(held, "budget_tokens", "thinking")
    if budget is None:
        budget = 0 if kind == "disabled" else -1
    return ReasoningOptions(budget_tokens=budget)


_READERS: Final = {
    "reasoning": _read_reasoning_object,
    "thinking": _read_thinking_object,
    "reasoning_effort": _read_effort,
}
_FORMS: Final = {
    "reasoning": "reasoning_object",
    "thinking": "thinking_object",
    "reasoning_effort": "reasoning_effort",
}

# -- writing -----------------------------------------------------------------------------------------------------------


def write_parameters(request: Request, body: JsonObject, target: Target, log: AdaptationLog) -> None:
    """Adds the parameters to the body."""
    members = own(request.extras)
    for member, field, _ in _SCALARS:
        value = getattr(request, field)
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
        _write_reasoning(request.reasoning, body, target, log)
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
        # OpenAI takes both spellings; a host with a spelling of its own takes that one alone.
        if wanted == "max_completion_tokens":
            wanted = said
        elif said != wanted:
            log.substituted("max_tokens", "the host's spelling", said, wanted)
        body[wanted] = request.max_tokens
    if "seed" in body and quirks.seed_member != "seed":
        body[quirks.seed_member] = body.pop("seed")
    tier = body.get("service_tier")
    if tier == "standard":
        body["service_tier"] = "default"
        log.substituted("service_tier", "the wire's word", tier, "default")
    elif tier == "standard_only":
        del body["service_tier"]
        log.dropped("service_tier", "no host of this wire has such a tier", tier)


def _write_lists(
    request: Request, body: JsonObject, members: JsonObject, target: Target, log: AdaptationLog
) -> None:
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


def _write_reasoning(options: ReasoningOptions, body: JsonObject, target: Target, log: AdaptationLog) -> None:
    """Effort and budget, as the host says them.

    A budget is told as an effort by this table, and an effort as "enabled" or "disabled" where a host knows no more:

        budget_tokens  -1 (the model decides)  0       up to 2048  up to 8192  more
        effort         not said                "none"  "low"       "medium"    "high"
    """
    if options.extras:
        log.foreign_extras(options.extras, NAME, "reasoning")
    notes = own(options.extras)
    said = notes.get(":form")
    wanted = target.quirks.chat.effort_form
    if said is not None and (wanted == "reasoning_effort" or wanted == _FORMS[said]):
        # The form that the client chose, where the host is not known to want another.
        wanted = _FORMS[said]
        original = notes.get(WIRE)
        if original is not None and _READERS[said]({said: original}) == replace(options, extras={}):
            body[said] = original
            return
    elif said is not None:
        log.substituted("reasoning", "the host's form", _FORMS[said], wanted)
    if wanted == "reasoning_object":
        _write_reasoning_object(options, body)
    elif wanted == "thinking_object":
        _write_thinking_object(options, body, log)
    elif wanted == "reasoning_effort":
        _write_effort(options, body, log)
    else:
        log.dropped("reasoning", "the host takes no such option", options.effort or options.budget_tokens)


def _write_effort(options: ReasoningOptions, body: JsonObject, log: AdaptationLog) -> None:
    effort = options.effort
    budget = options.budget_tokens
    if effort is not None:
        body["reasoning_effort"] = effort
        if budget is not None:
            log.dropped("reasoning.budget_tokens", "the wire takes an effort alone", budget)
    elif budget is not None:
        if budget >= 0:
            effort = "none" if budget == 0 else "low" if budget <= 2048 else "medium" if budget <= 8192 else "high"
            body["reasoning_effort"] = effort
            log.substituted("reasoning.budget_tokens", "the wire takes an effort, not a budget", budget, effort)
        else:
            log.dropped("reasoning.budget_tokens", "that the model decides is the wire's default", budget)
    _drop_showing(options, log)


def _drop_showing(options: ReasoningOptions, log: AdaptationLog) -> None:
    if options.summary is not None:
        log.dropped("reasoning.summary", "the host takes no such option", options.summary)
    if options.visible is not None:
        log.dropped("reasoning.visible", "the host takes no such option", options.visible)


def _write_reasoning_object(options: ReasoningOptions, body: JsonObject) -> None:
    wire: JsonObject = {}
    if options.effort is not None:
        wire["effort"] = options.effort
    elif options.budget_tokens is not None:
        if options.budget_tokens > 0:
            wire["max_tokens"] = options.budget_tokens
        else:
            wire["enabled"] = options.budget_tokens < 0
    if options.summary is not None:
        wire["summary"] = options.summary
    if options.visible is not None:
        wire["exclude"] = not options.visible
    if wire:
        body["reasoning"] = wire


def _write_thinking_object(options: ReasoningOptions, body: JsonObject, log: AdaptationLog) -> None:
    effort, budget = options.effort, options.budget_tokens
    if effort is not None or budget is not None:
        off = effort == "none" if effort is not None else budget == 0
        kind = "disabled" if off else "enabled"
        body["thinking"] = {"type": kind}
        if effort not in (None, "none") or (budget is not None and budget > 0):
            log.substituted("reasoning", "the host turns thinking on or off, and no more", effort or budget, kind)
    _drop_showing(options, log)
