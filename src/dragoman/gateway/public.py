"""The public paths: which dialect's clients call each, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.gateway.embedding import embed
from dragoman.gateway.exchange import answer
from dragoman.gateway.ingress import anthropic, gemini, openai_chat, openai_responses
from dragoman.gateway.listing import add_listing
from dragoman.gateway.openapi import add_openapi
from dragoman.gateway.pass_through import add_pass_through
from dragoman.gateway.server.app import Route
from dragoman.gateway.server.refusals import RequestRefused
from dragoman.gateway.stored import add_request_facts, add_stored_responses
from dragoman.gateway.token_counts import count
from dragoman.gateway.visits import Visit, refuse_as

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from dragoman.gateway.ingress.asked import Asked, PublicDialect
    from dragoman.gateway.server.app import App, Handler
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.visits import Desk

__all__ = ["add_public"]


def _posted(desk: Desk, public: PublicDialect, read: Callable[[bytes], Asked]) -> Route:
    """A path whose body says everything."""

    async def work(visit: Visit) -> None:
        await answer(visit, read(await visit.call.body()))

    def handle(call: Call) -> Coroutine[Any, Any, None]:
        return Visit(desk, call, public).run(work)

    return Route(handle, refuse=refuse_as(public))


def _messages(desk: Desk) -> Route:
    async def work(visit: Visit) -> None:
        call = visit.call
        await answer(visit, anthropic.read(await call.body(), call.fields.items()))

    async def handle(call: Call) -> None:
        await Visit(desk, call, anthropic.PUBLIC).run(work)

    return Route(handle, refuse=refuse_as(anthropic.PUBLIC))


async def _anthropic_asked(call: Call) -> Asked:
    return anthropic.read(await call.body(), call.fields.items())


async def _responses_asked(call: Call) -> Asked:
    return openai_responses.read(await call.body())


def _counted(desk: Desk, public: PublicDialect, read: Callable[[Call], Awaitable[Asked]]) -> Route:
    """A path that asks how long a prompt is."""

    async def work(visit: Visit) -> None:
        await count(visit, await read(visit.call))

    async def handle(call: Call) -> None:
        await Visit(desk, call, public).run(work)

    return Route(handle, refuse=refuse_as(public))


def _embeddings(desk: Desk) -> Route:
    async def work(visit: Visit) -> None:
        await embed(visit, "openai-chat", "/embeddings")

    async def handle(call: Call) -> None:
        await Visit(desk, call, openai_chat.PUBLIC).run(work)

    return Route(handle, refuse=refuse_as(openai_chat.PUBLIC))


def _gemini(desk: Desk) -> Handler:
    async def work(visit: Visit) -> None:
        call = visit.call
        model, method = gemini.model_and_method(call.raw_path)
        if method in ("embedContent", "batchEmbedContents"):
            await embed(visit, "gemini", call.path, model)
            return
        if method not in gemini.METHODS:
            raise RequestRefused(404, "not_found", f"{method[:64]!r} is not a method of models")
        asked = gemini.read(await call.body(), call.path, call.query, model, method)
        await (count(visit, asked) if method == "countTokens" else answer(visit, asked))

    async def handle(call: Call) -> None:
        await Visit(desk, call, gemini.PUBLIC).run(work)

    return handle


def add_public(app: App, desk: Desk) -> None:
    """Adds the paths that clients call."""
    app.add("POST", "/v1/chat/completions", _posted(desk, openai_chat.PUBLIC, openai_chat.read))
    app.add("POST", "/v1/responses", _posted(desk, openai_responses.PUBLIC, openai_responses.read))
    app.add("POST", "/v1/messages", _messages(desk))
    app.add("POST", "/v1/messages/count_tokens", _counted(desk, anthropic.PUBLIC, _anthropic_asked))
    app.add("POST", "/v1/responses/input_tokens", _counted(desk, openai_responses.PUBLIC, _responses_asked))
    app.add("POST", "/v1/embeddings", _embeddings(desk))
    add_listing(app, desk)
    add_request_facts(app, desk)
    add_stored_responses(app, desk)
    add_pass_through(app, desk)
    add_openapi(app)
    for version in gemini.VERSIONS:
        app.add_prefix("POST", f"/{version}/models/", Route(_gemini(desk), refuse=refuse_as(gemini.PUBLIC)))
