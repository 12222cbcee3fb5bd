"""The stream encoder: what it writes decodes to the same answer, and is whole for answers of other wires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import Overloaded
from dragoman.values import (
    ArgumentsDelta,
    Choice,
    Citation,
    CitationAdded,
    Event,
    Finish,
    Finished,
    FinishReason,
    Media,
    Message,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Replay,
    Request,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    Usage,
    UsageSeen,
    replace,
)
from tests.dialects.anthropic.streams import STREAMS
from tests.dialects.anthropic.wire import START, STOP, TARGET, decoded, encoded, finish, paths, sse, text_block


def _told(data: bytes) -> list[dict[str, Any]]:
    frames = [frame for frame in data.split(b"\n\n") if frame]
    events: list[dict[str, Any]] = []
    for frame in frames:
        name, _, line = frame.partition(b"\n")
        event = msgspec.json.decode(line.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        events.append(event)
    return events


@pytest.mark.parametrize("name", STREAMS)
def test_what_the_encoder_writes_decodes_to_the_same(name: str) -> None:
    events = decoded(sse(*STREAMS[name]))
    data, adaptations = encoded(events)
    again = decoded(data)
    assert adaptations == ()
    if name in _FILLED:
        events, again = _without(events), _without(again)
    assert again[-1] == events[-1]
    quiet = (Started, UsageSeen, Finished)
    assert [event for event in again if not isinstance(event, quiet)] == [
        event for event in events if not isinstance(event, quiet)
    ]


_FILLED = ("no usage in the start", "thinking that is not signed")
"""Streams that lack what no client does without: the encoder writes zeros, and an empty signature."""


def _without(events: list[Event]) -> list[Event]:
    """The events without usage and signatures."""
    bare: list[Event] = []
    for event in events:
        if isinstance(event, Finished):
            parts = tuple(replace(part, replay=(), extras={}) for part in event.response.message.parts)
            choice = replace(event.response.choices[0], message=Message("assistant", parts=parts))
            bare.append(Finished(replace(event.response, usage=Usage(), choices=(choice,))))
        elif isinstance(event, PartEnded):
            bare.append(PartEnded(event.index, replace(event.part, replay=(), extras={})))
        else:
            bare.append(event)
    return bare


@pytest.mark.parametrize("name", STREAMS)
def test_blocks_are_numbered_in_the_order_of_their_start(name: str) -> None:
    data, _ = encoded(decoded(sse(*STREAMS[name])))
    starts = [event["index"] for event in _told(data) if event["type"] == "content_block_start"]
    assert starts == list(range(len(starts)))


def test_the_start_carries_what_clients_read_there_alone() -> None:
    data, _ = encoded(decoded(sse(*STREAMS["text"])))
    start, *_, last, stop = _told(data)
    assert start["message"]["usage"]["cache_creation"] == {
        "ephemeral_5m_input_tokens": 1,
        "ephemeral_1h_input_tokens": 2,
    }
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert (last["usage"]["input_tokens"], last["usage"]["output_tokens"]) == (10, 7)
    assert "cache_creation" not in last["usage"]
    assert stop == {"type": "message_stop"}


# -- answers of other wires --------------------------------------------------------------------------------------------


def _stream(*parts: Sequence[Event], reason: FinishReason = "stop", usage: Usage | None = None) -> list[Event]:
    body = [event for part in parts for event in part]
    ended = tuple(event.part for event in body if isinstance(event, PartEnded))
    finish = Finish(reason=reason, raw="STOP")
    response = Response(
        id="chatcmpl-1",
        model="gpt",
        dialect="openai-chat",
        choices=(Choice(message=Message("assistant", parts=ended), finish=finish),),
        usage=usage or Usage(),
    )
    return [Started("chatcmpl-1", "gpt", "openai", "openai-chat"), *body, Finished(response)]


def _text(index: int, text: str) -> list[Event]:
    return [PartStarted(index, Text(text="")), TextDelta(index, text), PartEnded(index, Text(text=text))]


def test_a_foreign_stream_is_whole() -> None:
    usage = Usage(input_tokens=9, output_tokens=2, cache_read_tokens=4)
    data, adaptations = encoded(_stream(_text(0, "Hi"), usage=usage))
    told = _told(data)
    assert [event["type"] for event in told] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    message = told[0]["message"]
    assert (message["id"], message["model"], message["content"], message["stop_reason"]) == (
        "chatcmpl-1",
        "gpt",
        [],
        None,
    )
    assert told[4]["usage"]["input_tokens"] == 5
    assert told[4]["usage"]["cache_read_input_tokens"] == 4
    assert adaptations == ()
    response = decoded(data)[-1]
    assert isinstance(response, Finished)
    assert (response.response.content, response.response.usage.input_tokens) == ("Hi", 9)


def test_of_counts_that_follow_the_start_says_only_what_clients_want_there() -> None:
    start = {**START, "message": {name: value for name, value in START["message"].items() if name != "usage"}}
    counts = {"input_tokens": 11, "output_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 3}}
    whole = sse(start, *text_block(0, "Hi"), {**finish(), "usage": counts}, STOP)
    data, adaptations = encoded(decoded(whole))
    begun, ended = _told(data)[0], _told(data)[-2]
    assert begun["message"]["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert ended["usage"] == counts
    assert adaptations == ()


def test_a_stream_without_ids_or_usage_gets_them() -> None:
    events = _stream(_text(0, "Hi"))
    data, adaptations = encoded([Started(dialect="gemini"), *events[1:]])
    start = _told(data)[0]["message"]
    assert start["id"].startswith("msg_")
    assert start["model"] == "claude-x"
    assert start["usage"]["output_tokens"] == 0
    assert paths(adaptations) == [("usage", "defaulted")]


def test_calls_thoughts_and_refusals_are_streamed() -> None:
    signed = Reasoning(text="Hm.", replay=(Replay(issuer="google", dialect="gemini", kind="x", data="secret"),))
    call = ToolCall(id="call:1", name="t", arguments_text='{"a": 1}')
    data, adaptations = encoded(
        _stream(
            [PartStarted(0, Reasoning()), ReasoningDelta(0, "Hm."), PartEnded(0, signed)],
            [PartStarted(1, Refusal(text="")), RefusalDelta(1, "No."), PartEnded(1, Refusal(text="No."))],
            [
                PartStarted(2, replace(call, arguments_text="")),
                ArgumentsDelta(2, '{"a"'),
                ArgumentsDelta(2, ": 1}"),
                PartEnded(2, call),
            ],
            reason="tool_calls",
            usage=Usage(input_tokens=1, output_tokens=1),
        )
    )
    told = _told(data)
    assert [event["delta"] for event in told if event["type"] == "content_block_delta"] == [
        {"type": "thinking_delta", "thinking": "Hm."},
        {"type": "signature_delta", "signature": "unsigned"},
        {"type": "text_delta", "text": "No."},
        {"type": "input_json_delta", "partial_json": '{"a"'},
        {"type": "input_json_delta", "partial_json": ": 1}"},
    ]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"
    assert b"secret" not in data
    assert paths(adaptations) == [
        ("choices[0].message.parts[0].replay", "dropped"),
        ("choices[0].message.parts[1]", "substituted"),
    ]
    starts = [event["content_block"] for event in told if event["type"] == "content_block_start"]
    assert starts[2]["id"].startswith("call_1_")
    assert starts[2]["input"] == {}


def test_what_has_no_deltas_here_is_written_whole_or_recorded() -> None:
    free = ToolCall(id="c", name="run", arguments_text="print(1)", input="text")
    run = ToolCall(id="s", name="search", runner="provider")
    image = Media(kind="image", data="AAAA")
    spoken = Media(kind="audio", data="AAAA", transcript="Hello.")
    data, adaptations = encoded(
        _stream(
            [
                PartStarted(0, replace(free, arguments_text="")),
                ArgumentsDelta(0, "print(1)"),
                PartEnded(0, free),
            ],
            [PartStarted(1, run), ArgumentsDelta(1, "{}"), PartEnded(1, run)],
            [PartStarted(2, image), PartEnded(2, image)],
            [PartStarted(3, spoken), PartEnded(3, spoken)],
            usage=Usage(input_tokens=1, output_tokens=1),
        )
    )
    starts = [event["content_block"] for event in _told(data) if event["type"] == "content_block_start"]
    assert starts == [
        {"type": "tool_use", "id": "c", "name": "run", "input": {"input": "print(1)"}},
        {"type": "text", "text": "Hello."},
    ]
    assert paths(adaptations) == [
        ("choices[0].message.parts[0].input", "emulated"),
        ("choices[0].message.parts[1]", "dropped"),
        ("choices[0].message.parts[2]", "dropped"),
        ("choices[0].message.parts[3]", "substituted"),
    ]


def test_citations_are_streamed_once() -> None:
    cited = Citation(kind="url", url="https://e.org", title="E")
    lost = Citation(kind="file", source_id="f")
    text = Text(text="See", citations=(cited, lost))
    data, adaptations = encoded(
        _stream(
            [
                PartStarted(0, Text(text="")),
                TextDelta(0, "See"),
                CitationAdded(0, cited),
                CitationAdded(0, lost),
                PartEnded(0, text),
            ],
            usage=Usage(input_tokens=1, output_tokens=1),
        )
    )
    deltas = [event["delta"] for event in _told(data) if event["type"] == "content_block_delta"]
    assert [delta["citation"]["url"] for delta in deltas[1:]] == ["https://e.org"]
    assert [action for _, action in paths(adaptations)] == ["dropped"]


def test_open_parts_are_closed_by_the_finish() -> None:
    events = _stream([PartStarted(0, Text(text="Hel")), TextDelta(0, "lo")])
    told = _told(encoded(events)[0])
    assert told[1]["content_block"] == {"type": "text", "text": "Hel"}
    assert told[3] == {"type": "content_block_stop", "index": 0}


def test_other_choices_are_recorded_and_not_written() -> None:
    second = [
        PartStarted(0, Text(text=""), choice=1),
        TextDelta(0, "B", choice=1),
        PartEnded(0, Text(text="B"), choice=1),
    ]
    events = _stream(_text(0, "A"), second, usage=Usage(input_tokens=1, output_tokens=1))
    last = events[-1]
    assert isinstance(last, Finished)
    choices = (last.response.choices[0], Choice(index=1, message=Message("assistant", "B")))
    data, adaptations = encoded([*events[:-1], Finished(replace(last.response, choices=choices))])
    assert b'"B"' not in data
    assert ("choices[1]", "dropped") in paths(adaptations)


def test_pings_keep_the_connection_and_never_come_before_the_start() -> None:
    encoder = DIALECT.stream_encoder(Request(model="m"), TARGET)
    assert encoder.feed(Started("a", "m", "p", "gemini")) == b""
    told = _told(encoder.feed(Ping()))
    assert [event["type"] for event in told] == ["message_start", "ping"]


def test_a_failure_in_mid_stream_is_an_error_event() -> None:
    encoder = DIALECT.stream_encoder(Request(model="m"), TARGET)
    for event in _stream(_text(0, "Hi"))[:3]:
        encoder.feed(event)
    told = _told(encoder.fail(Overloaded("busy")))
    assert told == [
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": None},
    ]
    assert encoder.close() == b""
