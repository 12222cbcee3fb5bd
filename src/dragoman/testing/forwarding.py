"""One exchange of the fault proxy with the server behind it: a request passed on, and its answer event by event."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from dragoman.framing import SseBlocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dragoman.testing.http_server import Received

__all__ = ["Answer", "Exchange", "Upstream", "UpstreamLost"]

LONGEST_HEAD = 256 * 1024
PIECE_BYTES = 64 * 1024
_HOP_BY_HOP = frozenset(
    "accept-encoding connection content-length expect host keep-alive proxy-authorization proxy-connection te "
    "transfer-encoding upgrade".split()
)


class UpstreamLost(Exception):
    """The server behind the proxy cannot be reached, or ended its answer before the answer's own end."""


@dataclass(frozen=True)
class Answer:
    """The head of an answer, without what belongs to its connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content_type: str
    length: int | None
    chunked: bool


class Upstream:
    """The server behind the proxy, by the address that paths are put behind."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the address of a server begins with http:// or https://, and {url!r} does not")
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls is not None else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._before = parts.path.rstrip("/")

    async def open(self, received: Received) -> Exchange:
        """Sends the request on a connection of its own. Raises `UpstreamLost`."""
        lines = [f"{received.method} {self._before}{received.path} HTTP/1.1", f"host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in received.headers.items() if name not in _HOP_BY_HOP]
        # Events can be told apart only in an answer that is not compressed.
        lines += ["accept-encoding: identity", "connection: close", f"content-length: {len(received.body)}"]
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=LONGEST_HEAD)
        except OSError as error:
            raise UpstreamLost(f"{self._authority} cannot be reached: {error}") from error
        exchange = Exchange(reader, writer)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + received.body)
            await writer.drain()
        except BaseException as error:
            exchange.close()
            if isinstance(error, OSError):
                raise UpstreamLost(f"{self._authority} closed the connection: {error}") from error
            raise
        return exchange


class Exchange:
    """A request that was sent. `close` ends its connection at once, whatever has come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self) -> Answer:
        """The answer's head; interim ones are skipped. Raises `UpstreamLost`."""
        try:
            while True:
                head = await self._reader.readuntil(b"\r\n\r\n")
                first, *lines = head[:-4].decode("latin-1").split("\r\n")
                status = int(first.split(" ", 2)[1])
                if status >= 200:
                    return _answer(status, lines)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
            raise UpstreamLost(f"no answer's head came: {error}") from error

    async def pieces(self, answer: Answer) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `UpstreamLost` where it ends too early."""
        try:
            if answer.chunked:
                while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
                    yield await self._reader.readexactly(size)
                    await self._reader.readexactly(2)
            elif answer.length is None:
                while piece := await self._reader.read(PIECE_BYTES):
                    yield piece
            else:
                left = answer.length
                while left:
                    piece = await self._reader.read(min(left, PIECE_BYTES))
                    if not piece:
                        raise UpstreamLost(f"{left} bytes of the body are missing")
                    left -= len(piece)
                    yield piece
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise UpstreamLost(f"the body has no end: {error}") from error

    async def events(self, answer: Answer) -> AsyncIterator[bytes]:
        """The body of a stream, one event after the other, and at last what stands behind the last one."""
        splitter = _splitter(answer.content_type)
        async for piece in self.pieces(answer):
            for event in splitter.feed(piece):
                yield event
        rest = splitter.close()
        if rest:
            yield rest

    def close(self) -> None:
        self._writer.transport.abort()


def _answer(status: int, lines: list[str]) -> Answer:
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(fields)
    length = headers.get("content-length")
    bodiless = status in (204, 304)
    return Answer(
        status=status,
        headers=tuple(field for field in fields if field[0] not in _HOP_BY_HOP),
        content_type=headers.get("content-type", ""),
        length=0 if bodiless else None if length is None else int(length),
        chunked="chunked" in headers.get("transfer-encoding", "").lower(),
    )


# -- events of the framings that streams come in -----------------------------------------------------------------------


class _Splitter(Protocol):
    def feed(self, data: bytes) -> list[bytes]: ...

    def close(self) -> bytes: ...


def _splitter(content_type: str) -> _Splitter:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-ndjson":
        return _Lines()
    return _Messages() if kind == "application/vnd.amazon.eventstream" else SseBlocks()


class _Kept:
    def __init__(self) -> None:
        self._kept = b""

    def close(self) -> bytes:
        rest, self._kept = self._kept, b""
        return rest


class _Lines(_Kept):
    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._kept = (self._kept + data).split(b"\n")
        return [line + b"\n" for line in lines]


class _Messages(_Kept):
    """Messages of an AWS event stream, each of which begins with its length."""

    def feed(self, data: bytes) -> list[bytes]:
        data = self._kept + data
        messages: list[bytes] = []
        while len(data) >= 4 and len(data) >= (length := max(int.from_bytes(data[:4]), 4)):
            messages.append(data[:length])
            data = data[length:]
        self._kept = data
        return messages
