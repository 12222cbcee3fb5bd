"""A route: the candidates of one public model, in order, with the bounds they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.routing.permits import InFlight, Permits
from dragoman.routing.plan import Bounds
from dragoman.routing.retries import RetryBudget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.engine import Deployment
    from dragoman.values import Event, Request

    Attempting = Callable[[Request], AsyncIterator[Event]]
    Layer = Callable[[Request, Attempting], AsyncIterator[Event]]

__all__ = ["Candidate", "Route"]


def _unchanged(request: Request) -> Request:
    return request


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment in a route: how often it is tried, what its own model adds to a request, and its own middleware.

    `prepare` and `layers` belong to a model that was put into a larger route together with its bound tools and
    middleware; they see the attempts at this candidate alone.
    """

    deployment: Deployment
    max_retries: int = 2
    prepare: Callable[[Request], Request] = _unchanged
    layers: tuple[Layer, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates in order. `budget` and `permits` are shared by all calls over this route."""

    candidates: tuple[Candidate, ...]
    bounds: Bounds = msgspec.field(default_factory=Bounds)
    budget: RetryBudget | None = msgspec.field(default_factory=RetryBudget)
    permits: Permits = msgspec.field(default_factory=InFlight)
