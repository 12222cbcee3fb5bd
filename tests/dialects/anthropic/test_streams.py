"""Streams under the law: any cut gives the same events, deltas add up, a cut-off stream never looks complete."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import Overloaded, ProtocolViolation, ProviderError, StreamTruncated
from dragoman.values import (
    AnthropicQuirks,
    ArgumentsDelta,
    CitationAdded,
    Event,
    Finish,
    Finished,
    Opaque,
    PartEnded,
    PartStarted,
    Ping,
    Quirks,
    Reasoning,
    ReasoningDelta,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    UsageSeen,
    replace,
)
from tests.dialects.anthropic.streams import STREAMS
from tests.dialects.anthropic.wire import (
    PING,
    START,
    STOP,
    TARGET,
    begin,
    decoded,
    delta,
    end,
    finish,
    respelled,
    sse,
    text_block,
    text_delta,
)


def _finished(events: list[Event]) -> Response:
    last = events[-1]
    assert isinstance(last, Finished)
    return last.response


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_keeps_the_law(name: str) -> None:
    events = decoded(sse(*STREAMS[name]))
    assert isinstance(events[0], Started)
    assert [type(event) for event in events].count(Started) == 1
    assert [type(event) for event in events].count(Finished) == 1
    started: dict[int, Any] = {}
    ended: dict[int, Any] = {}
    text: dict[int, str] = {}
    for event in events:
        match event:
            case PartStarted():
                assert event.index not in started
                started[event.index] = event.part
                text[event.index] = event.part.text if isinstance(event.part, (Text, Reasoning)) else ""
            case TextDelta() | ReasoningDelta() | ArgumentsDelta():
                assert event.index not in ended
                text[event.index] += event.text
            case CitationAdded():
                assert event.index not in ended
            case PartEnded():
                ended[event.index] = event.part
            case _:
                assert isinstance(event, (Started, UsageSeen, Finished))
    assert started.keys() == ended.keys()
    for index, part in ended.items():
        if isinstance(part, (Text, Reasoning)):
            assert part.text == text[index]
        elif isinstance(part, ToolCall):
            assert part.arguments_text == text[index]
    assert _finished(events).message.parts == tuple(ended[index] for index in sorted(ended))


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_may_be_cut_at_every_byte(name: str) -> None:
    data = sse(*STREAMS[name])
    whole = decoded(data)
    assert decoded(data, range(1, len(data))) == whole
    step = max(1, len(data) // 400)
    assert all(decoded(data, [cut]) == whole for cut in range(1, len(data), step))
    assert decoded(data.replace(b"\n", b"\r\n"), range(1, len(data))) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_streamed_answer_equals_its_unstreamed_form(name: str) -> None:
    response = _finished(decoded(sse(*STREAMS[name])))
    encoded = DIALECT.encode_response(response, TARGET)
    again = DIALECT.decode_response(encoded.body, TARGET)
    if encoded.adaptations:  # arguments that were cut off are wrapped, which is noted on the part
        assert name == "a call cut by the cap"
        assert again.tool_calls[0].arguments_text == response.tool_calls[0].arguments_text
    else:
        assert respelled(again) == respelled(response)


@pytest.mark.parametrize("name", STREAMS)
def test_no_cut_off_stream_looks_complete(name: str) -> None:
    data = sse(*STREAMS[name])
    stop_reason = data.index(b'"stop_reason":"')
    complete = data.index(b"\n", stop_reason)
    for cut in {*range(0, complete, max(1, complete // 150)), stop_reason, complete - 1}:
        with pytest.raises(StreamTruncated) as caught:
            decoded(data[:cut])
        assert isinstance(caught.value.partial, Response)
        assert caught.value.provider == "anthropic"


def test_a_stop_reason_is_a_finish_though_the_end_is_missing() -> None:
    data = sse(START, *text_block(0, "Hi"), finish())
    assert _finished(decoded(data)).finish_reason == "stop"
    assert _finished(decoded(data + b"data: [DONE]\n\n")).content == "Hi"


@pytest.mark.parametrize("rest", [b"", b"data: [DONE]\n\n", sse(STOP), sse(finish(None), STOP)])
def test_no_stop_reason_is_no_finish(rest: bytes) -> None:
    data = sse(START, *text_block(0, "Hi")) + rest
    with pytest.raises(StreamTruncated) as caught:
        decoded(data)
    assert caught.value.partial.content == "Hi"
    assert caught.value.usage.input_tokens == 18
    lenient = replace(TARGET, quirks=Quirks(anthropic=AnthropicQuirks(finish_optional=True)))
    assert _finished(decoded(data, target=lenient)).finish is None


def test_an_empty_body_is_truncated() -> None:
    with pytest.raises(StreamTruncated):
        decoded(b"")


def test_the_parts_show_what_they_are() -> None:
    events = decoded(sse(*STREAMS["thinking"]))
    parts = _finished(events).message.parts
    assert [replay.data for part in parts for replay in part.replay] == ["signed", "omitted", "sealed"]
    assert [part.text for part in parts if isinstance(part, Reasoning)] == ["Hm, well.", "", ""]
    calls = _finished(decoded(sse(*STREAMS["calls"]))).tool_calls
    assert [call.arguments_text for call in calls] == ['{"city": "Zürich\\u00e9"}', ""]
    assert calls[1].extras["anthropic"]["caller"] == {"type": "direct"}
    early = _finished(decoded(sse(*STREAMS["a call whose input comes in its start"])))
    assert early.tool_calls[0].arguments == {"city": "Bern"}
    compaction = _finished(decoded(sse(*STREAMS["compaction"]))).message.parts[0]
    assert isinstance(compaction, Opaque)
    assert compaction.data["encrypted_content"] == "sealed"
    assert _finished(decoded(sse(*STREAMS["a fallback"]))).model == "claude-y"


def test_a_compaction_may_come_in_pieces() -> None:
    stream = sse(
        START,
        begin(0, type="compaction", content=None, encrypted_content=None),
        delta(0, type="compaction_delta", content="So ", encrypted_content="sea"),
        delta(0, type="compaction_delta", content="far.", encrypted_content="led"),
        delta(0, type="compaction_delta", content=None, encrypted_content=None),
        end(0),
        finish(),
        STOP,
    )
    compaction = _finished(decoded(stream)).message.parts[0]
    assert isinstance(compaction, Opaque)
    assert compaction.data == {"type": "compaction", "content": "So far.", "encrypted_content": "sealed"}


def test_a_block_may_start_without_its_text_and_a_null_says_nothing() -> None:
    stream = sse(
        START,
        begin(0, type="thinking"),
        delta(0, type="thinking_delta", thinking="Hm."),
        delta(0, type="thinking_delta", thinking=None),
        end(0),
        begin(1, type="text", text=None),
        delta(1, type="text_delta", text=None),
        delta(1, type="text_delta", text="Hi"),
        end(1),
        begin(2, type="tool_use", id="toolu_1", name="look", input={}),
        delta(2, type="input_json_delta", partial_json=None),
        delta(2, type="input_json_delta", partial_json="{}"),
        end(2),
        finish(),
        STOP,
    )
    response = _finished(decoded(stream))
    assert [part.text for part in response.message.parts if isinstance(part, Reasoning | Text)] == ["Hm.", "Hi"]
    assert [call.arguments_text for call in response.tool_calls] == ["{}"]


def test_a_message_that_starts_whole_ends_without_a_change() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": 1}}
    start = {**START, "message": {**START["message"], "content": [call], "stop_reason": "tool_use"}}
    response = _finished(decoded(sse(start, STOP)))
    assert response.finish is not None
    assert response.finish.raw == "tool_use"
    assert [part.arguments_text for part in response.tool_calls] == ['{"q":1}']
    for cut_off in (sse(start), sse(start, PING)):
        with pytest.raises(StreamTruncated):
            decoded(cut_off)
    assert _finished(decoded(sse(start, finish("end_turn"), STOP))).finish == Finish(reason="stop", raw="end_turn")


def test_details_of_a_stop_are_those_of_its_reason() -> None:
    start = {**START, "message": {**START["message"], "stop_details": {"type": "refusal"}}}
    ended = _finished(decoded(sse(start, *text_block(0, "Hi"), finish(stop_details=None), STOP)))
    assert ended.finish == Finish(reason="stop", raw="end_turn")
    kept = _finished(decoded(sse(start, *text_block(0, "Hi"), finish("refusal"), STOP)))
    assert kept.finish == Finish(reason="refusal", raw="refusal", detail={"type": "refusal"})


def test_usage_is_cumulative_and_counted_to_the_end() -> None:
    events = decoded(sse(*STREAMS["usage in pieces"]))
    seen = [event.usage for event in events if isinstance(event, UsageSeen)]
    assert [(usage.input_tokens, usage.output_tokens) for usage in seen] == [(18, 1), (28, 5), (28, 6)]
    usage = _finished(events).usage
    assert usage is not None
    assert usage == seen[-1]
    assert (usage.reasoning_tokens, usage.tool_uses) == (2, {"web_search": 1})


# -- hostile streams ---------------------------------------------------------------------------------------------------


def test_a_repeated_start_of_the_same_message_is_ignored() -> None:
    once = decoded(sse(START, *text_block(0, "Hi"), finish(), STOP))
    assert decoded(sse(START, START, *text_block(0, "Hi"), finish(), STOP)) == once


_OTHER = {"type": "message_start", "message": {**START["message"], "id": "msg_2"}}
_NAMELESS = {
    "type": "message_start",
    "message": {name: value for name, value in START["message"].items() if name != "id"},
}
_VIOLATIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a spliced second message": ([START, *text_block(0, "One"), _OTHER, *text_block(0, "Two"), finish(), STOP], "One"),
    "a nameless second message": ([_NAMELESS, *text_block(0, "One"), _NAMELESS], "One"),
    "a block before the message": ([*text_block(0, "One"), START], ""),
    "a finish before the message": ([finish(), START], ""),
    "a stop before the message": ([end(0)], ""),
    "an index started twice": (
        [START, begin(0, type="text", text=""), text_delta(0, "A"), begin(0, type="text", text="")],
        "A",
    ),
    "a delta for no block": ([START, *text_block(0, "A"), text_delta(0, "B")], "A"),
    "a delta without an index for no block": (
        [START, {"type": "content_block_delta", "delta": {"type": "text_delta"}}],
        "",
    ),
    "a stop for no block": ([START, *text_block(0, "A"), end(0)], "A"),
    "a delta without its text": (
        [START, *text_block(0, "A"), begin(1, type="text", text=""), delta(1, type="text_delta")],
        "A",
    ),
    "text that is none": ([START, begin(0, type="text", text=""), delta(0, type="text_delta", text=7)], ""),
    "a block without a type": ([START, begin(0, text="")], ""),
    "a message that is none": ([{"type": "message_start", "message": []}], ""),
    "counts that are none": ([START, *text_block(0, "A"), {**finish(), "usage": {"output_tokens": "x"}}], "A"),
    "a stop reason that is none": ([START, *text_block(0, "A"), finish() | {"delta": {"stop_reason": 5}}], "A"),
    "an index that is none": ([START, {**begin(0, type="text", text=""), "index": "zero"}], ""),
}


@pytest.mark.parametrize("name", _VIOLATIONS)
def test_what_no_message_does_is_a_violation_with_the_answer_so_far(name: str) -> None:
    events, content = _VIOLATIONS[name]
    with pytest.raises(ProtocolViolation) as caught:
        decoded(sse(*events))
    assert caught.value.partial.content == content


@pytest.mark.parametrize("line", [b"data: {nonsense\n\n", b"data: 7\n\n", b"event: x\ndata: \xff\n\n"])
def test_malformed_json_is_a_violation_with_the_answer_so_far(line: bytes) -> None:
    decoder = DIALECT.stream_decoder(TARGET)
    with pytest.raises(ProtocolViolation) as caught:
        decoder.feed(sse(START, *text_block(0, "Hi")) + line)
    assert caught.value.partial.content == "Hi"
    events: list[Event] = caught.value.__dict__["events"]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], PartEnded)


def test_unknown_events_and_pings_say_nothing() -> None:
    strange = [{"type": "weather_report", "index": 0}, {"type": "vote", "x": [1]}]
    plain = [START, *text_block(0, "Hi"), finish(), STOP]
    mixed = [item for event in plain for item in (PING, *strange, event)][1:]
    data = b": hello\n\n" + sse(*mixed) + b'event: odd\ndata: {}\n\ndata: {"type": [1]}\n\n'
    events = decoded(data)
    assert events == decoded(sse(*plain))
    assert any(isinstance(event, Ping) for event in DIALECT.stream_decoder(TARGET).feed(data))


def test_the_event_name_stands_in_for_a_missing_type() -> None:
    data = sse(START, *text_block(0, "Hi"), finish(), STOP).replace(b'"type":"message_stop"', b'"a":1')
    assert _finished(decoded(data)).content == "Hi"


def test_what_follows_the_stop_is_ignored() -> None:
    data = sse(START, *text_block(0, "Hi"), finish(), STOP)
    assert decoded(data + sse(_OTHER, *text_block(0, "Two")) + b"data: {nonsense\n\n") == decoded(data)


def test_indices_may_be_missing() -> None:
    def bare(event: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in event.items() if name != "index"}

    events = [START, *map(bare, text_block(0, "A", "B")), *map(bare, text_block(1, "C")), finish(), STOP]
    parts = _finished(decoded(sse(*events))).message.parts
    assert [part.text for part in parts if isinstance(part, Text)] == ["AB", "C"]


def test_an_index_may_come_again_once_its_block_has_stopped() -> None:
    events = decoded(sse(START, *text_block(0, "A"), *text_block(0, "B"), finish(), STOP))
    assert [event.index for event in events if isinstance(event, PartStarted)] == [0, 1]


def test_blocks_may_interleave() -> None:
    first, second = begin(0, type="text", text=""), begin(1, type="tool_use", id="t", name="n", input={})
    arguments = delta(1, type="input_json_delta", partial_json='{"a": 1}')
    events = [START, first, second, text_delta(0, "A"), arguments, text_delta(0, "B"), end(1), end(0), finish(), STOP]
    response = _finished(decoded(sse(*events)))
    assert (response.content, response.tool_calls[0].arguments) == ("AB", {"a": 1})


def test_an_unknown_delta_is_kept_in_its_block() -> None:
    text = [begin(0, type="text", text=""), text_delta(0, "A"), delta(0, type="mood_delta", mood="go", sure=True)]
    more = [delta(0, type="mood_delta", mood="od"), end(0)]
    strange = [begin(1, type="hologram", data="x"), delta(1, type="hologram_delta", data="y"), end(1)]
    parts = _finished(decoded(sse(START, *text, *more, *strange, finish(), STOP))).message.parts
    assert parts[0].extras == {"anthropic": {"mood": "good", "sure": True}}
    assert isinstance(parts[1], Opaque)
    assert parts[1].data == {"type": "hologram", "data": "xy"}


def test_arguments_may_be_cut_inside_an_escape_and_inside_a_character() -> None:
    pieces = ['{"city": "Z\\u00', "fcrich", " 🌍", '"}']
    call = [begin(0, type="tool_use", id="t", name="n", input={})]
    call += [delta(0, type="input_json_delta", partial_json=piece) for piece in pieces]
    data = sse(START, *call, end(0), finish("tool_use"), STOP)
    response = _finished(decoded(data, range(1, len(data))))
    assert response.tool_calls[0].arguments_text == "".join(pieces)
    assert response.tool_calls[0].arguments == {"city": "Zürich 🌍"}


def test_an_error_event_is_raised_with_the_answer_so_far() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    decoder = DIALECT.stream_decoder(TARGET)
    with pytest.raises(Overloaded) as caught:
        decoder.feed(sse(START, begin(0, type="text", text=""), text_delta(0, "Hal"), error))
    raised = caught.value
    assert (raised.in_stream, raised.provider, raised.request_id) == (True, "anthropic", "req_1")
    assert raised.partial.content == "Hal"
    assert raised.usage.input_tokens == 18
    assert [type(event) for event in raised.__dict__["events"]][-1] is TextDelta


@pytest.mark.parametrize(
    ("error", "kind"),
    [({"type": "odd", "message": "x"}, "ServerFault"), ("flat", "ServerFault"), (None, "ServerFault")],
)
def test_any_error_event_is_an_error(error: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        decoded(sse({"type": "error", "error": error}))
    assert type(caught.value).__name__ == kind


def test_a_broken_stream_never_raises_what_is_not_ours() -> None:
    """Every known member of every event of a stream, replaced by junk."""
    junk: list[Any] = [None, 0, "", [], {}, [1], "x", True]
    stream = STREAMS["calls"]
    for position, event in enumerate(stream):
        for name in event:
            for value in junk:
                changed = [*stream[:position], {**event, name: value}, *stream[position + 1 :]]
                data = b"".join(sse({**one, "type": one["type"]}) for one in changed if isinstance(one["type"], str))
                assert _outcome(data) is not None


def _outcome(data: bytes) -> Response | None:
    """The answer, whole or as far as it came; any error that is not ours goes through."""
    try:
        return _finished(decoded(data))
    except (ProtocolViolation, StreamTruncated, ProviderError) as error:
        return error.partial
