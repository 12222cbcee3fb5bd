"""Permits that write the ledger: an intent before each attempt of one call, and what it came to after it."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from dragoman.ledger.identity import new_attempt_id
from dragoman.ledger.money import amount_text
from dragoman.ledger.records import LARGEST_COUNT, Intent, Settlement

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from dragoman.ledger.records import Basis, Mode
    from dragoman.ledger.spool import Spool
    from dragoman.routing.permits import Deployment
    from dragoman.values import Attempt, Usage

__all__ = ["CallPermits", "CallScope", "LedgerPermit", "Terms"]


class CallScope(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and for what: the same in all attempts of a call. `route` is the public name that was asked for."""

    request_id: str
    key: str = ""
    team: str = ""
    route: str = ""
    dialect_in: str = ""
    stream: bool = False


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for attempts at one deployment: how it is spoken to, what it may cost at most, at which prices.

    `deployment` is its name in the config; empty, `provider/model` stands for it. `bound` None is an unknown bound.
    """

    deployment: str = ""
    mode: Mode = "translate"
    bound: Decimal | None = None
    bound_reason: str = ""
    price: str = ""


_NO_TERMS = Terms()


def _no_terms(deployment: Deployment) -> Terms:
    return _NO_TERMS


class CallPermits:
    """The `Permits` of one call: every attempt of it is in the spool before its first byte goes upstream."""

    __slots__ = ("_number", "_scope", "_spool", "_terms")

    def __init__(self, spool: Spool, scope: CallScope, terms: Callable[[Deployment], Terms] = _no_terms) -> None:
        self._spool = spool
        self._scope = scope
        self._terms = terms
        self._number = 0

    async def acquire(self, deployment: Deployment, reason: str) -> LedgerPermit:
        """Writes the intent; with `sync="group"` it is on the disk when this returns. Raises `SpoolFull`."""
        permit = self.write(deployment, reason)
        if self._spool.waits:
            try:
                await self._spool.synced()
            except BaseException:
                permit.abandon()
                raise
        return permit

    def write(self, deployment: Deployment, reason: str) -> LedgerPermit:
        """Writes the intent, and waits for nothing. Raises `SpoolFull`."""
        scope, terms, target = self._scope, self._terms(deployment), deployment.access.target
        attempt_id = new_attempt_id()
        intent = Intent(
            attempt_id=attempt_id,
            request_id=scope.request_id,
            key=scope.key,
            team=scope.team,
            route=scope.route,
            deployment=terms.deployment or deployment.name,
            provider=target.provider,
            model=target.model,
            dialect_in=scope.dialect_in,
            dialect_out=deployment.access.dialect,
            mode=terms.mode,
            stream=scope.stream,
            number=self._number + 1,
            reason=reason,
            at=time.time(),
            bound=None if terms.bound is None else amount_text(terms.bound),
            bound_reason=terms.bound_reason,
            price=terms.price,
        )
        self._spool.intent(intent)
        self._number += 1
        return LedgerPermit(self._spool, attempt_id, terms)


class LedgerPermit:
    """One intent that is open, with its terms. `settle` or `abandon` ends it, once."""

    __slots__ = ("_spool", "attempt_id", "terms")

    def __init__(self, spool: Spool, attempt_id: bytes, terms: Terms) -> None:
        self._spool = spool
        self.attempt_id = attempt_id
        self.terms = terms

    def settle(
        self, attempt: Attempt, *, adaptations: int = 0, service_tier: str | None = None, cache_hit: bool = False
    ) -> None:
        """Writes what the attempt came to. What was provably never sent has cost nothing."""
        usage = attempt.usage
        cost, currency, basis = _cost_of(attempt)
        self._spool.settle(
            Settlement(
                attempt_id=self.attempt_id,
                at=time.time(),
                outcome=attempt.outcome,
                status=attempt.status,
                error=attempt.error,
                message=None if attempt.message is None else attempt.message[:300],
                sent=attempt.sent,
                input_tokens=None if usage is None else _count(usage.input_tokens),
                output_tokens=None if usage is None else _count(usage.output_tokens),
                cache_read_tokens=None if usage is None else _count(usage.cache_read_tokens),
                cache_write_tokens=None if usage is None else _count(usage.cache_write_tokens),
                reasoning_tokens=None if usage is None else _count(usage.reasoning_tokens),
                cost=cost,
                currency=currency,
                basis=basis,
                first_byte_seconds=attempt.first_byte_seconds,
                duration_seconds=attempt.duration_seconds,
                upstream_request_id=attempt.request_id,
                adaptations=adaptations,
                service_tier=service_tier,
                cache_hit=cache_hit,
                usage_details=None if usage is None else _details(usage),
            )
        )

    def abandon(self) -> None:
        """Writes that the attempt was never made."""
        self._spool.settle(
            Settlement(
                attempt_id=self.attempt_id, at=time.time(), outcome="abandoned", sent="no", cost="0", basis="computed"
            )
        )


def _cost_of(attempt: Attempt) -> tuple[str | None, str, Basis]:
    cost = attempt.cost
    if cost is not None:
        amount = amount_text(cost.amount)
        return (amount, cost.currency, cost.basis) if amount is not None else (None, cost.currency, "unknown")
    return ("0", "USD", "computed") if attempt.sent == "no" else (None, "USD", "unknown")


def _count(tokens: int | None) -> int | None:
    """A count as it was reported; None for what is beyond all counting."""
    return tokens if tokens is None or -LARGEST_COUNT <= tokens <= LARGEST_COUNT else None


# The counts that have no column of their own, but decide prices.
_DETAILS = (
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "input_tool_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "billed_input_tokens",
    "billed_output_tokens",
)


_counted = attrgetter(*_DETAILS)


def _details(usage: Usage) -> str | None:
    if not any(_counted(usage)) and not usage.tool_uses:
        return None
    found: dict[str, int | dict[str, int]] = {
        name: count for name in _DETAILS if (count := getattr(usage, name)) and -LARGEST_COUNT <= count <= LARGEST_COUNT
    }
    if usage.tool_uses:
        found["tool_uses"] = {name: uses for name, uses in usage.tool_uses.items() if 0 <= uses <= LARGEST_COUNT}
    return msgspec.json.encode(found).decode() if found else None
