"""Whole answers: every body survives, fields tell what it says, and answers of others are complete here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dragoman.dialects.bedrock.dialect import DIALECT
from dragoman.errors import NotFound, ProtocolViolation, ProviderError
from dragoman.values import (
    Choice,
    Citation,
    Finish,
    FinishReason,
    Media,
    Part,
    Reasoning,
    Refusal,
    Response,
    Text,
    ToolCall,
    Usage,
    assistant,
    replace,
)
from tests.dialects.bedrock.bodies import ANSWERS
from tests.dialects.bedrock.wire import TARGET, answer, paths
from tests.wire.comparing import first_difference


def _decoded(body: Any) -> Response:
    return DIALECT.decode_response(body, TARGET)


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
def test_a_body_survives(body: dict[str, Any]) -> None:
    again = DIALECT.encode_response(_decoded(body), TARGET)
    assert first_difference(body, again.body) is None
    assert again.adaptations == ()


def test_fields_tell_what_an_answer_says() -> None:
    response = _decoded(ANSWERS["everything"])
    assert (response.id, response.model, response.provider) == (None, TARGET.model, "bedrock")
    assert response.reasoning == "Hm."
    assert response.content == "Hm.Paris is large."
    assert [call.id for call in response.tool_calls] == ["tooluse_1"]
    assert response.finish == Finish(reason="tool_calls", raw="tool_use", stop_sequence="|")
    assert response.service_tier == "priority"
    assert set(response.extras["bedrock"]) >= {"metrics", "trace", "performanceConfig", "later"}


def test_citations_tell_their_sources() -> None:
    (text,) = [part for part in _decoded(ANSWERS["everything"]).message.parts if isinstance(part, Text)][1:]
    told = [(citation.kind, citation.url, citation.source_id, citation.cited_text) for citation in text.citations]
    assert told == [
        ("document", None, "s-1", "Paris is"),
        ("url", "https://example.org", None, None),
        ("url", "https://x.y", "https://x.y", None),
        ("document", None, "3", None),
        ("other", None, None, None),
    ]


def test_usage_includes_the_cache() -> None:
    usage = _decoded(ANSWERS["the cache"]).usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (31, 2, 33)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (10, 20)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (5, 15)
    assert usage.tool_uses == {"webSearchRequests": 2}


def test_details_alone_tell_what_was_written() -> None:
    details = [{"ttl": "1h", "inputTokens": 5}, {"ttl": "1h", "inputTokens": 2}]
    usage = _decoded(answer("Hi", usage={"inputTokens": 1, "outputTokens": 1, "cacheDetails": details})).usage
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == (8, 7, 7)


def test_nothing_reported_is_nothing() -> None:
    message: Any = {"role": "assistant", "content": []}
    body = {"output": {"message": message}, "stopReason": "end_turn"}
    assert _decoded(body).usage == Usage()


def test_an_edited_usage_is_said_as_edited() -> None:
    response = _decoded(ANSWERS["the cache"])
    edited = replace(response, usage=replace(response.usage, output_tokens=4, total_tokens=None))
    body = DIALECT.encode_response(edited, TARGET).body
    assert body["usage"] == {
        "inputTokens": 1,
        "outputTokens": 4,
        "totalTokens": 35,
        "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 20,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
    }


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("a_new_word", "other"),
    ],
)
def test_stop_reasons(stop: str, reason: FinishReason) -> None:
    assert _decoded(answer("Hi", stop=stop)).finish == Finish(reason=reason, raw=stop)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "output"),
        ({"output": {}}, "output.message"),
        ({"output": {"message": {"content": {}}}}, "output.message.content"),
        (answer("Hi", usage={"inputTokens": "1"}), "usage.inputTokens"),
        (answer({"toolUse": {"name": "f", "input": {}}}), "output.message.content[0].toolUse.toolUseId"),
        (answer("Hi", stop=1), "stopReason"),  # type: ignore[arg-type]
        (answer("Hi", serviceTier=[]), "serviceTier"),
        ([], "body"),
    ],
)
def test_another_shape_is_a_violation_that_names_its_place(body: Any, path: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        _decoded(body)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "Something failed."}, ProviderError),
        ({"Output": {"__type": "com.amazon.coral.service#UnknownOperationException"}, "Version": "1.0"}, NotFound),
    ],
)
def test_an_error_in_place_of_an_answer_is_raised(body: Any, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        _decoded(body)


# -- answers of others -------------------------------------------------------------------------------------------------


def _foreign(*parts: Part, reason: FinishReason = "stop", **members: Any) -> Response:
    finish = Finish(reason=reason, raw="their word", stop_sequence=members.pop("stop_sequence", None))
    choice = Choice(message=assistant(*parts), finish=finish)
    return Response(id="r-1", model="a-model", provider="elsewhere", dialect="nowhere", choices=(choice,), **members)


def test_an_answer_of_others_is_complete() -> None:
    usage = Usage(input_tokens=12, output_tokens=7, cache_read_tokens=4, reasoning_tokens=3, reported_cost=Decimal(1))
    call = ToolCall(id="call 1", name="f", arguments_text='{"a": 1}')
    encoded = DIALECT.encode_response(
        _foreign(Reasoning(text="Hm."), Text(text="Yes."), call, reason="tool_calls", usage=usage), TARGET
    )
    assert encoded.body["output"]["message"]["content"][:2] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
        {"text": "Yes."},
    ]
    assert encoded.body["output"]["message"]["content"][2]["toolUse"]["input"] == {"a": 1}
    assert encoded.body["stopReason"] == "tool_use"
    assert encoded.body["usage"] == {
        "inputTokens": 8,
        "outputTokens": 7,
        "totalTokens": 19,
        "cacheReadInputTokens": 4,
    }
    assert paths(encoded.adaptations) == [("usage.reasoning_tokens", "dropped"), ("metrics", "defaulted")]


def test_sources_of_others_are_said_as_pages_of_the_web() -> None:
    source = Citation(kind="url", url="https://x.y", title="T", cited_text="words", source_id="s")
    nowhere = Citation(kind="file", title="A file")
    encoded = DIALECT.encode_response(_foreign(Text(text="Yes.", citations=(source, nowhere))), TARGET)
    (block,) = encoded.body["output"]["message"]["content"]
    assert block["citationsContent"]["citations"] == [
        {
            "title": "T",
            "source": "s",
            "sourceContent": [{"text": "words"}],
            "location": {"web": {"url": "https://x.y"}},
        }
    ]
    assert ("choices[0].message.parts[0].citations", "dropped") in paths(encoded.adaptations)


@pytest.mark.parametrize(
    ("reason", "stop", "adapted"),
    [
        ("stop", "end_turn", False),
        ("length", "max_tokens", False),
        ("content_filter", "content_filtered", False),
        ("refusal", "content_filtered", True),
        ("paused", "end_turn", True),
        ("error", "malformed_model_output", True),
        ("other", "end_turn", True),
    ],
)
def test_ends_of_others(reason: FinishReason, stop: str, adapted: bool) -> None:
    encoded = DIALECT.encode_response(_foreign(Text(text="Hm."), reason=reason), TARGET)
    assert encoded.body["stopReason"] == stop
    assert (("choices[0].finish.reason", "substituted") in paths(encoded.adaptations)) is adapted


def test_a_stop_sequence_of_others_is_told() -> None:
    body = DIALECT.encode_response(_foreign(Text(text="Hm."), stop_sequence="|"), TARGET).body
    assert body["stopReason"] == "stop_sequence"
    assert body["additionalModelResponseFields"] == {"stop_sequence": "|"}
    assert _decoded(body).finish == Finish(reason="stop", raw="stop_sequence", stop_sequence="|")


def test_a_refusal_is_text_and_a_filtered_end() -> None:
    body = DIALECT.encode_response(_foreign(Refusal(text="No.")), TARGET).body
    assert body["output"]["message"]["content"] == [{"text": "No."}]
    assert body["stopReason"] == "content_filtered"


def test_more_answers_than_one_are_recorded() -> None:
    response = _foreign(Text(text="One."), service_tier="scale")
    second = Choice(index=1, message=assistant("Two."), finish=Finish(reason="stop"))
    encoded = DIALECT.encode_response(replace(response, choices=(*response.choices, second)), TARGET)
    assert {("choices[1]", "dropped"), ("service_tier", "dropped")} <= set(paths(encoded.adaptations))


def test_media_of_others_are_said() -> None:
    picture = Media(kind="image", data="AAAA", media_type="image/png")
    body = DIALECT.encode_response(_foreign(picture), TARGET).body
    assert body["output"]["message"]["content"] == [{"image": {"format": "png", "source": {"bytes": "AAAA"}}}]
