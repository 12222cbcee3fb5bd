"""HTTP status → class of error, where a dialect's own code does not decide; and back, for wires that say no more."""

from __future__ import annotations

from typing import Final

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    ConfigError,
    ConnectFailed,
    ContentBlocked,
    DragomanError,
    InvalidRequest,
    MissingModel,
    NotFound,
    Overloaded,
    PermissionDenied,
    PoolExhausted,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    TimedOut,
    TransportError,
    UnknownName,
    UnknownProvider,
    Unsupported,
    UpstreamTimeout,
)

__all__ = ["by_status", "status_of"]

_BY_STATUS: dict[int, type[ProviderError]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    405: NotFound,
    408: UpstreamTimeout,
    410: NotFound,
    413: RequestTooLarge,
    422: BadRequest,
    425: Overloaded,
    429: RateLimited,
    498: Overloaded,  # Groq: flex tier has no capacity
    500: ServerFault,
    502: ServerFault,
    503: Overloaded,
    504: UpstreamTimeout,
    524: UpstreamTimeout,  # Cloudflare: the origin did not answer in time
    529: Overloaded,  # Anthropic: overloaded
}


def by_status(status: int | None) -> type[ProviderError]:
    """The class for a status; other 4xx are the request's fault, anything else the server's."""
    if status is None:
        return ServerFault
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return BadRequest if 400 <= status < 500 else ServerFault


# The first class that an error is an instance of decides, so special ones stand before general ones.
_BY_CLASS: Final[tuple[tuple[type[DragomanError], int], ...]] = (
    (InvalidRequest, 400),
    (Unsupported, 400),
    (UnknownName, 404),
    (UnknownProvider, 404),
    (MissingModel, 400),
    (ConfigError, 500),
    (AuthenticationFailed, 401),
    (PermissionDenied, 403),
    (QuotaExhausted, 402),
    (NotFound, 404),
    (ContentBlocked, 400),
    (BadRequest, 400),
    (RequestTooLarge, 413),
    (RateLimited, 429),
    (Overloaded, 503),
    (UpstreamTimeout, 504),
    (ProviderError, 502),
    (ConnectFailed, 502),
    (TimedOut, 504),
    (PoolExhausted, 503),
    (TransportError, 502),
)


def status_of(error: DragomanError) -> int:
    """The status that a client is answered with."""
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)
