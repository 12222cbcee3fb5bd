"""The transport that deployments share when they are given none: one for the process, with a pool per running loop."""

from __future__ import annotations

from dragoman.transport import HttpTransport

__all__ = ["shared_transport"]

_shared: HttpTransport | None = None


def shared_transport() -> HttpTransport:
    """The process's own `HttpTransport`, made at its first use."""
    global _shared
    if _shared is None:
        _shared = HttpTransport()
    return _shared
