"""What a strategy is: it chooses one of the options that are available, or ranks them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

__all__ = ["Strategy"]


class Strategy:
    """Chooses among the options of a tier: those that are well, not full, and not tried yet in this call.

    `choose` is called for a call's first attempt and again for each other deployment that it turns to, and may keep
    count; `rank` tells the order in which it would choose now, and changes nothing. `wants` names what of traffic it
    goes by ("pace", "mix"). One that looks `across` tiers is given all of them at once. One that never `declines` has
    one of the options asked, whatever they are. One strategy may serve several routes: what it remembers, it remembers
    by `Option.key`.
    """

    name: ClassVar[str] = ""
    wants: frozenset[str] = frozenset()
    across: ClassVar[bool] = False
    declines: ClassVar[bool] = True

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        """One of the options, of which there is at least one; None to have none of them asked."""
        raise NotImplementedError

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        """The options in the order in which they would be chosen."""
        raise NotImplementedError

    def allowed(self, call: Call, options: Sequence[Option], random: Callable[[], float]) -> Sequence[Option]:
        """Those that may be asked at all."""
        return options

    def of_tier(self, tier: int) -> Strategy | None:
        """The strategy of one tier; None for the order in which the options stand."""
        return self

    def told(self, call: Call, option: Option, now: float) -> str:
        """What speaks for an option, in a few words for people; empty where there is nothing to say."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
