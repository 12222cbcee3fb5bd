"""Names by declared patterns: every kind of clause, the order, and the same answers as the source's own resolver."""

from __future__ import annotations

from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot

from dragoman.facts.families import FamilyIndex, clause_holds, compact_clause, with_dashed_date
from dragoman.facts.form import Family
from dragoman.facts.lookup import FACTS
from dragoman.facts.tables.providers import PROVIDERS
from tests.facts.tables_here import require_tables, tables_now


@pytest.mark.parametrize(
    ("clause", "name", "holds"),
    [
        ({"equals": "Gpt-4"}, "gpt-4", True),
        ({"equals": "gpt-4"}, "gpt-4.1-mini", False),
        ({"equals": ["a", "b"]}, "b", True),
        ({"starts_with": "gpt-4o-"}, "gpt-4o-mini", True),
        ({"starts_with": "gpt-4o-"}, "gpt-4o", False),
        ({"ends_with": "-mini"}, "gpt-4o-mini", True),
        ({"contains": "SONNET"}, "eu.claude-sonnet-5", True),
        ({"regex": r"^o[134]$"}, "o3", True),
        ({"regex": r"^o[134]$"}, "o3-mini", False),
        ({"and": [{"starts_with": "a"}, {"ends_with": "z"}]}, "a-z", True),
        ({"and": [{"starts_with": "a"}, {"ends_with": "z"}]}, "a-y", False),
        ({"or": [{"equals": "x"}, {"and": [{"starts_with": "y"}, {"contains": "q"}]}]}, "y-q", True),
        ({"equals": "x", "starts_with": "y"}, "yes", True),
        ({}, "anything", False),
    ],
)
def test_clauses(clause: dict[str, Any], name: str, holds: bool) -> None:
    assert clause_holds(clause, name) is holds


def test_an_unknown_kind_of_clause_is_an_error() -> None:
    with pytest.raises(ValueError, match="no kind of clause"):
        clause_holds({"sounds_like": "gpt"}, "gpt")


def test_the_first_family_that_matches_counts() -> None:
    index = FamilyIndex(
        [
            Family("mini", {"starts_with": "model-mini"}),
            Family("model-mini-9"),
            Family("any", {"starts_with": "model"}),
            Family("model-later"),
        ]
    )
    found = {name: (family.id if (family := index.first(name)) else None) for name in _NAMES}
    assert found == {
        "model-mini-9": "mini",
        "Model-Mini": "mini",
        "model-later": "any",
        "model": "any",
        "other": None,
    }


_NAMES = ("model-mini-9", "Model-Mini", "model-later", "model", "other")


def test_a_family_by_names_needs_no_clause() -> None:
    index = FamilyIndex([Family("one", also=("uno",)), Family("two", {"equals": ["two", "deux"]})])
    assert [family and family.id for family in map(index.first, ("one", "UNO", "deux", "three"))] == [
        "one",
        "one",
        "two",
        None,
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gpt-5.2-20251211", "gpt-5.2-2025-12-11"),
        ("model-20251211:free", "model-2025-12-11:free"),
        ("model-20251311", "model-20251311"),
        ("model-202512110", "model-202512110"),
        ("model20251211", "model20251211"),
    ],
)
def test_dates_with_and_without_dashes(written: str, meant: str) -> None:
    assert with_dashed_date(written) == meant


def test_a_date_without_dashes_is_tried_last() -> None:
    index = FamilyIndex([Family("dashed", {"equals": "m-2025-12-11"}), Family("m-20251212")])
    first = index.first("m-20251211")
    assert first is not None
    assert first.id == "dashed"


def test_compacting_changes_no_clause() -> None:
    require_tables()
    clauses = [(model["id"], model["match"]) for entry in tables_now().genai_prices for model in entry["models"]]
    names = sorted({name.lower() for name, _ in clauses})[::17]
    for _, clause in clauses[::3]:
        compact = compact_clause(clause)
        assert [name for name in names if clause_holds(clause, name)] == [
            name for name in names if clause_holds(compact, name)
        ]


def test_every_name_comes_to_the_family_that_the_source_says() -> None:
    """For each provider that is one of genai-prices', with names of all tables: known ones, new ones, other hosts'."""
    judged = 0
    everybody = get_snapshot().providers
    judges = {provider.id: provider for provider in everybody}
    names = sorted({model for _, model in FACTS.names()})
    versions = [f"{name}-20260101" for name in names[::9]] + [f"{name}-x" for name in names[::7]]
    for provider, party in PROVIDERS.items():
        if len(party.genai_prices) != 1:
            continue
        judge = judges[party.genai_prices[0]]
        for name in [*names[::17], *versions[::3], *FACTS.own.models(provider)]:
            theirs = judge.find_model(name)
            if theirs is None or FACTS.own.family_name(provider, name) is None:
                # One may know what the other does not: bedrock_mantle has LiteLLM's prices alone.
                assert theirs is None or not FACTS.own.family_names(provider), (provider, name, theirs)
                assert FACTS.own.family_name(provider, name) is None, (provider, name)
                continue
            judged += 1
            assert FACTS.own.family_name(provider, name) == theirs.id, (provider, name)
    assert judged > 1500


@pytest.mark.parametrize(
    ("provider", "name", "never"),
    [
        ("openai", "gpt-4.1-mini", "gpt-4"),
        ("openai", "gpt-4o-mini", "gpt-4o"),
        ("openai", "gpt-4.1-nano", "gpt-4.1"),
        ("google", "gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4"),
    ],
)
def test_a_small_model_is_not_the_large_one(provider: str, name: str, never: str) -> None:
    small, large = FACTS.prices(provider, name), FACTS.prices(provider, never)
    assert small is not None
    assert small != large
    assert FACTS.profile(provider, name).family != never


@pytest.mark.parametrize(
    ("provider", "name"), [("openai", "gpt-4x"), ("anthropic", "clade-sonnet-4-5"), ("groq", "llama"), ("nobody", "m")]
)
def test_what_no_pattern_matches_is_unknown(provider: str, name: str) -> None:
    profile = FACTS.profile(provider, name)
    assert (profile.family, profile.context_tokens, profile.tools, dict(profile.sources)) == (None, None, None, {})
    assert FACTS.prices(provider, name) is None
