"""Requests from elsewhere: what this wire wants is there, and what it cannot say is recorded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman.dialects import EncodedRequest
from dragoman.values import (
    BedrockQuirks,
    CacheHint,
    Citation,
    Media,
    Message,
    OutputFormat,
    Quirks,
    Reasoning,
    ReasoningOptions,
    Refusal,
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
    system,
    tool_result,
    user,
)
from tests.dialects.bedrock.wire import TARGET, encoded, paths, said

_TOOL = ToolDefinition(name="now", input_schema={"type": "object", "properties": {}})
_CALL = ToolCall(id="call_1", name="now", arguments_text='{"zone":"CET"}')
_OTHER = ToolCall(id="call_2", name="now")


def _asked(*messages: Message, **settings: Any) -> Request:
    return msgspec.structs.replace(Request(model="m", messages=messages), **settings)


def _turns(*messages: Message, **settings: Any) -> Any:
    return encoded(_asked(*messages, **settings)).body["messages"]


def _with(**quirks: Any) -> Target:
    return replace(TARGET, quirks=Quirks(bedrock=BedrockQuirks(**quirks)))


# -- turns -------------------------------------------------------------------------------------------------------------


def test_system_text_stands_before_the_turns() -> None:
    sent = encoded(_asked(system("One."), user("Hi"), Message("developer", "Two.")))
    assert sent.body == {"messages": [said("user", "Hi")], "system": [{"text": "One."}, {"text": "Two."}]}
    assert paths(sent.adaptations) == [("messages[2]", "substituted")]


def test_system_text_alone_is_a_users_turn() -> None:
    sent = encoded(_asked(system("Say hello.")))
    assert sent.body == {"messages": [said("user", "Say hello.")]}
    assert paths(sent.adaptations) == [("messages", "substituted")]


def test_turns_alternate() -> None:
    assert _turns(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        said("user", "a", "b"),
        said("assistant", "c", "d"),
        said("user", "e"),
    ]


def test_the_user_begins() -> None:
    sent = encoded(_asked(assistant("Welcome."), user("Hi")))
    assert [turn["role"] for turn in sent.body["messages"]] == ["user", "assistant", "user"]
    assert paths(sent.adaptations) == [("messages", "defaulted")]


def test_results_of_one_round_are_one_turn_and_come_first() -> None:
    turns = _turns(
        user("?"),
        assistant(_CALL, _OTHER),
        tool_result(_CALL, "noon"),
        Message("user", parts=(Text(text="Well?"), ToolResult(call_id="call_2", content=(Text(text="late"),)))),
        tools=(_TOOL,),
    )
    assert [next(iter(block)) for block in turns[2]["content"]] == ["toolResult", "toolResult", "text"]
    assert turns[1]["content"][0] == {"toolUse": {"toolUseId": "call_1", "name": "now", "input": {"zone": "CET"}}}


def test_a_result_is_added_to_a_conversation_of_this_wire() -> None:
    from tests.dialects.bedrock.bodies import CALL, HI, SPEC
    from tests.dialects.bedrock.wire import asked, request

    asking = request(asked(HI, said("assistant", CALL), toolConfig={"tools": [SPEC]}))
    longer = replace(asking, messages=(*asking.messages, tool_result("tooluse_1", "21"), user("And?")))
    last = encoded(longer).body["messages"][-1]
    assert last == said("user", {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "21"}]}}, "And?")


def test_blank_text_is_left_out_and_its_cache_mark_stays() -> None:
    turns = _turns(user("a", Text(text="", cache=CacheHint(ttl="1h")), "  "))
    assert turns == [said("user", "a", {"cachePoint": {"type": "default", "ttl": "1h"}})]


def test_marks_become_cache_points() -> None:
    sent = encoded(
        _asked(
            Message("system", parts=(Text(text="Long.", cache=CacheHint()),)),
            Message("user", parts=(Text(text="Hi", cache=CacheHint(ttl="24h")),)),
            tools=(replace(_TOOL, cache=CacheHint()),),
        )
    )
    assert sent.body["system"][1] == {"cachePoint": {"type": "default"}}
    assert sent.body["messages"][0]["content"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert sent.body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert paths(sent.adaptations) == [("messages[1].parts[0].cache.ttl", "substituted")]


def test_a_mark_with_nothing_before_it_is_recorded() -> None:
    sent = encoded(_asked(Message("user", parts=(Text(text="", cache=CacheHint()), Text(text="Hi")))))
    assert paths(sent.adaptations) == [("messages[0].parts[0].cache", "dropped")]


def test_what_others_say_by_parts_of_their_own() -> None:
    sent = encoded(
        _asked(
            user("Hi"),
            assistant(
                Reasoning(text="Hm."),
                Refusal(text="No."),
                Text(text="Yes.", channel="commentary", citations=(Citation(url="https://x.y"),)),
                ToolCall(id="w", name="web_search", runner="provider"),
            ),
            user("On"),
        )
    )
    assert sent.body["messages"][1] == said("assistant", "No.", "Yes.")
    assert set(paths(sent.adaptations)) == {
        ("messages[1].parts[0]", "dropped"),
        ("messages[1].parts[1]", "substituted"),
        ("messages[1].parts[2].channel", "dropped"),
        ("messages[1].parts[2].citations", "dropped"),
        ("messages[1].parts[3]", "dropped"),
    }


@pytest.mark.parametrize("taken", [True, False])
def test_thoughts_without_a_signature_go_back_where_they_are_taken(taken: bool) -> None:
    unsigned = Replay(issuer="bedrock", dialect="bedrock", kind="signature", data=None)
    answer = assistant(Reasoning(text="Hm.", replay=(unsigned,)), "Yes.")
    sent = encoded(_asked(user("Hi"), answer, user("On")), _with(unsigned_thoughts=taken))
    thoughts = [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}] if taken else []
    assert sent.body["messages"][1] == said("assistant", *thoughts, "Yes.")
    assert paths(sent.adaptations) == ([] if taken else [("messages[1].parts[0]", "dropped")])


# -- tools -------------------------------------------------------------------------------------------------------------


def test_ids_fit_the_pattern_and_stay_apart() -> None:
    ids = ["a b", "a_b", "x" * 65, "x" * 66, "ü"]
    calls = [replace(_OTHER, id=identifier) for identifier in ids]
    turns = _turns(user("?"), assistant(*calls), *(tool_result(call, "ok") for call in calls), tools=(_TOOL,))
    sent = [block["toolUse"]["toolUseId"] for block in turns[1]["content"]]
    assert sent == [block["toolResult"]["toolUseId"] for block in turns[2]["content"]]
    assert len(set(sent)) == len(ids)
    assert all(len(identifier) <= 64 and identifier.isascii() and " " not in identifier for identifier in sent)
    assert sent[1] == "a_b"


def test_tools_that_only_the_turns_speak_of_are_declared() -> None:
    sent = encoded(_asked(user("?"), assistant(_CALL), tool_result(_CALL, "noon")))
    schema: Any = {"json": {"type": "object", "properties": {}}}
    assert sent.body["toolConfig"] == {"tools": [{"toolSpec": {"name": "now", "inputSchema": schema}}]}
    assert paths(sent.adaptations) == [("tools", "defaulted")]


@pytest.mark.parametrize(
    ("choice", "said_as"),
    [
        (ToolChoice(mode="auto"), {"auto": {}}),
        (ToolChoice(mode="required"), {"any": {}}),
        (ToolChoice(mode="named", names=("now",)), {"tool": {"name": "now"}}),
        (ToolChoice(mode="named", names=("now", "later")), {"any": {}}),
    ],
)
def test_the_choice_is_said(choice: ToolChoice, said_as: Any) -> None:
    later = replace(_TOOL, name="later")
    sent = encoded(_asked(user("Hi"), tools=(_TOOL, later, replace(_TOOL, name="never")), tool_choice=choice))
    assert sent.body["toolConfig"]["toolChoice"] == said_as
    assert len(sent.body["toolConfig"]["tools"]) == (2 if len(choice.names) > 1 else 3)


def test_no_tool_is_offered_where_none_may_be_called() -> None:
    sent = encoded(_asked(user("Hi"), tools=(_TOOL,), tool_choice=ToolChoice(mode="none")))
    assert "toolConfig" not in sent.body
    assert ("tool_choice", "emulated") in paths(sent.adaptations)
    spoken = encoded(
        _asked(
            user("?"), assistant(_CALL), tool_result(_CALL, "n"), tools=(_TOOL,), tool_choice=ToolChoice(mode="none")
        )
    )
    assert "tools" in spoken.body["toolConfig"]
    assert paths(spoken.adaptations) == [("tool_choice", "dropped")]


def test_one_call_at_a_time_cannot_be_asked_for() -> None:
    sent = encoded(_asked(user("Hi"), tools=(_TOOL,), tool_choice=ToolChoice(parallel=False)))
    assert paths(sent.adaptations) == [("tool_choice.parallel", "dropped")]


@pytest.mark.parametrize(
    ("call", "given", "action"),
    [
        (replace(_CALL, arguments_text='{"a":'), {"INVALID_JSON": '{"a":'}, "substituted"),
        (replace(_CALL, arguments_text="[1]"), {"INVALID_JSON": "[1]"}, "substituted"),
        (replace(_CALL, arguments_text="print(1)", input="text"), {"input": "print(1)"}, "emulated"),
        (replace(_CALL, arguments_text=" "), {}, None),
    ],
)
def test_arguments_are_objects(call: ToolCall, given: Any, action: str | None) -> None:
    sent = encoded(_asked(user("?"), assistant(call), tool_result(call, "ok"), tools=(_TOOL,)))
    assert sent.body["messages"][1]["content"][0]["toolUse"]["input"] == given
    assert [entry.action for entry in sent.adaptations] == ([action] if action else [])


def test_results_tell_errors_and_media() -> None:
    picture = Media(kind="image", data="AAAA", media_type="image/png")
    sound = Media(kind="audio", data="AAAA", media_type="audio/wav")
    sent = encoded(
        _asked(user("?"), assistant(_CALL), tool_result(_CALL, ["no", picture, sound], is_error=True), tools=(_TOOL,))
    )
    result = sent.body["messages"][2]["content"][0]["toolResult"]
    assert result["status"] == "error"
    assert [next(iter(block)) for block in result["content"]] == ["text", "image"]
    assert paths(sent.adaptations) == [("messages[2].parts[0].content[2]", "dropped")]


def test_a_schema_is_of_type_object() -> None:
    sent = encoded(_asked(user("Hi"), tools=(ToolDefinition(name="a", input_schema={"x": 1}, description=""),)))
    spec = sent.body["toolConfig"]["tools"][0]["toolSpec"]
    assert spec == {"name": "a", "inputSchema": {"json": {"x": 1, "type": "object"}}}


# -- media -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "block"),
    [
        (Media(kind="image", data="/9j/4AAQ"), {"image": {"format": "jpeg", "source": {"bytes": "/9j/4AAQ"}}}),
        (
            Media(kind="image", url="data:image/jpg;base64,AAAA"),
            {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}},
        ),
        (
            Media(kind="file", data="AAAA", media_type="video/mp4"),
            {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}},
        ),
        (
            Media(kind="video", url="s3://b/k.mov", media_type="video/quicktime"),
            {"video": {"format": "mov", "source": {"s3Location": {"uri": "s3://b/k.mov"}}}},
        ),
        (
            Media(kind="document", data="e30=", media_type="application/json", name="a.b__c.json"),
            {"document": {"format": "txt", "name": "a b c json", "source": {"bytes": "e30="}}},
        ),
        (
            Media(kind="document", text="Words.", name="notes"),
            {"document": {"name": "notes", "source": {"text": "Words."}}},
        ),
        (Media(kind="audio", data="AAAA", transcript="Hello."), {"text": "Hello."}),
    ],
)
def test_media_that_this_wire_takes(media: Media, block: Any) -> None:
    assert _turns(user(media)) == [said("user", block)]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="image", url="https://example.org/a.png"),
        Media(kind="document", file_id="file-1"),
        Media(kind="image", data="AAAA", media_type="image/tiff"),
        Media(kind="image", url="data:text/plain,hi"),
    ],
)
def test_media_that_it_does_not_take_are_recorded(media: Media) -> None:
    sent = encoded(_asked(user(media, "Look")))
    assert sent.body["messages"] == [said("user", "Look")]
    assert paths(sent.adaptations) == [("messages[0].parts[0]", "dropped")]


def test_documents_have_names_that_differ() -> None:
    pages = [
        Media(kind="document", data="A", media_type="application/pdf", name=name) for name in ("a", "a", None, "!")
    ]
    names = [block["document"]["name"] for block in _turns(user(*pages))[0]["content"]]
    assert names == ["a", "a (2)", "Document 3", "Document 4"]


# -- settings ----------------------------------------------------------------------------------------------------------


def test_numbers_keep_to_their_range() -> None:
    sent = encoded(_asked(user("Hi"), temperature=1.5, top_p=0.5, max_tokens=9, stop=("", "|")))
    config = {"maxTokens": 9, "temperature": 1, "topP": 0.5, "stopSequences": ["|"]}
    assert sent.body["inferenceConfig"] == config
    assert paths(sent.adaptations) == [("temperature", "clamped"), ("stop", "dropped")]


def test_what_the_wire_has_no_word_for_is_recorded() -> None:
    settings: dict[str, Any] = {
        "seed": 1,
        "presence_penalty": 1.0,
        "frequency_penalty": 1.0,
        "logprobs": True,
        "top_logprobs": 2,
        "choices": 2,
        "user": "u",
        "store": True,
        "previous_response_id": "r",
        "cache_key": "k",
        "top_k": 5,
        "modalities": ("audio",),
    }
    sent = encoded(_asked(user("Hi"), **settings))
    assert sent.body == {"messages": [said("user", "Hi")]}
    assert {path for path, _ in paths(sent.adaptations)} == set(settings)


def test_what_is_so_unasked_is_no_loss() -> None:
    sent = encoded(_asked(user("Hi"), choices=1, logprobs=False, store=False, modalities=("text",)))
    assert sent.adaptations == ()


def test_top_k_goes_where_the_model_has_it() -> None:
    sent = encoded(_asked(user("Hi"), top_k=5), _with(top_k_path=("inferenceConfig", "topK")))
    assert sent.body["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}
    assert sent.adaptations == ()


def test_metadata_are_short_texts() -> None:
    many = {f"n{number}": "x" for number in range(20)}
    sent = encoded(_asked(user("Hi"), metadata={"a": 1, "b": "y" * 300, "c": "ü", **many}))
    assert len(sent.body["requestMetadata"]) == 16
    assert sent.body["requestMetadata"]["a"] == "1"
    assert ("metadata.a", "substituted") in paths(sent.adaptations)
    assert {path for path, action in paths(sent.adaptations) if action == "dropped"} >= {"metadata.b", "metadata.c"}


@pytest.mark.parametrize(("tier", "word"), [("auto", "default"), ("flex", "flex"), ("priority", "priority")])
def test_tiers_have_words(tier: str, word: str) -> None:
    assert encoded(_asked(user("Hi"), service_tier=tier)).body["serviceTier"] == {"type": word}


def test_a_tier_that_there_is_not_is_recorded() -> None:
    assert paths(encoded(_asked(user("Hi"), service_tier="turbo")).adaptations) == [("service_tier", "dropped")]


def test_a_schema_is_a_text_and_closed() -> None:
    schema: Any = {"type": "object", "properties": {"a": {"type": "object"}}}
    output = OutputFormat(type="json_schema", schema=schema, name="n", description="d", strict=False)
    sent = encoded(_asked(user("Hi"), output=output))
    wire = sent.body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (wire["name"], wire["description"]) == ("n", "d")
    inner = {"type": "object", "additionalProperties": False}
    closed = {"type": "object", "properties": {"a": inner}, "additionalProperties": False}
    assert msgspec.json.decode(wire["schema"]) == closed
    assert paths(sent.adaptations) == [("output.strict", "substituted"), ("output.schema", "substituted")]


@pytest.mark.parametrize("target", [TARGET, _with(schema_output=False)])
def test_json_without_a_schema_is_asked_for_in_words(target: Target) -> None:
    output = OutputFormat(type="json_object")
    if not target.quirks.bedrock.schema_output:
        output = OutputFormat(type="json_schema", schema={"type": "object"})
    sent = encoded(_asked(user("Hi"), output=output), target)
    assert "JSON" in sent.body["system"][0]["text"]
    assert paths(sent.adaptations) == [("output", "emulated")]


def test_refused_members_are_left_out() -> None:
    sent = encoded(_asked(user("Hi"), service_tier="flex"), _with(refused=("serviceTier",)))
    assert "serviceTier" not in sent.body
    assert paths(sent.adaptations) == [("service_tier", "dropped")]


# -- thinking ----------------------------------------------------------------------------------------------------------


def _thinking(sent: EncodedRequest) -> tuple[Any, Any]:
    fields = sent.body.get("additionalModelRequestFields", {})
    return fields.get("thinking"), sent.body.get("outputConfig", {}).get("effort")


@pytest.mark.parametrize(
    ("form", "options", "said_as", "adapted"),
    [
        ("native", ReasoningOptions(effort="high"), (None, "high"), []),
        ("native", ReasoningOptions(effort="minimal"), (None, "low"), [("reasoning.effort", "substituted")]),
        ("native", ReasoningOptions(effort="none"), (None, None), [("reasoning", "substituted")]),
        ("native", ReasoningOptions(effort="vast"), (None, None), [("reasoning.effort", "dropped")]),
        ("native", ReasoningOptions(budget_tokens=0), (None, None), [("reasoning", "substituted")]),
        ("native", ReasoningOptions(budget_tokens=-1), (None, None), [("reasoning", "substituted")]),
        ("native", ReasoningOptions(budget_tokens=-1, effort="low"), (None, "low"), []),
        ("native", ReasoningOptions(budget_tokens=2000), (2000, None), []),
        ("native", ReasoningOptions(budget_tokens=5), (1024, None), [("reasoning.budget_tokens", "clamped")]),
        ("budget", ReasoningOptions(effort="low"), (2048, None), [("reasoning.effort", "substituted")]),
        ("effort", ReasoningOptions(budget_tokens=9000), (None, "high"), [("reasoning.budget_tokens", "substituted")]),
        ("none", ReasoningOptions(budget_tokens=9000), (None, None), [("reasoning", "dropped")]),
        ("native", ReasoningOptions(visible=True), (None, None), [("reasoning.visible", "dropped")]),
    ],
)
def test_thinking_is_asked_for_in_the_targets_form(
    form: Any, options: ReasoningOptions, said_as: Any, adapted: Any
) -> None:
    sent = encoded(_asked(user("Hi"), reasoning=options), _with(thinking_form=form))
    thinking, effort = _thinking(sent)
    assert (thinking and thinking["budget_tokens"], effort) == said_as
    assert paths(sent.adaptations) == adapted


def test_what_models_refuse_beside_a_budget_is_mended() -> None:
    sent = encoded(
        _asked(
            user("Hi"),
            reasoning=ReasoningOptions(budget_tokens=9000),
            max_tokens=4000,
            temperature=0.5,
            top_p=0.5,
            tools=(_TOOL,),
            tool_choice=ToolChoice(mode="required"),
        )
    )
    assert _thinking(sent)[0] == {"type": "enabled", "budget_tokens": 3999}
    assert sent.body["inferenceConfig"] == {"maxTokens": 4000}
    assert sent.body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert {path for path, _ in paths(sent.adaptations)} == {
        "reasoning.budget_tokens",
        "temperature",
        "top_p",
        "tool_choice",
    }


@pytest.mark.parametrize("cap", [500, None])
def test_a_budget_that_is_not_possible_is_left_out(cap: int | None) -> None:
    round_of_tools = () if cap else (assistant(_CALL), tool_result(_CALL, "noon"))
    options = ReasoningOptions(budget_tokens=2000)
    sent = encoded(_asked(user("Hi"), *round_of_tools, reasoning=options, max_tokens=cap, tools=(_TOOL,)))
    assert "additionalModelRequestFields" not in sent.body
    assert paths(sent.adaptations) == [("reasoning", "dropped")]
