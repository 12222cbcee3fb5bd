"""Streams that we write: complete for the official client, and equal to the terminal object they end with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import AuthenticationFailed, Overloaded
from dragoman.framing import SseDecoder
from dragoman.values import (
    ArgumentsDelta,
    Assembly,
    AttemptFailed,
    Choice,
    Citation,
    Event,
    Finish,
    Finished,
    Media,
    Message,
    MessageRole,
    Opaque,
    Part,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    Refusal,
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
    user,
)
from dragoman.values.attempts import Attempt
from tests.dialects.openai_responses.bodies import JSON, OPENAI
from tests.wire.laws import check_events, run_decoder

_OFFICIAL: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
REQUEST = Request(model="m", messages=(user("Hi"),), temperature=0.5, max_tokens=100, metadata={"a": "b"})


def _events(*parts: Part, reason: Any = "stop") -> list[Event]:
    """The lawful events of an answer from elsewhere, in pieces of two characters."""
    assembly = Assembly(provider="anthropic", dialect="anthropic", model="claude")
    events = assembly.start(id="msg_abc", created=5)
    for number, part in enumerate(parts):
        events += _part_events(assembly, number, part)
    assembly.finish(Finish(reason=reason, raw="end_turn"))
    events += assembly.usage(Usage(input_tokens=5, output_tokens=3))
    return events + assembly.complete()


_CONTENT: dict[type, str] = {
    Text: "text",
    Reasoning: "text",
    Refusal: "text",
    ToolCall: "arguments_text",
    Media: "data",
}


def _part_events(assembly: Assembly, key: int, part: Part) -> list[Event]:
    name = _CONTENT.get(type(part))
    words: str = getattr(part, name) or "" if name else ""
    citations = part.citations if isinstance(part, Text) else ()
    blank: Any = replace(part, **{name: None if name == "data" else ""}) if name else part
    blank = replace(blank, citations=()) if isinstance(blank, Text) else blank
    events = [assembly.open(key, blank)]
    for start in range(0, len(words), 2):
        events += assembly.delta(key, words[start : start + 2])
    for citation in citations:
        events += assembly.cite(key, citation)
    return events + assembly.end(key)


def _written(events: list[Event]) -> tuple[bytes, Any]:
    encoder = DIALECT.stream_encoder(REQUEST, OPENAI)
    body = b"".join(encoder.feed(event) for event in events) + encoder.close()
    return body, encoder


def _frames(body: bytes) -> list[JSON]:
    frames = [frame for frame in SseDecoder().feed(body) if frame.comment is None]
    told: list[JSON] = [msgspec.json.decode(frame.data) for frame in frames]
    assert [frame.event for frame in frames] == [event["type"] for event in told]
    return told


def _terminal(body: bytes) -> JSON:
    return _frames(body)[-1]["response"]


CASES: dict[str, tuple[Part, ...]] = {
    "text": (Text(text="Hello."),),
    "two texts": (Text(text="One."), Text(text="Two.")),
    "empty text": (Text(text=""),),
    "commentary": (Text(text="Hm.", channel="commentary"), Text(text="Yes.")),
    "citations": (Text(text="Hi", citations=(Citation(kind="url", url="https://example.org", title="T"),)),),
    "refusal": (Text(text="Well,"), Refusal(text=" no.")),
    "thoughts": (Reasoning(text="Full."), Reasoning(text="Short.", form="summary"), Text(text="Hi")),
    "hidden thoughts": (Reasoning(form="redacted"), Text(text="Hi")),
    "calls": (
        Text(text="Looking."),
        ToolCall(id="toolu_1", name="weather", arguments_text='{"city": "Genève"}'),
        ToolCall(id="toolu_2", name="time"),
        ToolCall(id="toolu_3", name="python", arguments_text="print('é')", input="text"),
    ),
    "image": (Text(text="See:"), Media(kind="image", data="iVBORw0KGgo="), Text(text="Nice.")),
    "nothing": (),
}


@pytest.mark.parametrize("parts", CASES.values(), ids=list(CASES))
def test_the_official_client_understands_every_event(parts: tuple[Part, ...]) -> None:
    body, encoder = _written(_events(*parts))
    frames = _frames(body)
    for event in frames:
        _OFFICIAL.validate_python(event)
    assert [event["sequence_number"] for event in frames] == list(range(len(frames)))
    assert [event["type"] for event in frames][:2] == ["response.created", "response.in_progress"]
    assert frames[-1]["type"] == "response.completed"
    assert encoder.adaptations() == ()


@pytest.mark.parametrize("parts", CASES.values(), ids=list(CASES))
def test_the_items_of_a_stream_are_those_of_its_terminal_object(parts: tuple[Part, ...]) -> None:
    frames = _frames(_written(_events(*parts))[0])
    ended = {event["output_index"]: event["item"] for event in frames if event["type"] == "response.output_item.done"}
    assert [ended[index] for index in sorted(ended)] == frames[-1]["response"]["output"]
    announced = [event["item"]["id"] for event in frames if event["type"] == "response.output_item.added"]
    assert announced == [item["id"] for item in frames[-1]["response"]["output"]]


@pytest.mark.parametrize("parts", CASES.values(), ids=list(CASES))
def test_what_we_write_decodes_to_the_same_answer(parts: tuple[Part, ...]) -> None:
    events = _events(*parts)
    run = run_decoder(DIALECT.stream_decoder(OPENAI), [_written(events)[0]])
    again = check_events(run.events)
    first = events[-1]
    assert isinstance(first, Finished)
    assert again is not None
    for name in ("content", "reasoning", "refusal"):
        assert getattr(again, name) == getattr(first.response, name)
    assert [(call.id, call.name, call.arguments_text or "{}", call.input) for call in again.tool_calls] == [
        (call.id, call.name, call.arguments_text or "{}", call.input) for call in first.response.tool_calls
    ]


def test_a_stream_equals_the_unstreamed_form() -> None:
    events = _events(*CASES["calls"], reason="tool_calls")
    last = events[-1]
    assert isinstance(last, Finished)
    whole = DIALECT.encode_response(replace(last.response, created=5), OPENAI).body
    streamed = _terminal(_written(events)[0])
    assert streamed["output"] == whole["output"]
    assert streamed["usage"] == whole["usage"]
    assert {name for name in whole if name not in streamed} == set()
    assert (streamed["temperature"], streamed["max_output_tokens"], streamed["metadata"]) == (0.5, 100, {"a": "b"})


def test_what_the_wire_cannot_say_is_left_out_and_named() -> None:
    replay = (Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="sig"),)
    events = _events(
        Reasoning(text="Hm.", replay=replay),
        ToolCall(id="srv", name="search", arguments_text="{}", runner="provider"),
        Text(text="A"),
        Opaque(dialect="anthropic", kind="fallback", data={}),
        Media(kind="audio", data="UklGRg=="),
        Text(text="B"),
    )
    body, encoder = _written(events)
    assert [item["type"] for item in _terminal(body)["output"]] == ["reasoning", "message", "message"]
    assert b"sig" not in body
    assert {entry.path for entry in encoder.adaptations()} == {
        "choices[0].message.parts[0].replay",
        "choices[0].message.parts[1]",
        "choices[0].message.parts[3]",
        "choices[0].message.parts[4]",
    }


def test_losses_are_told_before_the_end_too() -> None:
    encoder = DIALECT.stream_encoder(REQUEST, OPENAI)
    for event in _events(Opaque(dialect="anthropic", kind="fallback", data={}))[:-1]:
        encoder.feed(event)
    assert [entry.path for entry in encoder.adaptations()] == ["choices[0].message.parts[0]"]


def test_parts_may_interleave() -> None:
    call = ToolCall(id="toolu_1", name="weather")
    events: list[Event] = [
        Started("r", "m", "p", "anthropic"),
        PartStarted(0, Text(text="")),
        TextDelta(0, "He"),
        PartStarted(1, call),
        ArgumentsDelta(1, "{"),
        TextDelta(0, "llo"),
        PartEnded(0, Text(text="Hello")),
        ArgumentsDelta(1, "}"),
        PartEnded(1, replace(call, arguments_text="{}")),
    ]
    message = Message(MessageRole.ASSISTANT, parts=(Text(text="Hello"), replace(call, arguments_text="{}")))
    choice = Choice(message=message, finish=Finish(reason="tool_calls"))
    events.append(Finished(Response(id="r", model="m", choices=(choice,))))
    body, _ = _written(events)
    again = check_events(run_decoder(DIALECT.stream_decoder(OPENAI), [body]).events)
    assert again is not None
    assert again.content == "Hello"
    assert again.tool_calls[0].arguments_text == "{}"


def test_keep_alives_and_what_says_nothing_here() -> None:
    encoder = DIALECT.stream_encoder(REQUEST, OPENAI)
    assert encoder.feed(Ping()).startswith(b":")
    assert encoder.feed(UsageSeen(Usage())) == b""
    assert encoder.feed(TextDelta(0, "other choice", choice=1)) == b""
    assert encoder.feed(AttemptFailed(Attempt(provider="p", model="m", dialect="d", outcome="error"))) == b""
    assert encoder.close() == b""


def test_an_unfinished_answer_says_so() -> None:
    frames = _frames(_written(_events(Text(text="Hel"), reason="length"))[0])
    assert frames[-1]["type"] == "response.incomplete"
    assert frames[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_an_error_in_mid_stream_is_understood_and_tells_no_secret() -> None:
    encoder = DIALECT.stream_encoder(REQUEST, OPENAI)
    for event in _events(Text(text="Hello."))[:3]:
        encoder.feed(event)
    (told,) = _frames(encoder.fail(Overloaded("Busy.", provider="p", status=503)))
    _OFFICIAL.validate_python(told)
    assert told["message"] == told["error"]["message"] == "Busy."
    (told,) = _frames(encoder.fail(AuthenticationFailed("Bad key sk-12345", provider="p", status=401)))
    assert "sk-12345" not in str(told)
    run = run_decoder(DIALECT.stream_decoder(OPENAI), [encoder.fail(Overloaded("Busy.", provider="p"))])
    assert isinstance(run.error, Overloaded)
