"""What the tables say, in our fields, and which of them is believed."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.facts.tables.litellm import litellm_fields, litellm_name
from dragoman.facts.tables.merging import Told, merged
from dragoman.facts.tables.models_dev import models_dev_fields
from dragoman.facts.tables.providers import PROVIDERS, CacheManner
from dragoman.values.profile import CacheFacts, ReasoningFacts, Source

_DEV, _LITE, _HAND = Source(name="models.dev"), Source(name="litellm"), Source(name="hand")


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({}, {}),
        ({"limit": {"context": 0, "output": 0}}, {}),
        (
            {"limit": {"context": 9, "input": 8, "output": 7}},
            {"context_tokens": 9, "input_tokens": 8, "output_tokens": 7},
        ),
        ({"tool_call": False, "reasoning": False}, {"tools": False, "reasoning": False}),
        ({"temperature": False}, {"refused": ("temperature",)}),
        (
            {"temperature": True, "modalities": {"input": ["pdf", "text"], "output": ["text"]}},
            {
                "sampling": ("temperature",),
                "input_modalities": ("text", "document"),
                "output_modalities": ("text",),
                "mode": "chat",
            },
        ),
        ({"modalities": {"input": ["text"], "output": ["image"]}, "temperature": True}, "no chat"),
        ({"status": "beta", "open_weights": True, "knowledge": "2025-01"}, "status"),
    ],
)
def test_models_dev(entry: dict[str, Any], fields: Any) -> None:
    found = models_dev_fields(entry)
    if fields == "no chat":
        assert "mode" not in found
    elif fields == "status":
        assert found == {"status": "preview", "open_weights": True, "knowledge_until": "2025-01"}
    else:
        assert found == fields


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ([], ReasoningFacts(form="none")),
        ([{"type": "toggle"}], ReasoningFacts(optional=True)),
        ([{"type": "effort", "values": ["low", "high"]}], ReasoningFacts(efforts=("low", "high"), form="effort")),
        (
            [{"type": "effort", "values": ["none", "high"]}],
            ReasoningFacts(efforts=("none", "high"), form="effort", optional=True),
        ),
        (
            [{"type": "budget_tokens", "min": 0, "max": 24576}],
            ReasoningFacts(least_budget_tokens=0, most_budget_tokens=24576, form="budget", optional=True),
        ),
        (
            [{"type": "budget_tokens", "min": 1024}, {"type": "effort", "values": ["low"]}],
            ReasoningFacts(efforts=("low",), least_budget_tokens=1024, form="both"),
        ),
        ([{"type": "budget_tokens", "min": -1}], ReasoningFacts(form="budget")),
    ],
)
def test_reasoning_options(options: list[dict[str, Any]], facts: ReasoningFacts) -> None:
    assert models_dev_fields({"reasoning": True, "reasoning_options": options})["reasoning_facts"] == facts
    assert "reasoning_facts" not in models_dev_fields({"reasoning": True})


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({}, {}),
        ({"supports_vision": True}, {"some_input_modalities": ("image",)}),
        ({"supports_vision": False}, {}),
        (
            {"supported_modalities": ["text", "image"], "supports_pdf_input": True},
            {"input_modalities": ("text", "image", "document"), "some_input_modalities": ("document",)},
        ),
        ({"supports_function_calling": False, "supports_assistant_prefill": True}, {"tools": False, "prefill": True}),
        ({"max_input_tokens": "8192", "max_output_tokens": 4096.0}, {"input_tokens": 8192, "output_tokens": 4096}),
        ({"max_input_tokens": "max tokens"}, {}),
        ({"supports_sampling_params": False}, {"refused": ("temperature", "top_p", "top_k")}),
        ({"deprecation_date": "2026-02-31"}, {"retired": "2026-02-31"}),
        ({"deprecation_date": "soon"}, {}),
        ({"mode": "responses"}, {"mode": "chat"}),
        ({"mode": "video_generation"}, {"mode": "other"}),
        ({"thinking_always_on": True}, {"reasoning_facts": ReasoningFacts(optional=False)}),
        ({"supports_none_reasoning_effort": False}, {}),
        (
            {"reasoning_effort_levels": ["none", "high"]},
            {"reasoning_facts": ReasoningFacts(efforts=("none", "high"), optional=True)},
        ),
        ({"supports_prompt_caching": False}, {"cache": CacheFacts(kinds=())}),
        ({"supports_prompt_caching": True}, {}),
    ],
)
def test_litellm(entry: dict[str, Any], fields: dict[str, Any]) -> None:
    assert litellm_fields(entry) == fields


def test_how_a_provider_caches_is_told_of_models_that_are_cached() -> None:
    manner = CacheManner(kinds=("marks",), most_marks=4, ttls=("5m", "1h"))
    cached = litellm_fields({"supports_prompt_caching": True, "prompt_cache_min_tokens": 1024.0}, manner)
    assert cached == {"cache": CacheFacts(kinds=("marks",), least_tokens=1024, most_marks=4, ttls=("5m", "1h"))}
    assert litellm_fields({}, manner) == {}


@pytest.mark.parametrize(
    ("provider", "key", "name"),
    [
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "1024-x-1024/gpt-image-1", None),
        ("azure", "azure/gpt-4o", "gpt-4o"),
        ("azure", "azure/eu/gpt-4o", None),
        ("bedrock", "bedrock/us-east-1/anthropic.claude-v2:1", None),
        ("bedrock", "eu.anthropic.claude-3-opus-20240229-v1:0", "eu.anthropic.claude-3-opus-20240229-v1:0"),
        ("groq", "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("fireworks", "fireworks_ai/accounts/fireworks/models/x", "accounts/fireworks/models/x"),
        ("vertex", "vertex_ai/meta/llama-3.3-70b-instruct-maas", "meta/llama-3.3-70b-instruct-maas"),
    ],
)
def test_names_in_litellms_map(provider: str, key: str, name: str | None) -> None:
    assert litellm_name(key, PROVIDERS[provider]) == name


def test_each_field_is_from_the_table_that_is_believed_about_it() -> None:
    row, disagreements = merged(
        [
            Told("models.dev", {"tools": False, "context_tokens": 5, "reasoning": True}, _DEV),
            Told("litellm", {"tools": True, "input_tokens": 4, "prefill": False}, _LITE),
            Told("correction", {"prefill": True}, _HAND),
        ]
    )
    assert row.fields == {"tools": True, "context_tokens": 5, "reasoning": True, "prefill": True}
    assert {name: source.name for name, source in row.sources.items()} == {
        "tools": "litellm",
        "context_tokens": "models.dev",
        "reasoning": "models.dev",
        "prefill": "hand",
    }
    assert {(found.field, found.by, found.other_by) for found in disagreements} == {
        ("tools", "litellm", "models.dev"),
        ("prefill", "correction", "litellm"),
    }


def test_a_modality_counts_where_either_table_has_it() -> None:
    row, _ = merged(
        [
            Told("models.dev", {"input_modalities": ("text", "image")}, _DEV),
            Told("litellm", {"some_input_modalities": ("document",)}, _LITE),
        ]
    )
    assert row.fields == {"input_modalities": ("text", "image", "document")}
    row, _ = merged([Told("litellm", {"some_input_modalities": ("image",)}, _LITE)])
    assert row.fields == {"some_input_modalities": ("image",)}


def test_a_member_counts_as_refused_where_either_table_says_so() -> None:
    said = [
        Told("models.dev", {"refused": ("temperature",)}, _DEV),
        Told("litellm", {"refused": ("temperature", "top_p")}, _LITE),
    ]
    assert merged(said)[0].fields == {"refused": ("temperature", "top_p")}
    assert merged([*said, Told("correction", {"refused": ()}, _HAND)])[0].fields == {"refused": ()}


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"tools": False, "parallel_tools": True, "tool_choice": True}, {"tools": False}),
        ({"reasoning": False, "reasoning_facts": ReasoningFacts(form="effort")}, {"reasoning": False}),
        ({"sampling": ("temperature",), "refused": ("temperature", "top_p")}, {"refused": ("temperature", "top_p")}),
    ],
)
def test_what_another_field_makes_meaningless_is_left_out(told: dict[str, Any], fields: dict[str, Any]) -> None:
    row, _ = merged([Told("litellm", told, _LITE)])
    assert row.fields == fields
    assert set(row.sources) == set(fields)
