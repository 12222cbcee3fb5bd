"""The plan of one call: a pure step function. Events in (`start`, `failed`), commands out (`Try`, `GiveUp`).

Time is passed in, randomness too, so a test lists what happened and reads what was decided. The rules:

- Targets are tried in order. A target gets its first try and `max_retries` more; the next target is taken when those
  are used up, or at once when the error says that asking the same target again is no use.
- Between two tries of one target: a random wait of up to 0.5 s, 1 s, 2 s … 8 s (full jitter above a half), or what
  the provider's Retry-After says. A Retry-After longer than 8 s moves on to another target if there is one; longer
  than `Bounds.longest_wait_seconds` with no other target ends the call.
- One bound on attempts, one on time and one on the share of retries hold over all targets together. Moving to another
  target for the first time is no retry of it, and costs nothing of the share.
- A wrong request ends the call. So does anything after part of an answer was shown (`shown`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import ProviderError
from dragoman.routing.remedies import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.errors import DragomanError
    from dragoman.routing.retries import RetryBudget

__all__ = ["Bounds", "Command", "GiveUp", "Plan", "Try"]

FIRST_WAIT_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 8.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one call may cost in all: attempts, seconds from its start, and the longest Retry-After it sits out."""

    attempts: int = 10
    seconds: float = 600.0
    longest_wait_seconds: float = 60.0


class Try(msgspec.Struct, frozen=True):
    """Wait so long, then try this target; `reason` goes into the attempt's record."""

    target: int
    wait_seconds: float
    reason: str


class GiveUp(msgspec.Struct, frozen=True):
    """Nothing more is to be tried; `reason` says which rule ended it."""

    reason: str


Command = Try | GiveUp


class Plan:
    """See the module's docstring. `tries` are the tries each target gets; `random` gives floats in [0, 1)."""

    __slots__ = (
        "_acts",
        "_attempts",
        "_bounds",
        "_budget",
        "_left",
        "_random",
        "_shown",
        "_started",
        "_target",
        "_tried",
    )

    def __init__(
        self,
        tries: Sequence[int],
        *,
        bounds: Bounds,
        budget: RetryBudget | None,
        acts_on_world: bool,
        random: Callable[[], float],
    ) -> None:
        if not tries:
            raise ValueError("a plan needs at least one target")
        self._left = list(tries)
        self._bounds = bounds
        self._budget = budget
        self._acts = acts_on_world
        self._random = random
        self._target = 0
        self._tried = 0
        self._attempts = 0
        self._started = 0.0
        self._shown = False

    def start(self, now: float) -> Try:
        """The first attempt."""
        self._started = now
        if self._budget is not None:
            self._budget.first_attempt(now)
        return self._take(0, 0.0, "first choice")

    def shown(self) -> None:
        """Part of an answer was shown: from now on this answer or none."""
        self._shown = True

    def failed(self, error: DragomanError, now: float) -> Command:
        """What to do after the attempt at hand failed."""
        if self._shown:
            return GiveUp("part of the answer was already shown")
        may = allowed(error, acts_on_world=self._acts)
        if not may.again and not may.elsewhere:
            return GiveUp(f"{type(error).__name__} is not retried")
        if self._attempts >= self._bounds.attempts:
            return GiveUp(f"the bound of {self._bounds.attempts} attempts is reached")
        elsewhere = self._next_target() if may.elsewhere else None
        if may.again and self._left[self._target] > 0:
            command = self._again(error, elsewhere, now)
            if isinstance(command, Try):
                return command
            if elsewhere is None:
                return command
        if elsewhere is None:
            return GiveUp("every target had its tries")
        if now - self._started >= self._bounds.seconds:
            return GiveUp(f"the bound of {self._bounds.seconds:g} s is reached")
        return self._take(elsewhere, 0.0, f"after {type(error).__name__}")

    def _again(self, error: DragomanError, elsewhere: int | None, now: float) -> Command:
        asked = error.retry_after if isinstance(error, ProviderError) else None
        wait = self._backoff() if asked is None else asked
        if wait > LONGEST_BACKOFF_SECONDS and elsewhere is not None:
            return GiveUp(f"the provider asks for {wait:g} s and another target is there")
        if wait > self._bounds.longest_wait_seconds:
            return GiveUp(f"the provider asks for {wait:g} s, which is longer than a call waits")
        if now + wait - self._started >= self._bounds.seconds:
            return GiveUp(f"the bound of {self._bounds.seconds:g} s is reached")
        if self._budget is not None and not self._budget.may_retry(now):
            return GiveUp("the share of traffic that may be retries is used up")
        return self._take(self._target, wait, f"retry after {type(error).__name__}")

    def _backoff(self) -> float:
        ceiling = min(FIRST_WAIT_SECONDS * 2 ** (self._tried - 1), LONGEST_BACKOFF_SECONDS)
        return ceiling * (0.5 + 0.5 * self._random())

    def _next_target(self) -> int | None:
        following = self._target + 1
        return following if following < len(self._left) else None

    def _take(self, target: int, wait: float, reason: str) -> Try:
        self._tried = self._tried + 1 if target == self._target else 1
        self._target = target
        self._left[target] -= 1
        self._attempts += 1
        return Try(target, wait, reason)
