"""`POST /v1/messages/count_tokens`, `/v1/responses/input_tokens` and `:countTokens`: how long a prompt is.

The first candidate is the one that would answer, so its provider is asked, and others that count after it; where the
first has no endpoint for it, nobody is, and the count is our estimate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from dragoman.dialects import load
from dragoman.engine.counting import count_tokens, estimated, is_counted_by
from dragoman.errors import ConfigError, InvalidRequest
from dragoman.gateway.answers import facts_headers
from dragoman.gateway.bookkeeping import Bookkeeping
from dragoman.gateway.ingress.asked import Asked
from dragoman.gateway.pinning import pinned
from dragoman.ledger.permits import CallScope, Terms
from dragoman.routing import CallSettings, run_with
from dragoman.values import Cost, Target, Usage

if TYPE_CHECKING:
    from dragoman.engine import Deployment, Meter
    from dragoman.gateway.routes import PublicRoute
    from dragoman.gateway.visits import Visit
    from dragoman.routing import Candidate, Route
    from dragoman.values import Request
    from dragoman.values.counts import TokenCount

__all__ = ["count"]

_FREE: Final = Cost(amount=Decimal(0), basis="computed")
"""Every provider that counts does so without charge."""


class _Counted(msgspec.Struct, frozen=True):
    found: TokenCount
    usage: Usage = Usage()
    cost: Cost = _FREE


async def count(visit: Visit, asked: Asked) -> None:
    """Answers a question for the length of a prompt. Raises `InvalidRequest` and its kinds."""
    codec = load(asked.dialect)
    write = codec.encode_count_response
    if write is None:
        raise ConfigError(f"{asked.dialect} has no token counts")
    route = visit.admit(asked.model)
    route.policy.check(asked.shape.steering, asked.tool_types(b'"mcp'))
    spoken = await pinned(visit.principal, visit.desk.holdings, asked, route.spoken(asked.dialect))
    first = spoken.candidates[0].deployment
    request = _request(asked, first)
    visit.tried = True
    if is_counted_by(first):
        found, used, attempts = await _asked(visit, route, spoken, asked, request)
    else:
        reason = f"{first.target.provider} does not count tokens"
        found, used, attempts = estimated(first, request, reason), first, 0
    encoded = write(found.tokens, Target(model=asked.model))
    name = route.deployment_name(used)
    headers = facts_headers(visit.request_id, name, attempts, None, encoded.adaptations)
    headers.append((b"x-dragoman-count-basis", found.basis.encode()))
    headers.append((visit.public.request_id_header.encode(), visit.request_id.encode()))
    await visit.respond(200, headers, msgspec.json.encode(encoded.body))


async def _asked(
    visit: Visit, route: PublicRoute, spoken: Route, asked: Asked, request: Request
) -> tuple[TokenCount, Deployment, int]:
    def terms(deployment: Deployment) -> Terms:
        return Terms(deployment=route.deployment_name(deployment))

    scope = CallScope(
        request_id=visit.request_id,
        key=visit.principal.name,
        team=visit.principal.team,
        route=route.label,
        dialect_in=asked.dialect,
    )
    used: list[Deployment] = []

    async def once(candidate: Candidate, meter: Meter) -> _Counted:
        used.append(candidate.deployment)
        return _Counted(await count_tokens(candidate.deployment, request, meter=meter))

    counting = tuple(each for each in spoken.candidates if is_counted_by(each.deployment))
    settings = CallSettings(permits=Bookkeeping(visit.desk.books, scope, terms))
    answer, attempts = await run_with(replace(spoken, candidates=counting), once, settings, acts=False)
    return answer.found, used[-1], len(attempts)


def _request(asked: Asked, first: Deployment) -> Request:
    def read(codec: Any, body: Any, path: str) -> Request:
        decode = codec.decode_count_request
        if decode is None:
            raise InvalidRequest("this dialect has no token counts")
        return decode(body, Target(issuer=first.access.issuer, model=asked.model), path)

    return asked.request(read)
