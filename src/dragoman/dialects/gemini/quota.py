"""Which quota was broken: one of the minute, which comes back soon, or one that waiting does not bring back.

A QuotaFailure lists violations by `quotaId`, a name of the form `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
A day's quota is used up until the day ends, and a quota of 0 means that the account's tier has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dragoman.errors import QuotaExhausted, RateLimited

if TYPE_CHECKING:
    from dragoman.errors import ProviderError
    from dragoman.values import JsonObject

__all__ = ["broken_quota"]


def broken_quota(failures: list[JsonObject]) -> type[ProviderError]:
    """The class for a RESOURCE_EXHAUSTED with these QuotaFailure details."""
    for failure in failures:
        violations: Any = failure.get("violations")
        for violation in cast("list[Any]", violations) if isinstance(violations, list) else ():
            if isinstance(violation, dict) and _lasting(cast("JsonObject", violation)):
                return QuotaExhausted
    return RateLimited


def _lasting(violation: JsonObject) -> bool:
    return "PerDay" in str(violation.get("quotaId", "")) or str(violation.get("quotaValue", "")) == "0"
