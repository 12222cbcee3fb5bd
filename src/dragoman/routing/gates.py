"""Gates: leave for the one probe of a deployment whose breaker is half-open."""

from __future__ import annotations

from typing import Protocol

__all__ = ["LocalGate", "ProbeGate"]

PROBE_SECONDS = 600.0


class ProbeGate(Protocol):
    """Lets one probe of a deployment through at a time, among all who share the gate.

    Neither method may wait, for a request waits behind them: a gate that processes share goes by what it can find out
    at once, such as a lock of the kernel's.
    """

    def begin(self, key: str, now: float) -> bool:
        """Whether the caller may probe; it then calls `end`, however the probe ends."""
        ...

    def end(self, key: str, *, recovered: bool, now: float) -> None: ...


class LocalGate:
    """The gate of one process. A probe of which nothing is heard for ten minutes is forgotten."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def begin(self, key: str, now: float) -> bool:
        if self._until.get(key, float("-inf")) > now:
            return False
        self._until[key] = now + PROBE_SECONDS
        return True

    def end(self, key: str, *, recovered: bool, now: float) -> None:
        self._until.pop(key, None)
