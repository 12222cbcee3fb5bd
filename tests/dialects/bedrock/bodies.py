"""Hand-written bodies: one per feature of the wire, as clients and the service write them."""

from __future__ import annotations

from typing import Any

from tests.dialects.bedrock.wire import answer, asked, said

HI = said("user", "Hi")
_INPUTS: tuple[dict[str, Any], ...] = (
    {},
    {"input": None},
    {"input": {}},
    {"input": "words"},
    {"input": [1]},
    {"input": 1.0},
)
SPEC: dict[str, Any] = {
    "toolSpec": {
        "name": "weather",
        "description": "The weather of a city.",
        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
        "strict": True,
    }
}
CALL: dict[str, Any] = {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Zürich", "n": 1.0}}}
POINT: dict[str, Any] = {"cachePoint": {"type": "default"}}
LONG_POINT: dict[str, Any] = {"cachePoint": {"type": "default", "ttl": "1h"}}
SERVER_CALL: dict[str, Any] = {
    "toolUse": {"toolUseId": "t2", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}
}
SERVER_RESULT: dict[str, Any] = {
    "toolResult": {
        "toolUseId": "t2",
        "type": "nova_grounding_result",
        "status": "success",
        "content": [{"json": {"n": 7.0, "x": None}}, {"text": "found"}],
    }
}
CITED = {
    "citationsContent": {
        "content": [{"text": "Paris is large."}],
        "citations": [
            {
                "title": "A page",
                "source": "s-1",
                "sourceContent": [{"text": "Paris"}, {"text": " is"}],
                "location": {"documentChar": {"documentIndex": 0, "start": 1, "end": 9}},
            },
            {"location": {"web": {"url": "https://example.org", "domain": "example.org"}}},
            {
                "location": {"searchResultLocation": {"searchResultIndex": 1, "start": 0, "end": 1}},
                "source": "https://x.y",
            },
            {"location": {"documentPage": {"documentIndex": 3, "start": 1, "end": 2}}},
            {"location": {"newKind": {"a": 1}}, "more": [1]},
        ],
    }
}
GUARDED = {"guardContent": {"text": {"text": "Is it so?", "qualifiers": ["query"]}}}
SEARCH_RESULT = {"searchResult": {"source": "https://x.y", "title": "T", "content": [{"text": "words"}]}}
SIGNED = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sealed-signature"}}}
UNSIGNED = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
REDACTED = {"reasoningContent": {"redactedContent": "c2VhbGVkLXRob3VnaHRz"}}


def _media(kind: str, form: str, **source: Any) -> dict[str, Any]:
    return {kind: {"format": form, "source": source}}


def _result(*content: Any, **members: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": "tooluse_1", "content": list(content), **members}}


REQUESTS: dict[str, dict[str, Any]] = {
    "a word": asked(HI),
    "no messages": {},
    "messages that are none": asked(),
    "empty settings": asked(HI, system=[], inferenceConfig={}, toolConfig={}, outputConfig={}, requestMetadata={}),
    "nulls": asked(HI, system=None, inferenceConfig={"maxTokens": None, "stopSequences": None}, toolConfig=None),
    "empty lists": asked(HI, inferenceConfig={"stopSequences": []}, toolConfig={"tools": []}),
    "settings": asked(
        HI, inferenceConfig={"maxTokens": 10, "temperature": 0, "topP": 1.0, "stopSequences": ["|"], "later": [1]}
    ),
    "a float for an integer": asked(HI, inferenceConfig={"maxTokens": 10.0}),
    "system": asked(HI, system=[{"text": "One."}, POINT, {"text": "Two."}, GUARDED, LONG_POINT]),
    "a system turn": asked(HI, said("system", "Rhyme."), said("assistant", "Ho"), said("user", "On")),
    "cache points": asked(said("user", POINT, "a", POINT, POINT, "b", LONG_POINT, {"cachePoint": {"type": "new"}})),
    "media": asked(
        said(
            "user",
            _media("image", "jpeg", bytes="/9j/4AAQ"),
            _media("image", "webp", s3Location={"uri": "s3://b/k", "bucketOwner": "123456789012"}),
            _media("image", "tiff", bytes="AAAA"),
            {"image": {"format": "png", "source": {"bytes": "AAAA"}, "error": {"message": "no"}}},
            _media("video", "three_gp", bytes="AAAA"),
            _media("video", "mpg", bytes="AAAA"),
            _media("audio", "mpeg", bytes="AAAA"),
            _media("audio", "mp3", s3Location={"uri": "s3://b/k"}),
            _media("image", "png", newSource={"a": 1}),
            _media("image", "png", text="no image"),
        )
    ),
    "documents": asked(
        said(
            "user",
            {"document": {"format": "pdf", "name": "One", "source": {"bytes": "JVBERi0"}}},
            {"document": {"name": "Two", "source": {"text": "plain"}, "context": "c", "citations": {"enabled": True}}},
            {"document": {"format": "txt", "name": "", "source": {"content": [{"text": "a"}, {"text": "b"}]}}},
        )
    ),
    "guards": asked(
        said("user", GUARDED, {"guardContent": {"text": {"text": "bare"}}}),
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
    ),
    "a guarded image": asked(said("user", {"guardContent": _media("image", "png", bytes="AAAA")})),
    "an unknown guard": asked(said("user", {"guardContent": {"sound": {"a": 1}}})),
    "tools": asked(
        HI,
        toolConfig={
            "tools": [SPEC, POINT, {"systemTool": {"name": "nova_grounding"}}, LONG_POINT, {"newTool": {}}],
            "toolChoice": {"auto": {}},
            "more": 1,
        },
    ),
    "a bare tool": asked(
        HI,
        toolConfig={
            "tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}, "x": 1}, "description": "", "y": None}}],
            "toolChoice": {"any": {"later": 1}},
        },
    ),
    "a named tool": asked(HI, toolConfig={"tools": [SPEC], "toolChoice": {"tool": {"name": "weather"}}}),
    "an unknown choice": asked(HI, toolConfig={"tools": [SPEC], "toolChoice": {"none": {}}}),
    "a round of tools": asked(
        HI,
        said("assistant", SIGNED, "Looking.", CALL),
        said("user", _result({"text": "21"}, {"json": {"n": 1.0}}, status="success"), "And?", POINT),
        toolConfig={"tools": [SPEC]},
    ),
    "results": asked(
        HI,
        said("assistant", CALL),
        said(
            "user",
            _result(status="error"),
            _result({"json": None}, {"json": [1]}, {"json": "text"}, status=None),
            _result(_media("image", "png", bytes="AAAA"), SEARCH_RESULT, {"newKind": 1}),
            {"toolResult": {"toolUseId": "tooluse_1"}},
        ),
    ),
    "inputs": asked(
        HI,
        said(
            "assistant",
            *({"toolUse": {"toolUseId": f"t{number}", "name": "f", **given}} for number, given in enumerate(_INPUTS)),
            {"toolUse": {"toolUseId": "w", "name": "f", "input": {"INVALID_JSON": '{"a":'}, "type": "tool_use"}},
            {"toolUse": {"toolUseId": "v", "name": "f", "input": {"INVALID_JSON": '{"a":1}'}, "more": 1}},
        ),
    ),
    "a system tool's call": asked(HI, said("assistant", SERVER_CALL, SERVER_RESULT, "Found."), HI),
    "thoughts": asked(HI, said("assistant", SIGNED, UNSIGNED, REDACTED, "Yes."), HI),
    "odd thoughts": asked(
        HI,
        said(
            "assistant",
            {"reasoningContent": {"newForm": "x"}},
            {"reasoningContent": {"reasoningText": {"text": "", "signature": None, "more": 1}}},
            {"reasoningContent": {"reasoningText": {"signature": "s"}}},
        ),
    ),
    "citations": asked(HI, said("assistant", CITED), HI),
    "odd citations": asked(
        HI,
        said(
            "assistant",
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": []}},
            {"citationsContent": {}},
            {"citationsContent": {"content": [{"sound": 1}], "more": 1}},
        ),
    ),
    "other blocks": asked(
        said("user", SEARCH_RESULT, {"toolAddition": {"tool": {"name": "t"}}}, {"newKind": {"a": 1}}),
        said("assistant", {"text": "x", "sibling": 1, "void": None}),
    ),
    "members beside": {
        "messages": [{**HI, "more": 1, ":colon": 2}],
        "promptVariables": {"a": {"text": "b"}},
        "performanceConfig": {"latency": "optimized"},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "unknown": None,
        ":odd": [1],
    },
    "thinking": asked(
        HI,
        additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5},
        inferenceConfig={"maxTokens": 4000},
    ),
    "odd thinking": asked(HI, additionalModelRequestFields={"thinking": {"type": "enabled", "display": "omitted"}}),
    "thinking that is none": asked(HI, additionalModelRequestFields={"thinking": True}),
    "fields of another form": asked(HI, additionalModelRequestFields=[1]),
    "an effort": asked(HI, outputConfig={"effort": "xhigh", "more": 1}),
    "a schema": asked(
        HI,
        outputConfig={
            "textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": {"schema": '{ "type":"object" }', "name": "n", "description": "d"}},
            }
        },
    ),
    "an odd schema": asked(
        HI,
        outputConfig={
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"a":1}', "x": 1}}, "y": 2}
        },
    ),
    "a format of another kind": asked(HI, outputConfig={"textFormat": {"type": "xml", "structure": {"xsd": "…"}}}),
    "a schema that is none": asked(
        HI, outputConfig={"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}}
    ),
    "metadata and a tier": asked(HI, requestMetadata={"team": "north"}, serviceTier={"type": "flex"}),
    "an odd tier": asked(HI, serviceTier={"type": "flex", "more": 1}),
}

ANSWERS: dict[str, dict[str, Any]] = {
    "text": answer("Hello."),
    "nothing": answer(),
    "everything": answer(
        SIGNED,
        REDACTED,
        "Hm.",
        CITED,
        CALL,
        SERVER_CALL,
        SERVER_RESULT,
        {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
        {"newKind": {"a": 1}},
        stop="tool_use",
        trace={"guardrail": {"actionReason": "x"}, "promptRouter": {"invokedModelId": "m"}},
        additionalModelResponseFields={"stop_sequence": "|"},
        performanceConfig={"latency": "standard"},
        serviceTier={"type": "priority"},
        later={"a": None},
    ),
    "the cache": answer(
        "Hi",
        usage={
            "inputTokens": 1,
            "outputTokens": 2,
            "totalTokens": 33,
            "cacheReadInputTokens": 10,
            "cacheWriteInputTokens": 20,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
            "serverToolUsage": {"webSearchRequests": 2},
            "cacheReadInputTokenCount": 10,
        },
    ),
    "odd members": {
        "output": {"message": {"role": "assistant", "content": None, "more": 1}, "beside": 2},
        "stopReason": "new_reason",
        "usage": None,
        "serviceTier": {"type": "flex", "x": 1},
    },
    "a bare message": {"output": {"message": {"content": [{"text": "x"}]}}},
    "a role that is null": {"output": {"message": {"role": None, "content": []}}, "usage": {}},
    "another role": {"output": {"message": {"role": "model", "content": []}}, "stopReason": "end_turn"},
}
