"""Prices as a caller writes them: a `PriceList`, or amounts by meter in USD per million tokens."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dragoman.errors import ConfigError
from dragoman.facts.form import priced_by_million
from dragoman.facts.price_lists import Price, PriceList, PriceTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.values.profile import Source

__all__ = ["METERS", "as_price_list"]

METERS = (
    "input output cache_read cache_write cache_write_1h input_audio cache_read_audio input_image cache_read_image "
    "input_video cache_read_video output_audio output_image output_video output_reasoning output_citation request "
    "web_search storage_search social_search code_execution image page annotated_page message character_in "
    "audio_hour audio_hour_in audio_hour_out"
).split()


def as_price_list(given: PriceList | Mapping[str, Any], source: Source) -> PriceList:
    """A price list with the basis "override"; raises `ConfigError` for a meter or an amount that cannot be."""
    if isinstance(given, PriceList):
        return replace(given, basis="override", source=given.source or source)
    currency = given.get("currency", "USD")
    if not isinstance(currency, str):
        raise ConfigError(f"The currency of prices is a code such as 'USD', and not {currency!r}")
    prices = {meter: Price(_amount(meter, told)) for meter, told in given.items() if meter != "currency"}
    if not prices:
        raise ConfigError("Prices need at least one meter, such as 'input' or 'output'")
    return PriceList(tables=(PriceTable(prices=prices),), currency=currency, source=source, basis="override")


def _amount(meter: str, told: Any) -> Decimal:
    if meter not in METERS:
        from difflib import get_close_matches

        near = get_close_matches(meter, METERS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(METERS)}"
        raise ConfigError(f"Prices have no meter {meter!r}{hint}")
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(told, bool) or not amount.is_finite() or amount < 0:
        raise ConfigError(f"The price of {meter!r} is a number from 0 up, and not {told!r}")
    return amount.scaleb(-6) if priced_by_million(meter) else amount
