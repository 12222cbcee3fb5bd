"""The plan of one call: a pure step function. Events in (`start`, `failed`, `refused`), commands out (`Try`, `GiveUp`).

Time is passed in, randomness too, so a test lists what happened and reads what was decided. Which target comes next is
a selector's choice (`selector`; without one, targets are taken in order). The rules:

- A target gets its first try and `max_retries` more; another target is taken when those are used up, or at once when
  the error says that asking the same target again is no use, or when its breaker has opened and somebody else is well.
  No target is turned to twice.
- Between two tries of one target: a random wait of up to 0.5 s, 1 s, 2 s … 8 s (full jitter above a half), or what
  the provider's Retry-After says. A Retry-After longer than 8 s moves on to another target if there is one; longer
  than `Bounds.longest_wait_seconds` with no other target ends the call.
- One bound on attempts, one on time and one on the share of retries hold over all targets together. Moving to another
  target for the first time is no retry of it, and costs nothing of the share. Retries leave an attempt for each target
  that had none, and as much time as the failed one took: who has not been asked may be well.
- Targets that cannot answer (`unfit`), cannot answer now, or for which a permit was refused are passed over, which the
  next attempt's reason tells. A refused permit is no attempt.
- A prompt that is too long goes to targets with a larger window, blocked content to those marked for it.
- A wrong request ends the call. So does anything after part of an answer was shown (`shown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from dragoman.errors import ProviderError, Remedy
from dragoman.routing.remedies import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from dragoman.errors import DragomanError
    from dragoman.routing.retries import RetryBudget

__all__ = ["FIRST_CHOICE", "Bounds", "Choice", "Command", "GiveUp", "Plan", "Selecting", "Try"]

_NONE_UNFIT: Mapping[int, str] = MappingProxyType({})

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
    """Nothing more is to be tried; `reason` says which rule ended it.

    `retry_after` is how long nobody can be asked, where that is certain.
    """

    reason: str
    retry_after: float | None = None


Command = Try | GiveUp
FIRST_CHOICE = "first choice"


class Choice(NamedTuple):
    """Who comes next. `target` None: nobody before so many seconds. `note` is added to the attempt's reason."""

    target: int | None
    wait_seconds: float = 0.0
    note: str = ""


class Selecting(Protocol):
    """Chooses among the targets that the plan has not closed."""

    def choose(self, closed: AbstractSet[int], now: float) -> Choice | None:
        """Who comes next; None where nobody is left."""
        ...

    def ready(self, closed: AbstractSet[int], now: float) -> bool:
        """Whether somebody is left who can be asked now. Changes nothing."""
        ...

    def left(self, closed: AbstractSet[int]) -> bool:
        """Whether somebody is left at all. Changes nothing."""
        ...

    def shut(self, target: int, now: float) -> bool:
        """Whether this target cannot be asked now."""
        ...

    def not_larger(self, target: int) -> AbstractSet[int]:
        """The targets whose windows are known to be no larger than this one's."""
        ...

    def unmarked(self) -> AbstractSet[int]:
        """The targets that are no alternatives for blocked content."""
        ...


class _InOrder:
    """Targets in order, all of them always there, but those that do not fit."""

    __slots__ = ("_count", "_told", "_unfit")

    def __init__(self, count: int, unfit: Mapping[int, str]) -> None:
        self._count = count
        self._unfit = unfit
        self._told = 0

    def choose(self, closed: AbstractSet[int], now: float) -> Choice | None:
        for target in range(self._count):
            if target not in closed and target not in self._unfit:
                note = "".join(
                    f"; passed over: {why}" for index, why in self._unfit.items() if self._told <= index < target
                )
                self._told = target
                return Choice(target, 0.0, note)
        return None

    def ready(self, closed: AbstractSet[int], now: float) -> bool:
        return any(target not in closed and target not in self._unfit for target in range(self._count))

    def left(self, closed: AbstractSet[int]) -> bool:
        return self.ready(closed, 0.0)

    def shut(self, target: int, now: float) -> bool:
        return False

    def not_larger(self, target: int) -> AbstractSet[int]:
        return frozenset()

    def unmarked(self) -> AbstractSet[int]:
        return frozenset(range(self._count))


class Plan:
    """See the module's docstring.

    `tries` are the tries each target gets; `random` gives floats in [0, 1). Without a `selector`, `unfit` says by
    target why it gets none.
    """

    __slots__ = (
        "_acts",
        "_attempts",
        "_bounds",
        "_budget",
        "_closed",
        "_hedged",
        "_left",
        "_random",
        "_refusals",
        "_selector",
        "_shown",
        "_since",
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
        unfit: Mapping[int, str] = _NONE_UNFIT,
        selector: Selecting | None = None,
    ) -> None:
        if len(tries) <= len(unfit):
            raise ValueError("a plan needs at least one target")
        self._left = list(tries)
        self._bounds = bounds
        self._budget = budget
        self._acts = acts_on_world
        self._random = random
        if selector is None and len(tries) > 1:
            selector = _InOrder(len(tries), unfit)
        self._selector = selector  # None: there is one target, and nothing to choose
        self._closed: set[int] = set()
        self._target = -1
        self._tried = 0
        self._attempts = 0
        self._started = 0.0
        self._since = 0.0  # when the attempt at hand began
        self._shown = False
        self._hedged = False
        self._refusals = ""

    @property
    def attempts(self) -> int:
        """The attempts commanded so far."""
        return self._attempts

    @property
    def target(self) -> int:
        """The target of the attempt at hand."""
        return self._target

    # -- events ------------------------------------------------------------------------------------------------------

    def start(self, now: float) -> Command:
        """The first attempt."""
        self._started = self._since = now
        if self._budget is not None:
            self._budget.first_attempt(now)
        if self._selector is None:
            return self._take(0, 0.0, FIRST_CHOICE)
        return self._choose(FIRST_CHOICE, now)

    def resume(self, started: float, choice: Choice | None) -> Command:
        """As `start` did then, where the budget was told already, and the selector has chosen."""
        self._started = self._since = started
        return self._chosen(choice, FIRST_CHOICE)

    def shown(self) -> None:
        """Part of an answer was shown: from now on this answer or none."""
        self._shown = True

    def failed(self, error: DragomanError, now: float) -> Command:
        """What to do after the attempt at hand failed."""
        command = self._after(error, now)
        self._since = now + command.wait_seconds if isinstance(command, Try) else now
        return command

    def _after(self, error: DragomanError, now: float) -> Command:
        if self._shown:
            return GiveUp("part of the answer was already shown")
        may = allowed(error, acts_on_world=self._acts)
        name = type(error).__name__
        if not may.again and may.elsewhere == "nobody":
            return GiveUp(f"{name} is not retried")
        if self._attempts >= self._bounds.attempts:
            return GiveUp(f"the bound of {self._bounds.attempts} attempts is reached")
        selector = self._selector
        if may.elsewhere == "larger" and selector is not None:
            self._closed |= selector.not_larger(self._target)
        elif may.elsewhere == "marked":
            if selector is not None:
                self._closed |= selector.unmarked()
            if len(self._closed) == len(self._left):
                return GiveUp(f"{name} is not retried")
        if may.again and self._left[self._target] > 0 and not self._needed_elsewhere(now):
            ready = selector is not None and selector.ready(self._closed, now)
            if not (ready and selector is not None and selector.shut(self._target, now)):
                command = self._again(error, ready, now)
                if isinstance(command, Try) or selector is None or not selector.left(self._closed):
                    return command
        return self._elsewhere(f"after {name}", now)

    def refused(self, error: DragomanError, now: float) -> Command:
        """What to do after leave for the attempt at hand was refused: its target is passed over."""
        self._attempts -= 1
        if error.remedy in (Remedy.NONE, Remedy.WRONG):
            return GiveUp(f"{type(error).__name__}: no leave for an attempt is given")
        self._since = now
        self._refusals += f"; passed over: {error.message.rstrip('.')}"
        return self._elsewhere(FIRST_CHOICE if not self._attempts else f"after {type(error).__name__}", now)

    def hedge(self, now: float) -> Try | None:
        """A second attempt beside the one at hand, at another target; None where the rules forbid it.

        It counts as a retry, and once per call. Which attempt is at hand afterwards, `turn_to` says.
        """
        if self._shown or self._acts or self._hedged or self._attempts >= self._bounds.attempts:
            return None
        selector = self._selector
        if now - self._started >= self._bounds.seconds or selector is None or not selector.ready(self._closed, now):
            return None
        if self._budget is not None and not self._budget.may_retry(now):
            return None
        self._hedged = True
        command = self._choose("hedge, since the first is slow", now)
        return command if isinstance(command, Try) and not command.wait_seconds else None

    def turn_to(self, target: int) -> None:
        """The attempt at this target is the one at hand."""
        if target != self._target:
            self._target = target
            self._tried = 1

    # -- rules -------------------------------------------------------------------------------------------------------

    def _needed_elsewhere(self, now: float) -> bool:
        """Whether one more try of this target might leave somebody without any, who may be well.

        It may take as long as the last one, and so may each of those who were not asked.
        """
        untried = len(self._left) - len(self._closed)
        seconds_left = self._bounds.seconds - (now - self._started)
        in_time = (now - self._since) * (1 + untried) <= seconds_left
        if in_time and self._bounds.attempts - self._attempts > untried:
            return False
        return self._selector is not None and self._selector.left(self._closed)

    def _again(self, error: DragomanError, ready: bool, now: float) -> Command:
        asked = error.retry_after if isinstance(error, ProviderError) else None
        wait = self._backoff() if asked is None else asked
        if wait > LONGEST_BACKOFF_SECONDS and ready:
            return GiveUp(f"the provider asks for {wait:g} s and another target is there")
        if wait > self._bounds.longest_wait_seconds:
            return GiveUp(f"the provider asks for {wait:g} s, which is longer than a call waits")
        if now + wait - self._started >= self._bounds.seconds:
            return GiveUp(f"the bound of {self._bounds.seconds:g} s is reached")
        if self._budget is not None and not self._budget.may_retry(now):
            return GiveUp("the share of traffic that may be retries is used up")
        return self._take(self._target, wait, f"retry after {type(error).__name__}")

    def _elsewhere(self, reason: str, now: float) -> Command:
        if len(self._closed) == len(self._left):
            return GiveUp("every target had its tries")
        if now - self._started >= self._bounds.seconds:
            return GiveUp(f"the bound of {self._bounds.seconds:g} s is reached")
        return self._choose(reason, now)

    def _backoff(self) -> float:
        ceiling = min(FIRST_WAIT_SECONDS * 2 ** (self._tried - 1), LONGEST_BACKOFF_SECONDS)
        return ceiling * (0.5 + 0.5 * self._random())

    def _choose(self, reason: str, now: float) -> Command:
        return self._chosen(None if self._selector is None else self._selector.choose(self._closed, now), reason)

    def _chosen(self, choice: Choice | None, reason: str) -> Command:
        if choice is None:
            return GiveUp("every target had its tries")
        target, wait, note = choice
        if target is None:
            return GiveUp(f"every target is cooling down{note}", wait)
        if self._refusals:
            note += self._refusals
            self._refusals = ""
        return self._take(target, wait, reason + note if note else reason)

    def _take(self, target: int, wait: float, reason: str) -> Try:
        self._tried = self._tried + 1 if target == self._target else 1
        self._target = target
        self._closed.add(target)
        self._left[target] -= 1
        self._attempts += 1
        return Try(target, wait, reason)
