"""A provider that keeps objects: files, batches, responses; and a raw client that writes the path it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragoman.testing.http_server import Connection, HttpServer, Received

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Got", "ObjectService", "ask", "object_service"]

BIG = 3 * 1024 * 1024


class ObjectService:
    """Keeps what is posted under ids of its own; `requests` are those that came, as they came.

    Of an endless answer `sent` are the bytes that were taken, and `left` is set when its reader has gone.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.sent = 0
        self.left = threading.Event()
        self._server = HttpServer(self._answer)
        self._made = 0
        self._objects: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        assert not self._server.failures, self._server.failures

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    async def _answer(self, received: Received, connection: Connection) -> None:
        self.requests.append(received)
        path = received.path.partition("?")[0]
        steps = path.split("/")[2:]
        if path.startswith("/upload/"):
            await self._begin_upload(received, connection)
        elif steps[0] in _ODD:
            await _ODD[steps[0]](connection)
        elif steps[0] == "endless":
            await self._endless(connection)
        elif received.method == "POST" and len(steps) == 1:
            await _json(connection, 200, self._make(steps[0], received))
        elif received.method == "GET" and len(steps) == 1:
            listed = [each for each in self._objects.values() if each["collection"] == steps[0]]
            first = listed[0]["id"] if listed else ""
            await _json(connection, 200, {"object": "list", "data": listed, "first_id": first})
        elif steps[1] not in self._objects:
            await _json(connection, 404, {"error": {"message": "no such object"}})
        elif received.method == "DELETE":
            await _json(connection, 200, {"id": steps[1], "deleted": bool(self._objects.pop(steps[1]))})
        elif received.method == "HEAD":
            await connection.head(200, [("content-type", "application/json")], length=7)
        else:
            await _json(connection, 200, self._objects[steps[1]])

    async def _endless(self, connection: Connection) -> None:
        await connection.head(200, [("content-type", "application/octet-stream")], length=None)
        self.left.clear()
        self.sent = 0
        try:
            while True:
                await connection.chunk(b"x" * 65536)
                self.sent += 65536
        finally:
            self.left.set()

    def _make(self, collection: str, received: Received) -> dict[str, Any]:
        self._made += 1
        made: dict[str, Any] = {"id": f"{collection}-{self._made}", "object": "thing", "collection": collection}
        if collection == "batches":
            made["output_file_id"] = f"files-of-{self._made}"
            self._objects[made["output_file_id"]] = {"id": made["output_file_id"], "collection": "files"}
        if collection == "responses":
            made |= {
                "object": "response",
                "created_at": 1,
                "status": "completed",
                "model": json.loads(received.body)["model"],
                "output": [],
                "parallel_tool_calls": True,
                "tool_choice": "auto",
                "tools": [],
            }
        self._objects[made["id"]] = made
        return made

    async def _begin_upload(self, received: Received, connection: Connection) -> None:
        path = received.path.partition("?")[0]
        if "upload_id" in received.path:
            body = json.dumps({"file": {"name": "files/abc", "mimeType": "text/plain"}}).encode()
            headers = [("content-type", "application/json"), ("x-goog-upload-status", "final")]
            await connection.whole(200, headers, body)
            return
        address = f"{self.url}{path}?upload_id=7"
        await connection.whole(200, [("x-goog-upload-url", address), ("x-goog-upload-status", "active")], b"")


async def _json(connection: Connection, status: int, body: dict[str, Any]) -> None:
    await connection.whole(status, [("content-type", "application/json")], json.dumps(body).encode())


async def _redirect(connection: Connection) -> None:
    await connection.whole(302, [("location", "http://127.0.0.1:9/elsewhere")], b"")


async def _forbidden(connection: Connection) -> None:
    await _json(connection, 403, {"error": {"message": "project proj_secret may not", "code": "nope"}})


async def _wrong(connection: Connection) -> None:
    await _json(connection, 400, {"error": {"message": "no such purpose", "type": "invalid_request_error"}})


async def _cut(connection: Connection) -> None:
    await connection.head(200, [("content-type", "application/octet-stream")], length=100)
    await connection.raw(b"half")
    connection.usable = False


async def _images(connection: Connection) -> None:
    headers = [("content-type", "image/png"), ("set-cookie", "a=b"), ("x-internal", "yes")]
    await connection.head(200, headers, length=BIG)
    for _ in range(BIG // 65536):
        await connection.raw(b"\x89" * 65536)


_ODD = {"redirect": _redirect, "forbidden": _forbidden, "wrong": _wrong, "cut": _cut, "images": _images}
"""What answers under these first words, whatever is asked."""


@contextlib.contextmanager
def object_service() -> Generator[ObjectService]:
    service = ObjectService()
    service.start()
    try:
        yield service
    finally:
        service.stop()


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    method: str,
    path: str,
    key: str | None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Got:
    """One request whose path is written as it is given; a body that is not bytes is JSON."""
    host, _, port = url.removeprefix("http://").partition(":")
    sent = dict(headers or {})
    if key is not None:
        sent.setdefault("authorization", f"Bearer {key}")
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("content-type", "application/json")
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=20)) as connection:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
