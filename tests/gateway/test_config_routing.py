"""How a configuration spreads requests: what its members come to, and what is said of those that cannot be meant."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dragoman.accounts import Gauges
from dragoman.gateway.generation import Generation
from dragoman.gateway.route_state import RouteState
from dragoman.gateway.routes import RouteTable
from dragoman.gateway.transports import Transports
from dragoman.routing import Affinity, Hedging, Limits, Rule, Rules
from dragoman.routing.strategies import Cheapest, Latency, LeastBusy, RoundRobin, Tiered, Weighted
from tests.gateway.configs import config, problems


def table(text: str, state: RouteState | None = None, *, worker: int = 0, workers: int = 1) -> RouteTable:
    generation = Generation(config(text), 1, Transports(), Gauges(), state=state, worker=worker, workers=workers)
    return generation.routes


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order", type(None)),
        ("weighted", Weighted),
        ("round-robin", RoundRobin),
        ("least-busy", LeastBusy),
        ("latency", Latency),
        ("cost", Cheapest),
    ],
)
def test_a_strategy_goes_by_its_name(name: str, kind: type[object]) -> None:
    route = table(f"models: {{a: {{deployments: [openai/1, groq/2], strategy: {name}}}}}").find("a").route
    assert type(route.strategy) is kind
    assert (route.affinity is None) == (name == "order")
    assert route.health is not None


def test_a_deployments_members_reach_its_candidate() -> None:
    route = (
        table(
            """
            models:
              a:
                deployments:
                  - {model: openai/1, weight: 3, needs: [tools], max_price: 2, on_blocked: true}
                  - {model: groq/2, tier: 4, limits: {rpm: 600, tpm: 2000, concurrency: 40, queue_seconds: 1}}
                strategy: weighted
                needs: ["window:8000"]
                max_price: 3
                hedging: {quantile: 0.9}
                affinity: {prefixes: false, seconds: 60}
            """
        )
        .find("a")
        .route
    )
    first, second = route.candidates
    assert (first.tier, first.weight, first.limits, first.on_blocked) == (1, 3, None, True)
    assert (first.needs, first.max_price) == (("window:8000", "tools"), Decimal(2))
    assert (second.tier, second.weight, second.on_blocked) == (2, 1, False)
    assert (second.needs, second.max_price) == (("window:8000",), Decimal(3))
    assert second.limits == Limits(rpm=600, tpm=2000, concurrency=40, queue_seconds=1)
    assert route.hedging == Hedging(quantile=0.9)
    assert route.affinity is not None
    assert (route.affinity.prefixes, route.affinity.seconds) == (False, 60)


def test_a_model_of_one_deployment_is_left_alone_unless_it_has_limits() -> None:
    routes = table("models: {a: [openai/1], b: [{model: openai/1, limits: {rpm: 5}}]}")
    assert routes.find("a").route.plain
    assert not routes.find("b").route.plain
    assert routes.find("b").spoken("anthropic").health is routes.find("b").route.health


def test_tiers_of_fallbacks_follow_with_their_own_strategies() -> None:
    route = (
        table(
            """
            models:
              a: {deployments: [{model: openai/1, tier: 7}, openai/2], strategy: latency, fallbacks: [b, c]}
              b: [groq/1, groq/2]
              c: {deployments: [openai/2, openai/3, {model: groq/3, tier: 2}], strategy: round-robin}
            """
        )
        .find("a")
        .route
    )
    found = [(each.deployment.name, each.tier) for each in route.candidates]
    assert found == [
        ("openai/1", 2),
        ("openai/2", 1),
        ("groq/1", 3),
        ("groq/2", 3),
        ("openai/3", 4),
        ("groq/3", 5),
    ]
    strategy = route.strategy
    assert isinstance(strategy, Tiered)
    kinds = [type(strategy.of_tier(tier)) for tier in range(1, 6)]
    assert kinds == [Latency, Latency, type(None), RoundRobin, RoundRobin]
    assert strategy.of_tier(4) is strategy.of_tier(5)


def test_rules_stand_before_all_tiers() -> None:
    route = (
        table(
            """
            models:
              a:
                deployments: [openai/1, groq/2]
                fallbacks: [b]
                strategy: rule
                rules: [{headers: {X-Plan: gold}, use: ["groq/*", slow], percent: 5, only: true}]
                otherwise: weighted
              b: [{model: openai/3, name: slow}]
            """
        )
        .find("a")
        .route
    )
    assert isinstance(route.strategy, Rules)
    assert route.strategy.rules == (Rule(headers={"x-plan": "gold"}, use=("groq/*", "slow"), percent=5, only=True),)
    assert isinstance(route.strategy.otherwise, Tiered)
    assert isinstance(route.strategy.otherwise.of_tier(1), Weighted)


def test_several_processes_share_a_limit() -> None:
    text = "models: {a: [{model: openai/1, limits: {rpm: 10, concurrency: 2, tpm: 100}}]}"
    shares = [table(text, worker=worker, workers=3).find("a").route.candidates[0].limits for worker in range(3)]
    assert [(each.rpm, each.concurrency, each.tpm) for each in shares if each is not None] == [
        (4, 1, 34),
        (3, 1, 33),
        (3, 1, 33),
    ]


def test_equivalents_are_the_same_weights_at_providers_of_this_file_alone() -> None:
    text = """
        providers: {groq: {}, mine: {like: together, api_key: k}, openai: {}}
        models:
          a: {deployments: [groq/openai/gpt-oss-120b], equivalents: true, fallbacks: [b]}
          b: [openai/gpt-4o]
        """
    route = table(text).find("a").route
    found = [(each.deployment.name, each.tier) for each in route.candidates]
    assert found[0] == ("groq/openai/gpt-oss-120b", 1)
    assert found[-1] == ("openai/gpt-4o", 3)
    assert found[1:-1] == [("mine/openai/gpt-oss-120b", 2)]
    without = table(text.replace("equivalents: true", "equivalents: false")).find("a").route
    assert [each.deployment.name for each in without.candidates] == ["groq/openai/gpt-oss-120b", "openai/gpt-4o"]


def test_affinity_is_kept_from_one_configuration_to_the_next_unless_it_is_another() -> None:
    state = RouteState()

    def affinity(text: str) -> Affinity | None:
        routes = table(text, state)
        routes.taken(state)
        return routes.find("a").route.affinity

    first = affinity("models: {a: {deployments: [openai/1, groq/2], affinity: true}}")
    assert first is not None
    assert affinity("models: {a: {deployments: [openai/3, groq/2], affinity: true}}") is first
    assert affinity("models: {a: {deployments: [openai/3, groq/2], affinity: {seconds: 5}}}") is not first


def test_health_goes_by_the_latest_settings() -> None:
    state = RouteState()
    table("health: {failures_in_a_row: 2, slow_start_seconds: 0}\nmodels: {a: [openai/1]}", state).taken(state)
    assert (state.health.settings.failures_in_a_row, state.health.settings.slow_start_seconds) == (2, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: {deployments: [x/1], strategy: latncy}",
            "models.a.strategy: 'latncy' is not among what may stand here. Did you mean 'latency'?",
        ),
        (
            "a: {deployments: [x/1], strategy: rule}",
            "models.a.strategy: the strategy rule goes by rules: give them as rules",
        ),
        (
            "a: {deployments: [x/1], rules: [{use: [x/1]}]}",
            "models.a.rules: rules count for the strategy rule, and not for order",
        ),
        (
            "a: {deployments: [x/1], otherwise: cost}",
            "models.a.otherwise: otherwise counts for the strategy rule, and not for order",
        ),
        (
            "a: {deployments: [{model: x/1, weight: 3}]}",
            "models.a.deployments[0].weight: weights count for the strategies weighted, latency, least-busy, and not "
            "for order",
        ),
        (
            "a: [{model: x/1, weight: 3}]",
            "models.a[0].weight: weights count for the strategies weighted, latency, least-busy, and not for order",
        ),
        (
            "a: {deployments: [{model: x/1, name: one}], strategy: rule, rules: [{use: [on]}]}",
            "models.a.rules[0].use[0]: no deployment of this model is called 'on'. Did you mean 'one'?",
        ),
        (
            "a: {deployments: [x/1], strategy: rule, "
            "rules: [{use: [x/1], min_prompt_tokens: 9, max_prompt_tokens: 3}]}",
            "models.a.rules[0].max_prompt_tokens: no prompt has 9 tokens and more, and 3 and less",
        ),
        ("a: {deployments: [x/1], strategy: rule, rules: [{model: m}]}", "models.a.rules[0]: 'use' is missing"),
        (
            "a: {deployments: [x/1], needs: [tool]}",
            "models.a.needs[0]: There is no need 'tool'; did you mean 'tools'?",
        ),
        (
            "a: {deployments: [{model: x/1, needs: ['window:big']}]}",
            "models.a.deployments[0].needs[0]: The need 'window:big' is written as window:N, with N a number of tokens",
        ),
        (
            "a: {deployments: [x/1], fallbacks: [b]}, b: {deployments: [x/2], strategy: rule, rules: [{use: [x/2]}]}",
            "models.a.fallbacks[0]: 'b' goes by rules, which look at all of a model's deployments: it cannot be a "
            "fallback",
        ),
        (
            "a: {deployments: [{model: x/1, limits: {rpm: 0}}]}",
            "models.a.deployments[0].limits.rpm: 0 is out of range: it has to be at least 1",
        ),
        (
            "a: {deployments: [x/1], cache: on}",
            "models.a.cache: 'on' is not among what may stand here. There are off.",
        ),
        (
            "a: {deployments: [x/1], cache: {seconds: 0}}",
            "models.a.cache.seconds: 0 is out of range: it has to be more than 0",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, said: str) -> None:
    provider = 'providers: {x: {dialect: openai-chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}'
    assert problems(f"{provider}\nmodels: {{{text}}}") == [f"dragoman.yaml:2: {said}"]
