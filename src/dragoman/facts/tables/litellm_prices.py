"""One entry of LiteLLM's map → price tables: its names of prices are taken apart into meter, step and service tier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, Final, cast

from dragoman.facts.price_lists import Condition, Meter, Price, PriceTable, Step

__all__ = ["litellm_list"]

_Json = dict[str, Any]

# Its numbers were floats once: the digits behind the twelfth are noise of that.
_DIGITS: Final = Context(prec=12)

_MODES: Final = ("chat", "responses", "completion", "embedding", "image_generation", "rerank", "ocr", None)

_METERS: Final[Mapping[str, Meter]] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "input_cost_per_image_token": "input_image",
    "input_cost_per_video_token": "input_video",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "cache_read_input_image_token_cost": "cache_read_image",
    "output_cost_per_audio_token": "output_audio",
    "output_cost_per_image_token": "output_image",
    "output_cost_per_video_token": "output_video",
    "output_cost_per_reasoning_token": "output_reasoning",
    "citation_cost_per_token": "output_citation",
    "input_cost_per_request": "request",
    "input_cost_per_query": "request",
    "output_cost_per_image": "image",
    "ocr_cost_per_page": "page",
    "annotation_cost_per_page": "annotated_page",
}
_TIERS: Final[Mapping[str, str]] = {"flex": "flex", "priority": "priority", "batches": "batch"}
_STEP: Final = re.compile(r"_above_(\d+)k_tokens")


def litellm_list(entry: _Json) -> tuple[PriceTable, ...]:
    """The base table, then one per service tier that has prices; nothing where no price, or none but 0, is known."""
    if entry.get("mode") not in _MODES:
        return ()
    base: dict[Meter, dict[int, Decimal]] = {}
    by_tier: dict[str, dict[Meter, dict[int, Decimal]]] = {}
    for name, amount in entry.items():
        taken = _taken_apart(name)
        if taken is None or isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
            continue
        meter, above, tier = taken
        prices = base if tier is None else by_tier.setdefault(tier, {})
        prices.setdefault(meter, {}).setdefault(above, _exact(amount))
    _add_ranges(entry, base)
    _add_searches(entry, base)
    if not any(amounts.get(0) for amounts in base.values()):
        return ()
    tables = [PriceTable(prices=_prices(base))]
    for tier, prices in sorted(by_tier.items()):
        tables.append(PriceTable(prices=_prices({**base, **prices}), condition=Condition(tier=tier)))
    return tuple(tables)


def _taken_apart(name: str) -> tuple[Meter, int, str | None] | None:
    """The meter, the prompt's length above which the price holds (0: any), and the service tier."""
    rest, above, tier = name, 0, None
    for suffix, word in _TIERS.items():
        if rest.endswith(f"_{suffix}"):
            rest, tier = rest.removesuffix(f"_{suffix}"), word
    if found := _STEP.search(rest):
        rest, above = rest.replace(found.group(), ""), int(found.group(1)) * 1000
    meter = _METERS.get(rest)
    return None if meter is None else (meter, above, tier)


def _add_ranges(entry: _Json, base: dict[Meter, dict[int, Decimal]]) -> None:
    """`tiered_pricing`: whole sets of prices by ranges of the prompt's length."""
    for told in cast("Iterable[_Json]", entry.get("tiered_pricing") or ()):
        if "range" in told:
            above = int(told["range"][0])
            for name, amount in told.items():
                if name in _METERS and isinstance(amount, (int, Decimal)):
                    base.setdefault(_METERS[name], {}).setdefault(above, _exact(amount))


def _add_searches(entry: _Json, base: dict[Meter, dict[int, Decimal]]) -> None:
    told = entry.get("search_context_cost_per_query")
    amount = cast("_Json", told).get("search_context_size_medium") if isinstance(told, dict) else None
    if amount:
        base["web_search"] = {0: _exact(amount)}


def _exact(amount: Any) -> Decimal:
    return _DIGITS.create_decimal(amount).normalize()


def _prices(told: Mapping[Meter, Mapping[int, Decimal]]) -> dict[Meter, Price]:
    prices: dict[Meter, Price] = {}
    for meter, amounts in told.items():
        if 0 in amounts:
            steps = tuple(Step(above, amount) for above, amount in sorted(amounts.items()) if above)
            prices[meter] = Price(amounts[0], steps)
    thoughts, output = prices.get("output_reasoning"), prices.get("output")
    if thoughts is not None and output is not None and thoughts.amount == output.amount and not thoughts.steps:
        del prices["output_reasoning"]  # the same as the rest of the answer, at every step of it
    return prices
