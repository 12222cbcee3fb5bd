"""Cost: what a call came to, from its usage and a price list.

The provider's own figure is taken where it gives one. Else each token is charged by the narrowest meter with a price
that it belongs to, at the step that the whole prompt's length reaches, from the last table whose condition is met.

What cannot be known exactly is said: a price nobody knows, or a count that has a price and was not reported, is no cost
(None, not 0). The basis is "estimated" where the amount is the best that can be said: the answer's service tier has no
price of its own in the list (the standard price is taken), the usage contradicts itself (a subset above its total: the
subset is charged whole and the rest at nothing, so never less than either count says), or two priced subsets cross and
nobody counted what both hold (each is charged whole).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.facts.meters import COUNTERS, JOINS, STANDARD_TIERS, TOOLS, WITHIN
from dragoman.values import Cost

if TYPE_CHECKING:
    from dragoman.facts.meters import Counter
    from dragoman.facts.price_lists import Condition, Meter, Price, PriceList, PriceTable
    from dragoman.values import Usage

__all__ = ["cost", "list_cost", "reported_cost"]

# No setting of the caller's decides how money is added up: 50 digits hold every product and sum exactly.
_EXACT: Final = Context(prec=50)
_ADD_PRODUCT: Final = _EXACT.fma
_MOST_READY: Final = 1_024
_DAY: Final = 86_400
_prompt: Final = COUNTERS["input"]


def cost(
    usage: Usage,
    provider: str,
    model: str,
    *,
    service_tier: str | None = None,
    place: str | None = None,
    at: datetime | None = None,
    listing: PriceList | None = None,
    partial: bool = False,
) -> Cost | None:
    """What a call cost, reported or computed; None where it is not known.

    `service_tier` is the answer's own word for it, `place` the host's word for where it ran, `at` when it was asked
    (now; a time without a zone is UTC). `listing` stands for the prices that are known of the model. `partial`: the
    call did not end, and what was counted of it is charged (basis "estimated"). Never raises.
    """
    if usage.reported_cost is not None:
        return reported_cost(usage)
    if listing is None:
        from dragoman.facts.lookup import prices

        listing = prices(provider, model)
        if listing is None:
            return None
    moment = None if at is None else (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    return list_cost(usage, listing, service_tier=service_tier, place=place, at=moment, partial=partial)


def reported_cost(usage: Usage) -> Cost | None:
    """The provider's own figure, where it gives one."""
    amount = usage.reported_cost
    return None if amount is None else Cost(amount=amount, currency="USD", basis="reported")


def list_cost(
    usage: Usage,
    listing: PriceList,
    *,
    service_tier: str | None = None,
    place: str | None = None,
    at: float | None = None,
    partial: bool = False,
) -> Cost | None:
    """What a usage costs by a price list, whatever the provider reports; `at` is Unix time in seconds.

    `partial` charges what was counted of a call that did not end (basis "estimated"), a count that is missing as 0.
    """
    ready = _READY.get(id(listing))
    if ready is None or ready.listing is not listing:
        ready = _make_ready(listing)
    if not usage:
        return None
    tier = None
    if service_tier is not None:
        tier = service_tier.lower()
        if tier in STANDARD_TIERS:
            tier = None
    table = ready.always if tier is None and ready.always is not None else _held(ready, tier, place, at)
    if table is None:
        return None
    charged = _charge(table, usage, partial)
    if charged is None:
        return None
    amount, sure = charged
    sure = sure and not partial and (tier is None or table.tier == tier)
    return Cost(amount=amount, currency=listing.currency, basis="computed" if sure else "estimated")


# -- a list made ready -------------------------------------------------------------------------------------------------


class _Term(NamedTuple):
    """One priced meter of tokens; `slot` is its place in the row of what is taken already, `wider` those around it."""

    counter: Counter
    slot: int
    wider: tuple[int, ...]
    amount: Decimal
    steps: tuple[tuple[int, Decimal], ...]  # the highest first


class _Crossing(NamedTuple):
    one: Counter
    other: Counter
    both: Counter | None


class _Table(NamedTuple):
    terms: tuple[_Term, ...]  # the narrowest first
    crossings: tuple[_Crossing, ...]
    tools: tuple[tuple[tuple[str, ...], Decimal], ...]
    flat: Decimal
    start: float | None
    until: float | None
    hours: tuple[int, int] | None
    tier: str | None
    place: str | None


class _Ready(NamedTuple):
    listing: PriceList  # kept, so that its id stays its own
    tables: tuple[_Table, ...]  # the last first
    always: _Table | None  # the table for answers of no special tier, where no time and no place decides


_READY: Final[dict[int, _Ready]] = {}


def _make_ready(listing: PriceList) -> _Ready:
    tables = tuple(_table(table) for table in reversed(listing.tables))
    plain = [table for table in tables if table.tier is None]
    alone = len(plain) == 1 and plain[0][4:] == (None,) * 5
    ready = _Ready(listing, tables, plain[0] if alone else None)
    if len(_READY) >= _MOST_READY:
        _READY.clear()
    _READY[id(listing)] = ready
    return ready


def _table(table: PriceTable) -> _Table:
    meters = [meter for meter in _NARROWEST_FIRST if meter in table.prices]
    slots = {meter: slot for slot, meter in enumerate(meters)}
    terms = tuple(_term(meter, table.prices[meter], slots) for meter in meters)
    crossings = tuple(
        _Crossing(COUNTERS[one], COUNTERS[other], COUNTERS[both] if both is not None and both in slots else None)
        for (one, other), both in JOINS.items()
        if one in slots and other in slots
    )
    tools = tuple((names, table.prices[meter].amount) for meter, names in TOOLS.items() if meter in table.prices)
    flat = table.prices["request"].amount if "request" in table.prices else Decimal(0)
    return _Table(terms, crossings, tools, flat, *_limits(table.condition))


# A meter that lies within more meters is the narrower one.
_NARROWEST_FIRST: Final[tuple[Meter, ...]] = tuple(sorted(COUNTERS, key=lambda meter: -len(WITHIN[meter])))


def _term(meter: Meter, price: Price, slots: dict[Meter, int]) -> _Term:
    wider = tuple(slots[each] for each in WITHIN[meter] if each in slots)
    steps = tuple((step.above_tokens, step.amount) for step in reversed(price.steps))
    return _Term(COUNTERS[meter], slots[meter], wider, price.amount, steps)


def _limits(
    condition: Condition | None,
) -> tuple[float | None, float | None, tuple[int, int] | None, str | None, str | None]:
    if condition is None:
        return None, None, None, None, None
    hours = None if condition.hours is None else (_seconds(condition.hours[0]), _seconds(condition.hours[1]))
    tier = None if condition.tier is None else condition.tier.lower()
    return _moment(condition.start), _moment(condition.until), hours, tier, condition.place


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(time_of_day: str) -> int:
    hours, minutes, seconds = (int(piece) for piece in time_of_day.split(":"))
    return hours * 3600 + minutes * 60 + seconds


# -- charging ----------------------------------------------------------------------------------------------------------


def _held(ready: _Ready, tier: str | None, place: str | None, at: float | None) -> _Table | None:
    """The last table whose condition is met."""
    if at is None:
        at = time.time()
    for table in ready.tables:
        if (
            (table.tier is None or table.tier == tier)
            and (table.place is None or table.place == place)
            and (table.start is None or at >= table.start)
            and (table.until is None or at < table.until)
            and (table.hours is None or _within(table.hours, at % _DAY))
        ):
            return table
    return None


def _within(hours: tuple[int, int], second: float) -> bool:
    start, end = hours
    return start <= second < end if start <= end else second >= start or second < end


def _charge(table: _Table, usage: Usage, partial: bool) -> tuple[Decimal, bool] | None:
    """The amount, and whether it is sure; None where it cannot be known."""
    # A hot path: once per answer, a few microseconds for the usual four meters.
    amount, sure = table.flat, True
    taken = [0] * len(table.terms)
    for count_of, slot, wider, price, steps in table.terms:
        count = count_of(usage)
        within = taken[slot]
        if count is None:
            if not wider and price and not partial:
                return None  # the whole prompt, or the whole answer, was not counted
            continue
        left = count - within
        if left <= 0:
            sure = sure and left == 0
            continue
        if steps and (prompt := _prompt(usage)) is not None:
            price = _stepped(steps, prompt, price)
        amount = _ADD_PRODUCT(price, left, amount)
        for each in wider:
            taken[each] += left
    if table.crossings and _crossed(table.crossings, usage):
        sure = False
    if table.tools and usage.tool_uses:
        amount = _EXACT.add(amount, _used(table.tools, usage.tool_uses))
    return amount, sure


def _stepped(steps: tuple[tuple[int, Decimal], ...], prompt: int, price: Decimal) -> Decimal:
    for above, stepped in steps:
        if prompt > above:
            return stepped
    return price


def _crossed(crossings: tuple[_Crossing, ...], usage: Usage) -> bool:
    """Whether two subsets that cross were both met, and nobody counted what both hold."""
    return any(
        crossing.one(usage) and crossing.other(usage) and (crossing.both is None or crossing.both(usage) is None)
        for crossing in crossings
    )


def _used(tools: tuple[tuple[tuple[str, ...], Decimal], ...], uses: dict[str, int]) -> Decimal:
    amount = Decimal(0)
    for names, price in tools:
        for name in names:
            amount = _ADD_PRODUCT(price, uses.get(name, 0), amount)
    return amount
