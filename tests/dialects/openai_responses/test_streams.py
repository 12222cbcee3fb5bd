"""Streams: lawful wherever they are cut, equal to their terminal object and to their unstreamed form."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.values import (
    ArgumentsDelta,
    CitationAdded,
    Finished,
    PartEnded,
    PartStarted,
    Ping,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from tests.dialects.openai_responses.bodies import (
    CALL,
    ENCRYPTED,
    JSON,
    OPENAI,
    OUTPUT_ITEMS,
    URL_CITATION,
    added,
    answer,
    call_events,
    completed,
    created,
    done,
    message_events,
    reasoning_events,
    said,
    stream,
)
from tests.wire.comparing import first_difference, told
from tests.wire.laws import Run, check_events, run_decoder


def _cited() -> JSON:
    piece = {"type": "output_text", "text": "Cited.", "annotations": [URL_CITATION], "logprobs": []}
    return said("") | {"content": [piece]}


def _progress(index: int, item: JSON, *steps: str) -> list[JSON]:
    """The events of an item that comes whole, with progress between."""
    kind = item["type"]
    notices = [{"type": f"response.{kind}.{step}", "item_id": item["id"], "output_index": index} for step in steps]
    return [added(index, {**item, "status": "in_progress"}), *notices, done(index, item)]


def _whole(*items: tuple[list[JSON], JSON], **members: Any) -> bytes:
    events = [event for shown, _ in items for event in shown]
    output = [item for _, item in items]
    return stream(
        created(), {"type": "response.in_progress", "response": answer()}, *events, completed(*output, **members)
    )


_FUNCTION = "response.function_call_arguments"
STREAMS: dict[str, bytes] = {
    "text": _whole((message_events(0, said("Hello.")), said("Hello."))),
    "commentary and answer": _whole(
        (message_events(0, said("Hm.", phase="commentary")), said("Hm.", phase="commentary")),
        (message_events(1, said("Yes.", id="msg_2")), said("Yes.", id="msg_2")),
    ),
    "citations": _whole((message_events(0, _cited()), _cited())),
    "refusal": _whole((message_events(0, OUTPUT_ITEMS["refusal"]), OUTPUT_ITEMS["refusal"])),
    "two contents": _whole((message_events(0, OUTPUT_ITEMS["text and refusal"]), OUTPUT_ITEMS["text and refusal"])),
    "content of tomorrow": _whole(
        (
            [added(0, OUTPUT_ITEMS["unknown content"]), done(0, OUTPUT_ITEMS["unknown content"])],
            OUTPUT_ITEMS["unknown content"],
        )
    ),
    "empty message": _whole((message_events(0, OUTPUT_ITEMS["empty message"]), OUTPUT_ITEMS["empty message"])),
    "reasoning": _whole(
        *((reasoning_events(index, item), item) for index, item in enumerate([OUTPUT_ITEMS["reasoning summarised"]])),
        (message_events(1, said("Hi")), said("Hi")),
    ),
    "reasoning in full": _whole(
        (reasoning_events(0, OUTPUT_ITEMS["reasoning in full"]), OUTPUT_ITEMS["reasoning in full"])
    ),
    "reasoning hidden": _whole(
        (reasoning_events(0, OUTPUT_ITEMS["reasoning encrypted"]), OUTPUT_ITEMS["reasoning encrypted"])
    ),
    "call": _whole((call_events(0, CALL, _FUNCTION, "arguments"), CALL)),
    "call without arguments": _whole(
        (call_events(0, CALL | {"arguments": ""}, _FUNCTION, "arguments"), CALL | {"arguments": ""})
    ),
    "custom call": _whole(
        (
            call_events(0, OUTPUT_ITEMS["custom call"], "response.custom_tool_call_input", "input"),
            OUTPUT_ITEMS["custom call"],
        )
    ),
    "code": _whole(
        (
            call_events(0, OUTPUT_ITEMS["code interpreter"], "response.code_interpreter_call_code", "code"),
            OUTPUT_ITEMS["code interpreter"],
        )
    ),
    "mcp": _whole(
        (call_events(0, OUTPUT_ITEMS["mcp call"], "response.mcp_call_arguments", "arguments"), OUTPUT_ITEMS["mcp call"])
    ),
    "tools of the provider": _whole(
        *(
            (_progress(index, OUTPUT_ITEMS[name], "in_progress", "searching", "completed"), OUTPUT_ITEMS[name])
            for index, name in enumerate(
                ("web search", "file search", "image", "mcp tools", "compaction", "of tomorrow")
            )
        )
    ),
    "incomplete": stream(
        created(),
        *message_events(0, said("Hel", status="incomplete")),
        {
            "type": "response.incomplete",
            "response": answer(
                said("Hel", status="incomplete"),
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            ),
        },
    ),
    "queued first": stream(
        {"type": "response.queued", "response": answer(status="queued", usage=None)},
        created(),
        *message_events(0, said("Hi")),
        {"type": "keepalive"},
        completed(said("Hi")),
    ),
}


def _run(*pieces: bytes) -> Run:
    return run_decoder(DIALECT.stream_decoder(OPENAI), pieces)


@pytest.mark.parametrize("body", STREAMS.values(), ids=list(STREAMS))
def test_a_stream_is_lawful_and_equals_its_terminal_object(body: bytes) -> None:
    run = _run(body)
    assert run.error is None
    response = check_events(run.events)
    assert response is not None
    terminal: Any = _terminal(body)
    assert response == DIALECT.decode_response(terminal, OPENAI)
    assert first_difference(terminal, DIALECT.encode_response(response, OPENAI).body) is None


def _terminal(body: bytes) -> JSON:
    last: Any = msgspec.json.decode(body.split(b"data: ")[-1])
    return last["response"]


@pytest.mark.parametrize("body", STREAMS.values(), ids=list(STREAMS))
def test_cuts_change_nothing(body: bytes) -> None:
    whole = _run(body)
    drips = _run(*(body[index : index + 1] for index in range(len(body))))
    assert drips.meant == whole.meant
    for cut in range(1, len(body), 7):
        assert _run(body[:cut], body[cut:]).meant == whole.meant


@pytest.mark.parametrize("body", STREAMS.values(), ids=list(STREAMS))
def test_our_encoder_writes_a_stream_that_says_the_same(body: bytes) -> None:
    events = _run(body).events
    encoder = DIALECT.stream_encoder(DIALECT.decode_request({"model": "m", "input": "Hi"}, OPENAI), OPENAI)
    written = b"".join(encoder.feed(event) for event in events) + encoder.close()
    again = _run(written)
    assert again.error is None
    assert first_difference(told(check_events(events)), told(check_events(again.events))) is None
    assert encoder.adaptations() == ()


def test_the_steps_of_a_text() -> None:
    events = _run(STREAMS["text"]).events
    assert [type(event) for event in events] == [
        Started,
        PartStarted,
        TextDelta,
        TextDelta,
        PartEnded,
        UsageSeen,
        Finished,
    ]
    start: Any = events[0]
    assert (start.id, start.model, start.provider, start.created) == (
        "resp_1",
        "gpt-5.6-2026-01-01",
        "openai",
        1_757_687_010,
    )


def test_the_steps_of_reasoning() -> None:
    events = _run(STREAMS["reasoning"]).events
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["First.", "Then."]
    first, second = [event.part for event in events if isinstance(event, PartEnded)][:2]
    assert first.replay == ()
    assert second.replay[0].data == ENCRYPTED
    assert events.index(next(event for event in events if isinstance(event, PartEnded))) < events.index(
        [event for event in events if isinstance(event, PartStarted)][1]
    )


def test_citations_refusals_and_arguments_are_shown_as_they_come() -> None:
    assert [event.citation.url for event in _run(STREAMS["citations"]).events if isinstance(event, CitationAdded)] == [
        "https://example.org/a"
    ]
    assert [event.text for event in _run(STREAMS["refusal"]).events if isinstance(event, RefusalDelta)] == ["No", "."]
    call = [event.text for event in _run(STREAMS["call"]).events if isinstance(event, ArgumentsDelta)]
    assert "".join(call) == CALL["arguments"]
    assert len(call) > 5
    assert any(isinstance(event, Ping) for event in _run(STREAMS["queued first"]).events)


def test_arguments_are_the_exact_text_wherever_they_are_split() -> None:
    call = CALL | {"arguments": '{"a":"\\u00e9\\n","b":"é\\"€"}'}
    for size in (1, 2, 3):
        body = _whole((call_events(0, call, _FUNCTION, "arguments", size), call))
        run = _run(*(body[index : index + 1] for index in range(len(body))))
        assert run.response is not None
        assert run.response.tool_calls[0].arguments_text == call["arguments"]
        assert run.response.tool_calls[0].arguments == {"a": "é\n", "b": 'é"€'}


def test_items_may_interleave() -> None:
    thought = OUTPUT_ITEMS["reasoning in full"] | {
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }
    first, second = reasoning_events(0, thought), message_events(1, said("Hi"))
    body = stream(created(), *first[:3], *second, *first[3:], completed(thought, said("Hi")))
    response = check_events(_run(body).events)
    assert response == DIALECT.decode_response(_terminal(body), OPENAI)


def test_a_host_may_encrypt_again_for_the_terminal_object() -> None:
    """What the ended item held is good too, and is what was shown."""
    item = OUTPUT_ITEMS["reasoning encrypted"]
    body = stream(created(), *reasoning_events(0, item), completed(item | {"encrypted_content": "gAAAAABanother"}))
    response = check_events(_run(body).events)
    assert response is not None
    assert response.message.parts[0].replay[0].data == ENCRYPTED


def test_a_host_that_leaves_indices_out_is_followed_by_ids() -> None:
    """As llama.cpp speaks: no output_index, no content_index, items interleaved."""
    text = said("Hello.")
    events = [*message_events(0, text)[:3], *call_events(1, CALL, _FUNCTION, "arguments"), *message_events(0, text)[3:]]
    bare = [{name: value for name, value in event.items() if not name.endswith("_index")} for event in events]
    body = stream({"type": "response.created", "response": {"id": "resp_1"}}, *bare, completed(text, CALL))
    assert check_events(_run(body).events) == DIALECT.decode_response(_terminal(body), OPENAI)


def test_a_host_that_sends_no_deltas_is_read_from_its_ended_items() -> None:
    items = [OUTPUT_ITEMS["reasoning summarised"], said("Hello."), CALL]
    body = stream(created(), *(done(index, item) for index, item in enumerate(items)), completed(*items))
    run = _run(body)
    assert check_events(run.events) == DIALECT.decode_response(_terminal(body), OPENAI)
    assert [event.text for event in run.events if isinstance(event, TextDelta)] == ["Hello."]


def test_a_host_that_sends_the_terminal_object_alone_is_read_from_it() -> None:
    body = stream(completed(said("Hello."), CALL))
    assert check_events(_run(body).events) == DIALECT.decode_response(_terminal(body), OPENAI)


def test_an_item_that_the_stream_did_not_end_is_ended_by_the_terminal_object() -> None:
    events = message_events(0, said("Hello."))[:3]
    body = stream(created(), *events, completed(said("Hello.")))
    assert check_events(_run(body).events) == DIALECT.decode_response(_terminal(body), OPENAI)


def test_a_terminal_object_may_leave_the_items_out() -> None:
    response = check_events(_run(stream(created(), *message_events(0, said("Hello.")), completed())).events)
    assert response is not None
    assert response.content == "Hello."
