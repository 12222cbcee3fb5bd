"""Any usage at any list price: our cost is the judge's, for every model that the judge prices, at any time.

Both sides are given the same counts; what is compared is the compiled prices, the conditions, the steps and the sums.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import Usage as JudgesUsage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.facts.costing import list_cost
from dragoman.facts.price_lists import PriceList
from dragoman.facts.tables.price_tables import genai_lists, read_json
from dragoman.values import Usage
from tests.wire.recordings import wire_folder

_TABLE = wire_folder().parent / "prices" / "genai-prices-0.2.3.json"
if not _TABLE.exists():
    pytest.skip("the price tables are not here (../shared/prices)", allow_module_level=True)

_LISTS = {
    (provider, listed.model): listed.prices
    for provider, found in genai_lists(read_json(_TABLE)).items()
    for listed in found
    if listed.prices is not None
}
_SUBSETS = {
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "input_video_tokens": "input_video_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "cache_read_image_tokens": "cache_image_read_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "citation_tokens": "output_citation_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "output_image_tokens": "output_image_tokens",
    "output_video_tokens": "output_video_tokens",
}
"""Our names of the counts, and the judge's."""

_WORDS = (None, "flex", "priority", "fast", "batch", "default", "mistral/eu")
"""What answers say of their tier, or of the place where they were made."""

_MOMENTS = st.timedeltas(timedelta(0), timedelta(days=1_000)).map(lambda past: datetime(2027, 3, 1, tzinfo=UTC) - past)


def _judges() -> dict[tuple[str, str], tuple[Provider, ModelInfo]]:
    return {(party.id, model.id): (party, model) for party in get_snapshot().providers for model in party.models}


_JUDGES = _judges()


def _part(draw: st.DrawFn, most: int) -> int:
    return draw(st.integers(0, most))


@st.composite
def _usages(draw: st.DrawFn) -> dict[str, int]:
    """Counts that agree with each other: parts of the whole, some of them left out."""
    told: dict[str, int] = {}
    left = draw(st.sampled_from((0, 1, 900, 32_000, 32_001, 100_001, 200_000, 200_001, 272_001, 600_000, 2_000_000)))
    told["input_tokens"] = left
    read = _part(draw, left)
    written = _part(draw, left - read)
    rest = left - read - written
    audio, image = _part(draw, rest // 2), _part(draw, rest // 4)
    told |= {"cache_read_tokens": read, "cache_write_tokens": written}
    told |= {"cache_write_1h_tokens": _part(draw, written)}
    heard = _part(draw, read // 2)
    seen = _part(draw, read // 4)
    told |= {"cache_read_audio_tokens": heard, "input_audio_tokens": audio + heard}
    told |= {"cache_read_image_tokens": seen, "input_image_tokens": image + seen}
    told |= {"input_video_tokens": _part(draw, rest // 8)} if draw(st.booleans()) else {}
    given_out = draw(st.integers(0, 200_000))
    told["output_tokens"] = given_out
    told |= {"output_audio_tokens": _part(draw, given_out // 4), "output_image_tokens": _part(draw, given_out // 4)}
    told |= {"output_video_tokens": _part(draw, given_out // 8)}
    told |= {"reasoning_tokens": _part(draw, given_out // 4), "citation_tokens": _part(draw, given_out // 8)}
    return told


def _crossed(told: dict[str, int], prices: PriceList) -> bool:
    """Whether a list prices two crossing subsets of which the counts do not say what both hold."""
    meters = {meter for table in prices.tables for meter in table.prices}
    return bool("cache_read" in meters and "input_video" in meters and told.get("input_video_tokens"))


def _context(model: ModelInfo, word: str | None) -> dict[str, str] | None:
    """The word as the judge wants it: under the name that the model's variants have for it."""
    if word is None:
        return None
    kinds = (kind for variant in model.price_variants or () for kind, value in variant.when.items() if value == word)
    # Of the kinds of search that a request asks for no answer tells, so we have no prices by them.
    return {next((kind for kind in kinds if kind != "search_type"), "service_tier"): word}


@given(
    told=_usages(),
    word=st.sampled_from(_WORDS),
    moment=_MOMENTS,
    searches=st.integers(0, 3),
    start=st.integers(0, 10),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_usage_costs_what_the_judge_says(
    told: dict[str, int], word: str | None, moment: datetime, searches: int, start: int
) -> None:
    ours = Usage(**told, tool_uses={"web_search": searches})  # pyright: ignore[reportArgumentType]
    names: dict[str, Any] = {_SUBSETS.get(name, name): count for name, count in told.items()}
    judges = JudgesUsage(**names, web_searches=searches)
    place = word if word is not None and "/" in word else None
    for prices, (party, model) in [(prices, _JUDGES[key]) for key, prices in _LISTS.items()][start::11]:
        if _crossed(told, prices):
            continue
        expected = model.calc_price(judges, party, genai_request_timestamp=moment, price_context=_context(model, word))
        tier = None if place else word
        cost = list_cost(ours, prices, service_tier=tier, place=place, at=moment.timestamp())
        assert cost is not None
        assert cost.amount == expected.total_price, (party.id, model.id)


def test_every_list_of_the_judge_is_compiled() -> None:
    assert len(_LISTS) > 2_000
    unpriced = [key for key, (_, model) in _JUDGES.items() if key not in _LISTS and vars(model.prices)]
    assert unpriced == []
