"""What operators and their tools ask for: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.gateway.server.app import Route
from dragoman.gateway.server.refusals import JSON_TYPE
from dragoman.observe.metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.gateway.server.app import App, HeadCheck
    from dragoman.gateway.server.call import Call

__all__ = ["Health", "add_operations", "count_server"]

_NOT_CACHED = (b"cache-control", b"no-store")


class Health:
    """Whether this process should get requests: not before it is prepared, while it drains, or could only refuse them.

    `obstacle` is asked why it could only refuse them, and says None where it could not.
    """

    def __init__(self) -> None:
        self.ready = False
        self.draining = False
        self.obstacle: Callable[[], str | None] = lambda: None

    @property
    def standing(self) -> str:
        """One word: `ready`, `starting`, `draining` or `refusing`."""
        return self.told()[0]

    def told(self) -> tuple[str, str | None]:
        """The same, and the reason where it refuses."""
        if self.draining:
            return "draining", None
        if not self.ready:
            return "starting", None
        reason = self.obstacle()
        return ("ready", None) if reason is None else ("refusing", reason)


def add_operations(
    app: App, health: Health, exposition: Callable[[], Awaitable[bytes]], *, check: HeadCheck | None = None
) -> None:
    """Adds the three paths; `check` says who may read the metrics (None: everybody)."""

    async def healthz(call: Call) -> None:
        await call.respond(200, [JSON_TYPE, _NOT_CACHED], b'{"status":"alive"}')

    async def readyz(call: Call) -> None:
        standing, reason = health.told()
        body = msgspec.json.encode({"status": standing} if reason is None else {"status": standing, "reason": reason})
        await call.respond(200 if standing == "ready" else 503, [JSON_TYPE, _NOT_CACHED], body)

    async def metrics(call: Call) -> None:
        text = await exposition()
        await call.respond(200, [(b"content-type", CONTENT_TYPE), _NOT_CACHED], text)

    app.add("GET", "/healthz", Route(healthz))
    app.add("GET", "/readyz", Route(readyz))
    app.add("GET", "/metrics", Route(metrics) if check is None else Route(metrics, check=check))


def count_server(metrics: Metrics, app: App) -> None:
    """Lets the metrics read what the server counts."""
    metrics.read_gauge("dragoman_connections", "Connections of clients.", lambda: app.connections)
    metrics.read_gauge("dragoman_requests_in_flight", "Requests being answered.", lambda: len(app.running))
    metrics.read_gauge(
        "dragoman_request_bytes_in_flight", "Bytes of request bodies that are held.", lambda: app.bytes_in_flight
    )
    metrics.read_counter("dragoman_refused", "Requests that the server refused, by reason.", "code", app.refused.items)
