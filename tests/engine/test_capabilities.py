"""Fitting by facts: what a model is known to refuse is adapted, refused, or left alone where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.engine.capabilities.fitting import fit_request
from dragoman.engine.capabilities.limits import Limits, compile_limits, quirks_by_facts
from dragoman.errors import Unsupported
from dragoman.values import (
    AdaptationLog,
    AnthropicQuirks,
    BedrockQuirks,
    ChatQuirks,
    GeminiQuirks,
    Media,
    Message,
    MessageRole,
    Quirks,
    ReasoningOptions,
    Request,
    ResponsesQuirks,
    ToolChoice,
    ToolDefinition,
    assistant,
    replace,
    system,
    tool_result,
    user,
)
from dragoman.values.parts import ToolCall
from dragoman.values.profile import Profile, ReasoningFacts

TOOL = ToolDefinition(name="look", input_schema={"type": "object", "properties": {}})
OTHER = ToolDefinition(name="hear", input_schema={"type": "object", "properties": {}})
IMAGE = Media(kind="image", data="aGk=", media_type="image/png")
PDF = Media(kind="document", data="aGk=", media_type="application/pdf")
EVERYTHING = Request(
    model="m",
    messages=(system("Be brief."), user("See", IMAGE, PDF)),
    tools=(TOOL,),
    tool_choice=ToolChoice(mode="required", parallel=True),
    reasoning=ReasoningOptions(effort="xhigh", budget_tokens=40_000),
    max_tokens=1_000_000,
    temperature=1.7,
    top_p=0.1,
    top_k=3,
    stop=("x",),
    seed=7,
    logprobs=True,
    extra_body={"temperature": 3, "max_tokens": 10**9},
)


def known(**fields: Any) -> Profile:
    """A model of which nothing is known but this; its name belongs to no family."""
    return Profile(provider="p", model="m", **fields)


def limits(profile: Profile, dialect: str = "openai-chat", quirks: Quirks | None = None) -> Limits:
    return compile_limits(profile, dialect, quirks or Quirks())


def fitted(
    request: Request, profile: Profile, dialect: str = "openai-chat", quirks: Quirks | None = None
) -> tuple[Request, list[tuple[str, str, Any, Any]]]:
    log = AdaptationLog()
    changed = fit_request(request, limits(profile, dialect, quirks), log)
    return changed, [(entry.path, entry.action, entry.asked, entry.applied) for entry in log.entries()]


def asked(**fields: Any) -> Request:
    return replace(Request(model="m", messages=(user("Hi"),)), **fields)


# -- what is not known -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "gemini", "bedrock", "cohere"])
def test_what_is_not_known_changes_nothing(dialect: str) -> None:
    assert limits(known(), dialect).idle
    same, told = fitted(EVERYTHING, known(), dialect)
    assert same is EVERYTHING
    assert told == []
    quirks = Quirks()
    assert quirks_by_facts(known(), dialect, quirks, Quirks()) is quirks


def test_what_the_model_takes_is_left_alone() -> None:
    able = known(
        output_tokens=2_000_000,
        input_modalities=("text", "image", "document"),
        tools=True,
        parallel_tools=True,
        tool_choice=True,
        system_messages=True,
        reasoning=True,
        reasoning_facts=ReasoningFacts(
            efforts=("low", "xhigh"), form="both", optional=True, least_budget_tokens=1, most_budget_tokens=50_000
        ),
    )
    same, told = fitted(EVERYTHING, able, "anthropic")
    assert same is EVERYTHING
    assert told == []


# -- limits and sampling -----------------------------------------------------------------------------------------------


def test_an_output_cap_above_the_models_own_is_clamped() -> None:
    request, told = fitted(asked(max_tokens=9000), known(output_tokens=8192))
    assert request.max_tokens == 8192
    assert told == [("max_tokens", "clamped", 9000, 8192)]
    same, told = fitted(asked(max_tokens=8192), known(output_tokens=8192))
    assert same.max_tokens == 8192
    assert told == []


@pytest.mark.parametrize(
    ("member", "value", "action"),
    [
        ("temperature", 0.2, "dropped"),
        ("temperature", 0, "dropped"),
        ("temperature", 1, "defaulted"),
        ("top_p", 1.0, "defaulted"),
        ("presence_penalty", 0, "defaulted"),
        ("frequency_penalty", 0.5, "dropped"),
        ("logprobs", False, "defaulted"),
        ("stop", ("END",), "dropped"),
    ],
)
def test_a_refused_member_is_left_out_and_a_default_is_no_loss(member: str, value: Any, action: str) -> None:
    request, told = fitted(asked(**{member: value}), known(refused=(member,)))
    assert getattr(request, member) in (None, ())
    assert [(path, did) for path, did, _, _ in told] == [(member, action)]


def test_a_member_that_is_refused_while_thinking_stays_without_it() -> None:
    model = Profile(provider="openai", model="gpt-5.1", refused=("temperature",))
    assert fitted(asked(temperature=0.3), model)[1] == []
    quiet = asked(temperature=0.3, reasoning=ReasoningOptions(effort="none"))
    assert fitted(quiet, model)[1] == []
    request, told = fitted(asked(temperature=0.3, reasoning=ReasoningOptions(effort="low")), model)
    assert request.temperature is None
    assert told == [("temperature", "dropped", 0.3, None)]
    always = Profile(provider="openai", model="gpt-5")
    assert fitted(asked(temperature=0.3), always)[0].temperature is None


def test_the_bodys_own_extras_are_never_touched() -> None:
    request, _ = fitted(
        replace(EVERYTHING, tools=(), tool_choice=None, messages=(user("Hi"),)),
        known(output_tokens=10, refused=("temperature", "top_p")),
    )
    assert request.extra_body == EVERYTHING.extra_body
    assert (request.max_tokens, request.temperature) == (10, None)


# -- media -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ((user("a"), user("See", IMAGE)), "messages[1].parts[1]"),
        (
            (user("a"), assistant(ToolCall(id="c", name="look", arguments_text="{}")), tool_result("c", [IMAGE])),
            "messages[2].parts[0].content[0]",
        ),
        ((user(PDF),), "messages[0].parts[0]"),
        ((user(replace(PDF, media_type=None)),), "messages[0].parts[0]"),
    ],
)
def test_media_that_the_model_does_not_take_are_refused_by_path(messages: tuple[Message, ...], path: str) -> None:
    with pytest.raises(Unsupported, match=r"p/m is known to take no .*facts=False") as caught:
        fitted(asked(messages=messages), known(input_modalities=("text",)))
    assert caught.value.path == path


@pytest.mark.parametrize(
    "part",
    [
        Media(kind="document", text="plain words"),
        Media(kind="document", data="aGk=", media_type="text/markdown"),
        Media(kind="file", file_id="f"),
    ],
)
def test_documents_that_are_read_as_text_are_no_such_media(part: Media) -> None:
    assert fitted(asked(messages=(user(part),)), known(input_modalities=("text",)))[1] == []


def test_what_a_model_drew_itself_is_not_asked_about() -> None:
    messages = (user("Draw"), assistant("Here", IMAGE), user("Thanks"))
    assert fitted(asked(messages=messages), known(input_modalities=("text",)))[1] == []


def test_a_host_that_reads_documents_takes_them_for_its_models() -> None:
    model = Profile(provider="mistral", model="any", input_modalities=("text",))
    assert fitted(asked(messages=(user(PDF),)), model)[1] == []
    with pytest.raises(Unsupported):
        fitted(asked(messages=(user(IMAGE),)), model)


# -- tools and roles ---------------------------------------------------------------------------------------------------


def test_tools_for_a_model_without_are_refused_unless_none_may_be_called() -> None:
    with pytest.raises(Unsupported, match="not to call tools") as caught:
        fitted(asked(tools=(TOOL,)), known(tools=False))
    assert caught.value.path == "tools"
    request, told = fitted(asked(tools=(TOOL,), tool_choice=ToolChoice(mode="none")), known(tools=False))
    assert (request.tools, request.tool_choice) == ((), None)
    assert told == [("tools", "dropped", 1, None)]


def test_a_force_that_the_model_does_not_take_becomes_a_choice() -> None:
    model = known(tool_choice=False)
    request, told = fitted(asked(tools=(TOOL, OTHER), tool_choice=ToolChoice(mode="required")), model)
    assert request.tool_choice == ToolChoice(mode="auto")
    assert told == [("tool_choice", "substituted", "required", "auto")]
    named = ToolChoice(mode="named", names=("hear",))
    request, _ = fitted(asked(tools=(TOOL, OTHER), tool_choice=named), model)
    assert request.tools == (OTHER,)
    auto = asked(tools=(TOOL,), tool_choice=ToolChoice(mode="auto"))
    assert fitted(auto, model)[0] is auto


def test_a_force_that_the_host_does_not_take_becomes_a_choice() -> None:
    asking = asked(tools=(TOOL,), tool_choice=ToolChoice(mode="required"))
    quirks = Quirks(anthropic=AnthropicQuirks(forced_tool=False))
    request, told = fitted(asking, known(), "anthropic", quirks)
    assert request.tool_choice == ToolChoice(mode="auto")
    assert told == [("tool_choice", "substituted", "required", "auto")]
    assert fitted(asking, known(), "openai-chat", quirks)[0] is asking


@pytest.mark.parametrize(("parallel", "action"), [(True, "dropped"), (False, "defaulted")])
def test_parallel_calls(parallel: bool, action: str) -> None:
    choice = ToolChoice(parallel=parallel)
    request, told = fitted(asked(tools=(TOOL,), tool_choice=choice), known(parallel_tools=False))
    assert request.tool_choice is None
    assert [(path, did) for path, did, _, _ in told] == [("tool_choice.parallel", action)]


def test_system_words_are_said_by_the_user_where_there_is_no_system() -> None:
    request, told = fitted(asked(messages=(system("Be brief."), user("Hi"))), known(system_messages=False))
    assert [message.role for message in request.messages] == [MessageRole.USER, MessageRole.USER]
    assert told == [("messages[0].role", "substituted", "system", "user")]


# -- thinking ----------------------------------------------------------------------------------------------------------

NEVER = known(reasoning=False)
LEVELS = known(reasoning_facts=ReasoningFacts(efforts=("low", "medium", "high"), form="effort"))
BUDGET = known(reasoning_facts=ReasoningFacts(form="budget", least_budget_tokens=1024, most_budget_tokens=20_000))
ALWAYS = known(reasoning_facts=ReasoningFacts(efforts=("low", "high"), form="effort", optional=False))
UNASKED = known(reasoning_facts=ReasoningFacts(form="none"))
TOGGLE = known(reasoning_facts=ReasoningFacts(form="none", optional=True))
EDGES = known(reasoning_facts=ReasoningFacts(efforts=("low", "medium", "high", "max"), form="both"))


def effort(level: str) -> ReasoningOptions:
    return ReasoningOptions(effort=level)


def budget(tokens: int) -> ReasoningOptions:
    return ReasoningOptions(budget_tokens=tokens)


@pytest.mark.parametrize(
    ("profile", "dialect", "options", "becomes", "told"),
    [
        (NEVER, "openai-chat", effort("high"), None, ("reasoning", "dropped")),
        (NEVER, "anthropic", budget(0), None, ("reasoning", "defaulted")),
        (NEVER, "openai-chat", effort("none"), None, ("reasoning", "defaulted")),
        (UNASKED, "openai-chat", effort("low"), None, ("reasoning", "dropped")),
        (TOGGLE, "openai-chat", effort("low"), effort("low"), None),
        (LEVELS, "openai-chat", effort("minimal"), effort("low"), ("reasoning.effort", "substituted")),
        (LEVELS, "openai-chat", effort("max"), effort("high"), ("reasoning.effort", "substituted")),
        (LEVELS, "openai-chat", effort("medium"), effort("medium"), None),
        (LEVELS, "openai-chat", effort("default"), effort("default"), None),
        (LEVELS, "openai-chat", effort("none"), effort("low"), ("reasoning", "substituted")),
        (LEVELS, "openai-responses", budget(0), effort("low"), ("reasoning", "substituted")),
        (LEVELS, "anthropic", effort("none"), effort("none"), None),
        (LEVELS, "anthropic", budget(5000), effort("medium"), ("reasoning.budget_tokens", "substituted")),
        (LEVELS, "openai-chat", budget(60_000), effort("high"), ("reasoning.budget_tokens", "substituted")),
        (LEVELS, "openai-chat", budget(-1), budget(-1), None),
        (EDGES, "anthropic", effort("xhigh"), effort("high"), ("reasoning.effort", "substituted")),
        (EDGES, "anthropic", budget(5000), budget(5000), None),
        (BUDGET, "gemini", effort("low"), budget(2048), ("reasoning.effort", "substituted")),
        (BUDGET, "gemini", effort("max"), budget(20_000), ("reasoning.effort", "substituted")),
        (BUDGET, "openai-chat", effort("low"), effort("low"), None),
        (BUDGET, "cohere", budget(10), budget(1024), ("reasoning.budget_tokens", "clamped")),
        (BUDGET, "anthropic", budget(90_000), budget(20_000), ("reasoning.budget_tokens", "clamped")),
        (BUDGET, "anthropic", budget(0), budget(0), None),
        (BUDGET, "gemini", budget(0), budget(1024), ("reasoning", "substituted")),
        (ALWAYS, "gemini", effort("none"), effort("low"), ("reasoning", "substituted")),
        (ALWAYS, "ollama", budget(0), effort("low"), ("reasoning", "substituted")),
        (ALWAYS, "cohere", budget(0), None, ("reasoning", "dropped")),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(
    profile: Profile,
    dialect: str,
    options: ReasoningOptions,
    becomes: ReasoningOptions | None,
    told: tuple[str, str] | None,
) -> None:
    request, entries = fitted(asked(reasoning=options), profile, dialect)
    assert request.reasoning == becomes
    assert [(path, action) for path, action, _, _ in entries] == ([] if told is None else [told])


# -- quirks ------------------------------------------------------------------------------------------------------------


def quirked(profile: Profile, dialect: str, quirks: Quirks | None = None, base: Quirks | None = None) -> Quirks:
    quirks = quirks or Quirks()
    return quirks_by_facts(profile, dialect, quirks, base or quirks)


def test_facts_set_the_form_of_thinking() -> None:
    assert quirked(LEVELS, "anthropic").anthropic.thinking_form == "adaptive"
    assert quirked(BUDGET, "anthropic").anthropic.thinking_form == "budget"
    assert quirked(EDGES, "anthropic").anthropic.thinking_form == "native"
    assert quirked(LEVELS, "gemini").gemini.thinking == "level"
    assert quirked(BUDGET, "gemini").gemini.thinking == "budget"
    assert quirked(BUDGET, "bedrock").bedrock.thinking_form == "budget"
    assert quirked(LEVELS, "bedrock").bedrock.thinking_form == "effort"


def test_facts_set_whether_a_schema_is_followed() -> None:
    some = Quirks(chat=ChatQuirks(schema_by_some=True))
    assert quirked(known(schema_output=True), "openai-chat", some).chat.schema_by_some is False
    assert quirked(known(schema_output=False), "openai-chat", some).chat.schema_by_some is True
    assert quirked(known(schema_output=False), "openai-chat").chat.schema_output == "json_object"
    assert quirked(known(schema_output=False, json_output=False), "openai-chat").chat.schema_output == "none"
    # What the row says of its host is not undone by what is said of a model.
    host = Quirks(chat=ChatQuirks(schema_output="json_object"))
    assert quirked(known(schema_output=True), "openai-chat", host) == host
    assert quirked(known(schema_output=False), "anthropic").anthropic.schema_output is False
    assert quirked(known(schema_output=False), "openai-responses").responses.schema_output is False
    assert quirked(known(json_output=False), "gemini").gemini.json_object is False
    row = Quirks(bedrock=BedrockQuirks(schema_output=False))
    assert quirked(known(schema_output=True), "bedrock", row).bedrock.schema_output is True


def test_what_a_user_set_rules_over_facts() -> None:
    own = Quirks(anthropic=AnthropicQuirks(thinking_form="none"))
    assert quirked(BUDGET, "anthropic", own, Quirks()) == own
    gemini = Quirks(gemini=GeminiQuirks(thinking="level"))
    assert quirked(BUDGET, "gemini", gemini, Quirks()).gemini.thinking == "level"


def test_the_cap_that_anthropic_wants_is_no_more_than_the_model_writes() -> None:
    assert quirked(known(output_tokens=1000), "anthropic").anthropic.default_max_tokens == 1000
    assert quirked(known(output_tokens=64_000), "anthropic").anthropic.default_max_tokens == 4096


def test_a_force_that_is_not_taken_is_not_used_to_emulate_either() -> None:
    for dialect, group in (("openai-chat", "chat"), ("anthropic", "anthropic"), ("bedrock", "bedrock")):
        for fact in ("tool_choice", "tools"):
            quirks: Any = getattr(quirked(known(**{fact: False}), dialect), group)
            assert quirks.forced_tool is False


def test_quirks_are_those_of_the_dialect_that_is_spoken() -> None:
    assert quirked(BUDGET, "openai-responses") == Quirks()
    assert quirked(known(schema_output=False), "openai-responses") == Quirks(
        responses=ResponsesQuirks(schema_output=False)
    )
