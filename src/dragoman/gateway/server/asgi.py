"""An ASGI application below the server: a call as a scope, for what is too rare to be fast (admin, dashboard)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from dragoman.gateway.server.app import Handler
    from dragoman.gateway.server.call import Call

    Message = MutableMapping[str, Any]
    Application = Callable[
        [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
    ]

__all__ = ["asgi_handler"]

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"date"))


def asgi_handler(make: Callable[[], Application]) -> Handler:
    """A handler that runs an ASGI application, made at the first request."""
    made: list[Application] = []

    async def handle(call: Call) -> None:
        if not made:
            made.append(make())
        await _Exchange(call).run(made[0])

    return handle


class _Exchange:
    def __init__(self, call: Call) -> None:
        self._call = call
        self._body_given = False
        self._start: Message | None = None

    async def run(self, application: Application) -> None:
        call = self._call
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1" if call.http11 else "1.0",
            "method": call.method,
            "scheme": call.scheme,
            "path": call.path,
            "raw_path": call.raw_path.encode("ascii"),
            "query_string": call.query.encode("ascii"),
            "root_path": "",
            "headers": call.headers,
            "client": call.client,
            "server": call.server,
            "state": {},
        }
        await application(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._body_given:
            self._body_given = True
            return {"type": "http.request", "body": await self._call.body(), "more_body": False}
        await self._call.disconnected
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        call = self._call
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            raise RuntimeError(f"this ASGI message is not understood: {message['type']!r}")
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        start, self._start = self._start, None
        if start is not None:
            headers = [(name, value) for name, value in start["headers"] if name.lower() not in _FRAMING]
            if not more:
                await call.respond(start["status"], headers, body)
                return
            call.start_stream(start["status"], headers)
        await call.write(body)
        if not more:
            await call.end_stream()
