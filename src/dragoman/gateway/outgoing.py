"""What is learnt from the bytes of an answer on their way to the client: issued state, and containers left behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dragoman.gateway.replay_memory import may_hold_state

if TYPE_CHECKING:
    from dragoman.gateway.replay_memory import ReplayMemory

__all__ = ["Outgoing", "may_tell"]

_CONTAINER: Final = re.compile(
    rb'"container(?:_id)?"\s*:\s*(?:\{[^{}]{0,200}?"id"\s*:\s*)?"((?:container|cntr)_[A-Za-z0-9_-]{8,200})"'
)


def may_tell(data: bytes) -> bool:
    """Whether there may be anything to learn here: most answers have nothing."""
    return data.find(b'"container') >= 0 or may_hold_state(data)


class Outgoing:
    """Reads along with one answer. `containers` are those in which its provider ran code."""

    __slots__ = ("_memory", "containers")

    def __init__(self, memory: ReplayMemory) -> None:
        self._memory = memory
        self.containers: dict[str, None] = {}

    def see(self, data: bytes, issuer: str) -> None:
        """Whole events, or a whole body."""
        if may_hold_state(data):
            self._memory.issued(data, issuer)
        if data.find(b'"container') >= 0:
            for found in _CONTAINER.findall(data):
                self.containers[found.decode()] = None
