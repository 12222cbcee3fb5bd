"""Which handler a request goes to, and how many requests there may be at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING

from dragoman.gateway.server.entrance import Entrance
from dragoman.gateway.server.known_heads import KnownHeads
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.refusals import Answer, Disconnected, RequestRefused, plain_answer
from dragoman.transport.gathering import Outbox

if TYPE_CHECKING:
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.server.loopback import KeylessGuard

__all__ = ["App", "Handler", "HeadCheck", "Refuse", "Route"]

logger = logging.getLogger("dragoman.gateway")

Handler = Callable[["Call"], Awaitable[None]]
Refuse = Callable[["Call", RequestRefused], Answer]
"""Turns a refusal into an answer of the shape that this path's clients read; it must not raise."""
HeadCheck = Callable[["Call"], None]
"""Looks at a request before its body is read; raises `RequestRefused`."""


def _refuse_plainly(_call: Call, refusal: RequestRefused) -> Answer:
    return plain_answer(refusal)


@dataclass(frozen=True, eq=False)
class Route:
    """One method of one path, or of all paths that begin with a prefix."""

    handler: Handler
    body_bytes: int | None = None
    """The longest body; None: as the limits of the server say."""
    streamed_body: bool = False
    """Enter the handler with the head, and give the body out as it comes (`Call.pieces`)."""
    json: bool = True
    """While no key is asked for, a body must be declared to be JSON."""
    check: HeadCheck | None = None
    refuse: Refuse = _refuse_plainly
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Whatever else the handlers, the check and `refuse` want to know of a route, such as its dialect."""


async def _never(_call: Call) -> None:
    raise AssertionError("a refused request has no handler")


NO_ROUTE = Route(_never)
"""The route of requests that are refused before theirs is known."""


class App:
    """Routes by exact path, then by the longest prefix. Shared by all connections of a process; owned by its loop."""

    def __init__(
        self,
        limits: ServerLimits | None = None,
        *,
        keyless: KeylessGuard | None = None,
    ) -> None:
        self.limits = limits or ServerLimits()
        self.keyless = keyless
        """Set while no key is asked for."""
        self.draining = False
        self.running: set[Call] = set()
        self.bytes_in_flight = 0
        self.connections = 0
        self.refused: Counter[str] = Counter()
        """Refusals by their code: a closed set of names of ours."""
        self.heads = KnownHeads(self.limits.head_bytes)
        self.date_line = b""
        self.refresh_date()
        self.entrance = Entrance()
        self._outbox: Outbox | None = None
        self._exact: dict[str, dict[str, Route]] = {}
        self._prefixes: list[tuple[str, dict[str, Route]]] = []

    def add(self, method: str, path: str, route: Route) -> None:
        """A route for one path; GET answers HEAD too."""
        self._exact.setdefault(path, {})[method] = route
        self.heads.forget()

    def add_prefix(self, methods: str, prefix: str, route: Route) -> None:
        """A route for all paths that begin so; `methods` are words of one string, `*` is every method."""
        found = next((table for known, table in self._prefixes if known == prefix), None)
        if found is None:
            found = dict[str, Route]()
            self._prefixes.append((prefix, found))
            self._prefixes.sort(key=lambda entry: -len(entry[0]))
        for method in methods.split():
            found[method] = route
        self.heads.forget()

    def find(self, method: str, path: str) -> Route:
        """The route of a request; raises 404 or 405."""
        table = self._exact.get(path)
        if table is None:
            table = next((table for prefix, table in self._prefixes if path.startswith(prefix)), None)
            if table is None:
                raise RequestRefused(404, "not_found", f"there is nothing at {path[:200]!r}{self._near(path)}")
        route = table.get(method) or table.get("*") or (table.get("GET") if method == "HEAD" else None)
        if route is None:
            raise RequestRefused(
                405,
                "method_not_allowed",
                f"{method} is not a method of {path[:200]!r}",
                headers=[(b"allow", ", ".join(sorted(table)).encode())],
            )
        return route

    def _near(self, path: str) -> str:
        """Advice where a base address has a part too many or too few: some clients add the version, others do not."""
        first, _, rest = path[1:].partition("/")
        for near, told in ((f"/{rest}", f"has '/{first}' too many"), (f"/v1{path}", "lacks '/v1'")):
            if near in self._exact or any(near.startswith(prefix) for prefix, _ in self._prefixes):
                return f"; did you mean {near[:200]!r}? The base address of the client {told[:100]}"
        return ""

    def overloaded(self, what: str, *, close: bool = False) -> RequestRefused:
        """503: a bound on what is in flight was reached."""
        wait = self.limits.retry_after_seconds
        return RequestRefused(
            503, "overloaded", f"the gateway has as many {what} in flight as it takes", retry_after=wait, close=close
        )

    def outbox(self, loop: asyncio.AbstractEventLoop) -> Outbox:
        """Where whole answers of this loop are gathered."""
        outbox = self._outbox
        if outbox is None or outbox.loop is not loop:
            outbox = self._outbox = Outbox(loop)
        return outbox

    def refresh_date(self) -> None:
        """Writes the Date header anew: once a second is often enough."""
        self.date_line = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"

    def settles(self, call: Call, error: BaseException) -> bool:
        """Deals with what a handler raised: the request is answered, or its connection cut. False: raise it again."""
        if isinstance(error, RequestRefused):
            self.answer_refusal(call, error)
        elif isinstance(error, asyncio.CancelledError):
            if call.expired and not call.gone:
                self.answer_refusal(call, stopping())
            return call.gone or call.expired
        elif isinstance(error, Exception):
            if not isinstance(error, Disconnected):
                logger.error("%s %s failed", call.method, call.path, exc_info=error)
                self.answer_refusal(call, RequestRefused(500, "internal_error", "the gateway failed", close=True))
        else:
            return False
        return True

    def answer_refusal(self, call: Call, refusal: RequestRefused) -> None:
        """Answers with the refusal, if nothing was answered yet."""
        self.refused[refusal.code] += 1
        if not call.started:
            call.keep_alive = call.keep_alive and not refusal.close
            call.answer(call.route.refuse(call, refusal))


def stopping() -> RequestRefused:
    """503: the process is about to end; another one may answer."""
    return RequestRefused(503, "stopping", "the gateway is stopping", retry_after=1, close=True)
