"""Unstreamed answers of this wire survive decoding and encoding; answers of others are complete for its clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.dialects.gemini.dialect import DIALECT
from dragoman.dialects.gemini.words import REASONS
from dragoman.errors import AuthenticationFailed, Overloaded, ProtocolViolation
from dragoman.values import (
    Citation,
    Finish,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Replay,
    Response,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    replace,
)
from tests.dialects.gemini.wire import (
    ELSEWHERE,
    TARGET,
    answer,
    answer_survives,
    answered,
    changed,
    foreign,
    places,
    target,
)

FULL: Any = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "Let me see.", "thought": True},
                    {"text": "It rains in Zürich.", "thoughtSignature": "c2ln"},
                    {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                    {"functionCall": {"name": "f", "args": {"a": 1.0}}},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "finishMessage": "Model generated function call(s).",
            "index": 0,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW", "blocked": False}],
            "avgLogprobs": -0.5,
            "logprobsResult": {"chosenCandidates": [{"token": "It", "logProbability": -0.1, "tokenId": 5}]},
            "citationMetadata": {
                "citationSources": [{"startIndex": 3, "endIndex": 8, "uri": "https://a", "license": "x"}]
            },
            "groundingMetadata": {
                "webSearchQueries": ["weather"],
                "groundingChunks": [{"web": {"uri": "https://w", "title": "W"}}],
                "groundingSupports": [
                    {"segment": {"startIndex": 12, "endIndex": 19, "text": "Zürich"}, "groundingChunkIndices": [0]}
                ],
            },
        },
        {"content": {"parts": [{"text": "Second."}]}, "finishReason": "MAX_TOKENS", "index": 1},
    ],
    "promptFeedback": {"safetyRatings": []},
    "usageMetadata": {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 5,
        "totalTokenCount": 25,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "IMAGE", "tokenCount": 2}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 4}],
        "serviceTier": "standard",
        "trafficType": "ON_DEMAND",
    },
    "modelVersion": "gemini-x-001",
    "createTime": "2026-02-17T04:28:18.088960Z",
    "responseId": "r-1",
    "modelStatus": {"modelStage": "STABLE"},
}


def test_a_full_answer_survives() -> None:
    response = answer_survives(FULL)
    assert (response.id, response.model, response.created) == ("r-1", "gemini-x-001", 1771302498)
    assert (response.provider, response.dialect, response.service_tier) == ("google", "gemini", "standard")
    assert response.reasoning == "Let me see."
    assert response.content == "It rains in Zürich."
    assert response.finish == Finish(reason="tool_calls", raw="STOP", detail="Model generated function call(s).")
    assert response.choices[1].finish == Finish(reason="length", raw="MAX_TOKENS")
    assert response.choices[1].message.content == "Second."
    (call,) = response.tool_calls
    assert (call.name, call.arguments_text) == ("f", '{"a":1.0}')
    assert response.extras["gemini"]["modelStatus"] == {"modelStage": "STABLE"}
    assert "avgLogprobs" in response.choices[0].extras["gemini"]


def test_its_state_goes_to_its_issuer_alone() -> None:
    response = answered(FULL)
    body = DIALECT.encode_response(response, ELSEWHERE)
    assert "c2ln" not in str(body.body)
    assert [entry.path for entry in body.adaptations] == ["choices[0].message.parts[1].replay"]


def test_usage_is_inclusive() -> None:
    usage = answered(FULL).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (15, 10, 25)
    assert (usage.cache_read_tokens, usage.reasoning_tokens, usage.input_tool_tokens) == (4, 3, 5)
    assert (usage.input_image_tokens, usage.output_image_tokens) == (2, 4)
    assert usage.raw == FULL["usageMetadata"]


@pytest.mark.parametrize(
    ("wire", "taken", "given"),
    [
        ({"promptTokenCount": 14, "totalTokenCount": 14}, 14, 0),
        ({"promptTokenCount": 14, "totalTokenCount": 20, "thoughtsTokenCount": 6}, 14, 6),
        ({"candidatesTokenCount": 23, "thoughtsTokenCount": 67}, None, 90),
        ({"trafficType": "ON_DEMAND"}, None, None),
        ({"promptTokenCount": 3, "responseTokenCount": 4}, 3, 4),
        ({"promptTokenCount": 3, "candidatesTokensDetails": [{"modality": 2, "tokenCount": 9}]}, 3, None),
        ({"promptTokenCount": 3, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 9}]}, 3, None),
        ({"promptTokenCount": 3, "cachedContentTokenCount": 9}, 3, None),
    ],
)
def test_counts_that_are_left_out(wire: Any, taken: int | None, given: int | None) -> None:
    usage = answer_survives({**answer({"text": "x"}), "usageMetadata": wire}).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (taken, given)
    for count in (usage.input_image_tokens, usage.cache_read_tokens):
        assert count is None or taken is None or count <= taken


def test_usage_of_others_is_written_with_right_sums() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=20,
        reasoning_tokens=30,
        input_tool_tokens=10,
        input_image_tokens=40,
        dialect="openai-chat",
        raw={"prompt_tokens": 100},
    )
    body = DIALECT.encode_response(foreign(Text(text="x"), usage=usage), TARGET).body
    assert body["usageMetadata"] == {
        "promptTokenCount": 90,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "toolUsePromptTokenCount": 10,
        "cachedContentTokenCount": 20,
        "totalTokenCount": 150,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 50}, {"modality": "IMAGE", "tokenCount": 40}],
    }
    again = answered(body).usage
    assert again is not None
    assert replace(again, raw=None, dialect=None, total_tokens=None) == replace(usage, raw=None, dialect=None)


def test_changed_usage_is_not_written_from_its_old_form() -> None:
    response = answered(FULL)
    changed = replace(response, usage=replace(response.usage, output_tokens=11))
    assert DIALECT.encode_response(changed, TARGET).body["usageMetadata"]["totalTokenCount"] == 26


@pytest.mark.parametrize(("word", "reason"), [*REASONS.items(), ("BRAND_NEW", "other"), ("", "other")])
def test_every_finish_reason(word: str, reason: str) -> None:
    response = answer_survives(answer({"text": "x"}, finishReason=word))
    assert response.finish == Finish(reason=reason, raw=word)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("numbers", "number", "word"),
    [("gemini", 1, "STOP"), ("gemini", 6, "LANGUAGE"), ("vertex", 6, "BLOCKLIST"), ("gemini", 999, "999")],
)
def test_numbers_stand_for_reasons(numbers: str, number: int, word: str) -> None:
    body = answer({"text": "x"}, finishReason=number)
    to = target(enum_numbers=numbers)
    response = DIALECT.decode_response(body, to)
    assert response.finish is not None
    assert response.finish.raw == word
    assert DIALECT.encode_response(response, to).body == body


def test_a_blocked_prompt_is_an_answer_that_was_filtered() -> None:
    body = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "No."},
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
        "modelVersion": "gemini-x-001",
    }
    response = answer_survives(body)
    assert response.finish == Finish(reason="content_filter", raw="PROHIBITED_CONTENT", detail="No.")
    assert response.content == ""
    assert response.message.parts == ()
    assert response.usage.input_tokens == 4


@pytest.mark.parametrize("body", [{"usageMetadata": {"promptTokenCount": 1}}, {"candidates": [], "responseId": "r"}])
def test_an_answer_without_candidates_is_over_without_a_reason(body: Any) -> None:
    response = answer_survives(body)
    assert (response.message.parts, response.finish) == ((), Finish(reason="other"))


def test_a_candidate_without_a_reason_is_over() -> None:
    body = answer({"text": "Half a"})
    del body["candidates"][0]["finishReason"]
    assert answer_survives(body).finish == Finish(reason="other")
    optional = DIALECT.decode_response(body, target(finish_optional=True))
    assert optional.finish == Finish(reason="stop")
    assert "finishReason" not in DIALECT.encode_response(optional, TARGET).body["candidates"][0]
    blocked = answer_survives({**body, "promptFeedback": {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "No."}})
    assert blocked.content == "Half a"
    assert blocked.finish == Finish(reason="content_filter", raw="MODEL_ARMOR", detail="No.")


def test_a_reason_given_later_is_written() -> None:
    body = answer({"text": "Half a"})
    del body["candidates"][0]["finishReason"]
    response = answered(body)
    finished = replace(response.choices[0], finish=Finish(reason="length"))
    again = DIALECT.encode_response(replace(response, choices=(finished,)), TARGET)
    assert again.body["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_tools_of_an_unspecified_type_survive() -> None:
    response = answer_survives(
        answer(
            {"toolCall": {"args": {"start": "0s"}, "id": "t"}, "thoughtSignature": "c2ln"},
            {"toolResponse": {"response": {"ok": True}, "id": "t"}},
            {"text": "A cat."},
        )
    )
    call, result, _ = response.message.parts
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.id, call.name, call.runner) == ("t", "TOOL_TYPE_UNSPECIFIED", "provider")
    assert (call.arguments, result.call_id, result.text) == ({"start": "0s"}, "t", '{"ok":true}')
    assert response.finish_reason == "stop"


def test_a_second_result_of_the_same_code_answers_it_too() -> None:
    response = answer_survives(
        answer(
            {"executableCode": {"language": "PYTHON", "code": "print(1); 1/0"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "ZeroDivisionError"}},
            {"executableCode": {"language": "PYTHON"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        )
    )
    calls = [part.id for part in response.message.parts if isinstance(part, ToolCall)]
    results = [part.call_id for part in response.message.parts if isinstance(part, ToolResult)]
    assert results == [calls[0], calls[0], calls[1]]
    assert calls[0] != calls[1]


def test_a_thought_image_of_another_is_shown_as_one() -> None:
    thought = Media(kind="image", media_type="image/png", data="aGk=", channel="commentary")
    encoded = DIALECT.encode_response(foreign(thought, Text(text="Done.")), TARGET)
    (first, _) = encoded.body["candidates"][0]["content"]["parts"]
    assert first == {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True}


_ODD: list[Any] = [
    {"candidates": [], "usageMetadata": {}},
    {"usageMetadata": {"promptTokenCount": 1}},
    {"candidates": [{"content": {}, "finishReason": "SAFETY"}]},
    {"candidates": [{"finishReason": "SAFETY", "index": 0}]},
    {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]},
    {"candidates": [{"content": {"parts": [], "role": "model"}}]},
    {"candidates": [{"content": None}], "responseId": None},
    {"candidates": [{"content": {"parts": [{"text": "x"}], "role": "user"}, "finishMessage": "odd"}]},
    {"candidates": [{}], "modelVersion": "", "createTime": "soon"},
    {"promptFeedback": {"blockReason": None, "safetyRatings": []}},
    {"candidates": {"content": {"parts": {"text": "x"}}}, "response_id": "r"},
]


@pytest.mark.parametrize("body", _ODD)
def test_odd_answers_survive(body: Any) -> None:
    answer_survives(body)


def _wrong(value: Any) -> Callable[[Any, Any], None]:
    def change(holder: Any, name: Any) -> None:
        if value == "remove":
            del holder[name]
        else:
            holder[name] = value

    return change


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(places(FULL)), st.sampled_from([None, 7, True, "", "x", [], {}, [None], "remove"]))
def test_a_damaged_answer_is_a_violation_or_survives(path: tuple[Any, ...], wrong: Any) -> None:
    body = changed(FULL, path, _wrong(wrong))
    try:
        answered(body)
    except ProtocolViolation:
        return
    answer_survives(body)


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"text": "x"}])
def test_what_is_no_answer_is_a_violation(body: Any) -> None:
    with pytest.raises(ProtocolViolation):
        answered(body)


def test_an_error_inside_a_200_is_an_error() -> None:
    with pytest.raises(Overloaded) as raised:
        answered({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})
    assert (raised.value.status, raised.value.kind, raised.value.in_stream) == (503, "UNAVAILABLE", False)
    with pytest.raises(AuthenticationFailed):
        answered({"error": {"status": "UNAUTHENTICATED"}})


def test_minted_ids_are_the_same_each_time_and_differ_from_each_other() -> None:
    body = answer({"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "f", "args": {}}})
    first, second = answered(body).tool_calls
    assert (first.id, second.id) == tuple(call.id for call in answered(body).tool_calls)
    assert first.id != second.id
    other = answered({**body, "responseId": "r-2"}).tool_calls
    assert first.id not in [call.id for call in other]


# -- answers of others -------------------------------------------------------------------------------------------------


def written(response: Response) -> tuple[Any, list[str]]:
    body = DIALECT.encode_response(response, TARGET)
    return body.body, [entry.path for entry in body.adaptations]


def test_an_answer_of_another_is_whole() -> None:
    call = ToolCall(id="toolu_1", name="f", arguments_text='{"a": 1}')
    body, named = written(foreign(Text(text="Hi"), call, reason="tool_calls", created=1_700_000_000))
    assert body == {
        "candidates": [
            {
                "content": {
                    "parts": [{"text": "Hi"}, {"functionCall": {"name": "f", "args": {"a": 1}, "id": "toolu_1"}}],
                    "role": "model",
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "modelVersion": "other-model",
        "createTime": "2023-11-14T22:13:20Z",
        "responseId": "msg_1",
    }
    assert named == []


def test_thoughts_of_another_may_be_shown_but_not_their_state() -> None:
    state = (Replay(issuer="anthropic", dialect="anthropic", kind="signature", data="secret"),)
    body, named = written(foreign(Reasoning(text="hm", replay=state), Reasoning(form="redacted", replay=state)))
    assert body["candidates"][0]["content"]["parts"] == [{"text": "hm", "thought": True}]
    assert "secret" not in str(body)
    assert named == [
        "choices[0].message.parts[0].replay",
        "choices[0].message.parts[1]",
        "choices[0].message.parts[1].replay",
    ]


@pytest.mark.parametrize(
    ("reason", "word", "named"),
    [
        ("stop", "STOP", False),
        ("length", "MAX_TOKENS", False),
        ("tool_calls", "STOP", False),
        ("content_filter", "SAFETY", False),
        ("refusal", "SAFETY", True),
        ("paused", "OTHER", True),
        ("error", "OTHER", True),
        ("other", "OTHER", False),
    ],
)
def test_reasons_of_others(reason: Any, word: str, named: bool) -> None:
    body, paths = written(foreign(Text(text="x"), reason=reason))
    assert body["candidates"][0]["finishReason"] == word
    assert paths == (["choices[0].finish"] if named else [])


def test_what_an_answer_cannot_say_is_named() -> None:
    response = foreign(
        Refusal(text="No."),
        Opaque(dialect="anthropic", kind="container", data={}),
        ToolCall(id="s", name="web_search", runner="provider"),
        ToolResult(call_id="s", runner="provider"),
        Media(kind="audio", data="aGk=", media_type="audio/wav", transcript="hi"),
        extras={"anthropic": {"container": {}}},
    )
    body, named = written(response)
    assert body["candidates"][0]["content"]["parts"] == [
        {"text": "No."},
        {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
    ]
    path = "choices[0].message.parts"
    assert named == [
        "extras.anthropic.container",
        f"{path}[0]",
        f"{path}[1]",
        f"{path}[2]",
        f"{path}[3]",
        f"{path}[4].transcript",
    ]


def test_citations_of_others_become_grounding() -> None:
    text = Text(
        text="Zürich is wet.",
        citations=(
            Citation(kind="url", start=0, end=6, url="https://z", title="Z"),
            Citation(kind="document", cited_text="wet", title="Doc"),
        ),
    )
    body, named = written(foreign(Reasoning(text="hm"), text))
    assert named == []
    assert body["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://z", "title": "Z"}},
            {"retrievedContext": {"title": "Doc", "text": "wet"}},
        ],
        "groundingSupports": [
            {"groundingChunkIndices": [0], "segment": {"startIndex": 0, "endIndex": 7, "text": "Zürich"}},
            {"groundingChunkIndices": [1]},
        ],
    }
    (again,) = [part for part in answered(body).message.parts if isinstance(part, Text)]
    assert [replace(citation, extras={}) for citation in again.citations] == list(text.citations)
