"""An upstream that gives one recorded answer at a time, and gateways before it for everything that was recorded."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from dragoman import catalogue
from dragoman.errors import DragomanError
from dragoman.gateway.policy import STEERING
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.wire.recordings import Exchange, body_bytes, stream_bytes, target_for

__all__ = ["Answer", "Gateways", "Received", "Upstream", "model_of", "running_gateways", "running_upstream"]

_PIECE = 1460
_NEVER_REPLAYED = ("content-length", "transfer-encoding", "connection", "content-encoding")


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass
class Upstream:
    """Answers every call with what was given last, or what `answers` makes of it. `received` are the calls so far."""

    url: str
    received: list[Received] = field(default_factory=list[Received])
    answer: Answer = (404, {}, b"")
    answers: Callable[[Received], Answer] | None = None

    def give(self, exchange: Exchange) -> None:
        """The recorded answer of an exchange."""
        headers = {
            name: value for name, value in exchange.response.headers.items() if name.lower() not in _NEVER_REPLAYED
        }
        if exchange.is_json_array_stream:
            headers["content-type"] = "text/event-stream"  # the form that is always asked for
        body = stream_bytes(exchange) if exchange.is_stream else body_bytes(exchange)
        headers.setdefault("content-type", "text/event-stream" if exchange.is_stream else "application/json")
        self.answer = (exchange.response.status, headers, body)


@contextmanager
def running_upstream() -> Generator[Upstream]:
    upstream: Upstream

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            told = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, told, body)
            upstream.received.append(received)
            status, headers, answer = upstream.answers(received) if upstream.answers else upstream.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            for start in range(0, len(answer), _PIECE):
                self.wfile.write(answer[start : start + _PIECE])

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up in the middle of an answer is no fault of the server."""

    with Server(("127.0.0.1", 0), Handler) as http:
        upstream = Upstream(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield upstream
        finally:
            http.shutdown()
            thread.join()


# -- gateways ----------------------------------------------------------------------------------------------------------


def model_of(exchange: Exchange) -> str:
    """The upstream's model, which is also the name of the route."""
    return target_for(exchange).model or "a-model"


def _provider_of(exchange: Exchange) -> str:
    return f"{exchange.provider}-as-{exchange.dialect}"


class Gateways:
    """As few gateways as have a route of every recorded model's own name: one name may lead to one provider each."""

    def __init__(self, running: list[tuple[dict[str, str], RunningGateway]]) -> None:
        self._running = running

    def before(self, exchange: Exchange) -> RunningGateway:
        """The gateway that leads this exchange's model to its provider, in the dialect that it was recorded in."""
        model, provider = model_of(exchange), _provider_of(exchange)
        return next(gateway for routes, gateway in self._running if routes.get(model) == provider)


@contextmanager
def running_gateways(exchanges: Iterable[Exchange], url: str, folder: Path) -> Generator[Gateways]:
    """Each provider is like the catalogue's, with its quirks, where the catalogue has it and an address is enough."""
    kept = list(exchanges)
    groups: list[dict[str, str]] = []
    for exchange in kept:
        model, provider = model_of(exchange), _provider_of(exchange)
        if not any(group.setdefault(model, provider) == provider for group in groups):
            groups.append({model: provider})
    blocks = {_provider_of(exchange): _block(exchange.provider, exchange.dialect or "", url) for exchange in kept}
    with contextlib.ExitStack() as stack:
        running: list[tuple[dict[str, str], RunningGateway]] = []
        for number, routes in enumerate(groups):
            place = folder / str(number)
            place.mkdir()
            running.append((routes, stack.enter_context(running_gateway(_config(routes, blocks), place))))
        yield Gateways(running)


def _config(routes: dict[str, str], blocks: dict[str, dict[str, Any]]) -> str:
    told = {
        "providers": {name: blocks[name] for name in dict.fromkeys(routes.values())},
        "models": {
            model: {"deployments": [f"{provider}/{model}"], "max_retries": 0, "allow": sorted(STEERING)}
            for model, provider in routes.items()
        },
        # The master key may name what a provider keeps of which this gateway has no record.
        "server": {"master_key": KEY},
    }
    # JSON is YAML, but for the braces of the block that follows it.
    return "".join(f"{name}: {msgspec.json.encode(value).decode()}\n" for name, value in told.items())


def _block(provider: str, dialect: str, url: str) -> dict[str, Any]:
    block: dict[str, Any] = {
        "base_url": f"{url}/v1beta" if dialect == "gemini" else f"{url}/v1",
        "api_key": "key-of-upstream",
    }
    try:
        row = catalogue.find(provider)
        if dialect in row.dialects:
            catalogue.resolve(row, model="m", dialect=dialect, **block)
            return {"like": provider, "dialect": dialect, **block}
    except DragomanError:
        pass  # one that needs more than an address: its own form of address or of signing
    return {"dialect": dialect, **block}
