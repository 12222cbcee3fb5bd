"""Equivalents: the same published weights at several hosts, and models that are sold for work of the same weight.

The first is a matter of exact ids: two models are equivalent where both are known to be the same repository of weights
(`Profile.weights`). The second is an opinion with a source, and is kept apart: `data/tiers.json`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dragoman.facts.lookup import FACTS
from dragoman.values.profile import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Tier", "comparable", "equivalents", "tier"]

_TIERS_FILE = Path(__file__).with_name("data") / "tiers.json"


class Tier(msgspec.Struct, frozen=True):
    """A class of models: "large", "middle" or "small", and who says so."""

    name: str
    source: Source


class _TiersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: str
    sources: tuple[Source, ...]
    tiers: dict[str, tuple[tuple[str, str, int], ...]]


def equivalents(provider: str, model: str) -> tuple[tuple[str, str], ...]:
    """The same published weights at other providers (or under other names), as (provider, model), sorted.

    Empty where it is not known which weights a model is. Hosts may compute with different precision and have different
    windows and features: their profiles tell. Names that only a listing or an override gives weights count too.
    """
    weights = FACTS.profile(provider, model).weights
    if weights is None:
        return ()
    own = (FACTS.own.provider_name(provider), model)
    return tuple(other for other in FACTS.by_weights().get(weights, ()) if other != own)


def tier(provider: str, model: str) -> Tier | None:
    """The class of models that this one is counted among, with the source; None where no source says."""
    return _tiers().get(_named(provider, model))


def comparable(provider: str, model: str) -> tuple[tuple[str, str], ...]:
    """The other models of the same tier, as (provider, model), sorted; empty where the tier is not known."""
    named = _named(provider, model)
    tiers = _tiers()
    own = tiers.get(named)
    if own is None:
        return ()
    return tuple(sorted(other for other, found in tiers.items() if found.name == own.name and other != named))


def _named(provider: str, model: str) -> tuple[str, str]:
    """The pair by the names that the file has: an alias of a provider is resolved, a dated name is its family's."""
    name = FACTS.own.provider_name(provider)
    if (name, model) in _tiers():
        return name, model
    family = FACTS.family(name, model)
    return (name, family) if family is not None else (name, model)


@lru_cache(maxsize=1)
def _tiers() -> Mapping[tuple[str, str], Tier]:
    told = msgspec.json.decode(_TIERS_FILE.read_bytes(), type=_TiersFile)
    return {
        (provider, model): Tier(name, told.sources[source])
        for name, models in told.tiers.items()
        for provider, model, source in models
    }
