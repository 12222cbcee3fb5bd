"""Requests of this wire: every body survives, and what all dialects can say stands in fields."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.errors import InvalidRequest
from dragoman.values import (
    BedrockQuirks,
    CacheHint,
    Media,
    MessageRole,
    Opaque,
    Quirks,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
    replace,
)
from tests.dialects.bedrock.bodies import CALL, HI, REQUESTS, SIGNED, SPEC
from tests.dialects.bedrock.wire import ELSEWHERE, PATH, TARGET, asked, encoded, paths, request, said
from tests.wire.comparing import first_difference


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_a_body_survives(body: dict[str, Any]) -> None:
    again = encoded(request(body))
    assert first_difference(body, again.body) is None
    assert again.adaptations == ()
    assert again.path == PATH


def test_a_schema_of_its_own_client_is_sent_whatever_the_row_says() -> None:
    target = replace(TARGET, quirks=Quirks(bedrock=BedrockQuirks(schema_output=False)))
    assert encoded(request(REQUESTS["a schema"]), target).body == REQUESTS["a schema"]


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/model/us.maker.model-v1%3A0/converse", "us.maker.model-v1:0", False),
        ("/bedrock/model/m/converse-stream?x=1", "m", True),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fa.b/converse",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/a.b",
            False,
        ),
        ("/model/arn:aws:bedrock:x::prompt/AB/converse", "arn:aws:bedrock:x::prompt/AB", False),
        ("", TARGET.model, False),
    ],
)
def test_the_path_tells_the_model_and_the_operation(path: str, model: str, stream: bool) -> None:
    asking = request(asked(HI), path=path)
    assert (asking.model, asking.stream) == (model, stream)


def test_a_name_with_slashes_is_one_segment() -> None:
    asking = replace(request(asked(HI)), model="arn:aws:x:1:profile/a b", stream=True)
    assert encoded(asking).path == "/model/arn%3Aaws%3Ax%3A1%3Aprofile%2Fa%20b/converse-stream"


def test_a_request_without_a_model_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="model"):
        encoded(replace(request(asked(HI)), model=""))


def test_settings_are_fields() -> None:
    body = asked(
        HI,
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 10, "temperature": 0.5, "topP": 0.25, "stopSequences": ["|"]},
        requestMetadata={"team": "north"},
        serviceTier={"type": "flex"},
        outputConfig={"effort": "high"},
        additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 2000}},
    )
    asking = request(body)
    assert (asking.max_tokens, asking.temperature, asking.top_p, asking.stop) == (10, 0.5, 0.25, ("|",))
    assert (asking.metadata, asking.service_tier) == ({"team": "north"}, "flex")
    assert asking.reasoning is not None
    assert (asking.reasoning.effort, asking.reasoning.budget_tokens) == ("high", 2000)
    assert asking.messages[0].role is MessageRole.SYSTEM
    assert asking.messages[0].content == "Be brief."


def test_blocks_are_parts() -> None:
    user, assistant, results = request(REQUESTS["a round of tools"]).messages
    assert user.content == "Hi"
    assert [call.name for call in assistant.tool_calls] == ["weather"]
    assert assistant.tool_calls[0].arguments == {"city": "Zürich", "n": 1.0}
    result, question = results.parts
    assert isinstance(result, ToolResult)
    assert result.call_id == "tooluse_1"
    assert result.text == '21{"n":1.0}'
    assert isinstance(question, Text)
    assert question.cache == CacheHint()


def test_media_are_parts() -> None:
    first, second, *_ = request(REQUESTS["media"]).messages[0].parts
    assert isinstance(first, Media)
    assert (first.kind, first.data, first.media_type) == ("image", "/9j/4AAQ", "image/jpeg")
    assert isinstance(second, Media)
    assert (second.url, second.issuer) == ("s3://b/k", "bedrock")
    document, plain, odd = request(REQUESTS["documents"]).messages[0].parts
    assert isinstance(document, Media)
    assert (document.name, document.media_type) == ("One", "application/pdf")
    assert isinstance(plain, Media)
    assert plain.text == "plain"
    assert isinstance(odd, Opaque)


def test_what_a_guard_watches_is_text() -> None:
    message = request(REQUESTS["guards"]).messages[0]
    assert message.content == "Is it so?bare"


def test_what_the_service_runs_is_not_the_callers() -> None:
    message = request(REQUESTS["a system tool's call"]).messages[1]
    assert message.tool_calls == ()
    assert [part.runner for part in message.parts if isinstance(part, (ToolCall, ToolResult))] == ["provider"] * 2


def test_tools_and_the_choice_are_fields() -> None:
    asking = request(REQUESTS["tools"])
    tool, system_tool, unknown = asking.tools
    assert isinstance(tool, ToolDefinition)
    assert (tool.name, tool.strict, tool.cache) == ("weather", True, CacheHint())
    assert isinstance(system_tool, Opaque)
    assert (system_tool.kind, system_tool.cache) == ("systemTool", CacheHint(ttl="1h"))
    assert isinstance(unknown, Opaque)
    assert asking.tool_choice is not None
    assert asking.tool_choice.mode == "auto"


def test_an_edited_value_is_not_overwritten_by_its_notes() -> None:
    asking = request(REQUESTS["a schema"])
    assert asking.output is not None
    edited = replace(asking, output=replace(asking.output, name="other"))
    config = encoded(edited).body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert config == {"schema": '{"type":"object"}', "name": "other", "description": "d"}


_WRONG: list[tuple[Any, str]] = [
    ({"messages": "Hi"}, "messages"),
    ({"messages": [{"role": "tool", "content": []}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": "Hi"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{"text": 1}]}]}, "messages[0].content[0].text"),
    (
        {"messages": [{"role": "user", "content": [{"toolResult": {"content": []}}]}]},
        "messages[0].content[0].toolResult.toolUseId",
    ),
    (
        asked(said("user", {"toolResult": {"toolUseId": "t", "content": [CALL]}})),
        "messages[0].content[0].toolResult.content[0]",
    ),
    (asked(HI, system=["words"]), "system[0]"),
    (asked(HI, inferenceConfig={"maxTokens": "10"}), "inferenceConfig.maxTokens"),
    (asked(HI, inferenceConfig={"stopSequences": [1]}), "inferenceConfig.stopSequences"),
    (asked(HI, toolConfig={"tools": [{"toolSpec": {"name": "t"}}]}), "toolConfig.tools[0].toolSpec.inputSchema"),
    (asked(HI, toolConfig={"toolChoice": {"tool": {}}}), "toolConfig.toolChoice.tool.name"),
    (asked(HI, outputConfig=[]), "outputConfig"),
    (asked(HI, serviceTier="flex"), "serviceTier"),
    ([], "body"),
]


@pytest.mark.parametrize(("body", "path"), _WRONG)
def test_a_member_of_the_wrong_type_is_named(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(body)
    assert caught.value.path == path


def test_state_goes_to_its_issuer_alone() -> None:
    body = asked(HI, said("assistant", SIGNED, *REQUESTS["thoughts"]["messages"][1]["content"]), HI)
    foreign = encoded(request(body), ELSEWHERE)
    assert "sealed" not in str(foreign.body)
    assert foreign.body["messages"][1] == said("assistant", "Yes.")
    assert ("messages[1].parts[0].replay", "dropped") in paths(foreign.adaptations)
    served = encoded(request(REQUESTS["a system tool's call"]), ELSEWHERE)
    assert served.body["messages"][1] == said("assistant", "Found.")
    assert ("messages[1].parts[1]", "dropped") in paths(served.adaptations)


def test_a_bucket_is_read_by_its_issuer_alone() -> None:
    place = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}}
    foreign = encoded(request(asked(said("user", "Look", place))), ELSEWHERE)
    assert foreign.body["messages"] == [said("user", "Look")]
    assert paths(foreign.adaptations) == [("messages[0].parts[1]", "dropped")]


def test_a_tool_beside_others_keeps_its_place() -> None:
    assert encoded(request(asked(HI, toolConfig={"tools": [SPEC]}))).body["toolConfig"] == {"tools": [SPEC]}
