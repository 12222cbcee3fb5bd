"""Metrics of all workers as one: what the living count, and what the dead had counted."""

from __future__ import annotations

from dragoman.observe.metrics import Snapshot, merge, without_gauges

__all__ = ["Sums"]


class Sums:
    """Keeps the last snapshot of each worker.

    A counter never falls when a worker dies, for its last snapshot stays; what it counted after that is lost with it.
    """

    def __init__(self) -> None:
        self._latest: dict[int, Snapshot] = {}
        self._departed = Snapshot()

    def note(self, worker: int, snapshot: Snapshot) -> None:
        """A worker's snapshot: everything since it started."""
        self._latest[worker] = snapshot

    def depart(self, worker: int) -> None:
        """The worker has ended; its successor counts from zero."""
        last = self._latest.pop(worker, None)
        if last is not None:
            self._departed = merge((self._departed, without_gauges(last)))

    def total(self) -> Snapshot:
        """All together."""
        return merge((self._departed, *self._latest.values()))
