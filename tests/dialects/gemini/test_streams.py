"""Streams: lawful however they are cut, equal to their unstreamed form, and clear about what should not be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects.gemini.dialect import DIALECT
from dragoman.errors import Overloaded, ProtocolViolation, RateLimited, StreamTruncated
from dragoman.values import (
    Finish,
    Finished,
    Media,
    Opaque,
    PartEnded,
    PartStarted,
    Ping,
    Reasoning,
    ReasoningDelta,
    Response,
    Started,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    UsageSeen,
)
from tests.dialects.gemini.wire import TARGET, answered, chunk, run, sse, streamed, target
from tests.wire.comparing import first_difference, told

USAGE: Any = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8, "serviceTier": "standard"}
END: Any = chunk({"text": ""}, finishReason="STOP", usageMetadata=USAGE)


def as_unstreamed(response: Response) -> None:
    """The finished answer is what its unstreamed form reads as."""
    body = DIALECT.encode_response(response, TARGET)
    assert first_difference(told(response), told(answered(body.body))) is None


def test_pieces_of_text_make_a_part() -> None:
    early = {"promptTokenCount": 5, "totalTokenCount": 5}
    body = sse(chunk({"text": "Zür"}, usageMetadata=early), chunk({"text": "ich 🌧"}), END)
    response = streamed(body)
    as_unstreamed(response)
    assert response.message.parts == (Text(text="Zürich 🌧"),)
    assert (response.id, response.model, response.dialect) == ("r-1", "gemini-x-001", "gemini")
    assert response.finish == Finish(reason="stop", raw="STOP")
    assert response.service_tier == "standard"
    events = run(body).events
    assert [type(event) for event in events] == [
        Started,
        UsageSeen,
        PartStarted,
        TextDelta,
        TextDelta,
        PartEnded,
        UsageSeen,
        Finished,
    ]
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 3)


def test_thoughts_end_where_words_begin() -> None:
    body = sse(
        chunk({"text": "hm ", "thought": True}),
        chunk({"text": "hm", "thought": True}, {"text": "Yes"}),
        chunk({"text": "."}, {"text": "", "thoughtSignature": "c2ln"}, finishReason="STOP"),
    )
    response = streamed(body)
    as_unstreamed(response)
    thought, words, last = response.message.parts
    assert isinstance(thought, Reasoning)
    assert (thought.text, response.content) == ("hm hm", "Yes.")
    assert words == Text(text="Yes.")
    assert (last.replay[0].data, last.replay[0].issuer) == ("c2ln", "google")
    assert [event.text for event in run(body).events if isinstance(event, ReasoningDelta)] == ["hm ", "hm"]


def test_a_signature_stays_on_its_own_piece() -> None:
    response = streamed(
        sse(
            chunk({"text": "a"}),
            chunk({"text": "b", "thoughtSignature": "c2ln"}),
            chunk({"text": "c"}, finishReason="STOP"),
        )
    )
    as_unstreamed(response)
    assert [(part.text, len(part.replay)) for part in response.message.parts if isinstance(part, Text)] == [
        ("a", 0),
        ("b", 1),
        ("c", 0),
    ]


def test_calls_come_whole_and_keep_their_order() -> None:
    call: Any = {"functionCall": {"name": "f", "args": {"city": "Zürich", "n": 1.0}}}
    body = sse(
        chunk({"text": "So:"}),
        chunk({**call, "thoughtSignature": "c2ln"}, {"functionCall": {"name": "g", "id": "g1"}}),
        chunk(call, {"text": ""}, finishReason="STOP"),
    )
    response = streamed(body)
    as_unstreamed(response)
    first, second, third = response.tool_calls
    assert response.finish == Finish(reason="tool_calls", raw="STOP")
    assert first.arguments_text == '{"city":"Zürich","n":1.0}'
    assert (second.id, second.arguments_text, second.arguments) == ("g1", "", {})
    assert first.id != third.id
    assert first.replay[0].data == "c2ln"


def test_everything_else_is_a_part_by_itself() -> None:
    body = sse(
        chunk({"executableCode": {"language": "PYTHON", "code": "1", "id": "k"}}, {"text": ""}),
        chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1", "id": "k"}}),
        chunk({"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"newKind": {"a": 1}}),
        chunk({"text": "x", "partMetadata": {"a": 1}}, {"text": "y"}, finishReason="STOP"),
    )
    response = streamed(body)
    as_unstreamed(response)
    kinds = [type(part) for part in response.message.parts]
    assert kinds == [ToolCall, ToolResult, Media, Opaque, Text, Text]
    assert response.finish_reason == "stop"


def test_several_candidates() -> None:
    both: Any = {
        "candidates": [
            {"content": {"parts": [{"text": "b"}]}, "index": 1},
            {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
        ]
    }
    more = {"candidates": [{"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "MAX_TOKENS"}]}
    response = streamed(sse(both, more))
    as_unstreamed(response)
    assert [(choice.index, choice.message.content) for choice in response.choices] == [(0, "a"), (1, "bb")]
    assert [choice.finish.reason for choice in response.choices if choice.finish] == ["stop", "length"]
    assert isinstance(run(sse(both)).error, StreamTruncated)


def test_grounding_comes_last_and_is_put_together() -> None:
    def grounded(text: str, metadata: Any, **members: Any) -> Any:
        return chunk({"text": text}, groundingMetadata=metadata, **members)

    one = {"web": {"uri": "https://1"}}
    two = {"web": {"uri": "https://2"}}
    first = {"segment": {"endIndex": 3, "text": "Zü"}, "groundingChunkIndices": [0]}
    second = {"segment": {"startIndex": 3, "endIndex": 7, "text": "rich"}, "groundingChunkIndices": [1]}
    body = sse(
        grounded("Zü", {}),
        grounded("rich", {"groundingChunks": [one], "groundingSupports": [first]}),
        grounded(
            "",
            {"groundingChunks": [two], "groundingSupports": [second], "webSearchQueries": ["q"]},
            finishReason="STOP",
        ),
    )
    response = streamed(body)
    as_unstreamed(response)
    (part,) = response.message.parts
    assert isinstance(part, Text)
    assert [(item.url, item.start, item.end) for item in part.citations] == [("https://1", 0, 2), ("https://2", 2, 6)]
    metadata = response.choices[0].extras["gemini"]["groundingMetadata"]
    assert metadata["groundingChunks"] == [one, two]
    repeated = sse(
        grounded("Zürich", {"groundingChunks": [one]}),
        grounded("", {"groundingChunks": [one, two], "groundingSupports": [first, second]}, finishReason="STOP"),
    )
    assert streamed(repeated).choices[0].extras["gemini"]["groundingMetadata"]["groundingChunks"] == [one, two]


def test_text_before_a_call_can_still_be_cited() -> None:
    support = {"segment": {"endIndex": 3, "text": "abc"}, "groundingChunkIndices": [0]}
    metadata = {"groundingChunks": [{"web": {"uri": "u"}}], "groundingSupports": [support]}
    body = sse(
        chunk({"text": "abc"}),
        chunk({"functionCall": {"name": "f"}}, groundingMetadata=metadata, finishReason="STOP"),
    )
    response = streamed(body)
    as_unstreamed(response)
    first = response.message.parts[0]
    assert isinstance(first, Text)
    assert [item.url for item in first.citations] == ["u"]


def test_members_of_the_answer_are_kept() -> None:
    body = sse(
        {**chunk({"text": "a"}), "createTime": "2026-02-17T04:28:18.5Z", "modelStatus": {"message": "old"}},
        {**chunk({"text": "b"}, avgLogprobs=-1.5, finishReason="STOP", finishMessage="Done."), "newMember": 1},
    )
    response = streamed(body)
    as_unstreamed(response)
    assert response.created == 1771302498
    assert response.extras["gemini"]["newMember"] == 1
    assert response.choices[0].extras["gemini"]["avgLogprobs"] == -1.5
    assert response.finish == Finish(reason="stop", raw="STOP", detail="Done.")


def test_a_blocked_prompt() -> None:
    body = sse(
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1}, "responseId": "r"}
    )
    response = streamed(body)
    as_unstreamed(response)
    assert response.finish == Finish(reason="content_filter", raw="SAFETY")
    assert response.message.parts == ()


def test_a_block_in_mid_stream_is_told_in_both_forms() -> None:
    response = streamed(sse(chunk({"text": "Half a"}), {"promptFeedback": {"blockReason": "SAFETY"}}))
    as_unstreamed(response)
    assert (response.content, response.finish) == ("Half a", Finish(reason="content_filter", raw="SAFETY"))


def test_tools_of_an_unspecified_type_are_parts() -> None:
    response = streamed(sse(chunk({"toolCall": {"id": "t"}}), chunk({"toolResponse": {"id": "t"}}), END))
    as_unstreamed(response)
    call, result = response.message.parts
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.name, call.runner, result.call_id) == ("TOOL_TYPE_UNSPECIFIED", "provider", "t")


# -- both forms of the stream ------------------------------------------------------------------------------------------


def pretty(*chunks: Any) -> bytes:
    """A JSON array as Google's servers send it."""
    return (
        b"[" + b"\n,\r\n".join(msgspec.json.format(msgspec.json.encode(item), indent=2) for item in chunks) + b"\n]\n"
    )


def test_a_json_array_is_the_same_stream() -> None:
    chunks = [chunk({"text": 'a "quoted\\" {[ '}), chunk({"text": "ü]}"}), END]
    response = streamed(pretty(*chunks))
    assert response == streamed(sse(*chunks))
    assert response.content == 'a "quoted\\" {[ ü]}'
    assert streamed(b"\r\n \n" + pretty(*chunks)) == response
    assert streamed(b"\n".join(msgspec.json.encode(item) for item in chunks)) == response


@pytest.mark.parametrize("length", [0, 1, 40, 150])
def test_an_array_that_is_cut_off_is_truncated(length: int) -> None:
    body = pretty(chunk({"text": "abc"}), END)[:length]
    assert isinstance(run(body).error, StreamTruncated)
    assert isinstance(run(body[index : index + 1] for index in range(len(body))).error, StreamTruncated)


def test_an_array_without_its_bracket_is_complete() -> None:
    body = pretty(chunk({"text": "abc"}), END)
    assert run(body.rstrip(b"\n]")).response is not None


def test_lines_end_as_they_like_and_comments_are_pings() -> None:
    chunks = [chunk({"text": "a"}), END]
    body = sse(*chunks)
    for ends in (b"\n", b"\r"):
        assert run(body.replace(b"\r\n", ends)).response == run(body).response
    commented = run(b": waiting\n\n" + body)
    assert isinstance(commented.events[0], Ping)
    assert commented.response == run(body).response
    assert run(b"\xef\xbb\xbf" + body).response == run(body).response
    assert run(body + b"data: [DONE]\n\n").response == run(body).response


# -- streams that should not be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [b"", b"data: [DONE]\n\n", b": bye\n\n", b'data: {"candidates": [{"fin'])
def test_no_finish_is_truncation(tail: bytes) -> None:
    result = run(sse(chunk({"text": "Hal"}, usageMetadata=USAGE), chunk({"text": "f"})) + tail)
    error = result.error
    assert isinstance(error, StreamTruncated)
    assert error.partial.content == "Half"
    assert error.usage.input_tokens == 5
    assert not any(isinstance(event, Finished) for event in result.events)


def test_an_empty_stream_is_truncated() -> None:
    assert isinstance(run(b"").error, StreamTruncated)
    assert isinstance(run(sse({"usageMetadata": USAGE})).error, StreamTruncated)


def test_a_finish_is_optional_where_a_quirk_says_so() -> None:
    result = run(sse(chunk({"text": "Whole"})), target(finish_optional=True))
    assert result.response is not None
    assert result.response.finish == Finish(reason="stop")


def test_usage_after_the_finish_counts() -> None:
    result = run(sse(chunk({"text": "a"}, finishReason="STOP"), {"usageMetadata": USAGE}))
    assert result.response is not None
    assert result.response.usage.output_tokens == 3


def test_a_finish_without_usage_is_complete() -> None:
    response = streamed(sse(chunk({"text": "a"}, finishReason="STOP")))
    assert not response.usage


def test_a_finish_on_every_chunk_is_taken_for_what_it_is() -> None:
    response = streamed(sse(chunk({"text": "a"}, finishReason="STOP"), chunk({"text": "b"}, finishReason="MAX_TOKENS")))
    assert (response.content, response.finish_reason) == ("ab", "length")


def test_two_answers_are_never_glued() -> None:
    other = {**chunk({"text": "Other"}), "responseId": "r-2"}
    result = run(sse(chunk({"text": "One"}), other))
    assert isinstance(result.error, ProtocolViolation)
    assert result.error.partial.content == "One"


def test_the_same_start_again_changes_nothing() -> None:
    once = sse(chunk({"text": "a"}), END)
    assert streamed(sse(chunk(), chunk({"text": "a"}), END)).content == "a"
    assert sum(isinstance(event, Started) for event in run(once).events) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"data: {oops}\n\n",
        b"data: 7\n\n",
        b"data: \xff\n\n",
        b"[7]",
        b'[{"candidates": 7}]',
        sse({"candidates": [7]}),
        sse({"candidates": [{"content": 7}]}),
        sse({"candidates": [{"content": {"parts": 7}}]}),
        sse({"candidates": [{"content": {"parts": [7]}}]}),
        sse({"candidates": [{"content": {"parts": [{"text": 7}]}}]}),
        sse({"candidates": [{"index": "x"}]}),
        sse({"usageMetadata": 7}),
        sse({"usageMetadata": {"promptTokenCount": "x"}}),
        sse({"responseId": 7}),
    ],
)
def test_what_is_not_the_dialect_is_a_violation(body: bytes) -> None:
    result = run([sse(chunk({"text": "Be"}))] * (body[:1] == b"d") + [body])
    assert isinstance(result.error, ProtocolViolation)
    assert result.error.provider == "google"
    assert result.error.partial.content == ("Be" if body[:1] == b"d" else "")


def test_unknown_chunks_and_empty_ones_are_no_harm() -> None:
    response = streamed(
        sse(
            {}, {"candidates": []}, {"candidates": None, "newThing": 1}, chunk({"text": "a"}), {"candidates": [{}]}, END
        )
    )
    assert response.content == "a"


ERROR: Any = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    "error",
    [
        sse(ERROR),
        msgspec.json.format(msgspec.json.encode(ERROR), indent=2) + b"\n",
        msgspec.json.encode(ERROR),
    ],
)
def test_an_error_in_mid_stream(error: bytes) -> None:
    body = sse(chunk({"text": "Be"}, usageMetadata=USAGE)) + error
    for pieces in ([body], [body[place : place + 1] for place in range(len(body))]):
        result = run(pieces)
        assert isinstance(result.error, Overloaded)
        assert result.error.in_stream
        assert result.error.status == 503
        assert result.error.partial.content == "Be"
        assert result.error.usage.input_tokens == 5
        assert any(isinstance(event, TextDelta) for event in result.events)


def test_an_error_in_an_array() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}]
    error = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": details}}
    result = run(pretty(chunk({"text": "Be"}), error))
    assert isinstance(result.error, RateLimited)
    assert result.error.retry_after == 3.5


def test_nothing_is_told_after_the_end() -> None:
    decoder = DIALECT.stream_decoder(TARGET)
    decoder.feed(sse(chunk({"text": "a"}), END))
    assert isinstance(decoder.close()[-1], Finished)
    assert decoder.feed(sse(chunk({"text": "more"}))) == []
    assert decoder.close() == []


# -- arguments that come piecemeal -------------------------------------------------------------------------------------


def piece(**call: Any) -> Any:
    return chunk({"functionCall": call})


def test_arguments_in_pieces() -> None:
    def argument(path: str, **value: Any) -> Any:
        return piece(partialArgs=[{"jsonPath": path, **value}], willContinue=True)

    body = sse(
        chunk({"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "c2ln"}),
        argument("$.city", stringValue="Zü", willContinue=True),
        argument("$.city", stringValue='rich "8001"', willContinue=True),
        argument("$.city", stringValue=""),
        argument("$.days[0]", numberValue=1.0),
        argument("$.days[1]", numberValue=2.5),
        argument("$.place['the name'].ok", boolValue=True),
        argument('$.place["x"]', nullValue="NULL_VALUE"),
        piece(),
        chunk({"functionCall": {"name": "g", "args": {}}}),
        chunk({"text": ""}, finishReason="STOP"),
    )
    response = streamed(body)
    as_unstreamed(response)
    first, second = response.tool_calls
    assert first.arguments == {
        "city": 'Zürich "8001"',
        "days": [1, 2.5],
        "place": {"the name": {"ok": True}, "x": None},
    }
    assert first.replay[0].data == "c2ln"
    assert (second.name, second.arguments_text) == ("g", "{}")


def test_an_empty_call_after_a_whole_one_is_nothing() -> None:
    response = streamed(sse(piece(name="f", args={"a": 1}), piece(), END))
    as_unstreamed(response)
    (call,) = response.message.parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments_text) == ("f", '{"a":1}')


def test_a_call_ends_with_its_answer_at_the_latest() -> None:
    body = sse(
        piece(name="f", willContinue=True),
        piece(partialArgs=[{"jsonPath": "$.a", "stringValue": "b"}], willContinue=True),
        chunk(finishReason="MAX_TOKENS"),
    )
    response = streamed(body)
    assert response.tool_calls[0].arguments == {"a": "b"}
    assert response.finish_reason == "length"


@pytest.mark.parametrize(
    "wrong",
    [
        piece(name="g", willContinue=True),
        piece(partialArgs=[{"stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "city", "stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$", "stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$..x", "stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$[0]", "stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$.a[999999999]", "stringValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$.a", "numberValue": "x"}]),
        piece(partialArgs=[{"jsonPath": "$.a.b.c", "stringValue": "x"}, {"jsonPath": "$.a.b[0]", "stringValue": "x"}]),
    ],
)
def test_pieces_that_fit_nowhere(wrong: Any) -> None:
    result = run(sse(piece(name="f", willContinue=True), wrong))
    assert isinstance(result.error, ProtocolViolation)
