"""TokenCount: how long a prompt is, and who says so."""

from __future__ import annotations

from typing import Literal

from dragoman.values.value import Value

__all__ = ["TokenCount"]


class TokenCount(Value, frozen=True, kw_only=True):
    """The tokens of a prompt.

    `basis` "provider": the provider counted them; "estimated": they were estimated here, since it has no way of asking
    (`reason` says so, or what it answered). `observations` are the reported prompts that the estimate learned from.
    """

    tokens: int
    basis: Literal["provider", "estimated"] = "estimated"
    reason: str | None = None
    observations: int = 0
