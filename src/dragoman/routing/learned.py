"""A cap that nobody wrote down: learned from refusals, as congestion control learns the width of a path."""

from __future__ import annotations

__all__ = ["Learned"]

CUT = 0.7
"""What is left of the level at which the other side refused."""
STEP = 0.05
STEP_SECONDS = 10.0
CUT_SECONDS = 5.0
"""Refusals within so long of a cut belong to the same burst."""
FORGET_SECONDS = 600.0


class Learned:
    """Falls by a share at a refusal; grows by a step every ten seconds, and only while it holds calls back.

    A cap that held nothing back for ten minutes is forgotten. `cap` None: nothing was learned. After additive increase
    and multiplicative decrease (Chiu and Jain, 1989); growth while the cap does not bind would prove nothing.
    """

    __slots__ = ("_bound_at", "_changed_at", "_cut_at", "cap", "least")

    def __init__(self, least: float = 1.0) -> None:
        self.cap: float | None = None
        self.least = least
        self._cut_at = float("-inf")
        self._changed_at = 0.0
        self._bound_at: float | None = None

    def refused(self, now: float, level: float) -> None:
        """The other side refused at this level."""
        if level <= 0 or now - self._cut_at < CUT_SECONDS:
            return
        basis = level if self.cap is None else min(self.cap, level)
        self.cap = max(self.least, basis * CUT)
        self._cut_at = self._changed_at = now
        self._bound_at = None

    def bound(self, now: float) -> None:
        """The cap held a call back."""
        self._bound_at = now

    def answered(self, now: float) -> None:
        """A call was answered: the cap may be too low, or not be needed any more."""
        cap = self.cap
        if cap is None or now - self._changed_at < STEP_SECONDS:
            return
        if self._bound_at is not None and self._bound_at > self._changed_at:
            self.cap = cap + max(1.0, cap * STEP)
            self._changed_at = now
        elif now - max(self._changed_at, self._bound_at or 0.0) > FORGET_SECONDS:
            self.cap = None
