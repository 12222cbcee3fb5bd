"""Streams of hosts that number, name or announce items otherwise than the vendor: nothing is lost or said twice."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import ProtocolViolation
from dragoman.values import Opaque, PartStarted, Reasoning, Response, Target, Text, ToolCall
from dragoman.values.quirks import Quirks, ResponsesQuirks
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
    message_events,
    said,
    stream,
)
from tests.wire.laws import Run, check_events, run_decoder

_FUNCTION = "response.function_call_arguments"
_TEXT = "response.output_text"
_THOUGHT = "response.reasoning_text"


def _run(*events: JSON, target: Target = OPENAI) -> Run:
    run = run_decoder(DIALECT.stream_decoder(target), [stream(*events)])
    check_events(run.events)
    return run


def _response(*events: JSON, target: Target = OPENAI) -> Response:
    run = _run(*events, target=target)
    assert run.error is None, run.error
    assert run.response is not None
    return run.response


def _told(response: Response) -> list[tuple[str, str]]:
    """The parts of the answer: what each is, and its words."""
    told: list[tuple[str, str]] = []
    for part in response.message.parts:
        words = part.arguments_text if isinstance(part, ToolCall) else getattr(part, "text", "")
        told.append((type(part).__name__, words))
    return told


def _state(kind: str, answer_id: str) -> JSON:
    return {"type": f"response.{kind}", "response": answer(id=answer_id, status="in_progress", usage=None)}


def _thinking(item_id: str, words: str, **members: Any) -> JSON:
    return {"id": item_id, "type": "reasoning", "summary": [{"type": "summary_text", "text": words}], **members}


# -- ids ---------------------------------------------------------------------------------------------------------------


def test_progress_under_an_id_of_its_own_is_the_same_answer() -> None:
    """GitHub Copilot encrypts the id anew for every event."""
    events = [_state("created", "a"), _state("queued", "b"), _state("in_progress", "c")]
    response = _response(*events, *message_events(0, said("Hello.")), completed(said("Hello."), id="d"))
    assert response.content == "Hello."


def test_progress_of_another_answer_behind_an_item_is_a_violation() -> None:
    run = _run(_state("created", "a"), *message_events(0, said("Hello.")), _state("in_progress", "b"))
    assert isinstance(run.error, ProtocolViolation)
    assert "second answer" in run.error.message


def test_an_item_whose_id_is_another_in_every_event_is_one_item() -> None:
    events = message_events(0, said("Hello."))
    rotated = [{**event, "item_id": f"msg_{number}"} for number, event in enumerate(events[:-1])]
    ended = said("Hello.", id="msg_at_the_end")
    response = _response(created(), *rotated, done(0, ended), completed(said("Hello.", id="msg_of_the_answer")))
    assert _told(response) == [("Text", "Hello.")]


# -- calls that end otherwise ------------------------------------------------------------------------------------------


def test_a_call_for_the_client_without_argument_events_is_shown_when_it_ends() -> None:
    """A tool search ends under another call id than it was announced with."""
    search: JSON = {"id": "tsc_1", "type": "tool_search_call", "execution": "client", "status": "completed"}
    blank: JSON = {}
    first: JSON = {**search, "call_id": None, "arguments": blank, "status": "in_progress"}
    last = {**search, "call_id": "call_7", "arguments": {"paths": ["a"]}}
    run = _run(created(), added(0, first), done(0, last), completed(last))
    shown = [event.part for event in run.events if isinstance(event, PartStarted)]
    assert [part.id for part in shown if isinstance(part, ToolCall)] == ["call_7"]
    assert run.response is not None
    assert run.response == DIALECT.decode_response(answer(last), OPENAI)


def test_a_call_announced_as_complete_may_end_as_another_item() -> None:
    """Perplexity's searches: announced as a function's call, ended as results."""
    results: JSON = {"type": "search_results", "queries": ["a"], "results": []}
    events = [added(0, CALL), done(0, results), *message_events(1, said("Hello."))]
    response = _response(created(), *events, completed(results, said("Hello.")))
    opaque, text = response.message.parts
    assert isinstance(opaque, Opaque)
    assert isinstance(text, Text)
    assert response.tool_calls == ()


def test_a_call_announced_as_complete_and_never_ended_is_ended_by_the_answer() -> None:
    assert _told(_response(created(), added(0, CALL), completed())) == [("ToolCall", CALL["arguments"])]
    assert _told(_response(created(), added(0, CALL), completed(CALL))) == [("ToolCall", CALL["arguments"])]


def test_a_call_announced_as_complete_is_shown_with_its_first_piece() -> None:
    announced = {**CALL, "arguments": ""}
    events = call_events(0, CALL, _FUNCTION, "arguments")
    assert _told(_response(created(), added(0, announced), *events[1:], completed(CALL))) == [
        ("ToolCall", CALL["arguments"])
    ]


def test_custom_calls_of_a_host_that_runs_them_are_not_for_the_client() -> None:
    call: JSON = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "xs_1", "name": "x_keyword_search"}
    ended = {**call, "input": '{"query":"a"}', "status": "completed"}
    there = Target(
        provider="xai",
        issuer="xai",
        model="grok-4.3",
        quirks=Quirks(responses=ResponsesQuirks(custom_calls="provider")),
    )
    events = call_events(0, ended, "response.custom_tool_call_input", "input")
    response = _response(created(), *events, completed(ended), target=there)
    assert response.finish_reason == "stop"
    assert response == DIALECT.decode_response(answer(ended), there)
    (part,) = response.message.parts
    assert isinstance(part, ToolCall)
    assert part.runner == "provider"
    assert DIALECT.decode_response(answer(ended), OPENAI).finish_reason == "tool_calls"


def test_a_free_form_input_told_as_a_functions_arguments_is_read_from_the_ended_item() -> None:
    """LiteLLM wraps it in the deltas alone."""
    call: JSON = {"id": "call_9", "type": "custom_tool_call", "call_id": "call_9", "name": "sh"}
    ended = {**call, "input": "ls", "status": "completed"}
    wrapped = [
        {"type": f"{_FUNCTION}.delta", "item_id": "call_9", "output_index": 0, "delta": '{"input":"ls"}'},
        {"type": f"{_FUNCTION}.done", "item_id": "call_9", "output_index": 0, "arguments": '{"input":"ls"}'},
    ]
    response = _response(created(), added(0, {**call, "input": ""}), *wrapped, done(0, ended), completed(ended))
    assert _told(response) == [("ToolCall", "ls")]


# -- places ------------------------------------------------------------------------------------------------------------


def _shared(*, announced: bool) -> list[JSON]:
    """A reasoning item and the message behind it at one index, as LiteLLM gives them."""
    where = {"item_id": "msg_2", "output_index": 0, "content_index": 0}
    part: JSON = {"type": "output_text", "text": "", "annotations": []}
    return [
        added(0, {"id": "rs_1", "type": "reasoning", "status": "in_progress", "summary": None}),
        {
            "type": "response.reasoning_summary_text.delta",
            "item_id": "rs_1",
            "output_index": 0,
            "summary_index": 0,
            "delta": "Hm.",
        },
        done(0, _thinking("rs_1", "Hm.")),
        *([{"type": "response.content_part.added", **where, "part": part}] if announced else []),
        {"type": f"{_TEXT}.delta", **where, "delta": "Hel"},
        {"type": f"{_TEXT}.delta", **where, "delta": "lo."},
        {"type": f"{_TEXT}.done", **where, "text": "Hello."},
        {"type": "response.content_part.done", **where, "part": {"type": "reasoning_text", "reasoning": "Hm."}},
        done(0, said("Hello.", id="msg_2")),
    ]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    "output",
    [
        [],
        [_thinking("rs_1", "Hm."), said("Hello.", id="msg_2")],
        [_thinking("rs_9", "Hm."), said("Hello.", id="chatcmpl-1")],
        [said("Hello.", id="chatcmpl-1"), _thinking("rs_9", "Hm.")],
    ],
    ids=["nothing", "same ids", "other ids", "another order"],
)
def test_two_items_at_one_index_are_two_items(announced: bool, output: list[JSON]) -> None:
    response = _response(created(), *_shared(announced=announced), completed(*output))
    assert _told(response) == [("Reasoning", "Hm."), ("Text", "Hello.")]


def test_a_message_at_the_index_of_open_thoughts_is_another_item() -> None:
    where = {"item_id": "msg_2", "output_index": 0, "content_index": 0}
    thoughts = added(0, {"id": "rs_1", "type": "reasoning", "summary": []})
    thought = {"type": f"{_THOUGHT}.delta", "item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "Hm."}
    text = {"type": f"{_TEXT}.delta", **where, "delta": "Hello."}
    response = _response(created(), thoughts, thought, text, completed())
    assert _told(response) == [("Reasoning", "Hm."), ("Text", "Hello.")]


def test_items_with_and_without_an_index_do_not_meet() -> None:
    bare = [
        {name: value for name, value in event.items() if name != "output_index"}
        for event in call_events(0, CALL, _FUNCTION, "arguments")
    ]
    response = _response(created(), *message_events(1, said("Hello.")), *bare, completed())
    assert _told(response) == [("Text", "Hello."), ("ToolCall", CALL["arguments"])]


def test_a_call_announced_at_the_index_of_open_text_is_another_item() -> None:
    """Ollama, whose terminal object then leaves the text out."""
    text = message_events(0, said("Let me look."))[:4]
    call = call_events(0, CALL, _FUNCTION, "arguments")
    other: JSON = {**CALL, "id": "fc_2", "call_id": "call_2", "arguments": "{}"}
    more = call_events(1, other, _FUNCTION, "arguments")
    response = _response(created(), *text, *call, *more, completed(CALL, other))
    assert _told(response) == [("Text", "Let me look."), ("ToolCall", CALL["arguments"]), ("ToolCall", "{}")]
    assert response.finish_reason == "tool_calls"


def test_items_that_count_content_on_and_end_under_the_next_index() -> None:
    """vLLM, which also announces thoughts as text and gives an ended item no id."""
    text: JSON = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    thoughts: JSON = {"id": "it_0", "type": "reasoning", "summary": []}
    ended: JSON = {**thoughts, "id": "", "content": [{"type": "reasoning_text", "text": "Hm."}]}
    first, second = {"item_id": "it_0", "output_index": 0}, {"item_id": "it_1", "output_index": 1}
    events: list[JSON] = [
        added(0, thoughts),
        {"type": "response.content_part.added", **first, "content_index": 0, "part": text},
        {"type": f"{_THOUGHT}.delta", **first, "content_index": 0, "delta": "H"},
        {"type": f"{_THOUGHT}.delta", **first, "content_index": 1, "delta": "m."},
        {"type": f"{_THOUGHT}.done", "item_id": "it_0", "output_index": 1, "content_index": 2, "text": "Hm."},
        done(1, ended),
        added(1, said("", id="it_1") | {"content": []}),
        {"type": "response.content_part.added", **second, "content_index": 2, "part": text},
        {"type": f"{_TEXT}.delta", **second, "content_index": 2, "delta": "Hel"},
        {"type": f"{_TEXT}.delta", **second, "content_index": 3, "delta": "lo"},
        {"type": f"{_TEXT}.done", **second, "content_index": 4, "text": "Hello."},
        {"type": "response.content_part.done", **second, "content_index": 4, "part": {**text, "text": "Hello."}},
        done(1, said("Hello.", id="it_1")),
    ]
    for output in ([], [{**ended, "id": "rs_7"}, said("Hello.", id="msg_7")]):
        response = _response(created(), *events, completed(*output))
        assert _told(response) == [("Reasoning", "Hm."), ("Text", "Hello.")]


def test_several_contents_that_count_on_keep_their_order() -> None:
    pieces: list[JSON] = [
        {"type": "output_text", "text": words, "annotations": [], "logprobs": []} for words in ("A", "B", "C")
    ]
    item: JSON = said("") | {"content": pieces}
    events = message_events(0, item)
    moved = [
        {**event, "content_index": event["content_index"] + 2} if "content_index" in event else event
        for event in events
    ]
    response = _response(created(), *moved, completed(item))
    assert _told(response) == [("Text", "A"), ("Text", "B"), ("Text", "C")]
    cut = [event for event in moved if event.get("content_index") != 4]
    response = _response(created(), *cut, completed(item))
    assert _told(response) == [("Text", "A"), ("Text", "B"), ("Text", "C")]


def test_thoughts_announced_as_a_part_of_their_own_kind() -> None:
    where = {"item_id": "rs_1", "output_index": 0, "content_index": 0}
    piece: JSON = {"type": "reasoning_text", "text": "Hm."}
    item: JSON = {"id": "rs_1", "type": "reasoning", "summary": [], "content": [piece]}
    events = [
        added(0, {**item, "content": None}),
        {"type": "response.reasoning_part.added", **where, "part": {**piece, "text": ""}},
        {"type": f"{_THOUGHT}.delta", **where, "delta": "Hm."},
        {"type": "response.reasoning_part.done", **where, "part": piece},
        done(0, item),
    ]
    response = _response(created(), *events, completed(item))
    assert response == DIALECT.decode_response(answer(item), OPENAI)


# -- the whole answer --------------------------------------------------------------------------------------------------


def test_a_whole_answer_whose_items_stand_elsewhere_says_nothing_twice() -> None:
    call = call_events(3, CALL, _FUNCTION, "arguments")
    output = [said("Hello.", id="msg_9"), {**CALL, "id": "fc_9"}]
    response = _response(created(), *message_events(1, said("Hello.")), *call, completed(*output))
    assert _told(response) == [("Text", "Hello."), ("ToolCall", CALL["arguments"])]


def test_an_item_that_was_not_streamed_is_given_wherever_it_stands() -> None:
    output = [_thinking("rs_1", "Hm."), said("Hello.")]
    response = _response(created(), *message_events(0, said("Hello.")), completed(*output))
    assert sorted(_told(response)) == [("Reasoning", "Hm."), ("Text", "Hello.")]
    assert any(isinstance(part, Reasoning) for part in response.message.parts)


def test_an_item_that_the_whole_answer_tells_as_another_kind_is_not_given_again() -> None:
    call: JSON = {"id": "x", "type": "custom_tool_call", "call_id": "call_1", "name": "weather", "input": "{}"}
    response = _response(created(), *call_events(0, CALL, _FUNCTION, "arguments"), completed(call))
    assert _told(response) == [("ToolCall", CALL["arguments"])]
