"""From the models of a configuration to routes: deployments resolved, tiers numbered, strategies put together.

A model's own tiers come first, then those of its fallbacks, each with the strategy of the model that it comes from. A
deployment that comes twice stays where it came first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from dragoman.engine import Deployment
from dragoman.errors import ConfigError
from dragoman.gateway.caching import RouteCache
from dragoman.gateway.config.names import upstream_model
from dragoman.gateway.config.providers import as_timeout
from dragoman.gateway.config.structs import AffinityBlock, CacheBlock, DeploymentBlock, HedgingBlock, ModelBlock
from dragoman.gateway.public_route import PublicRoute
from dragoman.gateway.response_cache import ResponseCache
from dragoman.gateway.route_state import limits_of
from dragoman.routing import Candidate, Route
from dragoman.routing.plan import LONGEST_BACKOFF_SECONDS, Bounds
from dragoman.routing.retries import RetryBudget
from dragoman.routing.strategies import Rule, Rules, Strategy, Tiered, strategy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.facts.price_lists import PriceList
    from dragoman.gateway.config.loading import Config
    from dragoman.gateway.config.providers import Provider
    from dragoman.gateway.config.structs import FactsBlock, PricesBlock, RuleBlock
    from dragoman.gateway.route_state import RouteState
    from dragoman.routing.affinity import Affinity
    from dragoman.routing.hedging import Hedging
    from dragoman.transport import Transport
    from dragoman.values.profile import Profile

__all__ = ["RouteMaker"]


class _Found(NamedTuple):
    """A candidate, and where it belongs: which model it comes from, and in which of that model's tiers."""

    model: str
    tier: int
    candidate: Candidate


class RouteMaker:
    """Makes the routes of one configuration. `find` gives the model or pattern that a name leads to."""

    def __init__(
        self,
        config: Config,
        transports: Mapping[str, Transport],
        state: RouteState,
        find: Callable[[str], str],
        *,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self._config = config
        self._transports = transports
        self._state = state
        self._find = find
        self._worker = worker
        self._workers = workers
        # One per model or pattern and not per name that a client thinks of: they hold what its calls share.
        self._budgets = {name: RetryBudget() for name in (*config.models, *config.providers)}
        self.affinities = {name: self._affinity(name, model.block) for name, model in config.models.items()}
        shared = RouteCache(_response_cache(CacheBlock()))
        self._caches: dict[str, RouteCache | None] = dict.fromkeys(config.providers, shared)
        self._caches |= {name: _route_cache(model.block, shared) for name, model in config.models.items()}

    # -- models of the configuration ---------------------------------------------------------------------------------

    def configured(self, name: str, label: str) -> PublicRoute:
        """The route of a name that a model or pattern stands for."""
        model = self._config.models[label].block
        gathered: dict[tuple[str, str, str], _Found] = {}
        self._gather(name, label, gathered)
        found = list(gathered.values())
        places = list(dict.fromkeys((each.model, each.tier) for each in sorted(found, key=_in_order(found))))
        candidates: tuple[Candidate, ...] = tuple(
            replace(each.candidate, tier=places.index((each.model, each.tier)) + 1) for each in found
        )
        # A route without a choice is watched only where there is something to hold it to: that is the shorter way.
        watched = len(found) > 1 or found[0].candidate.limits is not None
        route = Route(
            candidates=candidates,
            bounds=Bounds(
                attempts=model.max_attempts,
                seconds=model.max_seconds,
                # A client that is told to wait can go elsewhere; one whose call hangs cannot.
                longest_wait_seconds=LONGEST_BACKOFF_SECONDS,
            ),
            budget=self._budgets[label],
            strategy=self._strategy(label, [name for name, _ in places]),
            health=self._state.health if watched else None,
            affinity=self.affinities[label] if len(candidates) > 1 else None,
            hedging=_hedging(model.hedging) if len(candidates) > 1 else None,
        )
        return PublicRoute(name, route, label=label, allow=frozenset[str](model.allow), cache=self._caches[label])

    def _gather(self, name: str, label: str, into: dict[tuple[str, str, str], _Found]) -> None:
        model = self._config.models[label]
        for block in model.deployments:
            provider, _, upstream = block.model.partition("/")
            upstream = upstream_model(upstream, label, name)
            key = (provider, upstream, block.name or "")
            if key not in into:
                into[key] = _Found(label, block.tier, self._candidate(provider, upstream, block, model.block))
        if model.block.equivalents:
            self._add_equivalents(label, model.block, into)
        for fallback in model.block.fallbacks:
            self._gather(fallback, self._find(fallback), into)

    def _add_equivalents(self, label: str, model: ModelBlock, into: dict[tuple[str, str, str], _Found]) -> None:
        """The same published weights at other providers of the configuration, behind the model's own deployments."""
        from dragoman import facts

        own = [each for each in into.values() if each.model == label]
        last = max(each.tier for each in own) + 1
        parties = {
            facts_name(provider): name
            for name, provider in reversed(self._config.providers.items())
            if provider.missing is None
        }
        known = {
            (each.candidate.deployment.facts_provider, each.candidate.deployment.target.model) for each in into.values()
        }
        for each in own:
            deployment = each.candidate.deployment
            for party, upstream in facts.equivalents(deployment.facts_provider, deployment.target.model):
                name = parties.get(party)
                if name is None or (party, upstream) in known:
                    continue
                known.add((party, upstream))
                block = DeploymentBlock(model=f"{name}/{upstream}", name=f"{name}/{upstream}")
                try:
                    candidate = self._candidate(name, upstream, block, model)
                except ConfigError:
                    continue  # set up for other models than this one: nobody asked for it by name
                into[name, upstream, block.name or ""] = _Found(label, last, candidate)

    def _candidate(self, provider_name: str, upstream: str, block: DeploymentBlock, model: ModelBlock) -> Candidate:
        provider = self._config.providers[provider_name]
        access = provider.access(upstream, block.api_key)
        written = block.name or ""
        deployment = Deployment(
            access=access,
            timeout=as_timeout(block.timeout) or as_timeout(model.timeout) or provider.timeout,
            transport=self._transports[provider_name],
            prices=None if block.prices is None else _price_list(block.prices),
            profile=None if block.facts is None else _profile(provider, upstream, block.facts),
            # A name that was not chosen follows the model that a pattern's star stands for.
            label=f"{provider_name}/{upstream}" if written == block.model else written,
        )
        prices = [price for price in (block.max_price, model.max_price) if price is not None]
        return Candidate(
            deployment=deployment,
            max_retries=model.max_retries if block.max_retries is None else block.max_retries,
            weight=1.0 if block.weight is None else block.weight,
            limits=None if block.limits is None else limits_of(block.limits, self._worker, self._workers),
            on_blocked=block.on_blocked,
            needs=tuple(dict.fromkeys((*model.needs, *block.needs))),
            max_price=Decimal(str(min(prices))) if prices else None,
        )

    # -- who of a tier is asked first --------------------------------------------------------------------------------

    def _strategy(self, label: str, models: list[str]) -> Strategy | None:
        """The strategy of a route whose tiers come from these models, in order; None for candidates in order."""
        model = self._config.models[label].block
        made: dict[str, Strategy | None] = {}
        for name in models:
            if name not in made:
                block = self._config.models[name].block
                # What goes by rules is no fallback (`route_checks`), so that this is the model itself.
                made[name] = strategy_of(block.otherwise if block.strategy == "rule" else block.strategy)
        chosen: Strategy | None
        if len(made) == 1:
            chosen = made[label]
        else:
            tiered = {tier: each for tier, name in enumerate(models, 1) if (each := made[name]) is not None}
            chosen = Tiered(tiered) if tiered else None
        if model.strategy == "rule":
            return Rules([_rule(rule) for rule in model.rules], chosen)
        return chosen

    def _affinity(self, label: str, model: ModelBlock) -> Affinity | None:
        wanted = model.affinity
        if wanted is None:
            wanted = model.strategy != "order"
        if isinstance(wanted, bool):
            return self._state.affinity(label, AffinityBlock()) if wanted else None
        return self._state.affinity(label, wanted)

    # -- models of the providers -------------------------------------------------------------------------------------

    def direct(self, name: str, provider_name: str, upstream: str) -> PublicRoute:
        """The route of a provider's model that nobody listed."""
        candidate = self._candidate(
            provider_name, upstream, DeploymentBlock(model=f"{provider_name}/{upstream}"), ModelBlock(deployments=())
        )
        bounds = Bounds(longest_wait_seconds=LONGEST_BACKOFF_SECONDS)
        route = Route(candidates=(candidate,), bounds=bounds, budget=self._budgets[provider_name])
        return PublicRoute(name, route, label=f"{provider_name}/*", cache=self._caches[provider_name])


def _in_order(found: list[_Found]) -> Callable[[_Found], tuple[int, int]]:
    models = list(dict.fromkeys(each.model for each in found))
    return lambda each: (models.index(each.model), each.tier)


def facts_name(provider: Provider) -> str:
    """The provider's name among the facts."""
    from dragoman.facts.lookup import FACTS

    return FACTS.own.provider_name(provider.row.facts or provider.row.name)


def _rule(block: RuleBlock) -> Rule:
    return Rule(
        use=block.use,
        model=block.model,
        headers={name.lower(): value for name, value in block.headers.items()},
        metadata=block.metadata,
        key=block.key,
        team=block.team,
        user=block.user,
        needs=block.needs,
        min_prompt_tokens=block.min_prompt_tokens,
        max_prompt_tokens=block.max_prompt_tokens,
        percent=block.percent,
        seed=block.seed,
        only=block.only,
    )


def _hedging(wanted: HedgingBlock | bool) -> Hedging | None:
    from dragoman.routing.hedging import Hedging

    if isinstance(wanted, bool):
        return Hedging() if wanted else None
    return Hedging(quantile=wanted.quantile, least_samples=wanted.least_samples, after_seconds=wanted.after_seconds)


def _route_cache(model: ModelBlock, shared: RouteCache) -> RouteCache | None:
    """Where a model's answers may be kept: in a cache of its own, if it says how long; else with all the others."""
    if isinstance(model.cache, CacheBlock):
        return RouteCache(_response_cache(model.cache), model.cache.seconds)
    return shared if model.cache is None else None


def _response_cache(block: CacheBlock) -> ResponseCache:
    return ResponseCache(most_bytes=block.max_bytes, most_entries=block.max_entries)


def _price_list(block: PricesBlock) -> PriceList:
    from dragoman.facts.giving import as_price_list
    from dragoman.values.profile import Source

    told = {meter: amount for meter in block.__struct_fields__ if (amount := getattr(block, meter)) is not None}
    return as_price_list(told, Source(name="configuration"))


def _profile(provider: Provider, model: str, block: FactsBlock) -> Profile:
    from dragoman import facts
    from dragoman.values.profile import Source

    told = {name: value for name in block.__struct_fields__ if (value := getattr(block, name)) is not None}
    known = facts.profile(provider.row.facts or provider.row.name, model)
    source = Source(name="configuration")
    return replace(known, **told, sources={**known.sources, **dict.fromkeys(told, source)})
