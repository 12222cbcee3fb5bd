"""Permits: leave to make one attempt, acquired before it and settled or abandoned after it, whatever happens between.

Whoever guards something (capacity, money) implements `Permits`. The default, `InFlight`, refuses nothing and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.values import Attempt

__all__ = ["InFlight", "Permit", "Permits"]


class Permit(Protocol):
    """One leave. Exactly one of the two is called, once."""

    def settle(self, attempt: Attempt) -> None:
        """The attempt was made, and came to this."""
        ...

    def abandon(self) -> None:
        """The attempt was never made."""
        ...


class Permits(Protocol):
    """Gives leave. May wait; raises a `DragomanError` (whose remedy routing goes by) to refuse."""

    async def acquire(self, deployment: Deployment, reason: str) -> Permit:
        """Leave for one attempt at this deployment; `reason` says why it is made."""
        ...


class InFlight:
    """Counts the attempts in flight per deployment name, and refuses none."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    async def acquire(self, deployment: Deployment, reason: str = "") -> Permit:
        name = deployment.name
        self._counts[name] = self._counts.get(name, 0) + 1
        return _Counted(self._counts, name)

    @property
    def total(self) -> int:
        """Attempts in flight now."""
        return sum(self._counts.values())

    def of(self, deployment: Deployment) -> int:
        """Attempts in flight at this deployment now."""
        return self._counts.get(deployment.name, 0)


class _Counted:
    __slots__ = ("_counts", "_name")

    def __init__(self, counts: dict[str, int], name: str) -> None:
        self._counts = counts
        self._name = name

    def settle(self, attempt: Attempt) -> None:
        self._release()

    def abandon(self) -> None:
        self._release()

    def _release(self) -> None:
        left = self._counts[self._name] - 1
        if left:
            self._counts[self._name] = left
        else:
            del self._counts[self._name]
