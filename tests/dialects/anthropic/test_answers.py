"""Unstreamed answers: the API's own survive unchanged, those of other wires are complete for a client of this one."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import BadRequest, Overloaded, ProtocolViolation
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    FinishReason,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Replay,
    Response,
    Text,
    ToolCall,
    Usage,
    from_json,
    to_json,
)
from tests.dialects.anthropic.bodies import ANSWERS
from tests.dialects.anthropic.wire import ELSEWHERE, TARGET, answer, paths


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_survives_decoding_and_encoding(name: str) -> None:
    response = DIALECT.decode_response(ANSWERS[name], TARGET)
    encoded = DIALECT.encode_response(response, TARGET)
    assert encoded.body == ANSWERS[name]
    assert encoded.adaptations == ()
    assert from_json(to_json(response)) == response


def test_an_answer_is_told_apart() -> None:
    response = DIALECT.decode_response(ANSWERS["calls"], TARGET)
    assert (response.id, response.model, response.provider, response.dialect) == (
        "msg_1",
        "claude-x",
        "anthropic",
        "anthropic",
    )
    assert (response.content, response.finish_reason) == ("Hi", "tool_calls")
    assert [call.id for call in response.tool_calls] == ["toolu_1", "toolu_2"]
    assert response.tool_calls[1].arguments == {}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "paused"),
        ("compaction", "paused"),
        ("refusal", "refusal"),
        ("bored", "other"),
    ],
)
def test_stop_reasons_have_our_words(raw: str, reason: str) -> None:
    finish = DIALECT.decode_response(answer(stop_reason=raw), TARGET).finish
    assert finish is not None
    assert (finish.raw, finish.reason) == (raw, reason)


def test_a_refusal_keeps_its_details() -> None:
    response = DIALECT.decode_response(ANSWERS["refusal"], TARGET)
    assert response.finish is not None
    assert response.finish.detail == {"type": "refusal", "category": "cyber", "explanation": None}


_WRONG: list[tuple[Any, str]] = [
    ({}, "content"),
    ([], "body"),
    (answer() | {"content": "Hi"}, "content"),
    (answer({"type": "text", "text": 1}), "content[0].text"),
    (answer(stop_reason=1), "stop_reason"),
    (answer(usage=1), "usage"),
    (answer(usage={"input_tokens": "x"}), "usage.input_tokens"),
    (answer() | {"id": 1}, "id"),
    (answer() | {"model": {}}, "model"),
]


@pytest.mark.parametrize(("body", "path"), _WRONG)
def test_what_is_not_the_dialect_is_named(body: Any, path: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        DIALECT.decode_response(body, TARGET)
    assert caught.value.path == path


def test_an_error_in_an_answer_of_status_200_is_raised() -> None:
    with pytest.raises(Overloaded):
        DIALECT.decode_response({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, TARGET)
    with pytest.raises(BadRequest):
        DIALECT.decode_response({"error": {"type": "invalid_request_error", "message": "x"}}, TARGET)


# -- answers of other wires --------------------------------------------------------------------------------------------


def _foreign(*parts: Part, reason: FinishReason = "stop", **members: Any) -> Response:
    choice = Choice(message=Message("assistant", parts=parts), finish=Finish(reason=reason, raw="STOP"))
    return Response(model="gpt", provider="openai", dialect="openai-chat", choices=(choice,), **members)


def test_a_foreign_answer_is_complete() -> None:
    encoded = DIALECT.encode_response(_foreign(Text(text="Hi")), TARGET)
    body = encoded.body
    assert body["id"].startswith("msg_")
    assert body == DIALECT.encode_response(_foreign(Text(text="Hi")), TARGET).body
    assert {name: body[name] for name in body.keys() - {"id", "usage"}} == {
        "type": "message",
        "role": "assistant",
        "model": "gpt",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
    }
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (0, 0)
    assert paths(encoded.adaptations) == [("usage", "defaulted")]


@pytest.mark.parametrize(
    ("reason", "raw"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
        ("refusal", "refusal"),
        ("paused", "pause_turn"),
        ("error", "end_turn"),
        ("other", "end_turn"),
    ],
)
def test_every_finish_is_said(reason: FinishReason, raw: str) -> None:
    encoded = DIALECT.encode_response(_foreign(reason=reason, usage=Usage(input_tokens=1, output_tokens=1)), TARGET)
    assert encoded.body["stop_reason"] == raw
    exact = reason not in ("content_filter", "error", "other")
    assert paths(encoded.adaptations) == ([] if exact else [("choices[0].finish.reason", "substituted")])


def test_parts_of_other_wires_are_said_or_recorded() -> None:
    signed = Reasoning(text="Hm.", replay=(Replay(issuer="google", dialect="gemini", kind="x", data="secret"),))
    response = _foreign(
        signed,
        Reasoning(form="redacted"),
        Text(text="See", citations=(Citation(kind="url", url="https://e.org"), Citation(kind="file", source_id="f"))),
        Refusal(text="No."),
        ToolCall(id="call:1", name="t", arguments_text='{"a":1}'),
        ToolCall(id="b", name="search", runner="provider"),
        Media(kind="image", data="AAAA"),
        Opaque(dialect="gemini", kind="x", data={}),
        usage=Usage(input_tokens=1, output_tokens=1),
    )
    encoded = DIALECT.encode_response(response, TARGET)
    thinking, text, refusal, call = encoded.body["content"]
    assert (thinking["thinking"], "secret" in str(encoded.body)) == ("Hm.", False)
    assert text["citations"] == [
        {
            "type": "web_search_result_location",
            "url": "https://e.org",
            "title": None,
            "cited_text": "",
            "encrypted_index": "",
        }
    ]
    assert refusal == {"type": "text", "text": "No."}
    assert (call["id"][:6], call["input"]) == ("call_1", {"a": 1})
    assert encoded.body["stop_reason"] == "refusal"
    where = "choices[0].message.parts"
    assert paths(encoded.adaptations) == [
        (f"{where}[0].replay", "dropped"),
        (f"{where}[1]", "dropped"),
        (f"{where}[2].citations", "dropped"),
        (f"{where}[3]", "substituted"),
        (f"{where}[5]", "dropped"),
        (f"{where}[6]", "dropped"),
        (f"{where}[7]", "dropped"),
    ]


def test_what_a_foreign_answer_was_given_is_not_sent_to_an_issuer() -> None:
    """A client sends our answer back as history: unsigned thoughts and empty indices are nobody's state."""
    said = _foreign(Reasoning(text="Hm."), Text(text="See", citations=(Citation(kind="url", url="https://e.org"),)))
    turn = {"role": "assistant", "content": DIALECT.encode_response(said, TARGET).body["content"]}
    request = DIALECT.decode_request({"model": "m", "max_tokens": 1, "messages": [turn]}, TARGET)
    thought = request.messages[0].parts[0]
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.replay) == ("Hm.", ())
    encoded = DIALECT.encode_request(request, TARGET)
    assert encoded.body["messages"] == [{"role": "assistant", "content": [{"type": "text", "text": "See"}]}]
    assert paths(encoded.adaptations) == [
        ("messages[0].parts[0]", "dropped"),
        ("messages[0].parts[1].citations", "dropped"),
    ]


def test_several_choices_are_recorded() -> None:
    first = _foreign(Text(text="A"))
    response = Response(
        model="m", choices=(first.choices[0], Choice(index=1, message=Message("assistant", "B"))), usage=Usage()
    )
    assert ("choices[1]", "dropped") in paths(DIALECT.encode_response(response, TARGET).adaptations)


def test_an_answer_shown_to_another_issuers_target_holds_no_state() -> None:
    encoded = DIALECT.encode_response(DIALECT.decode_response(ANSWERS["thinking"], TARGET), ELSEWHERE)
    assert "signed" not in {block.get("signature") for block in encoded.body["content"]}
    assert "sealed" not in str(encoded.body)
    assert encoded.adaptations
