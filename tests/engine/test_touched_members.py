"""Whether facts touch a body that is to be relayed: the same answer as the fitting itself gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dragoman import dialects
from dragoman.engine.capabilities.fitting import fit_request
from dragoman.engine.capabilities.limits import compile_limits, quirks_by_facts
from dragoman.engine.capabilities.touching import MEMBERS_OF, touched_by
from dragoman.engine.output import fit_output
from dragoman.errors import Unsupported
from dragoman.values import AdaptationLog, Quirks, Request, Target, replace
from dragoman.values.profile import Profile, ReasoningFacts

PROFILES: dict[str, Profile] = {
    "unknown": Profile(provider="p", model="m"),
    "short": Profile(provider="p", model="m", output_tokens=100),
    "blind": Profile(provider="p", model="m", input_modalities=("text",)),
    "without tools": Profile(provider="p", model="m", tools=False),
    "unforced": Profile(provider="p", model="m", tool_choice=False, parallel_tools=False),
    "unsampled": Profile(provider="p", model="m", refused=("temperature", "top_p", "top_k", "stop", "seed")),
    "no system": Profile(provider="p", model="m", system_messages=False),
    "no schema": Profile(provider="p", model="m", schema_output=False),
    "never thinks": Profile(provider="p", model="m", reasoning=False),
    "levels": Profile(provider="p", model="m", reasoning_facts=ReasoningFacts(efforts=("low", "high"), form="effort")),
    "budgets": Profile(
        provider="p", model="m", reasoning_facts=ReasoningFacts(form="budget", least_budget_tokens=1024)
    ),
    "reasoning of OpenAI": Profile(provider="openai", model="gpt-5", output_tokens=128_000),
}

_FUNCTION: dict[str, Any] = {"name": "look", "parameters": {"type": "object", "properties": {}}}
_IMAGE_URL = "data:image/png;base64,aGk="
BODIES: dict[str, list[dict[str, Any]]] = {
    "openai-chat": [
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": _IMAGE_URL}}]}]},
        {"max_tokens": 99},
        {"max_tokens": 101},
        {"max_completion_tokens": 101},
        {"temperature": 0.5},
        {"temperature": None, "stop": None},
        {"stop": ["x"], "seed": 1},
        {"tools": [{"type": "function", "function": _FUNCTION}]},
        {"tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "required"},
        {"tools": [{"type": "function", "function": _FUNCTION}], "parallel_tool_calls": True},
        {"reasoning_effort": "low"},
        {"reasoning_effort": "medium"},
        {"reasoning_effort": "none"},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}},
    ],
    "openai-responses": [
        {"input": "Hi"},
        {"input": "Hi", "instructions": "Be brief."},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": _IMAGE_URL}]}]},
        {"max_output_tokens": 101},
        {"temperature": 0.5, "top_p": 0.5},
        {"tools": [{"type": "function", **_FUNCTION}], "tool_choice": "required"},
        {"reasoning": {"effort": "medium"}},
        {"reasoning": {"effort": "low"}},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}}},
    ],
    "anthropic": [
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100},
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 101},
        {"system": "Be brief.", "max_tokens": 10},
        {"max_tokens": 10, "temperature": 0.5, "top_k": 3, "stop_sequences": ["x"]},
        {"max_tokens": 10, "tools": [{"name": "look", "input_schema": {"type": "object"}}]},
        {
            "max_tokens": 10,
            "tools": [{"name": "look", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "any"},
        },
        {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 1500}},
        {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 500}},
        {"max_tokens": 3000, "thinking": {"type": "disabled"}},
        {"max_tokens": 3000, "thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
    ],
    "gemini": [
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
        {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]}]},
        {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
        {"generationConfig": {"maxOutputTokens": 101}},
        {"generationConfig": {"temperature": 0.5, "stopSequences": ["x"]}},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 100}}},
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MEDIUM"}}},
        {"tools": [{"functionDeclarations": [_FUNCTION]}]},
        {
            "tools": [{"functionDeclarations": [_FUNCTION]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        },
    ],
    "bedrock": [
        {"inferenceConfig": {"maxTokens": 101, "temperature": 0.5}},
        {"toolConfig": {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}]}},
        {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
        {"outputConfig": {"effort": "medium"}},
    ],
    "cohere": [
        {"max_tokens": 101},
        {"temperature": 0.5, "p": 0.5, "k": 3},
        {"thinking": {"type": "enabled", "token_budget": 10}},
        {"tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "REQUIRED"},
    ],
    "ollama": [
        {"options": {"num_predict": 101, "temperature": 0.5}},
        {"think": "medium"},
        {"tools": [{"type": "function", "function": _FUNCTION}]},
    ],
}
_MESSAGES: dict[str, dict[str, Any]] = {
    "openai-responses": {"input": "Hi"},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
}


def _body(dialect: str, members: dict[str, Any]) -> dict[str, Any]:
    least = _MESSAGES.get(dialect, {"messages": [{"role": "user", "content": "Hi"}]})
    return {"model": "m", **least, **members}


def _changed(dialect: str, profile: Profile, body: dict[str, Any], base: Target, target: Target) -> bool:
    """Whether fitting by facts changes what is sent, or refuses it."""
    codec = dialects.load(dialect)
    limits = compile_limits(profile, dialect, target.quirks)
    path = f"/model/{base.model}/converse"
    without = _formed(dialect, codec.decode_request(body, base, path), base)
    try:
        request = fit_request(codec.decode_request(body, target, path), limits, AdaptationLog())
    except Unsupported:
        return True
    return _formed(dialect, request, target) != without


def _formed(dialect: str, request: Request, target: Target) -> dict[str, Any]:
    formed = fit_output(request, dialect, target)
    if formed is not None:
        request, target = formed.request, formed.target
    return dialects.load(dialect).encode_request(request, target).body


def test_every_dialect_has_bodies_and_a_table() -> None:
    assert set(BODIES) == set(MEMBERS_OF) == set(dialects.names())


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(
    ("dialect", "members"),
    [
        pytest.param(dialect, members, id=f"{dialect}-{index}")
        for dialect, bodies in BODIES.items()
        for index, members in enumerate(bodies)
    ],
)
def test_what_fitting_changes_is_touched_and_nothing_else(dialect: str, members: dict[str, Any], name: str) -> None:
    profile = PROFILES[name]
    base = Target(provider=profile.provider, issuer="p", model=profile.model)
    target = base
    quirks = quirks_by_facts(profile, dialect, base.quirks, Quirks())
    if quirks != base.quirks:
        target = replace(base, quirks=quirks)
    body = _body(dialect, members)
    limits = compile_limits(profile, dialect, target.quirks)
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
    touched = touched_by(dialect, limits, base, target, raw)
    assert touched == touched_by(dialect, limits, base, target, body)
    assert touched <= set(body)
    assert bool(touched) == _changed(dialect, profile, body, base, target)


def test_a_word_that_may_begin_media_is_left_to_the_fitting() -> None:
    base = Target(provider="p", issuer="p", model="m")
    limits = compile_limits(PROFILES["blind"], "openai-chat", base.quirks)
    talk = {"model": "m", "messages": [{"role": "user", "content": "An image of a bridge"}]}
    assert touched_by("openai-chat", limits, base, base, talk) == {"messages"}
