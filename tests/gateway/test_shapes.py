"""What the names of a body's members say by themselves, and that the memory of them is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.gateway.ingress import shapes
from dragoman.gateway.ingress.shapes import ACTING, shape_of
from dragoman.gateway.policy import STEERING

NAMES = st.one_of(
    st.sampled_from([*ACTING, *sorted(STEERING), "Model", "tools", "max_tokens", "n", "messages", "İ"]),
    st.text(max_size=12),
)


@pytest.mark.parametrize("member", sorted(STEERING))
def test_members_that_steer_are_seen_in_large_and_small_letters(member: str) -> None:
    for written in (member, member.upper(), member.title()):
        assert shape_of(["model", written]).steering == (written,)


@pytest.mark.parametrize("member", [*ACTING, "tools"])
def test_members_that_may_act_are_looked_at(member: str) -> None:
    assert shape_of(["model", member]).may_act
    assert not shape_of(["model", "messages"]).may_act


@pytest.mark.parametrize("member", ["max_completion_tokens", "max_tokens", "max_output_tokens", "n", "extra_body"])
def test_members_that_may_cap_an_answer_are_looked_at(member: str) -> None:
    assert shape_of(["model", member]).sizes
    assert not shape_of(["model", "messages"]).sizes


@given(st.lists(NAMES, unique=True, max_size=6))
def test_what_is_remembered_is_what_would_be_worked_out(names: list[str]) -> None:
    shape = shape_of(names)
    assert shape == shape_of(names)
    assert shape.capital == tuple(name for name in names if not name.islower())
    assert set(shape.steering) == {name for name in names if name.lower() in STEERING}


def test_the_memory_is_bounded_by_count_and_by_length() -> None:
    for number in range(3 * shapes.MOST_SHAPES):
        shape_of(["model", f"member_{number}"])
        assert len(shapes.known) <= shapes.MOST_SHAPES
    shape_of(["x" * 10_000])
    assert not any(len(name) > shapes.LONGEST_NAMES for names in shapes.known for name in names)
