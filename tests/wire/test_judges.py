"""The judges of this folder, judged: they must find what is wrong, with or without the recordings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.errors import ContextOverflow, QuotaExhausted, RateLimited, ServerFault
from dragoman.values import Message, Text, ToolCall, Usage
from tests.wire.comparing import differences, first_difference, told
from tests.wire.error_rules import expected_classes
from tests.wire.finishes import Finishes, finishes, frame_ends
from tests.wire.laws import LawBroken, check_usage
from tests.wire.pairing import pairing_problems


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": 1}, {"a": 1.0}, "a: int 1 became float 1.0"),
        ({"a": 1}, {"a": True}, "a: int 1 became bool True"),
        ({"a": None}, {}, "a: NoneType None is lost"),
        ({}, {"a": None}, "a: NoneType None was added"),
        ({"a": [{"b": "x"}]}, {"a": [{"b": "y"}]}, "a[0].b: str 'x' became str 'y'"),
        ({"a": [1]}, {"a": [1, 2]}, "a: 1 items became 2"),
        ([], {}, ".: list [] became dict {}"),
    ],
)
def test_json_is_compared_strictly(expected: Any, actual: Any, difference: str | None) -> None:
    assert first_difference(expected, actual) == difference


def test_every_difference_is_found_up_to_a_limit() -> None:
    before, after = {"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 3, "d": 4}
    assert len(differences(before, after)) == 4
    assert len(differences(before, after, limit=2)) == 2


def test_notes_of_form_are_left_out_of_what_is_told() -> None:
    noted = Message(
        "user", parts=(Text(text="Hi", extras={"x": {":form": "string"}}),), extras={"x": {"a": 1, ":b": 2}}
    )
    plain = Message("user", parts=(Text(text="Hi"),), extras={"x": {"a": 1}})
    assert told(noted) == told(plain)
    assert told(plain) != told(Message("user", "Hi"))


def test_the_spelling_of_arguments_may_be_left_out() -> None:
    spaced, dense = (ToolCall(id="c", name="f", arguments_text=text) for text in ('{"a": 1}', '{"a":1}'))
    assert told(spaced) != told(dense)
    assert told(spaced, spelling=False) == told(dense, spelling=False)
    other = ToolCall(id="c", name="f", arguments_text='{"a":1')
    assert told(other, spelling=False) != told(dense, spelling=False)


@pytest.mark.parametrize(
    ("dialect", "body", "found"),
    [
        ("openai-chat", b'data: {"choices":[{"index":0,"delta":{}}]}\n\ndata: [DONE]\n\n', None),
        ("openai-chat", b'data: {"choices":[{"index":0,"finish_reason":"stop"}]}\n\n', Finishes(54, 54)),
        (
            "openai-chat",
            b'data: {"choices":[{"index":0,"finish_reason":"stop"}]}\n\n'
            b'data: {"choices":[{"index":1,"finish_reason":"stop"}]}\n\n',
            Finishes(54, 110),
        ),
        ("anthropic", b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\r\n\r\n', Finishes(65, 65)),
        ("anthropic", b'data: {"type":"message_delta","delta":{"stop_reason":null}}\n\n', None),
        ("gemini", b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n', Finishes(46, 46)),
        ("gemini", b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n', Finishes(49, 49)),
        ("openai-responses", b'data: {"type":"response.completed"}\n\n', Finishes(35, 35)),
    ],
)
def test_the_finish_is_found(dialect: str, body: bytes, found: Finishes | None) -> None:
    assert finishes(dialect, body) == found


def test_the_ends_of_frames_are_found() -> None:
    assert frame_ends(b"data: a\n\ndata: b\r\n\r\ndata: c") == [9, 20]


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=5, cache_read_tokens=6),
        Usage(input_tokens=5, cache_read_tokens=3, cache_write_tokens=3),
        Usage(output_tokens=5, reasoning_tokens=6),
        Usage(output_tokens=5, reasoning_tokens=-1),
        Usage(cache_write_tokens=5, cache_write_5m_tokens=3, cache_write_1h_tokens=3),
    ],
)
def test_a_subset_larger_than_its_total_is_found(usage: Usage) -> None:
    with pytest.raises(LawBroken):
        check_usage(usage)


def test_unreported_counts_break_no_law() -> None:
    check_usage(Usage(cache_read_tokens=3, reasoning_tokens=4))
    check_usage(None)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, QuotaExhausted),
        (429, {"error": {"code": "rate_limit_exceeded"}}, RateLimited),
        (400, {"error": {"code": "context_length_exceeded"}}, ContextOverflow),
        (200, {"error": {"code": 502, "message": "Provider returned error"}}, ServerFault),
        (502, "<html>", ServerFault),
    ],
)
def test_the_providers_word_decides_before_the_status(status: int, body: Any, kind: type[Exception]) -> None:
    assert expected_classes("openai", status, body) == (kind,)


def test_a_case_without_a_rule_is_loud() -> None:
    with pytest.raises(AssertionError, match="no rule for openai 299"):
        expected_classes("openai", 299, {})


_TEXT_FIRST = """{"messages": [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
    {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "a"}]}]}"""
_SKIPPED = """{"messages": [
    {"role": "assistant", "tool_calls": [{"id": "a"}, {"id": "b"}]}, {"role": "tool", "tool_call_id": "a"},
    {"role": "user", "content": "x"}]}"""
_TWO_FOR_ONE = """{"contents": [{"parts": [{"functionCall": {"name": "f"}}]},
    {"parts": [{"functionResponse": {"name": "f"}}, {"functionResponse": {"name": "f"}}]}]}"""
_UNCALLED = '{"input": [{"type": "function_call_output", "call_id": "a"}]}'


@pytest.mark.parametrize(
    ("dialect", "body", "problem"),
    [
        ("anthropic", _TEXT_FIRST, "message 1: results do not come first"),
        ("anthropic", '{"messages": [{"role": "user", "content": ""}]}', "message 0 holds an empty text"),
        ("openai-chat", _SKIPPED, "message 2 comes while ['b'] are open"),
        ("openai-responses", _UNCALLED, "item 0 answers 'a', which nothing called"),
        ("gemini", _TWO_FOR_ONE, "content 1 answers ['f', 'f'], and open are ['f']"),
    ],
)
def test_calls_without_their_answers_are_found(dialect: str, body: str, problem: str) -> None:
    assert pairing_problems(dialect, msgspec.json.decode(body)) == [problem]
