"""The permits of one call in the gateway: every attempt is written to the ledger, counted, and told in the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from dragoman.ledger.money import amount_text
from dragoman.ledger.permits import CallPermits
from dragoman.observe.request_log import AttemptLine
from dragoman.values import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.engine import Deployment
    from dragoman.ledger.permits import CallScope, LedgerPermit, Terms
    from dragoman.ledger.spool import Spool
    from dragoman.observe.metrics import Metrics
    from dragoman.observe.request_log import RequestLog

__all__ = ["Bookkeeping", "Books"]


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Where attempts are written down: the ledger always, metrics always, a log where one is kept."""

    spool: Spool
    metrics: Metrics
    log: RequestLog | None = None
    worker: int | None = None


class Bookkeeping(CallPermits):
    """Implements routing's `Permits` for one call. `waited_seconds` is the time that providers took so far."""

    __slots__ = ("_books", "waited_seconds")

    def __init__(self, books: Books, scope: CallScope, terms: Callable[[Deployment], Terms]) -> None:
        super().__init__(books.spool, scope, terms)
        self._books = books
        self.waited_seconds = 0.0

    def from_cache(self, deployment: Deployment, reason: str) -> None:
        """Books an answer that was kept: one row, at no cost, for this deployment was not asked. Raises `SpoolFull`."""
        target = deployment.target
        attempt = Attempt(
            provider=target.provider,
            model=target.model,
            dialect=deployment.access.dialect,
            outcome="ok",
            reason=reason,
            started_at=time.time(),
            sent="no",
        )
        self.write(deployment, reason).settle(attempt, cache_hit=True)

    def settled(self, permit: LedgerPermit, attempt: Attempt, *, cache_hit: bool = False) -> None:
        """What an attempt came to, after the ledger: metrics and log. A kept answer is none that a provider gave."""
        books, scope = self._books, self._scope
        deployment = permit.terms.deployment or f"{attempt.provider}/{attempt.model}"
        if not cache_hit:
            self.waited_seconds += attempt.duration_seconds
            usage, cost = attempt.usage, attempt.cost
            books.metrics.attempt(
                scope.route,
                deployment,
                scope.dialect_in,
                attempt.outcome,
                attempt.duration_seconds,
                attempt.first_byte_seconds,
                None if usage is None else usage.input_tokens,
                None if usage is None else usage.output_tokens,
                float(cost.amount) if cost is not None and cost.currency == "USD" else None,
            )
        if books.log is not None:
            books.log.write(self._line(permit, attempt, deployment, cache_hit=cache_hit))

    def _line(
        self,
        permit: LedgerPermit,
        attempt: Attempt,
        deployment: str,
        *,
        cache_hit: bool,
    ) -> AttemptLine:
        scope, usage, cost = self._scope, attempt.usage, attempt.cost
        return AttemptLine(
            at=time.time(),
            request_id=scope.request_id,
            attempt_id=permit.attempt_id.hex(),
            outcome=attempt.outcome,
            route=scope.route,
            deployment=deployment,
            provider=attempt.provider,
            model=attempt.model,
            dialect_in=scope.dialect_in,
            dialect_out=attempt.dialect,
            mode=permit.terms.mode,
            stream=scope.stream,
            number=permit.number,
            reason=attempt.reason,
            key=scope.key,
            team=scope.team or None,
            status=attempt.status,
            error=attempt.error,
            message=attempt.message,
            sent=attempt.sent,
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            cache_read_tokens=None if usage is None else usage.cache_read_tokens,
            cache_write_tokens=None if usage is None else usage.cache_write_tokens,
            reasoning_tokens=None if usage is None else usage.reasoning_tokens,
            cost=None if cost is None else amount_text(cost.amount),
            currency=None if cost is None else cost.currency,
            basis=None if cost is None else cost.basis,
            first_byte_seconds=attempt.first_byte_seconds,
            duration_seconds=attempt.duration_seconds,
            upstream_request_id=attempt.request_id,
            cache_hit=cache_hit,
            worker=self._books.worker,
        )
