"""One request as far as it is the same for all public paths: who calls, which route, what is refused, and how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.accounts import secret_in
from dragoman.dialects import load
from dragoman.errors import (
    AuthenticationFailed,
    BadRequest,
    DragomanError,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    RequestTooLarge,
    ServerFault,
    UpstreamTimeout,
)
from dragoman.gateway.answers import error_answer
from dragoman.gateway.request_facts import adaptations_record
from dragoman.gateway.server.refusals import Answer, Disconnected, RequestRefused, refusal_headers
from dragoman.ledger.identity import new_attempt_id
from dragoman.ledger.permits import CallScope
from dragoman.ledger.records import RequestRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dragoman.accounts import Lease, Principal
    from dragoman.gateway.bookkeeping import Bookkeeping, Books
    from dragoman.gateway.generation import Generation
    from dragoman.gateway.holdings import Holdings
    from dragoman.gateway.ingress.asked import PublicDialect
    from dragoman.gateway.replay_memory import ReplayMemory
    from dragoman.gateway.request_facts import RequestFacts
    from dragoman.gateway.routes import PublicRoute
    from dragoman.gateway.server.call import Call
    from dragoman.values import Adaptation

__all__ = ["Desk", "Visit", "refuse_as"]


_CLASSES: Final[dict[int, type[ProviderError]]] = {
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    408: UpstreamTimeout,
    413: RequestTooLarge,
    503: Overloaded,
}


def refuse_as(public: PublicDialect) -> Callable[[Call, RequestRefused], Answer]:
    """Writes the server's own refusals in a dialect."""

    def refuse(_call: Call, refusal: RequestRefused) -> Answer:
        kind = _CLASSES.get(refusal.status, ServerFault if refusal.status >= 500 else BadRequest)
        error = kind(refusal.message, status=refusal.status, code=refusal.code)
        encoded = load(public.name).encode_error(error)
        return Answer(refusal.status, refusal_headers(refusal), msgspec.json.encode(encoded.body))

    return refuse


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What every request goes through, one per process.

    `generation` gives the configuration that new requests begin with; `books` are where attempts are written, and
    `facts` where they are read. `holdings` know whose the objects of providers are, `memory` whose the state in
    requests is.
    """

    generation: Callable[[], Generation]
    books: Books
    holdings: Holdings
    facts: RequestFacts
    memory: ReplayMemory
    hold_seconds: float = 10.0


class Visit:
    """One request of a client: made with its head, over when `run` returns."""

    __slots__ = (
        "_lease",
        "began",
        "call",
        "desk",
        "generation",
        "keeping",
        "principal",
        "public",
        "request_id",
        "route",
        "tried",
    )

    principal: Principal
    """Set before the work begins."""
    keeping: Bookkeeping | None
    """The books of the request's attempts, once there may be any."""

    def __init__(self, desk: Desk, call: Call, public: PublicDialect) -> None:
        self.began = time.perf_counter()
        self.desk = desk
        self.call = call
        self.public = public
        self.request_id = f"req_{new_attempt_id().hex()}"
        self.generation = desk.generation()
        self.route: PublicRoute | None = None
        self.tried = False
        self.keeping = None
        self._lease: Lease | None = None

    async def run(self, work: Callable[[Visit], Awaitable[None]]) -> None:
        """Does the work for whoever may have it done; an error becomes an answer in the client's dialect."""
        call = self.call
        call.cancel_on_disconnect = True
        self.generation.enter()
        try:
            self.principal = self._authenticate()
            await work(self)
        except (Disconnected, RequestRefused):
            raise
        except DragomanError as error:
            await self._refuse(error)
        finally:
            if self._lease is not None:
                self._lease.release()
            self.generation.leave()
            self._count()

    def _authenticate(self) -> Principal:
        call, keys = self.call, self.generation.keys
        secret = secret_in(call.fields, call.query, in_query=self.public.name == "gemini")
        principal = keys.find(secret)
        if principal is not None:
            return principal
        if secret is None:
            raise _refused("no key was given: send it as `Authorization: Bearer …`, x-api-key or x-goog-api-key")
        raise _refused("this key is not one of the gateway's")

    def usable_route(self, model: str) -> PublicRoute:
        """The route of a model, for whoever may use it. Raises `NotFound` or `PermissionDenied`."""
        route = self.generation.routes.find(model)
        if not self.principal.may_use(route.name):
            raise _own(
                PermissionDenied(model, status=403, code="model_not_allowed", param="model"),
                f"this key may not use the model {model!r}",
            )
        return route

    def admit(self, model: str) -> PublicRoute:
        """The same for a request, which counts against the limits of the key. Raises `LimitReached` too."""
        self.route = route = self.usable_route(model)
        self._lease = self.principal.admit_at(time.monotonic())
        return route

    def admit_call(self) -> None:
        """A request for which there is no route counts against the key's limits too. Raises `LimitReached`."""
        self._lease = self.principal.admit_at(time.monotonic())

    def scope(self, dialect: str, *, stream: bool = False) -> CallScope:
        """Who asks, and for what, as the ledger has it."""
        return CallScope(
            request_id=self.request_id,
            key=self.principal.name,
            team=self.principal.team,
            route=self.route.label if self.route is not None else "",
            dialect_in=dialect,
            stream=stream,
        )

    def record(self, status: int, adaptations: Sequence[Adaptation] = ()) -> None:
        """Writes down how the request was answered, for whoever asks about it later."""
        self.desk.books.spool.request(
            RequestRecord(
                request_id=self.request_id,
                at=time.time(),
                key=self.principal.name,
                team=self.principal.team,
                route=self.route.label if self.route is not None else "",
                status=status,
                adaptations=adaptations_record(adaptations),
            )
        )

    async def respond(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """A whole answer."""
        await self.call.respond(status, headers, body)

    async def _refuse(self, error: DragomanError) -> None:
        if self.call.started:
            raise error
        codec = load(self.public.name)
        status, headers, body = error_answer(error, codec, self.public, self.request_id, tried=self.tried)
        if self.tried and error.attempts:
            self.record(status)
        await self.call.respond(status, headers, body)

    def _count(self) -> None:
        name = self.route.label if self.route is not None else ""
        took = time.perf_counter() - self.began
        own = None if self.keeping is None else max(took - self.keeping.waited_seconds, 0.0)
        self.desk.books.metrics.request(name, self.public.name, self.call.status, took, own)


def _refused(said: str) -> DragomanError:
    return _own(AuthenticationFailed(said, status=401, code="invalid_api_key"), said)


def _own(error: DragomanError, said: str) -> DragomanError:
    """An error of the gateway's own: no provider was asked, so none is spoken of."""
    error.message = said
    error.args = (said,)
    if isinstance(error, ProviderError):
        error.provider_message = said
    return error
