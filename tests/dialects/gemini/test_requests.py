"""Requests of this wire survive decoding and encoding, in whatever form the client wrote them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.dialects.gemini.members import snake
from dragoman.errors import InvalidRequest
from dragoman.values import Media, MessageRole, Opaque, Reasoning, Request, Text, ToolCall, ToolResult, replace
from tests.dialects.gemini.wire import (
    ELSEWHERE,
    PATH,
    STREAM_PATH,
    asked,
    asked_with,
    changed,
    encoded,
    paths,
    places,
    survives,
    target,
    turn,
)
from tests.wire.comparing import told

FULL: Any = {
    "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
    "contents": [
        turn({"text": "Weather in Paris and Rome?"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}}),
        turn(
            {"text": "I should ask.", "thought": True},
            {"functionCall": {"name": "weather", "args": {"city": "Paris"}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "weather", "args": {"city": "Rome", "days": 1.0}, "id": "c2"}},
            role="model",
        ),
        turn(
            {"functionResponse": {"name": "weather", "response": {"output": "rain"}}},
            {"functionResponse": {"name": "weather", "id": "c2", "response": {"temp": 20, "wind": None}}},
        ),
        turn({"text": "Rain; 20 degrees."}, {"text": "", "thoughtSignature": "bGFzdA=="}, role="model"),
        turn({"text": "And tomorrow?"}, {"fileData": {"fileUri": "gs://bucket/map.mp4", "mimeType": "video/mp4"}}),
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "weather", "description": "The weather.", "parametersJsonSchema": {"type": "object"}},
                {"name": "clock", "parameters": {"type": "OBJECT", "properties": {"zone": {"type": "STRING"}}}},
            ]
        },
        {"googleSearch": dict[str, Any]()},
    ],
    "toolConfig": {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        "retrievalConfig": {"languageCode": "en"},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {
        "temperature": 0.2,
        "topP": 1,
        "topK": 40.0,
        "maxOutputTokens": 100,
        "candidateCount": 2,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.5,
        "frequencyPenalty": -0.5,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "IMAGE"],
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 512},
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "imageConfig": {"aspectRatio": "1:1"},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
    },
    "cachedContent": "cachedContents/abc",
    "serviceTier": "flex",
    "store": False,
    "labels": {"team": "red"},
    "modelArmorConfig": {"promptTemplateName": "t"},
}


def test_a_full_request_survives() -> None:
    request = survives(FULL)
    assert request.model == "gemini-x"
    assert not request.stream
    assert [message.role.value for message in request.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert request.messages[0].content == "Be brief.Be kind."
    assert (request.temperature, request.top_p, request.top_k, request.max_tokens) == (0.2, 1, 40, 100)
    assert (request.choices, request.stop, request.seed, request.top_logprobs) == (2, ("END",), 7, 3)
    assert request.modalities == ("text", "image")
    assert request.output is not None
    assert request.output.type == "json_schema"
    assert request.reasoning is not None
    assert (request.reasoning.budget_tokens, request.reasoning.visible) == (512, True)
    assert request.tool_choice is not None
    assert (request.tool_choice.mode, request.tool_choice.names) == ("named", ("weather",))
    assert (request.service_tier, request.store, request.metadata) == ("flex", False, {"team": "red"})
    kept = request.extras["gemini"]
    assert kept["cachedContent"] == "cachedContents/abc"
    assert kept["toolConfig"] == {"retrievalConfig": {"languageCode": "en"}}
    assert set(kept["generationConfig"]) == {"speechConfig", "imageConfig", "mediaResolution"}


def test_calls_and_results_are_joined_by_ids_that_the_wire_need_not_have() -> None:
    calls = asked(FULL).messages[2].tool_calls
    results = [part for part in asked(FULL).messages[3].parts if isinstance(part, ToolResult)]
    assert [call.id for call in calls] == [result.call_id for result in results]
    assert calls[0].id.startswith("call_")
    assert calls[1].id == "c2"
    assert calls[0].arguments == {"city": "Paris"}
    assert results[0].text == "rain"
    assert results[1].text == '{"temp":20,"wind":null}'


_OBJECTS = ("args", "response", "parametersJsonSchema", "parameters", "responseJsonSchema", "labels", "properties")


def _respelled(value: Any, name: str = "") -> Any:
    """The same body in snake_case, the way Python clients write it."""
    if isinstance(value, list):
        return [_respelled(item, name) for item in cast("list[Any]", value)]
    if isinstance(value, dict) and name not in _OBJECTS:
        return {snake(key): _respelled(item, key) for key, item in cast("dict[str, Any]", value).items()}
    return cast("Any", value)


def test_snake_case_means_the_same_and_is_kept() -> None:
    written, usual = told(survives(_respelled(FULL))), told(asked(FULL))
    assert {name for name in usual if written.get(name) != usual[name]} == {"extras"}
    assert written["extras"]["gemini"]["cached_content"] == "cachedContents/abc"


def _spell(holder: Any, name: Any) -> None:
    if isinstance(name, str):
        holder[snake(name)] = holder.pop(name)


def _null(holder: Any, name: Any) -> None:
    if isinstance(name, str):
        holder[name] = None


def _remove(holder: Any, name: Any) -> None:
    del holder[name]


def _empty(holder: Any, name: Any) -> None:
    holder[name] = type(holder[name])()


def _add(holder: Any, name: Any) -> None:
    if isinstance(holder[name], dict):
        holder[name] = {**holder[name], "newMember": {"deep": [1, 1.0, True, None]}}


def _unlist(holder: Any, name: Any) -> None:
    if isinstance(holder[name], list) and len(holder[name]) == 1 and isinstance(holder[name][0], dict):
        holder[name] = holder[name][0]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(places(FULL)), st.sampled_from([_spell, _null, _remove, _empty, _add, _unlist]))
def test_whatever_form_a_client_writes_is_kept(path: tuple[Any, ...], change: Any) -> None:
    body = changed(FULL, path, change)
    refused = _refusal(body)
    if refused is None:
        survives(body)
    else:
        assert refused.path


def _refusal(body: Any) -> InvalidRequest | None:
    try:
        asked(body)
    except InvalidRequest as error:
        return error
    return None


@pytest.mark.parametrize(
    "part",
    [
        {"text": ""},
        {"text": "x", "thought": False},
        {"text": "x", "partMetadata": {"a": 1}},
        {"thoughtSignature": "c2ln"},
        {"thought": True},
        {"thought": True, "inlineData": {"mimeType": "image/png", "data": "x"}},
        {"text": "", "functionCall": {"name": "f", "args": {}}},
        {"functionCall": {"name": "f"}},
        {"functionCall": {"name": "f", "args": None}},
        {"functionCall": {"name": "f", "args": {}, "id": ""}},
        {
            "inlineData": {
                "data": "TRIMMED[base64 9 chars sha256=00]",
                "mimeType": "application/pdf",
                "displayName": "a",
            }
        },
        {"inlineData": {"mimeType": "image/png"}},
        {"fileData": {"fileUri": "https://example.com/a.png"}},
        {"fileData": {"fileUri": "gs://b/a.mp4", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 2.0}},
        {"inlineData": {"data": "x", "mimeType": "image/png"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}},
        {"inlineData": {"data": "x", "mimeType": "image/png"}, "mediaResolution": {"numTokens": 5}},
        {"text": "x", "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}},
        {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "k"}, "thoughtSignature": "c2ln"},
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "no", "id": "k"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}, "id": "s"}},
        {"toolCall": {"toolType": 1, "toolName": "x"}},
        {"toolResponse": {"toolType": "GOOGLE_SEARCH_WEB", "response": {"a": "b"}, "id": "s"}},
        {"functionResponse": {"name": "f", "response": {}}},
        {"functionResponse": {"name": "f"}},
        {"functionResponse": {"name": "f", "response": {"error": "boom"}}},
        {"functionResponse": {"name": "f", "response": {"error": {"code": 1}}}},
        {"functionResponse": {"name": "f", "response": {"output": '{"a": 1}'}}},
        {"functionResponse": {"name": "f", "response": {"output": ["a", 1]}}},
        {"functionResponse": {"name": "f", "response": {"result": 1.0}, "willContinue": True, "scheduling": "SILENT"}},
        {
            "functionResponse": {
                "name": "f",
                "response": {},
                "parts": [{"inlineData": {"mimeType": "a/b", "data": "x"}}],
            }
        },
        {
            "functionResponse": {
                "name": "f",
                "response": {},
                "parts": [{"fileData": {"fileUri": "u", "mimeType": "a/b"}}],
            }
        },
        {"functionResponse": {"name": "f", "response": {}, "parts": [{"new": 1}]}},
        {"functionResponse": {"name": "f", "response": {}, "parts": []}},
        {"newKind": {"a": 1}, "thoughtSignature": "c2ln"},
        {"textual": "x"},
        {},
    ],
)
def test_every_kind_of_part_survives(part: Any) -> None:
    survives(asked_with(part))
    survives(asked_with({"text": "before"}, part, {"text": "after"}, role="model"))


def test_contents_in_their_odd_forms_survive() -> None:
    survives({"contents": {"parts": {"text": "one object where a list is due"}}})
    survives({"contents": [{"parts": [{"text": "no role"}]}]})
    survives({"contents": [{"role": "", "parts": [{"text": "an empty role"}]}]})
    survives({"contents": [{"role": "user"}, {"role": "model", "parts": []}, {"role": "user", "parts": None}, {}]})
    survives({"contents": []})
    survives({"cachedContent": "cachedContents/a"})
    survives({"systemInstruction": {"parts": {"text": "alone"}}})
    survives({"systemInstruction": {}, "contents": [turn({"text": "x"})]})
    survives({"contents": [{"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}]})


def test_results_in_one_turn_stay_in_one_and_apart_stay_apart() -> None:
    result: Any = {"functionResponse": {"name": "f", "response": {"output": "x"}}}
    one = survives({"contents": [turn(result, result)]})
    assert [message.role for message in one.messages] == [MessageRole.TOOL]
    two = survives({"contents": [turn(result), turn(result)]})
    assert [message.role for message in two.messages] == [MessageRole.TOOL] * 2
    mixed = survives({"contents": [turn(result, {"text": "and this"}, result)]})
    assert [message.role for message in mixed.messages] == [MessageRole.USER]


def test_the_path_names_the_model_and_the_method() -> None:
    body = asked_with({"text": "x"})
    assert asked(body, STREAM_PATH).stream
    assert encoded(asked(body, STREAM_PATH)).path == "/models/gemini-x:streamGenerateContent?alt=sse"
    assert encoded(asked(body, PATH)).path == "/models/gemini-x:generateContent"
    vertex = "/v1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent?$alt=json"
    assert asked(body, vertex).model == "gemini-x"
    assert asked(body, "/v1beta/tunedModels/mine:generateContent").model == "tunedModels/mine"
    assert encoded(Request(model="tunedModels/mine")).path == "/tunedModels/mine:generateContent"
    assert encoded(Request(model="models/gemini-y")).path == "/models/gemini-y:generateContent"
    assert asked(body, "").model == "gemini-x"
    assert asked({**body, "model": "models/gemini-z"}, "").model == "gemini-z"


def test_a_model_in_the_body_is_kept_and_follows_the_model() -> None:
    request = survives({**asked_with({"text": "x"}), "model": "models/gemini-x"})
    assert encoded(replace(request, model="gemini-y")).body["model"] == "models/gemini-y"


@pytest.mark.parametrize("model", ["", "../x", "a//b", "models/.."])
def test_a_model_s_name_cannot_leave_its_path(model: str) -> None:
    with pytest.raises(InvalidRequest):
        encoded(Request(model=model), target().__class__(model=""))


def test_a_model_s_name_is_quoted() -> None:
    assert encoded(Request(model="a?b#c d")).path == "/models/a%3Fb%23c%20d:generateContent"


_WRONG: list[Any] = [
    ({"contents": "Hello"}, "contents"),
    ({"contents": [{"parts": "x"}]}, "contents[0].parts"),
    ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
    ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
    ({"contents": [turn({"functionCall": {"args": {}}})]}, "contents[0].parts[0].functionCall.name"),
    ({"contents": [turn({"functionCall": {"name": "f", "args": []}})]}, "contents[0].parts[0].functionCall.args"),
    ({"contents": [turn({"inlineData": {"data": 1}})]}, "contents[0].parts[0].inlineData.data"),
    ({"contents": [turn({"inlineData": {}, "fileData": {"fileUri": "u"}})]}, "contents[0].parts[0]"),
    ({"contents": [], "systemInstruction": "Be brief"}, "systemInstruction"),
    ({"contents": [], "system_instruction": {}, "systemInstruction": {}}, "body.systemInstruction"),
    ({"contents": [], "generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
    ({"contents": [], "generationConfig": {"maxOutputTokens": 1.5}}, "generationConfig.maxOutputTokens"),
    ({"contents": [], "generationConfig": {"stopSequences": "x"}}, "generationConfig.stopSequences"),
    ({"contents": [], "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
    (
        {"contents": [], "toolConfig": {"functionCallingConfig": {"mode": []}}},
        "toolConfig.functionCallingConfig.mode",
    ),
    ({"contents": [], ":note": 1}, "body.:note"),
]


@pytest.mark.parametrize(("body", "path"), _WRONG)
def test_a_wrong_member_is_named(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(body)
    assert refused.value.path == path


def test_another_method_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        asked({"contents": []}, "/v1beta/models/gemini-x:countTokens")


def test_an_edited_value_is_not_overwritten_by_its_old_form() -> None:
    request = asked(
        {
            "contents": [turn({"functionResponse": {"name": "f", "response": {"output": ["a"]}}})],
            "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": False}}]}],
            "generationConfig": {"topK": 2.0, "responseMimeType": "application/json", "thinkingConfig": {}},
        }
    )
    (result,) = request.messages[0].parts
    assert isinstance(result, ToolResult)
    tool = request.tools[0]
    assert not isinstance(tool, Opaque)
    assert request.output is not None
    edited = replace(
        request,
        top_k=3,
        output=replace(request.output, type="text"),
        messages=(replace(request.messages[0], parts=(replace(result, content=(Text(text="new"),)),)),),
        tools=(replace(tool, input_schema={"type": "string"}),),
    )
    body = encoded(edited).body
    assert body["contents"][0]["parts"][0]["functionResponse"]["response"] == {"output": "new"}
    assert body["tools"][0]["functionDeclarations"][0]["parameters"] == {"type": "STRING"}
    assert body["generationConfig"]["topK"] == 3
    assert body["generationConfig"]["responseMimeType"] == "text/plain"


def test_state_goes_to_its_issuer_alone() -> None:
    request = asked(FULL)
    body = encoded(request, ELSEWHERE)
    assert "c2ln" not in str(body.body)
    assert "bGFzdA==" not in str(body.body)
    dropped = [entry for entry in body.adaptations if entry.action == "dropped"]
    assert [entry.path for entry in dropped] == ["messages[2].parts[1].replay", "messages[4].parts[1].replay"]
    assert all("google" in entry.reason for entry in dropped)
    # The call has lost its signature, and newer models refuse it without one.
    assert body.body["contents"][1]["parts"][1]["thoughtSignature"] == "skip_thought_signature_validator"
    assert body.body["contents"][1]["parts"][0] == {"text": "I should ask.", "thought": True}


def test_an_opaque_part_keeps_its_state_apart() -> None:
    request = asked(asked_with({"newKind": {"a": 1}, "thoughtSignature": "c2ln"}, role="model"))
    (part,) = request.messages[0].parts
    assert isinstance(part, Opaque)
    assert (part.kind, part.data) == ("newKind", {"newKind": {"a": 1}})
    body = encoded(request, ELSEWHERE).body
    assert body["contents"][0]["parts"] == [{"newKind": {"a": 1}}]


def test_refused_members_are_left_out_and_named() -> None:
    quirks = target(refused=("serviceTier", "topK", "imageConfig", "videoMetadata", "cachedContent", "googleSearch"))
    body = encoded(asked(FULL), quirks)
    assert not {"serviceTier", "cachedContent"} & set(body.body)
    assert "topK" not in body.body["generationConfig"]
    assert len(body.body["tools"]) == 1
    assert paths(body) == [
        "tools[2]",
        "top_k",
        "extras.gemini.generationConfig.imageConfig",
        "service_tier",
        "extras.gemini.cachedContent",
    ]


def test_a_stream_without_server_sent_events_is_remembered() -> None:
    request = survives(asked_with({"text": "x"}), "/v1beta/models/m:streamGenerateContent")
    assert request.stream
    assert request.extras["gemini"][":framing"] == "array"


def test_provider_run_tools_are_a_trace() -> None:
    request = asked(
        asked_with(
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "no"}},
            {"toolCall": {"toolType": "URL_CONTEXT", "args": {}, "id": "u"}},
            {"toolResponse": {"toolType": "URL_CONTEXT", "response": {"a": 1}, "id": "u"}},
            role="model",
        )
    )
    code, outcome, call, response = request.messages[0].parts
    assert isinstance(code, ToolCall)
    assert isinstance(outcome, ToolResult)
    assert isinstance(call, ToolCall)
    assert isinstance(response, ToolResult)
    assert request.messages[0].tool_calls == ()
    assert code.arguments == {"language": "PYTHON", "code": "print(1)"}
    assert (outcome.call_id, outcome.text, outcome.is_error) == (code.id, "no", True)
    assert (call.id, response.call_id, response.text) == ("u", "u", '{"a":1}')


def test_thoughts_are_summaries_and_keep_their_place() -> None:
    request = asked(asked_with({"text": "hm", "thought": True, "thoughtSignature": "c2ln"}, role="model"))
    (part,) = request.messages[0].parts
    assert isinstance(part, Reasoning)
    assert (part.text, part.form) == ("hm", "summary")
    assert part.replay[0].data == "c2ln"
    assert (part.replay[0].issuer, part.replay[0].dialect, part.replay[0].kind) == (
        "google",
        "gemini",
        "thought-signature",
    )


def test_base64_for_addresses_is_read_and_kept() -> None:
    """The vendor's Python client writes media so; other dialects get the usual letters."""
    request = survives(asked_with({"inlineData": {"mimeType": "image/png", "data": "-_-_"}}))
    media = request.messages[0].parts[0]
    assert isinstance(media, Media)
    assert (media.data, media.bytes()) == ("+/+/", b"\xfb\xff\xbf")
