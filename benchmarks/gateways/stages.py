"""Where the time of a relayed answer goes, stage by stage, in one process and without sockets.

`python -m benchmarks.gateways.stages SECONDS` prints microseconds of CPU by stage as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import uvloop
from msgspec.structs import replace

from benchmarks.gateways.answers import CHAT_ANSWER, MODEL, chat
from benchmarks.gateways.machine import GATEWAY, on_core
from dragoman.accounts import presented_in
from dragoman.dialects import load
from dragoman.engine import Deployment, Meter
from dragoman.engine.relay import touched
from dragoman.engine.relay.request import relay_http
from dragoman.gateway.assembly import Gateway
from dragoman.gateway.bounding import bound_of
from dragoman.gateway.config.loading import read
from dragoman.gateway.ingress import openai_chat
from dragoman.gateway.server.call import Call
from dragoman.ledger.permits import CallPermits, CallScope
from dragoman.transport import HttpRequest, HttpResponse, Transport
from dragoman.transport.headers import ResponseHeaders
from dragoman.values import Request

__all__ = ["stages"]

_KEY = "sk-benchmark-0123456789abcdef"
_CONFIG = """
providers:
  plain: {{dialect: openai-chat, base_url: "http://127.0.0.1:9/v1", api_key: "sk-upstream-0123456789"}}
models:
  {model}: {{deployments: [{{model: plain/{model}, prices: {{input: 2.5, output: 10}}}}]}}
keys: [{{name: benchmark, team: load, key: "{key}", limits: {{rpm: 1000000, concurrency: 4096}}}}]
storage: {{database: "sqlite:///{folder}/ledger.db"}}
spool: {{directory: "{folder}/spool"}}
log: {{requests: none}}
"""
_FIELDS = {b"host": b"localhost", b"authorization": b"Bearer " + _KEY.encode(), b"content-type": b"application/json"}
_RAW = {b"server": b"nginx", b"date": b"Fri, 20 Nov 2026", b"content-type": b"application/json"}
_BODY = chat()


class _Answering:
    """A transport that has every answer at once."""

    async def send(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, ResponseHeaders(_RAW), CHAT_ANSWER)


class _Call:
    """A request that is there, and an answer that goes nowhere."""

    cancel_on_disconnect = False
    started = False
    status = 200
    query = ""
    fields = _FIELDS

    async def body(self, _limit: int | None = None) -> bytes:
        return _BODY

    async def respond(self, *_: object) -> None: ...


async def _each(work: Callable[[], object], seconds: float) -> float:
    """The least CPU time of one among rounds of this."""
    best = float("inf")
    for _ in range(5):
        count = 0
        began = time.process_time()
        while (spent := time.process_time() - began) < seconds / 5:
            for _ in range(100):
                done = work()
                if done is not None and hasattr(done, "__await__"):
                    await cast("Awaitable[object]", done)
            count += 100
        best = min(best, spent / count)
    return best


def _unread() -> Request:
    raise AssertionError("a bound that needs values")


async def _measure(seconds: float, folder: Path) -> dict[str, float]:
    text = _CONFIG.format(model=MODEL, key=_KEY, folder=folder)
    gateway = Gateway(lambda: read(text, "stages.yaml", folder=folder, environ={}))
    generation = gateway.generations.current()
    route = generation.routes.find(MODEL)
    candidate = route.route.candidates[0]
    transport = cast("Transport", _Answering())
    deployment = replace(candidate.deployment, transport=transport)
    route.route = replace(route.route, candidates=(replace(candidate, deployment=deployment),))
    handler = gateway.app.find("POST", "/v1/chat/completions").handler
    call = cast("Call", _Call())
    await handler(call)
    asked = openai_chat.read(_BODY)
    principal = generation.keys.find(_KEY)
    assert principal is not None
    permits = CallPermits(gateway.spool, CallScope(request_id="req_1", key="benchmark", route=MODEL))

    def admit() -> None:
        shown = presented_in(_FIELDS)
        found = generation.keys.find(None if shown is None else shown.secret)
        assert found is not None
        found.may_use(generation.routes.find(MODEL).name)
        found.admit(time.monotonic()).release()

    def meter() -> None:
        measured = Meter(deployment, "first choice")
        response = load("openai-chat").meter_response
        assert response is not None
        answer = response(CHAT_ANSWER, deployment.target)
        assert answer is not None
        measured.priced(answer)

    attempt = _attempt(deployment)
    told: dict[str, Any] = {
        "members of the body": lambda: openai_chat.read(_BODY),
        "key, route, limits": admit,
        "names in the body, relay or translate": lambda: _decide(deployment),
        "bound of the cost": lambda: bound_of(asked, deployment, _unread),
        "intent and settlement in the spool": lambda: permits.write(deployment, "first choice").settle(attempt),
        "request for the provider": lambda: relay_http(deployment, asked, None),
        "answer metered and priced": meter,
        "metrics": lambda: gateway.metrics.attempt(MODEL, "d", "openai-chat", "ok", 0.01, 0.01, 10, 9, 0.0001),
    }
    costs = {name: await _each(work, seconds) for name, work in told.items()}
    costs["all of it"] = await _each(lambda: handler(call), seconds * 3)
    gateway.close()
    return costs


def _decide(deployment: Deployment) -> None:
    asked = openai_chat.read(_BODY)
    _ = asked.holds_state
    touched(deployment.target.quirks, asked.dialect, asked.members, asked.body, asked.words)


def _attempt(deployment: Deployment) -> Any:
    meter = Meter(deployment, "first choice")
    response = load("openai-chat").meter_response
    assert response is not None
    answer = response(CHAT_ANSWER, deployment.target)
    assert answer is not None
    meter.first_byte()
    return meter.ok(answer.usage, meter.priced(answer).cost)


def stages(seconds: float) -> dict[str, float]:
    """CPU seconds by stage, measured in a process of its own on the gateway's core."""
    command = [sys.executable, "-m", "benchmarks.gateways.stages", str(seconds)]
    with on_core(GATEWAY):
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120)
    return json.loads(done.stdout)


if __name__ == "__main__":
    with TemporaryDirectory() as place, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_measure(float(sys.argv[1]), Path(place)))))
