"""Amounts of money as text, and exact sums of them.

An amount is decimal text in plain notation: no exponent, no zeros that say nothing, "0" for nothing. Text and not an
integer of some small unit, because per-token prices go below any unit that leaves 64 bits enough room (0.01875 USD per
million tokens is 1.875e-8 USD a token), and because PostgreSQL's NUMERIC takes it as it is.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DECIMALS", "ExactSum", "amount_text", "exact_sum"]

DECIMALS = 18
_LARGEST_DIGITS = 12
_LARGEST = Decimal(10) ** _LARGEST_DIGITS
_STEP = Decimal(1).scaleb(-DECIMALS)
# Below these bounds 60 digits hold the sum of more rows than can be stored; a sum that would round raises instead.
_ROUNDING = Context(prec=60, rounding=ROUND_HALF_EVEN)
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])


def amount_text(amount: Decimal) -> str | None:
    """The amount as text, rounded to 18 decimals; None for what is no amount (NaN, infinite, 10**12 and beyond)."""
    text = str(amount)
    # What one call costs, as a rule: a short plain number.
    if len(text) <= DECIMALS and 0 < text.find(".") <= _LARGEST_DIGITS and "E" not in text and text[0] != "-":
        return text if text[-1] != "0" else text.rstrip("0").rstrip(".")
    if not amount.is_finite() or not -_LARGEST < amount < _LARGEST:
        return None
    sign, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or exponent < -DECIMALS or len(digits) > DECIMALS:
        amount = amount.quantize(_STEP, context=_ROUNDING)
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} or (sign and not amount) else text


class ExactSum:
    """Adds amounts one at a time without ever rounding: the shape that SQLite wants of an aggregate function."""

    def __init__(self) -> None:
        self._total = Decimal(0)
        self._seen = False

    def step(self, amount: str | None) -> None:
        """Adds an amount; None, an unknown cost, adds nothing."""
        if amount is not None:
            self._total = _EXACT.add(self._total, Decimal(amount))
            self._seen = True

    def finalize(self) -> str | None:
        """The sum as text; None when every amount was None."""
        return amount_text(self._total) if self._seen else None


def exact_sum(amounts: Iterable[str | None]) -> Decimal:
    """The sum of amounts; unknown ones add nothing."""
    total = ExactSum()
    for amount in amounts:
        total.step(amount)
    return Decimal(total.finalize() or 0)
