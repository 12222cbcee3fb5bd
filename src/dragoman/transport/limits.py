"""The bounds of our HTTP client: connections, waiters, ages and sizes. Limits of time per call are `seam.Timeout`."""

from __future__ import annotations

import msgspec

from dragoman.errors import ConfigError

__all__ = ["Statistics", "TransportLimits"]


class TransportLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one transport in one event loop; counts, bytes and seconds. All have to be positive, or `ConfigError`.

    `idle_seconds` is how long an unused connection is kept: long enough for a conversation's next turn, shorter than
    the minute after which load balancers usually hang up. A server that announces less (`Keep-Alive: timeout=`) gets
    less. `age_seconds` is how long a connection is used at all, so that changes of name records are noticed.
    `pool_wait_seconds` bounds the wait for a free connection when all are lent out.

    `body_bytes` bounds a body that is read whole; `unread_bytes` is how much of a stream is held for a reader that
    does not read before the other side is made to wait. A compressed body may grow to `expansion_free_bytes` plus
    `expansion_ratio` times what came over the wire.
    """

    connections: int = 1000
    connections_per_host: int = 500
    waiters: int = 4096
    pool_wait_seconds: float = 10.0
    idle_seconds: float = 15.0
    age_seconds: float = 300.0
    head_bytes: int = 64 * 1024
    header_count: int = 200
    interim_responses: int = 20
    body_bytes: int = 64 * 1024 * 1024
    unread_bytes: int = 256 * 1024
    expansion_free_bytes: int = 1024 * 1024
    expansion_ratio: int = 128

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not value > 0:
                raise ConfigError(f"TransportLimits.{name} is {value!r}; it has to be positive.")


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport holds in the running loop at this moment.

    `open` counts sockets that are established, `connecting` those that are not yet; `open` is `idle` plus `in_use`.
    `waiting` counts calls that wait for a connection.
    """

    open: int = 0
    idle: int = 0
    in_use: int = 0
    connecting: int = 0
    waiting: int = 0
