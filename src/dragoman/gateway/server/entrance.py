"""Requests enter their handlers a few in each turn of the loop.

To begin an answer takes a hundred times as long as to pass on an event. When hundreds of requests come at once, all who
are being answered already would wait until the last of them had begun.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.server.protocol import GuardedProtocol

__all__ = ["Entrance"]

_AT_ONCE: Final = 8
"""So many begin in one turn: their work lasts about a millisecond."""


class Entrance:
    """Who may begin now, and who waits for the next turn, in order. For the loop's thread alone."""

    __slots__ = ("_begun", "_waiting")

    def __init__(self) -> None:
        self._begun = 0
        self._waiting: deque[tuple[GuardedProtocol, Call]] = deque()

    def enter(self, connection: GuardedProtocol, call: Call) -> None:
        """Begins the call in this turn, or in one of the next."""
        if self._begun == 0:
            connection.loop.call_soon(self._turn)
        elif self._begun >= _AT_ONCE:
            self._waiting.append((connection, call))
            return
        self._begun += 1
        connection.enter(call)

    def _turn(self) -> None:
        self._begun = 0
        waiting = self._waiting
        while waiting and self._begun < _AT_ONCE:
            connection, call = waiting.popleft()
            if self._begun == 0:
                connection.loop.call_soon(self._turn)
            self._begun += 1
            connection.enter(call)
