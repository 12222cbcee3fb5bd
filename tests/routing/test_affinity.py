"""Affinity: what tells that calls belong together, and where they go then."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dragoman.errors import ServerFault
from dragoman.routing import Affinity, Health, Route, RoutedStream, run
from dragoman.routing.call import Call
from dragoman.routing.lineup import lineup_of
from dragoman.routing.sessions import SESSION_HEADERS, prefix_of, session_of
from dragoman.routing.strategies import RoundRobin
from dragoman.values import Request, assistant, system, user
from tests.face.chat_wire import answer, failure, streamed
from tests.routing.virtual import candidate, route_of, settings_of

LONG = "All that there is to know about bridges. " * 200


def asked(route: Route, request: Request) -> str:
    """Who answers."""
    return asyncio.run(run(route, request, settings_of())).attempts[-1].model


def request(text: str = "Hi", session: str | None = None, **fields: Any) -> Request:
    headers = None if session is None else {"X-Session-Id": session}
    return Request(model="m", messages=(user(text),), extra_headers=headers, **fields)


def ring(*names: str, **fields: Any) -> Route:
    candidates = [candidate(name, lambda _request: answer()) for name in names]
    return route_of(*candidates, strategy=RoundRobin(), affinity=Affinity(**fields), health=Health())


@pytest.mark.parametrize("header", [name for name, _ in SESSION_HEADERS])
def test_headers_of_coding_agents_name_a_session(header: str) -> None:
    assert session_of({header: "s-1"}, {}) == "s-1"


def test_claude_codes_user_id_names_a_session() -> None:
    told = "user_aa_account__session_0b5cf1de-55b4-4b83-8d0e-1b0a2a2f4c11"
    assert session_of({}, {"user_id": told}) == "0b5cf1de-55b4-4b83-8d0e-1b0a2a2f4c11"
    assert session_of({}, {"user_id": json.dumps({"device_id": "d", "session_id": "s-2"})}) == "s-2"
    assert session_of({}, {}, told) == "0b5cf1de-55b4-4b83-8d0e-1b0a2a2f4c11"
    assert session_of({}, {"user_id": "anna"}, "anna") is None


def test_a_name_of_any_length_is_not_taken() -> None:
    assert session_of({"x-session-id": "x" * 257}, {}) is None


def test_a_conversation_keeps_its_digest_while_it_grows() -> None:
    first = Request(model="m", messages=(system("Be terse."), user(LONG)))
    later = Request(model="m", messages=(*first.messages, assistant("Yes."), user("And then?")))
    other = Request(model="m", messages=(system("Be terse."), user(LONG + "!")))
    assert prefix_of(first) == prefix_of(later)
    assert prefix_of(first) != prefix_of(other)
    assert prefix_of(request("short")) is None


def test_a_session_stays_where_it_was_answered() -> None:
    route = ring("a", "b", "c")
    assert [asked(route, request(session="s")) for _ in range(3)] == ["a", "a", "a"]
    assert [asked(route, request()) for _ in range(3)] == ["b", "c", "a"]


def test_a_long_prompt_stays_where_it_was_answered_and_short_ones_do_not() -> None:
    route = ring("a", "b")
    assert [asked(route, request(LONG)) for _ in range(3)] == ["a", "a", "a"]
    without = ring("a", "b", prefixes=False)
    assert [asked(without, request(LONG)) for _ in range(3)] == ["a", "b", "a"]


def test_nothing_is_bound_by_a_failure() -> None:
    route = route_of(
        candidate("a", lambda _request: failure(401)),
        candidate("b", lambda _request: answer()),
        strategy=RoundRobin(),
        affinity=Affinity(),
        health=Health(),
    )
    assert asked(route, request(session="s")) == "b"
    found = route.affinity.find(Call(request(session="s")), 0.0) if route.affinity is not None else None
    assert found is not None
    assert found[0] == lineup_of(route).options[1].key


def test_a_session_moves_when_its_deployment_is_ill_and_stays_with_the_new_one() -> None:
    route = ring("a", "b")
    assert asked(route, request(session="s")) == "a"
    lineup = lineup_of(route)
    settings = settings_of()
    for _ in range(5):
        lineup.health.failed(lineup.options[0].standing, ServerFault("down", status=500), settings.clock.now())
    assert asked(route, request(session="s")) == "b"
    lineup.health.reset()
    assert asked(route, request(session="s")) == "b"


def test_sessions_of_two_keys_are_apart() -> None:
    affinity = Affinity()
    affinity.bind(Call(headers={"x-session-id": "s"}, key="anna"), "there", None, 0.0)
    assert affinity.find(Call(headers={"x-session-id": "s"}, key="anna"), 1.0) == ("there", "session")
    assert affinity.find(Call(headers={"x-session-id": "s"}, key="ben"), 1.0) is None


def test_state_that_a_provider_keeps_goes_back_to_it() -> None:
    affinity = Affinity(sessions=False, prefixes=False)
    affinity.bind(Call(), "there", "resp_1", 0.0)
    assert affinity.find(Call(state="resp_1"), 1.0) == ("there", "state")


def test_what_is_remembered_is_bounded_and_expires() -> None:
    affinity = Affinity(most=100, seconds=60)
    for number in range(1000):
        affinity.bind(Call(headers={"x-session-id": str(number)}), "there", None, 0.0)
    assert len(affinity) == 100
    assert affinity.find(Call(headers={"x-session-id": "999"}), 59.0) is not None
    assert affinity.find(Call(headers={"x-session-id": "999"}), 61.0) is None
    assert affinity.find(Call(headers={"x-session-id": "5"}), 1.0) is None


def test_streams_bind_too_once_they_have_ended() -> None:
    candidates = [candidate(name, lambda _request: streamed("Yes.")) for name in ("a", "b")]
    route = route_of(*candidates, strategy=RoundRobin(), affinity=Affinity(), health=Health())

    async def read() -> str:
        stream = RoutedStream(route, request(session="s"), settings_of())
        async for _ in stream:
            pass
        return stream.attempts[-1].model

    assert [asyncio.run(read()) for _ in range(3)] == ["a", "a", "a"]
