"""CPU time of one request in the gateway's server, beside uvicorn's own protocol; and of counting it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, Counter, Histogram

from benchmarks.report import Table, is_quick, ratio
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.serving import GatewayServer
from dragoman.observe.metrics import Metrics

CONNECTIONS = 32
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"' + b"x" * 200 + b'"}]}'
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-benchmark\r\n"
    b"content-type: application/json\r\naccept: application/json\r\nuser-agent: benchmark\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
JSON = (b"content-type", b"application/json")


async def _echo(call: Call) -> None:
    await call.respond(200, [JSON], await call.body())


async def _asgi_echo(
    _scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _serve_ours(held: socket.socket, up: Event) -> None:
    app = App()
    app.add("POST", "/v1/chat/completions", Route(_echo))
    await GatewayServer(app).start([held])
    up.set()
    await asyncio.Event().wait()


def _ours(held: socket.socket, up: Event) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_ours(held, up))


def _bare_uvicorn(held: socket.socket, up: Event) -> None:
    config = uvicorn.Config(
        _asgi_echo,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
    )
    up.set()  # the socket listens already: what comes early waits in its queue
    uvicorn.Server(config).run([held])


@contextmanager
def _server(serve: Callable[[socket.socket, Event], None]) -> Generator[tuple[int, int]]:
    """A server in a process of its own: its process id and its port."""
    context = multiprocessing.get_context("fork")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(CONNECTIONS)
        up = context.Event()
        process = context.Process(target=serve, args=(held, up), daemon=True)
        process.start()
        up.wait(10)
        assert process.pid is not None
        yield process.pid, held.getsockname()[1]
        process.kill()
        process.join()


def _cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def _cost(serve: Callable[[socket.socket, Event], None], rounds: int) -> float:
    """CPU µs of the server's process for one request, with all connections asking at once."""
    with _server(serve) as (pid, port):
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
        _ask(held, 5)
        before = _cpu_seconds(pid)
        _ask(held, rounds)
        spent = _cpu_seconds(pid) - before
        for connection in held:
            connection.close()
    return spent / (rounds * CONNECTIONS) * 1e6


def _ask(held: list[socket.socket], rounds: int) -> None:
    for _ in range(rounds):
        for connection in held:
            connection.sendall(REQUEST)
        for connection in held:
            answer = b""
            while not answer.endswith(BODY):
                answer += connection.recv(65536)


def _counting(times: int) -> tuple[float, float]:
    """µs of counting an attempt and its request: ours, and with as many children of prometheus-client."""
    metrics = Metrics()
    begun = time.perf_counter()
    for _ in range(times):
        metrics.attempt("fast", "openai/gpt-4o", "openai-chat", "ok", 1.2, 0.3, 500, 120, 0.0012)
        metrics.request("fast", "openai-chat", 200, 1.25, 0.0001)
    ours = time.perf_counter() - begun
    registry = CollectorRegistry()
    counters = [Counter(f"c{n}", "c", ["a"], registry=registry).labels("x") for n in range(5)]
    histograms = [Histogram(f"h{n}", "h", ["a"], registry=registry).labels("x") for n in range(4)]
    begun = time.perf_counter()
    for _ in range(times):
        for counter in counters:
            counter.inc(2)
        for histogram in histograms:
            histogram.observe(0.3)
    return ours / times * 1e6, (time.perf_counter() - begun) / times * 1e6


def main() -> None:
    quick = is_quick(__doc__)
    rounds, pairs, times = (5, 1, 100) if quick else (400, 5, 100_000)
    measured = [(_cost(_ours, rounds), _cost(_bare_uvicorn, rounds)) for _ in range(pairs)]
    ours, bare = (statistics.median(column) for column in zip(*measured, strict=True))
    counted, theirs = _counting(times)
    table = Table(
        "Server: an echo of 260 bytes, and counting it",
        f"CPU µs of the server's process for one request (kernel included), {CONNECTIONS} connections, median of "
        f"{pairs} pairs; µs of one thread for counting one attempt and one request. Loop: uvloop on {os.cpu_count()} "
        "cores.",
        ["what", "ours", "other", "other ÷ ours"],
        [
            ["echo; other: bare uvicorn (httptools)", f"{ours:.1f}", f"{bare:.1f}", ratio(bare, ours)],
            [
                "metrics; other: bound children of prometheus-client",
                f"{counted:.2f}",
                f"{theirs:.2f}",
                ratio(theirs, counted),
            ],
        ],
    )
    print(table.markdown())


if __name__ == "__main__":
    main()
