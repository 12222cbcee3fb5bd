"""Finder: the models that are known to be what is wanted, in the order that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from dragoman.errors import ConfigError
from dragoman.facts.lookup import FACTS
from dragoman.facts.meeting import answers, check_needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.facts.price_lists import PriceList
    from dragoman.values.profile import Profile

__all__ = ["Candidate", "models", "standard_price"]

Order = Literal["name", "price", "window", "released"]
_ORDERS: Final = ("name", "price", "window", "released")
_MODES: Final = ("chat", "embedding", "image", "audio", "rerank", "moderation", "other", "any")
_MILLION: Final = Decimal(1_000_000)


class Candidate(msgspec.Struct, frozen=True):
    """A model that was found: its profile, and its standard prices per million tokens (None: not known)."""

    profile: Profile
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    currency: str = "USD"

    @property
    def name(self) -> str:
        """`provider/model`, as `get_model` takes it."""
        return f"{self.profile.provider}/{self.profile.model}"


def models(
    *,
    provider: str | None = None,
    containing: str = "",
    needs: Iterable[str] = (),
    max_price: Decimal | float | str | None = None,
    min_window: int | None = None,
    mode: str = "chat",
    sort: Order = "name",
    retired: bool = False,
) -> list[Candidate]:
    """The listed models that are known to be what is asked for; one of which it is not known is left out.

    `needs` are of `facts.NEEDS` ("tools", "vision", "schema", "reasoning", …). `max_price` is in US dollars per million
    input tokens, at the standard price of a short prompt. `min_window` is in tokens, the answer's included; where only
    the longest prompt is known, that counts. `mode` is what the model is for, "any" for all. `sort` is "name", "price"
    (input, then output, cheapest first), "window" (largest first) or "released" (newest first); unknown ones come last.
    Models that are switched off are left out unless `retired` is set. Raises `ConfigError` for unknown words.
    """
    _check_word("sort", sort, _ORDERS)
    _check_word("mode", mode, _MODES)
    wanted = check_needs(needs)
    most = None if max_price is None else _amount(max_price)
    if min_window is not None and min_window < 0:
        raise ConfigError(f"The smallest window is a number of tokens from 0 up, and not {min_window}")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    owner = None if provider is None else FACTS.own.provider_name(provider)
    found: list[Candidate] = []
    for party, name in FACTS.names():
        if (owner is not None and party != owner) or containing.lower() not in f"{party}/{name}".lower():
            continue
        profile = FACTS.profile(provider or party, name)
        if not _fits(profile, wanted, min_window, mode) or (not retired and _is_off(profile, today)):
            continue
        candidate = _candidate(profile, FACTS.prices(party, name), today)
        if most is None or (
            candidate.input_price is not None and candidate.input_price <= most and candidate.currency == "USD"
        ):
            found.append(candidate)
    return sorted(found, key=_KEYS[sort])


def _fits(profile: Profile, needs: Iterable[str], min_window: int | None, mode: str) -> bool:
    window = profile.window_tokens
    if min_window is not None and (window is None or window < min_window):
        return False
    # Of the newest models prices alone are known: an unknown mode is none that is known to be another.
    if mode != "any" and profile.mode != mode and not (mode == "chat" and profile.mode is None):
        return False
    return all(answers(profile, need) is True for need in needs)


def _is_off(profile: Profile, today: str) -> bool:
    return profile.status == "retired" or (profile.retired is not None and profile.retired <= today)


def _candidate(profile: Profile, prices: PriceList | None, today: str) -> Candidate:
    if prices is None:
        return Candidate(profile)
    amounts = (standard_price(prices, meter, today) for meter in ("input", "output"))
    per_million = [None if amount is None else Decimal(f"{(amount * _MILLION).normalize():f}") for amount in amounts]
    return Candidate(profile, per_million[0], per_million[1], prices.currency)


def standard_price(prices: PriceList, meter: str, day: str) -> Decimal | None:
    """What one unit costs on a day (ISO 8601) without a service tier or a place, at any hour, of a short prompt."""
    amount: Decimal | None = None
    for table in prices.tables:
        condition = table.condition
        if condition is not None:
            if condition.tier is not None or condition.place is not None or condition.hours is not None:
                continue
            if (condition.start or "") > day or (condition.until is not None and condition.until <= day):
                continue
        price = table.prices.get(meter)
        amount = None if price is None else price.amount
    return amount


def _by_price(candidate: Candidate) -> tuple[object, ...]:
    unknown = candidate.input_price is None or candidate.currency != "USD"
    return unknown, candidate.input_price or Decimal(0), candidate.output_price or Decimal(0), candidate.name


def _by_release(candidate: Candidate) -> tuple[object, ...]:
    released = candidate.profile.released
    return released is None, [-ord(letter) for letter in released or ""], candidate.name


_KEYS: Final[dict[str, Callable[[Candidate], tuple[object, ...]]]] = {
    "name": lambda candidate: (candidate.name,),
    "price": _by_price,
    "window": lambda candidate: (-(candidate.profile.window_tokens or 0), candidate.name),
    "released": _by_release,
}


def _check_word(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        from difflib import get_close_matches

        near = get_close_matches(given, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{what} is one of {', '.join(known)}, and not {given!r}.{hint}")


def _amount(given: Decimal | float | str) -> Decimal:
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ConfigError(f"The highest price is a number of US dollars from 0 up, and not {given!r}")
    return amount
