"""Facts: what is known about models, in layers, each field with its source.

From the weakest to the strongest: the data file of the package, what a provider lists itself (`listed`), a file that
the user named (`refresh`, `load`), what the program says (`override`). Lookups take no lock: every change makes a new
state, which takes the place of the old one in one step.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from dragoman.facts.compiled import Compiled
from dragoman.facts.form import Row, check_fields
from dragoman.values.profile import Profile, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.facts.price_lists import PriceList

__all__ = ["FACTS", "Facts", "forget", "override", "prices", "profile"]

REMEMBERED = 4096
"""Models whose facts are kept as made; a gateway's client may ask for names without end."""

_UNTOLD = Row()


class _State(msgspec.Struct, frozen=True):
    """All layers at one moment, and what was made of them since; another moment has other memories."""

    own: Compiled
    listings: Mapping[str, Mapping[str, Row]] = {}
    refreshed: Compiled | None = None
    overrides: Mapping[tuple[str, str], Row] = {}
    # msgspec gives every state copies of these.
    profiles: dict[tuple[str, str], Profile] = {}
    prices: dict[tuple[str, str], PriceList | None] = {}
    weights: dict[str, tuple[tuple[str, str], ...]] = {}


class Facts:
    """The layers, and the lookups over them. The module's functions are those of one instance, made at first use."""

    def __init__(self, own: Callable[[], Compiled] = Compiled.own) -> None:
        self._load_own = own
        self._state: _State | None = None
        self._lock = Lock()

    # -- lookups -----------------------------------------------------------------------------------------------------

    def profile(self, provider: str, model: str) -> Profile:
        """What is known about a model at a provider (a name of the catalogue); never raises, unknown fields are None.

        The first lookup of the process reads the data file, the first of a model makes its profile; later ones take
        well under a microsecond.
        """
        state = self._state or self._started()
        key = (provider, model)
        made = state.profiles.get(key)
        if made is None:
            made = _profile_of(state, provider, model)
            _remember(state.profiles, key, made)
        return made

    def prices(self, provider: str, model: str) -> PriceList | None:
        """The prices of a model at a provider, or None where they are not known; never raises."""
        state = self._state or self._started()
        key = (provider, model)
        try:
            return state.prices[key]
        except KeyError:
            made = _prices_of(state, provider, model)
            _remember(state.prices, key, made)
            return made

    def names(self) -> list[tuple[str, str]]:
        """Every (provider, model) that a layer lists, sorted; aliases left out."""
        state = self._state or self._started()
        found = {pair for pair in state.overrides if pair[1]}
        for compiled in (state.own, state.refreshed):
            if compiled is not None:
                found.update(
                    (provider, name) for provider in compiled.providers() for name in compiled.models(provider)
                )
        for provider, models in state.listings.items():
            found.update((provider, name) for name in models)
        return sorted(found)

    def by_weights(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """The (provider, model)s of all published weights that some model is known to be; made once, then kept."""
        state = self._state or self._started()
        if not state.weights:
            found: dict[str, list[tuple[str, str]]] = {}
            for provider, model in self.names():
                row = _row_of(state, provider, model)
                weights = row.fields.get("weights")
                if weights is not None:
                    found.setdefault(weights, []).append((provider, model))
            state.weights.update((weights, tuple(pairs)) for weights, pairs in found.items())
        return state.weights

    def family(self, provider: str, model: str) -> str | None:
        """The family of our data whose pattern a name matches, whether or not the name itself is listed."""
        state = self._state or self._started()
        return state.own.family_name(state.own.provider_name(provider), model)

    def remembered(self) -> tuple[int, int]:
        """How many profiles and price lists are kept as made."""
        state = self._state or self._started()
        return len(state.profiles), len(state.prices)

    @property
    def own(self) -> Compiled:
        """The package's own data."""
        return (self._state or self._started()).own

    # -- layers ------------------------------------------------------------------------------------------------------

    def override(
        self,
        provider: str,
        model: str,
        *,
        profile: Mapping[str, Any] | None = None,
        prices: PriceList | Mapping[str, Any] | None = None,
        source: Source | None = None,
    ) -> None:
        """Says something about a model that counts more than all data, from now on, in this process.

        `profile` are fields of `Profile` by name; a field given as None makes it unknown. `prices` is a `PriceList`,
        or amounts by meter in USD per million tokens (`{"input": "2.5", "output": 10}`; per piece for what is no
        token). What an earlier override of the model said about other fields stays. Raises `ConfigError`.
        """
        given = source or Source(name="override")
        told = {} if profile is None else check_fields(profile)
        made = None if prices is None else _as_prices(prices, given)
        with self._lock:
            state = self._state or self._start()
            key = (state.own.provider_name(provider), model)
            before = state.overrides.get(key, _UNTOLD)
            row = Row(
                {**before.fields, **told},
                {**before.sources, **dict.fromkeys(told, given)},
                made if made is not None else before.prices,
            )
            self._state = _changed(state, overrides={**state.overrides, key: row})

    def set_listing(self, provider: str, rows: Mapping[str, Row]) -> None:
        """Puts a provider's own listing in the place of an earlier one."""
        with self._lock:
            state = self._state or self._start()
            name = state.own.provider_name(provider)
            self._state = _changed(state, listings={**state.listings, name: dict(rows)})

    def set_refreshed(self, compiled: Compiled | None) -> None:
        """Puts a checked data file over the package's own, or takes it away."""
        with self._lock:
            self._state = _changed(self._state or self._start(), refreshed=compiled)

    def forget(self) -> None:
        """Back to the package's own data: no overrides, listings or refreshed files."""
        with self._lock:
            state = self._state
            if state is not None:
                self._state = _State(state.own)

    def _started(self) -> _State:
        with self._lock:
            return self._state or self._start()

    def _start(self) -> _State:
        self._state = _State(self._load_own())
        return self._state


def _changed(state: _State, **changes: Any) -> _State:
    return replace(state, **changes, profiles={}, prices={}, weights={})


def _remember(memory: dict[tuple[str, str], Any], key: tuple[str, str], value: Any) -> None:
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[key] = value


def _profile_of(state: _State, provider: str, model: str) -> Profile:
    row = _row_of(state, state.own.provider_name(provider), model)
    return Profile(provider=provider, model=model, sources=dict(row.sources), **row.fields)


def _row_of(state: _State, name: str, model: str) -> Row:
    """What all layers together say of a model, unknown fields left out; `family` is among the fields."""
    fields: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    family: str | None = None
    found = state.own.find(name, model)
    if found is not None:
        family = found.family
        _lay(found.row, fields, sources)
    listed = state.listings.get(name, {}).get(model)
    if listed is not None:
        _lay(listed, fields, sources)
    if state.refreshed is not None:
        newer = state.refreshed.find(name, model)
        if newer is not None:
            family = newer.family if found is None or newer.family is None else family
            _lay(newer.row, fields, sources)
    said = state.overrides.get((name, model))
    if said is not None:
        _lay(said, fields, sources)
    known = {field: value for field, value in fields.items() if value is not None}
    told = {field: sources[field] for field in known}
    if family is not None:
        known["family"] = family
    return Row(known, told)


def _lay(row: Row, fields: dict[str, Any], sources: dict[str, Source]) -> None:
    fields.update(row.fields)
    sources.update(row.sources)


def _prices_of(state: _State, provider: str, model: str) -> PriceList | None:
    name = state.own.provider_name(provider)
    said = state.overrides.get((name, model))
    if said is not None and said.prices is not None:
        return said.prices
    if state.refreshed is not None:
        newer = state.refreshed.prices(name, model)
        if newer is not None:
            return newer
    listed = state.listings.get(name, {}).get(model)
    if listed is not None and listed.prices is not None:
        return listed.prices
    return state.own.prices(name, model)


def _as_prices(given: PriceList | Mapping[str, Any], source: Source) -> PriceList:
    from dragoman.facts.giving import as_price_list

    return as_price_list(given, source)


FACTS = Facts()

profile = FACTS.profile
prices = FACTS.prices
override = FACTS.override
forget = FACTS.forget
