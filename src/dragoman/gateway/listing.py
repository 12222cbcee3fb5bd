"""`GET /v1/models` and its kin: the models that a key may use, in the shape that its client reads.

Which shape that is, the header tells in which the key came: `Authorization` is OpenAI's, `x-api-key` Anthropic's,
`x-goog-api-key` Google's; paths under `/v1beta` are Google's whatever the header.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import msgspec

from dragoman.accounts import presented_in
from dragoman.gateway.answers import JSON
from dragoman.gateway.ingress import anthropic, gemini, openai_chat
from dragoman.gateway.server.app import Route
from dragoman.gateway.visits import Visit, refuse_as

if TYPE_CHECKING:
    from dragoman.gateway.ingress.asked import PublicDialect
    from dragoman.gateway.routes import PublicRoute
    from dragoman.gateway.server.app import App
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.visits import Desk

__all__ = ["add_listing", "shape_of"]

_METHODS: Final = ("generateContent", "streamGenerateContent", "countTokens", "embedContent")
_SINCE: Final = int(time.time())
"""When a model of ours "was made": clients want a time, and a route has none."""

MOST_ON_A_PAGE = 1000


def shape_of(call: Call) -> PublicDialect:
    """The dialect whose client asks."""
    fields = call.fields
    shown = presented_in(fields, call.query, in_query=True)
    place = "" if shown is None else shown.place
    if place == "x-api-key" or (not place and b"anthropic-version" in fields):
        return anthropic.PUBLIC
    if place in ("x-goog-api-key", "query") or (not place and b"x-goog-api-client" in fields):
        return gemini.PUBLIC
    return openai_chat.PUBLIC


def _openai(route: PublicRoute) -> dict[str, Any]:
    owner = route.route.candidates[0].deployment.access.provider
    return {"id": route.name, "object": "model", "created": _SINCE, "owned_by": owner}


def _anthropic(route: PublicRoute) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_SINCE))
    return {"type": "model", "id": route.name, "display_name": route.name, "created_at": at}


def _gemini(route: PublicRoute) -> dict[str, Any]:
    from dragoman.engine.capabilities import profile_of

    told: dict[str, Any] = {
        "name": f"models/{route.name}",
        "baseModelId": route.name,
        "version": "1",
        "displayName": route.name,
        "supportedGenerationMethods": _METHODS,
    }
    profile = profile_of(route.route.candidates[0].deployment)
    if profile is not None:
        if profile.context_tokens is not None:
            told["inputTokenLimit"] = profile.input_tokens or profile.context_tokens
        if profile.output_tokens is not None:
            told["outputTokenLimit"] = profile.output_tokens
    return told


_ENTRY: Final = {"openai-chat": _openai, "anthropic": _anthropic, "gemini": _gemini}


def _usable(visit: Visit) -> list[PublicRoute]:
    routes = visit.generation.routes
    found = (routes.match(name) for name in routes.names() if visit.principal.may_use(name))
    return [route for route in found if route is not None]


def _page(visit: Visit, shape: PublicDialect) -> dict[str, Any]:
    entries = [_ENTRY[shape.name](route) for route in _usable(visit)]
    if shape.name == "openai-chat":
        return {"object": "list", "data": entries}
    query = parse_qs(visit.call.query)
    if shape.name == "gemini":
        return _gemini_page(entries, query)
    return _anthropic_page(entries, query)


def _anthropic_page(entries: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    names = [entry["id"] for entry in entries]
    after, before = query.get("after_id", [""])[0], query.get("before_id", [""])[0]
    if after in names:
        entries = entries[names.index(after) + 1 :]
    elif before in names:
        entries = entries[: names.index(before)]
    limit = _size(query.get("limit", [""])[0])
    shown = entries[-limit:] if before in names else entries[:limit]
    return {
        "data": shown,
        "has_more": len(shown) < len(entries),
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }


def _gemini_page(entries: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    token = query.get("pageToken", [""])[0]
    start = int(token) if token.isascii() and token.isdigit() else 0
    limit = _size(query.get("pageSize", [""])[0])
    page: dict[str, Any] = {"models": entries[start : start + limit]}
    if start + limit < len(entries):
        page["nextPageToken"] = str(start + limit)
    return page


def _size(given: str) -> int:
    return min(int(given), MOST_ON_A_PAGE) or 1 if given.isascii() and given.isdigit() else MOST_ON_A_PAGE


def add_listing(app: App, desk: Desk) -> None:
    """Adds the listings, and one model under each."""

    async def listed(call: Call, shape: PublicDialect) -> None:
        async def work(visit: Visit) -> None:
            await visit.respond(200, [JSON], msgspec.json.encode(_page(visit, shape)))

        await Visit(desk, call, shape).run(work)

    async def one(call: Call, shape: PublicDialect) -> None:
        async def work(visit: Visit) -> None:
            name = call.path.partition("/models/")[2]
            route = visit.usable_route(name)
            await visit.respond(200, [JSON], msgspec.json.encode(_ENTRY[shape.name](route)))

        await Visit(desk, call, shape).run(work)

    async def list_models(call: Call) -> None:
        await listed(call, shape_of(call))

    async def one_model(call: Call) -> None:
        await one(call, shape_of(call))

    async def list_google(call: Call) -> None:
        await listed(call, gemini.PUBLIC)

    async def one_google(call: Call) -> None:
        await one(call, gemini.PUBLIC)

    refuse = refuse_as(openai_chat.PUBLIC)
    app.add("GET", "/v1/models", Route(list_models, refuse=refuse))
    app.add_prefix("GET", "/v1/models/", Route(one_model, refuse=refuse))
    for version in gemini.VERSIONS:
        if version != "v1":
            app.add("GET", f"/{version}/models", Route(list_google, refuse=refuse_as(gemini.PUBLIC)))
            app.add_prefix("GET", f"/{version}/models/", Route(one_google, refuse=refuse_as(gemini.PUBLIC)))
