"""A function of one's own: `(call, candidates) -> order`."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from dragoman.errors import ConfigError
from dragoman.routing.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dragoman.routing.call import Call
    from dragoman.routing.lineup import Option

    Choosing = Callable[[Call, Sequence[Option]], Any]

__all__ = ["Custom", "Ordered"]


class Custom(Strategy):
    """Asks a function, plain or asynchronous, once a call, before the first attempt.

    It is given the call and all candidates of the route, and gives those to be asked, in order: candidates, or their
    indexes or names; one alone may stand without a list. Who is left out is not asked. Health and capacity are
    respected all the same.
    """

    name = "function"
    across = True

    def __init__(self, function: Choosing) -> None:
        self.function = function

    def decide(self, call: Call, options: Sequence[Option]) -> tuple[int, ...] | Awaitable[tuple[int, ...]]:
        """The order, as indexes. Raises `ConfigError` for what is no order."""
        told: Any = self.function(call, options)
        if isawaitable(told):
            return self._awaited(told, options)
        return self._order(told, options)

    async def _awaited(self, told: Awaitable[Any], options: Sequence[Option]) -> tuple[int, ...]:
        return self._order(await told, options)

    def _order(self, told: Any, options: Sequence[Option]) -> tuple[int, ...]:
        if isinstance(told, (str, int)) or hasattr(told, "standing"):
            told = (told,)
        order: list[int] = []
        for each in told:
            index = _index(each, options)
            if index is None:
                names = ", ".join(option.name for option in options)
                raise ConfigError(f"a routing function named {each!r:.80}, and the route has {names}")
            if index not in order:
                order.append(index)
        if not order:
            raise ConfigError("a routing function left nobody to be asked")
        return tuple(order)

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        raise NotImplementedError("the order is asked for once, before the first attempt")

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        told = self.function(call, options)
        if isawaitable(told):
            close: Any = getattr(told, "close", None)
            if close is not None:
                close()
            raise ConfigError("this routing function is asynchronous; await dragoman.routing.aexplain")
        by_index = {option.index: option for option in options}
        return [by_index[index] for index in self._order(told, options)]

    def __repr__(self) -> str:
        return f"Custom({getattr(self.function, '__name__', self.function)!s})"


class Ordered(Strategy):
    """An order that was worked out for one call."""

    name = "function"
    across = True

    def __init__(self, order: Sequence[int]) -> None:
        self._places = {index: place for place, index in enumerate(order)}

    def choose(self, call: Call, options: Sequence[Option], now: float, random: Callable[[], float]) -> Option | None:
        ranked = self.rank(call, options, now)
        return ranked[0] if ranked else None

    def allowed(self, call: Call, options: Sequence[Option], random: Callable[[], float]) -> Sequence[Option]:
        return [option for option in options if option.index in self._places]

    def rank(self, call: Call, options: Sequence[Option], now: float) -> list[Option]:
        named = [option for option in options if option.index in self._places]
        return sorted(named, key=lambda option: self._places[option.index])


def _index(each: Any, options: Sequence[Option]) -> int | None:
    for option in options:
        if each is option or option.name == each or option.deployment.name == each:
            return option.index
        if isinstance(each, int) and not isinstance(each, bool) and option.index == each:
            return option.index
    return None
