"""Whether a model is known not to meet what is wanted of it: needs by name, and a highest price."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigError
from dragoman.facts.family_quirks import conduct_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.facts.price_lists import PriceList
    from dragoman.values.profile import Profile

__all__ = ["NEEDS", "answers", "check_needs", "meets"]

_MILLION: Final = Decimal(1_000_000)


def meets(
    profile: Profile,
    prices: PriceList | None,
    needs: Iterable[str] = (),
    max_price: Decimal | float | str | None = None,
) -> str | None:
    """Why a model does not meet the needs, in words; None where it does, or where that is not known.

    `needs` are of `NEEDS`, or "window:N" for a window of N tokens. `max_price` is in units of the price list's currency
    (US dollars but where a list says otherwise) per million input tokens, at the price that holds without a condition
    and for short prompts. Raises `ConfigError` for a need that does not exist.
    """
    for need in needs:
        reason = _unmet(profile, need)
        if reason is not None:
            return reason
    return None if max_price is None else _too_dear(prices, Decimal(str(max_price)))


def check_needs(needs: Iterable[str]) -> tuple[str, ...]:
    """The needs, once each; raises `ConfigError` for one that does not exist, naming a near one."""
    checked = tuple(dict.fromkeys(needs))
    for need in checked:
        _window(need) if need.startswith("window:") else _test(need)
    return checked


def _unmet(profile: Profile, need: str) -> str | None:
    if need.startswith("window:"):
        wanted, known = _window(need), profile.context_tokens
        return None if known is None or known >= wanted else f"its window has {known} tokens, and {wanted} are needed"
    return f"it is known to lack {_WORDS[need]}" if _test(need)(profile) is False else None


def answers(profile: Profile, need: str) -> bool | None:
    """Whether a model meets a need; None where that is not known. Raises `ConfigError` for one that does not exist."""
    if need.startswith("window:"):
        known = profile.window_tokens
        return None if known is None else known >= _window(need)
    return _test(need)(profile)


def _window(need: str) -> int:
    amount = need.removeprefix("window:").replace("_", "")
    if not amount.isascii() or not amount.isdigit():
        raise ConfigError(f"The need {need!r} is written as window:N, with N a number of tokens")
    return int(amount)


def _test(need: str) -> Callable[[Profile], bool | None]:
    test = _TESTS.get(need)
    if test is None:
        from difflib import get_close_matches

        near = get_close_matches(need, _TESTS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(_TESTS)} and window:N"
        raise ConfigError(f"There is no need {need!r}{hint}")
    return test


def _takes(kind: str) -> Callable[[Profile], bool | None]:
    def test(profile: Profile) -> bool | None:
        if profile.input_modalities is None:
            return None
        return kind in profile.input_modalities or kind in conduct_of(profile).reads

    return test


_TESTS: Final[dict[str, Callable[[Profile], bool | None]]] = {
    "tools": lambda profile: profile.tools,
    "parallel_tools": lambda profile: profile.parallel_tools,
    "schema": lambda profile: profile.schema_output,
    "reasoning": lambda profile: profile.reasoning,
    "vision": _takes("image"),
    "audio": _takes("audio"),
    "video": _takes("video"),
    "documents": _takes("document"),
    "caching": lambda profile: (
        None if profile.cache is None or profile.cache.kinds is None else bool(profile.cache.kinds)
    ),
}
_WORDS: Final = {
    "tools": "tools",
    "parallel_tools": "parallel calls of tools",
    "schema": "schema output",
    "reasoning": "reasoning",
    "vision": "image input",
    "audio": "audio input",
    "video": "video input",
    "documents": "document input",
    "caching": "prompt caching",
}

NEEDS: Final = tuple(_TESTS)
"""The needs that have a name; beside them there is "window:N"."""


def _too_dear(prices: PriceList | None, most: Decimal) -> str | None:
    if prices is None:
        return None
    for table in prices.tables:
        if table.condition is None and (price := table.prices.get("input")) is not None:
            amount = price.amount * _MILLION
            if amount > most:
                told = f"{amount.normalize():f}"
                return f"a million input tokens cost {told} {prices.currency}, and {most} at most are wanted"
    return None
