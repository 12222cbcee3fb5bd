"""How much to think: `reasoning_effort`, and the objects `reasoning` and `thinking` of other hosts, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects.openai_chat.notes import NAME, WIRE, extras_of, own
from dragoman.dialects.reading import boolean, integer, object_of, required_text, text
from dragoman.values import ReasoningOptions, replace
from dragoman.values.thinking import level_of

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, JsonObject, Target

__all__ = ["read_reasoning_options", "write_reasoning_options"]


# -- reading -----------------------------------------------------------------------------------------------------------


def read_reasoning_options(body: JsonObject, members: JsonObject) -> ReasoningOptions | None:
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


def write_reasoning_options(options: ReasoningOptions, body: JsonObject, target: Target, log: AdaptationLog) -> None:
    """Effort and budget, as the host says them.

    A budget is told as an effort by the table of `values.thinking` (0 is "none", and -1, that the model decides, is not
    said), and an effort as "enabled" or "disabled" where a host knows no more.
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
        _write_reasoning_object(options, body, log)
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
            effort = level_of(budget)
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


def _write_reasoning_object(options: ReasoningOptions, body: JsonObject, log: AdaptationLog) -> None:
    wire: JsonObject = {}
    if options.effort is not None:
        wire["effort"] = options.effort
        if options.budget_tokens is not None:
            log.dropped("reasoning.budget_tokens", "the host takes an effort or a budget", options.budget_tokens)
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
