"""Streams keep the laws, equal their unstreamed form, and survive our own encoder, however they are cut."""

from __future__ import annotations

import msgspec
import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.errors import StreamTruncated
from dragoman.values import (
    Media,
    Reasoning,
    ReasoningDelta,
    Refusal,
    Started,
    Text,
    TextDelta,
    ToolCall,
    UsageSeen,
)
from tests.dialects.openai_chat.streams import STREAMS
from tests.dialects.openai_chat.wire import OPENAI, encoded_stream, finished, members_of, run, sse, target
from tests.wire.comparing import first_difference, told
from tests.wire.laws import check_events, run_decoder


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_lawful_and_complete(name: str) -> None:
    outcome = run(sse(*STREAMS[name]))
    assert outcome.error is None
    assert check_events(outcome.events) is not None
    assert isinstance(outcome.events[0], Started)


@pytest.mark.parametrize("name", STREAMS)
def test_cuts_at_every_byte_change_nothing(name: str) -> None:
    body = sse(*STREAMS[name])
    whole = run(body).meant
    for cut in range(1, len(body)):
        assert run_decoder(DIALECT.stream_decoder(OPENAI), [body[:cut], body[cut:]]).meant == whole
    drips = [body[place : place + 1] for place in range(len(body))]
    assert run_decoder(DIALECT.stream_decoder(OPENAI), drips).meant == whole


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("ending", ["clean", "crlf", "cut"])
def test_the_wires_own_end_may_be_missing_or_spelled_otherwise(name: str, ending: str) -> None:
    body = sse(*STREAMS[name])
    whole = run(body).meant
    other = {
        "clean": sse(*STREAMS[name], done=False),
        "crlf": body.replace(b"\n", b"\r\n"),
        "cut": sse(*STREAMS[name], done=False)[:-2] + b"\n\ndata: [DO",
    }[ending]
    assert run(other).meant == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_equals_its_unstreamed_form(name: str) -> None:
    response = finished(sse(*STREAMS[name]))
    encoded = DIALECT.encode_response(response, OPENAI)
    again = DIALECT.decode_response(encoded.body, OPENAI)
    if response.created is None:
        response = msgspec.structs.replace(response, created=again.created)
    assert first_difference(told(response), told(again)) is None


@pytest.mark.parametrize("name", STREAMS)
def test_our_encoder_s_stream_is_the_same_answer(name: str) -> None:
    outcome = run(sse(*STREAMS[name]))
    again = run(encoded_stream(outcome))
    assert again.error is None
    check_events(again.events)
    response, repeated = outcome.response, again.response
    assert response is not None
    assert repeated is not None
    if response.created is None:
        response = msgspec.structs.replace(response, created=repeated.created, model=repeated.model)
    if name == "a legacy call":  # the client offered no functions, so it gets a tool call
        assert repeated.tool_calls == response.tool_calls
        return
    assert first_difference(told(response), told(repeated)) is None


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("done", [True, False], ids=["done", "clean end"])
def test_a_stream_without_its_finish_is_cut_off(name: str, done: bool) -> None:
    chunks = STREAMS[name]
    finishing = min(
        place for place, data in enumerate(chunks) if any(choice.get("finish_reason") for choice in data["choices"])
    )
    outcome = run(sse(*chunks[:finishing], done=done))
    assert isinstance(outcome.error, StreamTruncated)
    check_events(outcome.events)
    whole = finished(sse(*chunks))
    assert whole.content.startswith(outcome.error.partial.content)


def test_one_choice_of_two_is_no_complete_answer() -> None:
    chunks = [
        chunk for chunk in STREAMS["choices"] if not any(c["finish_reason"] == "length" for c in chunk["choices"])
    ]
    outcome = run(sse(*chunks))
    assert isinstance(outcome.error, StreamTruncated)
    assert outcome.error.usage is not None


@pytest.mark.parametrize("done", [True, False])
def test_a_host_without_finishes_is_complete_at_a_clean_end(done: bool) -> None:
    response = finished(sse(*STREAMS["text"][:3], done=done), target(finish_optional=True))
    assert response.content == "Hö, 😀"
    assert response.finish is not None
    assert (response.finish.reason, response.finish.raw) == ("stop", None)


def test_a_host_without_finishes_has_to_say_something() -> None:
    assert isinstance(run(b"data: [DONE]\n\n", target(finish_optional=True)).error, StreamTruncated)


# -- what becomes of what ----------------------------------------------------------------------------------------------


def test_text_and_usage() -> None:
    outcome = run(sse(*STREAMS["text"]))
    deltas = [event.text for event in outcome.events if isinstance(event, TextDelta)]
    assert deltas == ["Hö", ", 😀"]
    response = outcome.response
    assert response is not None
    assert (response.id, response.model, response.created) == ("chatcmpl-1", "gpt-4o-2024-08-06", 1767225600)
    assert response.service_tier == "default"
    assert members_of(response.extras) == {"system_fingerprint": "fp_1"}
    assert response.usage.total_tokens == 16


@pytest.mark.parametrize("name", [name for name in STREAMS if name.startswith("usage")])
def test_usage_wherever_it_stands(name: str) -> None:
    outcome = run(sse(*STREAMS[name]))
    assert outcome.response is not None
    assert outcome.response.usage.output_tokens == 7
    seen = [event.usage.output_tokens for event in outcome.events if isinstance(event, UsageSeen)]
    assert seen == ([1, 7] if name == "usage on every chunk" else [7])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("calls", [("call_1", "weather", '{"city": "Gen\\u00e8ve"}'), ("call_2", "now", "")]),
        ("calls at once", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("interleaved calls", [("c1", "f", "{}"), ("c2", "g", "[]")]),
        ("calls without index", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("several calls without index", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("arguments under an index of their own", [("c1", "f", '{"a":1}'), ("c2", "g", "[2]")]),
        ("a last piece under the next call's index", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("calls that all have index 0", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("calls that all have index 0, in pieces", [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]),
        ("an id on every piece", [("c1", "f", '{"a":1} ')]),
        ("arguments before the name", [("c1", "f", "{}")]),
        ("a free-form call", [("c", "sh", "ls")]),
    ],
)
def test_calls(name: str, expected: list[tuple[str, str, str]]) -> None:
    response = finished(sse(*STREAMS[name]))
    assert [(call.id, call.name, call.arguments_text) for call in response.tool_calls] == expected
    assert response.finish_reason == "tool_calls"


def test_calls_without_ids_get_some() -> None:
    first, second = finished(sse(*STREAMS["calls without ids"])).tool_calls
    assert first.id
    assert second.id
    assert first.id != second.id


@pytest.mark.parametrize(
    "name",
    [
        "reasoning content",
        "reasoning with details",
        "details alone",
        "thinking blocks",
        "reasoning under two names",
        "reasoning in objects",
        "a line break before the reasoning",
        "a content list of Mistral's",
    ],
)
def test_reasoning_stands_before_the_text(name: str) -> None:
    outcome = run(sse(*STREAMS[name]))
    assert outcome.response is not None
    thought, text, *_ = outcome.response.message.parts
    assert isinstance(thought, Reasoning)
    assert isinstance(text, Text)
    assert thought.text == "Hm."
    assert "".join(event.text for event in outcome.events if isinstance(event, ReasoningDelta)) == "Hm."


def test_pieces_of_state_are_put_together() -> None:
    (thought, _) = finished(sse(*STREAMS["reasoning with details"])).message.parts
    assert thought.replay[0].data["state"]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Hm.", "index": 0, "format": "f", "signature": "c2ln"},
        {"type": "reasoning.encrypted", "data": "ZGF0YQ", "index": 1},
    ]


def test_a_refusal() -> None:
    response = finished(sse(*STREAMS["a refusal"]))
    assert response.message.parts == (Refusal(text="No."),)
    assert response.finish_reason == "refusal"


def test_choices() -> None:
    response = finished(sse(*STREAMS["choices"]))
    assert [(choice.index, choice.message.content) for choice in response.choices] == [(0, "ac"), (1, "b")]
    assert [choice.finish.reason for choice in response.choices if choice.finish] == ["length", "stop"]


def test_members_of_a_choice_and_its_logprobs() -> None:
    (choice,) = finished(sse(*STREAMS["logprobs"])).choices
    assert members_of(choice.extras) == {
        "logprobs": {"content": [{"token": "Ho"}, {"token": "."}], "refusal": None},
        "content_filter_results": {"hate": {"filtered": False}},
        "native_finish_reason": "end",
    }


def test_audio() -> None:
    (audio,) = finished(sse(*STREAMS["audio"])).message.parts
    assert isinstance(audio, Media)
    assert (audio.data, audio.transcript, audio.replay[0].data) == ("UklGAAAA", "Ho", "audio_1")


@pytest.mark.parametrize("name", ["annotations behind the text", "annotations before the text"])
def test_annotations_are_citations(name: str) -> None:
    (text,) = finished(sse(*STREAMS[name])).message.parts
    assert isinstance(text, Text)
    assert [citation.url for citation in text.citations] == ["https://a.b"]


def test_sources_of_the_whole_answer_are_citations() -> None:
    (text,) = finished(sse(*STREAMS["sources of the whole answer"])).message.parts
    assert isinstance(text, Text)
    assert [citation.url for citation in text.citations] == ["https://a.b", "https://c.d"]


def test_signed_calls_keep_their_state() -> None:
    call, state = finished(sse(*STREAMS["signed calls"])).message.parts
    assert isinstance(call, ToolCall)
    assert call.replay[0].data == {"google": {"thought_signature": "c2ln"}}
    assert state.replay[0].data["state"] == {"extra_content": {"google": {"thought_signature": "c2lnMg"}}}
