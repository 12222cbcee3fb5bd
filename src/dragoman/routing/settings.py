"""What one call says besides its request, and the clock it goes by."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.transport import Timeout
    from dragoman.values import AdaptationPolicy

__all__ = ["CallSettings", "Clock", "LoopClock"]


class Clock(Protocol):
    """Time and waiting, so that tests can give their own."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """The running loop's own clock."""

    def now(self) -> float:
        import asyncio

        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


_LOOP_CLOCK: Final = LoopClock()


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The policy on adaptations, the limits of each attempt, the retries of each target, the clock and the dice."""

    adapt: AdaptationPolicy = "note"
    timeout: Timeout | None = None
    max_retries: int | None = None
    clock: Clock = _LOOP_CLOCK
    random: Callable[[], float] = random.random
