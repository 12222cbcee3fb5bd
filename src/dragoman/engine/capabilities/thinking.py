"""How much a model shall think, within what is known of how it can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.values.thinking import LEVELS, budget_of, level_of, nearest_level

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, Quirks, ReasoningOptions
    from dragoman.values.profile import Profile

__all__ = ["Thinking", "fit_thinking", "thinking_of"]


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of how a model is asked to think, and what the wire can say of it.

    `able` False: it never thinks. `askable` False: it cannot be asked. `off` False: it cannot be told not to think.
    `levels` are those that it knows, empty where they are not known; `budgets` False: it takes no budget, `least` and
    `most` are the bounds of one. `says_levels` and `says_budgets` are what the wire has words for, `off_is_a_level`:
    the wire's word for not thinking is one of the levels.
    """

    able: bool = True
    askable: bool = True
    off: bool = True
    levels: tuple[str, ...] = ()
    leveled: bool = True
    budgets: bool = True
    least: int | None = None
    most: int | None = None
    says_levels: bool = True
    says_budgets: bool = True
    off_is_a_level: bool = False


_CHAT_SAYS: Final = {
    "reasoning_effort": (True, False, True),
    "reasoning_object": (True, True, False),
    "thinking_object": (False, False, False),
    "none": (False, False, False),
}
"""Per form of the chat dialect: whether it says levels and budgets, and whether "none" is one of the levels."""

_SAYS: Final = {
    "openai-responses": (True, False, True),
    "anthropic": (True, True, False),
    "gemini": (True, True, False),
    "bedrock": (True, True, False),
    "cohere": (False, True, False),
    "ollama": (True, False, False),
}


def thinking_of(profile: Profile, dialect: str, quirks: Quirks) -> Thinking | None:
    """What the profile says about thinking; None where nothing is known that could change a request."""
    if profile.reasoning is False:
        return Thinking(able=False)
    how = profile.reasoning_facts
    if how is None:
        return None
    says = _CHAT_SAYS[quirks.chat.effort_form] if dialect == "openai-chat" else _SAYS.get(dialect, (True, True, False))
    levels = tuple(level for level in LEVELS if level in (how.efforts or ()))
    off_is_a_level = says[2] or (dialect == "gemini" and quirks.gemini.thinking == "level")
    found = Thinking(
        askable=not (how.form == "none" and how.optional is not True),
        # Gemini's word for not thinking is a budget of 0, which is below what some models take.
        off=how.optional is not False
        and not (dialect == "gemini" and how.optional is None and how.least_budget_tokens),
        levels=levels,
        leveled=how.form not in ("budget", "none"),
        budgets=how.form not in ("effort", "none"),
        least=how.least_budget_tokens,
        most=how.most_budget_tokens,
        says_levels=says[0],
        says_budgets=says[1],
        off_is_a_level=off_is_a_level,
    )
    unknown = Thinking(says_levels=says[0], says_budgets=says[1], off_is_a_level=off_is_a_level)
    return None if found == unknown else found


def fit_thinking(options: ReasoningOptions, known: Thinking, log: AdaptationLog) -> ReasoningOptions | None:
    """The options as the model takes them, the same value where nothing changes; None where it can be asked nothing."""
    effort, budget = options.effort, options.budget_tokens
    asked = effort if effort is not None else budget
    off = effort == "none" or (effort is None and budget == 0)
    if not known.able:
        if asked is not None and not off:
            log.dropped("reasoning", "the model is known not to think", asked)
        elif off:
            log.defaulted("reasoning", "the model is known not to think", None)
        return None
    if not known.askable:
        if asked is not None:
            log.dropped("reasoning", "the model is known to think as it does, whatever is asked", asked)
        return None
    if off:
        return _turned_off(options, known, log)
    if effort is not None:
        effort, budget = _level(effort, budget, known, log)
    elif budget is not None and budget > 0:
        effort, budget = _budget(budget, known, log)
    if effort == options.effort and budget == options.budget_tokens:
        return options
    return msgspec.structs.replace(options, effort=effort, budget_tokens=budget)


def _turned_off(options: ReasoningOptions, known: Thinking, log: AdaptationLog) -> ReasoningOptions | None:
    if known.off and not (known.off_is_a_level and known.levels and "none" not in known.levels):
        return options
    asked = options.effort if options.effort is not None else options.budget_tokens
    reason = "the model is known not to do without thinking"
    level = next((level for level in known.levels if level != "none"), None)
    if level is not None and known.says_levels:
        log.substituted("reasoning", reason, asked, level)
        return msgspec.structs.replace(options, effort=level, budget_tokens=None)
    if known.least and known.says_budgets:
        log.substituted("reasoning", reason, asked, known.least)
        return msgspec.structs.replace(options, effort=None, budget_tokens=known.least)
    log.dropped("reasoning", reason, asked)
    return None


def _level(effort: str, budget: int | None, known: Thinking, log: AdaptationLog) -> tuple[str | None, int | None]:
    worth = budget_of(effort)
    if worth is None:  # a word of the provider's own: whoever wrote it knows more than the table of levels
        return effort, budget
    if not known.leveled and known.budgets and known.says_budgets and budget is None:
        budget = _within(worth, known)
        log.substituted("reasoning.effort", "the model is known to take budgets alone", effort, budget)
        return None, budget
    if known.levels and effort not in known.levels:
        near = nearest_level(effort, known.levels)
        if near is not None:
            log.substituted("reasoning.effort", f"the model is known to take {', '.join(known.levels)}", effort, near)
            effort = near
    if budget is not None and budget > 0 and not known.budgets and known.leveled:
        log.dropped("reasoning.budget_tokens", "the model is known to take levels alone", budget)
        return effort, None
    return effort, budget if budget is None or budget <= 0 else _clamped(budget, known, log)


def _budget(budget: int, known: Thinking, log: AdaptationLog) -> tuple[str | None, int | None]:
    if known.says_levels and known.leveled and known.levels and not (known.budgets and known.says_budgets):
        level = level_of(budget, known.levels)
        log.substituted("reasoning.budget_tokens", "the model is known to take levels", budget, level)
        return level, None
    return None, _clamped(budget, known, log)


def _clamped(budget: int, known: Thinking, log: AdaptationLog) -> int:
    fitted = _within(budget, known)
    if fitted != budget:
        log.clamped("reasoning.budget_tokens", "the model is known to take others", budget, fitted)
    return fitted


def _within(budget: int, known: Thinking) -> int:
    if known.least is not None:
        budget = max(budget, known.least)
    return budget if known.most is None else min(budget, known.most)
