"""`thinkingConfig` ↔ how much to think.

An effort is said as a budget or, by the quirk `thinking`, as a level. The budgets are those of `values.thinking`, up to
24,576, which every thinking model of this wire takes; a level above HIGH, which few models have, is written where it
was read; no thinking is a budget of 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects.gemini.members import NAME, own, read, shape, write
from dragoman.dialects.reading import boolean, integer
from dragoman.values import ReasoningOptions
from dragoman.values.thinking import budget_of

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Target

__all__ = ["read_thinking", "write_thinking"]

_THINKING = shape("includeThoughts", "thinkingBudget", "thinkingLevel")
_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
_ABOVE = ("xhigh", "max")
_MOST_FOR_ALL = 24_576
"""The largest budget that every thinking model takes (ai.google.dev, thinking budgets)."""


def read_thinking(wire: JsonObject, path: str) -> ReasoningOptions:
    """The options; a level that is not one of the words is kept as a member of its own."""
    reading = read(wire, _THINKING, path)
    level = reading.found.get("thinkingLevel")
    effort = level.lower() if isinstance(level, str) and level.upper() in _LEVELS else None
    if effort is None and level is not None:
        reading.rest["thinkingLevel"] = level
    elif effort is not None:
        reading.notes[":level"] = level
    if not wire:
        reading.notes[":empty"] = True
    return ReasoningOptions(
        effort=effort,
        budget_tokens=integer(reading.found, "thinkingBudget", path),
        visible=boolean(reading.found, "includeThoughts", path),
        extras=reading.extras,
    )


def write_thinking(options: ReasoningOptions, target: Target, log: AdaptationLog) -> JsonObject | None:
    """`thinkingConfig`; None where there is nothing to say."""
    log.foreign_extras(options.extras, NAME, "reasoning")
    extras = own(options.extras)
    members: JsonObject = {}
    if options.visible is not None:
        members["includeThoughts"] = options.visible
    elif options.summary is not None:
        log.substituted("reasoning.summary", "thoughts are shown as summaries or not at all", options.summary, True)
        members["includeThoughts"] = True
    if options.budget_tokens is not None:
        members["thinkingBudget"] = options.budget_tokens
    level = extras.get(":level")
    if isinstance(level, str) and level.lower() == options.effort:
        members["thinkingLevel"] = level
    elif options.effort is not None:
        _effort(members, options.effort, target, log)
    written = write(members, extras)
    return written if written or NAME in options.extras else None


def _effort(members: JsonObject, effort: str, target: Target, log: AdaptationLog) -> None:
    if "thinkingBudget" in members:
        log.dropped("reasoning.effort", "a budget is given, and the wire takes one of the two", effort)
        return
    budget = budget_of(effort)
    if budget is None:
        log.dropped("reasoning.effort", "there is no such level", effort)
    elif target.quirks.gemini.thinking == "level" and effort != "none":
        if effort in _ABOVE:
            log.clamped("reasoning.effort", "not every model has more than high", effort, "high")
            effort = "high"
        members["thinkingLevel"] = effort.upper()
    else:
        members["thinkingBudget"] = min(budget, _MOST_FOR_ALL)
        if budget > _MOST_FOR_ALL:
            log.clamped("reasoning.effort", "not every model thinks with more tokens", effort, _MOST_FOR_ALL)
        elif effort != "none":
            log.substituted("reasoning.effort", "said as a token budget", effort, budget)
