"""Streams: the same events wherever the bytes are cut, the same answer as unstreamed, and rules for what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.bedrock.dialect import DIALECT
from dragoman.errors import (
    DragomanError,
    Overloaded,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    ServerFault,
    StreamTruncated,
)
from dragoman.values import (
    ArgumentsDelta,
    BedrockQuirks,
    Citation,
    Event,
    Finish,
    Finished,
    Media,
    Opaque,
    Quirks,
    Reasoning,
    Replay,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    replace,
)
from tests.dialects.bedrock.wire import (
    BEGIN,
    METADATA,
    TARGET,
    begin,
    decoded,
    delta,
    end,
    event,
    exception,
    stop,
    text_block,
    whole,
    whole_answer,
)
from tests.wire.comparing import first_difference, told
from tests.wire.laws import check_events, run_decoder

_CALL = {"toolUseId": "tooluse_1", "name": "weather"}
_SOURCE = {"title": "T", "sourceContent": [{"text": "words"}], "location": {"web": {"url": "https://x.y"}}}

STREAMS: dict[str, bytes] = {
    "text": whole(text_block(0, "Hel", "", "lo, 世界.")),
    "an empty text": whole(text_block(0, "")),
    "nothing": whole(),
    "a call": whole(
        text_block(0, "Looking."),
        begin(1, toolUse=_CALL),
        delta(1, toolUse={"input": '{"city":"Z\\u00'}),
        delta(1, toolUse={"input": 'fcrich"}'}),
        end(1),
        reason="tool_use",
    ),
    "calls without arguments": whole(
        begin(0, toolUse=_CALL),
        end(0),
        begin(1, toolUse={**_CALL, "toolUseId": "t2", "type": "tool_use"}),
        delta(1, toolUse={"input": ""}),
        end(1),
        reason="tool_use",
    ),
    "interleaved calls": whole(
        begin(0, toolUse=_CALL),
        begin(1, toolUse={**_CALL, "toolUseId": "t2"}),
        delta(1, toolUse={"input": "{}"}),
        delta(0, toolUse={"input": '{"a":'}),
        end(1),
        delta(0, toolUse={"input": "1}"}),
        end(0),
        reason="tool_use",
    ),
    "thoughts": whole(
        delta(0, reasoningContent={"text": "Hm, "}),
        delta(0, reasoningContent={"text": "yes."}),
        delta(0, reasoningContent={"signature": "sealed-"}),
        delta(0, reasoningContent={"signature": "signature"}),
        end(0),
        delta(1, reasoningContent={"redactedContent": "c2VhbA=="}),
        delta(1, reasoningContent={"redactedContent": "ZWQ="}),
        end(1),
        delta(2, reasoningContent={"text": "unsigned"}),
        end(2),
        text_block(3, "Yes."),
    ),
    "a system tool": whole(
        begin(0, toolUse={**_CALL, "type": "server_tool_use"}),
        delta(0, toolUse={"input": '{"q":1}'}),
        end(0),
        begin(1, toolResult={"toolUseId": "tooluse_1", "type": "weather_result", "status": "success"}),
        delta(1, toolResult=[{"text": "a"}, {"text": "b"}]),
        delta(1, toolResult=[{"text": "c"}]),
        delta(1, toolResult=[{"json": {"n": 1.0}}]),
        end(1),
        text_block(2, "Found."),
    ),
    "citations": whole(delta(0, text="Paris."), delta(0, citation=_SOURCE), delta(0, text=" Big."), end(0)),
    "an image": whole(
        begin(0, image={"format": "png"}),
        delta(0, image={"source": {"bytes": "iVBORw0KGg=="}}),
        delta(0, image={"source": {"bytes": "AAAA"}}),
        end(0),
        begin(1, image={"format": "png"}),
        delta(1, image={"error": {"message": "no"}}),
        end(1),
    ),
    "an unknown block": whole(
        begin(0, newKind={"a": 1}), end(0), delta(1, otherKind="x"), delta(1, otherKind="y"), end(1), text_block(2, "z")
    ),
    "without indices": BEGIN
    + b"".join(event("contentBlockDelta", delta={"text": piece}) for piece in ("a", "b"))
    + event("contentBlockStop")
    + event("contentBlockStart", start={"toolUse": _CALL})
    + event("contentBlockStop")
    + stop()
    + METADATA,
    "members of the end": BEGIN
    + text_block(0, "Hi")
    + stop("stop_sequence", additionalModelResponseFields={"stop_sequence": "|"})
    + event(
        "metadata",
        usage={"inputTokens": 1, "outputTokens": 1, "totalTokens": 4, "cacheReadInputTokens": 2},
        metrics={"latencyMs": 9},
        trace={"promptRouter": {"invokedModelId": "m"}},
        performanceConfig={"latency": "optimized"},
        serviceTier={"type": "flex"},
    ),
    "metadata first": BEGIN + text_block(0, "Hi") + METADATA + stop(),
    "unknown events": whole(event("newEvent", a=1), text_block(0, "Hi"), event("contentBlockStart", start={})),
    "an open block at the end": whole(begin(0, toolUse=_CALL), delta(0, toolUse={"input": '{"a'}), reason="max_tokens"),
    "a start twice before anything was said": BEGIN + whole(text_block(0, "Hi")),
    "a stop of nothing": whole(end(0), text_block(1, "Hi"), end(1)),
    "the input within the start": whole(begin(0, toolUse={**_CALL, "input": {"a": 1}}), end(0), reason="tool_use"),
}


def _response(data: bytes) -> Response:
    last = decoded(data)[-1]
    assert isinstance(last, Finished)
    return last.response


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_lawful_wherever_it_is_cut(data: bytes) -> None:
    events = decoded(data)
    assert check_events(events) is not None
    for cut in range(1, len(data)):
        assert decoded(data, [cut]) == events
    assert decoded(data, range(1, len(data))) == events


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_the_answer_that_its_whole_form_is(data: bytes) -> None:
    response = _response(data)
    again = whole_answer(response)
    assert first_difference(told(response, spelling=False), told(again, spelling=False)) is None


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_our_encoder_says_the_same(data: bytes) -> None:
    from tests.dialects.bedrock.wire import streamed

    response = _response(data)
    again, adaptations = streamed(decoded(data))
    assert adaptations == ()
    assert first_difference(told(response), told(_response(again))) is None


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_every_stream_that_lacks_its_finish_is_truncated(data: bytes) -> None:
    complete = data.index(b"\x0bmessageStop") if b"\x0bmessageStop" in data else data.index(b"messageStop")
    for length in range(0, complete, 3):
        run = run_decoder(DIALECT.stream_decoder(TARGET), [data[:length]])
        assert isinstance(run.error, StreamTruncated)
        assert isinstance(run.error.partial, Response)
        check_events(run.events)


def test_parts_are_what_the_wire_said() -> None:
    thoughts = _response(STREAMS["thoughts"]).message.parts
    assert thoughts == (
        Reasoning(
            text="Hm, yes.",
            replay=(Replay(issuer="bedrock", dialect="bedrock", kind="signature", data="sealed-signature"),),
        ),
        Reasoning(
            form="redacted", replay=(Replay(issuer="bedrock", dialect="bedrock", kind="redacted", data="c2VhbGVk"),)
        ),
        Reasoning(text="unsigned", replay=(Replay(issuer="bedrock", dialect="bedrock", kind="signature", data=None),)),
        Text(text="Yes."),
    )
    call, result, found = _response(STREAMS["a system tool"]).message.parts
    assert isinstance(call, ToolCall)
    assert (call.runner, call.arguments_text) == ("provider", '{"q":1}')
    assert isinstance(result, ToolResult)
    assert [piece.text for piece in result.content if isinstance(piece, Text)] == ["a", "bc", '{"n":1.0}']
    assert found == Text(text="Found.")
    picture, failed = _response(STREAMS["an image"]).message.parts
    assert isinstance(picture, Media)
    assert (picture.media_type, picture.data) == ("image/png", "iVBORw0KGgAAAA==")
    assert isinstance(failed, Opaque)
    unknown, other, _ = _response(STREAMS["an unknown block"]).message.parts
    assert isinstance(unknown, Opaque)
    assert isinstance(other, Opaque)
    assert (unknown.data, other.data) == ({"newKind": {"a": 1}}, {"otherKind": "xy"})


def test_deltas_come_as_they_are() -> None:
    events = decoded(STREAMS["a call"])
    assert isinstance(events[0], Started)
    assert events[0].model == TARGET.model
    pieces = [each.text for each in events if isinstance(each, ArgumentsDelta)]
    assert pieces == ['{"city":"Z\\u00', 'fcrich"}']
    (call,) = _response(STREAMS["a call"]).tool_calls
    assert call.arguments == {"city": "Zürich"}


def test_a_source_belongs_to_its_text() -> None:
    (text,) = _response(STREAMS["citations"]).message.parts
    assert isinstance(text, Text)
    assert text.text == "Paris. Big."
    assert text.citations == (
        Citation(kind="url", url="https://x.y", title="T", cited_text="words", extras={"bedrock": _SOURCE}),
    )


def test_the_end_is_awaited() -> None:
    response = _response(STREAMS["members of the end"])
    assert response.finish == Finish(reason="stop", raw="stop_sequence", stop_sequence="|")
    assert (response.usage.input_tokens, response.usage.cache_read_tokens) == (3, 2)
    assert response.service_tier == "flex"
    assert set(response.extras["bedrock"]) >= {"metrics", "trace", "performanceConfig"}
    assert "p" not in response.extras["bedrock"]


def test_the_models_own_last_event_tells_which_stop_sequence_it_was() -> None:
    fields = {"delta": {"stop_sequence": "|"}}
    response = _response(
        BEGIN + text_block(0, "Hi") + stop("stop_sequence", additionalModelResponseFields=fields) + METADATA
    )
    assert response.finish == Finish(reason="stop", raw="stop_sequence", stop_sequence="|")
    assert response.extras["bedrock"]["additionalModelResponseFields"] == fields


def test_a_finish_without_metadata_is_complete_and_unmeasured() -> None:
    response = _response(BEGIN + text_block(0, "Hi") + stop())
    assert response.content == "Hi"
    assert not response.usage


def test_metadata_alone_are_no_finish() -> None:
    run = run_decoder(DIALECT.stream_decoder(TARGET), [BEGIN + text_block(0, "Hi") + METADATA])
    assert isinstance(run.error, StreamTruncated)
    assert run.error.usage.input_tokens == 10


def test_a_host_may_end_without_a_finish_where_its_row_says_so() -> None:
    target = replace(TARGET, quirks=Quirks(bedrock=BedrockQuirks(finish_optional=True)))
    last = decoded(BEGIN + text_block(0, "Hi"), target=target)[-1]
    assert isinstance(last, Finished)
    assert last.response.content == "Hi"


def test_what_follows_the_end_is_ignored() -> None:
    data = STREAMS["text"]
    assert decoded(data + BEGIN + exception("throttlingException", "late")) == decoded(data)


# -- streams that are not as they should be ----------------------------------------------------------------------------


def _failing(data: bytes) -> tuple[list[Event], Any]:
    run = run_decoder(DIALECT.stream_decoder(TARGET), [data])
    check_events(run.events)
    assert isinstance(run.error, DragomanError)
    return run.events, run.error


_SAID = BEGIN + text_block(0, "Half")

HOSTILE: dict[str, bytes] = {
    "a second answer": _SAID + BEGIN,
    "text before the start": delta(0, text="x"),
    "a call before the start": begin(0, toolUse=_CALL),
    "a stop before the start": stop(),
    "metadata before the start": METADATA,
    "a delta after the stop": _SAID + delta(0, text="x"),
    "a block started twice": _SAID + begin(1, toolUse=_CALL) + begin(1, toolUse=_CALL),
    "a block started after its end": _SAID + begin(0, toolUse=_CALL),
    "input without a call": _SAID + delta(1, toolUse={"input": "{}"}),
    "results without a start": _SAID + delta(1, toolResult=[]),
    "text in a call": _SAID + begin(1, toolUse=_CALL) + delta(1, text="x"),
    "mixed thoughts": _SAID
    + delta(1, reasoningContent={"text": "x"})
    + delta(1, reasoningContent={"redactedContent": "eA=="}),
    "a call without a name": _SAID + begin(1, toolUse={"toolUseId": "t"}),
    "text that is none": _SAID + delta(1, text=1),
    "an index that is none": _SAID + event("contentBlockDelta", contentBlockIndex=[0], delta={"text": "x"}),
    "a delta that is none": _SAID + event("contentBlockDelta", contentBlockIndex=1, delta="x"),
    "a stop reason that is none": _SAID + event("messageStop", stopReason=7),
    "counts that are none": _SAID + event("metadata", usage={"inputTokens": "x"}),
    "damage": _SAID + stop()[:-1] + b"\x00",
    "another framing": _SAID + b'data: {"type":"message_stop"}\n\n',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_this_wire_is_a_violation_with_what_came_before(data: bytes) -> None:
    _, error = _failing(data)
    assert isinstance(error, ProtocolViolation)
    assert error.partial.content == ("Half" if data.startswith(_SAID) else "")
    assert error.provider == "bedrock"


def test_malformed_json_is_a_violation() -> None:
    from dragoman.framing import encode_event_headers, encode_event_message

    headers = encode_event_headers({":event-type": "messageStop", ":message-type": "event"})
    events, error = _failing(_SAID + encode_event_message(b'{"stopReason":', headers))
    assert isinstance(error, ProtocolViolation)
    assert any(isinstance(each, TextDelta) for each in events)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("throttlingException", 429, RateLimited),
        ("serviceUnavailableException", 503, Overloaded),
        ("internalServerException", 500, ServerFault),
        ("modelStreamErrorException", 424, ServerFault),
        ("validationException", 400, ProviderError),
        ("newException", None, ServerFault),
    ],
)
def test_an_exception_is_raised_with_its_status_and_what_came_before(
    name: str, status: int | None, kind: type[ProviderError]
) -> None:
    events, error = _failing(_SAID + METADATA + exception(name, "Too much."))
    assert isinstance(error, kind)
    assert (error.status, error.code, error.in_stream) == (status, name, True)
    assert error.provider_message == "Too much."
    assert error.partial.content == "Half"
    assert error.usage.input_tokens == 10
    assert events


def test_an_exception_before_anything_is_an_exception() -> None:
    _, error = _failing(exception("validationException", "prompt is too long"))
    assert type(error).__name__ == "ContextOverflow"


def _message(payload: bytes, **headers: str) -> bytes:
    from dragoman.framing import encode_event_headers, encode_event_message

    named = {f":{name.replace('_', '-')}": value for name, value in headers.items()}
    return encode_event_message(payload, encode_event_headers(named))


def test_an_unmodelled_error_is_told_by_its_headers() -> None:
    message = _message(b"", message_type="error", error_code="InternalFailure", error_message="Went wrong.")
    _, error = _failing(_SAID + message)
    assert isinstance(error, ServerFault)
    assert (error.code, error.provider_message) == ("InternalFailure", "Went wrong.")


def test_messages_of_unknown_types_say_nothing() -> None:
    data = _message(b"\x00", message_type="new") + _message(b"\x00", event_type="new") + STREAMS["text"]
    assert decoded(data) == decoded(STREAMS["text"])


def test_events_before_an_error_are_not_lost() -> None:
    pieces = [each.text for each in _failing(HOSTILE["a second answer"])[0] if isinstance(each, TextDelta)]
    assert pieces == ["Half"]
