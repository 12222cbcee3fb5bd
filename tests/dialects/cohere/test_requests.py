"""Requests of Cohere's API: they survive decoding and encoding, and others are fitted to what it can say."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.dialects import load
from dragoman.errors import InvalidRequest
from dragoman.values import (
    Citation,
    EmbeddingRequest,
    Media,
    Message,
    OutputFormat,
    Quirks,
    Reasoning,
    ReasoningOptions,
    Replay,
    Request,
    Target,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    assistant,
    replace,
    tool_result,
    user,
)
from dragoman.values.quirks import CohereQuirks

COHERE = load("cohere")
TARGET = Target(provider="cohere", issuer="cohere", model="m")
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
CALL = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
SOURCE = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "T", "snippet": "S"}}

BODIES: dict[str, dict[str, Any]] = {
    "bare": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "settings": {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "max_tokens": 50,
        "temperature": 0.3,
        "p": 1.0,
        "k": 0,
        "seed": 7.0,
        "frequency_penalty": 0.5,
        "presence_penalty": -1,
        "stop_sequences": ["A", "B", "C", "D", "E", "F"],
        "logprobs": False,
        "documents": ["plain", {"id": "d", "data": {"text": "x"}}],
        "citation_options": {"mode": "FAST"},
        "safety_mode": "STRICT",
        "priority": 3,
    },
    "explicit nothings": {
        "model": "m",
        "messages": [{"role": "user", "content": ""}, {"role": "system", "content": []}],
        "stream": False,
        "tools": [],
        "tool_choice": None,
        "stop_sequences": None,
        "max_tokens": None,
        "thinking": None,
        "response_format": None,
    },
    "text output": {"model": "m", "messages": [], "response_format": {"type": "text"}},
    "json": {"model": "m", "messages": [], "response_format": {"type": "json_object"}},
    "a schema": {"model": "m", "messages": [], "response_format": {"type": "json_object", "json_schema": {"a": 1}}},
    "a format of the first version": {
        "model": "m",
        "messages": [],
        "response_format": {"type": "json_object", "schema": {"type": "object"}},
    },
    "an unknown format": {"model": "m", "messages": [], "response_format": {"type": "grammar", "grammar": "x"}},
    "a thinking budget": {"model": "m", "messages": [], "thinking": {"type": "enabled", "token_budget": 500}},
    "no thinking": {"model": "m", "messages": [], "thinking": {"type": "disabled"}},
    "odd thinking": {"model": "m", "messages": [], "thinking": {"type": "disabled", "token_budget": 5}},
    "an unknown choice": {"model": "m", "messages": [], "tools": [TOOL], "tool_choice": "AUTO"},
    "a conversation with tools": {
        "model": "m",
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                    {"type": "hologram", "hologram": {}},
                ],
            },
            {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [CALL]},
            {
                "role": "tool",
                "tool_call_id": "f_1",
                "content": [
                    {"type": "document", "document": {"id": "a", "data": {"text": "21", "title": "W"}}},
                    {"type": "document", "document": {"data": {"celsius": 21}}},
                    {"type": "document", "document": {"data": "It is warm."}},
                    {"type": "document", "document": {"data": {}}},
                    {"type": "text", "text": "Done."},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "It is 21."}],
                "citations": [
                    {"start": 0, "end": 2, "text": "Hm", "sources": [], "type": "THINKING_CONTENT", "content_index": 0},
                    {
                        "start": 6,
                        "end": 8,
                        "text": "21",
                        "sources": [SOURCE],
                        "type": "TEXT_CONTENT",
                        "content_index": 1,
                    },
                ],
            },
        ],
        "tools": [TOOL, {"type": "other"}],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
    },
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_request_survives(body: dict[str, Any]) -> None:
    encoded = COHERE.encode_request(COHERE.decode_request(body, TARGET), TARGET)
    assert encoded.body == body
    assert encoded.adaptations == ()
    assert encoded.path == "/chat"


def test_what_a_request_says_stands_in_fields() -> None:
    request = COHERE.decode_request(BODIES["settings"], TARGET)
    assert (request.top_p, request.top_k, request.seed, request.max_tokens) == (1.0, 0, 7, 50)
    assert request.stop == ("A", "B", "C", "D", "E", "F")
    talk = COHERE.decode_request(BODIES["a conversation with tools"], TARGET)
    plan = talk.messages[2].parts[0]
    assert isinstance(plan, Text)
    assert (plan.text, plan.channel) == ("I will look.", "commentary")
    assert talk.tool_choice == ToolChoice(mode="required")
    result = talk.messages[3].parts[0]
    assert isinstance(result, ToolResult)
    assert [part.text for part in result.content if isinstance(part, Media)] == ["21", '{"celsius":21}', "It is warm."]
    said = talk.messages[4].parts[1]
    assert isinstance(said, Text)
    assert [(c.start, c.end, c.title, c.cited_text, c.source_id) for c in said.citations] == [(6, 8, "T", "S", "doc:0")]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": []}, "model"),
        ({"model": "m", "messages": [{"role": "narrator", "content": "Hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"model": "m", "p": "much"}, "p"),
        ({"model": "m", "stop_sequences": "A"}, "stop_sequences"),
        ({"model": "m", "response_format": {}}, "response_format.type"),
        ({"model": "m", "thinking": {"type": 1}}, "thinking.type"),
    ],
)
def test_a_wrong_request_is_refused_by_its_member(body: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        COHERE.decode_request(body, TARGET)
    assert caught.value.path == path


# -- from elsewhere ----------------------------------------------------------------------------------------------------


def _said(*messages: Message, **settings: Any) -> tuple[dict[str, Any], set[str]]:
    encoded = COHERE.encode_request(Request(model="m", messages=messages, **settings), TARGET)
    return encoded.body, {f"{entry.path} {entry.action}" for entry in encoded.adaptations}


def test_numbers_are_brought_into_the_wires_ranges() -> None:
    body, noted = _said(
        user("Hi"), top_p=1.0, top_k=900, presence_penalty=-1.0, frequency_penalty=0.5, stop=tuple("ABCDEF")
    )
    assert (body["p"], body["k"], body["presence_penalty"], body["frequency_penalty"]) == (0.99, 500, 0.0, 0.5)
    assert body["stop_sequences"] == list("ABCDE")
    assert noted == {"top_p clamped", "top_k clamped", "presence_penalty clamped", "stop clamped"}


@pytest.mark.parametrize(
    ("options", "thinking", "adapted"),
    [
        (ReasoningOptions(effort="none"), {"type": "disabled"}, False),
        (ReasoningOptions(effort="low"), {"type": "enabled", "token_budget": 2048}, True),
        (ReasoningOptions(effort="max"), {"type": "enabled"}, True),
        (ReasoningOptions(budget_tokens=900), {"type": "enabled", "token_budget": 900}, False),
        (ReasoningOptions(budget_tokens=-1), {"type": "enabled"}, False),
        (ReasoningOptions(effort="odd"), None, True),
    ],
)
def test_thinking_is_said_as_a_budget(options: ReasoningOptions, thinking: object, adapted: bool) -> None:
    body, noted = _said(user("Hi"), reasoning=options)
    assert body.get("thinking") == thinking
    assert bool(noted) is adapted


def test_tools_are_chosen_by_leaving_others_out() -> None:
    tools = (ToolDefinition(name="f", strict=True), ToolDefinition(name="g"))
    body, noted = _said(user("Hi"), tools=tools, tool_choice=ToolChoice(mode="named", names=("g",)))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == "REQUIRED"
    assert body["strict_tools"] is True
    assert {"tools[0] dropped", "tool_choice emulated", "tools[1].strict substituted"} <= noted
    assert "tool_choice" not in _said(user("Hi"), tool_choice=ToolChoice(mode="required"))[0]


def test_a_format_is_not_asked_for_beside_tools() -> None:
    output = OutputFormat(type="json_schema", schema={"type": "object"}, name="n")
    body, noted = _said(user("Hi"), output=output)
    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert noted == {"output.name dropped"}
    body, noted = _said(user("Hi"), output=output, tools=(ToolDefinition(name="f", input_schema={}),))
    assert "response_format" not in body
    assert noted == {"output dropped"}


def test_documents_and_images_stand_where_the_wire_has_them() -> None:
    call = ToolCall(id="f_1", name="f")
    body, noted = _said(
        Message("user", ("Read", Media(kind="document", text="Words.", name="W"), Media(kind="image", data="aGk="))),
        assistant(call),
        tool_result(call, ["See:", Media(kind="image", data="aGk=", media_type="image/png")], is_error=True),
        user("Well?", Media(kind="audio", data="AA==")),
    )
    assert body["documents"] == [{"data": {"text": "Words.", "title": "W"}}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "user", "user"]
    assert body["messages"][1] == {
        "role": "assistant",
        "tool_calls": [{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "f_1", "content": "See:"}
    assert body["messages"][3]["content"][0]["type"] == "image_url"
    assert noted == {
        "messages[0].parts[1] substituted",
        "messages[0].parts[2].media_type defaulted",
        "messages[2].parts[0].is_error dropped",
        "messages[2].parts[0].content[1] emulated",
        "messages[3].parts[1] dropped",
    }


def test_foreign_state_and_sources_stay_behind() -> None:
    thought = Reasoning(text="Hm.", replay=(Replay(issuer="x", dialect="anthropic", kind="signature", data="secret"),))
    said = Text(text="Yes.", citations=(Citation(kind="url", url="https://example.org"),))
    body, noted = _said(assistant(thought, said))
    assert body["messages"] == [{"role": "assistant", "content": "Yes."}]
    assert noted == {"messages[0].parts[0] dropped", "messages[0].parts[1].citations dropped"}
    own = COHERE.decode_request(BODIES["a conversation with tools"], TARGET)
    other = COHERE.encode_request(own, replace(TARGET, issuer="another"))
    assert "thinking" not in str(other.body["messages"][4]["content"])
    assert any("replay" in entry.reason for entry in other.adaptations)


def test_what_a_host_refuses_is_left_out() -> None:
    target = replace(TARGET, quirks=Quirks(cohere=CohereQuirks(refused=("p",))))
    encoded = COHERE.encode_request(Request(model="m", messages=(user("Hi"),), top_p=0.5), target)
    assert "p" not in encoded.body
    assert [entry.path for entry in encoded.adaptations] == ["top_p"]


def test_embeddings_requests_say_what_the_host_demands() -> None:
    assert COHERE.decode_embedding_request is not None
    assert COHERE.encode_embedding_request is not None
    body = {"model": "m", "texts": ["a"], "input_type": "search_query", "embedding_types": ["int8"], "truncate": "END"}
    assert COHERE.encode_embedding_request(COHERE.decode_embedding_request(body, TARGET), TARGET).body == body
    images = {"model": "m", "input_type": "image", "images": ["data:image/png;base64,aGk="], "output_dimension": None}
    assert COHERE.encode_embedding_request(COHERE.decode_embedding_request(images, TARGET), TARGET).body == images
    asked = COHERE.encode_embedding_request(
        EmbeddingRequest(model="m", inputs=("a", "b"), task="RETRIEVAL_QUERY", dimensions=256), TARGET
    )
    assert asked.body == {
        "model": "m",
        "texts": ["a", "b"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert [(entry.path, entry.action) for entry in asked.adaptations] == [("task", "substituted")]
    plain = COHERE.encode_embedding_request(EmbeddingRequest(model="m", inputs=("a",)), TARGET)
    assert plain.body["input_type"] == "search_document"
