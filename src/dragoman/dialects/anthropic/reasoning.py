"""Reasoning: `thinking` and `output_config.effort` ↔ `ReasoningOptions`.

| wire | options |
| --- | --- |
| thinking enabled, budget_tokens n | budget_tokens n |
| thinking disabled | budget_tokens 0 |
| thinking adaptive | budget_tokens -1 |
| thinking without a type | none of them: the model thinks as it does by itself |
| thinking.display summarized / omitted | visible true / false |
| output_config.effort | effort |

Written in its own terms, nothing is approximated: a budget as enabled thinking, a level as adaptive thinking with an
effort. A host or model that knows one form alone says so in `AnthropicQuirks.thinking_form`; then levels and budgets
are exchanged by the table of `values.thinking`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.dialects.anthropic.forms import NAME, Writing, note
from dragoman.dialects.reading import integer, object_of, text
from dragoman.values import ReasoningOptions
from dragoman.values.thinking import LEAST_BUDGET_TOKENS, budget_of, level_of

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["MINIMUM_BUDGET", "decode_reasoning", "encode_reasoning"]

MINIMUM_BUDGET = LEAST_BUDGET_TOKENS
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_UNSAID = "medium"
"""The level whose budget stands for thinking without a level or a budget."""
_DISPLAYS = {"summarized": True, "omitted": False}
_KNOWN = frozenset({"type", "budget_tokens", "display"})
_ADAPTIVE = -1


def decode_reasoning(body: JsonObject, effort: str | None) -> ReasoningOptions | None:
    """The options of a request whose `output_config` names this effort."""
    wire: Any = body.get("thinking")
    if wire is None:
        if effort is None:
            return None
        return ReasoningOptions(effort=effort, extras={NAME: {":thinking": "absent"}})
    wire = object_of(wire, "thinking")
    kind = text(wire, "type", "thinking")
    display = text(wire, "display", "thinking")
    budget: int | None = None
    if kind == "enabled":
        budget = integer(wire, "budget_tokens", "thinking")
    elif kind == "disabled":
        budget = 0
    elif kind is not None:
        budget = _ADAPTIVE
    options = ReasoningOptions(effort=effort, budget_tokens=budget, visible=_DISPLAYS.get(display or ""))
    rest = {name: value for name, value in wire.items() if name not in _KNOWN}
    members: dict[str, Any] = {"thinking": rest} if rest else {}
    if kind is None or {**_native(options), **rest} != wire:
        members[":thinking"] = wire
    return ReasoningOptions(
        effort=options.effort,
        budget_tokens=options.budget_tokens,
        visible=options.visible,
        extras={NAME: members} if members else {},
    )


def _native(options: ReasoningOptions) -> JsonObject:
    """`thinking` for a budget in its own terms; empty where the options ask for none."""
    budget = options.budget_tokens
    if budget is None:
        return {}
    if budget == 0:
        return {"type": "disabled"}
    wire: JsonObject = {"type": "adaptive"} if budget < 0 else {"type": "enabled", "budget_tokens": budget}
    if options.visible is not None:
        wire["display"] = "summarized" if options.visible else "omitted"
    return wire


def encode_reasoning(options: ReasoningOptions | None, writing: Writing) -> tuple[JsonObject | None, str | None]:
    """`thinking` and `output_config.effort`."""
    if options is None:
        return None, None
    log = writing.log
    log.foreign_extras(options.extras, NAME, "reasoning")
    form = writing.target.quirks.anthropic.thinking_form
    original = note(options.extras, ":thinking")
    if isinstance(original, dict) and _is_taken(cast("JsonObject", original), form):
        before = decode_reasoning({"thinking": original}, options.effort)
        if before is not None and _said(before) == _said(options):
            return original, options.effort  # pyright: ignore[reportUnknownVariableType]
    if form == "none":
        if options.effort != "none" and options.budget_tokens != 0:
            log.dropped("reasoning", "this host takes no thinking options", options.effort or options.budget_tokens)
        return None, None
    if options.summary not in (None, "auto"):
        log.dropped("reasoning.summary", "this wire has no kinds of summary", options.summary)
    if original == "absent" and options.budget_tokens is None:
        return None, options.effort
    thinking, effort = _in_form(options, form, writing)
    members: JsonObject = note(options.extras, "thinking") or {}
    if members and not thinking and form == "budget":
        log.dropped("reasoning", "this host takes budgets alone", members)
    else:
        thinking = {**thinking, **members}
    if "type" in thinking:
        if options.summary is not None and thinking["type"] != "disabled":
            thinking.setdefault("display", "summarized")
    elif options.visible is not None:
        log.dropped("reasoning.visible", "nothing is thought that could be shown", options.visible)
    return thinking or None, effort


def _is_taken(original: JsonObject, form: str) -> bool:
    """Whether a host of this form takes what its own client wrote: one without budgets takes all but a budget."""
    return form == "native" or (form == "adaptive" and original.get("type") != "enabled")


def _said(options: ReasoningOptions) -> tuple[int | None, bool | None]:
    return options.budget_tokens, options.visible


def _in_form(options: ReasoningOptions, form: str, writing: Writing) -> tuple[JsonObject, str | None]:
    effort, budget = options.effort, options.budget_tokens
    log = writing.log
    if effort == "none":
        return {"type": "disabled"}, None
    if effort is not None and budget_of(effort) is None and writing.mend:
        log.dropped("reasoning.effort", "this wire does not know the level", effort)
        effort = None
    if form == "budget":
        if budget == _ADAPTIVE or (budget is None and effort is not None):
            budget = budget_of(effort or _UNSAID) or budget_of(_UNSAID)
            log.substituted("reasoning", "this host takes budgets alone", effort or "adaptive", budget)
        elif effort is not None:
            log.dropped("reasoning.effort", "this host takes budgets alone, and one is given", effort)
        return _native(_with_budget(options, budget)), None
    if budget is None:
        if effort is None:
            return {}, None
        budget = _ADAPTIVE
    elif form == "adaptive" and budget > 0:
        if effort is None:
            effort = level_of(budget, _EFFORTS)
        log.substituted("reasoning.budget_tokens", "this host takes no budgets", budget, effort)
        budget = _ADAPTIVE
    if writing.mend and effort is not None and effort not in _EFFORTS:
        log.substituted("reasoning.effort", "this wire's lowest level is low", effort, "low")
        effort = "low"
    return _native(_with_budget(options, budget)), effort


def _with_budget(options: ReasoningOptions, budget: int | None) -> ReasoningOptions:
    return ReasoningOptions(budget_tokens=budget, visible=options.visible)
