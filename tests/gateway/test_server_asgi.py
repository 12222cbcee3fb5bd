"""An ASGI application below the server: Starlette's answers, streams and routes come through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as Path

from dragoman.gateway.server.app import Route
from dragoman.gateway.server.asgi import asgi_handler
from tests.gateway.serving import running, serving, until


async def shown(request: Request) -> Response:
    told = {
        "method": request.method,
        "url": str(request.url),
        "name": request.path_params["name"],
        "body": (await request.body()).decode(),
        "client": request.client is not None,
    }
    return JSONResponse(told, headers={"x-mine": "yes"})


async def streamed(_request: Request) -> Response:
    async def pieces() -> AsyncGenerator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(pieces())


def test_requests_and_answers_pass() -> None:
    made: list[Starlette] = []

    def make() -> Starlette:
        made.append(
            Starlette(routes=[Path("/admin/stream", streamed), Path("/admin/{name}", shown, methods=["GET", "PUT"])])
        )
        return made[-1]

    async def test() -> None:
        async with serving() as server:
            server.app.add_prefix("*", "/admin/", Route(asgi_handler(make)))
            assert made == []
            client = await server.connect()
            await client.send(b"PUT /admin/a%20b?q=1 HTTP/1.1\r\nhost: here:80\r\ncontent-length: 2\r\n\r\nhi")
            status, headers, body = await client.answer()
            assert (status, headers["x-mine"]) == (200, "yes")
            told = b'{"method":"PUT","url":"http://here:80/admin/a b?q=1","name":"a b","body":"hi","client":true}'
            assert body == told
            await client.send(b"GET /admin/stream HTTP/1.1\r\nhost: here\r\n\r\n")
            assert (await client.answer())[2] == b"onetwo"
            await client.send(b"GET /admin/a/b HTTP/1.1\r\nhost: here\r\n\r\n")
            assert (await client.answer())[0] == 404
            assert len(made) == 1

    running(test)


def test_an_application_hears_that_its_client_has_gone() -> None:
    async def test() -> None:
        ended: list[str] = []

        async def endless(_request: Request) -> Response:
            async def pieces() -> AsyncGenerator[bytes]:
                try:
                    while True:
                        yield b"tick"
                        await asyncio.sleep(0.01)
                finally:
                    ended.append("gone")

            return StreamingResponse(pieces())

        async with serving() as server:
            server.app.add_prefix("GET", "/", Route(asgi_handler(lambda: Starlette(routes=[Path("/x", endless)]))))
            client = await server.connect()
            await client.send(b"GET /x HTTP/1.1\r\nhost: here\r\n\r\n")
            await client.reader.readuntil(b"tick")
            await client.close()
            await until(lambda: ended == ["gone"])

    running(test)
