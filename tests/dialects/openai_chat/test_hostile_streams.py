"""What broken hosts and pipes send ends by a clear rule (the docstring of `stream` lists them)."""

from __future__ import annotations

import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.errors import (
    BadRequest,
    Overloaded,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    ServerFault,
    StreamTruncated,
)
from dragoman.values import Ping
from tests.dialects.openai_chat.streams import CALLED, END, ROLE, STREAMS, USAGE, call, calls
from tests.dialects.openai_chat.wire import JSON, OPENAI, chunk, finished, run, sse
from tests.wire.laws import check_events, run_decoder

SAID = [chunk(ROLE), chunk({"content": "Ho"}), chunk({"content": ", "})]


def other(data: JSON) -> JSON:
    return {**data, "id": "chatcmpl-2"}


def violation(body: bytes) -> ProtocolViolation:
    outcome = run(body)
    assert isinstance(outcome.error, ProtocolViolation), outcome.error
    check_events(outcome.events)
    assert outcome.response is None
    return outcome.error


def test_a_start_said_twice_is_one_start() -> None:
    assert finished(sse(chunk(ROLE), chunk(ROLE), *SAID[1:], END)).content == "Ho, "


@pytest.mark.parametrize(
    "second",
    [
        [other(chunk(ROLE)), other(chunk({"content": "again"})), other(END)],
        [other(chunk({"content": "again"})), other(END)],
        [other(chunk({"role": "assistant", "content": "again"})), other(END)],
    ],
    ids=["announced", "in its middle", "announced with text"],
)
@pytest.mark.parametrize("complete", [True, False])
def test_two_answers_are_never_glued(second: list[JSON], complete: bool) -> None:
    error = violation(sse(*SAID, *([END] if complete else []), *second))
    assert "again" not in error.partial.content
    assert error.partial.content == "Ho, "
    assert error.path == "id"


def test_a_second_announcement_is_a_second_answer_even_where_ids_change() -> None:
    changing = [{**chunk({"content": "a"}), "id": "1"}, {**chunk({"content": "b"}), "id": "2"}]
    assert "second answer" in violation(sse(*changing, {**chunk(ROLE), "id": "3"})).message


def test_words_behind_a_finish_under_another_id_are_a_second_answer() -> None:
    first = {**chunk({"content": "a"}, finish="stop"), "id": "1"}
    assert "second answer" in violation(sse(first, {**chunk({"content": "b"}), "id": "2"})).message


def test_words_behind_a_finish_without_any_id_are_a_violation() -> None:
    nameless = [{name: value for name, value in data.items() if name != "id"} for data in (*SAID, END, SAID[1])]
    assert "behind its finish" in violation(sse(*nameless)).message


def test_a_late_report_under_another_id_is_taken() -> None:
    response = finished(sse(*SAID, END, other(chunk(usage=USAGE))))
    assert response.id == "chatcmpl-1"


@pytest.mark.parametrize(
    "event",
    [
        b'event: ping\ndata: {"type": "ping"}\n\n',
        b'data: {"type": "hologram", "hologram": {}}\n\n',
        b"event: open\n\n",
        b"id: 7\nretry: 100\n\n",
        b"unknown field\n\n",
    ],
)
def test_unknown_events_are_ignored(event: bytes) -> None:
    assert finished(sse(*SAID[:2], done=False) + event + sse(SAID[2], END)).content == "Ho, "


def test_comments_are_signs_of_life() -> None:
    outcome = run(b": PROCESSING\n\n" + sse(*SAID, END))
    assert isinstance(outcome.events[0], Ping)
    assert outcome.response is not None


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"id": "chatcmpl-1", "choices": [\n\n',
        b"data: Ho\n\n",
        b'data: "Ho"\n\n',
        b"data: [1]\n\n",
        b'data: {"id": "chatcmpl-1", "choices": {}}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [7]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [{"index": "a", "delta": {}}]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": "Ho"}]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": 7}}]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"tool_calls": {}}}]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": 7}]}\n\n',
        b'data: {"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": "nine"}}\n\n',
        b"data: {\xff}\n\n",
    ],
)
def test_what_is_not_the_dialect_is_a_violation_with_what_came_before(frame: bytes) -> None:
    error = violation(sse(*SAID, done=False) + frame + sse(END))
    assert error.partial.content == "Ho, "
    assert error.provider == "openai"


def test_a_finish_without_usage_is_complete_and_unmeasured() -> None:
    assert not finished(sse(*SAID, END)).usage


def test_what_comes_behind_the_end_is_ignored() -> None:
    assert finished(sse(*SAID, END) + sse(chunk({"content": "more"}))).content == "Ho, "


def test_arguments_cut_inside_an_escape_and_a_character_are_kept() -> None:
    body = sse(calls(call(0, '{"a": "\\', name="f", id="c")), calls(call(0, 'u00e9 é"}')), CALLED)
    for cut in range(1, len(body)):
        outcome = run_decoder(DIALECT.stream_decoder(OPENAI), [body[:cut], body[cut:]])
        assert outcome.response is not None
        assert outcome.response.tool_calls[0].arguments == {"a": "é é"}


def test_arguments_that_look_complete_do_not_end_a_call() -> None:
    outcome = run(sse(calls(call(0, "{}", name="f", id="c")), done=False))
    assert isinstance(outcome.error, StreamTruncated)
    assert not any(type(event).__name__ == "PartEnded" for event in outcome.events)


def test_a_call_without_a_name_is_a_violation() -> None:
    assert "has no name" in violation(sse(calls(call(0, "{}", id="c")), CALLED)).message
    whole = calls(call(0, "{}", name="f", id="c1"))
    assert "has no name" in violation(sse(whole, calls(call(1, "{}")), CALLED)).message


def test_an_empty_body_and_an_end_alone_are_cut_off() -> None:
    for body in (b"", b"data: [DONE]\n\n", b": hello\n\n", sse(chunk(usage=USAGE))):
        assert isinstance(run(body).error, StreamTruncated)


# -- errors in mid-stream ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "kind", "status"),
    [
        (b'event: error\ndata: {"error": {"message": "m", "type": "invalid_request_error"}}\n\n', BadRequest, None),
        (b'event: error\ndata: {"message": "m", "code": 429}\n\n', RateLimited, 429),
        (b'data: {"error": {"message": "m", "code": 502}}\n\n', ServerFault, 502),
        (b'data: {"error": {"message": "m", "type": "overloaded_error"}}\n\n', Overloaded, None),
        (b'data: {"error": {"message": "m", "type": "server_error", "code": null}}\n\n', ServerFault, None),
        (b'data: {"error": "m"}\n\n', ServerFault, None),
        (b'data: {"object": "error", "message": "m", "type": "BadRequestError", "code": 400}\n\n', BadRequest, 400),
    ],
)
def test_errors_carry_what_came_before(frame: bytes, kind: type[ProviderError], status: int | None) -> None:
    outcome = run(sse(*SAID, done=False) + frame)
    error = outcome.error
    assert type(error) is kind
    assert isinstance(error, ProviderError)
    assert (error.in_stream, error.status, error.provider_message) == (True, status, "m")
    assert error.partial.content == "Ho, "
    assert error.provider == "openai"


def test_an_error_behind_a_finish_is_still_an_error_and_its_usage_is_booked() -> None:
    failed: JSON = {**chunk({"content": ""}, usage=USAGE), "error": {"code": 400, "message": "Token limit reached"}}
    error = run(sse(*SAID, chunk({}, finish="length"), failed)).error
    assert isinstance(error, BadRequest)
    assert error.usage.output_tokens == 7


def test_a_null_error_is_none() -> None:
    assert finished(sse(*({**data, "error": None} for data in STREAMS["text"]))).content == "Hö, 😀"
