"""A call for an answer: attempts by the plan, and the answer whole or streamed.

The client's going cancels it (`Call.cancel_on_disconnect`): the attempt at hand closes its connection and is settled
with what was seen of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from dragoman.dialects.error_words import withheld
from dragoman.errors import DragomanError, Overloaded, ProviderError
from dragoman.gateway.answers import closing_comment, facts_headers, shown_error, stream_headers
from dragoman.gateway.attempts import Caller, RoutedBytes
from dragoman.gateway.bookkeeping import Bookkeeping
from dragoman.gateway.bounding import bound_of
from dragoman.gateway.caching import digest_of_call, wish_of
from dragoman.gateway.choosing import call_of, nearest, request_to_suit
from dragoman.gateway.held_streams import HeldStream
from dragoman.gateway.holdings import account_of
from dragoman.gateway.kept_answers import MISS, answer_again, keep_stream, keep_whole
from dragoman.gateway.outgoing import Outgoing, may_tell
from dragoman.gateway.pinning import made_by, may_name, pinned
from dragoman.gateway.response_cache import Hit
from dragoman.gateway.server.refusals import Disconnected
from dragoman.ledger.permits import Terms
from dragoman.routing import CallSettings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from dragoman.engine import Deployment
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.gateway.response_cache import Recording
    from dragoman.gateway.routes import PublicRoute
    from dragoman.gateway.visits import Visit
    from dragoman.routing import Route
    from dragoman.values import Response

__all__ = ["answer"]

_LARGE: Final = 1024 * 1024


async def answer(visit: Visit, asked: Asked) -> None:
    """Answers a call, whole or streamed, as it was asked."""
    if len(asked.outline) > _LARGE:
        await asyncio.sleep(0)  # to read it took milliseconds, and what follows takes some more: others go first
    route = visit.admit(asked.model)
    route.policy.check(asked.shape.steering, asked.tool_types(b'"mcp') if "tools" in asked.members else ())
    spoken = route.spoken(asked.dialect)
    if may_name(asked):
        spoken = await pinned(visit.principal, visit.desk.holdings, asked, spoken)
    cache = route.cache
    wish = None if cache is None else wish_of(visit.call.fields, cache, asked)
    if wish is None or cache is None:
        await _make(visit, route, spoken, asked, None)
        return
    # Who asked for a stream would else see nothing of it, nor a keep-alive, while another one's comes to its end.
    longest = visit.desk.hold_seconds if asked.stream else spoken.bounds.seconds
    turn = await cache.answers.turn(digest_of_call(visit.principal, route.name, asked), wish, longest)
    hit = isinstance(turn, Hit)
    visit.desk.books.metrics.cached(route.label, asked.dialect, "hit" if hit else "miss")
    if isinstance(turn, Hit):
        await answer_again(visit, route, asked, turn)
        return
    with turn:
        await _make(visit, route, spoken, asked, turn)


def _make(
    visit: Visit, route: PublicRoute, spoken: Route, asked: Asked, recording: Recording | None
) -> Coroutine[Any, Any, None]:
    caller, settings = _caller(visit, route, spoken, asked)
    visit.tried = True
    if asked.stream:
        return _stream(visit, caller, RoutedBytes(caller, settings), route, recording)
    return _whole(visit, caller, settings, recording)


def _caller(visit: Visit, route: PublicRoute, spoken: Route, asked: Asked) -> tuple[Caller, CallSettings]:
    def terms(deployment: Deployment) -> Terms:
        bound, reason = bound_of(asked, deployment, caller.request)
        return Terms(deployment.label or deployment.name, caller.mode(deployment), bound, reason)

    desk, principal = visit.desk, visit.principal
    issuers = tuple(desk.memory.issuers_in(asked.body)) if asked.holds_state else ()
    visit.keeping = books = Bookkeeping(desk.books, visit.scope(asked.dialect, stream=asked.stream), terms)
    if spoken.plain:
        issuer = spoken.candidates[0].deployment.access.target.issuer
        caller = Caller(asked, spoken, issuer, desk.memory, principal.name, issuers)
        return caller, CallSettings(permits=books)
    thinkers = desk.memory.thinkers_in(principal.name, asked.body)
    issuer = None
    if issuers or thinkers:
        spoken, issuer = nearest(spoken, dict.fromkeys((*issuers, *thinkers)))
    foremost = issuer or spoken.candidates[0].deployment.access.issuer
    caller = Caller(asked, spoken, foremost, desk.memory, principal.name, issuers)
    caller.suit = request_to_suit(spoken, asked, caller.request, route.fitting)
    call = call_of(asked, spoken, principal, visit.call.fields, issuer=issuer, request=caller.suit)
    return caller, CallSettings(permits=books, call=call)


async def _whole(visit: Visit, caller: Caller, settings: CallSettings, recording: Recording | None) -> None:
    whole, attempts = await caller.whole(settings)
    response, deployment = whole.response, whole.deployment
    containers: Iterable[str] = ()
    if may_tell(whole.body):
        outgoing = Outgoing(visit.desk.memory)
        outgoing.see(whole.body, deployment.access.issuer)
        containers = outgoing.containers
    left = _left_by(visit, caller, deployment, response, containers, whole.mode)
    if left:
        await visit.desk.holdings.record(visit.principal, account_of(deployment), left)
    name = deployment.label or deployment.name
    headers = facts_headers(visit.request_id, name, len(attempts), response.cost, whole.adaptations)
    if whole.adaptations:
        visit.record(200, whole.adaptations)
    # Bytes that passed come with the id that their sender gave them.
    shown = (response.request_id if whole.mode == "relay" else None) or visit.request_id
    headers.append((visit.public.request_id_header.encode(), shown.encode("ascii", "replace")))
    if recording is not None:
        headers.append(MISS)
        keep_whole(recording, whole, caller.asked)
    await visit.call.respond(200, headers, whole.body)


def _left_by(
    visit: Visit, caller: Caller, deployment: Deployment, response: Response, containers: Iterable[str], mode: str
) -> list[str]:
    """What an answer leaves with its provider, to be recorded before its last byte goes. Remembers its thoughts."""
    access = deployment.access
    if mode == "translate" and access.dialect != caller.asked.dialect:
        visit.desk.memory.thought(visit.principal.name, response, access.issuer)
    return made_by(caller.asked, access.dialect, response.id, containers)


async def _stream(
    visit: Visit, caller: Caller, routed: RoutedBytes, route: PublicRoute, recording: Recording | None
) -> None:
    public = caller.asked.public
    headers = stream_headers(public, visit.request_id)
    if recording is not None:
        headers.append(MISS)
    async with HeldStream(visit.call, headers, public.keep_alive, visit.desk.hold_seconds) as held:
        try:
            await _pass_on(visit, caller, routed, route, recording, held)
            await held.end()
        except Disconnected:
            raise
        except DragomanError as error:
            if not held.begun:
                raise
            visit.record(200)
            await held.write(_in_band(error, routed))
            await held.end()
        except asyncio.CancelledError:
            if not visit.call.expired or visit.call.gone or not held.begun:
                raise
            await _cut_short(visit, held, routed)
        finally:
            await routed.aclose()


async def _pass_on(
    visit: Visit,
    caller: Caller,
    routed: RoutedBytes,
    route: PublicRoute,
    recording: Recording | None,
    held: HeldStream,
) -> None:
    """The answer from its first byte to its last."""
    outgoing = Outgoing(visit.desk.memory)
    named = False
    ended: Response | None = None

    def put(data: bytes) -> bool:
        if recording is not None:
            recording.add(data)
        return held.put(data)

    def take(data: bytes) -> bool:
        assert routed.deployment is not None  # someone is answering
        outgoing.see(data, routed.deployment.access.issuer)
        return put(data)

    async for passed in routed:
        data = passed.data
        if data and routed.deployment is not None:
            outgoing.see(data, routed.deployment.access.issuer)
            if not named:
                # Its id is in the first event: the client may come back with it though the stream breaks.
                named = True
                await _name(visit, caller, routed.deployment, routed)
        if recording is not None:
            recording.add(data)
        last = passed.response is not None
        if passed.response is not None:
            ended = passed.response
            data += await _ended(visit, caller, route, routed, passed.response, outgoing)
        if data or last:
            await held.write(data, last=last)
        if named and not last:
            await routed.pour(held.put if recording is None else put, take)
    if recording is not None and ended is not None:
        keep_stream(recording, routed, ended, caller.asked)


async def _cut_short(visit: Visit, held: HeldStream, routed: RoutedBytes) -> None:
    """The process is about to end and waits no longer: the attempt is given up, and the client is told so."""
    await routed.aclose()
    if visit.call.finished:
        return
    if not held.complete:
        visit.record(200)
        said = "the gateway is stopping; ask again"
        error = Overloaded(said, status=503, code="stopping", in_stream=True)
        error.message = error.provider_message = said  # no provider has said it
        await held.write(routed.fail(error))
    await held.end()


async def _name(visit: Visit, caller: Caller, deployment: Deployment, routed: RoutedBytes) -> None:
    if made_by(caller.asked, deployment.access.dialect, "any"):
        names = made_by(caller.asked, deployment.access.dialect, routed.answer_id())
        await visit.desk.holdings.record(visit.principal, account_of(deployment), names)


async def _ended(
    visit: Visit, caller: Caller, route: PublicRoute, routed: RoutedBytes, response: Response, outgoing: Outgoing
) -> bytes:
    """What is kept of a streamed answer, and the comment that closes it."""
    deployment = routed.deployment
    assert deployment is not None  # someone has answered
    visit.desk.memory.issued_in(response, deployment.access.issuer)
    left = _left_by(visit, caller, deployment, response, outgoing.containers, routed.mode)
    if left:
        await visit.desk.holdings.record(visit.principal, account_of(deployment), left)
    adaptations = (*response.adaptations, *routed.adaptations())
    if adaptations:
        visit.record(200, adaptations)
    if not caller.asked.public.comments:
        return b""
    return closing_comment(route.deployment_name(deployment), routed.attempts, response.cost, adaptations)


def _in_band(error: DragomanError, routed: RoutedBytes) -> bytes:
    """An error in a stream that has begun: the provider's own event where it may pass, ours otherwise."""
    block: object = error.__dict__.get("block")
    if isinstance(error, ProviderError) and isinstance(block, bytes) and not withheld(error):
        return block
    return routed.fail(shown_error(error))
