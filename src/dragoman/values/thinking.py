"""How much to think, exchanged between levels and budgets of tokens: the one table that every part goes by.

    level          minimal   low    medium   high    xhigh   max
    budget_tokens  1024      2048   8192     16384   24576   32768

A level becomes its budget. A budget becomes the lowest level that holds it, among those that the other side knows, or
its highest. The figures lie between those that the vendors name for their own compatible layers: 1,024, 8,192 and
24,576 (ai.google.dev, OpenAI compatibility), 2,048 and 16,384 between them, 32,768 as the largest budget that is
documented for a model (ai.google.dev, thinking budgets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["COMMON_LEVELS", "LEAST_BUDGET_TOKENS", "LEVELS", "budget_of", "level_of", "nearest_level"]

_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
LEAST_BUDGET_TOKENS: Final = 1024
"""The smallest budget that Anthropic's models take (platform.claude.com, extended thinking)."""

LEVELS: Final = ("none", *_BUDGETS)
"""Every level, from the least to the most thinking."""

COMMON_LEVELS: Final = ("low", "medium", "high")
"""The levels that every model with levels was made to know; the others are of some vendors and versions alone."""


def budget_of(level: str) -> int | None:
    """The budget in tokens that a level stands for; 0 for "none", None for a word that is no level."""
    return 0 if level == "none" else _BUDGETS.get(level)


def level_of(budget_tokens: int, known: Collection[str] = COMMON_LEVELS) -> str:
    """The lowest of the known levels that holds a budget, or the highest of them; "none" for no budget at all."""
    if budget_tokens == 0:
        return "none"
    levels = [level for level in _BUDGETS if level in known] or list(COMMON_LEVELS)
    return next((level for level in levels if budget_tokens <= _BUDGETS[level]), levels[-1])


def nearest_level(level: str, known: Collection[str]) -> str | None:
    """The known level that is fewest steps away, the lower of two; thinking is not turned off for it unless asked.

    None where the word is no level, or no level is known.
    """
    if level not in LEVELS:
        return None
    place = LEVELS.index(level)
    near = sorted(
        (abs(LEVELS.index(other) - place), LEVELS.index(other), other)
        for other in known
        if other in LEVELS and (other != "none" or level == "none")
    )
    return near[0][2] if near else None
