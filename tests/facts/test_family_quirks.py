"""How families of models want to be spoken with: the table itself, and which names its patterns are meant for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dragoman import catalogue
from dragoman.facts.family_quirks import FAMILIES, Conduct, conduct_of, quirks_of
from dragoman.values import Quirks
from dragoman.values.profile import Profile


def of(name: str) -> Profile:
    provider, _, model = name.partition("/")
    return Profile(provider=provider, model=model)


@pytest.mark.parametrize("row", FAMILIES, ids=lambda row: f"{row.providers[0]} {row.pattern}")
def test_a_row_names_providers_patterns_quirks_and_a_source(row: Any) -> None:
    assert set(row.providers) <= set(catalogue.names())
    re.compile(row.pattern)
    assert row.source.url
    assert row.quirks or row.conduct is not None
    for group, fields in row.quirks.items():
        own: Any = getattr(Quirks(), group)
        for field, value in fields.items():
            assert type(value) is type(getattr(own, field)), field


@pytest.mark.parametrize(
    ("name", "group", "field", "value"),
    [
        ("anthropic/claude-3-5-haiku-20241022", "anthropic", "schema_output", False),
        ("anthropic/claude-sonnet-4-20250514", "anthropic", "schema_output", False),
        ("anthropic/claude-opus-4-0", "anthropic", "schema_output", False),
        ("anthropic/claude-opus-4-1-20250805", "anthropic", "schema_output", True),
        ("anthropic/claude-sonnet-4-5", "anthropic", "schema_output", True),
        ("vertex/claude-haiku-4-5@20251001", "anthropic", "schema_output", True),
        ("anthropic/claude-opus-4-5-20251101", "anthropic", "thinking_form", "budget"),
        ("anthropic/claude-sonnet-5-5", "anthropic", "thinking_form", "adaptive"),
        ("anthropic/claude-opus-5-5", "anthropic", "forced_tool", False),
        ("vertex/claude-fable-5-1@20260901", "anthropic", "forced_tool", False),
        ("bedrock/eu.anthropic.claude-opus-5-5-v1:0", "bedrock", "forced_tool", False),
        ("google/gemini-2.5-flash", "gemini", "schema_beside_tools", False),
        ("vertex/gemini-3-pro-preview", "gemini", "schema_beside_tools", True),
        ("google/models/gemini-2.0-flash", "gemini", "result_media", False),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "thinking_form", "budget"),
        ("bedrock/anthropic.claude-opus-4-6-v1", "bedrock", "thinking_form", "native"),
        ("bedrock/eu.anthropic.claude-opus-4-8", "bedrock", "thinking_form", "effort"),
        ("bedrock/us.amazon.nova-2-lite-v1:0", "bedrock", "thinking_form", "none"),
        ("bedrock/us.amazon.nova-2-lite-v1:0", "bedrock", "top_k_path", ("inferenceConfig", "topK")),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "bedrock", "top_k_path", ("top_k",)),
        ("bedrock/amazon.nova-lite-v1:0", "bedrock", "schema_output", False),
        ("openai/gpt-5", "chat", "newer_cap_alone", True),
        ("azure/o3-mini", "chat", "newer_cap_alone", True),
    ],
)
def test_a_model_has_the_quirks_of_its_family(name: str, group: str, field: str, value: object) -> None:
    assert quirks_of(of(name), group)[field] == value


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("openai/gpt-4o", "chat"),
        ("openai/gpt-5-chat-latest", "chat"),
        ("openai/gpt-4.1-mini", "chat"),
        ("openai/omni-moderation-latest", "chat"),
        ("openai_compatible/gpt-5", "chat"),
        ("openai_compatible/claude-opus-4-5", "anthropic"),
        ("google/gemma-3-27b-it", "gemini"),
        ("anthropic/claude-opus-4-50", "anthropic"),
        ("bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "bedrock"),
    ],
)
def test_other_names_and_other_hosts_have_none(name: str, group: str) -> None:
    assert quirks_of(of(name), group) == {}
    assert conduct_of(of(name)) == Conduct()


def test_what_is_refused_depends_on_thinking_for_some() -> None:
    assert "temperature" in conduct_of(of("openai/o4-mini")).refused
    assert "temperature" in conduct_of(of("openai/gpt-5.1-codex")).refused
    later = conduct_of(of("openai/gpt-5.2-2025-12-11"))
    assert "temperature" not in later.refused
    assert "temperature" in later.refused_thinking
    assert not later.thinks_unasked
    assert conduct_of(of("anthropic/claude-opus-4-7")).refused == ("temperature", "top_p", "top_k")
    assert conduct_of(of("anthropic/claude-haiku-5-5")).refused == ("temperature", "top_p", "top_k")
    assert conduct_of(of("anthropic/claude-opus-4-6")).refused == ()
    assert conduct_of(of("anthropic/claude-sonnet-4-5")).refused == ()
