"""Unstreamed answers: everything they hold survives, and goes where the values have a place for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dragoman.dialects.openai_chat.dialect import DIALECT
from dragoman.errors import ProtocolViolation
from dragoman.values import (
    Choice,
    Citation,
    Cost,
    Finish,
    Media,
    Message,
    MessageRole,
    Opaque,
    Reasoning,
    Refusal,
    Replay,
    Request,
    Response,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    from_json,
    replace,
    to_json,
    tool_result,
    user,
)
from dragoman.values.unrolled import events_of
from tests.dialects.openai_chat.answers import ANSWERS, answer
from tests.dialects.openai_chat.wire import DEEPSEEK, JSON, OPENAI, actions, members_of, run, target
from tests.wire.comparing import first_difference, told
from tests.wire.laws import check_events


def decoded(name: str) -> Response:
    return DIALECT.decode_response(ANSWERS[name], OPENAI)


def first_parts(name: str) -> tuple[Any, ...]:
    return decoded(name).message.parts


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_survives(name: str) -> None:
    response = decoded(name)
    encoded = DIALECT.encode_response(response, OPENAI)
    assert first_difference(ANSWERS[name], encoded.body) is None
    assert encoded.adaptations == ()
    assert DIALECT.decode_response(encoded.body, OPENAI) == response
    assert from_json(to_json(response)) == response
    assert (response.provider, response.dialect) == ("openai", "openai-chat")


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "no finish"])
def test_an_answer_streamed_to_a_client_is_the_same(name: str) -> None:
    response = decoded(name)
    encoder = DIALECT.stream_encoder(Request(model="m", stream=True, stream_usage=True), OPENAI)
    body = b"".join([*(encoder.feed(event) for event in events_of(response)), encoder.close()])
    again = run(body)
    assert again.error is None
    check_events(again.events)
    difference = first_difference(told(response), told(again.response))
    assert difference is None or name in _NOT_ALIKE, difference


_NOT_ALIKE = {
    "lean",  # an id and a time had to be minted
    "empty words",  # an empty finish_reason would end no stream
    "a legacy call",  # the client did not offer functions, so it gets a tool call
    "a content list of texts",  # a stream's pieces of text are one text
    "several choices",  # a stream's choices are in the order of their index
}


def test_the_whole_of_an_answer() -> None:
    response = decoded("text")
    assert (response.id, response.model, response.created) == ("chatcmpl-1", "gpt-4o-2024-08-06", 1767225600)
    assert (response.content, response.finish) == ("Ho", Finish(reason="stop", raw="stop"))
    assert response.service_tier == "default"
    assert members_of(response.extras) == {"system_fingerprint": "fp_1"}
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (9, 7, 16)


def test_calls() -> None:
    assert first_parts("calls") == (
        ToolCall(id="call_1", name="weather", arguments_text='{"city": "Genève"}'),
        ToolCall(id="call_2", name="weather", arguments_text='{"city": "Genève"}'),
    )
    assert decoded("calls").finish_reason == "tool_calls"


def test_a_call_without_an_id_can_be_answered() -> None:
    response = decoded("a call without an id")
    (call,) = response.tool_calls
    assert call.id
    asked = Request(model="m", messages=(user("?"), response.message, tool_result(call, "21")))
    written = DIALECT.encode_request(asked, OPENAI).body["messages"]
    assert written[1]["tool_calls"][0]["id"] == written[2]["tool_call_id"] == call.id


def test_a_free_form_call() -> None:
    (_, call) = first_parts("a free-form call")
    assert call == ToolCall(id="c", name="s", arguments_text="l", input="text")


def test_a_refusal() -> None:
    response = decoded("a refusal")
    assert response.message.parts == (Refusal(text="No."),)
    assert (response.finish_reason, response.refusal) == ("refusal", "No.")


def test_annotations_are_citations_of_the_text() -> None:
    (text,) = first_parts("annotations")
    (citation,) = text.citations
    assert (citation.kind, citation.start, citation.end) == ("url", 0, 4)
    assert (citation.url, citation.title) == ("https://a.b", "A")
    kinds = [citation.kind for citation in first_parts("annotations of other kinds")[0].citations]
    assert kinds == ["document", "other", "url"]
    assert members_of(decoded("annotations without text").message.extras).keys() == {"annotations"}


def test_sources_of_the_whole_answer_are_citations_of_its_text() -> None:
    (text,) = first_parts("sources of the whole answer")
    assert [(citation.url, citation.title) for citation in text.citations] == [("https://a.b", "A")]


def test_audio() -> None:
    (audio,) = first_parts("audio")
    assert isinstance(audio, Media)
    assert (audio.kind, audio.data, audio.transcript) == ("audio", "UklG", "Ho")
    sent = DIALECT.encode_request(Request(model="m", messages=(decoded("audio").message,)), OPENAI).body
    assert sent["messages"][0]["audio"] == {"id": "audio_1"}
    elsewhere = DIALECT.encode_request(Request(model="m", messages=(decoded("audio").message,)), DEEPSEEK)
    assert "audio" not in elsewhere.body["messages"][0]
    assert ("dropped", "messages[0].parts[0]") in actions(elsewhere.adaptations)
    assert ("dropped", "messages[0].parts[0].replay") in actions(elsewhere.adaptations)


def test_images_go_back_to_their_issuer_alone() -> None:
    message = decoded("images").message
    assert isinstance(message.parts[1], Media)
    own = DIALECT.encode_request(Request(model="m", messages=(message,)), OPENAI)
    assert own.body["messages"][0]["images"][0]["image_url"] == {"url": "data:image/png;base64,iVBO"}
    other = DIALECT.encode_request(Request(model="m", messages=(message,)), DEEPSEEK)
    assert "images" not in other.body["messages"][0]
    assert ("dropped", "messages[0].parts[1]") in actions(other.adaptations)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("reasoning", "full"),
        ("reasoning content", "full"),
        ("reasoning details", "full"),
        ("thinking blocks", "full"),
        ("a reasoning summary", "summary"),
        ("a content list of Mistral's", "full"),
    ],
)
def test_reasoning_stands_before_the_text(name: str, form: str) -> None:
    response = decoded(name)
    thought = response.message.parts[0]
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.form, response.content) == ("Hm.", form, "Ho")


def test_state_without_words_stands_last() -> None:
    for name in ("encrypted reasoning", "signatures of Gemini"):
        last = first_parts(name)[-1]
        assert isinstance(last, Reasoning)
        assert (last.text, last.form) == ("", "redacted")


@pytest.mark.parametrize("name", ["reasoning details", "thinking blocks", "signatures of Gemini"])
def test_state_goes_back_to_its_issuer_where_the_host_takes_it(name: str) -> None:
    request = Request(model="m", messages=(decoded(name).message,))
    taking = replace(OPENAI, quirks=target(reasoning_member="reasoning").quirks)
    assert "c2ln" in str(DIALECT.encode_request(request, taking).body)
    kept_off = DIALECT.encode_request(request, OPENAI)
    assert "Hm." not in str(kept_off.body)
    assert "the host takes no earlier reasoning back" in str(kept_off.adaptations)
    other = DIALECT.encode_request(request, replace(DEEPSEEK, quirks=taking.quirks))
    assert "c2ln" not in str(other.body)
    assert "replay state of openai" in str(other.adaptations)


def test_a_host_s_own_member_for_reasoning() -> None:
    request = Request(model="m", messages=(decoded("reasoning").message,))
    for member in ("reasoning", "reasoning_content"):
        taking = replace(OPENAI, quirks=target(reasoning_member=member).quirks)
        assert DIALECT.encode_request(request, taking).body["messages"][0][member] == "Hm."


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("sensitive", "content_filter"),
        ("error", "error"),
        ("insufficient_system_resource", "error"),
        ("abort", "error"),
        ("bored", "other"),
    ],
)
def test_finish_words(word: str, reason: str) -> None:
    finish = DIALECT.decode_response(answer(finish=word), OPENAI).finish
    assert finish == Finish(reason=reason, raw=word)  # pyright: ignore[reportArgumentType]


def test_reasoning_in_an_object_is_read_and_given_back() -> None:
    body = answer({"content": "Ho", "reasoning_content": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}})
    response = DIALECT.decode_response(body, OPENAI)
    assert (response.reasoning, response.content) == ("Hm.", "Ho")
    assert first_difference(body, DIALECT.encode_response(response, OPENAI).body) is None


def test_a_stop_beside_calls_is_for_the_calls() -> None:
    call: JSON = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = answer({"content": None, "tool_calls": [call]}, finish="stop")
    response = DIALECT.decode_response(body, OPENAI)
    assert response.finish == Finish(reason="tool_calls", raw="stop")
    assert first_difference(body, DIALECT.encode_response(response, OPENAI).body) is None


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ("Ho", "body"),
        ({}, "choices"),
        ({"choices": None}, "choices"),
        ({"choices": {}}, "choices"),
        ({"choices": ["Ho"]}, "choices[0]"),
        (answer(choice={"message": "Ho"}), "choices[0].message"),
        (answer({"content": 7}), "choices[0].message.content"),
        (answer({"tool_calls": [{}]}), "choices[0].message.tool_calls[0].function"),
        (answer({"reasoning": []}) | {"id": 7}, "id"),
        (answer(usage={"prompt_tokens": "nine"}), "usage.prompt_tokens"),
        (answer(usage=[]), "usage"),
    ],
)
def test_what_is_no_answer_is_a_violation_by_name(wire: Any, path: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        DIALECT.decode_response(wire, OPENAI)
    assert caught.value.path == path


# -- answers of other dialects -----------------------------------------------------------------------------------------

SIGNED = Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="EqoBstate")


def foreign(*parts: Any, **members: Any) -> Response:
    finish = members.pop("finish", Finish(reason="stop", raw="end_turn"))
    choice = Choice(message=Message(MessageRole.ASSISTANT, parts=parts), finish=finish)
    fields: JSON = {"id": "msg_1", "model": "claude", "created": 5, **members}
    return Response(provider="anthropic", dialect="anthropic", choices=(choice,), **fields)


def test_an_answer_of_another_dialect_is_complete() -> None:
    response = foreign(
        Text(text="Ho, ", citations=(Citation(kind="url", url="https://a.b", start=0, end=2),)),
        Text(text="ho.", citations=(Citation(kind="url", url="https://c.d"),)),
        ToolCall(id="toolu_1", name="now"),
        usage=Usage(input_tokens=9, output_tokens=7, cache_read_tokens=2, reported_cost=Decimal("0.5")),
        cost=Cost(amount=Decimal(1)),
        finish=Finish(reason="tool_calls", raw="tool_use"),
    )
    encoded = DIALECT.encode_response(response, OPENAI)
    assert encoded.adaptations == ()
    assert encoded.body == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 5,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Ho, ho.",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {"start_index": 0, "end_index": 2, "url": "https://a.b", "title": ""},
                        },
                        {
                            "type": "url_citation",
                            "url_citation": {"start_index": 4, "end_index": 7, "url": "https://c.d", "title": ""},
                        },
                    ],
                    "tool_calls": [
                        {"id": "toolu_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
                    ],
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 7,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 2},
            "cost": 0.5,
        },
    }


def test_what_this_wire_cannot_say_of_an_answer_is_recorded() -> None:
    response = foreign(
        Reasoning(text="Hm.", replay=(SIGNED,)),
        Reasoning(form="redacted", replay=(SIGNED,)),
        ToolCall(id="s", name="web_search", runner="provider"),
        ToolResult(call_id="s", runner="provider"),
        Opaque(dialect="anthropic", kind="container_upload", data={}),
        Text(text="a", channel="commentary", citations=(Citation(kind="document"),)),
        finish=Finish(reason="paused", raw="pause_turn", stop_sequence="x", detail={}),
        id=None,
        created=None,
        extras={"anthropic": {"container": {}, ":form": 1}},
    )
    encoded = DIALECT.encode_response(response, OPENAI)
    message = encoded.body["choices"][0]["message"]
    assert message == {"role": "assistant", "reasoning_content": "Hm.", "content": "a", "refusal": None}
    assert encoded.body["id"].startswith("chatcmpl-")
    assert isinstance(encoded.body["created"], int)
    assert "EqoBstate" not in str(encoded.body)
    assert set(actions(encoded.adaptations)) == {
        ("dropped", "extras.anthropic.container"),
        ("dropped", "choices[0].message.parts[0].replay"),
        ("dropped", "choices[0].message.parts[1].replay"),
        ("dropped", "choices[0].message.parts[1]"),
        ("dropped", "choices[0].message.parts[2]"),
        ("dropped", "choices[0].message.parts[3]"),
        ("dropped", "choices[0].message.parts[4]"),
        ("substituted", "choices[0].message.parts[5].channel"),
        ("dropped", "choices[0].message.parts[5].citations[0]"),
        ("substituted", "choices[0].message.parts"),
        ("substituted", "choices[0].finish.reason"),
        ("dropped", "choices[0].finish.stop_sequence"),
        ("dropped", "choices[0].finish.detail"),
        ("defaulted", "id"),
        ("defaulted", "created"),
    }


@pytest.mark.parametrize(
    ("finish", "parts", "word"),
    [
        (Finish(reason="length", raw="max_tokens"), (Text(text="a"),), "length"),
        (Finish(reason="refusal", raw="refusal"), (), "content_filter"),
        (Finish(reason="refusal", raw="refusal"), (Refusal(text="No."),), "stop"),
        (Finish(reason="error"), (), "stop"),
    ],
)
def test_finish_words_for_answers_of_other_dialects(finish: Finish, parts: tuple[Any, ...], word: str) -> None:
    body = DIALECT.encode_response(foreign(*parts, finish=finish), OPENAI).body
    assert body["choices"][0]["finish_reason"] == word


def test_two_thoughts_are_one_on_this_wire() -> None:
    body = DIALECT.encode_response(foreign(Reasoning(text="a"), Reasoning(text="b"), Text(text="c")), OPENAI).body
    assert body["choices"][0]["message"]["reasoning_content"] == "a\n\nb"


def test_media_of_an_answer() -> None:
    response = foreign(
        Text(text="See:"),
        Media(kind="image", data="iVBO", media_type="image/png"),
        Media(kind="audio", data="UklG", transcript="Ho"),
        Media(kind="video", data="AAAA"),
    )
    encoded = DIALECT.encode_response(response, OPENAI)
    message = encoded.body["choices"][0]["message"]
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]
    assert message["audio"] == {"id": "audio_0", "data": "UklG", "transcript": "Ho", "expires_at": 0}
    assert ("dropped", "choices[0].message.parts[3]") in actions(encoded.adaptations)
