"""A thread that has the processor when nobody else wants it, and its share again where that gets it nowhere.

On Linux a thread of the policy SCHED_IDLE gives way at once to any other that wakes up, where one of a lower priority
is let go on for its slice: of a request beside the ledger's writer, on one core, the p99 is 0.3 ms, and was 2. Where
others want all of the core it would get next to nothing, while it may hold the database's lock. So somebody looks how
long it waits for the processor, and gives it its ordinary share for a while when that is long.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOOK_SECONDS", "Times", "Yielding", "may_yield"]

LOOK_SECONDS: Final = 0.1
STARVED_SECONDS: Final = 0.05
LEAST_SHARE: Final = 0.05
"""A thread starves if it waited so long since the last look, and ran for less than this share of that."""
BEHIND_SECONDS: Final = 3.0
"""Nor may it be at work without an end: then it does not keep up."""
ORDINARY_SECONDS: Final = 10.0


def may_yield() -> bool:
    """Whether this process may let a thread yield, and take that back.

    Linux allows it to root and to whoever may have the niceness that the process has (`LimitNICE=` of systemd, `ulimit
    -e`); no other system has the policy.
    """
    if not hasattr(os, "SCHED_IDLE"):
        return False
    allowed: list[bool] = []

    def attempt() -> None:
        try:
            _set(0, True)
            _set(0, False)
            _times(threading.get_native_id())
        except (OSError, ValueError):
            return
        allowed.append(True)

    # In a thread of its own, which would else be left at the policy that it cannot leave.
    trial = threading.Thread(target=attempt)
    trial.start()
    trial.join()
    return bool(allowed)


class Times(NamedTuple):
    """Of a thread: seconds on the processor, and seconds of waiting for it."""

    ran: float
    waited: float


class Yielding:
    """One thread of this process; `look` is to be called from another one, every `LOOK_SECONDS` while it is at work.

    `times` tells how it fares, `set_policy` is what changes its policy.
    """

    def __init__(
        self,
        thread: int,
        *,
        times: Callable[[int], Times] | None = None,
        set_policy: Callable[[int, bool], None] | None = None,
    ) -> None:
        """`thread` is its native id. From now on it yields. Raises OSError where that is not allowed."""
        self._thread = thread
        self._read = times or _times
        self._set_policy = set_policy or _set
        self._before = self._read(thread)
        self._ordinary_until = 0.0
        self._behind_from: float | None = None
        self.yields = True
        self._set_policy(thread, True)

    def look(self, now: float, *, at_work: bool) -> None:
        """Takes the thread's policy back, or sets it again, as it fares."""
        before, self._before = self._before, self._read(self._thread)
        waited, ran = self._before.waited - before.waited, self._before.ran - before.ran
        if not at_work:
            self._behind_from = None
        elif self._behind_from is None:
            self._behind_from = now
        starved = waited > STARVED_SECONDS and ran < waited * LEAST_SHARE
        behind = self._behind_from is not None and now - self._behind_from > BEHIND_SECONDS
        if self.yields and (starved or behind):
            self._change(yields=False)
            self._ordinary_until = now + ORDINARY_SECONDS
        elif not self.yields and now >= self._ordinary_until:
            self._change(yields=True)
            self._behind_from = None

    def end(self) -> None:
        """It yields no more: somebody waits for it."""
        self._change(yields=False)

    def _change(self, *, yields: bool) -> None:
        self._set_policy(self._thread, yields)
        self.yields = yields


def _set(thread: int, yields: bool) -> None:
    os.sched_setscheduler(thread, os.SCHED_IDLE if yields else os.SCHED_OTHER, os.sched_param(0))


def _times(thread: int) -> Times:
    ran, waited, _ = Path(f"/proc/self/task/{thread}/schedstat").read_text().split()
    return Times(int(ran) / 1e9, int(waited) / 1e9)
