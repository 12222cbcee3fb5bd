"""Every bound of the server, with its default."""

from __future__ import annotations

import msgspec

__all__ = ["ServerLimits"]

KIB = 1024
MIB = 1024 * KIB


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one process takes from all clients, and from each. Sizes are in bytes, times in seconds.

    Bytes of heads are counted before the parser holds them, so a head costs at most twice `head_bytes`. A body must
    bring `progress_bytes` in every `progress_seconds` and end within `body_seconds`; an answer must make some way to
    its reader in every `write_seconds`.
    """

    connections: int = 8192
    requests: int = 1024
    """Requests in flight; one more is refused with 503 and Retry-After."""
    bytes_in_flight: int = 256 * MIB
    """Request bodies held, of all requests together; bytes beyond are refused with 503 and Retry-After."""
    pipelined: int = 16
    """Whole requests of one connection that wait for their turn; beyond, what follows is not read."""

    head_bytes: int = 32 * KIB
    headers: int = 100
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    """Longer than the 60 s after which common load balancers close, so that they never send into a closing one."""

    body_bytes: int = 32 * MIB
    body_seconds: float = 300.0
    progress_bytes: int = 2560
    progress_seconds: float = 10.0

    write_seconds: float = 60.0
    linger_seconds: float = 3.0
    """How long a refused client may go on sending before its connection is cut: cut at once, it would not read why."""

    tick_seconds: float = 0.25
    """How often deadlines are looked at."""
    retry_after_seconds: int = 1
    """What a client is told to wait when a bound in flight is reached."""
