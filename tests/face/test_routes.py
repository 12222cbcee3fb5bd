"""`dragoman.route` through the public names: strategies, functions, nesting, equivalents, explain."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman import (
    Affinity,
    ConfigError,
    ContentBlocked,
    Health,
    HealthSettings,
    Hedging,
    Limits,
    Member,
    Rule,
    ServerFault,
    Unavailable,
    fallback,
    route,
    usage,
)
from tests.face.chat_wire import answer, failure, model_over, streamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman import ChatModel
    from dragoman.routing import Call
    from dragoman.routing.lineup import Option
    from dragoman.transport import FakeTransport
    from dragoman.transport.fake import Script


def named(name: str, script: Script | None = None, **options: Any) -> tuple[ChatModel, FakeTransport]:
    """A model of this name at a host of its own, that says its name."""
    options.setdefault("max_retries", 0)
    return model_over(
        script or (lambda _request: answer(f"I am {name}.")), model=name, base_url=f"http://{name}.test/v1", **options
    )


def who(model: ChatModel, calls: int, text: str = "Hi") -> str:
    """The last letters of the names of those who answered."""
    return "".join(model.chat(text).attempts[-1].model for _ in range(calls))


def test_calls_are_spread_by_weight_whole_and_streamed_sync_and_async() -> None:
    (a, _), (b, _) = (
        named(name, lambda request: streamed("Yes.") if b'"stream":true' in request.body else answer("Yes."))
        for name in "ab"
    )
    model = route([Member(a, weight=3), b], strategy="weighted", affinity=False)
    assert Counter(who(model, 8)) == {"a": 6, "b": 2}
    streams: Counter[str] = Counter()
    for _ in range(4):
        with model.stream("Hi") as stream:
            assert "".join(chunk.delta for chunk in stream) == "Yes."
        streams[stream.response.attempts[-1].model] += 1
    assert streams == {"a": 3, "b": 1}

    async def ask() -> Counter[str]:
        return Counter([(await model.achat("Hi")).attempts[-1].model for _ in range(8)])

    assert asyncio.run(ask()) == {"a": 6, "b": 2}


# -- the three steps by which a guide to switching models is verified --------------------------------------------------


def test_a_mocked_429_falls_back() -> None:
    (first, asked), (second, _) = named("a", lambda _request: failure(429)), named("b")
    with usage() as used:
        assert fallback(first, second).chat("Hi").content == "I am b."
    assert len(asked.requests) == 1
    assert {name.rpartition("/")[2] for name in used.by_model} == {"a", "b"}


def test_ten_calls_are_spread_evenly() -> None:
    models = [named(name)[0] for name in ("a", "b")]
    assert Counter(who(route(models, strategy="round-robin"), 10)) == {"a": 5, "b": 5}


def test_simple_and_complex_prompts_go_to_different_models() -> None:
    (small, _), (large, _) = named("s"), named("l")
    judge, _ = named("j", lambda request: answer("COMPLEX" if b"prove" in request.body else "SIMPLE"))

    def by_complexity(call: Call, candidates: Sequence[Option]) -> int:
        assert call.request is not None
        verdict = judge.chat([*call.request.messages, dragoman.user("SIMPLE or COMPLEX?")], max_tokens=5)
        return 1 if verdict.content == "COMPLEX" else 0

    model = route([small, large], strategy=by_complexity)
    assert model.chat("What is 2 + 2?").attempts[-1].model == "s"
    assert model.chat("Now prove it.").attempts[-1].model == "l"


# -- functions of one's own --------------------------------------------------------------------------------------------


def test_a_function_runs_in_the_callers_thread_and_an_asynchronous_one_on_no_loop_of_ours() -> None:
    (a, _), (b, _) = named("a"), named("b")
    threads: list[str] = []

    def choose(call: Call, candidates: Sequence[Option]) -> list[Option]:
        threads.append(threading.current_thread().name)
        return list(reversed(candidates))

    async def think(call: Call, candidates: Sequence[Option]) -> list[str]:
        threads.append(threading.current_thread().name)
        await asyncio.sleep(0)
        return [candidates[1].name]

    assert who(route([a, b], strategy=choose), 1) == "b"
    assert who(route([a, b], strategy=think), 1) == "b"
    assert asyncio.run(route([a, b], strategy=think).achat("Hi")).attempts[-1].model == "b"
    here = threading.current_thread().name
    assert threads == [here, "dragoman-user", here]


def test_whom_a_function_leaves_out_is_not_asked() -> None:
    (a, spared), (b, _) = named("a"), named("b", lambda _request: failure(500))
    with pytest.raises(ServerFault):
        route([a, b], strategy=lambda call, candidates: [1]).chat("Hi")
    assert spared.requests == []


@pytest.mark.parametrize("told", [[], ["nobody"], [7]])
def test_a_function_that_names_nobody_is_told_so(told: list[object]) -> None:
    with pytest.raises(ConfigError, match="routing function"):
        route([named("a")[0], named("b")[0]], strategy=lambda call, candidates: told).chat("Hi")


def test_rules_send_by_headers_and_metadata() -> None:
    models = [named(name)[0] for name in ("a", "b", "c")]
    rules = [Rule(use=("*/b",), headers={"x-plan": "gold"}), Rule(use=("*/c",), metadata={"team": "research"})]
    model = route(models, strategy=rules, affinity=False)
    assert who(model, 1) == "a"
    assert model.chat("Hi", extra_headers={"X-Plan": "gold"}).attempts[-1].model == "b"
    assert model.chat("Hi", metadata={"team": "research"}).attempts[-1].model == "c"


# -- what goes by traffic ----------------------------------------------------------------------------------------------


def test_an_ill_model_is_passed_over_by_later_calls() -> None:
    (a, asked), (b, _) = named("a", lambda _request: failure(500)), named("b")
    health = Health(HealthSettings(failures_in_a_row=3))
    model = route([a, b], health=health)
    assert who(model, 10) == "b" * 10
    assert len(asked.requests) == 3
    reason = model.chat("Hi").attempts[0].reason
    assert reason.startswith("first choice; passed over: chat_completions/a, ServerFault, 3 in a row")
    (view, _) = health.view(0.0)
    assert (view.name, view.state) == ("chat_completions/a", "open")
    health.reset()
    model.chat("Hi")
    assert len(asked.requests) == 4


def test_a_fallback_passes_over_who_is_ill_too() -> None:
    (a, asked), (b, _) = named("a", lambda _request: failure(500)), named("b")
    assert who(fallback(a, b), 20) == "b" * 20
    assert len(asked.requests) == 5


def test_without_health_everybody_is_asked() -> None:
    (a, asked), (b, _) = named("a", lambda _request: failure(500)), named("b")
    who(route([a, b], health=False), 10)
    assert len(asked.requests) == 10


def test_when_all_ask_for_a_pause_the_next_call_is_told_at_once() -> None:
    limited = failure(429, headers={"retry-after": "90"})
    (a, asked), (b, _) = named("a", lambda _request: limited), named("b", lambda _request: limited)
    model = route([a, b])
    with pytest.raises(dragoman.AllAttemptsFailed):
        model.chat("Hi")
    with pytest.raises(Unavailable) as caught:
        model.chat("Hi")
    assert 80 < (caught.value.retry_after or 0) <= 90
    assert len(asked.requests) == 1


def test_limits_of_a_member_send_calls_to_others() -> None:
    (a, _), (b, _) = named("a"), named("b")
    model = route([Member(a, limits=Limits(rpm=2)), b])
    assert who(model, 5) == "aabbb"
    alone = route([Member(a, limits=Limits(rpm=2, queue_seconds=0))])
    assert who(alone, 2) == "aa"
    with pytest.raises(Unavailable, match=r"a, full"):
        alone.chat("Hi")


def test_blocked_content_goes_to_the_member_that_is_marked() -> None:
    blocked = failure(400, code="content_policy_violation")
    (a, _), (b, spared), (c, _) = named("a", lambda _request: blocked), named("b"), named("c")
    assert who(route([a, b, Member(c, on_blocked=True)]), 1) == "c"
    assert spared.requests == []
    with pytest.raises(ContentBlocked):
        route([a, b]).chat("Hi")


def test_sessions_stay_together() -> None:
    model = route([named(name)[0] for name in ("a", "b")], strategy="round-robin", affinity=Affinity())
    headers = {"X-Claude-Code-Session-Id": "s-1"}
    assert {model.chat("Hi", extra_headers=headers).attempts[-1].model for _ in range(4)} == {"a"}


def test_a_route_may_hedge() -> None:
    from dragoman.transport.fake import HANG

    (a, waiting), (b, _) = named("a", lambda _request: HANG), named("b")
    model = route([a, b], hedging=Hedging(after_seconds=0.01))
    assert model.chat("Hi").content == "I am b."
    assert waiting.waiting == 0


# -- routes in routes --------------------------------------------------------------------------------------------------


def test_routes_flatten_and_keep_their_own_strategies() -> None:
    (a, first), (b, second), (c, _) = named("a"), named("b"), named("c")
    model = fallback(route([a, b], strategy="round-robin", affinity=False), c)
    assert [candidate.tier for candidate in model.route.candidates] == [1, 1, 2]
    assert who(model, 4) == "abab"
    assert len(first.requests) == len(second.requests) == 2
    deep = route([fallback(a, b), c], strategy="round-robin", affinity=False)
    assert [candidate.tier for candidate in deep.route.candidates] == [1, 2, 1]
    assert who(deep, 4) == "acac"


def test_one_that_looks_at_everything_cannot_stand_inside_another() -> None:
    inner = route([named("a")[0], named("b")[0]], strategy=lambda call, candidates: candidates)
    with pytest.raises(ConfigError, match="all of its models at once"):
        fallback(inner, named("c")[0])


def test_members_keep_their_own_tools_and_options() -> None:
    (a, _), (b, asked) = named("a", lambda _request: failure(500)), named("b")
    route([a, b.with_options(temperature=0.5)]).chat("Hi")
    assert json.loads(asked.requests[-1].body)["temperature"] == 0.5


def test_equivalents_are_added_where_a_key_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from dragoman import facts

    pairs = [("groq", "llama-3.3-70b-versatile"), ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo")]
    start = next((pair for pair in pairs if facts.equivalents(*pair)), None)
    assert start is not None
    own = dragoman.ProviderRegistry.get_provider(start[0], model=start[1], api_key="k")
    monkeypatch.setenv("CEREBRAS_API_KEY", "k")
    monkeypatch.setenv("TOGETHER_API_KEY", "k")
    monkeypatch.delenv("DEEPINFRA_API_KEY", raising=False)
    model = route([own], equivalents=True)
    added = [(each.deployment.facts_provider, each.deployment.target.model) for each in model.route.candidates[1:]]
    assert added
    assert set(added) <= set(facts.equivalents(*start))
    assert {name for name, _ in added} <= {"cerebras", "together"}
    assert all(each.tier == 2 for each in model.route.candidates[1:])
    assert len(route([own]).route.candidates) == 1


# -- explain and refusals ----------------------------------------------------------------------------------------------


def test_explain_tells_who_would_be_asked_and_asks_nobody() -> None:
    (a, asked), (b, _) = named("a"), named("b")
    model = route([Member(a, weight=2), b], strategy="weighted")
    told = model.explain("Hi")
    assert told.chosen == "chat_completions/a"
    assert [(each.rank, each.reason) for each in told.candidates] == [
        (1, "weighted, weight 2"),
        (2, "weighted, weight 1"),
    ]
    assert asked.requests == []


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="get_model makes one"):
        route(["openai/gpt-4o"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="at least one"):
        route([])
    with pytest.raises(ConfigError, match="there is no strategy"):
        route([named("a")[0]], strategy="fastest")
