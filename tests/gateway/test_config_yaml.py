"""YAML as it is taken: with bounds, without tags, and with scalars that mean what they look like."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dragoman.gateway.config import InvalidConfig, Problem
from dragoman.gateway.config.nodes import MOST_DEPTH, plain, read_nodes


def value(text: str) -> Any:
    found: list[Problem] = []
    nodes = plain(read_nodes(text, "c.yaml", found))
    assert not found
    return nodes


def refusal(text: str) -> list[str]:
    found: list[Problem] = []
    try:
        read_nodes(text, "c.yaml", found)
    except InvalidConfig as error:
        found += error.problems
    assert found
    return list(map(str, found))


def test_scalars_are_those_of_the_core_schema() -> None:
    assert value(
        "{a: yes, b: off, c: 12:30, d: 2024-01-01, e: 0o17, f: 007, g: 1_000, h: true, i: 1.5, j: ~, k: '5', l: 1e3}"
    ) == {
        "a": "yes",
        "b": "off",
        "c": "12:30",
        "d": "2024-01-01",
        "e": "0o17",
        "f": 7,
        "g": "1_000",
        "h": True,
        "i": 1.5,
        "j": None,
        "k": "5",
        "l": 1000.0,
    }


def test_an_empty_file_is_an_empty_configuration() -> None:
    assert value("") == value("# nothing\n") == value("---\n...\n") == {}


def test_names_are_texts_whatever_they_look_like() -> None:
    assert value("{4: a, true: b, null: c}") == {"4": "a", "true": "b", "null": "c"}


def test_aliases_are_taken() -> None:
    assert value("a: &x [1, 2]\nb: *x\n") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object/apply:os.system [ls]", "c.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.sy"),
        ("a: 1\nb: !secret x", "c.yaml:2: the tag '!secret' is not taken"),
        ("a: &x {b: *x}", "c.yaml:1: the alias '*x' names nothing that ended before it"),
        ("a: *nobody", "c.yaml:1: the alias '*nobody' names nothing"),
        ("a: {b: 1}\n<<: {c: 2}", "c.yaml:2: merge keys ('<<') are not taken: write the members out"),
        ("[a]: 1", "c.yaml:1: a member's name has to be a text"),
        ("a: 1\n---\nb: 2", "c.yaml:2: a second document begins here; a configuration is one document"),
        ("- a", "c.yaml:1: a configuration is a block of members, as in 'models:'"),
        ("a: 1\n b: 2", "c.yaml:2: not valid YAML: mapping values are not allowed here"),
        ("a:\n\tb: 1", "c.yaml:2: not valid YAML: while scanning for the next token, found character '\\t' that"),
        ("a: 1\nb: \x00", "c.yaml:2: not valid YAML: special characters are not allowed"),
        ("a: 1\na: 2\na: 3", "c.yaml:2: 'a' is given twice in this block; the first is in line 1"),
    ],
)
def test_what_is_not_taken_is_told(text: str, said: str) -> None:
    assert refusal(text)[0].startswith(said)


def test_bombs_are_refused_before_they_go_off() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    assert refusal(f"l0: &l0 [x, x]\n{levels}")[0].endswith("more than 100,000 members and values")
    assert refusal("a: " + "[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1)) == ["c.yaml:1: nested more than 32 deep"]
    assert refusal("a: " + "[" * 100_000)[0] == "c.yaml:1: nested more than 32 deep"
    assert refusal("a: &x 1\nb: [" + "*x, " * 300 + "]") == ["c.yaml:2: more than 256 aliases ('*name')"]
    assert refusal("a: " + "x" * (1024 * 1024)) == ["c.yaml:1: the file is larger than 1024 KiB"]


NAMES = st.text("abcxyz-", min_size=1, max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    # The other writer writes YAML 1.1, in which 1E5 is a text and needs no quotes.
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20).filter(
        lambda text: not re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", text)
    )
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_what_another_writer_wrote_reads_the_same(document: dict[str, Any]) -> None:
    assert value(yaml.safe_dump(document, allow_unicode=True)) == document


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    found: list[Problem] = []
    try:
        read_nodes(text, "c.yaml", found)
    except InvalidConfig as error:
        found += error.problems
    assert all(problem.line >= 1 and problem.message for problem in found)
