"""Streams that are not as they should be: each ends by a rule that `stream` states."""

from __future__ import annotations

import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import (
    ContentBlocked,
    Overloaded,
    ProtocolViolation,
    ProviderError,
    ServerFault,
    StreamTruncated,
    TransportError,
)
from dragoman.values import Ping, Response
from tests.dialects.openai_responses.bodies import (
    CALL,
    JSON,
    OPENAI,
    added,
    answer,
    call_events,
    completed,
    created,
    done,
    frame,
    message_events,
    said,
    stream,
)
from tests.wire.laws import Run, check_events, run_decoder

HELLO = message_events(0, said("Hello."))
_FUNCTION = "response.function_call_arguments"


def _run(*events: JSON | bytes) -> Run:
    body = b"".join(event if isinstance(event, bytes) else frame(event) for event in events)
    run = run_decoder(DIALECT.stream_decoder(OPENAI), [body])
    check_events(run.events)
    return run


def _partial(run: Run) -> Response:
    assert isinstance(run.error, (ProviderError, TransportError))
    partial: Response = run.error.partial
    assert isinstance(partial, Response)
    return partial


def _violation(run: Run, words: str) -> None:
    assert isinstance(run.error, ProtocolViolation)
    assert words in run.error.message
    assert run.response is None


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n", b": bye\n\n", b'data: {"type": "response.comp'])
def test_without_a_finish_it_is_truncated(end: bytes) -> None:
    run = _run(created(), *HELLO, end)
    assert isinstance(run.error, StreamTruncated)
    assert _partial(run).content == "Hello."


def test_nothing_at_all_is_truncated() -> None:
    run = _run(b"")
    assert isinstance(run.error, StreamTruncated)
    assert run.events == []


def test_a_finish_whose_blank_line_is_missing_is_a_finish() -> None:
    body = stream(created(), *HELLO, completed(said("Hello.")))
    assert run_decoder(DIALECT.stream_decoder(OPENAI), [body[:-2]]).response is not None


def test_what_follows_the_finish_is_not_read() -> None:
    run = _run(created(), *HELLO, completed(said("Hello.")), created(), *HELLO, b"data: {nonsense\n\n")
    assert run.error is None
    assert run.response is not None


def test_the_same_start_twice_says_nothing_new() -> None:
    run = _run(created(), created(), *HELLO, completed(said("Hello.")))
    assert run.error is None


def test_a_second_answer_is_a_violation_and_its_text_is_not_glued() -> None:
    run = _run(created(), *HELLO[:4], created(id="resp_2"), *HELLO)
    _violation(run, "second answer")
    assert _partial(run).content == "Hello."


def test_another_answers_end_is_a_violation() -> None:
    run = _run(created(), *HELLO, completed(said("Goodbye."), id="resp_2"))
    _violation(run, "ends as another answer")


def test_another_id_at_the_end_of_the_same_words_is_forgiven() -> None:
    run = _run(created(), *HELLO, completed(said("Hello."), id="resp_2"))
    assert run.response is not None


def test_an_unknown_event_is_ignored() -> None:
    run = _run(
        created(),
        {"type": "response.telepathy", "thought": "x"},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "AAAA"},
        b"event: odd\ndata: {}\n\n",
        b'data: {"type": 5}\n\n',
        b'data: {"type": null}\n\n',
        *HELLO,
        completed(said("Hello.")),
    )
    assert run.error is None


@pytest.mark.parametrize("data", [b"{nonsense", b"[1]", b'"text"', b'{"a":1}{"b":2}', b"\xff\xfe"])
def test_what_is_no_object_is_a_violation_with_what_came(data: bytes) -> None:
    run = _run(created(), *HELLO[:4], b"data: " + data + b"\n\n", completed(said("Hello.")))
    assert isinstance(run.error, ProtocolViolation)
    assert _partial(run).content == "Hello."


def test_a_finish_without_usage_leaves_it_unknown() -> None:
    run = _run(created(), *HELLO, completed(said("Hello."), usage=None))
    assert run.response is not None
    assert not run.response.usage


def test_comments_are_pings() -> None:
    run = _run(b": OPENROUTER PROCESSING\n\n", created(), *HELLO, completed(said("Hello.")))
    assert isinstance(run.events[0], Ping)


def test_an_error_after_content_carries_it() -> None:
    run = _run(
        created(),
        *HELLO[:4],
        {"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "Oh."}},
    )
    assert isinstance(run.error, ServerFault)
    assert run.error.in_stream
    assert run.error.provider_message == "Oh."
    assert _partial(run).content == "Hello."


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "server_overloaded", "message": "Oh.", "param": None}, Overloaded),
        ({"type": "error", "error": {"code": "content_filter", "message": "Oh."}}, ContentBlocked),
        ({"type": "error", "error": {"code": 529, "message": "Oh."}}, Overloaded),
        ({"type": "error", "message": "Oh."}, ServerFault),
    ],
)
def test_errors_of_every_shape_are_raised(event: JSON, kind: type[ProviderError]) -> None:
    run = _run(created(), event)
    assert isinstance(run.error, ProviderError)
    assert type(run.error) is kind
    assert run.error.in_stream
    assert run.error.provider == "openai"


def test_an_error_object_without_a_type_is_raised() -> None:
    run = _run(created(), b'data: {"error": {"code": 503, "message": "Oh."}}\n\n')
    assert isinstance(run.error, Overloaded)


def test_a_failed_answer_is_raised_with_its_usage() -> None:
    error = {"code": "server_error", "message": "Oh."}
    failed = {"type": "response.failed", "response": answer(said("Hello."), status="failed", error=error)}
    run = _run(created(), *HELLO[:4], failed)
    assert isinstance(run.error, ServerFault)
    assert run.error.usage.input_tokens == 20
    assert _partial(run).content == "Hello."


def test_a_call_is_ended_by_the_wire_alone() -> None:
    events = call_events(0, CALL, _FUNCTION, "arguments")
    run = _run(created(), *events[:-1])
    assert isinstance(run.error, StreamTruncated)
    assert not any(type(event).__name__ == "PartEnded" for event in run.events)


def test_an_index_that_is_used_twice_is_a_violation() -> None:
    _violation(_run(created(), added(0, CALL), added(0, CALL | {"id": "fc_2"})), "starts twice")
    _violation(_run(created(), *HELLO, added(0, said("", id="msg_2"))), "starts twice")
    _violation(_run(created(), *HELLO, added(0, CALL | {"id": None})), "starts twice")
    _violation(_run(created(), *HELLO, done(0, said("Hello."))), "ends twice")
    _violation(_run(created(), *HELLO[:2], HELLO[1]), "starts twice")


def test_calls_may_be_told_apart_by_item_id_alone() -> None:
    other = CALL | {"id": "fc_2", "call_id": "call_2", "arguments": "{}"}
    first = call_events(0, CALL, _FUNCTION, "arguments")
    second = call_events(1, other, _FUNCTION, "arguments")
    mixed = [first[0], second[0], first[1], second[1], *first[2:], *second[2:]]
    bare = [{name: value for name, value in event.items() if name != "output_index"} for event in mixed]
    run = _run(created(), *bare, completed(CALL, other))
    assert run.response is not None
    assert [call.arguments_text for call in run.response.tool_calls] == [CALL["arguments"], "{}"]


def test_arguments_of_a_call_that_was_not_announced_are_a_violation() -> None:
    delta = {"type": f"{_FUNCTION}.delta", "output_index": 0, "item_id": "fc_1", "delta": "{}"}
    _violation(_run(created(), delta), "did not announce")


def test_a_call_without_a_name_is_a_violation() -> None:
    nameless = {name: value for name, value in CALL.items() if name != "name"}
    _violation(_run(created(), added(0, nameless)), "name is missing")


def test_text_that_was_not_announced_is_shown() -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1"}
    run = _run({**delta, "delta": "Hel"}, {**delta, "delta": "lo."}, done(0, said("Hello.")), completed(said("Hello.")))
    assert run.response is not None
    assert run.response.content == "Hello."


def test_text_for_an_item_that_has_ended_is_a_violation() -> None:
    late = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "more"}
    _violation(_run(created(), *HELLO, late), "not open")
    _violation(_run(created(), *HELLO, {**late, "content_index": 3}), "has ended")


def test_what_the_end_adds_is_shown_and_what_it_contradicts_stands() -> None:
    events = message_events(0, said("Hello."))
    longer = said("Hello. And more.")
    run = _run(created(), *events[:4], done(0, longer), completed(longer))
    assert run.response is not None
    assert run.response.content == "Hello. And more."
    other = said("Hallo.")
    run = _run(created(), *events[:4], done(0, other), completed(other))
    assert run.response is not None
    assert run.response.content == "Hello."


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta", "output_index": [0], "content_index": 0, "delta": "x"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": {}, "delta": "x"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": 5},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0},
        {"type": "response.output_item.added", "output_index": 1},
        {"type": "response.output_item.done", "output_index": 1, "item": []},
        {"type": "response.completed"},
        {"type": "response.completed", "response": {"output": 5}},
        {"type": "response.created", "response": "x"},
    ],
)
def test_members_of_another_type_are_violations(event: JSON) -> None:
    run = _run(created(), *HELLO[:3], event)
    assert isinstance(run.error, ProtocolViolation)
    assert _partial(run).content == "He"
