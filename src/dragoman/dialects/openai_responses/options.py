"""Settings of a request that are more than one value: reasoning, the output's format, and what to include.

A thinking budget is said as an effort, since the wire has no budget: 0 is "none", others are low, medium or high by the
table of `values.thinking`; -1 (the model decides) is the wire's default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.openai_responses.wire import NAME, extras_of, members, notes
from dragoman.dialects.reading import boolean, object_of, required_text, text, unknown
from dragoman.errors import ProtocolViolation
from dragoman.values import OutputFormat, ReasoningOptions
from dragoman.values.thinking import LEVELS, level_of

if TYPE_CHECKING:
    from dragoman.dialects.openai_responses.fitting import Fit
    from dragoman.values import AdaptationLog, JsonObject, Request

__all__ = ["decode_format", "decode_reasoning", "encode_format", "encode_include", "encode_reasoning"]

SUMMARIES = ("auto", "concise", "detailed")
_LOGPROBS = "message.output_text.logprobs"
_ENCRYPTED = "reasoning.encrypted_content"
_UNNAMED = "output"


def decode_reasoning(wire: JsonObject) -> ReasoningOptions:
    """The member `reasoning`."""
    return ReasoningOptions(
        effort=text(wire, "effort", "reasoning"),
        summary=text(wire, "summary", "reasoning"),
        extras={NAME: unknown(wire, ("effort", "summary"))},
    )


def encode_reasoning(options: ReasoningOptions, fit: Fit) -> JsonObject | None:
    """The member `reasoning`; None where nothing that the wire knows was asked."""
    log = fit.log
    body: JsonObject = {}
    own = NAME in options.extras
    effort = options.effort
    if effort is not None and not own and effort not in LEVELS:
        log.dropped("reasoning.effort", f"the wire knows {', '.join(LEVELS)}", effort)
        effort = None
    if options.budget_tokens is not None:
        effort = _effort_of_budget(options.budget_tokens, effort, log)
    if effort is not None:
        body["effort"] = effort
    summary = options.summary
    if summary is not None and not own and summary not in SUMMARIES:
        log.substituted("reasoning.summary", f"the wire knows {', '.join(SUMMARIES)}", summary, "auto")
        summary = "auto"
    if summary is None and options.visible and effort != "none":
        summary = "auto"
        log.substituted("reasoning.visible", "thoughts are shown as summaries", True, "auto")
    if summary is not None:
        body["summary"] = summary
    log.foreign_extras(options.extras, NAME, "reasoning")
    body |= members(options.extras)
    return body if body or own else None


def _effort_of_budget(budget: int, effort: str | None, log: AdaptationLog) -> str | None:
    if effort is not None:
        log.dropped("reasoning.budget_tokens", "the effort is said, and the wire has no budget", budget)
        return effort
    if budget < 0:
        return None
    nearest = level_of(budget)
    log.substituted("reasoning.budget_tokens", "the wire has efforts and no budget", budget, nearest)
    return nearest


def decode_format(wire: JsonObject) -> OutputFormat:
    """The member `text.format`."""
    kind = required_text(wire, "type", "text.format")
    schema = wire.get("schema")
    if kind not in ("text", "json_object", "json_schema"):
        raise ProtocolViolation(
            f"text.format.type should be text, json_object or json_schema, and is {kind!r:.80}", path="text.format.type"
        )
    return OutputFormat(
        type=kind,
        schema=None if schema is None else object_of(schema, "text.format.schema"),
        name=text(wire, "name", "text.format"),
        description=text(wire, "description", "text.format"),
        strict=boolean(wire, "strict", "text.format"),
        extras=extras_of(unknown(wire, ("type", "schema", "name", "description", "strict"))),
    )


def encode_format(output: OutputFormat, log: AdaptationLog) -> JsonObject:
    """The member `text.format`."""
    body: JsonObject = {"type": output.type}
    given: dict[str, Any] = {
        "name": output.name,
        "schema": output.schema,
        "description": output.description,
        "strict": output.strict,
    }
    body.update((name, value) for name, value in given.items() if value is not None)
    if output.type == "json_schema":
        if output.name is None:
            body["name"] = _UNNAMED
            log.defaulted("output.name", "the wire requires it", _UNNAMED)
        if output.schema is None:
            body["schema"] = {"type": "object"}
            log.defaulted("output.schema", "the wire requires it", body["schema"])
    log.foreign_extras(output.extras, NAME, "output")
    return body | members(output.extras)


def encode_include(request: Request, fit: Fit) -> list[Any] | None:
    """The member `include`: what the request had, log probabilities if asked for, and encrypted reasoning.

    The last is asked for where nothing is kept for the next turn: of a host that is declared stateless, and when a
    request from elsewhere says both `store=False` and that the model shall reason.
    """
    own = notes(request.extras)
    kept: list[Any] | None = own.get("include")
    include = list(kept or ())
    if request.logprobs and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    elif not request.logprobs and _LOGPROBS in include:
        include.remove(_LOGPROBS)
    if NAME not in request.extras and _ENCRYPTED not in include and _wants_state(request, fit):
        include.append(_ENCRYPTED)
        fit.log.defaulted("include", "the host keeps no reasoning for the next turn", _ENCRYPTED)
    return include if include or kept is not None else None


def _wants_state(request: Request, fit: Fit) -> bool:
    options = request.reasoning
    asked = options is not None and options.effort not in (None, "none")
    return fit.target.quirks.responses.stateless or (request.store is False and asked)
