"""Our server and our client with nothing between them: what of a gateway's time is theirs.

`python -m benchmarks.gateways.bare (answering | passing) UPSTREAM` prints its port: it answers by itself, or with what
the upstream answers.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvloop

from benchmarks.gateways.answers import CHAT_ANSWER
from benchmarks.gateways.machine import GATEWAY, on_core
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.serving import GatewayServer
from dragoman.transport import HttpRequest, HttpTransport

__all__ = ["running_bare"]

_PATH = "/v1/chat/completions"
_HEADERS = (("authorization", "Bearer sk-upstream"), ("content-type", "application/json"))
_ANSWERED = [(b"content-type", b"application/json")]


async def _serve(kind: str, upstream: str) -> None:
    transport = HttpTransport(gathers=True)

    async def answer(call: Call) -> None:
        await call.body()
        await call.respond(200, _ANSWERED, CHAT_ANSWER)

    async def pass_on(call: Call) -> None:
        answered = await transport.send(HttpRequest("POST", upstream + _PATH, _HEADERS, await call.body()))
        await call.respond(200, _ANSWERED, answered.body)

    app = App(ServerLimits())
    app.add("POST", _PATH, Route(answer if kind == "answering" else pass_on))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    server = GatewayServer(app)
    await server.start([listening])
    gc.freeze()
    print(listening.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await server.drain(bound_seconds=1.0)


@contextmanager
def running_bare(kind: str, upstream: str) -> Generator[tuple[str, int]]:
    """Its address and its process, on the gateway's core, for the length of the block."""
    command = [sys.executable, "-m", "benchmarks.gateways.bare", kind, upstream]
    with on_core(GATEWAY):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}{_PATH}", process.pid
        finally:
            process.stdin.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(sys.argv[1], sys.argv[2]))
