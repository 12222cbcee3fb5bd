"""One attempt for a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects.headers import answered_at, request_id
from dragoman.dialects.reading import parse
from dragoman.engine.fit import fit_facts, fit_form
from dragoman.engine.translate import to_embedding_http, to_error, to_http
from dragoman.errors import DragomanError, ProtocolViolation, ProviderError, TransportError
from dragoman.values import replace

if TYPE_CHECKING:
    from dragoman.dialects import Dialect
    from dragoman.engine.deployment import Deployment
    from dragoman.engine.meter import Meter
    from dragoman.transport import HttpRequest, HttpResponse, Timeout
    from dragoman.values import AdaptationPolicy, EmbeddingRequest, EmbeddingResponse, Request, Response

__all__ = ["UNDATED", "attempt", "attempt_embedding", "exchange", "taken", "told"]

UNDATED: Final = frozenset(("anthropic", "bedrock", "cohere"))
"""Dialects whose answers do not say when they were made; their `date` header does."""


async def attempt(
    deployment: Deployment,
    request: Request,
    meter: Meter,
    *,
    adapt: AdaptationPolicy = "note",
    timeout: Timeout | None = None,
) -> Response:
    """Asks once. Raises a `DragomanError`; cancellation closes the connection at once."""
    dialect = deployment.dialect
    undoing = None
    deployment, request, fitting = fit_facts(deployment, request, adapt)
    if request.output is not None or request.tools:
        deployment, request, forming, undoing = fit_form(deployment, request, adapt)
        fitting = (*fitting, *forming)
    http, adaptations = to_http(deployment, dialect, request, stream=False, adapt=adapt, timeout=timeout)
    meter.asked = (request, len(http.body))
    answer = await exchange(deployment, dialect, http, meter)
    try:
        response = dialect.decode_response(parse(answer.body), deployment.target)
    except DragomanError as error:
        raise told(error, answer, deployment) from None
    if undoing is not None:
        response = undoing.whole(response)
    made = (*response.adaptations, *fitting, *adaptations)
    meter.read(response, len(made))
    created = response.created
    if created is None and deployment.access.dialect in UNDATED:
        created = answered_at(answer.headers)
    return replace(
        response,
        created=created,
        adaptations=made,
        request_id=response.request_id or meter.request_id,
        cost=response.cost or meter.price(response.usage, response.model, response.service_tier),
    )


async def attempt_embedding(
    deployment: Deployment,
    request: EmbeddingRequest,
    meter: Meter,
    *,
    adapt: AdaptationPolicy = "note",
    timeout: Timeout | None = None,
) -> EmbeddingResponse:
    """Asks once for vectors, in whichever dialect of the provider's has embeddings."""
    deployment = deployment.for_embeddings()
    dialect = deployment.dialect
    http, adaptations = to_embedding_http(deployment, dialect, request, adapt=adapt, timeout=timeout)
    decode = dialect.decode_embedding_response
    assert decode is not None  # a dialect has both directions or none; the encoder was checked
    answer = await exchange(deployment, dialect, http, meter)
    try:
        response = decode(parse(answer.body), deployment.target)
    except DragomanError as error:
        raise told(error, answer, deployment) from None
    return replace(
        response,
        adaptations=(*response.adaptations, *adaptations),
        request_id=response.request_id or meter.request_id,
        cost=response.cost or meter.price(response.usage, response.model),
    )


async def exchange(deployment: Deployment, dialect: Dialect, http: HttpRequest, meter: Meter) -> HttpResponse:
    """Sends a request for a whole answer; an answer that is not 2xx is raised as its error."""
    try:
        transport = deployment.transport or deployment.open_transport()
        if (signer := deployment.access.signer) is not None:
            http = await signer.sign(http, transport)
        answer = await transport.send(http)
    except TransportError as error:
        error.met_at(deployment.target.provider)
        raise
    return taken(deployment, dialect, answer, meter)


def taken(deployment: Deployment, dialect: Dialect, answer: HttpResponse, meter: Meter) -> HttpResponse:
    """Notes the answer; one that is not 2xx is raised as its error."""
    meter.answered(answer.status, answer.headers)
    if not 200 <= answer.status < 300:
        raise to_error(deployment, dialect, answer.status, answer.headers, answer.body)
    return answer


def told(error: DragomanError, answer: HttpResponse, deployment: Deployment) -> DragomanError:
    """Adds what only the exchange knows to an error that a codec raised for a 200."""
    if isinstance(error, ProviderError):
        error.status = error.status if error.status is not None else answer.status
        error.request_id = error.request_id or request_id(answer.headers)
    elif isinstance(error, ProtocolViolation):
        error.provider = error.provider or deployment.target.provider
        kind = answer.headers.get("content-type", "no content type")
        error.args = (f"{deployment.target.provider} answered {answer.status} with {kind}: {error.message}",)
        error.message = error.args[0]
    return error
