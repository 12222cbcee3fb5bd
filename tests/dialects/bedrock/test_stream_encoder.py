"""The stream encoder: answers of others as messages that the official clients take."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.bedrock.dialect import DIALECT
from dragoman.errors import AuthenticationFailed, DragomanError, Overloaded, RateLimited, TimedOut
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    FinishReason,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Replay,
    Request,
    Response,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    assistant,
    replace,
)
from dragoman.values.unrolled import events_of
from tests.dialects.bedrock.wire import ELSEWHERE, TARGET, messages_in, paths, streamed
from tests.wire.laws import check_events, run_decoder

_CALL = ToolCall(id="call 1", name="weather", arguments_text='{"city": "Paris"}')


def _answer(*parts: Part, reason: FinishReason = "stop", **members: Any) -> Response:
    choice = Choice(message=assistant(*parts), finish=Finish(reason=reason))
    usage = members.pop("usage", Usage(input_tokens=12, output_tokens=7))
    return Response(
        id="r", model="a-model", provider="elsewhere", dialect="nowhere", choices=(choice,), usage=usage, **members
    )


def _names(data: bytes) -> list[str]:
    return [name for name, _ in messages_in(data)]


def _payloads(data: bytes, name: str) -> list[Any]:
    return [payload for each, payload in messages_in(data) if each == name]


def test_the_messages_come_in_the_wires_order() -> None:
    data, _ = streamed(events_of(_answer(Text(text="Looking."), _CALL, reason="tool_calls")))
    assert _names(data) == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    (start,) = _payloads(data, "contentBlockStart")
    assert start["contentBlockIndex"] == 1
    assert start["start"]["toolUse"]["name"] == "weather"
    assert set(start["start"]["toolUse"]["toolUseId"]) <= set("call_1") | set("0123456789abcdef")
    text, call = _payloads(data, "contentBlockDelta")
    assert text == {"contentBlockIndex": 0, "delta": {"text": "Looking."}}
    assert call["delta"] == {"toolUse": {"input": '{"city": "Paris"}'}}
    assert _payloads(data, "messageStop") == [{"stopReason": "tool_use"}]
    assert _payloads(data, "metadata") == [
        {"usage": {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19}, "metrics": {"latencyMs": 0}}
    ]


_PARTS: dict[str, tuple[Part, ...]] = {
    "an empty text": (Text(text=""),),
    "two texts": (Text(text="One."), Text(text="Two.")),
    "a refusal": (Refusal(text="No."),),
    "thoughts": (Reasoning(text="Hm."), Text(text="Yes.")),
    "withheld thoughts": (Reasoning(form="redacted"), Text(text="Yes.")),
    "a call without arguments": (ToolCall(id="c", name="f"),),
    "a free-form call": (ToolCall(id="c", name="f", arguments_text="print(1)", input="text"),),
    "a provider's call": (ToolCall(id="c", name="f", runner="provider"), ToolResult(call_id="c", runner="provider")),
    "a citation": (Text(text="Paris.", citations=(Citation(kind="url", url="https://x.y"),)),),
    "a source without an address": (Text(text="Paris.", citations=(Citation(kind="file", title="T"),)),),
    "a picture": (Media(kind="image", data="iVBORw0KGgo=", media_type="image/png"),),
    "sound": (Media(kind="audio", data="AAAA", transcript="Hello."),),
    "another's block": (Opaque(dialect="anthropic", kind="x", data={}), Text(text="Yes.")),
}


@pytest.mark.parametrize("parts", _PARTS.values(), ids=_PARTS)
def test_a_stream_of_others_is_what_its_whole_form_is(parts: tuple[Part, ...]) -> None:
    answer = _answer(*parts)
    data, adaptations = streamed(events_of(answer))
    run = run_decoder(DIALECT.stream_decoder(TARGET), [data])
    assert run.error is None
    heard = check_events(run.events)
    assert heard is not None
    encoded = DIALECT.encode_response(answer, TARGET)
    whole = DIALECT.decode_response(encoded.body, TARGET)
    assert heard.content == whole.content
    assert _sources(heard) == _sources(whole)
    assert heard.reasoning == whole.reasoning
    assert [(call.name, call.arguments) for call in heard.tool_calls] == [
        (call.name, call.arguments) for call in whole.tool_calls
    ]
    assert len(heard.message.parts) == len(whole.message.parts)
    assert heard.finish == whole.finish
    assert sorted(paths(adaptations)) == sorted(paths(encoded.adaptations))


def _sources(response: Response) -> list[str | None]:
    texts = [part for part in response.message.parts if isinstance(part, Text)]
    return [citation.url for text in texts for citation in text.citations]


def test_own_state_goes_to_its_issuers_clients_alone() -> None:
    sealed = Replay(issuer="bedrock", dialect="bedrock", kind="signature", data="sealed")
    redacted = Replay(issuer="bedrock", dialect="bedrock", kind="redacted", data="c2VhbA==")
    events = events_of(_answer(Reasoning(text="Hm.", replay=(sealed,)), Reasoning(form="redacted", replay=(redacted,))))
    data, _ = streamed(events)
    assert {"reasoningContent": {"signature": "sealed"}} in [d["delta"] for d in _payloads(data, "contentBlockDelta")]
    assert b"c2VhbA==" in data
    elsewhere, adaptations = streamed(events, ELSEWHERE)
    assert b"sealed" not in elsewhere
    assert b"c2VhbA==" not in elsewhere
    assert {path for path, _ in paths(adaptations)} >= {
        "choices[0].message.parts[0].replay",
        "choices[0].message.parts[1]",
    }


def test_an_answer_without_a_finish_is_given_one() -> None:
    choice = Choice(message=assistant("Hi"))
    data, adaptations = streamed(events_of(replace(_answer(Text(text="")), choices=(choice,))))
    assert _payloads(data, "messageStop") == [{"stopReason": "end_turn"}]
    assert ("choices[0].finish", "defaulted") in paths(adaptations)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (RateLimited("No."), "throttlingException"),
        (Overloaded("No."), "serviceUnavailableException"),
        (TimedOut("No."), "modelStreamErrorException"),
        (AuthenticationFailed("No."), "modelStreamErrorException"),
        (DragomanError("No."), "internalServerException"),
    ],
)
def test_a_failure_is_an_exception_that_streams_have(error: DragomanError, name: str) -> None:
    data = DIALECT.stream_encoder(Request(model="m"), TARGET).fail(error)
    assert messages_in(data) == [(name, {"message": "No."})]
    run = run_decoder(DIALECT.stream_decoder(TARGET), [data])
    assert getattr(run.error, "in_stream", False)
