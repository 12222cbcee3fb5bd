"""HTTP status → class of error, where a dialect's own code does not decide."""

from __future__ import annotations

from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerFault,
    UpstreamTimeout,
)

__all__ = ["by_status"]

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
