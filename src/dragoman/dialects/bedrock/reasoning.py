"""Reasoning: `additionalModelRequestFields.thinking` and `outputConfig.effort` ↔ `ReasoningOptions`.

| wire | options |
| --- | --- |
| thinking enabled, budget_tokens n | budget_tokens n |
| thinking disabled, adaptive | budget_tokens 0, -1 |
| outputConfig.effort | effort |

The effort is this wire's own; the budget is a member of the models that take one. A host or model that knows one of
them alone says so in `BedrockQuirks.thinking_form`; then levels and budgets are exchanged by the table of
`values.thinking`.

Models of this wire think when they are asked to, so "none" is said by saying nothing. Beside a budget the models take
no temperature but 1, no top_p below 0.95 and no forced tool, at least 1024 tokens that stay below max_tokens, and in an
open round of tools the thoughts of that round: `keep_rules` mends what came from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.dialects.bedrock.forms import NAME, Writing, note
from dragoman.dialects.reading import integer, object_of, required_text
from dragoman.values import ReasoningOptions
from dragoman.values.thinking import LEAST_BUDGET_TOKENS, budget_of, level_of

if TYPE_CHECKING:
    from dragoman.values import JsonObject, Request

__all__ = ["decode_reasoning", "encode_reasoning", "keep_rules"]

_PATH = "additionalModelRequestFields.thinking"
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_MINIMUM_BUDGET = LEAST_BUDGET_TOKENS
_LEAST_TOP_P = 0.95
_ADAPTIVE = -1


def decode_reasoning(wire: Any, effort: str | None) -> ReasoningOptions | None:
    """The options of a request that holds this `thinking` and names this effort."""
    if wire is None:
        return None if effort is None else ReasoningOptions(effort=effort)
    wire = object_of(wire, _PATH)
    kind = required_text(wire, "type", _PATH)
    budget = integer(wire, "budget_tokens", _PATH) if kind == "enabled" else 0 if kind == "disabled" else _ADAPTIVE
    extras = {} if _thinking(budget) == wire else {NAME: {":thinking": wire}}
    return ReasoningOptions(effort=effort, budget_tokens=budget, extras=extras)


def _thinking(budget: int | None) -> JsonObject | None:
    if budget is None:
        return None
    if budget <= 0:
        return {"type": "adaptive" if budget < 0 else "disabled"}
    return {"type": "enabled", "budget_tokens": budget}


def encode_reasoning(options: ReasoningOptions | None, writing: Writing) -> tuple[JsonObject | None, str | None]:
    """`thinking` and the effort."""
    if options is None:
        return None, None
    log = writing.log
    if options.extras:
        log.foreign_extras(options.extras, NAME, "reasoning")
    if not writing.mend:
        original = note(options.extras, ":thinking")
        if original is not None:
            before = decode_reasoning(original, options.effort)
            if before is not None and before.budget_tokens == options.budget_tokens:
                return original, options.effort
        return _thinking(options.budget_tokens), options.effort
    for name in ("summary", "visible"):
        value: Any = getattr(options, name)
        if value not in (None, "auto"):
            log.dropped(f"reasoning.{name}", "this wire has no such option", value)
    budget, effort = _fitted(options, writing)
    return (_thinking(budget) if budget is not None and budget > 0 else None), effort


def _fitted(options: ReasoningOptions, writing: Writing) -> tuple[int | None, str | None]:
    """The budget and the level in the form that the target takes."""
    form, log = writing.target.quirks.bedrock.thinking_form, writing.log
    budget, effort = options.budget_tokens, options.effort
    if effort == "none" or (effort is None and budget in (0, _ADAPTIVE)):
        log.substituted("reasoning", "what models do unasked on this wire is not asked for", effort or budget)
        return None, None
    if form == "none":
        if effort is not None or budget is not None:
            log.dropped("reasoning", "this host takes no thinking options", effort or budget)
        return None, None
    if effort is not None and budget_of(effort) is None:
        log.dropped("reasoning.effort", "this wire does not know the level", effort)
        effort = None
    if form == "budget" and effort is not None:
        if budget is None or budget <= 0:
            budget = budget_of(effort)
        log.substituted("reasoning.effort", "this host takes budgets alone", effort, budget)
        return budget, None
    if form == "effort" and budget is not None and budget > 0:
        said = effort or level_of(budget, _EFFORTS)
        log.substituted("reasoning.budget_tokens", "this host takes no budgets", budget, said)
        budget, effort = None, said
    if effort == "minimal":
        log.substituted("reasoning.effort", "this wire's lowest level is low", effort, "low")
        effort = "low"
    return budget, effort


# -- what the models refuse beside thinking ----------------------------------------------------------------------------


def keep_rules(body: JsonObject, request: Request, writing: Writing) -> None:
    """Changes `body` where the API would refuse it, and records each change."""
    fields = body.get("additionalModelRequestFields")
    thinking: Any = fields.get("thinking") if isinstance(fields, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not writing.mend or not isinstance(thinking, dict):
        return
    fields = object_of(fields, "additionalModelRequestFields")
    log = writing.log
    if _open_round_without_thoughts(body["messages"]):
        reason = "the open round of tools lacks its signed thoughts, without which models refuse to think on"
        log.dropped("reasoning", reason, fields.pop("thinking"))
    elif not _fit_budget(fields["thinking"], request, writing):
        del fields["thinking"]
    else:
        _fit_sampling(body, writing)
    if not fields:
        del body["additionalModelRequestFields"]


def _open_round_without_thoughts(turns: list[JsonObject]) -> bool:
    """Whether the last assistant's turn called tools without thinking, and what follows it holds their results."""
    for turn in reversed(turns):
        blocks: list[JsonObject] = turn["content"]
        if turn["role"] == "assistant":
            return any("toolUse" in block for block in blocks) and "reasoningContent" not in blocks[0]
        if not any("toolResult" in block for block in blocks):
            return False
    return False


def _fit_budget(thinking: JsonObject, request: Request, writing: Writing) -> bool:
    """Whether the budget, fitted, is possible."""
    budget: int = thinking["budget_tokens"]
    fitted = max(budget, _MINIMUM_BUDGET)
    if request.max_tokens is not None and fitted >= request.max_tokens:
        fitted = request.max_tokens - 1
    if fitted < _MINIMUM_BUDGET:
        writing.log.dropped("reasoning", "max_tokens leaves no room for thinking, which takes 1024 at least", budget)
        return False
    if fitted != budget:
        reason = "models think within max_tokens, and with 1024 tokens at least"
        writing.log.clamped("reasoning.budget_tokens", reason, budget, fitted)
        thinking["budget_tokens"] = fitted
    return True


def _fit_sampling(body: JsonObject, writing: Writing) -> None:
    reason = "models do not take it beside thinking"
    config: JsonObject = body.get("inferenceConfig", {})
    if config.get("temperature") not in (None, 1):
        writing.log.dropped("temperature", reason, config.pop("temperature"))
    if config.get("topP", 1) < _LEAST_TOP_P:
        writing.log.dropped("top_p", reason, config.pop("topP"))
    if not config:
        body.pop("inferenceConfig", None)
    tools: JsonObject = body.get("toolConfig", {})
    choice: JsonObject = tools.get("toolChoice", {})
    if choice and "auto" not in choice:
        tools["toolChoice"] = {"auto": {}}
        writing.log.substituted("tool_choice", "models force no tool beside a budget", choice, {"auto": {}})
