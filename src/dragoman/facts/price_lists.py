"""Prices as data: what a model's provider charges, per meter, with the conditions under which each price holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from dragoman.values import Value
from dragoman.values.profile import Source

__all__ = ["Condition", "Meter", "Price", "PriceList", "PriceTable", "Step"]

Meter = str
"""What is counted. Tokens, per token: `input`, `output`, and the named subsets of them that have a price of their own:
`cache_read`, `cache_write` (5 minutes), `cache_write_1h`, `input_audio`, `cache_read_audio`, `input_image`,
`cache_read_image`, `input_video`, `cache_read_video`, `output_audio`, `output_image`, `output_video`,
`output_reasoning`, `output_citation`. Each of one thing: `request`, `web_search`, `storage_search`, `social_search`,
`code_execution`, `image`, `page`, `annotated_page`, `message`, `character_in`; an hour of sound: `audio_hour`,
`audio_hour_in`, `audio_hour_out`. A token is charged by the narrowest meter with a price that it belongs to; things
that no usage counts (images, pages, characters, hours) are listed and not charged (`facts/meters.py`)."""


class Step(Value, frozen=True):
    """From a prompt of more than `above_tokens` tokens on, `amount` is the price of the whole request's meter."""

    above_tokens: int
    amount: Decimal


class Price(Value, frozen=True):
    """The price of one unit of a meter (one token, one request, one search); `steps` ascend."""

    amount: Decimal
    steps: tuple[Step, ...] = ()


class Condition(Value, frozen=True, kw_only=True):
    """When a table holds. All that is given must be so.

    `start` and `until` are ISO 8601 dates, or times with an offset (start inclusive, until exclusive). `hours` are
    times of the day in UTC, "HH:MM:SS" from and to, over midnight when from is later. `tier` is the service tier as it
    is written in the answer ("flex", "priority", "batch", …), `place` the host's own word for where it ran.
    """

    start: str | None = None
    until: str | None = None
    hours: tuple[str, str] | None = None
    tier: str | None = None
    place: str | None = None


class PriceTable(Value, frozen=True, kw_only=True):
    """Prices that hold together under one condition (None: always)."""

    prices: dict[Meter, Price]
    condition: Condition | None = None


class PriceList(Value, frozen=True, kw_only=True):
    """All price tables of one model at one provider; of those whose condition is met, the last one holds.

    A table with a `tier` or a `place` is taken for answers of that tier or place alone, and so stands behind those
    without.
    """

    tables: tuple[PriceTable, ...]
    currency: str = "USD"
    source: Source | None = None
    basis: Literal["list", "override", "listing"] = "list"
