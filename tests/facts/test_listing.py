"""Providers' own listings: the shapes of several hosts, and what is no listing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dragoman import facts
from dragoman.errors import ConfigError
from dragoman.facts.listing import rows_of_listing
from dragoman.facts.lookup import FACTS
from dragoman.facts.price_lists import Condition, Price, PriceTable, Step
from dragoman.values.profile import ReasoningFacts, Source

SOURCE = Source(name="the listing of host", date="2026-11-20")

# As openrouter.ai/docs/api-reference/list-available-models describes it.
ROUTED: dict[str, Any] = {
    "id": "maker/model-1",
    "name": "Maker: Model 1",
    "hugging_face_id": "maker/Model-1",
    "context_length": 200_000,
    "knowledge_cutoff": "2025-06-30",
    "expiration_date": "2027-01-31",
    "architecture": {"input_modalities": ["file", "text", "image"], "output_modalities": ["text"]},
    "top_provider": {"context_length": 100_000, "max_completion_tokens": 8_192, "is_moderated": True},
    "supported_parameters": ["tools", "tool_choice", "temperature", "response_format", "reasoning"],
    "reasoning": {"mandatory": True, "supported_efforts": ["high", "low"]},
    "pricing": {
        "prompt": "0.0000025",
        "completion": "0.00001",
        "request": "0",
        "input_cache_read": "0.00000125",
        "web_search": "0.01",
        "overrides": [
            {"min_prompt_tokens": 128_000, "prompt": "0.000005"},
            {"utc_start": 1630, "utc_end": 30, "completion": "0.000004"},
        ],
    },
}


@pytest.fixture(autouse=True)
def _no_layers() -> Iterator[None]:
    FACTS.forget()
    yield
    FACTS.forget()


def only(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a listing's one model."""
    (row,) = rows_of_listing({"data": [entry]}, SOURCE).values()
    assert set(row.sources.values()) <= {SOURCE}
    return dict(row.fields)


def test_a_listing_of_openrouter() -> None:
    assert only(ROUTED) == {
        "name": "Maker: Model 1",
        "weights": "maker/Model-1",
        "context_tokens": 200_000,
        "output_tokens": 8_192,
        "knowledge_until": "2025-06-30",
        "retired": "2027-01-31",
        "input_modalities": ("text", "image", "document"),
        "output_modalities": ("text",),
        "tools": True,
        "tool_choice": True,
        "parallel_tools": False,
        "schema_output": False,
        "json_output": True,
        "reasoning": True,
        "reasoning_facts": ReasoningFacts(efforts=("high", "low"), optional=False),
        "sampling": ("temperature",),
        "refused": ("top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "logprobs"),
    }


def test_prices_of_openrouter() -> None:
    (row,) = rows_of_listing({"data": [ROUTED]}, SOURCE).values()
    assert row.prices is not None
    assert (row.prices.basis, row.prices.source) == ("listing", SOURCE)
    read, search = Price(Decimal("0.00000125")), Price(Decimal("0.01"))
    base, cheaper = Price(Decimal("0.00001")), Price(Decimal("0.000004"))
    stepped = Price(Decimal("0.0000025"), (Step(128_000, Decimal("0.000005")),))
    assert row.prices.tables == (
        PriceTable(prices={"input": stepped, "output": base, "cache_read": read, "web_search": search}),
        PriceTable(
            prices={"input": Price(Decimal("0.0000025")), "output": cheaper, "cache_read": read, "web_search": search},
            condition=Condition(hours=("16:30:00", "00:30:00")),
        ),
    )


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "0.1"},
        {"prompt": "cheap", "completion": "0.1"},
        {"hourly": 0, "input": 0, "output": 0, "base": 0},
        {"input": 1},
        None,
        "free",
    ],
)
def test_prices_that_are_not_definite_are_unknown(pricing: Any) -> None:
    (row,) = rows_of_listing([{"id": "m", "pricing": pricing}], SOURCE).values()
    assert row.prices is None


def test_prices_per_million() -> None:
    (row,) = rows_of_listing([{"id": "m", "pricing": {"input": 0.3, "output": 1.5, "hourly": 0}}], SOURCE).values()
    assert row.prices is not None
    (table,) = row.prices.tables
    assert table.prices == {"input": Price(Decimal("0.0000003")), "output": Price(Decimal("0.0000015"))}


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        # OpenAI and its like say nothing beyond the name.
        ({"id": "m", "object": "model", "created": 1, "owned_by": "x"}, {}),
        # Groq
        (
            {"id": "m", "context_window": 131072, "max_completion_tokens": 32768, "active": True},
            {"context_tokens": 131072, "output_tokens": 32768},
        ),
        # vLLM
        ({"id": "m", "max_model_len": 4096}, {"context_tokens": 4096}),
        # Mistral
        (
            {
                "id": "m",
                "max_context_length": 32768,
                "capabilities": {"completion_chat": True, "function_calling": True, "vision": True, "reasoning": False},
                "deprecation": "2026-12-31T12:00:00Z",
            },
            {
                "context_tokens": 32768,
                "mode": "chat",
                "tools": True,
                "reasoning": False,
                "some_input_modalities": ("image",),
                "retired": "2026-12-31",
            },
        ),
        # Gemini
        (
            {
                "name": "models/m",
                "displayName": "M",
                "inputTokenLimit": 1000,
                "outputTokenLimit": 100,
                "thinking": True,
            },
            {"name": "M", "input_tokens": 1000, "output_tokens": 100, "reasoning": True},
        ),
        # Anthropic
        (
            {
                "id": "m",
                "display_name": "M",
                "max_input_tokens": 200000,
                "max_tokens": 64000,
                "capabilities": {
                    "image_input": {"supported": True},
                    "pdf_input": {"supported": True},
                    "structured_outputs": {"supported": False},
                    "thinking": {"supported": True, "types": {}},
                },
            },
            {
                "name": "M",
                "input_tokens": 200000,
                "output_tokens": 64000,
                "schema_output": False,
                "reasoning": True,
                "some_input_modalities": ("image", "document"),
            },
        ),
        # Together
        ({"id": "m", "type": "chat", "context_length": 2048}, {"mode": "chat", "context_tokens": 2048}),
    ],
)
def test_listings_of_other_hosts(entry: dict[str, Any], fields: dict[str, Any]) -> None:
    assert only(entry) == fields


def test_names_are_those_that_are_asked_for() -> None:
    rows = rows_of_listing({"models": [{"name": "models/gemini-x"}, {"name": "command-z"}]}, SOURCE)
    assert list(rows) == ["gemini-x", "command-z"]


def test_a_listing_is_a_layer_of_its_provider() -> None:
    assert facts.listed("groq", msgspec.json.encode({"data": [{"id": "llama-3.3-70b-versatile", "context_window": 7}]}))
    profile = facts.profile("groq", "llama-3.3-70b-versatile")
    assert profile.context_tokens == 7
    assert profile.tools is True  # our own data say so
    assert profile.sources["context_tokens"].name == "the listing of groq"
    assert facts.listed("gemini", [{"name": "models/brand-new", "inputTokenLimit": 5}], date="2026-01-02") == 1
    assert facts.profile("google", "brand-new").sources["input_tokens"].date == "2026-01-02"


def test_a_new_listing_takes_the_place_of_the_old_one() -> None:
    facts.listed("groq", [{"id": "a", "context_window": 1}])
    facts.listed("groq", [{"id": "b", "context_window": 2}])
    assert facts.profile("groq", "a").context_tokens is None
    assert facts.profile("groq", "b").context_tokens == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON"),
        (b"{}", "no list of models"),
        (b'{"data": 3}', "no list of models"),
        (b'{"data": [{}]}', "without the name"),
        (b'[{"id": 3}]', "without the name"),
        (b'["m"]', "without the name"),
        (b'[{"id": "m", "supported_parameters": [{}]}]', "cannot be read at m"),
        (b'[{"id": "m", "pricing": {"prompt": "1", "completion": "1", "overrides": [3]}}]', "cannot be read at m"),
    ],
)
def test_what_is_no_listing_changes_nothing(body: bytes, message: str) -> None:
    facts.listed("groq", [{"id": "kept", "context_window": 1}])
    with pytest.raises(ConfigError, match=message):
        facts.listed("groq", body)
    assert facts.profile("groq", "kept").context_tokens == 1
