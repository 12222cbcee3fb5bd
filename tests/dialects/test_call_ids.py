"""Ids of tool calls, as each wire takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.dialects.call_ids import NINE, WORD, CallIdForm, fitted_id

FORMS = {
    "forty": CallIdForm(longest=40),
    "nine": NINE,
    "word": CallIdForm(characters=WORD),
    "word of 64": CallIdForm(longest=64, characters=WORD),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(ids=st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=20))
def test_an_id_becomes_one_that_the_wire_takes_and_stays_apart_from_others(form: CallIdForm, ids: list[str]) -> None:
    fitted = [fitted_id(one, form) for one in ids]
    assert len(set(fitted)) == len(ids)
    for one in fitted:
        assert form.longest is None or len(one) <= form.longest
        assert form.characters is None or form.characters.issuperset(one)
        assert fitted_id(one, form) == one


def test_what_the_wire_takes_stays() -> None:
    assert fitted_id("toolu_01A", CallIdForm(longest=64, characters=WORD)) == "toolu_01A"
    assert fitted_id("D681PevKs", NINE) == "D681PevKs"
    assert fitted_id("call_1", NINE) != "call_1"
    assert len(fitted_id("call_1", NINE)) == 9
