"""What one call says besides its request, and the clock it goes by."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.routing.call import Call
    from dragoman.routing.permits import Permits
    from dragoman.transport import Timeout
    from dragoman.values import AdaptationPolicy

__all__ = ["CallSettings", "Clock", "LoopClock"]


class Clock(Protocol):
    """Time and waiting, so that tests can give their own."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """The running loop's own clock."""

    # What the loops themselves go by; asked of the loop it would cost a look-up of the running one.
    now = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


_LOOP_CLOCK: Final = LoopClock()


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The policy on adaptations, the limits of each attempt, the retries of each target, the clock and the dice.

    `permits` are those of this one call, in place of the route's: whoever calls on behalf of others knows for whom.
    `call` is what strategies may know of it, where there is more to know than the request tells. `order` is what a
    routing function of the caller's decided already (see `strategies.Custom`).
    """

    adapt: AdaptationPolicy = "note"
    timeout: Timeout | None = None
    max_retries: int | None = None
    clock: Clock = _LOOP_CLOCK
    random: Callable[[], float] = random.random
    permits: Permits | None = None
    call: Call | None = None
    order: tuple[int, ...] | None = None
