"""What answer headers say in every dialect: how long to wait, when it was answered, the id to quote to support."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["answered_at", "first_of", "request_id", "retry_after"]

_REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
    "x-goog-request-id",
    "x-generation-id",
    "cf-ray",
)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, else `retry-after` as seconds or as an HTTP date (RFC 9110, 10.2.3).

    A date is taken relative to the answer's own `date` header, so that a wrong local clock does no harm; without one
    it says nothing.
    """
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _positive(value)
    if seconds is not None:
        return seconds
    sent = headers.get("date")
    if sent is None:
        return None
    # Dates are rare, and this module is slow to import.
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(sent)).total_seconds())
    except (TypeError, ValueError):
        return None


def _positive(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's id of the exchange, or None."""
    return first_of(headers, _REQUEST_ID_HEADERS)


def answered_at(headers: Mapping[str, str]) -> int | None:
    """When the answer was made, in Unix seconds by the provider's clock: its `date`."""
    date = headers.get("date")
    return None if date is None else _seconds(date)


@lru_cache(maxsize=64)  # a busy gateway sees each text hundreds of times
def _seconds(date: str) -> int | None:
    # As above: the module is slow to import.
    from calendar import timegm
    from email.utils import parsedate_to_datetime

    try:
        return timegm(parsedate_to_datetime(date).utctimetuple())
    except (TypeError, ValueError, OverflowError):
        return None


def first_of(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The value of the first of these headers that is there and not empty."""
    first: Callable[[tuple[str, ...]], str | None] | None = getattr(headers, "first", None)
    if first is not None:  # a transport's own headers: one look for all names
        return first(names)
    for name in names:
        value = headers.get(name)
        if value:
            return value
    return None
