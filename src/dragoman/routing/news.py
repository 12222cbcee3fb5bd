"""News: what one process tells the others of a deployment's breaker, so that each need not find it out by itself.

Told are openings, waits that a provider asked for, dead credentials and recoveries. What is merely inferred (a pause
after a 429 that named no time, a learned cap) is not: it would add up over the processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dragoman.routing.standing import Standing

__all__ = ["StandingNews", "news_of"]


class StandingNews(msgspec.Struct, frozen=True, kw_only=True):
    """How a breaker stands. `seconds` is how long it is still shut, for clocks of two processes need not agree.

    With neither `opened` nor `seconds` it is closed. The other members are those of `Standing`.
    """

    key: str
    name: str
    credential: str
    seconds: float
    opened: bool = False
    certain: bool = False
    dead: bool = False
    failures: int = 0
    cooldown: float = 0.0
    why: str = ""

    @property
    def closed(self) -> bool:
        """Whether the deployment may be asked like any other."""
        return not self.opened and self.seconds <= 0.0


def news_of(standing: Standing, now: float) -> StandingNews:
    """What there is to tell of a standing."""
    return StandingNews(
        key=standing.key,
        name=standing.name,
        credential=standing.credential,
        seconds=max(0.0, standing.shut_until - now),
        opened=standing.opened,
        certain=standing.certain,
        dead=standing.dead,
        failures=standing.failures,
        cooldown=standing.cooldown,
        why=standing.why,
    )
