"""The other side of `benchmarks/transport.py`, in a process of its own: fixed answers, cheaply given.

`POST /unary` gets a completion of 1 kB; `POST /stream/N` gets N events, each in a chunk and a segment of its own.
Prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import cast

ANSWER = b'{"id":"chatcmpl-1","object":"chat.completion","choices":[{"message":{"content":"' + b"word " * 180 + b'"}}]}'
PACE_SECONDS = 0.002  # so that events come one by one and are not read together
EVENT = b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":" word"}}]}\n\n'
HEADERS = b"".join(b"x-header-%d: a value of usual length\r\n" % number for number in range(12))
UNARY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s" % (
    HEADERS,
    len(ANSWER),
    ANSWER,
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n%stransfer-encoding: chunked\r\n\r\n" % HEADERS
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)


class Server(asyncio.Protocol):
    """Answers each request when its body is complete; requests do not overlap on a connection."""

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        # Only ours and the other clients' own headers come, all of which write a length.
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        if len(body) < int(lower[start:].split(b"\r\n", 1)[0]):
            return
        self.buffer = b""
        path = head.split(b" ", 2)[1]
        assert self.transport is not None
        if path.startswith(b"/stream/"):
            self.transport.write(STREAM_HEAD)
            asyncio.get_running_loop().call_later(PACE_SECONDS, self.send_chunk, int(path[8:]))
        else:
            self.transport.write(UNARY)

    def send_chunk(self, left: int) -> None:
        assert self.transport is not None
        if self.transport.is_closing():
            return
        if left == 0:
            self.transport.write(b"0\r\n\r\n")
            return
        self.transport.write(CHUNK)
        asyncio.get_running_loop().call_later(PACE_SECONDS, self.send_chunk, left - 1)


async def serve(certificate: str | None) -> None:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))
