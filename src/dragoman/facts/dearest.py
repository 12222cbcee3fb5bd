"""The dearest that tokens can come to by a price list: what a bound is in money.

Every table counts that holds now and whose service tier the request does not rule out; in it the dearest kind of token
that may be among the prompt's, or the answer's, at the highest step that the prompt can reach; fees, and each use of a
tool.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.facts.meters import STANDARD_TIERS, WITHIN
from dragoman.values import Opaque, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.facts.price_lists import Condition, Price, PriceList, PriceTable
    from dragoman.values import Part, Request
    from dragoman.values.profile import Profile
    from dragoman.values.tools import Tool

__all__ = ["Rates", "dearest_amount", "rates_of"]

_EXACT: Final = Context(prec=50)
_FMA: Final = _EXACT.fma
_MOST_READY: Final = 1024
_MEDIA: Final = ("image", "audio", "video")
_Stepped = tuple[Decimal, tuple[tuple[int, Decimal], ...]]


class Rates(NamedTuple):
    """One table, reduced to what may be charged: the prices of a token in and out, fees, and uses by meter."""

    start: float | None
    until: float | None
    inputs: tuple[_Stepped, ...]
    outputs: tuple[_Stepped, ...]
    fee: Decimal
    uses: dict[str, Decimal]


_Key = tuple[int, str | None, bool, tuple[str, ...]]
_READY: Final[dict[_Key, tuple[PriceList, tuple[Rates, ...]]]] = {}


def rates_of(listing: PriceList, request: Request | None, facts: Profile) -> tuple[Rates, ...]:
    """The tables that may apply to a request (None: to any), made ready once."""
    # A hot path: each bound asks, and the answer is nearly always there.
    tier = None
    if request is not None and request.service_tier is not None:
        tier = request.service_tier.lower()
    hour = request is None or _asks_for_an_hour(request)
    media = _media(request, facts)
    key = (id(listing), tier, hour, media)
    ready = _READY.get(key)
    if ready is None or ready[0] is not listing:
        made = tuple(_rates(table, hour, media) for table in listing.tables if _may_apply(table.condition, tier))
        if len(_READY) >= _MOST_READY:
            _READY.clear()
        ready = _READY[key] = (listing, made)  # the list is kept, so that its id stays its own
    return ready[1]


def dearest_amount(
    rates: tuple[Rates, ...], prompt: int, answer: int, uses: dict[str, int | None], now: float
) -> Decimal | None:
    """The most that so many tokens and uses come to at a moment (Unix time); None where a price is missing."""
    most: Decimal | None = None
    for table in rates:
        if (table.start is not None and now < table.start) or (table.until is not None and now >= table.until):
            continue
        if not table.inputs or not table.outputs:
            return None
        amount = _FMA(_dearest(table.inputs, prompt), prompt, table.fee)
        amount = _FMA(_dearest(table.outputs, prompt), answer, amount)
        for meter, times in uses.items():
            price = table.uses.get(meter)
            if price is not None:
                if times is None:
                    return None
                amount = _FMA(price, times, amount)
        if most is None or amount > most:
            most = amount
    return most


def _dearest(prices: tuple[_Stepped, ...], prompt: int) -> Decimal:
    if len(prices) == 1 and not prices[0][1]:
        return prices[0][0]
    return max(
        amount for price, steps in prices for amount in (price, *(each for above, each in steps if prompt > above))
    )


def _rates(table: PriceTable, hour: bool, media: tuple[str, ...]) -> Rates:
    condition = table.condition
    return Rates(
        start=None if condition is None else _moment(condition.start),
        until=None if condition is None else _moment(condition.until),
        inputs=_reduced(each for name, each in table.prices.items() if _is_of(name, "input", hour, media)),
        outputs=_reduced(each for name, each in table.prices.items() if _is_of(name, "output", hour, media)),
        fee=table.prices["request"].amount if "request" in table.prices else Decimal(0),
        uses={name: each.amount for name, each in table.prices.items() if name not in WITHIN},
    )


def _reduced(prices: Iterable[Price]) -> tuple[_Stepped, ...]:
    """The prices that may be the dearest: of those without steps the highest alone."""
    given = list(prices)
    plain = [price.amount for price in given if not price.steps]
    stepped = [
        (price.amount, tuple((step.above_tokens, step.amount) for step in price.steps))
        for price in given
        if price.steps
    ]
    return (*((max(plain), ()) for _ in plain[:1]), *stepped)


def _is_of(meter: str, whole: str, hour: bool, media: tuple[str, ...]) -> bool:
    """Whether tokens of a meter may be among the prompt's, or the answer's."""
    if meter != whole and whole not in WITHIN.get(meter, ()):
        return False
    if meter == "cache_write_1h":
        return hour
    medium = meter.rpartition("_")[2]
    return whole == "input" or medium not in _MEDIA or medium in media


def _media(request: Request | None, facts: Profile) -> tuple[str, ...]:
    """The media that may be in the answer."""
    given = facts.output_modalities
    if given is None:
        return _MEDIA
    return _media_among(given, () if request is None else request.modalities)


@lru_cache(maxsize=256)
def _media_among(given: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(medium for medium in _MEDIA if medium in given or medium in asked)


def _may_apply(condition: Condition | None, tier: str | None) -> bool:
    """Whether a table's tier may be that of the answer: one that asks for the standard tier is charged as no other."""
    if condition is None or condition.tier is None or tier is None or tier == "auto":
        return True
    return condition.tier.lower() == tier or tier not in STANDARD_TIERS


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _asks_for_an_hour(request: Request) -> bool:
    """Whether anything in the request may ask for the dearer lifetime of a cache."""
    if request.cache is not None and request.cache.ttl not in (None, "5m"):
        return True
    for message in request.messages:
        if _marks_an_hour(message.parts) or (message.extras and "1h" in repr(message.extras)):
            return True
    laid = [*request.extras.values(), request.extra_body]
    return _marks_an_hour(request.tools) or any("1h" in repr(members) for members in laid if members)


def _marks_an_hour(marked: Iterable[Part | Tool]) -> bool:
    for one in marked:
        if one.cache is not None and one.cache.ttl not in (None, "5m"):
            return True
        if one.extras and "1h" in repr(one.extras):
            return True
        if type(one) is Opaque and "1h" in repr(one.data):
            return True
        if type(one) is ToolResult and _marks_an_hour(one.content):
            return True
    return False
