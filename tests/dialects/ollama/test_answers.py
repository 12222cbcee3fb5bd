"""Answers, streams, errors and vectors of Ollama's own API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects import load
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
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
    EmbeddingRequest,
    Finish,
    Finished,
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
from dragoman.values.quirks import OllamaQuirks
from dragoman.values.unrolled import events_of
from tests.wire.comparing import first_difference, told
from tests.wire.laws import Run, check_events, run_decoder

OLLAMA = load("ollama")
TARGET = Target(provider="ollama", issuer="ollama", model="m")
REQUEST = Request(model="m", stream=True)
HEAD: dict[str, Any] = {"model": "m", "created_at": "2025-10-17T23:14:07.414671Z"}
COUNTS = {"total_duration": 5, "load_duration": 1, "prompt_eval_count": 11, "eval_count": 18, "eval_duration": 3}


def _line(*, done: bool = False, **message: Any) -> dict[str, Any]:
    return {**HEAD, "message": {"role": "assistant", "content": "", **message}, "done": done}


def _bytes(*lines: dict[str, Any]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


LAST = {**_line(done=True), "done_reason": "stop", **COUNTS}
CALL = {"function": {"name": "f", "arguments": {"a": 1}}}

ANSWERS: dict[str, dict[str, Any]] = {
    "text": {**LAST, "message": {"role": "assistant", "content": "Hello!"}},
    "thinking and calls": {
        **LAST,
        "message": {
            "role": "assistant",
            "content": "Looking.",
            "thinking": "Hm.",
            "tool_calls": [CALL, {"id": "call_1", "function": {"index": 1, "name": "g", "arguments": {}}}],
        },
    },
    "an image": {**LAST, "message": {"role": "assistant", "content": "", "images": ["aGk="]}},
    "no counts, no reason": {"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": True},
    "explicit nothings": {**LAST, "message": {"role": "assistant", "content": None, "thinking": "", "images": None}},
    "logprobs": {**LAST, "logprobs": [{"token": "H", "logprob": -0.5}], "remote_model": "far"},
    "a loaded model": {
        "model": "m",
        "created_at": "x",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "load",
    },
    "no message": {"model": "m", "done": True, "done_reason": "length"},
}


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_survives(body: dict[str, Any]) -> None:
    response = OLLAMA.decode_response(body, TARGET)
    encoded = OLLAMA.encode_response(response, TARGET)
    assert encoded.body == body
    assert encoded.adaptations == ()


def test_what_an_answer_says_stands_in_fields() -> None:
    response = OLLAMA.decode_response(ANSWERS["thinking and calls"], TARGET)
    assert (response.reasoning, response.content) == ("Hm.", "Looking.")
    assert response.finish == Finish(reason="tool_calls", raw="stop")
    assert [call.arguments for call in response.tool_calls] == [{"a": 1}, {}]
    assert response.tool_calls[0].id.startswith("call_")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (11, 18)
    assert response.created == 1760742847
    assert not OLLAMA.decode_response(ANSWERS["no counts, no reason"], TARGET).usage


def test_calls_have_ids_of_their_own_in_every_answer() -> None:
    other = {**ANSWERS["thinking and calls"], "created_at": "2025-10-17T23:15:00Z"}
    ids = [OLLAMA.decode_response(body, TARGET).tool_calls[0].id for body in (ANSWERS["thinking and calls"], other)]
    assert ids[0] != ids[1]


@pytest.mark.parametrize("body", [{}, {"message": 7}, {"message": {"content": 7}}, {"message": {}, "done": "yes"}])
def test_what_is_no_answer_is_a_violation(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation):
        OLLAMA.decode_response(body, TARGET)


def test_a_foreign_answer_is_said_whole() -> None:
    parts = (
        Reasoning(text="Hm."),
        Reasoning(form="redacted"),
        Text(text="Yes.", citations=(Citation(kind="url", url="https://example.org"),)),
        Refusal(text=" No."),
        ToolCall(id="c", name="f"),
    )
    answer = Response(
        id="r",
        model="m",
        dialect="elsewhere",
        created=1760742847,
        choices=(Choice(message=assistant(*parts), finish=Finish(reason="content_filter", stop_sequence="x")),),
        usage=Usage(input_tokens=3, output_tokens=4),
    )
    encoded = OLLAMA.encode_response(answer, TARGET)
    assert encoded.body == {
        "model": "m",
        "created_at": "2025-10-17T23:14:07Z",
        "message": {
            "role": "assistant",
            "content": "Yes. No.",
            "thinking": "Hm.",
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}],
        },
        "done": True,
        "done_reason": "content_filter",
        "prompt_eval_count": 3,
        "eval_count": 4,
    }
    whole = OLLAMA.decode_response(encoded.body, TARGET)
    streamed = _run(_encoded(events_of(answer))).response
    assert streamed is not None
    assert first_difference(told(whole), told(streamed)) is None


# -- streams -----------------------------------------------------------------------------------------------------------


def _run(body: bytes, target: Target = TARGET) -> Run:
    run = run_decoder(OLLAMA.stream_decoder(target), [body])
    check_events(run.events)
    return run


def _encoded(events: Any) -> bytes:
    encoder = OLLAMA.stream_encoder(REQUEST, TARGET)
    return b"".join([*(encoder.feed(event) for event in events), encoder.close()])


STREAM = _bytes(
    _line(thinking="H"),
    _line(thinking="m."),
    _line(content="Grüße, "),
    _line(content="世界"),
    _line(tool_calls=[CALL]),
    _line(tool_calls=[CALL]),
    LAST,
)


def test_a_stream_is_its_unstreamed_form() -> None:
    response = _run(STREAM).response
    assert response is not None
    assert [type(part).__name__ for part in response.message.parts] == ["Reasoning", "Text", "ToolCall", "ToolCall"]
    assert (response.reasoning, response.content) == ("Hm.", "Grüße, 世界")
    assert response.tool_calls[0].id != response.tool_calls[1].id
    body = OLLAMA.encode_response(response, TARGET).body
    assert body["eval_duration"] == 3
    assert first_difference(told(response), told(OLLAMA.decode_response(body, TARGET))) is None
    again = _run(_encoded(_run(STREAM).events)).response
    assert first_difference(told(response), told(again)) is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_cuts_anywhere_change_nothing(size: int) -> None:
    for offset in range(size):
        pieces = [STREAM[:offset], *(STREAM[at : at + size] for at in range(offset, len(STREAM), size))]
        assert run_decoder(OLLAMA.stream_decoder(TARGET), pieces).events == _run(STREAM).events


def test_a_stream_cut_off_anywhere_before_its_last_line_is_truncated() -> None:
    for length in range(len(STREAM) - 1):
        run = _run(STREAM[:length])
        assert isinstance(run.error, StreamTruncated), length
    assert isinstance(_run(STREAM[:-1]).events[-1], Finished)


HOSTILE: dict[str, tuple[bytes, type[Exception] | None]] = {
    "malformed JSON": (_bytes(_line(content="a")) + b"{oops}\n", ProtocolViolation),
    "a text that is none": (_bytes(_line(content=7)), ProtocolViolation),
    "no object": (b"[]\n", ProtocolViolation),
    "another answer spliced in": (_bytes(_line(content="a"), {**_line(content="b"), "model": "n"}), ProtocolViolation),
    "an error after content": (_bytes(_line(content="a"), {"error": "boom"}), ProviderError),
    "an error of a status": (_bytes({"error": "slow down", "status_code": 429}), RateLimited),
    "no finish": (_bytes(_line(content="a")), StreamTruncated),
    "nothing": (b"", StreamTruncated),
    "an unknown line": (_bytes({"status": "pulling"}, _line(content="a"), LAST), None),
    "no counts": (_bytes(_line(content="a"), _line(done=True)), None),
    "no message in the last line": (_bytes(_line(content="a"), {"model": "m", "done": True}), None),
    "lines after the end": (_bytes(_line(content="a"), LAST, _line(content="b"), {"error": "late"}), None),
    "words in the last line": (_bytes({**LAST, "message": {"role": "assistant", "content": "a"}}), None),
    "blank lines": (b"\n" + _bytes(_line(content="a")) + b"\r\n\n" + _bytes(LAST), None),
    "a call without arguments": (_bytes(_line(content="a", tool_calls=[{"function": {"name": "f"}}]), LAST), None),
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


def test_thoughts_that_go_on_after_text_are_a_part_of_their_own() -> None:
    response = _run(_bytes(_line(thinking="a"), _line(content="b"), _line(thinking="c"), LAST)).response
    assert response is not None
    assert [type(part).__name__ for part in response.message.parts] == ["Reasoning", "Text", "Reasoning"]


def test_a_host_may_leave_the_last_line_out() -> None:
    target = replace(TARGET, quirks=Quirks(ollama=OllamaQuirks(finish_optional=True)))
    response = _run(_bytes(_line(content="a")), target).response
    assert response is not None
    assert response.finish_reason == "stop"


def test_an_error_in_mid_stream_is_a_line() -> None:
    encoder = OLLAMA.stream_encoder(REQUEST, TARGET)
    run = _run(_bytes(_line(content="a")) + encoder.fail(ServerFault("boom", provider="p")))
    assert isinstance(run.error, ServerFault)
    assert run.error.provider_message == "boom"


# -- errors and vectors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error":"m does not support tools"}', BadRequest),
        (400, b'{"error":"the input length exceeds the context length"}', ContextOverflow),
        (401, b'{"error":"unauthorized"}', AuthenticationFailed),
        (404, b'{"error":"model \'m\' not found"}', NotFound),
        (429, b'{"error":{"message":"slow","code":"x","type":"y"}}', RateLimited),
        (429, b'{"error":"you (me) have reached your session usage limit"}', RateLimited),
        (429, b'{"error":"you (me) have reached your weekly usage limit"}', QuotaExhausted),
        (500, b'{"error":"server busy, please try again. maximum pending requests exceeded"}', Overloaded),
        (502, b"<html><title>502 Bad Gateway</title></html>", ServerFault),
        (503, b"", Overloaded),
    ],
)
def test_an_error_becomes_its_class(status: int, body: bytes, kind: type[Exception]) -> None:
    error = OLLAMA.decode_error(status, {"retry-after": "3"}, body, TARGET)
    assert type(error) is kind
    assert (error.status, error.provider, error.retry_after) == (status, "ollama", 3)


def test_errors_for_clients_are_one_text() -> None:
    encoded = OLLAMA.encode_error(InvalidRequest("stream should be true or false", path="stream"))
    assert (encoded.status, encoded.body) == (400, {"error": "stream should be true or false"})
    hidden = OLLAMA.encode_error(AuthenticationFailed("bad key sk-1", provider="p"))
    assert "sk-1" not in hidden.body["error"]


def test_vectors_survive() -> None:
    body = {"model": "m", "input": "Hi", "options": {"temperature": 0}, "truncate": True}
    assert OLLAMA.decode_embedding_request is not None
    assert OLLAMA.encode_embedding_request is not None
    assert OLLAMA.decode_embedding_response is not None
    assert OLLAMA.encode_embedding_response is not None
    assert OLLAMA.encode_embedding_request(OLLAMA.decode_embedding_request(body, TARGET), TARGET).body == body
    asked = OLLAMA.encode_embedding_request(EmbeddingRequest(model="m", inputs=("a", "b"), task="query"), TARGET)
    assert (asked.path, asked.body) == ("/embed", {"model": "m", "input": ["a", "b"]})
    assert [entry.path for entry in asked.adaptations] == ["task"]
    answer = {"model": "m", "embeddings": [[0.5, 1], [0.25, -1.0]], "total_duration": 3, "prompt_eval_count": 8}
    response = OLLAMA.decode_embedding_response(answer, TARGET)
    assert response.vectors == ((0.5, 1.0), (0.25, -1.0))
    assert response.usage.input_tokens == 8
    assert OLLAMA.encode_embedding_response(response, TARGET).body == answer
