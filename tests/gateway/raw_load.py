"""Clients that speak HTTP by themselves, ask without end, and note what they were given whole."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.gateway.running import KEY
from tests.gateway.witness import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "Load", "NotWhole", "ask", "leaves", "model_of", "shape_of"]

ANSWER_SECONDS = 30.0
TERMINAL = {"chat": b"data: [DONE]\n\n", "messages": b"event: message_stop\n"}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}


class NotWhole(Exception):
    """The connection ended before the answer did."""


class Shape(NamedTuple):
    """How one request is asked: over which public path, with which route, and whether streamed."""

    path: str
    route: str
    stream: bool


SHAPES = [
    Shape(path, route, stream) for path in ("chat", "messages") for route in ("chat", "ant") for stream in (False, True)
]


class Answer(NamedTuple):
    """What came, whole: a status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def shape_of(number: int) -> Shape:
    return SHAPES[number % len(SHAPES)]


def leaves(number: int) -> bool:
    """Whether its client goes before the answer is whole."""
    return number % 31 == 11


def model_of(number: int) -> str:
    """The name that one request asks for, and no other."""
    return f"{shape_of(number).route}-{number}"


class Connected:
    """One connection, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.usable = True

    @classmethod
    async def to(cls, port: int) -> Connected:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024))

    def send(self, model: str, path: str, *, stream: bool) -> None:
        asked = {
            "model": model,
            "max_tokens": 200,
            "messages": [{"role": "user", "content": f"please answer {model}"}],
            "stream": stream,
        }
        body = json.dumps(asked).encode()
        head = f"POST {PATHS[path]} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {KEY}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)

    async def answer(self) -> Answer:
        """The whole answer. Raises `NotWhole`."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer()
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            raise NotWhole(repr(error)) from error

    async def first_byte(self) -> None:
        """Waits until some of the answer is there. Raises `NotWhole`."""
        try:
            await self._reader.readexactly(1)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise NotWhole(repr(error)) from error

    async def _answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("connection", "").lower() == "close":
            self.usable = False
        if "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        else:
            body = await self._chunks()
        return Answer(int(first.split(" ")[1]), headers, body)

    async def _chunks(self) -> bytes:
        pieces: list[bytes] = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(pieces)

    def close(self) -> None:
        self.usable = False
        self._writer.transport.abort()


async def ask(port: int, model: str, path: str = "chat", *, stream: bool = False) -> Answer:
    """One request on a connection of its own. Raises `NotWhole`, and OSError where nobody listens."""
    connection = await Connected.to(port)
    try:
        connection.send(model, path, stream=stream)
        return await connection.answer()
    finally:
        connection.close()


class Load:
    """So many clients at once. `delivered` are the ids whose answers came whole and good, `statuses` count the rest."""

    def __init__(self, clients: int, *, model: Callable[[int], str] = model_of) -> None:
        self._clients = clients
        self._model = model
        self._numbers = itertools.count()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0
        self.asked = 0
        self.delivered: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.broken = 0
        self.refused = 0

    def start(self, port: int) -> None:
        self.port = port
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self._clients)]

    async def stop(self) -> None:
        """Each client finishes what it has begun. Raises what went wrong in one of them."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def _client(self) -> None:
        connection: Connected | None = None
        while not self._stopping:
            if connection is None or not connection.usable:
                if connection is not None:
                    connection.close()
                try:
                    connection = await Connected.to(self.port)
                except OSError:
                    self.refused += 1
                    connection = None
                    await asyncio.sleep(0.02)  # nobody listens at the moment: a client that tries again
                    continue
            number = next(self._numbers)
            try:
                await self._one(connection, self._model(number), number)
            except NotWhole:
                self.broken += 1
                connection.close()
        if connection is not None:
            connection.close()

    async def _one(self, connection: Connected, model: str, number: int) -> None:
        shape = shape_of(number)
        self.asked += 1
        connection.send(model, shape.path, stream=shape.stream)
        if leaves(number):
            if number % 2:
                await connection.first_byte()
            connection.close()
            return
        answer = await connection.answer()
        if answer.status == 200 and is_whole(answer, model, shape):
            assert model not in self.delivered
            self.delivered.add(model)
        else:
            self.statuses[answer.status] += 1


def is_whole(answer: Answer, model: str, shape: Shape) -> bool:
    """Whether it is the answer to this very request, from its beginning to its last event."""
    if not shape.stream:
        assert text_of(model).encode() in answer.body, answer.body
        return True
    if TERMINAL[shape.path] not in answer.body:
        assert b"error" in answer.body, answer.body  # it ended in good order, and not with the answer
        return False
    assert f"answer to {model}".encode() in answer.body, answer.body
    assert answer.body.count(b" and so on") == text_of(model).count(" and so on"), answer.body
    return True
