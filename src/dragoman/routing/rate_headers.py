"""What providers tell in the headers of an answer about what is left of their limits."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Kind", "Told", "read_rate_headers"]

Kind = Literal["requests", "tokens"]


class Told(NamedTuple):
    """So much is left of a limit, which is whole again in so many seconds; `limit` 0: how large it is, is not told."""

    kind: Kind
    remaining: float
    reset_seconds: float
    limit: float = 0.0


# Kind, what is left, when it begins anew. Vendors' documentation, and recorded answers of 23 providers.
_ROWS: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("requests", "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("tokens", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("tokens", "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("tokens", "anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("requests", "x-ratelimit-remaining-requests-day", "x-ratelimit-reset-requests-day"),
    ("tokens", "x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute"),
    ("requests", "x-ratelimit-remaining", "x-ratelimit-reset"),
)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_FACTORS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


def read_rate_headers(headers: Mapping[str, str], wall: float | None = None) -> list[Told]:
    """What the headers say, as far as it can be read; `wall` is Unix time in seconds (now)."""
    found: list[Told] = []
    for kind, remaining_name, reset_name in _ROWS:
        text = headers.get(remaining_name)
        if text is None:
            continue
        try:
            remaining = float(text)
        except ValueError:
            continue
        reset = headers.get(reset_name)
        seconds = None if reset is None else _seconds(reset, headers, wall)
        if seconds is None or remaining < 0:
            continue
        limit = _amount(headers.get(remaining_name.replace("remaining", "limit")))
        period = _amount(headers.get(remaining_name.replace("remaining", "renewalperiod")))
        if period > 0:
            # Azure, whose reset is in milliseconds beside an answer and in seconds beside a refusal: as recorded, what
            # was spent comes back evenly within the period.
            seconds = period * max(0.0, limit - remaining) / limit if limit > 0 else min(seconds, period)
        if seconds > 0:
            found.append(Told(kind, remaining, seconds, limit))
    return found


def _amount(text: str | None) -> float:
    try:
        return 0.0 if text is None else float(text)
    except ValueError:
        return 0.0


def _seconds(text: str, headers: Mapping[str, str], wall: float | None) -> float | None:
    """Seconds from now: a number, a length of time such as `6m0.5s`, Unix time, or a moment (RFC 3339)."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if number > 1e11:
            number /= 1000  # milliseconds
        return number - _clock(headers, wall) if number > 1e8 else number
    if "T" in text:
        from datetime import datetime

        try:
            return datetime.fromisoformat(text).timestamp() - _clock(headers, wall)
        except ValueError:
            return None
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        return None
    return sum(float(piece) * factor for piece, factor in zip(found.groups(), _FACTORS, strict=True) if piece)


def _clock(headers: Mapping[str, str], wall: float | None) -> float:
    """The sender's own time if it tells one, so that a wrong local clock does no harm."""
    date = headers.get("date")
    if date is not None:
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            pass
    return time.time() if wall is None else wall
