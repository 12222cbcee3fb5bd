"""How the form of an answer is fitted to a target, and undone on its events."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.engine.output import Undoing, fit_output
from dragoman.engine.output.abilities import abilities_of
from dragoman.values import (
    AnthropicQuirks,
    ChatQuirks,
    Finished,
    GeminiQuirks,
    OutputFormat,
    PartEnded,
    Quirks,
    ReasoningOptions,
    Request,
    ResponsesQuirks,
    Target,
    Text,
    TextDelta,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    replace,
    system,
    user,
)
from dragoman.values.unrolled import events_of
from tests.face.dialect_wire import call, said

SCHEMA: dict[str, Any] = {
    "title": "City",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
OUTPUT = OutputFormat(type="json_schema", schema=SCHEMA)
TOOL = ToolDefinition(name="count", input_schema={"type": "object", "properties": {}})


def asked(**fields: Any) -> Request:
    return replace(Request(model="m", messages=(user("Which?"),), output=OUTPUT), **fields)


@pytest.mark.parametrize(
    ("dialect", "quirks", "fields", "mode"),
    [
        ("openai-chat", Quirks(), {}, "native"),
        ("openai-chat", Quirks(), {"tools": (TOOL,)}, "native"),
        ("openai-chat", Quirks(chat=ChatQuirks(schema_beside_tools=False)), {"tools": (TOOL,)}, "tool"),
        ("openai-chat", Quirks(chat=ChatQuirks(schema_output="json_object")), {}, "tool"),
        ("openai-chat", Quirks(chat=ChatQuirks(schema_by_some=True)), {}, "tool"),
        ("openai-chat", Quirks(chat=ChatQuirks(schema_output="none", forced_tool=False)), {}, "prompted"),
        ("openai-chat", Quirks(chat=ChatQuirks(refused=("response_format", "tool_choice"))), {}, "prompted"),
        ("openai-responses", Quirks(responses=ResponsesQuirks(refused=("text",))), {}, "tool"),
        ("anthropic", Quirks(), {"reasoning": ReasoningOptions(effort="high")}, "native"),
        ("anthropic", Quirks(anthropic=AnthropicQuirks(schema_output=False)), {}, "tool"),
        (
            "anthropic",
            Quirks(anthropic=AnthropicQuirks(schema_output=False)),
            {"reasoning": ReasoningOptions(budget_tokens=2000)},
            "prompted",
        ),
        ("gemini", Quirks(), {"tools": (TOOL,)}, "tool"),
        ("gemini", Quirks(gemini=GeminiQuirks(schema_beside_tools=True)), {"tools": (TOOL,)}, "native"),
        ("gemini", Quirks(), {"tools": (TOOL,), "tool_choice": ToolChoice(mode="required")}, "prompted"),
        ("gemini", Quirks(), {"output": replace(OUTPUT, extras={"gemini": {}}), "tools": (TOOL,)}, "native"),
        ("anthropic", Quirks(), {"output": OutputFormat(type="json_object")}, "prompted"),
        ("openai-chat", Quirks(), {"output": OutputFormat(type="json_object")}, "native"),
        ("somebody's own", Quirks(), {}, "tool"),
    ],
)  # fmt: skip
def test_the_mode_is_the_first_that_the_target_has(dialect: str, quirks: Quirks, fields: Any, mode: str) -> None:
    fitted = fit_output(asked(**fields), dialect, Target(model="m", quirks=quirks))
    assert fitted is not None
    assert fitted.undoing is not None
    assert fitted.undoing.mode == mode
    emulated = [one for one in fitted.adaptations if one.action == "emulated"]
    assert bool(emulated) == (mode != "native")


def test_a_text_answer_is_not_fitted() -> None:
    assert fit_output(asked(output=None), "openai-chat", Target()) is None
    assert fit_output(asked(output=OutputFormat(type="text")), "openai-chat", Target()) is None


def test_the_callers_word_rules_and_switches_the_quirk_on() -> None:
    quirks = Quirks(chat=ChatQuirks(schema_output="none"))
    fitted = fit_output(asked(output=replace(OUTPUT, mode="native")), "openai-chat", Target(quirks=quirks))
    assert fitted is not None
    assert fitted.target.quirks.chat.schema_output == "json_schema"
    assert fitted.request.output is not None
    assert fitted.request.output.mode is None


def test_forcing_leaves_the_model_its_own_tools() -> None:
    for tools, choice, forced in (
        ((), None, ToolChoice(mode="named", names=("City",))),
        ((TOOL,), None, ToolChoice(mode="required")),
        ((TOOL,), ToolChoice(mode="auto", parallel=False), ToolChoice(mode="required", parallel=False)),
        ((TOOL,), ToolChoice(mode="none"), ToolChoice(mode="named", names=("City",))),
        ((TOOL,), ToolChoice(mode="named", names=("count",)), ToolChoice(mode="named", names=("count",))),
    ):
        request = asked(output=replace(OUTPUT, mode="tool"), tools=tools, tool_choice=choice)
        fitted = fit_output(request, "openai-chat", Target())
        assert fitted is not None
        assert fitted.request.tool_choice == forced


def test_the_forced_tool_takes_a_name_that_is_free() -> None:
    taken = ToolDefinition(name="City", input_schema={"type": "object"})
    fitted = fit_output(asked(output=replace(OUTPUT, mode="tool"), tools=(taken,)), "openai-chat", Target())
    assert fitted is not None
    assert [tool.name for tool in fitted.request.tools if isinstance(tool, ToolDefinition)] == ["City", "City_"]
    assert fitted.undoing == Undoing(mode="tool", tool="City_")


def test_words_stand_at_the_end_of_the_one_system_turn() -> None:
    request = replace(asked(output=replace(OUTPUT, mode="prompted")), messages=(system("Be brief."), user("Which?")))
    fitted = fit_output(request, "openai-chat", Target())
    assert fitted is not None
    assert [message.role for message in fitted.request.messages] == ["system", "user"]
    assert fitted.request.messages[0].content.startswith("Be brief.\n\nAnswer with one JSON object")


def test_a_map_is_no_strict_schema_and_that_is_told() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    output = OutputFormat(type="json_schema", schema=schema, strict=True)
    fitted = fit_output(asked(output=output), "openai-chat", Target())
    assert fitted is not None
    assert fitted.request.output is not None
    assert fitted.request.output.strict is False
    assert fitted.request.output.schema == schema
    assert ("output.strict", "substituted") in [(one.path, one.action) for one in fitted.adaptations]


def test_strict_tools_get_strict_schemas_and_others_stay_as_they_are() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    strict = ToolDefinition(name="s", input_schema=schema, strict=True)
    loose = ToolDefinition(name="l", input_schema=schema)
    fitted = fit_output(asked(output=None, tools=(strict, loose)), "openai-chat", Target())
    assert fitted is not None
    assert fitted.undoing is None
    first, second = fitted.request.tools
    assert second is loose
    assert isinstance(first, ToolDefinition)
    assert first.input_schema == {
        "type": "object",
        "properties": {"a": {"type": ["integer", "null"]}},
        "additionalProperties": False,
        "required": ["a"],
    }
    assert fit_output(asked(output=None, tools=(loose,)), "openai-chat", Target()) is None


def test_older_rows_tell_of_schema_output_by_their_own_quirk() -> None:
    told = abilities_of("openai-chat", Quirks(chat=ChatQuirks(schema_output="json_object")))
    assert not told.schema
    assert told.json_object


# -- undoing -----------------------------------------------------------------------------------------------------------

TOOLED = Undoing(mode="tool", tool="City")


def test_an_undone_stream_is_lawful_and_equals_the_undone_whole() -> None:
    response = said("Let me see.", call("count", {}, "a"), call("City", '{"name": "B"}', "b"), call("City", "{}", "c"))
    whole = TOOLED.whole(response)
    parts = whole.message.parts
    assert [type(part) for part in parts] == [Text, ToolCall, Text]
    assert whole.finish_reason == "tool_calls"
    events = TOOLED.events().feed(events_of(response))
    assert isinstance(events[-1], Finished)
    assert events[-1].response == whole
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, TextDelta):
            texts[event.index] = texts.get(event.index, "") + event.text
        elif isinstance(event, PartEnded) and isinstance(event.part, Text):
            assert texts[event.index] == event.part.text
    assert [event.part for event in events if isinstance(event, PartEnded)] == list(parts)


def test_a_call_without_arguments_is_an_empty_object() -> None:
    response = said(call("City", ""))
    assert TOOLED.whole(response).content == "{}"
    events = TOOLED.events().feed(events_of(response))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["{}"]


def test_state_that_belongs_to_a_call_does_not_stay_on_its_text() -> None:
    part = TOOLED.whole(
        said(replace(call("City", "{}"), item_id="fc_1", extras={"gemini": {":minted": "x"}}))
    ).message.parts[0]
    assert part == Text(text="{}")
