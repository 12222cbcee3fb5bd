"""What hosts of OpenAI's wires report beside tokens: their own figure of the cost, and uses of tools that they run.

| member of `usage` | host | what it says |
| --- | --- | --- |
| `cost` | OpenRouter; Perplexity: an object with `total_cost` | USD |
| `cost_in_usd_ticks` | xAI (docs.x.ai, cost tracking) | 10,000,000,000 ticks are a USD |
| `server_side_tool_usage_details` | xAI | `{"web_search_calls": 2}` |
| `server_tool_use_details`, `server_tool_use` | OpenRouter | `{"web_search_requests": 1}` |
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from dragoman.values import JsonObject

__all__ = ["CHARGES", "host_cost", "host_tool_uses"]

_TICKS: Final = "cost_in_usd_ticks"
_TICK: Final = Decimal("1E-10")
_USES: Final = (
    ("server_side_tool_usage_details", "_calls"),
    ("server_tool_use_details", "_requests"),
    ("server_tool_use", "_requests"),
)
CHARGES: Final = frozenset(("cost", _TICKS, *(name for name, _ in _USES)))
"""The members that are read here."""


def host_cost(usage: JsonObject) -> Decimal | None:
    """The host's own figure in USD."""
    cost: Any = usage.get("cost")
    if isinstance(cost, dict):
        cost = cast("JsonObject", cost).get("total_cost")
    if _is_number(cost):
        return Decimal(repr(cost))
    ticks: Any = usage.get(_TICKS)
    return Decimal(repr(ticks)) * _TICK if _is_number(ticks) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def host_tool_uses(usage: JsonObject) -> dict[str, int] | None:
    """How often each tool was used, where the host counts them by name."""
    for member, ending in _USES:
        counts: Any = usage.get(member)
        if not isinstance(counts, dict):
            continue
        uses: dict[str, int] = {}
        for name, count in cast("JsonObject", counts).items():
            if name.endswith(ending) and isinstance(count, int) and not isinstance(count, bool) and count >= 0:
                uses[name.removesuffix(ending)] = count
        if uses:
            return uses
    return None
