"""Requests of this wire's own clients: nothing is lost and nothing is added."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.anthropic.dialect import DIALECT
from dragoman.errors import InvalidRequest
from dragoman.values import (
    AnthropicQuirks,
    CacheHint,
    Media,
    MessageRole,
    Opaque,
    Quirks,
    Reasoning,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
    from_json,
    replace,
    to_json,
    user,
)
from tests.dialects.anthropic.bodies import HI, REQUESTS, SERVER_RESULTS
from tests.dialects.anthropic.wire import ELSEWHERE, TARGET, asked, paths, request, said


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_survives_decoding_and_encoding(name: str) -> None:
    decoded = request(REQUESTS[name])
    encoded = DIALECT.encode_request(decoded, TARGET)
    assert encoded.body == REQUESTS[name]
    assert encoded.adaptations == ()
    assert encoded.path == "/messages"
    assert encoded.headers[0] == ("anthropic-version", "2023-06-01")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_survives_our_json_form(name: str) -> None:
    decoded = request(REQUESTS[name])
    assert from_json(to_json(decoded)) == decoded


def test_an_edited_value_wins_over_what_the_wire_said() -> None:
    decoded = request(REQUESTS["explicit nothings"])
    edited = replace(decoded, messages=(user("Ho"),), stream=True, stop=("X",), temperature=0.5, user="u")
    body = DIALECT.encode_request(edited, TARGET).body
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Ho"}]}]
    assert (body["stream"], body["stop_sequences"], body["temperature"]) == (True, ["X"], 0.5)
    assert body["metadata"] == {"user_id": "u"}


def test_members_go_to_their_fields() -> None:
    decoded = request(
        asked(
            said("user", {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}),
            system="Be brief.",
            metadata={"user_id": "u"},
            stop_sequences=["A"],
            thinking={"type": "enabled", "budget_tokens": 2000},
            output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            tool_choice={"type": "tool", "name": "t", "disable_parallel_tool_use": True},
            tools=[{"name": "t", "input_schema": {"type": "object"}, "strict": True}],
        )
    )
    assert [message.role for message in decoded.messages] == [MessageRole.SYSTEM, MessageRole.USER]
    assert decoded.messages[1].parts[0] == Text(text="Hi", cache=CacheHint(ttl="1h"))
    assert (decoded.user, decoded.stop, decoded.max_tokens) == ("u", ("A",), 100)
    assert decoded.reasoning is not None
    assert (decoded.reasoning.budget_tokens, decoded.reasoning.effort) == (2000, "high")
    assert decoded.output is not None
    assert decoded.output.schema == {"type": "object"}
    assert decoded.tool_choice is not None
    assert (decoded.tool_choice.mode, decoded.tool_choice.names, decoded.tool_choice.parallel) == (
        "named",
        ("t",),
        False,
    )
    assert decoded.tools == (ToolDefinition(name="t", input_schema={"type": "object"}, strict=True),)


def test_blocks_become_their_parts() -> None:
    thinking = request(REQUESTS["thinking"]).messages[1].parts
    assert [type(part) for part in thinking] == [Reasoning, Reasoning, Reasoning, Reasoning, Reasoning, ToolCall]
    assert [replay.data for part in thinking for replay in part.replay] == [
        "signed",
        "signed-and-omitted",
        "",
        None,
        "sealed",
    ]
    images = request(REQUESTS["images"]).messages[0].parts
    assert images[0] == Media(kind="image", data="TRIMMED[base64 9]", media_type="image/png")
    assert [type(part) for part in images] == [Media, Media, Media, Opaque, Opaque]
    documents = request(REQUESTS["documents"]).messages[0].parts
    assert isinstance(documents[0], Media)
    assert (documents[0].name, documents[0].extras["anthropic"]["context"]) == ("Notes", "of a lecture")
    results = request(REQUESTS["calls and results"]).messages[2].parts
    assert isinstance(results[1], ToolResult)
    assert (results[1].is_error, results[1].text) == (True, "Hi")


def test_arguments_that_are_no_json_are_unwrapped() -> None:
    calls = request(REQUESTS["wrapped arguments"]).messages[1].tool_calls
    assert [call.arguments_text for call in calls] == [
        '{"city": "Zü',
        '{"INVALID_JSON":"{\\"city\\": \\"Bern\\"}"}',
        '{"INVALID_JSON":""}',
    ]


def test_tools_that_the_provider_runs_are_no_calls_of_ours() -> None:
    message = request(REQUESTS["server tools"]).messages[1]
    assert message.tool_calls == ()
    failed = message.parts[1 + list(SERVER_RESULTS).index("web search, failed")]
    assert isinstance(failed, ToolResult)
    assert failed.is_error


_STATE = ("signed", "sealed", "signed-and-omitted")


@pytest.mark.parametrize("name", ["thinking", "server tools", "compaction", "citations", "mcp", "a block of tomorrow"])
def test_state_never_goes_to_another_issuer(name: str) -> None:
    encoded = DIALECT.encode_request(request(REQUESTS[name]), ELSEWHERE)
    text = str(encoded.body)
    assert not any(word in text for word in _STATE)
    assert "mcp_tool_use" not in text
    assert encoded.adaptations
    assert all(entry.action == "dropped" and "anthropic" in entry.reason for entry in encoded.adaptations[:1])


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        ({"type": "between_tools"}, {"type": "between_tools"}),
        ({"block_binding": {"a": 1}}, {"block_binding": {"a": 1}}),
        ({"type": "adaptive", "display": None}, {"type": "adaptive", "display": None}),
        ({"type": "enabled", "budget_tokens": 2000, "display": None}, {"type": "adaptive"}),
    ],
)
def test_a_host_without_budgets_is_told_all_but_a_budget_as_its_client_did(
    thinking: dict[str, Any], sent: dict[str, Any]
) -> None:
    target = replace(TARGET, quirks=Quirks(anthropic=AnthropicQuirks(thinking_form="adaptive")))
    encoded = DIALECT.encode_request(request(asked(HI, thinking=thinking)), target)
    assert encoded.body["thinking"] == sent
    assert bool(encoded.adaptations) is (sent != thinking)


def test_controls_of_thinking_are_not_lost_silently_where_only_budgets_are_taken() -> None:
    target = replace(TARGET, quirks=Quirks(anthropic=AnthropicQuirks(thinking_form="budget")))
    encoded = DIALECT.encode_request(request(asked(HI, thinking={"block_binding": {"a": 1}})), target)
    assert "thinking" not in encoded.body
    assert [(entry.path, entry.action) for entry in encoded.adaptations] == [("reasoning", "dropped")]


def test_thinking_stops_where_its_open_round_of_tools_lost_its_thoughts() -> None:
    encoded = DIALECT.encode_request(request(REQUESTS["thinking"]), ELSEWHERE)
    assert "thinking" not in encoded.body
    assert ("reasoning", "dropped") in paths(encoded.adaptations)


_BETAS = [
    ("output format", "structured-outputs-2025-11-13"),
    ("mcp", "mcp-client-2025-04-04"),
    ("compaction", "context-management-2025-06-27,compact-2026-01-12"),
    ("images", "files-api-2025-04-14"),
    ("uploads", "files-api-2025-04-14"),
    ("output config", "task-budgets-2026-03-13"),
    ("tools", "computer-use-2025-01-24,mcp-client-2025-11-20"),
    (
        "system turns",
        "mid-conversation-system-clear-at-2026-08-21,mid-conversation-output-config-2026-07-01",
    ),
    ("the rest", "fast-mode-2026-02-01,skills-2025-10-02"),
]


@pytest.mark.parametrize(("name", "betas"), _BETAS)
def test_a_feature_in_beta_names_itself(name: str, betas: str) -> None:
    encoded = DIALECT.encode_request(request(REQUESTS[name]), TARGET)
    assert dict(encoded.headers)["anthropic-beta"] == betas


def test_plain_requests_name_no_beta() -> None:
    assert len(DIALECT.encode_request(request(REQUESTS["one word"]), TARGET).headers) == 1


_WRONG: list[tuple[Any, str]] = [
    ([], "body"),
    ({"max_tokens": 1, "messages": []}, "model"),
    ({"model": "m"}, "messages"),
    (asked(HI, max_tokens="many"), "max_tokens"),
    (asked(HI, temperature="hot"), "temperature"),
    (asked(HI, stream="yes"), "stream"),
    (asked(HI, stop_sequences="A"), "stop_sequences"),
    (asked(HI, stop_sequences=[1]), "stop_sequences"),
    (asked(HI, metadata=[]), "metadata"),
    (asked(HI, thinking="much"), "thinking"),
    (asked(HI, thinking={"type": 1}), "thinking.type"),
    (asked(HI, thinking={"type": "enabled", "budget_tokens": "x"}), "thinking.budget_tokens"),
    (asked(HI, output_config=1), "output_config"),
    (asked(HI, output_format=[]), "output_format"),
    (asked(HI, tool_choice="auto"), "tool_choice"),
    (asked(HI, tool_choice={"type": "some"}), "tool_choice.type"),
    (asked(HI, tool_choice={"type": "tool"}), "tool_choice.name"),
    (asked(HI, tools=[1]), "tools[0]"),
    (asked(HI, tools=[{"name": "t"}]), "tools[0].input_schema"),
    (asked(HI, tools=[{"input_schema": {}}]), "tools[0].name"),
    (asked(HI, system=1), "system"),
    (asked(HI, system=[{"type": "text"}]), "system[0].text"),
    (asked({"role": "robot", "content": "Hi"}), "messages[0].role"),
    (asked({"role": "user"}), "messages[0].content"),
    (asked({"role": "user", "content": 1}), "messages[0].content"),
    (asked(HI, said("user", {"text": "Hi"})), "messages[1].content[0].type"),
    (asked(said("user", {"type": "text"})), "messages[0].content[0].text"),
    (asked(said("user", {"type": "image"})), "messages[0].content[0].source"),
    (asked(said("user", {"type": "text", "text": "", "cache_control": 1})), "messages[0].content[0].cache_control"),
    (asked(said("user", {"type": "text", "text": "", "citations": {}})), "messages[0].content[0].citations"),
    (
        asked(said("assistant", {"type": "tool_use", "id": "a", "name": "b", "input": "c"})),
        "messages[0].content[0].input",
    ),
    (asked(said("assistant", {"type": "tool_use", "id": "", "name": "b", "input": {}})), "messages[0].content[0].id"),
    (asked(said("user", {"type": "tool_result", "content": "x"})), "messages[0].content[0].tool_use_id"),
    (
        asked(
            said("user", {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "thinking", "thinking": ""}]})
        ),
        "messages[0].content[0].content",
    ),
]


@pytest.mark.parametrize(("body", "path"), _WRONG, ids=[path for _, path in _WRONG])
def test_a_wrong_member_is_named(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.decode_request(body, TARGET)
    assert caught.value.path == path
