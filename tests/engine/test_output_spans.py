"""The text machines: whatever the pieces, the same answer comes out."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.engine.output.spans import Chain, ObjectSpan, Unwrap, through
from dragoman.engine.output.undoing import Undoing

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def in_pieces(machine: Any, text: str, cuts: list[int]) -> str:
    """The text through the machine, cut at these places."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    out = [machine.feed(text[start:end]) for start, end in pairwise(places)]
    return "".join(out) + machine.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('Sure!\n```json\n{"a": "}"}\n```\nBye {"b": 2}', '{"a": "}"}'),
        ('{"a": "\\"}{"}  ', '{"a": "\\"}{"}'),
        ('{"a": [1, {"b": 2', '{"a": [1, {"b": 2'),
        ("I would rather not.", "I would rather not."),
        ("", ""),
    ],
)
def test_the_object_is_found_in_what_is_said(text: str, found: str) -> None:
    assert through(ObjectSpan(), text) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"value": [1, 2]}', "[1, 2]"),
        ('{"value":"a } b"}', '"a } b"'),
        (' {\n "value" : {"a": 1} \n}\n', '{"a": 1}'),
        ('{"value": 7}', "7"),
        ('{"value": "a  "', '"a  "'),
        ("[1, 2]", "[1, 2]"),
        ('{"other": 1}', '{"other": 1}'),
        ('{"val', '{"val'),
        ("", ""),
    ],
)
def test_the_value_is_taken_out_of_its_object(text: str, value: str) -> None:
    assert through(Unwrap(), text) == value


@given(JSON, st.lists(st.integers(min_value=0), max_size=12), st.sampled_from([None, 1]), st.text(alphabet="ab ,.\n`"))
def test_cuts_change_nothing(value: Any, cuts: list[int], indent: int | None, around: str) -> None:
    told = around + json.dumps({"value": value}, indent=indent) + around
    assert json.loads(in_pieces(Chain(ObjectSpan(), Unwrap()), told, cuts)) == value
    assert in_pieces(Chain(ObjectSpan(), Unwrap()), told, cuts) == through(Chain(ObjectSpan(), Unwrap()), told)


def test_an_undoing_has_the_machines_of_its_mode() -> None:
    fenced = '```json\n{"value": [1]}\n```'
    assert through(Undoing(mode="prompted", wrapped=True).machine(), fenced) == "[1]"
    assert through(Undoing(mode="tool", tool="t", wrapped=True).machine(), '{"value": [1]}') == "[1]"
    assert through(Undoing(mode="native").machine(), fenced) == fenced
