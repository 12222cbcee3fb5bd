"""Refusals: for each row one body that breaks its rule and nothing else, refused in the provider's own shape."""

from __future__ import annotations

import copy
import json
import urllib.error
import urllib.request
from typing import Any, cast

import pytest

from dragoman.errors import InvalidRequest
from dragoman.testing import FakeProvider
from dragoman.testing.refusals import refusals_of, refuse
from tests.testing.spoken import DIALECTS
from tests.wire.recordings import exchanges, require_recordings

JsonObject = dict[str, Any]

CHAT: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CHAT_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
GOOD_TURNS = [*CHAT["messages"], CHAT_CALL, {"role": "tool", "tool_call_id": "c1", "content": "x"}]
RESPONSES: JsonObject = {"model": "m", "input": "Hi"}
ANTHROPIC: JsonObject = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
USE: JsonObject = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]}
MARKED: JsonObject = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
MARKED_LONG: JsonObject = {**MARKED, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
GEMINI: JsonObject = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
FUNCTION_CALL: JsonObject = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
BEDROCK: JsonObject = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
TOOL_USE: JsonObject = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}]}
TOOL_DONE: JsonObject = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}]}}]}
TOOL_CONFIG: JsonObject = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}
FUNCTION_RESPONSE: JsonObject = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}

BROKEN: dict[str, dict[str, list[JsonObject]]] = {
    "openai-chat": {
        "model and messages are there": [{"messages": CHAT["messages"]}, {"model": "m"}],
        "there is a message": [{**CHAT, "messages": []}],
        "a message has content, unless it calls tools": [{**CHAT, "messages": [{"role": "user"}]}],
        "calls and results are paired": [
            {**CHAT, "messages": [*CHAT["messages"], {"role": "tool", "tool_call_id": "c1", "content": "x"}]},
            {**CHAT, "messages": [*CHAT["messages"], CHAT_CALL]},
            {**CHAT, "messages": [*CHAT["messages"], CHAT_CALL, *CHAT["messages"]]},
            {
                **CHAT,
                "messages": [*CHAT["messages"], CHAT_CALL, {"role": "tool", "tool_call_id": "c2", "content": "x"}],
            },
        ],
        "a tool has a type and a name": [{**CHAT, "tools": [{}]}, {**CHAT, "tools": [{"type": "function"}]}],
        "tool_choice comes with tools": [{**CHAT, "tool_choice": "auto"}],
        "JSON mode is spoken of in the messages": [{**CHAT, "response_format": {"type": "json_object"}}],
        "temperature lies between 0 and 2": [{**CHAT, "temperature": 2.1}, {**CHAT, "temperature": -1}],
        "top_p lies between 0 and 1": [{**CHAT, "top_p": 1.5}],
    },
    "openai-responses": {
        "model is there": [{"input": "Hi"}],
        "something is asked": [{"model": "m"}, {"model": "m", "input": []}],
        "members of the chat API are unknown": [{**RESPONSES, "max_tokens": 5}, {**RESPONSES, "messages": []}],
        "calls and outputs are paired": [
            {"model": "m", "input": [{"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}]},
            {"model": "m", "input": [{"type": "function_call_output", "call_id": "c1", "output": "x"}]},
        ],
        "a tool has a type and a name": [{**RESPONSES, "tools": [{}]}, {**RESPONSES, "tools": [{"type": "function"}]}],
        "at least 16 output tokens are asked for": [{**RESPONSES, "max_output_tokens": 15}],
        "temperature lies between 0 and 2": [{**RESPONSES, "temperature": 3}],
        "top_p lies between 0 and 1": [{**RESPONSES, "top_p": -0.1}],
    },
    "anthropic": {
        "model, max_tokens and messages are there": [{k: v for k, v in ANTHROPIC.items() if k != "max_tokens"}],
        "at least one token may be said": [{**ANTHROPIC, "max_tokens": 0}],
        "there is a message": [{**ANTHROPIC, "messages": []}],
        "only users and assistants speak": [{**ANTHROPIC, "messages": [{"role": "system", "content": "Hi"}]}],
        "a user speaks first": [{**ANTHROPIC, "messages": [{"role": "assistant", "content": "Hi"}]}],
        "no two assistant turns stand in a row": [
            {**ANTHROPIC, "messages": [*ANTHROPIC["messages"], *[{"role": "assistant", "content": "Hi"}] * 2]}
        ],
        "messages and texts are not empty": [
            {**ANTHROPIC, "messages": [{"role": "user", "content": ""}]},
            {**ANTHROPIC, "messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        ],
        "calls and results are paired": [
            {
                **ANTHROPIC,
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}]}
                ],
            },
            {**ANTHROPIC, "messages": [*ANTHROPIC["messages"], USE, *ANTHROPIC["messages"]]},
            {**ANTHROPIC, "messages": [*ANTHROPIC["messages"], USE]},
        ],
        "call ids and inputs have their form": [
            {
                **ANTHROPIC,
                "messages": [
                    *ANTHROPIC["messages"],
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "c:1", "name": "f", "input": {}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c:1", "content": "x"}]},
                ],
            }
        ],
        "a tool has a name and a schema of an object": [
            {**ANTHROPIC, "tools": [{"name": "f"}]},
            {**ANTHROPIC, "tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
            {**ANTHROPIC, "tools": [{"name": "f", "input_schema": {}}]},
        ],
        "thinking has a budget that fits": [
            {**ANTHROPIC, "thinking": {"type": "enabled", "budget_tokens": 10}},
            {**ANTHROPIC, "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        ],
        "temperature and top_p lie between 0 and 1": [{**ANTHROPIC, "temperature": 1.2}],
        "there are four of cache_control at most, the longer times first": [
            {**ANTHROPIC, "messages": [{"role": "user", "content": [MARKED] * 5}]},
            {**ANTHROPIC, "system": [MARKED], "messages": [{"role": "user", "content": [MARKED_LONG]}]},
        ],
    },
    "gemini": {
        "something is asked": [{}, {"contents": []}],
        "contents and parts are not empty": [
            {"contents": [{"role": "user", "parts": []}]},
            {"contents": [{"role": "user", "parts": [{}]}]},
        ],
        "calls and responses are paired": [
            {"contents": [FUNCTION_RESPONSE]},
            {"contents": [*GEMINI["contents"], FUNCTION_CALL]},
            {"contents": [*GEMINI["contents"], FUNCTION_CALL, *GEMINI["contents"]]},
            {
                "contents": [
                    *GEMINI["contents"],
                    FUNCTION_CALL,
                    {"role": "user", "parts": FUNCTION_RESPONSE["parts"] * 2},
                ]
            },
        ],
        "calls come after a user's turn": [{"contents": [FUNCTION_CALL, FUNCTION_RESPONSE]}],
        "functions have names and schemas of the API's own language": [
            {**GEMINI, "tools": [{"functionDeclarations": [{"name": "1f"}]}]},
            {
                **GEMINI,
                "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object", "$defs": {}}}]}],
            },
            {
                **GEMINI,
                "tools": [
                    {"functionDeclarations": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]}
                ],
            },
        ],
        "the answer's schema is of the API's own language": [
            {
                **GEMINI,
                "generationConfig": {
                    "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"const": 1}}}}
                },
            }
        ],
    },
}
BROKEN["bedrock"] = {
    "messages are there": [{}],
    "there is a message": [{"messages": []}],
    "only users and assistants speak": [{"messages": [{"role": "system", "content": [{"text": "Hi"}]}]}],
    "a user speaks first": [{"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}],
    "users and assistants take turns": [{"messages": BEDROCK["messages"] * 2}],
    "contents and texts are not empty": [
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"text": ""}]}]},
    ],
    "calls and results are paired": [
        {"messages": [TOOL_DONE], "toolConfig": TOOL_CONFIG},
        {"messages": [*BEDROCK["messages"], TOOL_USE, *BEDROCK["messages"]], "toolConfig": TOOL_CONFIG},
    ],
    "tools are said where they were used": [{"messages": [*BEDROCK["messages"], TOOL_USE, TOOL_DONE]}],
    "a tool has a name and a schema": [
        {**BEDROCK, "toolConfig": {"tools": []}},
        {**BEDROCK, "toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}},
        {**BEDROCK, "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}},
    ],
    "the settings of inference lie in their ranges": [
        {**BEDROCK, "inferenceConfig": {"temperature": 1.5}},
        {**BEDROCK, "inferenceConfig": {"maxTokens": 0}},
    ],
    "there are four of cachePoint at most, the longer times first": [
        {**BEDROCK, "system": [{"text": "S"}, {"cachePoint": {"type": "default"}}] * 5},
    ],
}
BROKEN["cohere"] = {
    "model and messages are there": [{"model": "m"}],
    "there is a message": [{**CHAT, "messages": []}],
    "calls and results are paired": [
        {**CHAT, "messages": [{"role": "tool", "tool_call_id": "c1", "content": "x"}]},
        {**CHAT, "messages": [*CHAT["messages"], CHAT_CALL]},
        {**CHAT, "messages": [*CHAT["messages"], CHAT_CALL, *CHAT["messages"]]},
    ],
    "a tool has a name": [{**CHAT, "tools": [{"type": "function", "function": {}}]}],
    "tool_choice comes with tools": [{**CHAT, "tool_choice": "REQUIRED"}],
    "temperature lies between 0 and 2": [{**CHAT, "temperature": 3}],
    "p lies between 0 and 1": [{**CHAT, "p": 1.5}],
}
BROKEN["ollama"] = {
    "model is there": [{"messages": []}],
    "the format is JSON or a schema": [{**CHAT, "format": "xml"}],
}
GOOD: dict[str, tuple[JsonObject, ...]] = {
    "openai-chat": (
        CHAT,
        {
            **CHAT,
            "messages": [*CHAT["messages"], CHAT_CALL, {"role": "tool", "tool_call_id": "c1", "content": "x"}],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": "auto",
        },
        {**CHAT, "response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "JSON"}]},
    ),
    "openai-responses": (
        RESPONSES,
        {"model": "m", "previous_response_id": "r", "input": [{"type": "function_call_output", "call_id": "c"}]},
    ),
    "anthropic": (
        ANTHROPIC,
        {
            **ANTHROPIC,
            "messages": [
                *ANTHROPIC["messages"],
                USE,
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}]},
            ],
        },
        {**ANTHROPIC, "system": [MARKED_LONG] * 2, "messages": [{"role": "user", "content": [MARKED] * 2}]},
    ),
    "bedrock": (
        BEDROCK,
        {"messages": [*BEDROCK["messages"], TOOL_USE, TOOL_DONE], "toolConfig": TOOL_CONFIG},
    ),
    "cohere": (CHAT, {**CHAT, "messages": GOOD_TURNS, "p": 0.5}),
    "ollama": (CHAT, {**CHAT, "format": "json"}, {**CHAT, "format": {"type": "object"}}),
    "gemini": (GEMINI, {"contents": [*GEMINI["contents"], FUNCTION_CALL, FUNCTION_RESPONSE]}),
}
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "bedrock": "/model/m/converse",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
}
CASES = [(dialect, what, body) for dialect, rows in BROKEN.items() for what, bodies in rows.items() for body in bodies]


@pytest.mark.parametrize("dialect", list(BROKEN))
def test_every_row_has_its_case(dialect: str) -> None:
    assert set(BROKEN) >= set(DIALECTS)
    assert [row.what for row in refusals_of(dialect)] == list(BROKEN[dialect])


@pytest.mark.parametrize(("dialect", "what", "body"), CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
def test_the_row_finds_its_breach_and_leaves_the_body_alone(dialect: str, what: str, body: JsonObject) -> None:
    (row,) = (row for row in refusals_of(dialect) if row.what == what)
    before = copy.deepcopy(body)
    found = row.find(body)
    assert found is not None
    assert all(found)
    assert body == before


@pytest.mark.parametrize("dialect", list(GOOD))
def test_what_is_right_passes(dialect: str) -> None:
    for body in GOOD[dialect]:
        refuse(dialect, body)


VENDORS = {
    "openai-chat": ("openai", "azure"),
    "openai-responses": ("openai", "azure"),
    "anthropic": ("anthropic",),
    "gemini": ("google", "vertex"),
    "bedrock": ("bedrock",),
    "cohere": ("cohere",),
    "ollama": ("ollama",),
}


@pytest.mark.parametrize("dialect", list(VENDORS))
def test_what_the_vendor_itself_took_is_not_refused(dialect: str) -> None:
    """Recorded requests that were answered with success, judged by the rows."""
    require_recordings()
    taken: list[tuple[str, JsonObject]] = []
    for exchange in exchanges():
        body: Any = exchange.request.body
        own = exchange.dialect == dialect and exchange.provider in VENDORS[dialect] and exchange.origin == "recorded"
        if own and 200 <= exchange.response.status < 300 and isinstance(body, dict):
            taken.append((exchange.id, cast("JsonObject", body)))
    assert len(taken) >= 5
    refused: list[str] = []
    for name, asked in taken:
        try:
            refuse(dialect, asked)
        except InvalidRequest as error:
            refused.append(f"{name}: {error}")
    assert not refused


def test_the_first_row_that_finds_something_is_raised() -> None:
    with pytest.raises(InvalidRequest, match="max_tokens") as caught:
        refuse("anthropic", {"model": "m", "messages": []})
    assert caught.value.path == "max_tokens"


@pytest.mark.parametrize("dialect", list(BROKEN))
def test_over_http_it_is_the_dialects_own_400(dialect: str) -> None:
    with FakeProvider() as fake:
        for bodies in BROKEN[dialect].values():
            status, body = post(fake, PATHS[dialect], bodies[0])
            assert status == 400, bodies[0]
            assert body.get("error") or body.get("message")
        lenient = FakeProvider(strict=False)
        with lenient:
            status, _ = post(lenient, PATHS["anthropic"], {**ANTHROPIC, "temperature": 1.2})
            assert status == 200


def test_what_is_no_json_or_of_a_wrong_type_is_refused() -> None:
    with FakeProvider() as fake:
        assert post(fake, PATHS["openai-chat"], b"{not json")[0] == 400
        assert post(fake, PATHS["openai-chat"], [1])[0] == 400
        assert post(fake, PATHS["openai-chat"], {**CHAT, "temperature": "hot"})[0] == 400
        assert post(fake, PATHS["openai-chat"], CHAT, content_type="text/plain")[0] == 400


def post(fake: FakeProvider, path: str, body: Any, *, content_type: str = "application/json") -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": content_type, "authorization": "Bearer k"}
    try:
        with urllib.request.urlopen(urllib.request.Request(fake.url + path, data=data, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
