"""What was answered before, asked for again: `GET /v1/requests/{id}`, and responses that their provider has kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.gateway.answers import JSON
from dragoman.gateway.forwarding import destination
from dragoman.gateway.holdings import account_of, may_have
from dragoman.gateway.ingress import openai_chat, openai_responses
from dragoman.gateway.listing import shape_of
from dragoman.gateway.pass_through import pass_on
from dragoman.gateway.pinning import no_such
from dragoman.gateway.provider_objects import Named
from dragoman.gateway.server.app import Route
from dragoman.gateway.server.refusals import RequestRefused
from dragoman.gateway.visits import Visit, refuse_as

if TYPE_CHECKING:
    from dragoman.engine import Deployment
    from dragoman.gateway.server.app import App
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.visits import Desk

__all__ = ["add_request_facts", "add_stored_responses"]

_REQUESTS: Final = "/v1/requests/"
_RESPONSES: Final = "/v1/responses/"
_BELOW: Final = {"GET": ("", "input_items"), "DELETE": ("",), "POST": ("cancel",)}
"""What there is under a response, by method."""


def add_request_facts(app: App, desk: Desk) -> None:
    """Adds the path that tells of a request."""

    async def work(visit: Visit) -> None:
        told = await visit.desk.facts.told(visit.principal, visit.call.path[len(_REQUESTS) :])
        await visit.respond(200, [JSON, (b"cache-control", b"no-store")], msgspec.json.encode(told))

    async def handle(call: Call) -> None:
        await Visit(desk, call, shape_of(call)).run(work)

    app.add_prefix("GET", _REQUESTS, Route(handle, refuse=refuse_as(openai_chat.PUBLIC)))


def add_stored_responses(app: App, desk: Desk) -> None:
    """Adds the paths of responses that a provider keeps; each goes to the account that has it."""

    async def handle(call: Call) -> None:
        await Visit(desk, call, openai_responses.PUBLIC).run(_stored)

    app.add_prefix("GET POST DELETE", _RESPONSES, Route(handle, refuse=refuse_as(openai_responses.PUBLIC)))


async def _stored(visit: Visit) -> None:
    call = visit.call
    method = "GET" if call.method == "HEAD" else call.method
    identity, _, below = call.raw_path[len(_RESPONSES) :].partition("/")
    if not call.raw_path.startswith(_RESPONSES) or below not in _BELOW[method]:
        raise RequestRefused(404, "not_found", f"there is nothing for {method} at {call.path[:200]!r}")
    named = Named(f"responses/{identity}", "response_id")
    states = (await visit.desk.holdings.find([named.name])).get(named.name, ())
    state = next((each for each in states if may_have(visit.principal, each)), None)
    if state is None:
        raise no_such(named)
    deployment = _deployment(visit, state.account)
    if deployment is None:
        raise no_such(named)
    visit.admit_call()
    # The path as the provider has it, checked as any other that passes through.
    to = destination(call.raw_path, "/v1", deployment.access.base_url)
    await pass_on(visit, deployment, to, "/v1")


def _deployment(visit: Visit, account: str) -> Deployment | None:
    """A deployment of this account that speaks the Responses API, if the configuration still has one."""
    routes = visit.generation.routes
    for name in routes.names():
        route = routes.match(name)
        if route is None:
            continue
        for candidate in route.spoken("openai-responses").candidates:
            deployment = candidate.deployment
            if deployment.access.dialect == "openai-responses" and account_of(deployment) == account:
                return deployment
    return None
