"""Members of a request: into fields or extras, back as they came, and refused by name when they are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects.openai_responses.dialect import DIALECT
from dragoman.errors import InvalidRequest
from dragoman.values import (
    MessageRole,
    Opaque,
    OutputFormat,
    Quirks,
    ReasoningOptions,
    ResponsesQuirks,
    ToolChoice,
    ToolDefinition,
    replace,
    user,
)
from tests.dialects.openai_responses.bodies import AZURE, JSON, OPENAI
from tests.wire.comparing import first_difference

FUNCTION: JSON = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
CUSTOM: JSON = {"type": "custom", "name": "python", "format": {"type": "text"}}

_PLAIN: dict[str, JSON] = {
    "text": {"model": "m", "input": "Hi"},
    "empty text": {"model": "m", "input": ""},
    "no input": {"model": "m", "prompt": {"id": "pmpt_1", "version": "2"}},
    "null input": {"model": "m", "input": None, "conversation": "conv_1"},
    "no model": {"input": "Hi", "prompt": {"id": "pmpt_1"}},
    "instructions": {"model": "m", "instructions": "Be brief.", "input": [{"role": "user", "content": "Hi"}]},
    "empty instructions": {"model": "m", "instructions": "", "input": "Hi"},
    "settings": {
        "model": "m",
        "input": "Hi",
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 1,
        "top_logprobs": 2,
        "user": "ann",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "store": False,
        "previous_response_id": "resp_0",
        "prompt_cache_key": "k",
        "stream": True,
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
    },
    "numbers of another form": {"model": "m", "input": "Hi", "max_output_tokens": 100.0, "temperature": 1},
    "nulls": dict.fromkeys(
        (
            "instructions",
            "max_output_tokens",
            "temperature",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "text",
            "reasoning",
            "include",
            "stream",
            "store",
            "metadata",
            "truncation",
            "top_k",
        )
    )
    | {"model": "m", "input": "Hi"},
    "empty": {"model": "m", "input": [], "tools": [], "include": [], "metadata": {}, "text": {}, "reasoning": {}},
    "explicit false": {"model": "m", "input": "Hi", "stream": False, "store": True, "background": False},
    "only this wire": {
        "model": "m",
        "input": "Hi",
        "background": True,
        "conversation": {"id": "conv_1"},
        "context_management": [{"type": "compaction", "compact_threshold": 1000}],
        "truncation": "auto",
        "max_tool_calls": 3,
        "safety_identifier": "s",
        "stream_options": {"include_obfuscation": False},
    },
    "only OpenRouter": {
        "model": "m",
        "input": "Hi",
        "provider": {"order": ["a"]},
        "top_k": 40,
        "frequency_penalty": 0.1,
        "presence_penalty": 0,
        "modalities": ["text"],
        "seed": 1,
        "stop": "END",
    },
    "tools": {
        "model": "m",
        "input": "Hi",
        "tools": [
            FUNCTION,
            {"type": "function", "name": "bare"},
            {"type": "function", "name": "nulls", "description": None, "parameters": None, "strict": None},
            {**FUNCTION, "defer_loading": True},
            CUSTOM,
            {"type": "web_search", "filters": {"allowed_domains": ["example.org"]}},
            {"type": "namespace", "name": "n", "description": "", "tools": [FUNCTION]},
        ],
        "parallel_tool_calls": False,
    },
    "schema": {
        "model": "m",
        "input": "Hi",
        "text": {
            "format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}, "strict": None},
            "verbosity": "low",
        },
    },
    "json": {"model": "m", "input": "Hi", "text": {"format": {"type": "json_object"}}},
    "verbosity": {"model": "m", "input": "Hi", "text": {"verbosity": "low", "format": None}},
    "reasoning": {"model": "m", "input": "Hi", "reasoning": {"effort": "low", "summary": "auto", "context": "auto"}},
    "null effort": {"model": "m", "input": "Hi", "reasoning": {"effort": None, "generate_summary": None}},
}
CHOICES: list[Any] = [
    "auto",
    "none",
    "required",
    {"type": "function", "name": "weather"},
    {"type": "custom", "name": "python"},
    {"type": "web_search_preview"},
    {"type": "mcp", "server_label": "files", "name": None},
    {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "weather"}]},
    {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]},
    {"type": "allowed_tools", "mode": "required", "tools": [FUNCTION, CUSTOM]},
    {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "server_label": "files"}]},
]
_CHOSEN: dict[str, JSON] = {
    f"choice {index}": {"model": "m", "input": "Hi", "tools": [FUNCTION, CUSTOM], "tool_choice": choice}
    for index, choice in enumerate(CHOICES)
}
BODIES = _PLAIN | _CHOSEN


def _again(request: Any, target: Any = OPENAI) -> JSON:
    return DIALECT.encode_request(request, target).body


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_request_survives(body: JSON) -> None:
    request = DIALECT.decode_request(body, OPENAI)
    encoded = DIALECT.encode_request(request, OPENAI)
    assert first_difference(body, encoded.body) is None
    assert encoded.adaptations == ()
    assert encoded.path == "/responses"


def test_members_go_to_their_fields() -> None:
    request = DIALECT.decode_request(BODIES["settings"], OPENAI)
    assert (request.max_tokens, request.temperature, request.top_p, request.top_logprobs) == (100, 0.5, 1, 2)
    assert (request.user, request.metadata, request.service_tier) == ("ann", {"a": "b"}, "flex")
    assert (request.store, request.previous_response_id, request.cache_key) == (False, "resp_0", "k")
    assert (request.stream, request.logprobs) == (True, True)
    beyond = DIALECT.decode_request(BODIES["only OpenRouter"], OPENAI)
    assert (beyond.top_k, beyond.frequency_penalty, beyond.seed, beyond.stop) == (40, 0.1, 1, ("END",))
    reasoning = DIALECT.decode_request(BODIES["reasoning"], OPENAI).reasoning
    assert reasoning is not None
    assert (reasoning.effort, reasoning.summary) == ("low", "auto")
    output = DIALECT.decode_request(BODIES["schema"], OPENAI).output
    assert output is not None
    assert (output.type, output.name, output.schema) == ("json_schema", "out", {"type": "object"})


def test_instructions_are_a_system_message_that_goes_back() -> None:
    request = DIALECT.decode_request(BODIES["instructions"], OPENAI)
    assert [(message.role, message.content) for message in request.messages] == [
        (MessageRole.SYSTEM, "Be brief."),
        (MessageRole.USER, "Hi"),
    ]
    shorter = replace(request, messages=request.messages[1:])
    assert "instructions" not in _again(shorter)


def test_tools_are_definitions_or_of_this_wire_alone() -> None:
    tools = DIALECT.decode_request(BODIES["tools"], OPENAI).tools
    assert [type(tool) for tool in tools] == [*[ToolDefinition] * 4, *[Opaque] * 3]
    first: Any = tools[0]
    assert (first.name, first.description, first.strict) == ("weather", "Tells the weather.", True)
    assert first.input_schema == FUNCTION["parameters"]


def test_a_choice_says_mode_and_names() -> None:
    read = [
        DIALECT.decode_request({"model": "m", "input": "Hi", "tools": [], "tool_choice": choice}, OPENAI).tool_choice
        for choice in CHOICES
    ]
    assert [(choice.mode, choice.names) for choice in read if choice is not None] == [
        ("auto", ()),
        ("none", ()),
        ("required", ()),
        ("named", ("weather",)),
        ("named", ("python",)),
        (None, ()),
        (None, ()),
        ("auto", ("weather",)),
        ("named", ("weather",)),
        ("named", ("weather", "python")),
        (None, ()),
    ]


def test_a_changed_value_is_said_and_not_the_original() -> None:
    nulls = DIALECT.decode_request(BODIES["nulls"], OPENAI)
    changed = replace(
        nulls,
        temperature=0,
        stream=True,
        store=False,
        tool_choice=ToolChoice(mode="none", parallel=True),
        reasoning=ReasoningOptions(effort="low"),
        output=OutputFormat(type="json_object"),
    )
    body = _again(changed)
    assert (body["temperature"], body["stream"], body["store"]) == (0, True, False)
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("none", True)
    assert body["reasoning"] == {"effort": "low"}
    assert body["text"] == {"format": {"type": "json_object"}}
    assert body["truncation"] is None
    text = DIALECT.decode_request(BODIES["text"], OPENAI)
    assert _again(replace(text, messages=(user("Ho"),)))["input"] == "Ho"
    assert len(_again(replace(text, messages=(user("Ho"), user("Hey"))))["input"]) == 2
    choice = DIALECT.decode_request(BODIES["choice 4"], OPENAI)
    assert _again(replace(choice, tool_choice=ToolChoice(mode="auto")))["tool_choice"] == "auto"


def test_log_probabilities_are_asked_for_by_include() -> None:
    request = DIALECT.decode_request(BODIES["settings"], OPENAI)
    assert _again(replace(request, logprobs=None))["include"] == ["reasoning.encrypted_content"]
    bare = DIALECT.decode_request(BODIES["text"], OPENAI)
    assert _again(replace(bare, logprobs=True))["include"] == ["message.output_text.logprobs"]


def test_the_path_of_a_compaction_is_kept() -> None:
    request = DIALECT.decode_request({"model": "m", "input": "Hi"}, OPENAI, "/v1/responses/compact?x=1")
    assert DIALECT.encode_request(request, OPENAI).path == "/responses/compact"


def test_what_a_host_refuses_is_left_out_and_recorded() -> None:
    host = replace(AZURE, quirks=Quirks(responses=ResponsesQuirks(refused=("store", "max_output_tokens", "prompt"))))
    encoded = DIALECT.encode_request(DIALECT.decode_request(BODIES["settings"], host), host)
    assert not {"store", "max_output_tokens"} & encoded.body.keys()
    assert {(entry.path, entry.action, entry.asked) for entry in encoded.adaptations} == {
        ("store", "dropped", False),
        ("max_tokens", "dropped", 100),
    }


WRONG: list[tuple[JSON, str]] = [
    ({"model": 5, "input": "Hi"}, "model"),
    ({"model": "m", "input": 5}, "input"),
    ({"model": "m", "input": ["Hi"]}, "input[0]"),
    ({"model": "m", "input": [{"role": 5, "content": "Hi"}]}, "input[0].role"),
    ({"model": "m", "input": [{"role": "user", "content": 5}]}, "input[0].content"),
    ({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
    ({"model": "m", "input": [{"role": "user", "content": [{"text": "Hi"}]}]}, "input[0].content[0].type"),
    ({"model": "m", "input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "input[0].name"),
    ({"model": "m", "input": [{"type": "reasoning", "summary": 5}]}, "input[0].summary"),
    ({"model": "m", "input": [{"type": "reasoning", "encrypted_content": 5}]}, "input[0].encrypted_content"),
    ({"model": "m", "input": "Hi", "instructions": ["a"]}, "instructions"),
    ({"model": "m", "input": "Hi", "max_output_tokens": "5"}, "max_output_tokens"),
    ({"model": "m", "input": "Hi", "temperature": True}, "temperature"),
    ({"model": "m", "input": "Hi", "stream": 1}, "stream"),
    ({"model": "m", "input": "Hi", "metadata": []}, "metadata"),
    ({"model": "m", "input": "Hi", "tools": {}}, "tools"),
    ({"model": "m", "input": "Hi", "tools": [{"type": "function"}]}, "tools[0].name"),
    ({"model": "m", "input": "Hi", "tools": [{**FUNCTION, "parameters": "x"}]}, "tools[0].parameters"),
    ({"model": "m", "input": "Hi", "tool_choice": "maybe"}, "tool_choice"),
    ({"model": "m", "input": "Hi", "tool_choice": {"type": "function"}}, "tool_choice.name"),
    ({"model": "m", "input": "Hi", "text": {"format": {"type": "xml"}}}, "text.format.type"),
    ({"model": "m", "input": "Hi", "text": "x"}, "text"),
    ({"model": "m", "input": "Hi", "reasoning": {"effort": 5}}, "reasoning.effort"),
    ({"model": "m", "input": "Hi", "include": "x", "modalities": [5]}, "modalities"),
]


@pytest.mark.parametrize(("body", "path"), WRONG, ids=[path for _, path in WRONG])
def test_a_wrong_member_is_refused_by_its_name(body: JSON, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.decode_request(body, OPENAI)
    assert caught.value.path == path
    assert path in caught.value.message


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        DIALECT.decode_request([], OPENAI)
