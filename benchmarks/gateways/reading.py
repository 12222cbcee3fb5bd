"""An upstream that reads every body to its end, and streams events that say when each was sent.

`python -m benchmarks.gateways.reading EVENTS PERIOD_SECONDS` prints its port. A stream has so many text deltas, each in
a segment of its own, a period apart; the text of each is the steady clock's nanoseconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import uvloop

from benchmarks.gateways.answers import ANTHROPIC_ANSWER, CHAT_ANSWER
from benchmarks.gateways.machine import LOAD, on_core

__all__ = ["running_reading"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_STREAM_END = b"0\r\n\r\n"
_MOST_STREAM_BODY = 64 * 1024
_MARK = "@"


class _Wire:
    """What one dialect writes: its whole answer, and a stream's beginning, its deltas and its end."""

    def __init__(self, whole: bytes, opening: bytes, delta: bytes, closing: bytes) -> None:
        self.whole = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(whole)
        ) + whole
        self.opening = _STREAM_HEAD + _chunk(opening)
        self.before, self.after = delta.split(_MARK.encode())
        self.closing = _chunk(closing) + _STREAM_END

    def delta(self, now: int) -> bytes:
        return _chunk(b"%b%d%b" % (self.before, now, self.after))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(data: object, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _chat() -> _Wire:
    head = {
        "id": "chatcmpl-CdvAqx1pNbH2SBZZPnJvFvYyO7vhG",
        "object": "chat.completion.chunk",
        "created": 1_763_622_000,
        "model": "reading",
    }

    def chunk(delta: object, finish: str | None = None) -> bytes:
        return _event({**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    usage = {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19}
    return _Wire(
        CHAT_ANSWER,
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": _MARK}),
        chunk({}, "stop") + _event({**head, "choices": [], "usage": usage}) + b"data: [DONE]\n\n",
    )


def _anthropic() -> _Wire:
    whole: dict[str, Any] = json.loads(ANTHROPIC_ANSWER)
    message = {**whole, "content": cast("list[Any]", []), "stop_reason": None}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": _MARK}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return _Wire(
        ANTHROPIC_ANSWER,
        _event({"type": "message_start", "message": message}, "message_start") + _event(block, "content_block_start"),
        _event(delta, "content_block_delta"),
        _event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        + _event({"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}}, "message_delta")
        + _event({"type": "message_stop"}, "message_stop"),
    )


class _Exchange(asyncio.Protocol):
    """One connection: keep-alive, no pipelining."""

    def __init__(self, wires: tuple[_Wire, _Wire], events: int, period: float) -> None:
        self._chat, self._anthropic = wires
        self._events = events
        self._period = period
        self._head = b""
        self._body: list[bytes] = []
        self._missing = 0
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._head, 0, end + 2)
            data, self._head = self._head[end + 4 :], self._head[: end + 4]
            self._body = []
            self._missing = int(length[1]) if length is not None else 0
        self._body.append(data)
        self._missing -= len(data)
        if self._missing <= 0:
            head, self._head, self._missing = self._head, b"", 0
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        assert self._transport is not None
        wire = self._anthropic if b"/messages" in head[:64] else self._chat
        if sum(map(len, self._body)) > _MOST_STREAM_BODY or b'"stream":true' not in b"".join(self._body):
            self._transport.write(wire.whole)
            return
        self._transport.write(wire.opening)
        loop = asyncio.get_running_loop()
        # Streams that were opened together would otherwise speak together.
        begun = loop.time() + self._period * (hash(self) % 1000) / 1000
        self._timer = loop.call_at(begun, self._step, wire, begun, 0)

    def _step(self, wire: _Wire, begun: float, place: int) -> None:
        transport = self._transport
        assert transport is not None
        if place == self._events:
            transport.write(wire.closing)
            return
        transport.write(wire.delta(time.monotonic_ns()))
        following = begun + (place + 1) * self._period
        self._timer = asyncio.get_running_loop().call_at(following, self._step, wire, begun, place + 1)


async def _serve(events: int, period: float) -> None:
    loop = asyncio.get_running_loop()
    wires = (_chat(), _anthropic())
    server = await loop.create_server(lambda: _Exchange(wires, events, period), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The starter holds the other end of standard input: when it is gone, so is the reason to serve.
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


@contextmanager
def running_reading(events: int, period_seconds: float) -> Generator[str]:
    """Its address without a path, for the length of the block; on the load's core."""
    command = [sys.executable, "-m", "benchmarks.gateways.reading", str(events), str(period_seconds)]
    with on_core(LOAD):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
