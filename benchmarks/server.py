"""CPU time of one request in the gateway's server, beside uvicorn's own protocol; of large bodies; and of counting."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import threading
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


class _Turns:
    """CPU time of the loop's turns, and that of all since it was last asked for."""

    def __init__(self) -> None:
        self._taken: list[float] = []
        self._spent = 0.0

    async def watch(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            self._taken.append(time.thread_time() - before)

    async def tell(self, call: Call) -> None:
        taken, self._taken = sorted(self._taken), []
        spent, self._spent = time.thread_time() - self._spent, time.thread_time()
        told = f"{taken[int(len(taken) * 0.99)]} {taken[-1]} {spent}" if taken else "0 0 0"
        await call.respond(200, [], told.encode())


async def _swallow(call: Call) -> None:
    await call.body()
    await call.respond(200, [JSON], b"{}")


async def _serve_ours(held: socket.socket, up: Event) -> None:
    app, turns = App(), _Turns()
    app.add("POST", "/v1/chat/completions", Route(_echo))
    app.add("POST", "/large", Route(_swallow))
    app.add("GET", "/turns", Route(turns.tell))
    await GatewayServer(app).start([held])
    watching = asyncio.create_task(turns.watch())
    up.set()
    await watching


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


def _upload(port: int, size: int, times: int) -> None:
    head = b"POST /large HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    body = b"x" * size
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(times):
            connection.sendall(head % size)
            connection.sendall(body)
            answer = b""
            while not answer.endswith(b"{}"):
                answer += connection.recv(65536)


def _turns(port: int) -> tuple[float, float, float]:
    """Of the loop's turns since this was last asked: ms of the 99th in a hundred, of the longest, of all together."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /turns HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    p99, longest, spent = map(float, answer.rpartition(b"\r\n\r\n")[2].split())
    return p99 * 1e3, longest * 1e3, spent * 1e3


def _large(size: int, times: int) -> Table:
    with _server(_ours) as (_, port):
        _upload(port, size, 1)
        _turns(port)
        senders = [threading.Thread(target=_upload, args=(port, size, times)) for _ in range(2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        p99, longest, spent = _turns(port)
    return Table(
        f"Server: bodies of {size // 1_000_000} MB",
        "CPU ms of one body, and of the loop's turns while two connections send such bodies: as long as a turn lasts, "
        "everybody else waits.",
        ["what", "a body", "a turn, p99", "the longest turn"],
        [["read whole", f"{spent / (2 * times):.1f}", f"{p99:.1f}", f"{longest:.1f}"]],
    )


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
    print(_large(*((1_000_000, 2) if quick else (20_000_000, 20))).markdown())


if __name__ == "__main__":
    main()
