"""Tallies: what the attempts inside a block of code, or through a middleware, came to.

`usage()` opens one for a block; every attempt that begins inside it is booked there when it ends, whoever makes it: all
verbs, sync and async, tasks and streams that outlive the block too.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.values import Cost, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dragoman.values import Attempt

__all__ = ["ModelTally", "UsageTally", "open_tallies", "usage"]

_COUNTS: Final = tuple(field.name for field in msgspec.structs.fields(Usage) if field.name.endswith("_tokens"))
_BASES: Final = ("reported", "computed", "estimated", "bound")  # from the surest to the least sure


class ModelTally:
    """What one model came to: attempts by outcome, tokens, and cost per currency.

    `unpriced` counts the good attempts that have no known cost: with any, `costs` is less than what was spent.
    """

    __slots__ = ("_basis", "answered", "cancelled", "costs", "failed", "unpriced", "usage")

    def __init__(self) -> None:
        self.answered = 0
        self.failed = 0
        self.cancelled = 0
        self.unpriced = 0
        self.usage = Usage()
        self.costs: dict[str, Decimal] = {}
        self._basis = 0

    @property
    def attempts(self) -> int:
        """All attempts, whatever became of them."""
        return self.answered + self.failed + self.cancelled

    @property
    def cost(self) -> Cost | None:
        """The sum in US dollars, on the least sure basis of its terms; None where no cost is known."""
        amount = self.costs.get("USD")
        return None if amount is None else Cost(amount=amount, currency="USD", basis=_BASES[self._basis])

    def add(self, attempt: Attempt) -> None:
        """Books one attempt, with its cost if that is known."""
        cost = attempt.cost
        self.answered += attempt.outcome == "ok"
        self.failed += attempt.outcome == "error"
        self.cancelled += attempt.outcome == "cancelled"
        self.unpriced += attempt.outcome == "ok" and cost is None
        if attempt.usage is not None:
            self.usage = _sum(self.usage, attempt.usage)
        if cost is not None:
            self.costs[cost.currency] = self.costs.get(cost.currency, Decimal(0)) + cost.amount
            self._basis = max(self._basis, _BASES.index(cost.basis))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(attempts={self.attempts}, usage={self.usage!r}, cost={self.cost!r})"


class UsageTally(ModelTally):
    """The sums of everything booked, and of each `provider/model` in `by_model`. Safe to share between threads."""

    __slots__ = ("_lock", "by_model")

    def __init__(self) -> None:
        super().__init__()
        self.by_model: dict[str, ModelTally] = {}
        self._lock = Lock()

    def add(self, attempt: Attempt) -> None:
        """Books one attempt, with its cost if that is known."""
        with self._lock:
            super().add(attempt)
            self.by_model.setdefault(f"{attempt.provider}/{attempt.model}", ModelTally()).add(attempt)


_OPEN: Final[ContextVar[tuple[UsageTally, ...]]] = ContextVar("dragoman_tallies", default=())


open_tallies: Final[Callable[[], tuple[UsageTally, ...]]] = _OPEN.get
"""The tallies of the blocks that the running code stands in, outermost first."""


@contextmanager
def usage() -> Generator[UsageTally]:
    """Counts what the calls inside the block come to.

    >>> with usage() as used:
    ...     model.chat("Hi")
    >>> used.usage.output_tokens, used.cost, used.by_model

    Blocks nest. What a block counts follows the context: tasks made inside it count, threads that copy no context do
    not.
    """
    tally = UsageTally()
    token = _OPEN.set((*_OPEN.get(), tally))
    try:
        yield tally
    finally:
        _OPEN.reset(token)


def _sum(first: Usage, second: Usage) -> Usage:
    told: dict[str, Any] = {}
    for name in _COUNTS:
        terms = [term for term in (getattr(first, name), getattr(second, name)) if term is not None]
        if terms:
            told[name] = sum(terms)
    costs = [term for term in (first.reported_cost, second.reported_cost) if term is not None]
    uses = {**(first.tool_uses or {})}
    for name, times in (second.tool_uses or {}).items():
        uses[name] = uses.get(name, 0) + times
    return Usage(**told, reported_cost=sum(costs, Decimal(0)) if costs else None, tool_uses=uses or None)
