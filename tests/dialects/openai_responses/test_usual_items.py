"""Items of the usual forms lose nothing: they are not written again when they are read, so here they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

import pytest

from dragoman.dialects.openai_responses.fitting import Fit
from dragoman.dialects.openai_responses.item_reading import item_type, read_item, read_message
from dragoman.dialects.openai_responses.item_writing import ItemWriter
from dragoman.dialects.openai_responses.items import is_usual
from dragoman.dialects.openai_responses.message_writing import write_message
from dragoman.dialects.openai_responses.wire import MINTED, same_json
from dragoman.values import AdaptationLog, Target
from tests.wire.recordings import exchanges, require_recordings

_IDS: list[dict[str, Any]] = [{}, {"id": "x_1"}, {"id": f"x_{MINTED}1"}]
_STATUSES: list[dict[str, Any]] = [{}, {"status": "completed"}, {"status": "odd"}]
_OUTPUT_TEXT: dict[str, Any] = {"type": "output_text", "text": "b"}
_CONTENTS: list[Any] = [
    "b",
    [{**_OUTPUT_TEXT, "annotations": [], "logprobs": []}],
    [{**_OUTPUT_TEXT, "annotations": []}, _OUTPUT_TEXT],
    [{**_OUTPUT_TEXT, "text": ""}],
]
_INPUTS: list[Any] = [
    "a",
    [{"type": "input_text", "text": "a"}],
    [{"type": "input_text", "text": ""}],
    [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
]
_SUMMARIES: list[Any] = [
    [],
    [{"type": "summary_text", "text": "s"}],
    [{"type": "summary_text", "text": ""}, {"type": "summary_text", "text": "s"}],
]


def _forms() -> Iterator[dict[str, Any]]:
    for given, status in itertools.product(_IDS, _STATUSES):
        yield {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{", **given, **status}
        yield {"type": "function_call_output", "call_id": "c", "output": "o", **given, **status}
        for content in _CONTENTS:
            yield {"type": "message", "role": "assistant", "content": content, **given, **status}
            yield {"role": "assistant", "content": content, **given, **status}
        for role, content in itertools.product(("user", "system", "developer"), _INPUTS):
            yield {"type": "message", "role": role, "content": content, **given, **status}
            yield {"role": role, "content": content, **given, **status}
        for summary in _SUMMARIES:
            if given and MINTED not in given["id"]:
                yield {"type": "reasoning", "summary": summary, "encrypted_content": "e", **given, **status}


def _again(item: dict[str, Any]) -> list[Any]:
    writer = ItemWriter(Fit(Target(), AdaptationLog(), "self"))
    if item_type(item) == "message" and item["role"] != "assistant":
        return write_message(read_message(item, "", "issuer"), writer, "")
    return writer.items(read_item(item, "", "issuer"), "")


def test_the_usual_forms_are_written_as_they_were_read() -> None:
    for item in _forms():
        assert is_usual(item), item
        assert same_json(_again(item), [item]), (item, _again(item))


@pytest.mark.parametrize(
    "member", ["type", "id", "status", "role", "content", "call_id", "name", "arguments", "output"]
)
@pytest.mark.parametrize("value", [None, 7, [], {}, "", [7], [{}], [{"type": "input_text", "text": 7}]])
def test_a_usual_item_stays_lossless_with_an_odd_member(member: str, value: Any) -> None:
    for item in _forms():
        changed = {**item, member: value}
        if is_usual(changed):
            assert same_json(_again(changed), [changed]), changed


def test_most_recorded_items_are_usual_and_lose_nothing() -> None:
    require_recordings()
    usual = others = 0
    for exchange in exchanges():
        body: Any = exchange.request.body
        given = cast("dict[str, Any]", body).get("input") if isinstance(body, dict) else None
        if exchange.api != "openai.responses" or not isinstance(given, list):
            continue
        items = cast("list[dict[str, Any]]", given)
        for item in items:
            if is_usual(item):
                assert same_json(_again(item), [item]), item
                usual += 1
            else:
                others += 1
    assert usual > others
