"""Strategies: who of a tier is asked first. One file each; `strategy.py` says what one is.

`strategy_of` makes one of a name ("order", "weighted", "round-robin", "least-busy", "latency", "cost"), of rules, or of
a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.errors import ConfigError
from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.routing.strategies.cost import Cheapest
    from dragoman.routing.strategies.custom import Choosing, Custom, Ordered
    from dragoman.routing.strategies.latency import Latency
    from dragoman.routing.strategies.least_busy import LeastBusy
    from dragoman.routing.strategies.order import InOrder, Tiered
    from dragoman.routing.strategies.round_robin import RoundRobin
    from dragoman.routing.strategies.rules import Rule, Rules
    from dragoman.routing.strategies.weighted import Weighted

__all__ = [
    "STRATEGY_NAMES",
    "Cheapest",
    "Custom",
    "InOrder",
    "Latency",
    "LeastBusy",
    "Ordered",
    "RoundRobin",
    "Rule",
    "Rules",
    "Strategy",
    "Tiered",
    "Weighted",
    "strategy_of",
]

_HOMES: Final = {
    "Cheapest": "cost",
    "Custom": "custom",
    "InOrder": "order",
    "Latency": "latency",
    "LeastBusy": "least_busy",
    "Ordered": "custom",
    "RoundRobin": "round_robin",
    "Rule": "rules",
    "Rules": "rules",
    "Tiered": "order",
    "Weighted": "weighted",
}
_NAMED: Final = {
    "order": "InOrder",
    "weighted": "Weighted",
    "round-robin": "RoundRobin",
    "least-busy": "LeastBusy",
    "latency": "Latency",
    "cost": "Cheapest",
}
STRATEGY_NAMES: Final = tuple(_NAMED)


def strategy_of(given: Any) -> Strategy | None:
    """The strategy that is meant: itself, by its name, a `Rule` or several, or a function; None for "order".

    Raises `ConfigError`.
    """
    if given is None or isinstance(given, Strategy):
        return given
    if isinstance(given, str):
        name = given.replace("_", "-")
        if name == "order":
            return None
        if name not in _NAMED:
            from difflib import get_close_matches

            near = get_close_matches(name, _NAMED, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"there is no strategy {given!r}, but {', '.join(_NAMED)}, rules and functions{hint}")
        return __getattr__(_NAMED[name])()
    from dragoman.routing.strategies.custom import Custom
    from dragoman.routing.strategies.rules import Rule, Rules

    if isinstance(given, Rule):
        return Rules((given,))
    if callable(given):
        return Custom(cast("Choosing", given))
    if isinstance(given, (list, tuple)):
        listed = cast("Sequence[object]", given)
        rules = [each for each in listed if isinstance(each, Rule)]
        if rules and len(rules) == len(listed):
            return Rules(rules)
    raise ConfigError(f"a strategy is a name, a rule or several, or a function, and not {given!r:.80}")


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dragoman.routing.strategies' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"dragoman.routing.strategies.{home}"), name)
    globals()[name] = value
    return value
