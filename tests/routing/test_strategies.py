"""Strategies: who is chosen, how often, and what speaks for it."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dragoman.errors import ConfigError, ServerFault
from dragoman.facts.giving import as_price_list
from dragoman.routing import Health, Route, Rule, Rules, strategy_of
from dragoman.routing.call import Call
from dragoman.routing.lineup import Lineup, lineup_of
from dragoman.routing.selector import Selector
from dragoman.routing.strategies import Latency, Weighted
from dragoman.values import Usage
from dragoman.values.profile import Source
from tests.routing.virtual import candidate, route_of


def chosen(route: Route, now: float = 0.0, call: Call | None = None, dice: random.Random | None = None) -> str:
    """Who is chosen first, by the last part of its name."""
    throw = (dice or random.Random(1)).random
    lineup = lineup_of(route)
    choice = Selector(lineup, call or Call(), random=throw).choose(set(), now)
    assert choice is not None
    assert choice.target is not None
    return lineup.options[choice.target].name.rpartition("/")[2]


def shares(route: Route, calls: int, now: float = 0.0) -> Counter[str]:
    return Counter(chosen(route, now) for _ in range(calls))


def test_in_order_the_first_is_always_taken() -> None:
    assert shares(route_of("a", "b", "c"), 10) == {"a": 10}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 4))
def test_weights_are_honoured_exactly(weights: list[int], rounds: int) -> None:
    names = [f"m{number}" for number in range(len(weights))]
    route = route_of(
        *(candidate(name, weight=float(weight)) for name, weight in zip(names, weights, strict=True)),
        strategy=Weighted(),
    )
    assert shares(route, sum(weights) * rounds) == {
        name: weight * rounds for name, weight in zip(names, weights, strict=True)
    }


def test_weights_make_no_bursts_and_a_weight_of_0_is_a_spare() -> None:
    route = route_of(candidate("a", weight=3.0), "b", candidate("c", weight=0.0), strategy=Weighted(), health=Health())
    assert "".join(chosen(route) for _ in range(8)) == "aabaaaba"
    lineup = lineup_of(route)
    for option in lineup.options[:2]:
        for _ in range(5):
            lineup.health.failed(option.standing, ServerFault("down", status=500), 0.0)
    assert shares(route, 4, now=1.0) == {"c": 4}


def test_weights_stay_honoured_among_the_others_when_one_is_out() -> None:
    route = route_of(candidate("a", weight=2.0), candidate("b", weight=2.0), "c", strategy=Weighted(), health=Health())
    lineup = lineup_of(route)
    for _ in range(5):
        lineup.health.failed(lineup.options[1].standing, ServerFault("down", status=500), 0.0)
    assert shares(route, 30, now=1.0) == {"a": 20, "c": 10}


def test_a_copy_of_a_route_goes_on_with_the_shares() -> None:
    route = route_of("a", "b", strategy=Weighted(), health=Health())
    copy = replace(route, candidates=tuple(replace(each) for each in route.candidates))
    assert [chosen(route), chosen(copy), chosen(route), chosen(copy)] == ["a", "b", "a", "b"]


def test_round_robin_takes_each_in_turn_and_passes_over_who_is_out() -> None:
    route = route_of("a", "b", "c", "d", strategy=strategy_of("round-robin"), health=Health())
    assert "".join(chosen(route) for _ in range(6)) == "abcdab"
    lineup = lineup_of(route)
    for _ in range(5):
        lineup.health.failed(lineup.options[2].standing, ServerFault("down", status=500), 0.0)
    assert "".join(chosen(route, 1.0) for _ in range(6)) == "dabdab"


def test_least_busy_goes_where_the_fewest_are_and_takes_turns_among_equals() -> None:
    route = route_of("a", candidate("b", weight=2.0), "c", strategy=strategy_of("least-busy"))
    assert "".join(chosen(route) for _ in range(4)) == "abca"
    for option, busy in zip(lineup_of(route).options, (2, 3, 2), strict=True):
        option.standing.in_flight = busy
    assert chosen(route) == "b"  # 3 of a double share are fewer than 2 of a single one


def paced(route: Route, now: float = 0.0, **seconds: float) -> Lineup:
    """Tells of ten streams for each name, that long before the first byte."""
    lineup = lineup_of(route)
    for option in lineup.options:
        pace = option.standing.pace
        assert pace is not None
        first = seconds.get(option.name.rpartition("/")[2])
        for _ in range(10 if first is not None else 0):
            pace.observe(
                now, streamed=True, first_seconds=first, seconds=(first or 0) + 1, input_tokens=0, output_tokens=100
            )
    return lineup


def streamed() -> Call:
    return Call(streamed=True, prompt_tokens=100, max_tokens=100)


def test_latency_takes_the_faster_of_two() -> None:
    route = route_of("a", "b", strategy=Latency(explore=0.0))
    paced(route, a=2.0, b=0.5)
    dice = random.Random(7)
    assert Counter(chosen(route, call=streamed(), dice=dice) for _ in range(50)) == {"b": 50}


def test_latency_asks_who_is_not_known_yet_and_explores_a_little() -> None:
    route = route_of("a", "b", "c", strategy=Latency(explore=0.0))
    paced(route, a=0.1, b=0.1)
    dice = random.Random(7)
    assert "c" in {chosen(route, call=streamed(), dice=dice) for _ in range(20)}
    exploring = route_of("a", "b", strategy=Latency(explore=0.1))
    paced(exploring, a=9.0, b=0.1)
    found = Counter(chosen(exploring, call=streamed(), dice=dice) for _ in range(2000))
    assert 50 < found["a"] < 150  # half of the tenth that explores


def test_latency_keeps_whom_it_has_against_one_that_is_hardly_faster() -> None:
    route = route_of("a", "b", strategy=Latency(explore=0.0))
    dice = random.Random(7)
    paced(route, a=0.50, b=0.60)
    assert {chosen(route, call=streamed(), dice=dice) for _ in range(20)} == {"a"}
    paced(route, b=0.45)
    assert {chosen(route, call=streamed(), dice=dice) for _ in range(20)} == {"a"}
    paced(route, now=1000.0, a=1.0, b=0.1)
    assert {chosen(route, 1000.0, call=streamed(), dice=dice) for _ in range(20)} == {"b"}


def test_latency_counts_who_is_busy_as_slower() -> None:
    route = route_of("a", "b", strategy=Latency(explore=0.0))
    lineup = paced(route, a=0.5, b=0.5)
    lineup.options[0].standing.in_flight = 5
    dice = random.Random(7)
    assert {chosen(route, call=streamed(), dice=dice) for _ in range(20)} == {"b"}


def test_the_pace_is_independent_of_the_size_of_what_was_asked_and_fades() -> None:
    small, large = route_of("a", strategy=Latency()), route_of("b", strategy=Latency())
    estimates: list[float] = []
    for route, tokens in ((small, 50), (large, 1000)):
        pace = lineup_of(route).options[0].standing.pace
        assert pace is not None
        for _ in range(20):
            pace.observe(
                0.0,
                streamed=True,
                first_seconds=0.2,
                seconds=0.2 + tokens * 0.01,
                input_tokens=0,
                output_tokens=tokens,
            )
        estimate = pace.expected(0.0, streamed=True, prompt_tokens=0, output_tokens=100)
        assert estimate is not None
        estimates.append(estimate)
        faded = pace.expected(120.0, streamed=True, prompt_tokens=0, output_tokens=100)
        assert faded == pytest.approx(estimate / 2)
    assert estimates[0] == pytest.approx(estimates[1])


def priced(name: str, **prices: str) -> Any:
    made = candidate(name)
    per_million = {meter: Decimal(amount) for meter, amount in prices.items()}
    listing = as_price_list(per_million, Source(name="test")) if prices else None
    return replace(made, deployment=replace(made.deployment, prices=listing, facts=False))


def test_cost_takes_the_lower_list_price_and_never_one_that_is_not_known() -> None:
    route = route_of(
        priced("unknown"),
        priced("dear", input="3", output="15"),
        priced("cheap", input="1", output="5"),
        strategy=strategy_of("cost"),
    )
    assert shares(route, 10) == {"cheap": 10}


def test_cost_goes_by_what_calls_came_to() -> None:
    route = route_of(
        priced("keeps", input="3", cache_read="0.3", output="5"),
        priced("plain", input="2", output="5"),
        strategy=strategy_of("cost"),
    )
    assert chosen(route) == "plain"
    mix = lineup_of(route).options[0].standing.mix
    assert mix is not None
    for _ in range(20):
        mix.observe(Usage(input_tokens=10_000, cache_read_tokens=9_500, output_tokens=100))
    assert chosen(route) == "keeps"


def test_cost_sees_that_one_writes_more() -> None:
    route = route_of(
        priced("wordy", input="1", output="4"), priced("terse", input="1", output="6"), strategy=strategy_of("cost")
    )
    assert chosen(route) == "wordy"
    for option, tokens in zip(lineup_of(route).options, (900, 300), strict=True):
        for _ in range(20):
            assert option.standing.mix is not None
            option.standing.mix.observe(Usage(input_tokens=100, output_tokens=tokens))
    assert chosen(route) == "terse"


@pytest.mark.parametrize(
    ("rule", "call"),
    [
        (Rule(use=("*/b",), model="gpt-*"), Call(model="gpt-4o")),
        (Rule(use=("*/b",), headers={"x-plan": "gold*"}), Call(headers={"x-plan": "gold-2"})),
        (Rule(use=("*/b",), metadata={"team": "a"}), Call(metadata={"team": "a"})),
        (Rule(use=("*/b",), key="ci-*"), Call(key="ci-7")),
        (Rule(use=("*/b",), needs=("tools",)), Call(needs=("tools", "vision"))),
        (Rule(use=("*/b",), min_prompt_tokens=1000), Call(prompt_tokens=1000)),
        (Rule(use=("*/b",), max_prompt_tokens=10), Call(prompt_tokens=10)),
    ],
    ids=["pattern", "header", "metadata", "key", "needs", "long prompt", "short prompt"],
)
def test_a_rule_sends_who_meets_it_to_what_it_names(rule: Rule, call: Call) -> None:
    route = route_of("a", "b", strategy=Rules((rule,)))
    assert chosen(route, call=call) == "b"
    assert chosen(route, call=Call(prompt_tokens=100)) == "a"


def test_a_split_is_sticky_and_about_as_large_as_it_says() -> None:
    route = route_of("a", "b", strategy=Rules((Rule(use=("*/b",), percent=20),)))
    sides = {user: chosen(route, call=Call(user=user)) for user in (f"user-{number}" for number in range(2000))}
    assert all(chosen(route, call=Call(user=user)) == side for user, side in list(sides.items())[:50])
    assert 320 < Counter(sides.values())["b"] < 480
    dice = random.Random(3)
    loose = Counter(chosen(route, dice=dice) for _ in range(2000))
    assert 320 < loose["b"] < 480


def test_others_stand_behind_a_rule_unless_it_says_only() -> None:
    for only, last in ((False, "a"), (True, None)):
        route = route_of("a", "b", strategy=Rules((Rule(use=("*/b",), only=only),)), health=Health())
        choice = Selector(lineup_of(route), Call(), random=random.random).choose({1}, 0.0)
        assert (None if choice is None or choice.target is None else "ab"[choice.target]) == last


def test_rules_choose_inside_by_another_strategy() -> None:
    route = route_of("a", "b", "c", strategy=Rules((Rule(use=("*/b", "*/c")),), strategy_of("round-robin")))
    assert "".join(chosen(route) for _ in range(4)) == "bcbc"


@pytest.mark.parametrize("given", ["fastest", 7, [], ["latency"]])
def test_what_is_no_strategy_is_refused(given: object) -> None:
    with pytest.raises(ConfigError):
        strategy_of(given)


def test_a_name_that_is_nearly_one_is_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'weighted'"):
        strategy_of("weigthed")
