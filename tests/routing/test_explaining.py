"""Explain says what a call would do, and does nothing."""

from __future__ import annotations

import asyncio

import pytest

from dragoman.errors import ConfigError, ServerFault
from dragoman.routing import Health, Limits, Rule, Rules, aexplain, explain, strategy_of
from dragoman.routing.call import Call
from dragoman.routing.dispatch import Dispatch
from dragoman.routing.lineup import lineup_of
from dragoman.routing.strategies import STRATEGY_NAMES
from dragoman.values import Request, user
from tests.routing.virtual import candidate, route_of, settings_of

REQUEST = Request(model="m", messages=(user("Hi"),))


@pytest.mark.parametrize("name", [name for name in STRATEGY_NAMES if name != "latency"])
def test_who_is_explained_is_who_is_chosen_and_explaining_changes_nothing(name: str) -> None:
    route = route_of(candidate("a", weight=2.0), "b", "c", candidate("d", tier=2), strategy=strategy_of(name))
    for _ in range(8):
        told = [explain(route, REQUEST, now=0.0) for _ in range(3)]
        assert len({each.chosen for each in told}) == 1
        dispatch = Dispatch(route, settings_of(), acts=False, request=REQUEST)
        command = dispatch.start()
        assert route.candidates[command.target].deployment.name == told[0].chosen


def test_ranks_states_and_reasons_are_told() -> None:
    route = route_of(
        candidate("a", needs=("window:1000000",)),
        candidate("b", limits=Limits(concurrency=1)),
        "c",
        candidate("d", tier=2),
        health=Health(),
    )
    lineup = lineup_of(route)
    for _ in range(5):
        lineup.health.failed(lineup.options[2].standing, ServerFault("down", status=500), 0.0)
    capacity = lineup.options[1].standing.capacity
    assert capacity is not None
    capacity.in_flight = 1
    told = explain(route, REQUEST, now=4.0)
    assert told.chosen == "chat_completions/a"
    assert [(each.name[-1], each.rank, each.state) for each in told.candidates] == [
        ("a", 1, "closed"),
        ("d", 2, "closed"),
        ("b", 0, "closed"),
        ("c", 0, "open"),
    ]
    assert [each.reason for each in told.candidates[2:]] == ["full", "ServerFault, 5 in a row (6 s)"]
    assert "strategy order" in str(told)


def test_rules_and_functions_are_explained() -> None:
    route = route_of("a", "b", strategy=Rules((Rule(use=("*/b",), key="ci", only=True),)))
    told = explain(route, call=Call(key="ci"))
    assert (told.chosen, told.candidates[0].reason) == ("chat_completions/b", "rule, rule 1")
    assert told.candidates[1].reason == "left out by the strategy"

    async def choose(_call: Call, options: object) -> list[int]:
        return [1]

    asking = route_of("a", "b", strategy=strategy_of(choose))
    with pytest.raises(ConfigError, match="asynchronous"):
        explain(asking, REQUEST)
    assert asyncio.run(aexplain(asking, REQUEST)).chosen == "chat_completions/b"
