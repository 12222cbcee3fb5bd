"""A route: the candidates of one public model, in tiers, with what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.routing.permits import InFlight, Permits
from dragoman.routing.plan import Bounds
from dragoman.routing.retries import RetryBudget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from decimal import Decimal

    from dragoman.engine import Deployment
    from dragoman.routing.affinity import Affinity
    from dragoman.routing.health import Health
    from dragoman.routing.hedging import Hedging
    from dragoman.routing.limits import Limits
    from dragoman.routing.lineup import Lineup
    from dragoman.routing.strategies import Strategy
    from dragoman.values import Event, Request

    Attempting = Callable[[Request], AsyncIterator[Event]]
    Layer = Callable[[Request, Attempting], AsyncIterator[Event]]

__all__ = ["Candidate", "Route"]


def _unchanged(request: Request) -> Request:
    return request


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment in a route: how often it is tried, what its own model adds to a request, and its own middleware.

    Lower `tier`s are turned to first; within a tier the route's strategy chooses, by `weight` where it goes by weights.
    `limits` are the deployment's own. `on_blocked`: content that another candidate's filter refused may be asked of
    this one.

    `prepare` and `layers` belong to a model that was put into a larger route together with its bound tools and
    middleware; they see the attempts at this candidate alone. Where the model is known not to meet `needs` (as
    `facts.meets` takes them), or to cost more than `max_price` (USD per million input tokens), it is passed over.
    """

    deployment: Deployment
    max_retries: int = 2
    tier: int = 1
    weight: float = 1.0
    limits: Limits | None = None
    on_blocked: bool = False
    prepare: Callable[[Request], Request] = _unchanged
    layers: tuple[Layer, ...] = ()
    needs: tuple[str, ...] = ()
    max_price: Decimal | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates, and what all calls over them share.

    `strategy` None takes the candidates of a tier in order. `health` None passes nobody over for what happened before.
    `lineup` is worked out from the rest when it is first needed; a copy has that of its model until then.
    """

    candidates: tuple[Candidate, ...]
    bounds: Bounds = msgspec.field(default_factory=Bounds)
    budget: RetryBudget | None = msgspec.field(default_factory=RetryBudget)
    permits: Permits = msgspec.field(default_factory=InFlight)
    strategy: Strategy | None = None
    health: Health | None = None
    affinity: Affinity | None = None
    hedging: Hedging | None = None
    lineup: Lineup | None = None

    plain: bool = False
    """Worked out: there is nothing to choose and nothing to watch (one candidate, and none of what goes by traffic)."""
    lined_up: bool = False
    """Worked out: `lineup` is there, and its own."""

    def __post_init__(self) -> None:
        plain = (
            len(self.candidates) == 1
            and self.health is None
            and self.hedging is None
            and self.candidates[0].limits is None
        )
        msgspec.structs.force_setattr(self, "plain", plain)
        msgspec.structs.force_setattr(self, "lined_up", self.lineup is not None and self.lineup.fits(self))
