"""Active probes: only for who waits to be tried, only by a list of models, and the next call is the judge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dragoman.errors import ServerFault
from dragoman.routing import Health, Route, probe, probe_forever
from dragoman.routing.lineup import lineup_of
from dragoman.transport import FakeTransport, HttpResponse
from tests.face.chat_wire import JSON, failure
from tests.routing.virtual import VirtualClock, candidate, route_of, run_virtual

if TYPE_CHECKING:
    from dragoman.transport.fake import Script

LISTED = HttpResponse(200, JSON, b'{"object":"list","data":[]}')


def opened(script: Script) -> tuple[Route, FakeTransport]:
    """A route whose first deployment has an open breaker."""
    route = route_of(candidate("a", script), "b", health=Health())
    lineup = lineup_of(route)
    for _ in range(5):
        lineup.health.failed(lineup.options[0].standing, ServerFault("down", status=500), 0.0)
    transport = route.candidates[0].deployment.transport
    assert isinstance(transport, FakeTransport)
    return route, transport


@pytest.mark.parametrize(
    ("answer", "told", "state"),
    [
        (LISTED, "answers", "closed"),
        (failure(503), "Overloaded", "open"),
        (failure(404), "has no list of models", "half-open"),
    ],
    ids=["it answers", "it does not", "it has none"],
)
def test_a_list_of_models_tells_whether_it_is_back(answer: HttpResponse, told: str, state: str) -> None:
    async def scenario() -> None:
        route, transport = opened([answer])
        assert await probe(route, VirtualClock()) == {}
        await asyncio.sleep(11)
        assert await probe(route, VirtualClock()) == {"chat_completions/a": told}
        assert lineup_of(route).options[0].standing.state(11.0) == state
        (asked,) = transport.requests
        assert (asked.method, asked.url, asked.body) == ("GET", "http://a.test/v1/models", b"")

    run_virtual(scenario())


def test_probing_goes_on_until_it_is_cancelled() -> None:
    async def scenario() -> int:
        route, transport = opened(lambda _request: failure(503))
        task = asyncio.ensure_future(probe_forever(route, VirtualClock(), every_seconds=5.0))
        await asyncio.sleep(100)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not lineup_of(route).options[0].standing.probing
        return len(transport.requests)

    assert run_virtual(scenario()) == 3  # after 10, 30 and 70 s: each failure doubles the pause
