"""Active probes: only for who waits to be tried, only by a list of models, and the next call is the judge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from dragoman.catalogue import resolve
from dragoman.errors import AuthenticationFailed, ServerFault
from dragoman.routing import Health, Route, probe, probe_forever
from dragoman.routing.lineup import lineup_of
from dragoman.routing.probing import list_models, listing_url
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
        (failure(405), "has no list of models", "half-open"),
        (failure(403), "has no list of models", "half-open"),
    ],
    ids=["it answers", "it does not", "it has none", "not this way", "not for this key"],
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


_AWS: dict[str, Any] = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "very-secret"}


@pytest.mark.parametrize(
    ("provider", "given", "url"),
    [
        ("openai", {}, "https://api.openai.com/v1/models"),
        ("anthropic", {}, "https://api.anthropic.com/v1/models"),
        ("gemini", {}, "https://generativelanguage.googleapis.com/v1beta/models"),
        ("ollama", {"base_url": "http://127.0.0.1:11434"}, "http://127.0.0.1:11434/api/tags"),
        ("cohere", {}, "https://api.cohere.com/v1/models"),
        ("cohere", {"dialect": "openai-chat"}, "https://api.cohere.ai/compatibility/v1/models"),
        ("cohere", {"base_url": "https://inside.example/co"}, None),
        ("bedrock", {"region": "us-east-1"}, "https://bedrock.us-east-1.amazonaws.com/foundation-models"),
        ("bedrock", {"region": "cn-north-1"}, "https://bedrock.cn-north-1.amazonaws.com.cn/foundation-models"),
        ("bedrock", {"region": "us-east-1", "base_url": "https://bedrock-runtime.inside.example"}, None),
        ("azure", {"base_url": "https://r.openai.azure.com"}, "https://r.openai.azure.com/openai/v1/models"),
        (
            "azure",
            {"base_url": "https://r.openai.azure.com", "api_version": "2024-10-21"},
            "https://r.openai.azure.com/openai/models?api-version=2024-10-21",
        ),
        ("vertex", {"project": "p"}, None),
        ("voyage", {}, None),
    ],
)
def test_where_a_provider_lists_its_models(provider: str, given: dict[str, Any], url: str | None) -> None:
    access = resolve(provider, model="m", api_key="k", environ={}, **given)
    assert listing_url(access) == url


def test_a_signed_list_is_asked_of_the_control_plane() -> None:
    async def scenario() -> None:
        access = resolve("bedrock", model="m", environ={}, region="us-east-1", **_AWS)
        transport = FakeTransport([LISTED])
        deployment = replace(candidate("a").deployment, access=access, transport=transport)
        assert await list_models(deployment)
        (asked,) = transport.requests
        assert asked.url == "https://bedrock.us-east-1.amazonaws.com/foundation-models"
        assert "/us-east-1/bedrock/aws4_request" in dict(asked.headers)["authorization"]

    asyncio.run(scenario())


def test_a_list_revives_no_dead_credential() -> None:
    async def scenario() -> None:
        route, transport = opened([LISTED])
        lineup = lineup_of(route)
        lineup.health.failed(lineup.options[0].standing, AuthenticationFailed("no", status=401), 0.0)
        await asyncio.sleep(400)
        assert await probe(route, VirtualClock()) == {}
        assert transport.requests == []
        assert lineup.options[0].standing.state(400.0) == "half-open"

    run_virtual(scenario())


def watched(script: Script) -> Route:
    return route_of(candidate("a", script), health=Health())


def test_a_host_that_lists_nothing_any_more_is_passed_over_before_a_call_meets_it() -> None:
    async def scenario() -> None:
        route = watched(lambda _request: failure(500))
        for _ in range(5):
            assert await probe(route, VirtualClock()) == {}
            assert await probe(route, VirtualClock(), well=True) == {"chat_completions/a": "ServerFault"}
        assert lineup_of(route).options[0].standing.state(0.0) == "open"

    run_virtual(scenario())


def test_a_list_that_answers_hides_no_faults_of_calls() -> None:
    async def scenario() -> None:
        route = watched(lambda _request: LISTED)
        lineup = lineup_of(route)
        standing = lineup.options[0].standing
        for _ in range(5):
            lineup.health.failed(standing, ServerFault("down", status=500), 0.0)
            if standing.failures < 5:
                assert await probe(route, VirtualClock(), well=True) == {"chat_completions/a": "answers"}
        assert standing.state(0.0) == "open"

    run_virtual(scenario())


@pytest.mark.parametrize("status", [429, 401, 403])
def test_a_limit_or_a_right_of_lists_is_none_of_calls(status: int) -> None:
    async def scenario() -> None:
        route = watched(lambda _request: failure(status))
        for _ in range(10):
            await probe(route, VirtualClock(), well=True)
        standing = lineup_of(route).options[0].standing
        assert (standing.state(0.0), standing.failures) == ("closed", 0)

    run_virtual(scenario())
