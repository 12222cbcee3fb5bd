"""`POST /v1/embeddings`, and `:embedContent` and `:batchEmbedContents` of Google's clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.dialects import load
from dragoman.engine import attempt_embedding
from dragoman.errors import ConfigError, InvalidRequest
from dragoman.gateway.answers import facts_headers
from dragoman.gateway.bookkeeping import Bookkeeping
from dragoman.gateway.choosing import plain_call
from dragoman.ledger.permits import CallScope, Terms
from dragoman.routing import CallSettings, run_with
from dragoman.values import Target, replace

if TYPE_CHECKING:
    from dragoman.engine import Deployment, Meter
    from dragoman.gateway.visits import Visit
    from dragoman.routing import Candidate
    from dragoman.values import EmbeddingResponse

__all__ = ["embed"]


async def embed(visit: Visit, dialect: str, path: str, model: str | None = None) -> None:
    """Answers a request for vectors; `model` where the path names it. Raises `InvalidRequest` and its kinds."""
    codec = load(dialect)
    read, write = codec.decode_embedding_request, codec.encode_embedding_response
    if read is None or write is None:
        raise ConfigError(f"{dialect} has no embeddings")
    body = _parsed(await visit.call.body())
    request = read(body, Target(model=model or ""), path)
    name = model or request.model
    route = visit.admit(name)
    candidates = tuple(each for each in route.route.candidates if _embeds(each.deployment))
    if not candidates:
        raise InvalidRequest(f"the model {name!r} gives no embeddings; choose one that does", path="model")
    visit.tried = True

    def terms(deployment: Deployment) -> Terms:
        return Terms(deployment=route.deployment_name(deployment))

    scope = CallScope(
        request_id=visit.request_id,
        key=visit.principal.name,
        team=visit.principal.team,
        route=route.label,
        dialect_in=dialect,
    )
    used: list[Deployment] = []

    async def once(candidate: Candidate, meter: Meter) -> EmbeddingResponse:
        used.append(candidate.deployment)
        return await attempt_embedding(candidate.deployment, request, meter)

    settings = CallSettings(
        permits=Bookkeeping(visit.desk.books, scope, terms), call=plain_call(visit.principal, visit.call.fields, name)
    )
    answer, attempts = await run_with(
        msgspec.structs.replace(route.route, candidates=candidates), once, settings, acts=False
    )
    encoded = write(replace(answer, model=name), Target(model=name))
    headers = facts_headers(
        visit.request_id,
        route.deployment_name(used[-1]),
        len(attempts),
        answer.cost,
        (*answer.adaptations, *encoded.adaptations),
    )
    headers.append((visit.public.request_id_header.encode(), visit.request_id.encode()))
    await visit.respond(200, headers, msgspec.json.encode(encoded.body))


def _embeds(deployment: Deployment) -> bool:
    """Whether one of its provider's dialects has embeddings."""
    return load(deployment.for_embeddings().access.dialect).encode_embedding_request is not None


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None
