"""How fast a connection goes: since when it is in its phase, what came of a body, and what its reader took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.gateway.server.refusals import RequestRefused

if TYPE_CHECKING:
    from dragoman.gateway.server.limits import ServerLimits

__all__ = ["Pace", "too_slow"]


class Pace:
    """Of one connection; times are the loop's seconds."""

    __slots__ = ("_limits", "_mark", "_mark_since", "_pending_since", "pending", "since")

    def __init__(self, limits: ServerLimits, now: float) -> None:
        self._limits = limits
        self.since = now
        """When the phase began that is looked at."""
        self.pending = 0
        """Bytes that the reader had not taken, when that was looked at last."""
        self._pending_since = 0.0
        self._mark = 0  # bytes of the body that had come, and when that was
        self._mark_since = 0.0

    def begin(self, now: float) -> None:
        """Another phase begins; what came of a body counts on."""
        self.since = self._mark_since = now

    def begin_body(self) -> None:
        """A head has come: its phase goes on with its body, of which nothing has come."""
        self._mark, self._mark_since = 0, self.since

    def is_stalled(self, pending: int, now: float) -> bool:
        """Whether the reader has taken nothing for too long."""
        if pending != self.pending:
            self.pending, self._pending_since = pending, now
        return pending > 0 and now - self._pending_since > self._limits.write_seconds

    def excuse(self, now: float) -> None:
        """It is us who are slow."""
        self._mark_since = now

    def lag(self, received: int, now: float) -> RequestRefused | None:
        """The refusal of a body of which too little has come since it was last looked at, or looked at long ago."""
        limits = self._limits
        if now - self._mark_since <= limits.progress_seconds:
            return None
        came = received - self._mark
        self._mark, self._mark_since = received, now
        if came >= limits.progress_bytes:
            return None
        return too_slow(f"{limits.progress_bytes} bytes of the body", limits.progress_seconds)


def too_slow(what: str, seconds: float) -> RequestRefused:
    """408: this did not come in time."""
    return RequestRefused(408, "too_slow", f"{what} did not come within {seconds:g} s", close=True)
