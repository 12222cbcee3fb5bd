"""Attempts: one try of one deployment, with its outcome."""

from __future__ import annotations

from typing import Literal

from dragoman.values.usage import Cost, Usage
from dragoman.values.value import Value

__all__ = ["Attempt"]


class Attempt(Value, frozen=True, kw_only=True):
    """One try. `reason` says why this target was tried, `error` the class of what went wrong, `sent` how far it got.

    `started_at` is Unix time in seconds; `first_byte_seconds` runs from there to the answer's first byte. `usage` and
    `cost` are what it took, also where it failed or was given up (then the cost of what was counted by then).
    `service_tier` is the answer's own word for it, `adaptations` how many were made of the request and the answer.
    """

    provider: str
    model: str
    dialect: str
    outcome: Literal["ok", "error", "cancelled"]
    reason: str = "first choice"
    started_at: float = 0.0
    duration_seconds: float = 0.0
    first_byte_seconds: float | None = None
    status: int | None = None
    error: str | None = None
    message: str | None = None
    sent: Literal["no", "maybe", "yes"] = "yes"
    request_id: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    service_tier: str | None = None
    adaptations: int = 0
