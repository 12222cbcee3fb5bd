"""A fake provider in a process of its own: fixed answers, read and written with as little work as can be.

The address says what is wanted: `<url>/<events>/<pause>/v1/…` is answered with that many text deltas, in one piece
(pause 0) or each in a segment of its own, `pause` microseconds apart. `python -m benchmarks.upstream` prints its port.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import cast

from benchmarks import wire

__all__ = ["running_upstream"]

_DIALECTS = {b"completions": "openai-chat", b"responses": "openai-responses", b"messages": "anthropic"}
_PATH = re.compile(rb"POST /(\d+)/(\d+)/v1/(?:chat/)?(completions|responses|messages)[ ?]")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_ANSWER_WORDS = 60
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_STREAM_END = b"0\r\n\r\n"


@cache
def _whole(dialect: str) -> bytes:
    body = wire.whole(dialect, wire.words(_ANSWER_WORDS))
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@cache
def _segments(dialect: str, events: int) -> tuple[bytes, ...]:
    frames = wire.frames(dialect, wire.words(events))
    return tuple(b"%x\r\n%b\r\n" % (len(frame), frame) for frame in frames)


@cache
def _burst(dialect: str, events: int) -> bytes:
    return b"".join((_STREAM_HEAD, *_segments(dialect, events), _STREAM_END))


class _Exchange(asyncio.Protocol):
    """One connection: keep-alive, no pipelining."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data
        head_end = received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(received, 0, head_end + 2)
        if length is None or len(received) < head_end + 4 + int(length[1]):
            return
        self._received = b""
        self._answer(received)

    def _answer(self, request: bytes) -> None:
        transport = self._transport
        assert transport is not None
        asked = _PATH.match(request)
        if asked is None:
            transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            return
        dialect, events, pause = _DIALECTS[asked[3]], int(asked[1]), int(asked[2])
        if b'"stream":true' not in request and b'"stream": true' not in request:
            transport.write(_whole(dialect))
        elif not pause:
            transport.write(_burst(dialect, events))
        else:
            transport.write(_STREAM_HEAD)
            self._drip([*_segments(dialect, events), _STREAM_END], pause / 1e6)

    def _drip(self, segments: Sequence[bytes], pause_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()

        def step(place: int) -> None:
            transport = self._transport
            if transport is None or transport.is_closing():
                return
            transport.write(segments[place])
            if place + 1 < len(segments):
                loop.call_at(begun + (place + 1) * pause_seconds, step, place + 1)

        step(0)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Exchange, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The starter holds the other end of standard input: when it is gone, so is the reason to serve.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    server.close()


@contextmanager
def running_upstream() -> Generator[str]:
    """Its address without a `/` at the end, for the length of the block."""
    command = [sys.executable, "-m", "benchmarks.upstream"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve())
