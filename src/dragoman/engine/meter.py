"""The meter of one attempt: what is measured while it runs becomes its `Attempt`."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from dragoman.dialects.headers import request_id
from dragoman.engine.pricing import cost_of
from dragoman.errors import DragomanError, ProviderError, TransportError
from dragoman.values import Attempt, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from dragoman.engine.deployment import Deployment
    from dragoman.values import Cost, Request, Response, Usage

__all__ = ["Meter"]


@cache
def _observe() -> Callable[..., None]:
    from dragoman.facts.estimating import observe  # here: making a model must not load facts

    return observe


class Meter:
    """Started when the attempt is; `ok`, `failed` or `cancelled` closes it and gives the record.

    `asked` is the request and the length of its body, to learn from what the provider reports of it (a body passed on
    has no request). `headers` are those of the provider's answer, `answer_id` its own id of it (which names the state
    that it keeps), `service_tier` its word for that; `adaptations` is how many were made.
    """

    __slots__ = (
        "_cost",
        "_deployment",
        "_first",
        "_priced",
        "_reason",
        "_start",
        "_wall",
        "adaptations",
        "answer_id",
        "asked",
        "headers",
        "request_id",
        "service_tier",
        "status",
    )

    def __init__(self, deployment: Deployment, reason: str) -> None:
        self._deployment = deployment
        self._reason = reason
        self._wall = time.time()
        self._start = time.perf_counter()
        self._first: float | None = None
        self._priced: Usage | None = None
        self._cost: Cost | None = None
        self.asked: tuple[Request | None, int] | None = None
        self.status: int | None = None
        self.headers: Mapping[str, str] | None = None
        self.request_id: str | None = None
        self.answer_id: str | None = None
        self.service_tier: str | None = None
        self.adaptations = 0

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """A whole answer has come."""
        self._first = time.perf_counter() - self._start
        self.status = status
        self.headers = headers
        self.request_id = request_id(headers)

    def first_byte(self) -> None:
        if self._first is None:
            self._first = time.perf_counter() - self._start

    def price(
        self, usage: Usage | None, model: str = "", service_tier: str | None = None, *, partial: bool = False
    ) -> Cost | None:
        """What a usage of this attempt costs, or None where nobody knows; `model` and tier are those of the answer."""
        if usage is None:
            return None
        if usage is not self._priced:
            # Whoever prices an answer first knows most of it; the record of the attempt goes by the same figure.
            self._cost = cost_of(
                self._deployment, usage, model=model, service_tier=service_tier, at=self._wall, partial=partial
            )
            self._priced = usage
        return self._cost

    def read(self, response: Response, adaptations: int = 0) -> None:
        """What an answer says of itself, and how many adaptations led to it."""
        self.answer_id = response.id
        self.service_tier = response.service_tier
        self.adaptations = adaptations

    def priced(self, response: Response) -> Response:
        """The answer with its cost, where that is known."""
        self.answer_id = response.id
        self.service_tier = tier = response.service_tier
        cost = response.cost or self.price(response.usage, response.model, tier)
        return response if cost is None else replace(response, cost=cost)

    def ok(self, usage: Usage | None, cost: Cost | None = None) -> Attempt:
        """The record of an attempt that was answered; a cost that is not given is worked out."""
        deployment = self._deployment
        access = deployment.access
        target = access.target
        asked = self.asked
        if usage is not None and usage.input_tokens is not None and asked is not None:
            request, body_bytes = asked
            _observe()(
                access.row.facts or target.provider,
                target.model,
                usage,
                request=request,
                body_bytes=body_bytes,
                dialect=access.dialect,
            )
        # As `_record`, which nearly every attempt would else call.
        return Attempt(
            provider=target.provider,
            model=target.model,
            dialect=access.dialect,
            outcome="ok",
            reason=self._reason,
            started_at=self._wall,
            duration_seconds=time.perf_counter() - self._start,
            first_byte_seconds=self._first,
            status=self.status,
            sent="yes",
            request_id=self.request_id,
            usage=usage or None,
            cost=cost or self.price(usage),
            service_tier=self.service_tier,
            adaptations=self.adaptations,
        )

    def failed(self, error: DragomanError) -> Attempt:
        sent: Literal["no", "maybe", "yes"] = "no"
        usage: Usage | None = None
        if isinstance(error, TransportError):
            sent, usage = error.sent, error.usage
        elif isinstance(error, ProviderError):
            sent, usage = "yes", error.usage
            self.status = error.status if error.status is not None else self.status
            self.request_id = error.request_id or self.request_id
        return self._record(
            "error",
            usage=usage,
            cost=self.price(usage, partial=True),
            error=type(error).__name__,
            message=error.message,
            sent=sent,
        )

    def cancelled(self, usage: Usage | None = None) -> Attempt:
        return self._record("cancelled", usage=usage, cost=self.price(usage, partial=True), sent="maybe")

    def _record(
        self,
        outcome: Literal["error", "cancelled"],
        *,
        usage: Usage | None,
        cost: Cost | None,
        error: str | None = None,
        message: str | None = None,
        sent: Literal["no", "maybe", "yes"],
    ) -> Attempt:
        access = self._deployment.access
        target = access.target
        return Attempt(
            provider=target.provider,
            model=target.model,
            dialect=access.dialect,
            outcome=outcome,
            reason=self._reason,
            started_at=self._wall,
            duration_seconds=time.perf_counter() - self._start,
            first_byte_seconds=self._first,
            status=self.status,
            error=error,
            message=message,
            sent=sent,
            request_id=self.request_id,
            usage=usage or None,
            cost=cost,
            service_tier=self.service_tier,
            adaptations=self.adaptations,
        )
