"""Large bodies are read by their outline: as they would be without it, and with every byte where it was."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.engine.relay import read_body, read_members, words_of
from dragoman.engine.relay.outline import LEAST_BYTES, outline_of
from dragoman.errors import InvalidRequest

_PICTURE = "QUJD" * (LEAST_BYTES // 4)


def _same(body: bytes) -> bytes:
    """Reads a body both ways, which must say the same; the outline."""
    members, outline = read_body(body)
    plain = read_members(body)
    assert {name: bytes(raw) for name, raw in members.items()} == {name: bytes(raw) for name, raw in plain.items()}
    assert list(members) == list(plain)
    short = {word for word in words_of(body) if len(word) <= 48}
    assert {word for word in words_of(outline) if len(word) <= 48} == short
    return outline


def _body(*, indent: int | None = None, **more: Any) -> bytes:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PICTURE}"}}
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": [picture, {"type": "text", "text": "What?"}]}],
        **more,
    }
    return json.dumps(asked, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 2])
def test_members_of_a_body_with_a_picture_are_those_of_the_whole_body(indent: int | None) -> None:
    outline = _same(_body(indent=indent, tools=[{"type": "function"}], stream=True))
    assert len(outline) < 2000
    assert b'"data:image/png;base64,QUJD' in outline


def test_several_long_texts_are_taken_out_each() -> None:
    body = json.dumps({"a": _PICTURE, "b": ["é" * 40_000, {"c": "x" * 20_000}], "d": _PICTURE[::-1], "e": 1.5}).encode()
    assert 240_000 < len(_same(body)) < 241_000  # escapes stay
    body = json.dumps({"b": ["é" * 200_000, {"c": "x" * 20_000}], "e": 1.5}, ensure_ascii=False).encode()
    assert len(_same(body)) < 500


def test_a_long_text_with_an_escape_stays_whole() -> None:
    body = json.dumps({"a": _PICTURE, "b": 'say "no"\\' + "x" * 30_000, "c": "\\", "d": 'y\\"'}).encode()
    outline = _same(body)
    assert 30_000 < len(outline) < 31_000


def test_a_long_name_stays_whole() -> None:
    body = json.dumps({"a": _PICTURE, "n" * 30_000: 1}).encode()
    assert len(_same(body)) > 30_000


def test_bodies_that_are_small_or_have_short_texts_have_no_outline() -> None:
    assert outline_of(json.dumps({"a": "x" * 20_000}).encode()) is None
    assert outline_of(json.dumps({"a": ["word"] * 60_000}).encode()) is None
    numbers = json.dumps({"a": list(range(60_000)), "b": "x" * 20_000}).encode()
    assert outline_of(numbers) is None
    assert read_body(numbers)[1] is numbers


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":"%s","a":1}', "stands twice"),
        (b'{"a":"%s","A":1}', "stands twice"),
        (b'{"a":1,"\\u0061":"%s"}', "stands twice"),
        (b'{"a":"%s"', "not valid JSON"),
        (b'{"a":"%s","b":"\\q"}', "not valid JSON"),
        (b'{"a":"%s}', "not valid JSON"),
        (b'["%s"]', "must be a JSON object"),
        (b'{"a":"%s","b":"\xff"}', "not valid JSON"),
        (b'{"a":"\xff%s"}', "not valid JSON"),
        (b'{"a":"%s\xc3"}', "not valid JSON"),
    ],
)
def test_a_large_body_is_refused_as_a_small_one_is(body: bytes, said: str) -> None:
    for text in (b"x", _PICTURE.encode(), _PICTURE.encode() * 5):
        with pytest.raises(InvalidRequest, match=said):
            read_body(body % text)


def test_letters_beyond_ascii_are_checked_across_the_pieces_in_which_they_are_read() -> None:
    body = json.dumps({"a": "x" + "é" * 1_500_000}, ensure_ascii=False).encode()
    _same(body)
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        read_body(body.replace("é".encode(), b"\xc3", 1))


def _texts(dice: Random) -> st.SearchStrategy[str]:
    long = st.integers(16_000, 90_000).map(lambda size: dice.choice(["A", "é", "ab c", "/+="]) * size)
    return st.one_of(st.text(max_size=20), long, st.sampled_from(["\\", '"', '\\"', 'x"' * 5, "\\" * 7]))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_body_is_read_the_same_either_way(data: st.DataObject) -> None:
    texts = _texts(Random(0))
    leaves = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
    names = st.one_of(st.text(max_size=8), st.integers(16_000, 20_000).map(lambda size: "n" * size))
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
        max_leaves=8,
    )
    asked: dict[str, Any] = data.draw(st.dictionaries(names.map(str.casefold), values, max_size=5))
    asked["picture"] = _PICTURE
    spaced, ascii_only = data.draw(st.booleans()), data.draw(st.booleans())
    body = json.dumps(asked, indent=1 if spaced else None, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        plain = read_members(body)
    except InvalidRequest as error:
        with pytest.raises(InvalidRequest, match=re.escape(str(error))):
            read_body(body)
        return
    members, _ = read_body(body)
    assert {name: bytes(raw) for name, raw in members.items()} == {name: bytes(raw) for name, raw in plain.items()}
