"""The share of traffic that may be retries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.routing import RetryBudget


@given(st.lists(st.booleans(), max_size=400), st.floats(0.0, 1.0))
def test_retries_never_pass_the_share_and_the_first_savings(retries: list[bool], share: float) -> None:
    budget = RetryBudget(share=share, reserve_per_second=0.0, most=100.0)
    first = granted = 0
    for retry in retries:
        if retry:
            granted += budget.may_retry(0.0)
        else:
            budget.first_attempt(0.0)
            first += 1
        assert granted <= 10 + first * share + 1e-6


def test_the_reserve_fills_with_time_alone() -> None:
    budget = RetryBudget(share=0.0, reserve_per_second=0.5, most=2.0)
    assert [budget.may_retry(0.0) for _ in range(3)] == [True, True, False]
    assert not budget.may_retry(1.0)
    assert budget.may_retry(2.0)


def test_a_share_is_a_fraction() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        RetryBudget(share=1.5)
