"""Settings: numbers, `response_format` and `thinking` ↔ the request's fields.

| wire | request |
| --- | --- |
| max_tokens, temperature, seed, frequency_penalty, presence_penalty, logprobs | the same names |
| p, k, stop_sequences | top_p, top_k, stop |
| response_format text, json_object with or without json_schema | output |
| thinking disabled, enabled, enabled with a token_budget | reasoning: budget 0, -1, n |

Levels become budgets by the table of `values.thinking`, each recorded; "max" is thinking without a budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.keeping import kept, own, write_back
from dragoman.dialects.reading import boolean, integer, number, object_of, required_text
from dragoman.errors import ProtocolViolation
from dragoman.values import OutputFormat, ReasoningOptions
from dragoman.values.thinking import budget_of

if TYPE_CHECKING:
    from dragoman.dialects.cohere.names import Writing
    from dragoman.values import JsonObject, Request

__all__ = [
    "FIELDS",
    "decode_numbers",
    "decode_output",
    "decode_thinking",
    "write_numbers",
    "write_output",
    "write_thinking",
]

_INTEGERS = {"max_tokens": "max_tokens", "k": "top_k", "seed": "seed"}
_NUMBERS = {
    "temperature": "temperature",
    "p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
FIELDS = {**_INTEGERS, **_NUMBERS, "logprobs": "logprobs", "stop_sequences": "stop"}
"""The wire's members for settings, and our fields."""

# From the vendor's API reference; the host answers 400 beyond them.
_RANGES: dict[str, tuple[float, float]] = {
    "p": (0.01, 0.99),
    "k": (0, 500),
    "frequency_penalty": (0.0, 1.0),
    "presence_penalty": (0.0, 1.0),
}
_MOST_STOPS = 5


# -- numbers -----------------------------------------------------------------------------------------------------------


def decode_numbers(body: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The fields that are set, and the numbers read by their wire's members."""
    read: JsonObject = {name: integer(body, name) for name in _INTEGERS}
    read |= {name: number(body, name) for name in _NUMBERS}
    fields = {FIELDS[name]: value for name, value in read.items()}
    fields["logprobs"] = boolean(body, "logprobs")
    stop: Any = body.get("stop_sequences")
    if stop is not None:
        if not isinstance(stop, list) or not all(isinstance(item, str) for item in cast("list[Any]", stop)):
            raise ProtocolViolation("stop_sequences should be a list of texts", path="stop_sequences")
        fields["stop"] = tuple(cast("list[str]", stop))
    return fields, read


def write_numbers(body: JsonObject, request: Request, writing: Writing) -> None:
    """Sets what is asked for, within the wire's ranges."""
    log = writing.log
    for name, field in (*_INTEGERS.items(), *_NUMBERS.items(), ("logprobs", "logprobs")):
        value = getattr(request, field)
        if value is None:
            continue
        if writing.mend and name in _RANGES:
            least, most = _RANGES[name]
            fitted = min(max(value, least), most)
            if fitted != value:
                log.clamped(field, f"this wire's range is {least} to {most}", value, fitted)
                value = fitted
        body[name] = value
    stop = list(request.stop)
    if writing.mend and len(stop) > _MOST_STOPS:
        log.clamped("stop", f"this wire takes {_MOST_STOPS} at most", stop, stop[:_MOST_STOPS])
        stop = stop[:_MOST_STOPS]
    if stop:
        body["stop_sequences"] = stop


# -- output ------------------------------------------------------------------------------------------------------------


def decode_output(body: JsonObject) -> OutputFormat | None:
    """The output's format."""
    if body.get("response_format") is None:
        return None
    wire = object_of(body["response_format"], "response_format")
    kind = required_text(wire, "type", "response_format")
    schema: Any = wire.get("json_schema")
    if kind not in ("text", "json_object"):
        return OutputFormat(type="text", extras={NAME: {":wire": wire}})
    typed: Any = "json_schema" if isinstance(schema, dict) else kind
    known = {"type", "json_schema"} if isinstance(schema, dict) else {"type"}
    return OutputFormat(
        type=typed,
        schema=cast("JsonObject", schema) if isinstance(schema, dict) else None,
        extras=kept(wire, known, NAME),
    )


def write_output(body: JsonObject, output: OutputFormat | None, writing: Writing) -> None:
    """Sets `response_format`; beside tools or documents the host refuses it."""
    if output is None:
        return
    log = writing.log
    log.foreign_extras(output.extras, NAME, "output")
    original = own(output.extras, NAME).get(":wire")
    if original is not None and output.type == "text":
        body["response_format"] = original
        return
    if writing.mend and output.type != "text" and ("tools" in body or "documents" in body):
        log.dropped("output", "this wire takes no format beside tools or documents", output.type)
        return
    wire: JsonObject = {"type": "text" if output.type == "text" else "json_object"}
    if output.type == "json_schema":
        wire["json_schema"] = output.schema or {}
        for member in ("name", "description", "strict"):
            if (value := getattr(output, member)) is not None:
                log.dropped(f"output.{member}", "this wire takes the bare schema", value)
    body["response_format"] = write_back(wire, output.extras, NAME)


# -- thinking ----------------------------------------------------------------------------------------------------------


def decode_thinking(body: JsonObject) -> ReasoningOptions | None:
    """How much to think."""
    if body.get("thinking") is None:
        return None
    wire = object_of(body["thinking"], "thinking")
    kind = required_text(wire, "type", "thinking")
    budget = integer(wire, "token_budget", "thinking")
    if kind == "disabled":
        budget = 0
    options = ReasoningOptions(budget_tokens=-1 if budget is None else budget)
    notes = {":wire": wire} if _native(options) != wire else {}
    return ReasoningOptions(budget_tokens=options.budget_tokens, extras={NAME: notes} if notes else {})


def _native(options: ReasoningOptions) -> JsonObject | None:
    budget = options.budget_tokens
    if budget is None:
        return None
    if budget == 0:
        return {"type": "disabled"}
    return {"type": "enabled"} if budget < 0 else {"type": "enabled", "token_budget": budget}


def write_thinking(body: JsonObject, options: ReasoningOptions | None, writing: Writing) -> None:
    """Sets `thinking`."""
    if options is None:
        return
    log = writing.log
    log.foreign_extras(options.extras, NAME, "reasoning")
    if options.summary is not None:
        log.dropped("reasoning.summary", "this wire gives the thoughts themselves", options.summary)
    if options.visible is False:
        log.dropped("reasoning.visible", "this wire shows what was thought", False)
    original = own(options.extras, NAME).get(":wire")
    if original is not None and decode_thinking({"thinking": original}) == options:
        body["thinking"] = original
        return
    effort = options.effort
    if effort is None or options.budget_tokens is not None:
        if effort is not None:
            log.dropped("reasoning.effort", "this wire takes a budget alone", effort)
        wire = _native(options)
    elif effort == "none":
        wire = {"type": "disabled"}
    elif (budget := budget_of(effort)) is not None:
        wire = {"type": "enabled"} if effort == "max" else {"type": "enabled", "token_budget": budget}
        log.substituted("reasoning.effort", "this wire takes budgets alone", effort, wire)
    else:
        log.dropped("reasoning.effort", "this wire does not know the level", effort)
        return
    if wire is not None:
        body["thinking"] = wire
