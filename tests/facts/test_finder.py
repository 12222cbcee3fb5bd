"""Finding models: what is known to be wanted, in the wanted order; equivalents and tiers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dragoman import facts
from dragoman.errors import ConfigError
from dragoman.facts.equivalence import _tiers  # pyright: ignore[reportPrivateUsage] - every line of the file is tried
from dragoman.facts.finder import standard_price
from dragoman.facts.lookup import FACTS
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable
from scripts.facts.weights import DECLARED


@pytest.fixture(autouse=True)
def _no_layers() -> Iterator[None]:
    FACTS.forget()
    yield
    FACTS.forget()


def test_all_conditions_hold_for_what_is_found() -> None:
    found = facts.models(needs=["tools", "vision"], max_price="1", min_window=200_000, sort="price")
    assert len(found) > 20
    for candidate in found:
        profile = candidate.profile
        assert profile.tools is True
        assert profile.takes("image") is True
        assert (profile.window_tokens or 0) >= 200_000
        assert candidate.input_price is not None
        assert candidate.input_price <= 1
    prices = [candidate.input_price for candidate in found]
    assert prices == sorted(price for price in prices if price is not None)
    assert "openai/gpt-4.1-mini" in {candidate.name for candidate in found}


def test_what_is_not_known_is_not_found() -> None:
    facts.override("mine", "unknown", profile={"mode": "chat"})
    facts.override("mine", "known", profile={"mode": "chat", "tools": True}, prices={"input": 1, "output": 2})
    assert [each.name for each in facts.models(provider="mine")] == ["mine/known", "mine/unknown"]
    assert [each.name for each in facts.models(provider="mine", needs=["tools"])] == ["mine/known"]
    assert [each.name for each in facts.models(provider="mine", max_price=1)] == ["mine/known"]
    assert facts.models(provider="mine", max_price="0.99") == []
    assert facts.models(provider="mine", min_window=1) == []


def test_orders() -> None:
    said: dict[str, dict[str, Any]] = {
        "a": {"context_tokens": 1, "released": "2026-01-01"},
        "b": {"context_tokens": 3},
        "c": {"released": "2026-03-01"},
    }
    for name, profile in said.items():
        facts.override("mine", name, profile={"mode": "chat", **profile})
    facts.override("mine", "c", prices={"input": 3, "output": 1})
    facts.override("mine", "b", prices={"input": 3, "output": 2})

    def found(order: Any) -> str:
        return "".join(each.profile.model for each in facts.models(provider="mine", sort=order))

    assert (found("name"), found("window"), found("released"), found("price")) == ("abc", "bac", "cab", "cba")


def test_retired_models_and_other_modes_are_left_out_unless_asked_for() -> None:
    facts.override("mine", "old", profile={"mode": "chat", "retired": "2020-01-01"})
    facts.override("mine", "vectors", profile={"mode": "embedding"})
    facts.override("mine", "later", profile={"mode": "chat", "retired": "2999-01-01"})
    assert [each.profile.model for each in facts.models(provider="mine")] == ["later"]
    assert [each.profile.model for each in facts.models(provider="mine", retired=True)] == ["later", "old"]
    assert [each.profile.model for each in facts.models(provider="mine", mode="embedding")] == ["vectors"]
    assert len(facts.models(provider="mine", mode="any", retired=True)) == 3


def test_another_name_of_a_provider_shows_its_models_under_that_name() -> None:
    under_alias = facts.models(provider="gemini")
    assert under_alias
    assert all(each.profile.provider == "gemini" for each in under_alias)
    assert len(under_alias) == len(facts.models(provider="google"))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"needs": ["tool"]}, "did you mean 'tools'"),
        ({"sort": "pric"}, "Did you mean 'price'"),
        ({"mode": "chatting"}, "Did you mean 'chat'"),
        ({"max_price": "cheap"}, "number of US dollars"),
        ({"max_price": -1}, "number of US dollars"),
        ({"min_window": -1}, "from 0 up"),
    ],
)
def test_unknown_words_are_errors(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        facts.models(**wanted)


def test_the_standard_price_is_the_one_of_the_day() -> None:
    def table(amount: int, condition: Condition | None = None) -> PriceTable:
        return PriceTable(prices={"input": Price(Decimal(amount))}, condition=condition)

    prices = PriceList(
        tables=(
            table(1),
            table(2, Condition(start="2026-06-01", until="2026-07-01")),
            table(3, Condition(start="2026-08-01")),
            table(4, Condition(tier="flex")),
            table(5, Condition(hours=("00:00:00", "01:00:00"))),
        )
    )
    days = ("2026-05-31", "2026-06-01", "2026-07-01", "2026-08-01")
    assert [standard_price(prices, "input", day) for day in days] == [1, 2, 1, 3]
    assert standard_price(prices, "output", "2026-01-01") is None


def test_equivalents_are_the_same_weights() -> None:
    found = facts.equivalents("groq", "llama-3.3-70b-versatile")
    assert ("bedrock", "meta.llama3-3-70b-instruct-v1:0") in found
    assert ("groq", "llama-3.3-70b-versatile") not in found
    assert {facts.profile(*pair).weights for pair in found} == {"meta-llama/Llama-3.3-70B-Instruct"}
    assert facts.equivalents("openai", "gpt-4o") == ()
    assert facts.equivalents("nobody", "nothing") == ()


def test_equivalents_are_mutual() -> None:
    for provider, model in facts.equivalents("openrouter", "openai/gpt-oss-120b"):
        assert ("openrouter", "openai/gpt-oss-120b") in facts.equivalents(provider, model)


def test_names_with_something_more_are_other_weights() -> None:
    suspicious = ("turbo", "fp8", "fp4", "lite", "tput", "nvfp4", "distill", "awq", "int8")
    for weights, pairs in FACTS.by_weights().items():
        for _, model in pairs:
            more = [word for word in suspicious if word in model.lower() and word not in weights.lower()]
            assert not more, (weights, model)


def test_every_declared_line_of_weights_is_a_model_of_the_data() -> None:
    for weights, lines in DECLARED.items():
        for provider, model, _ in lines:
            assert facts.profile(provider, model).weights == weights
            known = set(facts.profile(provider, model).sources) - {"weights"}
            assert known or facts.prices(provider, model) is not None, (provider, model)


def test_a_listing_may_say_which_weights_a_model_is() -> None:
    facts.listed("openrouter", [{"id": "meta/llama-copy", "hugging_face_id": "meta-llama/Llama-3.3-70B-Instruct"}])
    assert ("openrouter", "meta/llama-copy") in facts.equivalents("groq", "llama-3.3-70b-versatile")


def test_tiers_are_of_known_models_and_have_sources() -> None:
    for (provider, model), tier in _tiers().items():
        assert facts.profile(provider, model).window_tokens, (provider, model)
        assert tier.source.url
        assert tier.source.date
    tier = facts.tier("anthropic", "claude-haiku-4-5-20251001")
    assert tier is not None
    assert tier.name == "small"
    assert facts.tier("openai", "gpt-4") is None
    assert facts.comparable("openai", "gpt-4") == ()
    comparable = facts.comparable("gemini", "gemini-3-flash-preview")
    assert ("anthropic", "claude-sonnet-4-6") in comparable
    assert ("google", "gemini-3-flash-preview") not in comparable
