"""Routes: the models that clients may name, and the deployments that each leads to, flattened into one order.

A name is looked for among the models of the configuration as it is, then among its patterns in their order, then, where
the configuration serves its providers directly, as `provider/model`, as a model that a server on this machine told,
and as a bare name that one provider alone is known to have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dragoman.engine import Deployment
from dragoman.errors import NotFound
from dragoman.gateway.caching import RouteCache
from dragoman.gateway.config.names import is_name, matched, upstream_model
from dragoman.gateway.config.problems import near_name
from dragoman.gateway.config.providers import as_timeout
from dragoman.gateway.config.structs import CacheBlock, DeploymentBlock, ModelBlock
from dragoman.gateway.response_cache import ResponseCache
from dragoman.routing import Candidate, Route
from dragoman.routing.plan import Bounds
from dragoman.routing.retries import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.catalogue import ProviderRow
    from dragoman.facts.price_lists import PriceList
    from dragoman.gateway.config.loading import Config
    from dragoman.gateway.config.providers import Provider, Trust
    from dragoman.gateway.config.structs import FactsBlock, PricesBlock
    from dragoman.transport import Transport
    from dragoman.values.profile import Profile

__all__ = ["PublicRoute", "RouteTable"]

MOST_KEPT: Final = 1024
"""Routes that were made for names of clients, of which there may be any number."""


class PublicRoute:
    """A model that clients may name.

    `name` is the name that was asked for, which keys are held to; `label` that of the model or pattern of the
    configuration, for metrics. `allow` names members of requests that may steer the provider. `cache` is where answers
    may be kept.
    """

    __slots__ = ("_spoken", "allow", "cache", "label", "name", "route")

    def __init__(
        self,
        name: str,
        route: Route,
        *,
        label: str,
        allow: frozenset[str] = frozenset(),
        cache: RouteCache | None = None,
    ) -> None:
        self.name = name
        self.route = route
        self.label = label
        self.allow = allow
        self.cache = cache
        self._spoken: dict[str, Route] = {}

    def spoken(self, dialect: str) -> Route:
        """The route with each deployment in a client's own dialect where its provider speaks it; made once each."""
        found = self._spoken.get(dialect)
        if found is None:
            candidates = tuple(
                replace(candidate, deployment=_speaking(candidate.deployment, dialect))
                for candidate in self.route.candidates
            )
            found = self._spoken[dialect] = replace(self.route, candidates=candidates)
        return found

    def deployment_name(self, deployment: Deployment) -> str:
        """What the configuration calls a deployment."""
        return deployment.label or deployment.name

    def __repr__(self) -> str:
        return f"PublicRoute({self.name!r}: {', '.join(each.deployment.name for each in self.route.candidates)})"


def _speaking(deployment: Deployment, dialect: str) -> Deployment:
    access = deployment.access
    if dialect == access.dialect or not _reaches(access.row, dialect, access.model):
        return deployment
    return replace(deployment, access=access.speaking(dialect))


def _reaches(row: ProviderRow, dialect: str, model: str) -> bool:
    """Whether a provider speaks a dialect about this model: some dialects reach certain models and no others."""
    for beginning, alone in row.reached.items():
        if model.startswith(beginning):
            return dialect == alone
    return dialect in row.dialects and (dialect == row.dialects[0] or dialect not in row.reached.values())


class RouteTable:
    """All routes of one configuration. Building it resolves every deployment, so nothing is left that can fail later.

    Raises `ConfigError`.
    """

    def __init__(self, config: Config, open_transport: Callable[[Trust], Transport]) -> None:
        """`open_transport` gives what reaches providers of equal trust."""
        self._config = config
        self._transports = {name: open_transport(provider.trust) for name, provider in config.providers.items()}
        self._patterns = [name for name in config.models if "*" in name]
        # One per model or pattern and not per name that a client thinks of: they hold what its calls share.
        self._budgets = {name: RetryBudget() for name in (*config.models, *config.providers)}
        shared = RouteCache(_response_cache(CacheBlock()))
        self._caches: dict[str, RouteCache | None] = dict.fromkeys(config.providers, shared)
        self._caches |= {name: _route_cache(model.block, shared) for name, model in config.models.items()}
        self._exact = {name: self._configured(name, name) for name in config.models if "*" not in name}
        self._made: dict[str, PublicRoute] = {}
        self._listed: dict[str, str] | None = None
        for pattern in self._patterns:
            # Tried with some name, so that what is wrong with a pattern's deployments is known now.
            self._configured(pattern.replace("*", "model"), pattern)

    # One look-up for a name of the configuration; benchmarks/accounts.py measures it.
    def match(self, name: str) -> PublicRoute | None:
        """The route of a name, or None."""
        return self._exact.get(name) or self._made.get(name) or self._make(name)

    def find(self, name: str) -> PublicRoute:
        """The route of a name. Raises `NotFound`, which says what is near."""
        found = self.match(name)
        if found is None:
            raise self._unknown(name)
        return found

    def names(self) -> list[str]:
        """The names to list for clients: models without patterns, and what servers on this machine told."""
        told = self._config.local_models if self._config.direct else ()
        return [*self._exact, *(name for name in told if name not in self._exact)]

    def labels(self) -> list[str]:
        """Every label that a route may have."""
        direct = [f"{name}/*" for name in self._config.providers] if self._config.direct else []
        return [*self._config.models, *direct]

    def warm(self) -> None:
        """Loads what is known of models where names will be looked up in it, which takes a while. In any thread."""
        if self._config.direct:
            self._known_names()

    def _make(self, name: str) -> PublicRoute | None:
        if not is_name(name):
            return None
        pattern = next((each for each in self._patterns if matched(each, name) is not None), None)
        if pattern is not None:
            found = self._configured(name, pattern)
        else:
            target = self._direct_target(name) if self._config.direct else None
            if target is None:
                return None
            found = self._direct(name, *target)
        if len(self._made) >= MOST_KEPT:
            self._made.clear()
        self._made[name] = found
        return found

    # -- models of the configuration ---------------------------------------------------------------------------------

    def _configured(self, name: str, label: str) -> PublicRoute:
        model = self._config.models[label].block
        candidates: dict[tuple[str, str, str], Candidate] = {}
        self._gather(name, label, candidates)
        bounds = Bounds(attempts=model.max_attempts, seconds=model.max_seconds)
        route = Route(candidates=tuple(candidates.values()), bounds=bounds, budget=self._budgets[label])
        return PublicRoute(name, route, label=label, allow=frozenset[str](model.allow), cache=self._caches[label])

    def _gather(self, name: str, label: str, into: dict[tuple[str, str, str], Candidate]) -> None:
        """The model's deployments, then those of its fallbacks in the same way; each stays where it came first."""
        model = self._config.models[label]
        for block in model.deployments:
            provider, _, upstream = block.model.partition("/")
            upstream = upstream_model(upstream, label, name)
            key = (provider, upstream, block.name or "")
            if key not in into:
                into[key] = self._candidate(provider, upstream, block, model.block)
        for fallback in model.block.fallbacks:
            self._gather(fallback, self._label(fallback), into)

    def _label(self, name: str) -> str:
        models = self._config.models
        return name if name in models else next(each for each in self._patterns if matched(each, name) is not None)

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
        retries = model.max_retries if block.max_retries is None else block.max_retries
        return Candidate(deployment=deployment, max_retries=retries)

    # -- models of the providers -------------------------------------------------------------------------------------

    def _direct(self, name: str, provider_name: str, upstream: str) -> PublicRoute:
        candidate = self._candidate(
            provider_name, upstream, DeploymentBlock(model=f"{provider_name}/{upstream}"), ModelBlock(deployments=())
        )
        route = Route(candidates=(candidate,), budget=self._budgets[provider_name])
        return PublicRoute(name, route, label=f"{provider_name}/*", cache=self._caches[provider_name])

    def _direct_target(self, name: str) -> tuple[str, str] | None:
        provider, slash, model = name.partition("/")
        if slash and model and provider in self._config.providers:
            return provider, model
        told = self._config.local_models.get(name)
        if told is not None:
            return told, name
        known = self._known_names().get(name)
        return None if not known else (known, name)

    def _known_names(self) -> dict[str, str]:
        """Bare names to the one provider that is known to have each; "" for names that several have."""
        if self._listed is None:
            self._listed = _bare_names(self._config.providers)
        return self._listed

    def _unknown(self, name: str) -> NotFound:
        shown = name if is_name(name) else f"{name[:64]!r}…"
        several = ""
        if self._config.direct and self._known_names().get(name) == "":
            several = " Several providers have a model of this name: write 'provider/model'."
        near = several or near_name(name, self.names())
        error = NotFound(f"There is no model {shown!r} here.{near}", status=404, code="model_not_found")
        error.message = error.provider_message  # nobody upstream was asked
        error.args = (error.message,)
        return error


def _route_cache(model: ModelBlock, shared: RouteCache) -> RouteCache | None:
    """Where a model's answers may be kept: in a cache of its own, if it says how long; else with all the others."""
    if isinstance(model.cache, CacheBlock):
        return RouteCache(_response_cache(model.cache), model.cache.seconds)
    return shared if model.cache is None else None


def _response_cache(block: CacheBlock) -> ResponseCache:
    return ResponseCache(most_bytes=block.max_bytes, most_entries=block.max_entries)


def _bare_names(providers: Mapping[str, Provider]) -> dict[str, str]:
    from dragoman.facts.lookup import FACTS

    # Rows that share an issuer or facts are one party under several names; the first of them is taken.
    parties: dict[str, str] = {}
    for name, provider in providers.items():
        party = FACTS.own.provider_name(provider.row.facts or provider.row.name)
        parties.setdefault(party, name)
    found: dict[str, str] = {}
    for party, model in FACTS.names():
        name = parties.get(party)
        if name is not None and model:
            found[model] = name if found.get(model, name) == name else ""
    return found


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
