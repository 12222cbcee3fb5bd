"""What uvicorn serves in the tests of the transport: see `node_server.js` for the same on Node."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

LARGE = b"0123456789" * 100_000
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)

    async def answer(status: int, content: bytes, *headers: tuple[bytes, bytes]) -> None:
        lines = [(b"content-length", str(len(content)).encode()), *headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": content})

    match scope["path"]:
        case "/json":
            await answer(200, b'{"hello":"world"}', (b"content-type", b"application/json"))
        case "/large":
            await answer(200, LARGE)
        case "/chunked":
            await send_events(send)
        case "/gzip":
            await answer(200, gzip.compress(LARGE), (b"content-encoding", b"gzip"))
        case "/empty":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        case "/redirect":
            await answer(302, b"", (b"location", b"/json"))
        case "/length":
            await answer(200, str(len(body)).encode())
        case _:
            await answer(404, b"missing")


async def send_events(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for left in range(5, 0, -1):
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % left, "more_body": True})
        await asyncio.sleep(0.005)
    await send({"type": "http.response.body", "body": b""})
