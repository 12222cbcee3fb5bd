"""Whether a model is known not to meet needs and a highest price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dragoman.errors import ConfigError
from dragoman.facts import NEEDS, check_needs, meets
from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable
from dragoman.values.profile import CacheFacts, Profile

FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tools": ({"tools": True}, {"tools": False}),
    "parallel_tools": ({"parallel_tools": True}, {"parallel_tools": False}),
    "schema": ({"schema_output": True}, {"schema_output": False}),
    "reasoning": ({"reasoning": True}, {"reasoning": False}),
    "vision": ({"input_modalities": ("text", "image")}, {"input_modalities": ("text",)}),
    "audio": ({"input_modalities": ("audio",)}, {"input_modalities": ("text", "image")}),
    "video": ({"input_modalities": ("video",)}, {"input_modalities": ("text", "image")}),
    "documents": ({"input_modalities": ("document",)}, {"input_modalities": ("text",)}),
    "caching": ({"cache": CacheFacts(kinds=("automatic",))}, {"cache": CacheFacts(kinds=())}),
    "window:200_000": ({"context_tokens": 200_000}, {"context_tokens": 199_999}),
}


def known(**fields: Any) -> Profile:
    return Profile(provider="p", model="m", **fields)


def test_every_need_has_a_case() -> None:
    assert {need for need in FIELDS if ":" not in need} == set(NEEDS)


@pytest.mark.parametrize("need", FIELDS)
def test_a_need_is_unmet_where_that_is_known_alone(need: str) -> None:
    having, lacking = FIELDS[need]
    assert meets(known(), None, (need,)) is None
    assert meets(known(**having), None, (need,)) is None
    assert meets(known(**lacking), None, (need,)) is not None
    assert check_needs([need, need]) == (need,)


@pytest.mark.parametrize(
    ("need", "told"), [("vison", "did you mean 'vision'"), ("qqq", "there are tools"), ("window:big", "window:N")]
)
def test_a_need_that_does_not_exist_is_told(need: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check_needs([need])
    with pytest.raises(ConfigError, match=told):
        meets(known(), None, (need,))


def test_the_highest_price_is_per_million_input_tokens() -> None:
    usual = PriceTable(prices={"input": Price(Decimal("0.0000025")), "output": Price(Decimal("0.00001"))})
    cheap = PriceTable(prices={"input": Price(Decimal("0.000001"))}, condition=Condition(tier="flex"))
    prices = PriceList(tables=(usual, cheap))
    assert meets(known(), prices, (), 3) is None
    assert meets(known(), prices, (), "2.5") is None
    reason = meets(known(), prices, (), 2.4)
    assert reason is not None
    assert "2.5 USD" in reason
    assert meets(known(), None, (), 0) is None
    assert meets(known(), PriceList(tables=(cheap,)), (), 0) is None


def test_documents_are_read_by_some_hosts_for_their_models() -> None:
    read, unread = (Profile(provider=name, model="m", input_modalities=("text",)) for name in ("mistral", "openai"))
    assert meets(read, None, ("documents",)) is None
    assert meets(unread, None, ("documents",)) is not None
