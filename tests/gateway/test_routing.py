"""How a gateway spreads requests over deployments, as its configuration says: strategies, tiers, limits, health."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dragoman.errors import ContentBlocked
from dragoman.testing import FakeProvider, SlowHead, Status
from tests.gateway.running import KEY, RunningGateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from dragoman.testing import Fault

MASTER = "sk-master-0123456789-abcdef"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}
LONG = "Here is a long beginning that a provider would keep. " * 100


class Fleet:
    """Three providers, and a gateway before them."""

    def __init__(self, fakes: dict[str, FakeProvider], gateway: RunningGateway) -> None:
        self.fakes, self.gateway = fakes, gateway
        self.client = httpx2.Client(base_url=gateway.url, timeout=20)

    def chat(
        self, words: str = "Say: hello", *, model: str = "fast", headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        body = {"model": model, "messages": [{"role": "user", "content": words}], **more}
        sent = {"authorization": f"Bearer {KEY}", **(headers or {})}
        return self.client.post("/v1/chat/completions", json=body, headers=sent)

    def who(self, words: str = "Say: hello", **more: Any) -> str:
        answer = self.chat(words, **more)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-dragoman-deployment"]

    def shares(self, count: int, **more: Any) -> dict[str, int]:
        return dict(Counter(self.who(**more) for _ in range(count)))

    def asked(self, name: str) -> int:
        return len(self.fakes[name].requests)

    def fail(self, name: str, *faults: Fault) -> None:
        self.fakes[name].fail(*faults)

    def admin(self, method: str, path: str, **more: Any) -> Any:
        answer = self.client.request(method, f"/admin/{path}", headers={"authorization": f"Bearer {MASTER}"}, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def health(self) -> dict[str, str]:
        (worker,) = self.admin("GET", "health")["workers"]
        return {each["name"]: each["state"] for each in worker["deployments"]}


def config_of(fakes: dict[str, FakeProvider], models: str, more: str = "") -> str:
    lines = [f"server: {{master_key: {MASTER}}}", "providers:"]
    for name, fake in fakes.items():
        lines.append(f'  {name}: {{dialect: openai-chat, base_url: "{fake.url}/v1", api_key: key-of-{name}}}')
    return "\n".join([*lines, "models:", models, f"keys: [{{name: ci, key: {KEY}}}]", more])


@contextlib.contextmanager
def fleet(folder: Path, models: str, more: str = "") -> Generator[Fleet]:
    with contextlib.ExitStack() as stack:
        fakes = {name: stack.enter_context(FakeProvider(key=f"key-of-{name}")) for name in ("a", "b", "c")}
        gateway = stack.enter_context(running_gateway(config_of(fakes, models, more), folder))
        made = Fleet(fakes, gateway)
        with made.client:
            yield made


ALL = "deployments: [{model: a/m, name: A}, {model: b/m, name: B}, {model: c/m, name: C}], max_retries: 0"


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (f"{{{ALL}}}", {"A": 12}),
        (f"{{{ALL}, strategy: round-robin, affinity: false}}", {"A": 4, "B": 4, "C": 4}),
        (f"{{{ALL}, strategy: least-busy}}", {"A": 4, "B": 4, "C": 4}),
        (
            "{deployments: [{model: a/m, name: A, weight: 4}, {model: b/m, name: B, weight: 2}, {model: c/m, name: C, "
            "weight: 0}], strategy: weighted}",
            {"A": 8, "B": 4},
        ),
        (
            "{deployments: [{model: a/m, name: A, prices: {input: 2, output: 8}}, {model: b/m, name: B, prices: "
            "{input: 1, output: 4}}, {model: c/m, name: C}], strategy: cost}",
            {"B": 12},
        ),
        (
            "{deployments: [{model: a/m, name: A, tier: 2}, {model: b/m, name: B}, {model: c/m, name: C}], "
            "strategy: round-robin}",
            {"B": 6, "C": 6},
        ),
    ],
    ids=["order", "round-robin", "least-busy", "weighted", "cost", "tiers"],
)
def test_a_strategy_spreads_requests(tmp_path: Path, model: str, wanted: dict[str, int]) -> None:
    with fleet(tmp_path, f"  fast: {model}") as served:
        assert served.shares(12) == wanted


def test_latency_goes_to_everybody_and_answers(tmp_path: Path) -> None:
    with fleet(tmp_path, f"  fast: {{{ALL}, strategy: latency}}") as served:
        assert sum(served.shares(20).values()) == 20


RULES = """
  fast:
    deployments: [{model: a/m, name: A}, {model: b/m, name: B}, {model: c/m, name: C}]
    max_retries: 0
    strategy: rule
    rules:
      - {headers: {X-Plan: "gold*"}, use: [C], only: true}
      - {metadata: {task: summary}, use: [B]}
      - {min_prompt_tokens: 500, use: [B]}
      - {needs: [tools], use: [C]}
      - {user: "u-*", percent: 100, use: [B]}
    otherwise: round-robin
"""


def test_rules_see_headers_metadata_size_needs_and_users(tmp_path: Path) -> None:
    with fleet(tmp_path, RULES) as served:
        assert served.who(headers={"x-plan": "gold-1"}) == "C"
        assert served.who(metadata={"task": "summary"}) == "B"
        assert served.who(f"Say: {'x' * 3000}") == "B"
        assert served.who(tools=[TOOL], tool_choice="auto") == "C"
        assert served.who(user="u-7") == "B"
        assert served.shares(6) == {"A": 2, "B": 2, "C": 2}
        served.fail("c", Status(503))
        only = served.chat(headers={"x-plan": "gold-1"})
        assert only.status_code == 503


def test_fallbacks_keep_their_own_strategy(tmp_path: Path) -> None:
    models = """
  fast: {deployments: [{model: a/m, name: A}], max_retries: 0, fallbacks: [slow]}
  slow: {deployments: [{model: b/m, name: B}, {model: c/m, name: C}], strategy: round-robin, max_retries: 0}"""
    with fleet(tmp_path, models) as served:
        served.fail("a", *[Status(500)] * 4)
        assert served.shares(4) == {"B": 2, "C": 2}
        assert served.who() == "A"


def test_a_session_stays_where_it_was_answered(tmp_path: Path) -> None:
    with fleet(tmp_path, f"  fast: {{{ALL}, strategy: round-robin}}") as served:
        homes = {name: served.who(headers={"x-session-id": name}) for name in ("one", "two", "three")}
        assert set(homes.values()) == {"A", "B", "C"}
        for _ in range(3):
            assert {name: served.who(headers={"x-session-id": name}) for name in homes} == homes
        keyed = served.who(prompt_cache_key="four")
        assert [served.who(prompt_cache_key="four") for _ in range(3)] == [keyed] * 3


def test_a_conversation_with_a_long_beginning_stays_where_it_was_answered(tmp_path: Path) -> None:
    with fleet(tmp_path, f"  fast: {{{ALL}, strategy: round-robin}}") as served:
        turns: list[dict[str, str]] = [{"role": "system", "content": LONG}, {"role": "user", "content": "Say: 1"}]
        home = served.who(messages=turns)
        for number in range(2, 5):
            turns += [{"role": "assistant", "content": "…"}, {"role": "user", "content": f"Say: {number}"}]
            assert served.who(messages=turns) == home
        short = [{"role": "user", "content": "Say: short"}]
        assert set(served.shares(3, messages=short)) == {"A", "B", "C"}


def test_limits_of_a_deployment_send_requests_elsewhere(tmp_path: Path) -> None:
    models = """
  fast: {deployments: [{model: a/m, name: A, limits: {rpm: 3}}, {model: b/m, name: B}]}
  tight: {deployments: [{model: c/m, name: C, limits: {rpm: 1, queue_seconds: 0}}]}"""
    with fleet(tmp_path, models) as served:
        assert served.shares(5) == {"A": 3, "B": 2}
        assert served.who(model="tight") == "C"
        full = served.chat(model="tight")
        assert full.status_code in (429, 503)
        assert full.headers["x-should-retry"] == "false"
        assert float(full.headers["retry-after"]) > 0
        assert served.asked("c") == 1


def test_an_ill_deployment_is_passed_over_until_it_is_reset(tmp_path: Path) -> None:
    models = f"  fast: {{{ALL}}}"
    with fleet(tmp_path, models, "health: {failures_in_a_row: 2, cooldown_seconds: 600}") as served:
        served.fail("a", Status(500), Status(500))
        assert served.shares(6) == {"B": 6}
        assert served.asked("a") == 2
        assert served.health() == {"A": "open", "B": "closed", "C": "closed"}
        assert served.admin("POST", "health/reset", json={"deployment": "A"}) == {
            "workers": [{"worker": 0, "reset": 1}]
        }
        assert served.who() == "A"
        assert served.health()["A"] == "closed"


def test_what_is_known_of_deployments_survives_a_reload(tmp_path: Path) -> None:
    text = (
        "  fast: {deployments: [{model: a/m, name: A}, {model: b/m, name: B, limits: {rpm: 2}}, {model: c/m, name: C}]"
    )
    more = "health: {failures_in_a_row: 1, cooldown_seconds: 600}"
    with fleet(tmp_path, f"{text}, max_retries: 0}}", more) as served:
        served.fail("a", Status(500))
        assert served.shares(4) == {"B": 2, "C": 2}
        served.gateway.rewrite(config_of(served.fakes, f"{text}, max_retries: 1}}", more))
        served.admin("POST", "reload")
        assert served.shares(2) == {"C": 2}
        assert served.health()["A"] == "open"
        wider = text.replace("rpm: 2", "rpm: 4")
        served.gateway.rewrite(config_of(served.fakes, f"{wider}, max_retries: 1}}", more))
        served.admin("POST", "reload")
        assert served.shares(3) == {"B": 2, "C": 1}


def test_sessions_survive_a_reload(tmp_path: Path) -> None:
    model = f"  fast: {{{ALL}, strategy: round-robin}}"
    with fleet(tmp_path, model) as served:
        homes = {name: served.who(headers={"x-session-id": name}) for name in ("one", "two")}
        served.gateway.rewrite(config_of(served.fakes, model.replace("max_retries: 0", "max_retries: 1")))
        served.admin("POST", "reload")
        for _ in range(2):
            assert {name: served.who(headers={"x-session-id": name}) for name in homes} == homes


def test_needs_and_prices_pass_over_who_is_known_not_to_meet_them(tmp_path: Path) -> None:
    models = """
  fast:
    deployments:
      - {model: a/m, name: A, facts: {tools: false}}
      - {model: b/m, name: B, prices: {input: 20, output: 80}}
      - {model: c/m, name: C}
    max_price: 5
    needs: [tools]
  plain: [{model: a/m, name: A, facts: {tools: false, context_tokens: 500}}, {model: b/m, name: B}]"""
    with fleet(tmp_path, models) as served:
        assert served.who() == "C"
        assert served.who(model="plain") == "A"
        assert served.who(model="plain", tools=[TOOL]) == "B"
        assert served.who(f"Say: {'word ' * 3000}", model="plain") == "B"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_blocked_content_is_asked_only_of_who_is_marked_for_it(tmp_path: Path, stream: bool) -> None:
    models = (
        "  fast: {deployments: [{model: a/m, name: A}, {model: b/m, name: B}, {model: c/m, name: C, on_blocked: true}]}"
    )
    with fleet(tmp_path, models) as served:
        served.fail("a", Status(400, kind=ContentBlocked))
        assert served.chat(stream=stream).status_code == 200
        assert [served.asked(name) for name in "abc"] == [1, 0, 1]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_slow_deployment_is_hedged(tmp_path: Path, stream: bool) -> None:
    models = f"  fast: {{{ALL}, hedging: {{after_seconds: 0.1}}}}"
    with fleet(tmp_path, models) as served:
        served.fail("a", SlowHead(15))
        answer = served.chat("Say: quickly", stream=stream)
        assert answer.status_code == 200
        assert "quickly" in answer.text
        assert served.fakes["a"].caller_left.wait(10)
        assert [served.asked(name) for name in "abc"] == [1, 1, 0]


# -- what would be done ------------------------------------------------------------------------------------------------


def explained(served: Fleet, **question: Any) -> dict[str, Any]:
    body = {"model": "fast", "messages": [{"role": "user", "content": "Say: hello"}]}
    return served.admin("POST", "explain", json={"body": body, **question})


def test_explain_tells_who_would_be_asked_by_what_is_known_now(tmp_path: Path) -> None:
    more = "health: {failures_in_a_row: 1, cooldown_seconds: 600}"
    with fleet(tmp_path, f"  fast: {{{ALL}, strategy: round-robin}}", more) as served:
        served.fail("a", Status(500))
        assert served.who(headers={"x-session-id": "mine"}) == "B"
        before = {name: served.asked(name) for name in "abc"}
        told = explained(served, key="ci")
        assert (told["chosen"], told["strategy"], told["key"]) == ("C", "round-robin", "ci")
        assert [(each["name"], each["rank"], each["state"]) for each in told["candidates"]] == [
            ("C", 1, "closed"),
            ("B", 2, "closed"),
            ("A", 0, "open"),
        ]
        assert explained(served, key="ci", headers={"X-Session-Id": "mine"})["chosen"] == "B"
        assert explained(served, headers={"X-Session-Id": "mine"})["chosen"] == "C"  # another key's session is another
        assert {name: served.asked(name) for name in "abc"} == before
        assert served.who() == "C"  # nothing was changed by asking


@pytest.mark.parametrize(
    ("dialect", "body", "more"),
    [
        ("openai-responses", {"model": "fast", "input": "Hi"}, {}),
        ("anthropic", {"model": "fast", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}, {}),
        ("gemini", {"contents": [{"parts": [{"text": "Hi"}]}]}, {"model": "fast", "stream": True}),
    ],
)
def test_explain_takes_every_dialect(tmp_path: Path, dialect: str, body: Any, more: dict[str, Any]) -> None:
    with fleet(tmp_path, f"  fast: {{{ALL}}}") as served:
        told = explained(served, dialect=dialect, body=body, **more)
        assert [each["mode"] for each in told["candidates"]] == ["translate"] * 3
        assert told["candidates"][0]["mode_reason"] == "the provider speaks openai-chat"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"body": {"messages": []}}, "model is missing"),
        ({"body": {"model": "nope", "messages": []}}, "There is no model 'nope' here"),
        ({"body": {"model": "fast", "models": ["x"], "messages": []}}, "does not take 'models'"),
        ({"body": {"model": "fast"}, "key": "nobody"}, "no key is called 'nobody'"),
        ({"body": {}, "dialect": "gemini"}, "a body of Gemini's names no model"),
        ({"dialect": "openai-chat"}, "missing required field `body`"),
        ({"body": {}, "sent": 1}, "unknown field `sent`"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(tmp_path: Path, question: dict[str, Any], said: str) -> None:
    with fleet(tmp_path, f"  fast: {{{ALL}}}") as served:
        answer = served.client.post("/admin/explain", json=question, headers={"authorization": f"Bearer {MASTER}"})
        assert answer.status_code == 400
        assert said in answer.json()["error"]["message"]
