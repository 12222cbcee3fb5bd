"""Amounts as text, and sums that never round."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ledger import amount_text, exact_sum
from dragoman.ledger.money import DECIMALS

amounts = st.decimals(min_value=-(10**11), max_value=10**11, places=DECIMALS)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("-0.0", "0"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1.875E-8", "0.00000001875"),
        ("0.1234567890123456789", "0.123456789012345679"),
        ("-0.25", "-0.25"),
        ("0.000127500", "0.0001275"),
        ("0.00", "0"),
        ("5.00", "5"),
        ("999999999999.50", "999999999999.5"),
    ],
)
def test_an_amount_is_plain_text(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+12", "1000000000000.5", "1E+1000000", "-1E+13"]
)
def test_what_is_no_amount_has_no_text(amount: str) -> None:
    assert amount_text(Decimal(amount)) is None


def test_hostile_digits_are_rounded_not_kept() -> None:
    assert amount_text(Decimal("0." + "3" * 5000)) == "0." + "3" * DECIMALS
    assert amount_text(Decimal("1E-1000000")) == "0"


@given(amounts | st.decimals(min_value=0, max_value=10**11, places=6))
def test_text_says_the_amount_exactly(amount: Decimal) -> None:
    text = amount_text(amount)
    assert text is not None
    assert Decimal(text) == amount
    assert "E" not in text


@given(st.lists(st.none() | amounts, max_size=200))
def test_a_sum_is_exact(found: list[Decimal | None]) -> None:
    texts = [None if amount is None else amount_text(amount) for amount in found]
    expected = sum((Fraction(text) for text in texts if text is not None), Fraction(0))
    assert Fraction(exact_sum(texts)) == expected


def test_floats_would_have_rounded() -> None:
    assert exact_sum(["0.1"] * 10) == 1
    assert 0.1 + 0.1 + 0.1 != 0.3  # from 3.12 on `sum` makes up for it


def test_a_sum_that_would_round_raises() -> None:
    with pytest.raises(Inexact):
        exact_sum(["9" * 60, "0.000000000000000001"])
