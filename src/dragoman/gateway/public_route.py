"""A model that clients may name, and its deployments as clients of each dialect are answered by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from dragoman.errors import InvalidRequest
from dragoman.gateway.choosing import Fitting
from dragoman.gateway.policy import Policy

if TYPE_CHECKING:
    from dragoman.catalogue import ProviderRow
    from dragoman.engine import Deployment
    from dragoman.gateway.caching import RouteCache
    from dragoman.routing import Route

__all__ = ["PublicRoute"]


class PublicRoute:
    """A model that clients may name.

    `name` is the name that was asked for, which keys are held to; `label` that of the model or pattern of the
    configuration, for metrics. `policy` says which members of requests may steer the provider, `cache` is where answers
    may be kept.
    """

    __slots__ = ("_fitting", "_spoken", "cache", "label", "name", "policy", "route")

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
        self.policy = Policy(allow)
        self.cache = cache
        self._spoken: dict[str, Route] = {}
        self._fitting: Fitting | None = None

    def spoken(self, dialect: str) -> Route:
        """The route with each deployment in a client's own dialect where its provider speaks it; made once each.

        Those that give embeddings alone are left out; where there are no others, `InvalidRequest` is raised.
        """
        found = self._spoken.get(dialect)
        if found is None:
            candidates = tuple(
                replace(candidate, deployment=_speaking(candidate.deployment, dialect))
                for candidate in self.route.candidates
                if not candidate.deployment.access.row.embeddings_only
            )
            if not candidates:
                raise InvalidRequest(f"the model {self.name!r} gives embeddings alone, and no answers", path="model")
            found = self._spoken[dialect] = replace(self.route, candidates=candidates)
        return found

    def routes(self) -> list[Route]:
        """The route, and what was made of it for clients' dialects so far."""
        return [self.route, *self._spoken.values()]

    @property
    def fitting(self) -> Fitting:
        """Which requests have to be looked at before a deployment is chosen."""
        if self._fitting is None:
            self._fitting = Fitting.of(self.route)
        return self._fitting

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
