"""Settings: `options`, `format` and `think` ↔ the request's fields.

| wire | request |
| --- | --- |
| options.num_predict (above 0) | max_tokens |
| options.temperature, top_p, top_k, seed, presence_penalty, frequency_penalty | the same names |
| options.stop, a text or a list | stop |
| other options (num_ctx, min_p, …) | the member `options` of the request's extras |
| format "json", a schema | output of type json_object, json_schema |
| think true, false, a level | reasoning: budget -1, budget 0, effort |

A model thinks or does not, and some know the levels low, medium, high and max. So a budget becomes `true`, effort
"none" `false`, "minimal" the level low and "xhigh" the level high; each is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.keeping import kept, own
from dragoman.dialects.ollama.names import NAME
from dragoman.dialects.reading import integer, number, object_of
from dragoman.errors import ProtocolViolation
from dragoman.values import OutputFormat, ReasoningOptions

if TYPE_CHECKING:
    from dragoman.dialects.ollama.names import Writing
    from dragoman.values import JsonObject, Request

__all__ = ["decode_format", "decode_options", "decode_think", "write_format", "write_options", "write_think"]

_INTEGERS = {"num_predict": "max_tokens", "top_k": "top_k", "seed": "seed"}
_NUMBERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_LEVELS = {"low": "low", "medium": "medium", "high": "high", "max": "max", "minimal": "low", "xhigh": "high"}


# -- options -----------------------------------------------------------------------------------------------------------


def decode_options(body: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The fields that the options set, and what of them the request's extras have to keep."""
    if body.get("options") is None:
        return {}, {}
    options = object_of(body["options"], "options")
    fields: JsonObject = {}
    for name, field in _INTEGERS.items():
        fields[field] = integer(options, name, "options")
    for name in _NUMBERS:
        fields[name] = number(options, name, "options")
    stop, form = _stop(options)
    known = {name for name in (*_NUMBERS, "top_k", "seed") if options.get(name) is not None}
    if stop:
        fields["stop"] = stop
        known.add("stop")
    if (fields["max_tokens"] or 0) > 0:
        known.add("num_predict")
    else:
        fields["max_tokens"] = None  # -1 is "without end", -2 "until the context is full"
    read = {name: fields[field] for name, field in (*_INTEGERS.items(), *((n, n) for n in _NUMBERS)) if name in known}
    members: JsonObject = {}
    if exact := kept(options, options.keys(), NAME, read=read).get(NAME, {}).get(":exact"):
        members[":exact_options"] = exact
    if rest := {name: value for name, value in options.items() if name not in known}:
        members["options"] = rest
    if form:
        members[":stop"] = form
    return fields, members


def _stop(options: JsonObject) -> tuple[tuple[str, ...], str | None]:
    value: Any = options.get("stop")
    if value is None or value == "":
        return (), None
    if isinstance(value, str):
        return (value,), "text"
    if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value)):
        return tuple(cast("list[str]", value)), None
    raise ProtocolViolation("options.stop should be a text or a list of texts", path="options.stop")


def write_options(request: Request, writing: Writing) -> JsonObject:
    """`options`; empty where nothing is set."""
    members = own(request.extras, NAME)
    options: JsonObject = {}
    if request.max_tokens is not None:
        options["num_predict"] = request.max_tokens
    for name in ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty"):
        if (value := getattr(request, name)) is not None:
            options[name] = value
    if request.stop:
        alone = members.get(":stop") == "text" and len(request.stop) == 1
        options["stop"] = request.stop[0] if alone else list(request.stop)
    for name, value in members.get(":exact_options", {}).items():
        if options.get(name) == value:
            options[name] = value
    for name, value in members.get("options", {}).items():
        options.setdefault(name, value)
    for name in writing.target.quirks.ollama.refused:
        if name in options:
            writing.log.dropped(_INTEGERS.get(name, name), "this host refuses it", options.pop(name))
    return options


# -- format ------------------------------------------------------------------------------------------------------------


def decode_format(body: JsonObject) -> tuple[OutputFormat | None, JsonObject]:
    """The output's format, and the member to keep where it is none that we know."""
    value: Any = body.get("format")
    if value is None or value == "":
        return None, {}
    if value == "json":
        return OutputFormat(type="json_object"), {}
    if isinstance(value, dict):
        return OutputFormat(type="json_schema", schema=cast("JsonObject", value)), {}
    if isinstance(value, str):
        return None, {"format": value}
    raise ProtocolViolation('format should be "json" or a schema', path="format")


def write_format(body: JsonObject, output: OutputFormat | None, writing: Writing) -> None:
    """Sets `format`."""
    if output is None:
        return
    log = writing.log
    log.foreign_extras(output.extras, NAME, "output")
    if output.type == "json_object":
        body["format"] = "json"
    elif output.type == "json_schema":
        body["format"] = output.schema or {}
        for member in ("name", "description", "strict"):
            if (value := getattr(output, member)) is not None:
                log.dropped(f"output.{member}", "this wire takes the bare schema", value)


# -- think -------------------------------------------------------------------------------------------------------------


def decode_think(body: JsonObject) -> ReasoningOptions | None:
    """What `think` asks for."""
    value: Any = body.get("think")
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return ReasoningOptions(budget_tokens=-1 if value else 0, extras={NAME: {":think": value}})
    if isinstance(value, str):
        return ReasoningOptions(effort=value, extras={NAME: {":think": value}})
    raise ProtocolViolation("think should be true, false or a level", path="think")


def write_think(body: JsonObject, options: ReasoningOptions | None, writing: Writing) -> None:
    """Sets `think`."""
    if options is None:
        return
    log = writing.log
    log.foreign_extras(options.extras, NAME, "reasoning")
    if options.summary is not None:
        log.dropped("reasoning.summary", "this wire gives the thoughts themselves", options.summary)
    if options.visible is False:
        log.dropped("reasoning.visible", "this wire shows what was thought", False)
    value = _think(options, writing)
    if value is not None:
        body["think"] = value


def _think(options: ReasoningOptions, writing: Writing) -> Any:
    log = writing.log
    effort, budget = options.effort, options.budget_tokens
    if effort is not None:
        if effort == own(options.extras, NAME).get(":think"):
            return effort
        if budget is not None:
            log.dropped("reasoning.budget_tokens", "this wire takes a level alone", budget)
        if effort == "none":
            return False
        level = _LEVELS.get(effort)
        if level is None:
            log.dropped("reasoning.effort", "this wire does not know the level", effort)
        elif level != effort:
            log.substituted("reasoning.effort", "this wire knows low, medium, high and max", effort, level)
        return level
    if budget is None:
        return None
    if budget > 0:
        log.substituted("reasoning.budget_tokens", "this wire knows thinking, and no budget for it", budget, True)
    return budget != 0
