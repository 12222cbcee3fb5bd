"""How long to wait before a worker that died is started again."""

from __future__ import annotations

__all__ = ["Restarts"]

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 10.0
HEALTHY_SECONDS = 30.0
"""A worker that was ready for so long had a reason of its own to die: its successor starts at once."""


class Restarts:
    """Counts the deaths in a row of one worker's place. The first is followed at once, each further one later."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self.total = 0

    def delay(self, ready_seconds: float) -> float:
        """Notes a death after so many seconds of readiness; returns how many to wait."""
        self.total += 1
        self._in_a_row = 0 if ready_seconds >= HEALTHY_SECONDS else self._in_a_row + 1
        if self._in_a_row <= 1:
            return 0.0
        return min(FIRST_SECONDS * 2 ** min(self._in_a_row - 2, 10), LONGEST_SECONDS)
