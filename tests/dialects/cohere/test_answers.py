"""Answers, streams, errors and vectors of Cohere's API."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec
import pytest

from dragoman.dialects import load
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    ProtocolViolation,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    StreamTruncated,
)
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    Quirks,
    Reasoning,
    Refusal,
    Request,
    Response,
    Target,
    Text,
    ToolCall,
    Usage,
    assistant,
    replace,
)
from dragoman.values.quirks import CohereQuirks
from dragoman.values.unrolled import events_of
from tests.wire.comparing import first_difference, told
from tests.wire.laws import Run, check_events, run_decoder

COHERE = load("cohere")
TARGET = Target(provider="cohere", issuer="cohere", model="m")
REQUEST = Request(model="m", stream=True)
USAGE = {
    "billed_units": {"input_tokens": 41, "output_tokens": 25},
    "tokens": {"input_tokens": 1441, "output_tokens": 54},
    "cached_tokens": 144,
}
CALL = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CITATION = {
    "start": 0,
    "end": 5,
    "text": "Sunny",
    "sources": [{"type": "tool", "id": "f_1:0", "tool_output": {"content": "Sunny"}}],
    "type": "TEXT_CONTENT",
}


def _answer(finish: str = "COMPLETE", **message: Any) -> dict[str, Any]:
    return {"id": "r", "finish_reason": finish, "message": {"role": "assistant", **message}, "usage": USAGE}


ANSWERS: dict[str, dict[str, Any]] = {
    "text": _answer(content=[{"type": "text", "text": "Hello!"}]),
    "thoughts": _answer(content=[{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]),
    "a plan and calls": _answer("TOOL_CALL", tool_plan="I will look.", tool_calls=[CALL, {**CALL, "id": "f_2"}]),
    "citations": _answer(content=[{"type": "text", "text": "Sunny."}], citations=[CITATION]),
    "citations of plan and thoughts": _answer(
        "TOOL_CALL",
        content=[{"type": "thinking", "thinking": "Sunny."}],
        tool_plan="Sunny?",
        tool_calls=[CALL],
        citations=[{**CITATION, "type": "THINKING_CONTENT"}, {**CITATION, "type": "PLAN"}],
    ),
    "explicit nothings": _answer(content=[], tool_plan="", tool_calls=[], citations=None),
    "cut short": _answer("MAX_TOKENS", content=[{"type": "text", "text": "And"}]),
    "an unknown end": _answer("MOON", content=[{"type": "text", "text": "And"}]),
    "no usage": {"id": "r", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": []}},
    "logprobs": {**_answer(content=[]), "logprobs": [{"text": "H", "token_ids": [1], "logprobs": [-0.5]}], "extra": 1},
    "arguments as an object": _answer(
        "TOOL_CALL", tool_calls=[{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]
    ),
}


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_survives(body: dict[str, Any]) -> None:
    encoded = COHERE.encode_response(COHERE.decode_response(body, TARGET), TARGET)
    assert encoded.body == body
    assert encoded.adaptations == ()


def test_what_an_answer_says_stands_in_fields() -> None:
    response = COHERE.decode_response(ANSWERS["a plan and calls"], TARGET)
    assert (response.content, response.finish_reason) == ("I will look.", "tool_calls")
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (1441, 54, 144)
    assert (usage.billed_input_tokens, usage.billed_output_tokens) == (41, 25)
    cited = COHERE.decode_response(ANSWERS["citations"], TARGET).message.parts[0]
    assert isinstance(cited, Text)
    assert [(c.kind, c.start, c.end, c.source_id) for c in cited.citations] == [("tool", 0, 5, "f_1:0")]
    assert COHERE.decode_response(ANSWERS["cut short"], TARGET).finish_reason == "length"


NO_ANSWERS: list[dict[str, Any]] = [
    {},
    {"message": 7},
    {"message": {"content": 7}},
    {"message": {"tool_calls": [{}]}},
]


@pytest.mark.parametrize("body", NO_ANSWERS)
def test_what_is_no_answer_is_a_violation(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation):
        COHERE.decode_response(body, TARGET)


def test_an_error_in_place_of_an_answer_is_raised() -> None:
    with pytest.raises(ProviderError, match="no such"):
        COHERE.decode_response({"id": "x", "message": "no such thing"}, TARGET)


def _foreign() -> Response:
    parts = (
        Reasoning(text="Hm."),
        Reasoning(form="redacted"),
        Text(text="Looking.", channel="commentary"),
        Text(text="Yes.", citations=(Citation(kind="url", url="https://example.org", title="T"),)),
        Refusal(text=" No."),
        ToolCall(id="c", name="f"),
    )
    return Response(
        model="m",
        dialect="elsewhere",
        choices=(Choice(message=assistant(*parts), finish=Finish(reason="tool_calls")),),
        usage=Usage(input_tokens=30, output_tokens=4, cache_read_tokens=10),
    )


def test_a_foreign_answer_is_said_whole() -> None:
    body = COHERE.encode_response(_foreign(), TARGET).body
    assert len(body.pop("id")) == 32
    assert body == {
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm."},
                {"type": "text", "text": "Yes."},
                {"type": "text", "text": " No."},
            ],
            "tool_plan": "Looking.",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "citations": [
                {
                    "start": 0,
                    "end": 4,
                    "text": "Yes.",
                    "sources": [
                        {
                            "type": "document",
                            "id": "https://example.org",
                            "document": {"url": "https://example.org", "title": "T"},
                        }
                    ],
                    "type": "TEXT_CONTENT",
                    "content_index": 1,
                }
            ],
        },
        "usage": {
            "billed_units": {"input_tokens": 30, "output_tokens": 4},
            "tokens": {"input_tokens": 30, "output_tokens": 4},
            "cached_tokens": 10,
        },
    }


def test_a_foreign_answer_streamed_is_the_same() -> None:
    whole = COHERE.decode_response(COHERE.encode_response(_foreign(), TARGET).body, TARGET)
    streamed = _run(_encoded(events_of(_foreign()))).response
    assert streamed is not None
    assert streamed.message.parts == whole.message.parts
    assert (streamed.finish, streamed.usage) == (whole.finish, whole.usage)


def test_a_free_form_input_is_wrapped_in_a_stream_as_in_a_whole_answer() -> None:
    call = ToolCall(id="c", name="sh", arguments_text="ls -l", input="text")
    answer = Response(choices=(Choice(message=assistant(call), finish=Finish(reason="tool_calls")),))
    whole = COHERE.decode_response(COHERE.encode_response(answer, TARGET).body, TARGET)
    streamed = _run(_encoded(events_of(answer))).response
    assert streamed is not None
    assert [call.arguments for call in whole.tool_calls] == [{"input": "ls -l"}]
    assert streamed.tool_calls == whole.tool_calls


def test_logprobs_of_a_stream_are_named_as_lost() -> None:
    logprobs = [{"text": "a", "token_ids": [5], "logprobs": [-0.5]}]
    response = COHERE.decode_response({**ANSWERS["text"], "logprobs": logprobs}, TARGET)
    encoder = COHERE.stream_encoder(REQUEST, TARGET)
    for event in events_of(response):
        encoder.feed(event)
    assert [entry.path for entry in encoder.adaptations()] == ["choices[0].extras.cohere.logprobs"]


def test_citations_whose_places_are_lost_are_written_all_the_same() -> None:
    other = {**CITATION, "type": "PLAN"}
    response = COHERE.decode_response(ANSWERS["citations"], TARGET)
    message = replace(response.message, extras={"cohere": {"citations": [other]}})
    changed = replace(response, choices=(replace(response.choices[0], message=message),))
    assert COHERE.encode_response(changed, TARGET).body["message"]["citations"] == [CITATION, other]


# -- streams -----------------------------------------------------------------------------------------------------------


def _event(kind: str, **members: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode({"type": kind, **members}) + b"\n\n"


def _message(kind: str, index: int | None = None, **message: Any) -> bytes:
    placed = {} if index is None else {"index": index}
    return _event(kind, **placed, delta={"message": message})


START = _event("message-start", id="r", delta={"message": {"role": "assistant", "content": []}})
END = _event("message-end", delta={"finish_reason": "COMPLETE", "usage": USAGE})
DONE = b"data: [DONE]\n\n"


def _text(words: str, index: int = 0) -> bytes:
    return b"".join(
        (
            _message("content-start", index, content={"type": "text", "text": ""}),
            _message("content-delta", index, content={"text": words}),
            _event("content-end", index=index),
        )
    )


def _call(index: int, *pieces: str) -> bytes:
    begun = {"id": f"f_{index}", "type": "function", "function": {"name": "f", "arguments": ""}}
    deltas = b"".join(
        _message("tool-call-delta", index, tool_calls={"function": {"arguments": piece}}) for piece in pieces
    )
    return _message("tool-call-start", index, tool_calls=begun) + deltas + _event("tool-call-end", index=index)


STREAM = b"".join(
    (
        START,
        _message("content-start", 0, content={"type": "thinking", "thinking": ""}),
        _message("content-delta", 0, content={"thinking": "Hm."}),
        _event("content-end", index=0),
        _message("tool-plan-delta", tool_plan="I will "),
        _message("tool-plan-delta", tool_plan="look."),
        _call(0, '{"a": ', '"ü\\', 'n"}'),
        _call(1),
        END,
        DONE,
    )
)
CITED = b"".join(
    (
        START,
        _text("Sunny, 世界."),
        _message("citation-start", 0, citations=CITATION),
        _event("citation-end", index=0),
        _message("citation-start", 1, citations={**CITATION, "type": "THINKING_CONTENT"}),
        END,
        DONE,
    )
)


def _run(body: bytes, target: Target = TARGET) -> Run:
    run = run_decoder(COHERE.stream_decoder(target), [body])
    check_events(run.events)
    return run


def _encoded(events: Any) -> bytes:
    encoder = COHERE.stream_encoder(REQUEST, TARGET)
    return b"".join([*(encoder.feed(event) for event in events), encoder.close()])


@pytest.mark.parametrize("stream", [STREAM, CITED], ids=["calls", "citations"])
def test_a_stream_is_its_unstreamed_form(stream: bytes) -> None:
    run = _run(stream)
    response = run.response
    assert response is not None
    body = COHERE.encode_response(response, TARGET).body
    assert first_difference(told(response), told(COHERE.decode_response(body, TARGET))) is None
    again = _run(_encoded(run.events)).response
    assert first_difference(told(response), told(again)) is None


def test_what_a_stream_says_stands_in_its_parts() -> None:
    response = _run(STREAM).response
    assert response is not None
    assert [type(part).__name__ for part in response.message.parts] == ["Reasoning", "Text", "ToolCall", "ToolCall"]
    assert [call.arguments_text for call in response.tool_calls] == ['{"a": "ü\\n"}', ""]
    assert response.usage.billed_input_tokens == 41
    cited = _run(CITED).response
    assert cited is not None
    text = cited.message.parts[0]
    assert isinstance(text, Text)
    assert len(text.citations) == 1


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_cuts_anywhere_change_nothing(size: int) -> None:
    for offset in range(size):
        pieces = [STREAM[:offset], *(STREAM[at : at + size] for at in range(offset, len(STREAM), size))]
        assert run_decoder(COHERE.stream_decoder(TARGET), pieces).events == _run(STREAM).events


def test_a_stream_without_its_end_is_truncated() -> None:
    cut = STREAM.index(b"event: message-end")
    for length in range(0, cut, 7):
        assert isinstance(_run(STREAM[:length]).error, StreamTruncated), length
    assert isinstance(_run(STREAM[:cut] + DONE).error, StreamTruncated)
    assert _run(STREAM.removesuffix(DONE)).error is None


HOSTILE: dict[str, tuple[bytes, type[Exception] | None]] = {
    "the same start again": (START + START + _text("a") + END, None),
    "another answer spliced in": (START + _text("a") + START.replace(b'"r"', b'"s"') + END, ProtocolViolation),
    "content before the start": (_text("a") + START + END, ProtocolViolation),
    "a delta of nothing": (START + _message("content-delta", 3, content={"text": "x"}) + END, ProtocolViolation),
    "a block started twice": (START + _text("a")[:120] + _text("a") + END, ProtocolViolation),
    "an unknown event": (START + _event("sparkle", x=1) + _event("debug", prompt="p") + _text("a") + END, None),
    "malformed JSON": (START + b"data: {oops\n\n", ProtocolViolation),
    "a text that is none": (START + _text("a").replace(b'"text":"a"', b'"text":7') + END, ProtocolViolation),
    "no usage": (START + _text("a") + _event("message-end", delta={"finish_reason": "COMPLETE"}), None),
    "no finish": (START + _text("a") + _event("message-end", delta={"usage": USAGE}), StreamTruncated),
    "an error at the end": (
        START + _text("a") + _event("message-end", delta={"finish_reason": "ERROR", "error": "boom"}),
        ServerFault,
    ),
    "events after the end": (START + _text("a") + END + _text("b"), None),
    "no indices": (START + _text("a").replace(b',"index":0', b"") + END, None),
    "parts left open": (START + _text("a").rpartition(b"event: content-end")[0] + END, None),
    "a late citation": (
        START + _text("a") + _text("", 1) + _message("citation-start", 0, citations=CITATION) + END,
        None,
    ),
}


@pytest.mark.parametrize(("body", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_stream_ends_by_its_rule(body: bytes, error: type[Exception] | None) -> None:
    run = _run(body)
    if error is None:
        assert run.error is None
        assert run.response is not None
        assert run.response.content == "a"
        return
    assert isinstance(run.error, error)
    assert run.response is None
    if isinstance(run.error, ProviderError):
        assert run.error.in_stream
        assert run.error.partial.content == "a"


def test_a_host_may_leave_the_finish_out() -> None:
    target = replace(TARGET, quirks=Quirks(cohere=CohereQuirks(finish_optional=True)))
    response = _run(START + _text("a"), target).response
    assert response is not None
    assert response.finish_reason == "stop"


def test_an_error_in_mid_stream_ends_the_message() -> None:
    encoder = COHERE.stream_encoder(REQUEST, TARGET)
    run = _run(START + _text("a") + encoder.fail(ServerFault("boom", provider="p")))
    assert isinstance(run.error, ServerFault)
    assert run.error.provider_message == "boom"


# -- errors and vectors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "invalid request: p must be between 0 and 1", BadRequest),
        (400, "too many tokens: size limit exceeded by 12 tokens", ContextOverflow),
        (401, "invalid api token", AuthenticationFailed),
        (402, "billing limit reached", QuotaExhausted),
        (404, "model 'x' not found", NotFound),
        (429, "You are using a Trial key, which is limited to 20 API calls / minute.", RateLimited),
        (429, "You are using a Trial key, which is limited to 1000 API calls / month.", QuotaExhausted),
        (498, "deny-listed token", ContentBlocked),
        (500, "internal", ServerFault),
        (501, "not implemented", BadRequest),
    ],
)
def test_an_error_becomes_its_class(status: int, message: str, kind: type[Exception]) -> None:
    body = msgspec.json.encode({"id": "e-1", "message": message})
    error = COHERE.decode_error(status, {}, body, TARGET)
    assert type(error) is kind
    assert (error.status, error.provider, error.provider_message, error.request_id) == (
        status,
        "cohere",
        message,
        "e-1",
    )


def test_a_page_instead_of_an_error_is_told_in_short() -> None:
    error = COHERE.decode_error(502, {}, b"<html><title>502 Bad Gateway</title></html>", TARGET)
    assert error.provider_message == "a web page instead of an answer: 502 Bad Gateway"


def test_errors_for_clients_are_a_message() -> None:
    encoded = COHERE.encode_error(InvalidRequest("p should be a number", path="p"))
    assert (encoded.status, encoded.body) == (400, {"message": "p should be a number"})


@pytest.mark.parametrize(
    "embeddings",
    [
        {"float": [[0.5, 1.5], [0.25, -1.0]]},
        {"int8": [[1, 2], [3, 4]]},
        {"float": [[0.5, 1], [0.25, -1.0]], "int8": [[1, 2], [3, 4]]},
        {"base64": [base64.b64encode(struct.pack("<2f", 0.5, 1.5)).decode()]},
        [[0.5, 1.5]],
    ],
)
def test_vectors_survive(embeddings: Any) -> None:
    assert COHERE.decode_embedding_response is not None
    assert COHERE.encode_embedding_response is not None
    body = {
        "id": "e",
        "embeddings": embeddings,
        "texts": ["a"],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 8}},
        "response_type": "embeddings_by_type",
    }
    response = COHERE.decode_embedding_response(body, TARGET)
    assert all(len(vector) == 2 for vector in response.vectors)
    assert response.usage.input_tokens == 8
    assert COHERE.encode_embedding_response(response, TARGET).body == body
