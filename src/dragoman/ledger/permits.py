"""Permits that write the ledger: an intent before each attempt of one call, and what it came to after it."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.ledger.identity import new_attempt_id
from dragoman.ledger.money import amount_text
from dragoman.ledger.records import LARGEST_COUNT, Settlement, encode_settled, encode_settlement, intent_form

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


class Terms(msgspec.Struct, frozen=True):
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

    __slots__ = ("_number", "_scope", "_spool", "_terms", "end")

    def __init__(self, spool: Spool, scope: CallScope, terms: Callable[[Deployment], Terms] = _no_terms) -> None:
        self._spool = spool
        self.end = spool.end
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
        scope, terms, access = self._scope, self._terms(deployment), deployment.access
        target, number, bound = access.target, self._number + 1, terms.bound
        form = intent_form(
            scope.key,
            scope.team,
            scope.route,
            terms.deployment or deployment.name,
            target.provider,
            target.model,
            scope.dialect_in,
            access.dialect,
            terms.mode,
            scope.stream,
            number,
            reason,
            terms.bound_reason,
            terms.price,
        )
        attempt_id = new_attempt_id()
        self._spool.begin(
            attempt_id,
            form.encode(attempt_id, scope.request_id, time.time(), None if bound is None else amount_text(bound)),
        )
        self._number = number
        return LedgerPermit(self, attempt_id, terms, number)

    def settled(self, permit: LedgerPermit, attempt: Attempt, *, cache_hit: bool = False) -> None:
        """What an attempt came to is written down now: for whoever has more to do then."""


class LedgerPermit:
    """One intent that is open, the `number`th of its call, with its terms. `settle` or `abandon` ends it, once."""

    __slots__ = ("_call", "attempt_id", "number", "terms")

    def __init__(self, call: CallPermits, attempt_id: bytes, terms: Terms, number: int) -> None:
        self._call = call
        self.attempt_id = attempt_id
        self.terms = terms
        self.number = number

    def settle(self, attempt: Attempt, *, cache_hit: bool = False) -> None:
        """Writes what the attempt came to. What was provably never sent has cost nothing."""
        usage, message, cost, call = attempt.usage, attempt.message, attempt.cost, self._call
        counts, details = _NO_COUNTS, None
        if usage is not None:
            counts = _counts(usage)
            if any(_detailed(usage)) or usage.tool_uses:
                details = _details(usage)
        amount = None if cost is None else amount_text(cost.amount)
        fields = (
            self.attempt_id,
            time.time(),
            attempt.outcome,
            attempt.status,
            attempt.error,
            None if message is None else message[:300],
            attempt.sent,
            *counts,
            *(_uncosted(attempt) if cost is None or amount is None else (amount, cost.currency, cost.basis)),
            attempt.first_byte_seconds,
            attempt.duration_seconds,
            attempt.request_id,
            attempt.adaptations,
            attempt.service_tier,
            cache_hit,
            details,
        )
        call.end(self.attempt_id, encode_settled(fields))
        call.settled(self, attempt, cache_hit=cache_hit)

    def abandon(self) -> None:
        """Writes that the attempt was never made."""
        settlement = Settlement(
            attempt_id=self.attempt_id, at=time.time(), outcome="abandoned", sent="no", cost="0", basis="computed"
        )
        self._call.end(self.attempt_id, encode_settlement(settlement))


def _uncosted(attempt: Attempt) -> tuple[str | None, str, Basis]:
    """Cost, currency and basis of an attempt that has no cost, or one that cannot be written."""
    if attempt.cost is not None:
        return None, attempt.cost.currency, "unknown"
    return ("0", "USD", "computed") if attempt.sent == "no" else (None, "USD", "unknown")


_counted = attrgetter("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_NO_COUNTS: Final[tuple[int | None, ...]] = (None,) * 5


def _counts(usage: Usage) -> tuple[int | None, ...]:
    """The counts as they were reported; None for what is beyond all counting."""
    counts: tuple[int | None, ...] = _counted(usage)
    for tokens in counts:
        if tokens is not None and not -LARGEST_COUNT <= tokens <= LARGEST_COUNT:
            return tuple(each if each is None or -LARGEST_COUNT <= each <= LARGEST_COUNT else None for each in counts)
    return counts


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


_detailed = attrgetter(*_DETAILS)


def _details(usage: Usage) -> str | None:
    """The other counts, as a JSON object."""
    found: dict[str, int | dict[str, int]] = {
        name: count for name in _DETAILS if (count := getattr(usage, name)) and -LARGEST_COUNT <= count <= LARGEST_COUNT
    }
    if usage.tool_uses:
        found["tool_uses"] = {name: uses for name, uses in usage.tool_uses.items() if 0 <= uses <= LARGEST_COUNT}
    return msgspec.json.encode(found).decode() if found else None
