"""CPU time per exchange of our HTTP client, against aiohttp's and httpx2's, plain and with TLS.

    python -m benchmarks.transport [--requests 4000] [--events 100] [--loop asyncio|uvloop]

The server runs in a process of its own, so that only the client's time is counted (`time.process_time`: user and
system, all threads). Each figure is the best of three rounds; ratios are to ours, in the same run. `floor` is what the
event loop itself asks for: a bare protocol that writes a request and looks for the answer's length.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import aiohttp
import httpx2
import trustme

from benchmarks.transport_server import ANSWER, EVENT, UNARY
from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport, Transport

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"' + b"word " * 100 + b'"}]}'
HEADERS = (
    ("authorization", "Bearer sk-0123456789abcdef0123456789abcdef"),
    ("content-type", "application/json"),
    ("user-agent", "benchmark/1.0"),
    ("accept", "application/json"),
)
ROUNDS = 3
CONCURRENCY = 16


@dataclass(frozen=True)
class Exchange:
    """What one client does: `unary` and `stream` return the bytes of body that they got."""

    unary: Callable[[], Awaitable[int]]
    stream: Callable[[], Awaitable[int]]


Client = Callable[[str, int, ssl.SSLContext], AbstractAsyncContextManager[Exchange]]


@asynccontextmanager
async def through_the_seam(transport: Transport, base: str, events: int) -> AsyncGenerator[Exchange]:
    async def unary() -> int:
        return len((await transport.send(HttpRequest("POST", f"{base}/unary", HEADERS, BODY))).body)

    async def stream() -> int:
        answer = await transport.stream(HttpRequest("POST", f"{base}/stream/{events}", HEADERS, BODY))
        size = 0
        async for piece in answer:
            size += len(piece)
        await answer.aclose()
        return size

    async with transport:
        yield Exchange(unary, stream)


def ours(base: str, events: int, context: ssl.SSLContext) -> AbstractAsyncContextManager[Exchange]:
    return through_the_seam(HttpTransport(ssl_context=context, trust_env=False), base, events)


def our_aiohttp_adapter(base: str, events: int, context: ssl.SSLContext) -> AbstractAsyncContextManager[Exchange]:
    return through_the_seam(AiohttpTransport(ssl_context=context, trust_env=False), base, events)


@asynccontextmanager
async def bare_aiohttp(base: str, events: int, context: ssl.SSLContext) -> AsyncGenerator[Exchange]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:

        async def unary() -> int:
            async with session.post(f"{base}/unary", headers=HEADERS, data=BODY) as response:
                return len(await response.read())

        async def stream() -> int:
            size = 0
            async with session.post(f"{base}/stream/{events}", headers=HEADERS, data=BODY) as response:
                async for piece in response.content.iter_any():
                    size += len(piece)
            return size

        yield Exchange(unary, stream)


@asynccontextmanager
async def bare_httpx2(base: str, events: int, context: ssl.SSLContext) -> AsyncGenerator[Exchange]:
    async with httpx2.AsyncClient(verify=context, timeout=60, trust_env=False) as client:

        async def unary() -> int:
            return len((await client.post(f"{base}/unary", headers=list(HEADERS), content=BODY)).content)

        async def stream() -> int:
            size = 0
            address = f"{base}/stream/{events}"
            async with client.stream("POST", address, headers=list(HEADERS), content=BODY) as response:
                async for piece in response.aiter_raw():
                    size += len(piece)
            return size

        yield Exchange(unary, stream)


class Floor(asyncio.Protocol):
    """The least that an asyncio client can do. It knows the answers' lengths beforehand."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.missing = 0
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.missing -= len(data)
        self.tail = (self.tail + data)[-5:]
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def exchange(self, request: bytes, size: int) -> None:
        assert self.transport is not None
        self.missing = size
        self.transport.write(request)
        while self.missing > 0 if size else self.tail != b"0\r\n\r\n":
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        self.tail = b""


@asynccontextmanager
async def floor(base: str, events: int, context: ssl.SSLContext) -> AsyncGenerator[Exchange]:
    scheme, _, address = base.partition("://")
    port = int(address.rpartition(":")[2])
    idle: list[Floor] = []
    everyone: list[Floor] = []
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS) + f"content-length: {len(BODY)}\r\n\r\n"

    async def exchange(path: str, size: int) -> None:
        if not idle:
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(
                Floor, "127.0.0.1", port, ssl=context if scheme == "https" else None
            )
            idle.append(protocol)
            everyone.append(protocol)
        protocol = idle.pop()
        request = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}".encode() + BODY
        await protocol.exchange(request, size)
        idle.append(protocol)

    async def unary() -> int:
        await exchange("/unary", len(UNARY))
        return len(ANSWER)

    async def stream() -> int:
        await exchange(f"/stream/{events}", 0)
        return len(EVENT) * events

    yield Exchange(unary, stream)
    for protocol in everyone:
        if protocol.transport is not None:
            protocol.transport.abort()
    await asyncio.sleep(0.01)


CLIENTS: dict[str, Client] = {
    "ours": ours,
    "floor": floor,
    "aiohttp": bare_aiohttp,
    "aiohttp behind our seam": our_aiohttp_adapter,
    "httpx2": bare_httpx2,
}


async def measure(call: Callable[[], Awaitable[int]], size: int, count: int) -> float:
    """CPU seconds for one call, of `count` calls by several tasks, after a warm-up."""

    async def work(number: int) -> None:
        for _ in range(number):
            got = await call()
            if got != size:
                raise RuntimeError(f"got {got} bytes of {size}")

    await asyncio.gather(*(work(2) for _ in range(CONCURRENCY)))
    each = max(1, count // CONCURRENCY)
    start = time.process_time()
    await asyncio.gather(*(work(each) for _ in range(CONCURRENCY)))
    return (time.process_time() - start) / (each * CONCURRENCY)


async def round_of(
    client: Client, base: str, requests: int, events: int, context: ssl.SSLContext
) -> tuple[float, float]:
    async with client(base, events, context) as exchange:
        unary = await measure(exchange.unary, len(ANSWER), requests)
        stream = await measure(exchange.stream, len(EVENT) * events, max(CONCURRENCY, requests // events * 4))
    return unary, stream / events


@contextmanager
def running_server(certificate: Path | None) -> Generator[int]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.transport_server",
        *([] if certificate is None else [str(certificate)]),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate()


def run(options: argparse.Namespace, encrypted: bool, certificate: Path, context: ssl.SSLContext) -> None:
    if options.loop == "uvloop":
        import uvloop

        run_loop = uvloop.run
    else:
        run_loop = asyncio.run
    found: dict[str, tuple[float, float]] = {}
    with running_server(certificate if encrypted else None) as port:
        base = f"{'https' if encrypted else 'http'}://127.0.0.1:{port}"
        for name, client in CLIENTS.items():
            once = partial(round_of, client, base, options.requests, options.events, context)
            rounds = [run_loop(once()) for _ in range(ROUNDS)]
            found[name] = (min(unary for unary, _ in rounds), min(event for _, event in rounds))
    print(f"\n{'TLS' if encrypted else 'plain'}, {options.loop}")
    print(f"  {'client':<26}{'µs/request':>12}{'× ours':>9}{'µs/event':>12}{'× ours':>9}")
    unary_ours, event_ours = found["ours"]
    for name, (unary, event) in found.items():
        print(f"  {name:<26}{unary * 1e6:12.1f}{unary / unary_ours:9.2f}{event * 1e6:12.2f}{event / event_ours:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    options = parser.parse_args()
    authority = trustme.CA()
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    print(f"python -m benchmarks.transport {' '.join(sys.argv[1:])}".rstrip())
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        for encrypted in (False, True):
            run(options, encrypted, certificate, context)


if __name__ == "__main__":
    main()
