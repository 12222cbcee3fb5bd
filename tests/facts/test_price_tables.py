"""The sources' prices as price lists, from small tables written for the purpose."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dragoman.facts.price_lists import Condition, Price, PriceTable, Step
from dragoman.facts.tables.litellm_prices import litellm_list
from dragoman.facts.tables.price_tables import (
    PriceSources,
    genai_lists,
    litellm_lists,
    matches,
    models_dev_lists,
    price_lists,
)


def genai(*models: dict[str, Any], provider: str = "p", **members: Any) -> dict[str, Any]:
    return {"id": provider, "models": [{"match": {"equals": model["id"]}, **model} for model in models], **members}


def tables(model: dict[str, Any]) -> tuple[PriceTable, ...]:
    (listed,) = genai_lists([genai({"id": "m", **model})])["p"]
    assert listed.prices is not None
    return listed.prices.tables


def per_million(amount: str, *steps: tuple[int, str]) -> Price:
    return Price(Decimal(amount).scaleb(-6), tuple(Step(above, Decimal(step).scaleb(-6)) for above, step in steps))


def test_amounts_keep_every_digit() -> None:
    price = {"base": Decimal("0.13999999999999999"), "tiers": [{"start": 9, "price": 2}, {"start": 5, "price": 1}]}
    (table,) = tables({"prices": {"input_mtok": price, "web_searches_kcount": 10, "requests_kcount": Decimal("12.5")}})
    assert table == PriceTable(
        prices={
            "input": per_million("0.13999999999999999", (5, "1"), (9, "2")),
            "web_search": Price(Decimal("0.01")),
            "request": Price(Decimal("0.0125")),
        }
    )


def test_the_first_table_holds_where_no_other_does() -> None:
    dated = {"constraint": {"start_date": "2026-08-17"}, "prices": {"input_mtok": 2}}
    hours = {"start_time": "00:30:00+00:00", "end_time": "16:30:00Z"}
    found = tables({"prices": [dated, {"constraint": hours, "prices": {"input_mtok": 3}}]})
    assert [table.condition for table in found] == [None, Condition(hours=("00:30:00", "16:30:00"))]


def test_a_time_of_another_zone_is_refused() -> None:
    hours = {"constraint": {"start_time": "00:30:00+02:00", "end_time": "16:30:00+02:00"}, "prices": {"input_mtok": 3}}
    with pytest.raises(ValueError, match="not in UTC"):
        tables({"prices": [{"prices": {"input_mtok": 1}}, hours]})


def test_variants_are_laid_over_every_base_for_each_stretch_of_time() -> None:
    found = tables(
        {
            "prices": [
                {"prices": {"input_mtok": 1, "output_mtok": 9}},
                {"constraint": {"start_date": "2026-03-01"}, "prices": {"input_mtok": 2, "output_mtok": 9}},
            ],
            "price_variants": [
                {
                    "when": {"service_tier": "flex"},
                    "prices": {"input_mtok": 5},
                    "constraint": {"start_date": "2026-05-01"},
                },
                {
                    "when": {"service_tier": "flex"},
                    "prices": {"input_mtok": 4},
                    "constraint": {"start_date": "2026-04-01"},
                },
                {"when": {"service_tier": "default"}, "prices": {}},
                {"when": {"route": "eu"}, "prices": {"output_mtok": 7}},
                {"when": {"search_type": "fast"}, "prices": {"input_mtok": 8}},
            ],
        }
    )
    told = [(table.condition, table.prices["input"], table.prices["output"]) for table in found]
    four, five, nine = per_million("4"), per_million("5"), per_million("9")
    assert told == [
        (None, per_million("1"), nine),
        (Condition(start="2026-03-01"), per_million("2"), nine),
        (Condition(start="2026-04-01", until="2026-05-01", tier="flex"), four, nine),
        (Condition(start="2026-05-01", tier="flex"), five, nine),
        (Condition(start="2026-04-01", until="2026-05-01", tier="flex"), four, nine),
        (Condition(start="2026-05-01", tier="flex"), five, nine),
        (Condition(place="eu"), per_million("1"), per_million("7")),
        (Condition(start="2026-03-01", place="eu"), per_million("2"), per_million("7")),
    ]


def test_an_entry_of_litellm() -> None:
    found = litellm_list(
        {
            "mode": "chat",
            "input_cost_per_token": Decimal("0.0000029999999999999997"),
            "output_cost_per_token": Decimal("1.5e-05"),
            "input_cost_per_token_above_200k_tokens": Decimal("6e-06"),
            "output_cost_per_token_above_200k_tokens": Decimal("2.25e-05"),
            "cache_creation_input_token_cost": Decimal("3.75e-06"),
            "cache_creation_input_token_cost_above_1hr": Decimal("6e-06"),
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens": Decimal("1.2e-05"),
            "input_cost_per_token_batches": Decimal("1.5e-06"),
            "output_cost_per_token_flex": Decimal("7e-06"),
            "output_cost_per_token_ultrafast": Decimal(1),
            "search_context_cost_per_query": {"search_context_size_medium": Decimal("0.01")},
            "max_tokens": 100,
            "supports_vision": True,
        }
    )
    base = {
        "input": per_million("3", (200_000, "6")),
        "output": per_million("15", (200_000, "22.5")),
        "cache_write": per_million("3.75"),
        "cache_write_1h": per_million("6", (200_000, "12")),
        "web_search": Price(Decimal("0.01")),
    }
    assert found == (
        PriceTable(prices=base),
        PriceTable(prices={**base, "input": per_million("1.5")}, condition=Condition(tier="batch")),
        PriceTable(prices={**base, "output": per_million("7")}, condition=Condition(tier="flex")),
    )


def test_ranges_of_litellm_are_steps() -> None:
    ranges = [
        {
            "range": [0, Decimal("32000.0")],
            "input_cost_per_token": Decimal("1e-6"),
            "output_cost_per_token": Decimal("2e-6"),
        },
        {"range": [Decimal("32000.0"), Decimal("128000.0")], "input_cost_per_token": Decimal("3e-6")},
    ]
    (table,) = litellm_list({"mode": "chat", "tiered_pricing": ranges})
    assert table.prices == {"input": per_million("1", (32_000, "3")), "output": per_million("2")}


@pytest.mark.parametrize(
    "entry",
    [
        {"mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
        {"mode": "video_generation", "output_cost_per_second": Decimal("0.1")},
        {"mode": "chat"},
    ],
)
def test_no_price_and_a_price_of_nothing_are_none_at_litellm(entry: dict[str, Any]) -> None:
    assert litellm_list(entry) == ()


def test_names_of_litellm_lose_its_prefix_and_regions_are_left_out() -> None:
    price = {"mode": "chat", "input_cost_per_token": Decimal("1e-6")}
    found = litellm_lists(
        {
            "sample_spec": {**price, "litellm_provider": "groq"},
            "groq/llama-3.3": {**price, "litellm_provider": "groq"},
            "vertex_ai/claude-x": {**price, "litellm_provider": "vertex_ai-anthropic_models"},
            "azure/eu/gpt-4o": {**price, "litellm_provider": "azure"},
        }
    )
    assert {name: [listed.model for listed in lists] for name, lists in found.items()} == {
        "groq": ["llama-3.3"],
        "vertex_ai-anthropic_models": ["claude-x"],
    }


def test_models_dev() -> None:
    found = models_dev_lists(
        {
            "p": {
                "models": {
                    "free": {"cost": {"input": 0, "output": 0}},
                    "unknown": {},
                    "m": {
                        "cost": {
                            "input": Decimal("2.5"),
                            "output": 15,
                            "reasoning": 15,
                            "cached_input": Decimal("0.25"),
                            "tiers": [{"tier": {"size": 272_000}, "input": 5, "output": Decimal("22.5")}],
                        }
                    },
                }
            }
        }
    )
    (listed,) = found["p"]
    assert listed.prices is not None
    assert listed.prices.tables[0].prices == {
        "input": per_million("2.5", (272_000, "5")),
        "output": per_million("15", (272_000, "22.5")),
        "cache_read": per_million("0.25"),
    }


def test_the_preferred_source_wins_also_for_names_that_its_clauses_match() -> None:
    first = genai(
        {"id": "m", "match": {"starts_with": "m-"}, "prices": {"input_mtok": 1}},
        {"id": "gone", "prices": {}},
        fallback_model_providers=["q"],
    )
    second = genai({"id": "n", "match": {"contains": "nn"}, "prices": {"input_mtok": 1}}, provider="q")
    entry = {"mode": "chat", "input_cost_per_token": Decimal("5e-6"), "litellm_provider": "l"}
    names = ("m-2026", "NN-1", "other", "gone")
    dev: dict[str, Any] = {"d": {"models": {"other": {"cost": {"input": 7}}, "last": {"cost": {"input": 8}}}}}
    lists = price_lists(
        [first, second], {f"l/{name}": entry for name in names}, dev, {"row": PriceSources(("p",), ("l",), ("d",))}
    )
    told = {
        listed.model: listed.prices.tables[0].prices["input"] if listed.prices is not None else None
        for listed in lists["row"]
    }
    assert told == {
        "m": per_million("1"),
        "gone": per_million("5"),
        "other": per_million("5"),
        "last": per_million("8"),
    }


def test_places_are_joined() -> None:
    one, two = (
        genai({"id": "w/m", "match": {"or": [{"equals": "w/m"}]}, "prices": {"input_mtok": price}}, provider=name)
        for name, price in (("h_one", 1), ("h_two", 2))
    )
    ids = PriceSources(places={"one": "h_one", "two": "h_two"})
    ((listed,),) = price_lists([one, two], {}, {}, {"host": ids}).values()
    assert listed.prices is not None
    assert [(table.condition, table.prices["input"]) for table in listed.prices.tables] == [
        (Condition(place="one"), per_million("1")),
        (Condition(place="two"), per_million("2")),
    ]
    assert listed.match == {"or": [{"equals": "w/m"}]}


@pytest.mark.parametrize(
    ("clause", "name", "holds"),
    [
        ({"equals": "GPT"}, "gpt", True),
        ({"starts_with": "gp"}, "GPT", True),
        ({"ends_with": "pt"}, "gpt", True),
        ({"contains": "p"}, "gpt", True),
        ({"regex": "^g.t$"}, "gpt", True),
        ({"and": [{"contains": "g"}, {"contains": "x"}]}, "gpt", False),
        ({"or": [{"contains": "g"}, {"contains": "x"}]}, "gpt", True),
    ],
)
def test_clauses(clause: dict[str, Any], name: str, holds: bool) -> None:
    assert matches(clause, name) is holds
