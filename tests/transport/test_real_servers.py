"""Our client and aiohttp against nginx, Node and uvicorn: plain, with TLS, and through a CONNECT proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport, Transport
from dragoman.transport.limits import Statistics
from tests.transport import outcomes
from tests.transport.asgi_app import LARGE
from tests.transport.conftest import Authority
from tests.transport.programs import PROGRAMS
from tests.transport.proxy_server import running_proxy
from tests.transport.scenarios import PATIENT, Ending
from tests.transport.talking import get, run

EVENTS = b"".join(b"data: %d\n\n" % left for left in range(5, 0, -1))
CLIENTS: dict[str, Callable[..., Transport]] = {"ours": HttpTransport, "aiohttp": AiohttpTransport}


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    ending: Ending
    body: bytes = b""


EXCHANGES = {
    "json": Exchange("GET", "/json", Ending(200, b'{"hello":"world"}')),
    "large": Exchange("GET", "/large", Ending(200, LARGE)),
    "gzip": Exchange("GET", "/gzip", Ending(200, LARGE)),
    "chunked": Exchange("GET", "/chunked", Ending(200, EVENTS)),
    "close-delimited": Exchange("GET", "/close-delimited", Ending(200, b"no length at all")),
    "close": Exchange("GET", "/close", Ending(200, b"bye")),
    "early-hints": Exchange("GET", "/early-hints", Ending(200, b"after the hints")),
    "empty": Exchange("GET", "/empty", Ending(204, b"")),
    "redirect": Exchange("HEAD", "/redirect", Ending(302, b"")),
    "missing": Exchange("GET", "/missing", Ending(404, b"missing")),
    "head": Exchange("HEAD", "/large", Ending(200, b"")),
    "head-gzip": Exchange("HEAD", "/gzip", Ending(200, b"")),
    "post": Exchange("POST", "/length", Ending(200, b"5"), b"hello"),
    "post-large": Exchange("POST", "/length", Ending(200, b"900000"), b"x" * 900_000),
    "post-empty": Exchange("POST", "/length", Ending(200, b"0")),
    "delete": Exchange("DELETE", "/json", Ending(200, b'{"hello":"world"}')),
}


@dataclass(frozen=True)
class Place:
    url: str
    paths: frozenset[str]
    settings: dict[str, Any]


@pytest.fixture(scope="module", params=["plain", "tls", "tunnel"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=PROGRAMS)
def place(
    request: pytest.FixtureRequest, way: str, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Place]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(request.param)
        start = PROGRAMS[request.param]
        server = stack.enter_context(start(authority, folder, encrypted=way != "plain"))
        settings: dict[str, Any] = {"ssl_context": authority.client_context}
        if way == "tunnel":
            settings["proxy"] = f"http://127.0.0.1:{stack.enter_context(running_proxy()).port}"
        yield Place(server.url, server.paths, settings)


@pytest.mark.parametrize("verb", ["send", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
def test_every_exchange_ends_alike(client: str, verb: str, place: Place) -> None:
    """One connection's worth of exchanges, each twice, so that what one leaves behind would show in the next."""
    drive = {"send": outcomes.send, "stream": outcomes.stream}[verb]
    found: dict[str, list[Ending]] = {}

    async def main() -> None:
        async with CLIENTS[client](**place.settings) as transport:
            for name, exchange in EXCHANGES.items():
                if exchange.path in place.paths:
                    request = HttpRequest(exchange.method, place.url + exchange.path, (), exchange.body, PATIENT)
                    found[name] = [await drive(transport, request) for _ in range(2)]

    asyncio.run(main())
    assert len(found) >= 12
    for name, endings in found.items():
        for ending in endings:
            assert outcomes.agrees(ending, EXCHANGES[name].ending), f"{name}: {ending}"


def test_one_connection_serves_all_that_leave_it_open(place: Place) -> None:
    async def main() -> None:
        async with HttpTransport(**place.settings) as transport:
            for path in ("/json", "/large", "/gzip", "/empty", "/missing", "/length"):
                await transport.send(get(place.url + path))
                assert transport.statistics() == Statistics(open=1, idle=1), path

    run(main)


def test_many_at_once(place: Place) -> None:
    async def main() -> None:
        async with HttpTransport(**place.settings) as transport:
            calls = [transport.send(get(place.url + path)) for path in ("/json", "/large", "/gzip", "/length") * 15]
            answers = await asyncio.gather(*calls)
            assert [len(answer.body) for answer in answers[:4]] == [17, len(LARGE), len(LARGE), len(answers[3].body)]
            assert all(answer.status == 200 for answer in answers)
            found = transport.statistics()
            assert found.open == found.idle <= 60

    run(main)
