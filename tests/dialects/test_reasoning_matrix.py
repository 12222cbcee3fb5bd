"""How much to think, and thoughts sent back: each dialect and each form that its quirks know, every cell listed.

The columns are what is asked: a level, no thinking, a budget of tokens (0: off, -1: the model decides), or both. A cell
is what is said on the wire; `~` before it tells that the asked was substituted, `!` that (a part of) it was dropped,
both recorded; `-` is silence.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import catalogue, dialects
from dragoman.values import (
    AnthropicQuirks,
    BedrockQuirks,
    ChatQuirks,
    GeminiQuirks,
    Quirks,
    ReasoningOptions,
    Request,
    Target,
    ToolDefinition,
    from_json,
    to_json,
    tool_result,
    user,
)
from tests.wire.comparing import first_difference

FORMS: dict[str, tuple[str, Quirks]] = {
    "openai-chat reasoning_effort": ("openai-chat", Quirks()),
    "openai-chat reasoning_object": ("openai-chat", Quirks(chat=ChatQuirks(effort_form="reasoning_object"))),
    "openai-chat thinking_object": ("openai-chat", Quirks(chat=ChatQuirks(effort_form="thinking_object"))),
    "openai-chat none": ("openai-chat", Quirks(chat=ChatQuirks(effort_form="none"))),
    "openai-responses": ("openai-responses", Quirks()),
    "anthropic native": ("anthropic", Quirks()),
    "anthropic budget": ("anthropic", Quirks(anthropic=AnthropicQuirks(thinking_form="budget"))),
    "anthropic adaptive": ("anthropic", Quirks(anthropic=AnthropicQuirks(thinking_form="adaptive"))),
    "anthropic none": ("anthropic", Quirks(anthropic=AnthropicQuirks(thinking_form="none"))),
    "gemini budget": ("gemini", Quirks(gemini=GeminiQuirks(thinking="budget"))),
    "gemini level": ("gemini", Quirks(gemini=GeminiQuirks(thinking="level"))),
    "bedrock native": ("bedrock", Quirks()),
    "bedrock budget": ("bedrock", Quirks(bedrock=BedrockQuirks(thinking_form="budget"))),
    "bedrock effort": ("bedrock", Quirks(bedrock=BedrockQuirks(thinking_form="effort"))),
    "bedrock none": ("bedrock", Quirks(bedrock=BedrockQuirks(thinking_form="none"))),
    "cohere": ("cohere", Quirks()),
    "ollama": ("ollama", Quirks()),
}
ASKED: dict[str, ReasoningOptions] = {
    "effort none": ReasoningOptions(effort="none"),
    "effort low": ReasoningOptions(effort="low"),
    "effort high": ReasoningOptions(effort="high"),
    "budget 0": ReasoningOptions(budget_tokens=0),
    "budget -1": ReasoningOptions(budget_tokens=-1),
    "budget 4000": ReasoningOptions(budget_tokens=4000),
    "both": ReasoningOptions(effort="low", budget_tokens=4000),
}
_OFF, _ON = '{"thinking":{"type":"disabled"}}', '{"thinking":{"type":"enabled"}}'
_FIELDS = '{"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":%d}}}'
SAID: dict[str, tuple[str, ...]] = {
    "openai-chat reasoning_effort": (
        '{"reasoning_effort":"none"}',
        '{"reasoning_effort":"low"}',
        '{"reasoning_effort":"high"}',
        '~{"reasoning_effort":"none"}',
        "!-",
        '~{"reasoning_effort":"medium"}',
        '!{"reasoning_effort":"low"}',
    ),
    "openai-chat reasoning_object": (
        '{"reasoning":{"effort":"none"}}',
        '{"reasoning":{"effort":"low"}}',
        '{"reasoning":{"effort":"high"}}',
        '{"reasoning":{"enabled":false}}',
        '{"reasoning":{"enabled":true}}',
        '{"reasoning":{"max_tokens":4000}}',
        '!{"reasoning":{"effort":"low"}}',
    ),
    "openai-chat thinking_object": (_OFF, f"~{_ON}", f"~{_ON}", _OFF, _ON, f"~{_ON}", f"~{_ON}"),
    "openai-chat none": ("!-",) * 7,
    "openai-responses": (
        '{"reasoning":{"effort":"none"}}',
        '{"reasoning":{"effort":"low"}}',
        '{"reasoning":{"effort":"high"}}',
        '~{"reasoning":{"effort":"none"}}',
        "-",
        '~{"reasoning":{"effort":"medium"}}',
        '!{"reasoning":{"effort":"low"}}',
    ),
    "anthropic native": (
        _OFF,
        '{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}',
        '{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}',
        _OFF,
        '{"thinking":{"type":"adaptive"}}',
        '{"thinking":{"type":"enabled","budget_tokens":4000}}',
        '{"thinking":{"type":"enabled","budget_tokens":4000},"output_config":{"effort":"low"}}',
    ),
    "anthropic budget": (
        _OFF,
        '~{"thinking":{"type":"enabled","budget_tokens":2048}}',
        '~{"thinking":{"type":"enabled","budget_tokens":16384}}',
        _OFF,
        '~{"thinking":{"type":"enabled","budget_tokens":8192}}',
        '{"thinking":{"type":"enabled","budget_tokens":4000}}',
        '!{"thinking":{"type":"enabled","budget_tokens":4000}}',
    ),
    "anthropic adaptive": (
        _OFF,
        '{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}',
        '{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}',
        _OFF,
        '{"thinking":{"type":"adaptive"}}',
        '~{"thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}}',
        '~{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}',
    ),
    "anthropic none": ("-", "!-", "!-", "-", "!-", "!-", "!-"),
    "gemini budget": (
        '{"thinkingBudget":0}',
        '~{"thinkingBudget":2048}',
        '~{"thinkingBudget":16384}',
        '{"thinkingBudget":0}',
        '{"thinkingBudget":-1}',
        '{"thinkingBudget":4000}',
        '!{"thinkingBudget":4000}',
    ),
    "gemini level": (
        '{"thinkingBudget":0}',
        '{"thinkingLevel":"LOW"}',
        '{"thinkingLevel":"HIGH"}',
        '{"thinkingBudget":0}',
        '{"thinkingBudget":-1}',
        '{"thinkingBudget":4000}',
        '!{"thinkingBudget":4000}',
    ),
    "bedrock native": (
        "~-",
        '{"outputConfig":{"effort":"low"}}',
        '{"outputConfig":{"effort":"high"}}',
        "~-",
        "~-",
        _FIELDS % 4000,
        '{"outputConfig":{"effort":"low"},' + (_FIELDS % 4000)[1:],
    ),
    "bedrock budget": (
        "~-",
        "~" + _FIELDS % 2048,
        "~" + _FIELDS % 16384,
        "~-",
        "~-",
        _FIELDS % 4000,
        "~" + _FIELDS % 4000,
    ),
    "bedrock effort": (
        "~-",
        '{"outputConfig":{"effort":"low"}}',
        '{"outputConfig":{"effort":"high"}}',
        "~-",
        "~-",
        '~{"outputConfig":{"effort":"medium"}}',
        '~{"outputConfig":{"effort":"low"}}',
    ),
    "bedrock none": ("~-", "!-", "!-", "~-", "~-", "!-", "!-"),
    "cohere": (
        _OFF,
        '~{"thinking":{"type":"enabled","token_budget":2048}}',
        '~{"thinking":{"type":"enabled","token_budget":16384}}',
        _OFF,
        _ON,
        '{"thinking":{"type":"enabled","token_budget":4000}}',
        '!{"thinking":{"type":"enabled","token_budget":4000}}',
    ),
    "ollama": (
        '{"think":false}',
        '{"think":"low"}',
        '{"think":"high"}',
        '{"think":false}',
        '{"think":true}',
        '~{"think":true}',
        '!{"think":"low"}',
    ),
}
_MEMBERS = frozenset({"reasoning_effort", "reasoning", "thinking", "think", "output_config", "outputConfig"})
_MARKS = {"~": "substituted", "!": "dropped"}


def test_no_cell_is_missing() -> None:
    assert {dialect for dialect, _ in FORMS.values()} == set(dialects.names())
    assert SAID.keys() == FORMS.keys()
    assert all(len(cells) == len(ASKED) for cells in SAID.values())


def _target(form: str) -> Target:
    return Target(provider="p", issuer="own", model="m", quirks=FORMS[form][1])


@pytest.mark.parametrize(
    ("form", "asked", "cell"),
    [
        pytest.param(form, ASKED[asked], cell, id=f"{form}-{asked}")
        for form, cells in SAID.items()
        for asked, cell in zip(ASKED, cells, strict=True)
    ],
)
def test_an_effort_is_said_as_the_target_takes_it(form: str, asked: ReasoningOptions, cell: str) -> None:
    request = Request(model="m", messages=(user("Hi"),), max_tokens=30_000, reasoning=asked)
    encoded = dialects.load(FORMS[form][0]).encode_request(request, _target(form))
    body: dict[str, Any] = encoded.body
    said = {name: value for name, value in body.items() if name in _MEMBERS}
    fields = body.get("additionalModelRequestFields", {})
    if "thinking" in fields:
        said["additionalModelRequestFields"] = {"thinking": fields["thinking"]}
    said |= body.get("generationConfig", {}).get("thinkingConfig", {})
    expected = cell.lstrip("~!")
    assert first_difference({} if expected == "-" else msgspec.json.decode(expected), said) is None
    told = {entry.action for entry in encoded.adaptations if entry.path.startswith("reasoning")}
    assert told == ({_MARKS[cell[0]]} if cell[0] in _MARKS else set())


def test_every_row_of_the_catalogue_has_a_form_that_is_in_the_matrix() -> None:
    known = {
        "chat": {FORMS[form][1].chat.effort_form for form in FORMS if form.startswith("openai-chat")},
        "anthropic": {FORMS[form][1].anthropic.thinking_form for form in FORMS if form.startswith("anthropic")},
        "gemini": {FORMS[form][1].gemini.thinking for form in FORMS if form.startswith("gemini")},
        "bedrock": {FORMS[form][1].bedrock.thinking_form for form in FORMS if form.startswith("bedrock")},
    }
    for name in catalogue.names():
        quirks = catalogue.find(name).quirks
        assert quirks.chat.effort_form in known["chat"]
        assert quirks.anthropic.thinking_form in known["anthropic"]
        assert quirks.gemini.thinking in known["gemini"]
        assert quirks.bedrock.thinking_form in known["bedrock"]


# -- thoughts sent back ------------------------------------------------------------------------------------------------

_STATE = "c3RhdGUtb2YtYW4taXNzdWVy"
_WORDS = "A thought of its own."
_CHAT_CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def _chat(**said: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": [_CHAT_CALL], **said}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def _anthropic(*blocks: dict[str, Any]) -> dict[str, Any]:
    content: list[Any] = [*blocks, {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}]
    usage = {"input_tokens": 1, "output_tokens": 1}
    head = {"id": "a", "type": "message", "role": "assistant", "model": "m", "usage": usage}
    return {**head, "content": content, "stop_reason": "tool_use", "stop_sequence": None}


def _gemini(*parts: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "modelVersion": "m"}


def _bedrock(thought: dict[str, Any]) -> dict[str, Any]:
    call: dict[str, Any] = {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {}}}
    message: dict[str, Any] = {"role": "assistant", "content": [{"reasoningContent": thought}, call]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": usage, "metrics": {"latencyMs": 1}}


_RESPONSES_ITEMS = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": _WORDS}],
        "encrypted_content": _STATE,
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "look",
        "arguments": "{}",
        "status": "completed",
    },
]
_DETAILS = [{"type": "reasoning.encrypted", "data": _STATE, "format": "f", "index": 0}]
THOUGHTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "openai-chat details": ("openai-chat", _chat(reasoning=_WORDS, reasoning_details=_DETAILS), _STATE),
    "openai-chat words": ("openai-chat", _chat(reasoning_content=_WORDS), _WORDS),
    "openai-responses": (
        "openai-responses",
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": "m",
            "status": "completed",
            "output": _RESPONSES_ITEMS,
        },
        _STATE,
    ),
    "anthropic signed": (
        "anthropic",
        _anthropic({"type": "thinking", "thinking": _WORDS, "signature": _STATE}),
        _STATE,
    ),
    "anthropic redacted": ("anthropic", _anthropic({"type": "redacted_thinking", "data": _STATE}), _STATE),
    "gemini": (
        "gemini",
        _gemini({"functionCall": {"name": "look", "args": {}, "id": "call_1"}, "thoughtSignature": _STATE}),
        _STATE,
    ),
    "bedrock signed": ("bedrock", _bedrock({"reasoningText": {"text": _WORDS, "signature": _STATE}}), _STATE),
    "bedrock redacted": ("bedrock", _bedrock({"redactedContent": _STATE}), _STATE),
    "cohere": (
        "cohere",
        {
            "id": "a",
            "message": {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": _WORDS}],
                "tool_calls": [_CHAT_CALL],
            },
            "finish_reason": "TOOL_CALL",
        },
        _WORDS,
    ),
    "ollama": (
        "ollama",
        {
            "model": "m",
            "created_at": "2025-01-01T00:00:00Z",
            "message": {
                "role": "assistant",
                "content": "",
                "thinking": _WORDS,
                "tool_calls": [{"id": "call_1", "function": {"name": "look", "arguments": {}}}],
            },
            "done": True,
            "done_reason": "stop",
        },
        _WORDS,
    ),
}
"""An answer with a thought, by the dialect that it came over, and what of it its issuer wants back."""

_REPLAYING = Quirks(chat=ChatQuirks(reasoning_member="reasoning_details"))


def test_every_dialect_has_a_thought() -> None:
    assert {dialect for dialect, _, _ in THOUGHTS.values()} == set(dialects.names())


def _went_on(thought: str, quirks: Quirks) -> Request:
    dialect, body, _ = THOUGHTS[thought]
    own = Target(provider="p", issuer="own", model="m", quirks=quirks)
    answer = dialects.load(dialect).decode_response(body, own)
    (call,) = answer.tool_calls
    return Request(
        model="m",
        messages=(user("Look"), answer.message, tool_result(call, "A bridge.")),
        tools=(ToolDefinition(name="look", input_schema={"type": "object", "properties": {}}),),
        reasoning=ReasoningOptions(budget_tokens=-1),
    )


def _quirks(thought: str) -> Quirks:
    words = Quirks(chat=ChatQuirks(reasoning_member="reasoning_content"))
    return words if thought == "openai-chat words" else _REPLAYING


@pytest.mark.parametrize("issuer", ["own", "another"])
@pytest.mark.parametrize("towards", sorted(dialects.names()))
@pytest.mark.parametrize("thought", THOUGHTS)
def test_a_thought_goes_back_to_its_issuer_alone(thought: str, towards: str, issuer: str) -> None:
    dialect, _, wanted = THOUGHTS[thought]
    request = _went_on(thought, _quirks(thought))
    target = Target(provider="p", issuer=issuer, model="m", quirks=_quirks(thought))
    encoded = dialects.load(towards).encode_request(request, target)
    said = msgspec.json.encode(encoded.body).decode()
    told = [
        entry
        for entry in encoded.adaptations
        if entry.path.startswith("messages[1].parts[0]") and entry.action == "dropped"
    ]
    back = towards == dialect and issuer == "own"
    assert (wanted in said) == back
    assert bool(told) == (not back)
    if not back:
        assert _STATE not in said
        assert '"look"' in said  # the call itself goes on


@pytest.mark.parametrize("thought", THOUGHTS)
def test_a_thought_survives_a_saved_conversation(thought: str) -> None:
    dialect, _, wanted = THOUGHTS[thought]
    request = from_json(to_json(_went_on(thought, _quirks(thought))))
    assert isinstance(request, Request)
    target = Target(provider="p", issuer="own", model="m", quirks=_quirks(thought))
    assert wanted in msgspec.json.encode(dialects.load(dialect).encode_request(request, target).body).decode()
