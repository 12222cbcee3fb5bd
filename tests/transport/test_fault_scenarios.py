"""Our client and aiohttp through every scenario of the fault server: plain, with TLS, and through a CONNECT proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from dragoman.transport import AiohttpTransport, HttpRequest, HttpTransport, Transport
from tests.transport import outcomes
from tests.transport.conftest import Authority
from tests.transport.fault_server import FaultServer, running_fault_server
from tests.transport.proxy_server import running_proxy
from tests.transport.scenarios import SCENARIOS, Ending, Scenario

CREDENTIALS = "user:pass word"
WAYS = ("plain", "tls", "tunnel")
VERBS = {"send": outcomes.send, "stream": outcomes.stream}
CLIENTS: dict[str, Callable[..., Transport]] = {
    "ours": HttpTransport,
    "aiohttp": AiohttpTransport,
}


@contextmanager
def way(name: str, authority: Authority, scripts: dict[str, Any]) -> Generator[tuple[FaultServer, dict[str, Any]]]:
    """A fault server and the settings with which a client reaches it."""
    if name == "plain":
        with running_fault_server(scripts) as server:
            yield server, {}
    elif name == "tls":
        with running_fault_server(scripts, authority.server_context) as server:
            yield server, {"ssl_context": authority.client_context}
    else:
        with running_fault_server(scripts, authority.server_context) as server, running_proxy(CREDENTIALS) as proxy:
            address = f"http://user:pass%20word@127.0.0.1:{proxy.port}"
            yield server, {"ssl_context": authority.client_context, "proxy": address}


@pytest.fixture(scope="module", params=WAYS)
def place(request: pytest.FixtureRequest, authority: Authority) -> Generator[tuple[FaultServer, dict[str, Any]]]:
    scripts = {name: scenario.script for name, scenario in SCENARIOS.items()}
    with way(request.param, authority, scripts) as found:
        yield found


def wanted_of(scenario: Scenario, client: str) -> Ending:
    if client == "aiohttp" and scenario.aiohttp is not None:
        return scenario.aiohttp
    return scenario.ending


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_ends_as_it_should(
    name: str, client: str, verb: str, place: tuple[FaultServer, dict[str, Any]]
) -> None:
    server, settings = place
    check(SCENARIOS[name], name, CLIENTS[client], verb, server, settings, wanted_of(SCENARIOS[name], client))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_gathered_writes_end_alike(name: str, verb: str, gathered: FaultServer) -> None:
    check(SCENARIOS[name], name, HttpTransport, verb, gathered, {"gathers": True}, SCENARIOS[name].ending)


@pytest.fixture(scope="module")
def gathered() -> Generator[FaultServer]:
    with running_fault_server({name: scenario.script for name, scenario in SCENARIOS.items()}) as server:
        yield server


def check(
    scenario: Scenario,
    name: str,
    client: Callable[..., Transport],
    verb: str,
    server: FaultServer,
    settings: dict[str, Any],
    wanted: Ending,
) -> None:
    request = HttpRequest(scenario.method, f"{server.url}/{name}", (), scenario.body, scenario.timeout)
    seen: list[Ending] = []
    connections = server.connections

    async def main() -> None:
        async with client(**settings) as transport:
            seen.append(await VERBS[verb](transport, request))
            if scenario.reused is not None:
                seen.append(await VERBS[verb](transport, request))

    asyncio.run(main())
    for ending in seen:
        assert outcomes.agrees(ending, wanted), f"{ending} is not {wanted}"
    if scenario.reused is not None and scenario.aiohttp is None:
        assert server.connections - connections == (1 if scenario.reused else 2)
    server.wait_until_quiet()
