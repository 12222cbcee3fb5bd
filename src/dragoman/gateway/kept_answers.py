"""Answering from the response cache: the bytes as they were, with headers and a row of the ledger of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.dialects.reading import parse
from dragoman.errors import DragomanError
from dragoman.gateway.answers import closing_comment, facts_headers, stream_headers
from dragoman.gateway.bookkeeping import Bookkeeping
from dragoman.gateway.caching import HEADER
from dragoman.gateway.outgoing import Outgoing
from dragoman.ledger.permits import Terms
from dragoman.values import Cost

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.gateway.attempts import RoutedBytes, Whole
    from dragoman.gateway.ingress.asked import Asked
    from dragoman.gateway.response_cache import Cached, Hit, Recording
    from dragoman.gateway.routes import PublicRoute
    from dragoman.gateway.visits import Visit
    from dragoman.values import Response

__all__ = ["MISS", "answer_again", "keep_stream", "keep_whole"]

MISS: Final = (HEADER, b"miss")
_HIT: Final = (HEADER, b"hit")
_NOTHING: Final = Cost(amount=Decimal(0), currency="USD", basis="computed")


def keep_whole(recording: Recording, whole: Whole, asked: Asked) -> None:
    """Keeps a whole answer, if it is worth it."""
    response, deployment = whole.response, whole.deployment
    if not response.choices:  # bytes that pass are read for what they cost, and no further
        try:
            response = asked.codec.decode_response(parse(whole.body), deployment.target)
        except DragomanError:
            return
    recording.add(whole.body)
    if _can_be_given_again(response, deployment, asked.dialect):
        recording.keep(response, deployment, whole.mode, whole.adaptations)


def keep_stream(recording: Recording, routed: RoutedBytes, response: Response, asked: Asked) -> None:
    """Keeps a stream that was recorded to its end, if it is worth it."""
    deployment = routed.deployment
    if deployment is not None and _can_be_given_again(response, deployment, asked.dialect):
        recording.keep(response, deployment, routed.mode, (*response.adaptations, *routed.adaptations()))


def _can_be_given_again(response: Response, deployment: Deployment, dialect: str) -> bool:
    """Whether the bytes of an answer are all there is to it.

    They are not where its tool calls came with state that the client's dialect has no place for: that is remembered
    for who asked (`replay_memory`), and somebody else would come back without it.
    """
    if deployment.access.dialect == dialect or not response.tool_calls:
        return True
    return not any(part.replay for part in response.message.parts)


async def answer_again(visit: Visit, route: PublicRoute, asked: Asked, hit: Hit) -> None:
    """Answers with what is kept. Raises `SpoolFull` if it cannot be written down."""
    cached, age = hit
    name = route.deployment_name(cached.deployment)
    _note_state(visit, cached)

    def terms(_deployment: Deployment) -> Terms:
        return Terms(deployment=name, mode=cached.mode)

    scope = visit.scope(asked.dialect, stream=asked.stream)
    Bookkeeping(visit.desk.books, scope, terms).from_cache(cached.deployment, f"kept for {age:.0f} s")
    if cached.adaptations:
        visit.record(200, cached.adaptations)
    told = [_HIT, (b"age", b"%d" % age)]
    if asked.stream:
        await _stream(visit, asked, name, cached, told)
        return
    headers = facts_headers(visit.request_id, name, 0, _NOTHING, cached.adaptations)
    headers += [*told, (visit.public.request_id_header.encode(), visit.request_id.encode())]
    await visit.call.respond(200, headers, b"".join(cached.pieces))


async def _stream(visit: Visit, asked: Asked, name: str, cached: Cached, told: list[tuple[bytes, bytes]]) -> None:
    call = visit.call
    call.start_stream(200, [*stream_headers(asked.public, visit.request_id), *told])
    for piece in cached.pieces:
        await call.write(piece)
    if asked.public.comments:
        await call.write(closing_comment(name, (), _NOTHING, cached.adaptations))
    await call.end_stream()


def _note_state(visit: Visit, cached: Cached) -> None:
    """The state of a provider that goes out once more is its issuer's once more."""
    outgoing = Outgoing(visit.desk.memory)
    for piece in cached.pieces:
        outgoing.see(piece, cached.deployment.access.issuer)
