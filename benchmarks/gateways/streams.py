"""Many streams at once: how late events come, each sent in a segment of its own, and what one costs the gateway.

`python -m benchmarks.gateways.streams URL MODEL KEY STREAMS` prints what its streams came to as JSON. The upstream
(`reading`) writes the steady clock's nanoseconds into every event, so an event's age at its arrival is known.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.gateways.answers import chat
from benchmarks.gateways.machine import LOAD, cpu_seconds, on_core

__all__ = ["Streamed", "stream"]

_SENT = re.compile(rb'"content":"(\d{12,})"')
_END = b"0\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """What a run came to: events that arrived, their lateness, and CPU seconds of the gateway."""

    events: int
    p50_seconds: float
    p99_seconds: float
    cpu_seconds: float

    @property
    def per_core_second(self) -> float:
        """Events that a core of the gateway's would pass in a second."""
        return self.events / self.cpu_seconds


def stream(url: str, model: str, key: str, streams: int, process: int, seconds: float) -> Streamed:
    """Reads so many streams from a gateway, all at once. Raises RuntimeError if one of them broke."""
    command = [sys.executable, "-m", "benchmarks.gateways.streams", url, model, key, str(streams)]
    before = cpu_seconds(process)
    with on_core(LOAD):
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=seconds * 4 + 60, check=False)
    spent = cpu_seconds(process) - before
    if done.returncode:
        raise RuntimeError(f"streams from {url} broke")
    told = json.loads(done.stdout)
    return Streamed(
        events=told["events"], p50_seconds=told["p50"] / 1e9, p99_seconds=told["p99"] / 1e9, cpu_seconds=spent
    )


class _Reader(asyncio.Protocol):
    """One stream: sends its request, and notes the age of every event."""

    def __init__(self, request: bytes, ages: list[int], ended: asyncio.Future[None]) -> None:
        self._request = request
        self._ages = ages
        self._ended = ended
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._rest + data
        last = 0
        for found in _SENT.finditer(data):
            self._ages.append(now - int(found[1]))
            last = found.end()
        self._rest = data[max(last, len(data) - 64) :]
        if data.endswith(_END) and not self._ended.done():
            assert self._transport is not None
            self._ended.set_result(None)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(ConnectionError("the stream was cut"))


async def _read(url: str, model: str, key: str, streams: int) -> None:
    parts = urlsplit(url)
    body = chat(model, stream=True)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    ages: list[int] = []
    ends: list[asyncio.Future[None]] = []
    for _ in range(streams):
        ended: asyncio.Future[None] = loop.create_future()
        ends.append(ended)
        reader = _Reader(head.encode() + body, ages, ended)
        await loop.create_connection(lambda reader=reader: reader, parts.hostname or "", parts.port or 80)
    await asyncio.gather(*ends)
    ages.sort()
    print(json.dumps({"events": len(ages), "p50": ages[len(ages) // 2], "p99": ages[len(ages) * 99 // 100]}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_read(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
