"""Names of models to deployments: patterns, fallbacks in one order, and names that nobody listed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dragoman.accounts import Gauges
from dragoman.engine.capabilities.limits import profile_of
from dragoman.errors import NotFound
from dragoman.gateway.config import Discovered, ambient_config
from dragoman.gateway.generation import Generation
from dragoman.gateway.routes import MOST_KEPT, PublicRoute, RouteTable
from dragoman.gateway.transports import Transports
from dragoman.transport import Timeout
from tests.gateway.configs import KEYS, config


def table(text: str, **environ: str) -> RouteTable:
    return Generation(config(text, None, **environ), 1, Transports(), Gauges()).routes


def deployments(route: PublicRoute | None) -> list[str]:
    assert route is not None
    return [candidate.deployment.name for candidate in route.route.candidates]


def test_a_name_leads_to_its_deployments_in_order() -> None:
    found = table("models: {fast: [groq/llama, openai/gpt-4o]}").match("fast")
    assert deployments(found) == ["groq/llama", "openai/gpt-4o"]
    assert found is not None
    assert (found.name, found.label, found.policy.allowed) == ("fast", "fast", frozenset())


def test_fallbacks_follow_flattened_each_deployment_once() -> None:
    routes = table(
        """
        models:
          a: {deployments: [openai/1], fallbacks: [b, c]}
          b: {deployments: [openai/2, openai/1], fallbacks: [c]}
          c: [openai/3]
        """
    )
    assert deployments(routes.match("a")) == ["openai/1", "openai/2", "openai/3"]
    assert deployments(routes.match("b")) == ["openai/2", "openai/1", "openai/3"]


def test_deployments_of_one_model_with_names_of_their_own_are_two() -> None:
    found = table("models: {a: [openai/1, {model: openai/1, name: other, api_key: sk-2}]}").match("a")
    assert found is not None
    assert [found.deployment_name(each.deployment) for each in found.route.candidates] == ["openai/1", "other"]
    sent = [dict(each.deployment.access.headers())["authorization"] for each in found.route.candidates]
    assert sent == ["Bearer sk-openai", "Bearer sk-2"]


def test_the_nearest_setting_counts() -> None:
    routes = table(
        """
        providers:
          openai: {timeout: {connect: 1, total: null}}
          groq: {}
        models:
          a:
            deployments: [{model: openai/1, timeout: 5, max_retries: 0}, openai/2]
            max_retries: 4
            max_attempts: 3
            max_seconds: 20
            fallbacks: [b]
          b: {deployments: [groq/3], timeout: 7}
        """
    )
    found = routes.match("a")
    assert found is not None
    first, second, third = found.route.candidates
    assert [each.max_retries for each in (first, second, third)] == [0, 4, 2]
    assert first.deployment.timeout == Timeout(connect=5, first_byte=5, idle=5, total=5)
    assert second.deployment.timeout == Timeout(connect=1, total=None)
    assert third.deployment.timeout == Timeout(connect=7, first_byte=7, idle=7, total=7)
    assert (found.route.bounds.attempts, found.route.bounds.seconds) == (3, 20)


@pytest.mark.parametrize(
    ("pattern", "target", "name", "asked"),
    [
        ("claude-*", "anthropic/*", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("claude-*", "bedrock/anthropic.claude-*-v1:0", "claude-opus-4", "bedrock/anthropic.claude-opus-4-v1:0"),
        ("eu/*", "groq/*", "eu/llama-3.1-8b", "groq/llama-3.1-8b"),
        ("eu/l*", "groq/*", "eu/llama", "groq/llama"),
        ("eu/*", "groq/*", "eu/openai/gpt-oss", "groq/openai/gpt-oss"),
        ("*", "openai/*", "any/thing", "openai/any/thing"),
        ("gpt-*", "openai/gpt-4o", "gpt-anything", "openai/gpt-4o"),
        ("*-fast", "openai/*", "o-fast", "openai/o-fast"),
        ("*-fast", "openai/*-mini", "o-fast", "openai/o-mini"),
    ],
)  # fmt: skip
def test_a_star_stands_for_what_a_client_wrote(pattern: str, target: str, name: str, asked: str) -> None:
    found = table(f"models: {{'{pattern}': ['{target}']}}", AWS_BEARER_TOKEN_BEDROCK="x", AWS_REGION="eu-west-1").match(
        name
    )
    assert deployments(found) == [asked]
    assert found is not None
    assert (found.name, found.label, found.deployment_name(found.route.candidates[0].deployment)) == (
        name,
        pattern,
        asked,
    )


def test_a_name_comes_before_patterns_and_patterns_stand_in_order() -> None:
    routes = table("models: {'gpt-4*': [openai/a], 'gpt-*': [openai/b], gpt-4o: [openai/c]}")
    assert [deployments(routes.match(name))[0] for name in ("gpt-4o", "gpt-4.1", "gpt-5")] == [
        "openai/c",
        "openai/a",
        "openai/b",
    ]
    assert routes.names() == ["gpt-4o"]
    assert routes.labels() == ["gpt-4*", "gpt-*", "gpt-4o"]


def test_a_fallback_may_be_of_a_pattern() -> None:
    routes = table("models: {a: {deployments: [openai/a], fallbacks: [claude-x]}, 'claude-*': ['anthropic/*']}")
    assert deployments(routes.match("a")) == ["openai/a", "anthropic/claude-x"]


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\x00b", "x" * 257, "a\u2028b"])
def test_a_name_that_cannot_be_one_matches_no_pattern(name: str) -> None:
    routes = table("models: {'*': ['openai/*']}")
    assert routes.match(name) is None
    with pytest.raises(NotFound):
        routes.find(name)


def test_routes_made_for_clients_names_are_bounded_and_share_what_calls_share() -> None:
    routes = table("models: {'*': ['openai/*']}")
    first = routes.find("m-0")
    assert routes.find("m-0") is first
    for number in range(1, MOST_KEPT + 2):
        assert routes.find(f"m-{number}").route.budget is first.route.budget
    assert routes.find("m-0") is not first


def test_an_unknown_name_is_told_with_what_is_near() -> None:
    with pytest.raises(NotFound, match=r"^There is no model 'gpt4o' here\. Did you mean 'gpt-4o'\?$") as caught:
        table("models: {gpt-4o: [openai/gpt-4o]}").find("gpt4o")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_providers_are_served_directly_only_where_that_is_said_or_nothing_else_is() -> None:
    listed = "models: {a: [openai/a]}"
    assert table(listed).match("openai/gpt-4o") is None
    assert deployments(table(f"server: {{direct_models: true}}\n{listed}").match("openai/gpt-4o")) == ["openai/gpt-4o"]
    direct = table("providers: {openai: {}}")
    found = direct.find("openai/gpt-4o")
    assert (found.name, found.label) == ("openai/gpt-4o", "openai/*")
    assert direct.match("groq/llama") is None  # its key is there, but the file does not name it
    assert table("providers: {openai: {}}\nserver: {direct_models: false}").match("openai/gpt-4o") is None


def test_a_bare_name_leads_to_the_one_provider_that_has_it() -> None:
    direct = table("providers: {openai: {}, anthropic: {}}")
    assert deployments(direct.match("gpt-4o")) == ["openai/gpt-4o"]
    assert deployments(direct.match("claude-sonnet-4-5")) == ["anthropic/claude-sonnet-4-5"]
    assert direct.match("mistral-large-latest") is None


def test_a_bare_name_that_two_providers_have_is_told() -> None:
    both = table("providers: {openai: {}, azure: {api_key: k, resource: r}}")
    with pytest.raises(NotFound, match=r"Several providers have a model of this name: write 'provider/model'"):
        both.find("gpt-4o")
    twice = table("providers: {openai: {}, again: {like: openai, api_key: sk-2}}")
    assert deployments(twice.match("gpt-4o")) == ["openai/gpt-4o"]  # one party under two names: the first


def test_without_a_file_every_provider_with_a_key_is_served() -> None:
    found = ambient_config(KEYS)
    assert sorted(found.providers) == ["anthropic", "groq", "openai"]
    routes = Generation(found, 1, Transports(), Gauges()).routes
    assert deployments(routes.match("groq/llama-3.3-70b-versatile")) == ["groq/llama-3.3-70b-versatile"]
    assert deployments(routes.match("gpt-4o")) == ["openai/gpt-4o"]
    assert routes.names() == []


def test_without_a_file_servers_that_were_found_are_served_too() -> None:
    servers = [
        Discovered("ollama", "http://127.0.0.1:11434/v1", ("llama3.2:3b", "shared")),
        Discovered("vllm", "http://127.0.0.1:8000/v1", ("shared", "Qwen/Qwen3-4B")),
    ]
    routes = Generation(ambient_config({}, servers), 1, Transports(), Gauges()).routes
    assert routes.names() == ["llama3.2:3b", "shared", "Qwen/Qwen3-4B"]
    assert deployments(routes.match("llama3.2:3b")) == ["ollama/llama3.2:3b"]
    assert deployments(routes.match("shared")) == ["ollama/shared"]
    assert deployments(routes.match("vllm/shared")) == ["vllm/shared"]
    assert deployments(routes.match("Qwen/Qwen3-4B")) == ["vllm/Qwen/Qwen3-4B"]


def test_a_deployment_speaks_the_clients_dialect_where_its_provider_does() -> None:
    found = table("models: {a: [openai/gpt-4o, anthropic/claude, groq/llama]}").match("a")
    assert found is not None
    for dialect, spoken in [
        ("openai-chat", ["openai-chat", "anthropic", "openai-chat"]),
        ("openai-responses", ["openai-responses", "anthropic", "openai-responses"]),
        ("anthropic", ["openai-responses", "anthropic", "openai-chat"]),
        ("gemini", ["openai-responses", "anthropic", "openai-chat"]),
    ]:
        route = found.spoken(dialect)
        assert [each.deployment.access.dialect for each in route.candidates] == spoken
        assert [each.deployment.label for each in route.candidates] == [
            "openai/gpt-4o",
            "anthropic/claude",
            "groq/llama",
        ]
        assert route.budget is found.route.budget
        assert found.spoken(dialect) is route


def test_a_model_that_one_dialect_alone_reaches_stays_with_it() -> None:
    routes = table(
        "models: {c: [vertex/claude-sonnet-4-5], g: [vertex/gemini-2.5-pro]}",
        VERTEX_API_KEY="x",
        GOOGLE_CLOUD_PROJECT="p",
    )
    for asked in ("openai-chat", "gemini", "anthropic"):
        assert routes.find("c").spoken(asked).candidates[0].deployment.access.dialect == "anthropic"
    assert routes.find("g").spoken("anthropic").candidates[0].deployment.access.dialect == "gemini"


def test_prices_and_facts_of_a_deployment_stand_before_others() -> None:
    found = table(
        """
        models:
          a:
            - model: openai/gpt-4o
              prices: {input: 0.15, output: 0.6, request: 0.01}
              facts: {context_tokens: 5000, tools: false, input_modalities: [text]}
            - openai/gpt-4o-mini
        """
    ).find("a")
    first, second = (each.deployment for each in found.route.candidates)
    assert first.prices is not None
    prices = first.prices.tables[0].prices
    assert {meter: price.amount for meter, price in prices.items()} == {
        "input": Decimal("0.15") / 10**6,
        "output": Decimal("0.6") / 10**6,
        "request": Decimal("0.01"),
    }
    assert first.profile is not None
    assert (first.profile.context_tokens, first.profile.tools, first.profile.input_modalities) == (
        5000,
        False,
        ("text",),
    )
    assert first.profile.output_tokens is not None  # what was not said is as it is known
    assert (second.prices, second.profile) == (None, None)
    assert profile_of(first) is first.profile  # what requests to it are fitted to


def test_a_provider_of_ones_own_is_reached_as_it_says() -> None:
    found = table(
        """
        providers:
          eu: {like: groq, base_url: "https://eu.example.com/openai/v1", api_key: k-eu, headers: {X-Team: red}}
          own: {dialects: [openai-chat, anthropic], base_url: "http://127.0.0.1:8000", api_key: none}
        models: {a: [eu/llama, own/mine]}
        """
    ).find("a")
    eu, own = (each.deployment.access for each in found.route.candidates)
    assert (eu.provider, eu.url("/chat/completions")) == ("eu", "https://eu.example.com/openai/v1/chat/completions")
    assert dict(eu.headers()) == {"authorization": "Bearer k-eu", "x-team": "red"}
    assert (own.dialect, own.base_url, own.headers()) == ("openai-chat", "http://127.0.0.1:8000/v1", ())
    assert own.speaking("anthropic").url("/messages") == "http://127.0.0.1:8000/v1/messages"


def test_an_environment_key_goes_to_no_other_address() -> None:
    found = table("providers: {openai: {base_url: 'https://elsewhere.example/v1'}}\nmodels: {a: [openai/gpt-4o]}").find(
        "a"
    )
    access = found.route.candidates[0].deployment.access
    assert "sk-openai" not in str(access.headers())
    assert access.key_withheld is not None
