"""Our streams for clients of this wire: what they hold decodes to the answer that was given."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.gemini.dialect import DIALECT
from dragoman.errors import ConnectionLost, Overloaded
from dragoman.values import (
    ArgumentsDelta,
    Citation,
    Event,
    Finished,
    Media,
    Message,
    MessageRole,
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
    ToolResult,
    Usage,
    replace,
)
from dragoman.values.unrolled import events_of
from tests.dialects.gemini.test_answers import FULL
from tests.dialects.gemini.wire import TARGET, answered, chunk, foreign, run, sse
from tests.wire.comparing import first_difference, told
from tests.wire.laws import check_events

ARRAY = Request(model="m", extras={"gemini": {":framing": "array"}})


def encoded(events: list[Event], request: Request | None = None) -> tuple[bytes, list[str]]:
    encoder = DIALECT.stream_encoder(request or Request(model="m"), TARGET)
    body = b"".join([*(encoder.feed(event) for event in events), encoder.close()])
    return body, [entry.path for entry in encoder.adaptations()]


def decoded(body: bytes) -> Response:
    result = run(body)
    assert result.error is None, result.error
    response = check_events(result.events)
    assert response is not None
    return response


def chunks(body: bytes) -> list[Any]:
    return [msgspec.json.decode(line[6:]) for line in body.split(b"\r\n") if line.startswith(b"data: ")]


def meaning(response: Response) -> Any:
    """What was said, without whom it came from and how it was spelled."""
    return {
        name: value for name, value in told(response).items() if name not in ("provider", "dialect", "usage", "extras")
    }


def test_its_own_answers_come_back_equal() -> None:
    response = answered(FULL)
    body, named = encoded(events_of(response))
    assert named == []
    assert first_difference(told(response), told(decoded(body))) is None


@pytest.mark.parametrize("framing", ["sse", "array"])
def test_answers_of_others_come_back_equal(framing: str) -> None:
    response = foreign(
        Reasoning(text="hm"),
        Text(text='Zürich "8001"'),
        ToolCall(id="toolu_1", name="f", arguments_text='{"a":1}'),
        ToolCall(id="toolu_2", name="g"),
        Media(kind="image", data="aGk=", media_type="image/png"),
        reason="tool_calls",
        created=1_700_000_000,
        usage=Usage(input_tokens=5, output_tokens=3, reasoning_tokens=1, dialect="anthropic", raw={}),
    )
    body, named = encoded(events_of(response), ARRAY if framing == "array" else None)
    assert named == []
    again = decoded(body)
    assert [type(part) for part in again.message.parts] == [Reasoning, Text, ToolCall, ToolCall, Media]
    assert (again.id, again.model, again.created) == ("msg_1", "other-model", 1_700_000_000)
    assert (again.content, again.reasoning) == (response.content, "hm")
    assert [(call.id, call.name, call.arguments) for call in again.tool_calls] == [
        ("toolu_1", "f", {"a": 1}),
        ("toolu_2", "g", {}),
    ]
    assert again.finish_reason == "tool_calls"
    assert (again.usage.input_tokens, again.usage.output_tokens, again.usage.reasoning_tokens) == (5, 3, 1)
    if framing == "array":
        assert isinstance(msgspec.json.decode(body), list)


def test_words_go_out_as_they_come() -> None:
    encoder = DIALECT.stream_encoder(Request(model="m"), TARGET)
    assert encoder.feed(Started("r", "m", "other", "openai-chat")) == b""
    assert encoder.feed(PartStarted(0, Text(text=""))) == b""
    assert (
        encoder.feed(TextDelta(0, "Zü\n"))
        == (
            'data: {"candidates":[{"content":{"parts":[{"text":"Zü\\n"}],"role":"model"},"index":0}],'
            '"modelVersion":"m","responseId":"r"}\r\n\r\n'
        ).encode()
    )
    assert encoder.feed(Ping()).strip() == b""
    assert encoder.feed(ArgumentsDelta(1, "{")) == b""
    assert encoder.close() == b""


def test_the_last_chunk_says_how_it_ended() -> None:
    response = foreign(Text(text="x"), reason="length", usage=Usage(input_tokens=1, output_tokens=2))
    *_, last = chunks(encoded(events_of(response))[0])
    assert last == {
        "candidates": [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        "modelVersion": "other-model",
        "responseId": "msg_1",
    }


def test_signed_parts_go_out_whole_and_in_their_place() -> None:
    body = sse(
        chunk({"text": "a"}, {"text": "b", "thoughtSignature": "c2ln"}),
        chunk({"functionCall": {"name": "f", "args": {}}}, {"text": "", "thoughtSignature": "bGFzdA=="}),
        chunk(finishReason="STOP"),
    )
    result = run(body)
    assert result.response is not None
    again, named = encoded(result.events)
    assert named == []
    assert first_difference(told(result.response), told(decoded(again))) is None
    parts = [part for item in chunks(again) for part in item["candidates"][0]["content"]["parts"]]
    assert parts[:4] == [
        {"text": "a"},
        {"text": "b", "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "f", "args": {}}},
        {"text": "", "thoughtSignature": "bGFzdA=="},
    ]


def test_state_that_comes_late_goes_on_an_empty_text() -> None:
    state = (Replay(issuer="google", dialect="gemini", kind="thought-signature", data="c2ln"),)
    events: list[Event] = [
        Started("r", "m"),
        PartStarted(0, Text(text="")),
        TextDelta(0, "a"),
        PartEnded(0, Text(text="a", replay=state)),
    ]
    said = chunks(encoded(events)[0])
    assert said[-1]["candidates"][0]["content"]["parts"] == [{"text": "", "thoughtSignature": "c2ln"}]


def test_a_blocked_prompt_has_no_candidates() -> None:
    response = answered({"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r", "modelVersion": "m"})
    body, _ = encoded(events_of(response))
    assert chunks(body) == [{"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m", "responseId": "r"}]
    assert decoded(body).finish == response.finish


def test_several_choices_keep_apart() -> None:
    both = foreign(Text(text="a"))
    second = replace(both.choices[0], index=1, message=Message(MessageRole.ASSISTANT, "b"))
    response = replace(both, choices=(both.choices[0], second))
    again = decoded(encoded(events_of(response))[0])
    assert [(choice.index, choice.message.content) for choice in again.choices] == [(0, "a"), (1, "b")]


def test_citations_come_with_the_finish() -> None:
    text = Text(text="Zürich", citations=(Citation(kind="url", start=1, end=2, url="https://a"),))
    again = decoded(encoded(events_of(foreign(text)))[0])
    (part,) = again.message.parts
    assert isinstance(part, Text)
    assert [(item.start, item.end, item.url) for item in part.citations] == [(1, 2, "https://a")]


def test_what_a_stream_cannot_say_is_named() -> None:
    state = (Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="secret"),)
    response = foreign(
        Reasoning(text="hm", replay=state),
        Reasoning(form="redacted", replay=state),
        Text(text="a", extras={"anthropic": {"x": 1}}),
        Text(text="b", channel="commentary"),
        Refusal(text="No."),
        ToolCall(id="s", name="web_search", runner="provider"),
        ToolResult(call_id="s", runner="provider"),
        extras={"anthropic": {"container": 1}},
    )
    body, named = encoded(events_of(response))
    assert b"secret" not in body
    path = "choices[0].message.parts"
    assert set(named) == {
        "extras.anthropic.container",
        f"{path}[0].replay",
        f"{path}[1]",
        f"{path}[1].replay",
        f"{path}[2].extras.anthropic.x",
        f"{path}[3]",
        f"{path}[3].channel",
        f"{path}[4]",
        f"{path}[5]",
        f"{path}[6]",
    }
    assert decoded(body).content == "abNo."


def test_an_answer_that_goes_on_elsewhere_is_over_as_a_stream() -> None:
    response = replace(foreign(), choices=())
    body, named = encoded([Started("msg_1", "m"), Finished(response)])
    assert named == ["choices[0].finish"]
    assert decoded(body).finish_reason == "other"


def test_a_call_that_ends_late_is_named() -> None:
    call = ToolCall(id="a", name="f", arguments_text="{}")
    response = foreign(call, Text(text="x"))
    events: list[Event] = [
        Started("r", "m"),
        PartStarted(0, replace(call, arguments_text="")),
        PartStarted(1, Text(text="")),
        TextDelta(1, "x"),
        PartEnded(1, Text(text="x")),
        PartEnded(0, call),
        Finished(response),
    ]
    body, named = encoded(events)
    assert named == ["choices[0].message.parts[0]"]
    assert [type(part) for part in decoded(body).message.parts] == [Text, ToolCall]


def test_failures_are_told_in_the_stream() -> None:
    encoder = DIALECT.stream_encoder(Request(model="m"), TARGET)
    encoder.feed(Started("r", "m"))
    encoder.feed(PartStarted(0, Text(text="")))
    body = encoder.feed(TextDelta(0, "Be")) + encoder.fail(Overloaded("busy", provider="x", retry_after=2))
    result = run(body)
    assert isinstance(result.error, Overloaded)
    assert (result.error.retry_after, result.error.partial.content) == (2, "Be")
    assert encoder.close() == b""
    arrayed = DIALECT.stream_encoder(ARRAY, TARGET)
    arrayed.feed(Started("r", "m"))
    whole = arrayed.feed(TextDelta(0, "Be")) + arrayed.fail(ConnectionLost("gone")) + arrayed.close()
    assert [list(item) for item in msgspec.json.decode(whole)] == [
        ["candidates", "modelVersion", "responseId"],
        ["error"],
    ]
