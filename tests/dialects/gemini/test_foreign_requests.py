"""Requests that came over other wires, or were made by hand: valid here, and what cannot be said is named."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.errors import InvalidRequest
from dragoman.values import (
    CacheHint,
    Citation,
    Media,
    Message,
    MessageRole,
    Opaque,
    OutputFormat,
    Reasoning,
    ReasoningOptions,
    Refusal,
    Replay,
    Request,
    Text,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    assistant,
    system,
    tool_result,
    user,
)
from tests.dialects.gemini.wire import TARGET, answered, conversation, encoded, paths, target
from tests.wire.specs import spec_for, specs_folder

SIGNED = "skip_thought_signature_validator"


def contents(*messages: Message, **settings: Any) -> Any:
    return encoded(conversation(*messages, **settings)).body["contents"]


def config(**settings: Any) -> Any:
    return encoded(conversation(user("x"), **settings)).body.get("generationConfig")


# -- messages ----------------------------------------------------------------------------------------------------------


def test_leading_instructions_are_the_system_instruction() -> None:
    developer = Message(MessageRole.DEVELOPER, "Use metres.")
    body = encoded(conversation(system("Be brief."), developer, user("Hi")))
    assert body.body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Use metres."}]}
    assert body.body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert body.adaptations == ()


def test_later_instructions_stay_in_their_place_and_are_named() -> None:
    body = encoded(conversation(user("Hi"), system("Now in French."), assistant("Salut")))
    assert [turn["role"] for turn in body.body["contents"]] == ["user", "user", "model"]
    assert body.body["contents"][1]["parts"] == [{"text": "Now in French."}]
    assert "systemInstruction" not in body.body
    assert paths(body) == ["messages[1]"]


def test_instructions_alone_become_a_turn_since_there_must_be_one() -> None:
    body = encoded(conversation(system("Say hello.")))
    assert body.body == {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}
    assert paths(body) == ["messages"]


def test_results_of_parallel_calls_make_one_turn() -> None:
    first = ToolCall(id="a", name="f", arguments_text='{"x":1}')
    second = ToolCall(id="b", name="g")
    turns = contents(user("go"), assistant(first, second), tool_result(first, "1"), tool_result("b", "2"), user("so?"))
    assert [turn["role"] for turn in turns] == ["user", "model", "user", "user"]
    assert turns[1]["parts"] == [
        {"functionCall": {"name": "f", "args": {"x": 1}, "id": "a"}, "thoughtSignature": SIGNED},
        {"functionCall": {"name": "g", "args": {}, "id": "b"}},
    ]
    assert turns[2]["parts"] == [
        {"functionResponse": {"name": "f", "response": {"output": "1"}, "id": "a"}},
        {"functionResponse": {"name": "g", "response": {"output": "2"}, "id": "b"}},
    ]


def test_a_users_results_stand_in_a_turn_of_their_own() -> None:
    call = ToolCall(id="a", name="f")
    message = user(ToolResult(call_id="a", content=(Text(text="1"),)), "And now?")
    turns = contents(user("go"), assistant(call), message)
    assert [next(iter(part)) for turn in turns[2:] for part in turn["parts"]] == ["functionResponse", "text"]
    assert len(turns) == 4


def test_a_signature_stands_in_for_the_one_that_another_model_has_not_given() -> None:
    call = ToolCall(
        id="a", name="f", replay=(Replay(issuer="x", dialect="anthropic", kind="signature", data="secret"),)
    )
    body = encoded(conversation(user("go"), assistant(call)))
    assert body.body["contents"][1]["parts"][0]["thoughtSignature"] == SIGNED
    assert "secret" not in str(body.body)
    assert [(entry.path, entry.action) for entry in body.adaptations] == [
        ("messages[1].parts[0].replay", "dropped"),
        ("messages[1].parts[0].replay", "defaulted"),
    ]
    assert "thoughtSignature" not in str(encoded(conversation(assistant(call)), target(call_signature=None)).body)


def test_a_host_s_own_unsigned_call_stays_unsigned() -> None:
    answer = answered(
        {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}}]}
    )
    body = encoded(conversation(user("go"), answer.message, tool_result(answer.tool_calls[0], "1")))
    assert body.body["contents"][1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert body.body["contents"][2]["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "1"}}}]
    assert body.adaptations == ()


def test_results_without_ids_follow_the_order_of_the_calls() -> None:
    parts = [{"functionCall": {"name": "f", "args": {"n": number}}} for number in range(3)]
    answer = answered({"candidates": [{"content": {"role": "model", "parts": parts}}]})
    results = [tool_result(call, call.arguments_text) for call in reversed(answer.tool_calls)]
    turns = contents(user("go"), answer.message, *results)
    said = [part["functionResponse"]["response"]["n"] for part in turns[2]["parts"]]
    assert said == [0, 1, 2]
    assert all("id" not in part["functionResponse"] for part in turns[2]["parts"])


def test_thoughts_refusals_and_strangers() -> None:
    body = encoded(
        conversation(
            user("go"),
            assistant(
                Reasoning(text="hm", replay=(Replay(issuer="x", dialect="anthropic", kind="signature", data="s"),)),
                Refusal(text="I will not."),
                Opaque(dialect="anthropic", kind="container", data={"id": 1}),
                ToolCall(id="s", name="web_search", runner="provider"),
                ToolResult(call_id="s", runner="provider"),
                Text(text="But:", channel="commentary", citations=(Citation(url="https://a"),)),
            ),
        )
    )
    assert body.body["contents"][1]["parts"] == [{"text": "I will not."}, {"text": "But:"}]
    assert paths(body) == [
        "messages[1].parts[0]",
        "messages[1].parts[0].replay",
        "messages[1].parts[1]",
        "messages[1].parts[2]",
        "messages[1].parts[3]",
        "messages[1].parts[4]",
        "messages[1].parts[5].citations",
        "messages[1].parts[5].channel",
    ]


def test_a_turn_of_which_nothing_can_be_said_is_left_out_and_named() -> None:
    body = encoded(conversation(user("go"), assistant(Reasoning(text="hm")), assistant(Text(text="")), user("on")))
    assert [turn["role"] for turn in body.body["contents"]] == ["user", "user"]
    assert paths(body) == ["messages[1].parts[0]", "messages[1]", "messages[2].parts[0]", "messages[2]"]


def test_what_the_wire_has_no_place_for_is_named() -> None:
    message = Message(
        MessageRole.USER,
        parts=(Text(text="x", cache=CacheHint(ttl="1h"), extras={"openai-chat": {"weight": 1, ":form": "x"}}),),
        name="Ann",
        extras={"openai-chat": {"audio": {"id": "a"}}},
    )
    body = encoded(conversation(message, extras={"openai-chat": {"logit_bias": {"1": 1}}}))
    assert paths(body) == [
        "extras.openai-chat.logit_bias",
        "messages[0].extras.openai-chat.audio",
        "messages[0].name",
        "messages[0].parts[0].extras.openai-chat.weight",
        "messages[0].parts[0].cache",
    ]


@pytest.mark.parametrize(
    ("content", "is_error", "response"),
    [
        (("plain",), False, {"output": "plain"}),
        (('{"a": [1]}',), False, {"a": [1]}),
        (("[1, 2]",), False, {"output": "[1, 2]"}),
        (('{"broken',), False, {"output": '{"broken'}),
        (("boom",), True, {"error": "boom"}),
        ((), False, {}),
        (("a", "b"), False, {"output": "a\nb"}),
    ],
)
def test_results_are_objects(content: tuple[str, ...], is_error: bool, response: Any) -> None:
    result = tool_result("c", [Text(text=piece) for piece in content], is_error=is_error, name="f")
    (turn,) = contents(result)
    assert turn["parts"] == [{"functionResponse": {"name": "f", "response": response, "id": "c"}}]


def test_a_result_of_an_unknown_call_is_named_by_its_id() -> None:
    body = encoded(conversation(tool_result("call_9", "x")))
    assert body.body["contents"][0]["parts"][0]["functionResponse"]["name"] == "call_9"
    assert paths(body) == ["messages[0].parts[0].name"]


@pytest.mark.parametrize("arguments", ["not json", "[1]", '"x"', '{"a":'])
def test_arguments_that_are_no_object_are_wrapped(arguments: str) -> None:
    body = encoded(conversation(assistant(ToolCall(id="a", name="f", arguments_text=arguments))))
    assert body.body["contents"][0]["parts"][0]["functionCall"]["args"] == {"input": arguments}
    assert paths(body)[0] == "messages[0].parts[0].arguments_text"


# -- media -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "part", "named"),
    [
        (
            Media(kind="image", data="aGk=", media_type="image/png"),
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
            [],
        ),
        (Media(kind="image", data="aGk="), {"inlineData": {"mimeType": "image/jpeg", "data": "aGk="}}, ["media_type"]),
        (
            Media(kind="image", url="data:image/webp;base64,aGk="),
            {"inlineData": {"mimeType": "image/webp", "data": "aGk="}},
            [],
        ),
        (
            Media(kind="image", url="https://a/b.PNG?x=1"),
            {"fileData": {"mimeType": "image/png", "fileUri": "https://a/b.PNG?x=1"}},
            [],
        ),
        (Media(kind="document", url="https://a/b"), {"fileData": {"fileUri": "https://a/b"}}, []),
        (
            Media(kind="file", file_id="files/abc"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
            [],
        ),
        (
            Media(kind="audio", data="aGk=", media_type="mp3"),
            {"inlineData": {"mimeType": "audio/mpeg", "data": "aGk="}},
            [],
        ),
        (
            Media(kind="image", url="gs://a/b.jpg", detail="high"),
            {
                "fileData": {"mimeType": "image/jpeg", "fileUri": "gs://a/b.jpg"},
                "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"},
            },
            [],
        ),
        (
            Media(kind="image", url="gs://a/b.jpg", detail="auto"),
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "gs://a/b.jpg"}},
            [],
        ),
        (Media(kind="document", text="words", media_type="text/plain"), {"text": "words"}, [""]),
        (
            Media(kind="document", data="aGk=", media_type="application/pdf", name="a.pdf"),
            {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
            ["name"],
        ),
    ],
)
def test_media(media: Media, part: Any, named: list[str]) -> None:
    body = encoded(conversation(user(media)))
    assert body.body["contents"][0]["parts"] == [part]
    assert paths(body) == [f"messages[0].parts[0].{name}".rstrip(".") for name in named]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="file", file_id="file-abc"),
        Media(kind="image", url="data:image/svg+xml,<svg/>"),
        Media(kind="image"),
    ],
)
def test_media_that_cannot_be_said_are_named(media: Media) -> None:
    body = encoded(conversation(user("see", media)))
    assert body.body["contents"][0]["parts"] == [{"text": "see"}]
    assert paths(body) == ["messages[0].parts[1]"]


def test_media_in_results_go_inside_or_beside() -> None:
    image = Media(kind="image", data="aGk=", media_type="image/png")
    linked = Media(kind="image", url="https://a/b.png")
    call = ToolCall(id="c", name="f")
    body = encoded(conversation(assistant(call), tool_result(call, ["see", image, linked]), user("so?")))
    inside, beside, last = body.body["contents"][1:]
    assert inside["parts"][0]["functionResponse"]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    ]
    assert beside == {"role": "user", "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "https://a/b.png"}}]}
    assert last["parts"] == [{"text": "so?"}]
    assert "messages[1].parts[0].content[2]" in paths(body)
    plain = encoded(conversation(tool_result(call, [image])), target(result_media=False))
    assert [list(turn["parts"][0]) for turn in plain.body["contents"]] == [["functionResponse"], ["inlineData"]]


# -- settings ----------------------------------------------------------------------------------------------------------


def test_every_setting_that_the_wire_has() -> None:
    settings: Any = config(
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        stop=("a",),
        seed=1,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=2,
        choices=2,
        modalities=("text", "audio"),
    )
    assert settings == {
        "maxOutputTokens": 5,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 3,
        "stopSequences": ["a"],
        "seed": 1,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 2,
        "candidateCount": 2,
        "responseModalities": ["TEXT", "AUDIO"],
    }
    assert config() is None


def test_settings_that_the_wire_has_not_are_named() -> None:
    body = encoded(
        conversation(user("x"), user="u", metadata={"a": "b"}, previous_response_id="r", cache_key="k", seed=2**40 + 7)
    )
    assert body.body["generationConfig"] == {"seed": 7}
    assert paths(body) == ["seed", "metadata", "user", "previous_response_id", "cache_key"]
    assert encoded(conversation(user("x"), metadata={"a": "b"}), target(labels=True)).body["labels"] == {"a": "b"}


def test_more_than_five_stops_are_cut() -> None:
    body = encoded(conversation(user("x"), stop=tuple("abcdefg")))
    assert body.body["generationConfig"]["stopSequences"] == list("abcde")
    assert [(entry.path, entry.action) for entry in body.adaptations] == [("stop", "clamped")]


@pytest.mark.parametrize(
    ("tier", "said", "named"),
    [("flex", "flex", []), ("default", "standard", ["service_tier"]), ("auto", None, ["service_tier"])],
)
def test_service_tiers(tier: str, said: str | None, named: list[str]) -> None:
    body = encoded(conversation(user("x"), service_tier=tier))
    assert body.body.get("serviceTier") == said
    assert paths(body) == named


@pytest.mark.parametrize(
    ("options", "said", "named"),
    [
        (ReasoningOptions(effort="none"), {"thinkingBudget": 0}, []),
        (ReasoningOptions(effort="low"), {"thinkingBudget": 2048}, ["substituted"]),
        (ReasoningOptions(effort="high"), {"thinkingBudget": 16384}, ["substituted"]),
        (ReasoningOptions(effort="xhigh"), {"thinkingBudget": 24576}, ["substituted"]),
        (ReasoningOptions(effort="max"), {"thinkingBudget": 24576}, ["clamped"]),
        (ReasoningOptions(effort="odd"), None, ["dropped"]),
        (ReasoningOptions(budget_tokens=-1), {"thinkingBudget": -1}, []),
        (ReasoningOptions(budget_tokens=9, effort="low"), {"thinkingBudget": 9}, ["dropped"]),
        (ReasoningOptions(visible=True), {"includeThoughts": True}, []),
        (ReasoningOptions(summary="auto"), {"includeThoughts": True}, ["substituted"]),
        (ReasoningOptions(), None, []),
    ],
)
def test_efforts_are_budgets(options: ReasoningOptions, said: Any, named: list[str]) -> None:
    body = encoded(conversation(user("x"), reasoning=options))
    assert body.body.get("generationConfig", {}).get("thinkingConfig") == said
    assert [entry.action for entry in body.adaptations] == named


def test_efforts_are_levels_where_the_host_has_them() -> None:
    body = encoded(conversation(user("x"), reasoning=ReasoningOptions(effort="medium")), target(thinking="level"))
    assert body.body["generationConfig"] == {"thinkingConfig": {"thinkingLevel": "MEDIUM"}}
    assert body.adaptations == ()


@pytest.mark.parametrize(
    ("choice", "said", "named"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}, []),
        (ToolChoice(mode="none"), {"mode": "NONE"}, []),
        (ToolChoice(mode="required"), {"mode": "ANY"}, []),
        (ToolChoice(mode="named", names=("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}, []),
        (ToolChoice(parallel=True), None, []),
        (ToolChoice(mode="auto", parallel=False), {"mode": "AUTO"}, ["tool_choice.parallel"]),
    ],
)
def test_choices_among_tools(choice: ToolChoice, said: Any, named: list[str]) -> None:
    body = encoded(conversation(user("x"), tool_choice=choice))
    assert body.body.get("toolConfig", {}).get("functionCallingConfig") == said
    assert paths(body) == named


def test_tools() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"type": ["string", "null"]}},
    }
    tools = (
        ToolDefinition(name="f", description="F.", input_schema=schema, strict=True),
        Opaque(dialect="anthropic", kind="web_search_20250305", data={}),
        ToolDefinition(name="g"),
    )
    body = encoded(conversation(user("x"), tools=tools))
    assert body.body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "F.", "parametersJsonSchema": schema},
                {"name": "g"},
            ]
        }
    ]
    assert paths(body) == ["tools[0].strict", "tools[1]"]
    older = encoded(conversation(user("x"), tools=tools), target(json_schema=False))
    assert older.body["tools"][0]["functionDeclarations"][0]["parameters"] == {
        "type": "OBJECT",
        "properties": {"a": {"nullable": True, "type": "STRING"}},
    }


def test_forms_of_the_answer() -> None:
    schema = {"type": "object", "additionalProperties": False}
    strict = OutputFormat(type="json_schema", name="n", schema=schema, strict=True)
    assert config(output=OutputFormat(type="text")) is None
    assert config(output=OutputFormat(type="json_object")) == {"responseMimeType": "application/json"}
    assert config(output=strict) == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    older = encoded(conversation(user("x"), output=strict), target(json_schema=False))
    assert older.body["generationConfig"]["responseSchema"] == {"type": "OBJECT"}
    assert paths(older) == ["output.schema.additionalProperties"]


def test_a_request_without_anything_is_still_a_request() -> None:
    assert encoded(Request(model="m")).body == {"contents": []}
    with pytest.raises(InvalidRequest):
        encoded(Request(model=""), target().__class__())


@pytest.mark.skipif(not specs_folder().is_dir(), reason="the providers' API descriptions are not here")
def test_all_of_it_is_valid_by_googles_own_description() -> None:
    call = ToolCall(id="a", name="f", arguments_text='{"x":1}')
    request = conversation(
        system("s"),
        user("x", Media(kind="image", url="https://a/b.png", detail="low")),
        assistant("y", call),
        tool_result(call, ["z", Media(kind="image", data="aGk=", media_type="image/png")]),
        max_tokens=5,
        stop=("a",),
        reasoning=ReasoningOptions(effort="low", visible=True),
        output=OutputFormat(type="json_schema", schema={"type": "object"}),
        tools=(ToolDefinition(name="f", description="F.", input_schema={"type": "object"}),),
        tool_choice=ToolChoice(mode="named", names=("f",)),
        service_tier="flex",
        store=True,
        modalities=("text",),
    )
    spec, name = spec_for("gemini")
    assert spec.problems(name, encoded(request, TARGET).body) == []
