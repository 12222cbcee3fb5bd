"""Routes: the models that clients may name, and the deployments that each leads to.

A name is looked for among the models of the configuration as it is, then among its patterns in their order, then, where
the configuration serves its providers directly, as `provider/model`, as a model that a server on this machine told,
and as a bare name that one provider alone is known to have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import NotFound
from dragoman.gateway.config.names import is_name, matched
from dragoman.gateway.config.problems import near_name
from dragoman.gateway.public_route import PublicRoute
from dragoman.gateway.route_making import RouteMaker, facts_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.gateway.config.loading import Config
    from dragoman.gateway.config.providers import Provider, Trust
    from dragoman.gateway.route_state import RouteState
    from dragoman.transport import Transport

__all__ = ["PublicRoute", "RouteTable"]

MOST_KEPT: Final = 1024
"""Routes that were made for names of clients, of which there may be any number."""


class RouteTable:
    """All routes of one configuration. Building it resolves every deployment, so nothing is left that can fail later.

    Raises `ConfigError`.
    """

    def __init__(
        self,
        config: Config,
        open_transport: Callable[[Trust], Transport],
        state: RouteState,
        *,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        """`open_transport` gives what reaches providers of equal trust; `state` is what was learnt of deployments.

        `worker` of `workers` processes says which share of the deployments' limits this one has.
        """
        self._config = config
        transports = {name: open_transport(provider.trust) for name, provider in config.providers.items()}
        self._patterns = [name for name in config.models if "*" in name]
        make = self._maker = RouteMaker(config, transports, state, self._label, worker=worker, workers=workers)
        self._exact = {name: make.configured(name, name) for name in config.models if "*" not in name}
        self._made: dict[str, PublicRoute] = {}
        self._listed: dict[str, str] | None = None
        for pattern in self._patterns:
            # Tried with some name, so that what is wrong with a pattern's deployments is known now.
            make.configured(pattern.replace("*", "model"), pattern)

    def taken(self, state: RouteState) -> None:
        """These routes are in use from now on. In the loop that they belong to."""
        state.take(self._config.health, self._maker.affinities, (found.route for found in self._exact.values()))

    # One look-up for a name of the configuration; benchmarks/accounts.py measures it.
    def match(self, name: str) -> PublicRoute | None:
        """The route of a name, or None."""
        return self._exact.get(name) or self._made.get(name) or self._make(name)

    def find(self, name: str) -> PublicRoute:
        """The route of a name. Raises `NotFound`, which says what is near."""
        found = self._exact.get(name) or self.match(name)
        if found is None:
            raise self._unknown(name)
        return found

    def names(self) -> list[str]:
        """The names to list for clients: models without patterns, and what servers on this machine told."""
        told = self._config.local_models if self._config.direct else ()
        return [*self._exact, *(name for name in told if name not in self._exact)]

    def made(self) -> list[PublicRoute]:
        """The routes that there are: those of the configuration's models, and of names that were asked for."""
        return [*self._exact.values(), *self._made.values()]

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
            found = self._maker.configured(name, pattern)
        else:
            target = self._direct_target(name) if self._config.direct else None
            if target is None:
                return None
            found = self._maker.direct(name, *target)
        if len(self._made) >= MOST_KEPT:
            self._made.clear()
        self._made[name] = found
        return found

    def _label(self, name: str) -> str:
        models = self._config.models
        return name if name in models else next(each for each in self._patterns if matched(each, name) is not None)

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


def _bare_names(providers: Mapping[str, Provider]) -> dict[str, str]:
    from dragoman.facts.lookup import FACTS

    # Rows that share an issuer or facts are one party under several names; the first of them is taken.
    parties: dict[str, str] = {}
    for name, provider in providers.items():
        party = facts_name(provider)
        parties.setdefault(party, name)
    found: dict[str, str] = {}
    for party, model in FACTS.names():
        name = parties.get(party)
        if name is not None and model:
            found[model] = name if found.get(model, name) == name else ""
    return found
