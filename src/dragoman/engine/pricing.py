"""What an attempt cost: the provider's figure, else the deployment's own prices, else what is known of the model.

The facts are loaded by the first answer that needs them, and by nothing before it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from dragoman.engine.deployment import Deployment
    from dragoman.facts.price_lists import PriceList
    from dragoman.values import Cost, Usage

__all__ = ["cost_of"]


def cost_of(
    deployment: Deployment,
    usage: Usage,
    *,
    model: str = "",
    service_tier: str | None = None,
    at: float | None = None,
    partial: bool = False,
) -> Cost | None:
    """What a usage cost at a deployment, or None where nobody knows.

    `model` is the name in the answer, which may be more exact than the one that was asked for; `at` is Unix time in
    seconds. `partial`: the call did not end, and what was counted of it is charged (basis "estimated"). Takes a few
    microseconds (`benchmarks/facts.py`), the first one of a process the loading of the facts.
    """
    costing = _costing()
    if usage.reported_cost is not None:
        return costing.reported_cost(usage)
    access = deployment.access
    asked, place = access.target.model, None
    if access.row.place_sign:
        asked, place = _parted(asked, access.row.place_sign)
    prices = deployment.prices
    if prices is None and deployment.facts:
        prices = _prices(access.row.facts or access.target.provider, asked, model)
    if prices is None:
        return None
    return costing.list_cost(usage, prices, service_tier=service_tier, place=place, at=at, partial=partial)


@cache  # an import statement in a function costs half a microsecond each time
def _costing() -> ModuleType:
    from dragoman.facts import costing

    return costing


@cache
def _lookup() -> ModuleType:
    from dragoman.facts import lookup

    return lookup


def _parted(model: str, sign: str) -> tuple[str, str | None]:
    """The model's name, and the place that it names too where the host has it so."""
    if sign not in model:
        return model, None
    name, _, place = model.rpartition(sign)
    return name, place


def _prices(provider: str, asked: str, answered: str) -> PriceList | None:
    """What the program said of the model that was asked for, then what is known of the one that answered."""
    prices = _lookup().prices
    of_asked = prices(provider, asked)
    if answered and answered != asked and (of_asked is None or of_asked.basis != "override"):
        return prices(provider, answered) or of_asked
    return of_asked
