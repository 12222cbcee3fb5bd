"""`GET /v1/requests/{id}`: what became of a request, for whoever made it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from dragoman.testing import FakeProvider
from dragoman.testing.faults import Status
from tests.gateway.object_service import Got, ask
from tests.gateway.running import RunningGateway, running_gateway

ANNA, BERT, CLEO = (f"sk-{name}-0123456789abcdef" for name in ("anna", "bert", "cleo"))
MASTER = "sk-master-0123456789abcdefghijklmnop"
CONFIG = """
server: {{master_key: {master}}}
providers:
  first: {{dialect: openai-chat, base_url: "{chat}", api_key: "fake-key-1"}}
  second: {{dialect: anthropic, base_url: "{anthropic}", api_key: "fake-key-1"}}
models:
  m: {{deployments: [first/fake-model, second/fake-model], max_retries: 0}}
  claude: [second/fake-model]
keys:
  - {{name: anna, team: red, key: {anna}}}
  - {{name: bert, team: red, key: {bert}}}
  - {{name: cleo, key: {cleo}}}
"""


@pytest.fixture(scope="module")
def fake() -> Generator[FakeProvider]:
    with FakeProvider() as found:
        yield found


@pytest.fixture(scope="module")
def front(fake: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    text = CONFIG.format(
        chat=fake.base_url("openai-chat"),
        anthropic=fake.base_url("anthropic"),
        master=MASTER,
        anna=ANNA,
        bert=BERT,
        cleo=CLEO,
    )
    with running_gateway(text, tmp_path_factory.mktemp("front")) as found:
        yield found


def _chat(front: RunningGateway, model: str = "m", **members: Any) -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": "Say: hello"}], **members}
    return ask(front.url, "POST", "/v1/chat/completions", ANNA, body)


def _told(front: RunningGateway, answer: Got, key: str = ANNA) -> Got:
    return ask(front.url, "GET", f"/v1/requests/{answer.headers['x-dragoman-request-id']}", key)


def test_a_request_tells_its_attempts_and_mode(front: RunningGateway) -> None:
    told = _told(front, _chat(front)).json
    assert (told["key"], told["team"], told["route"], told["status"], told["mode"]) == (
        "anna",
        "red",
        "m",
        200,
        "relay",
    )
    (attempt,) = told["attempts"]
    assert (attempt["outcome"], attempt["provider"], attempt["reason"]) == ("ok", "first", "first choice")
    assert attempt["tokens"]["input"] > 0
    assert told["cost"] == [{"currency": "USD", "amount": None, "unknown": 1}]


def test_attempts_that_failed_are_told_with_their_reasons(front: RunningGateway, fake: FakeProvider) -> None:
    fake.fail(Status(503))
    told = _told(front, _chat(front)).json
    assert [each["outcome"] for each in told["attempts"]] == ["error", "ok"]
    assert told["attempts"][0]["error"] == "Overloaded"
    assert told["attempts"][1]["reason"] != "first choice"
    assert told["mode"] == "translate"


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_adapted_is_told(front: RunningGateway, stream: bool) -> None:
    told = _told(front, _chat(front, "claude", seed=7, stream=stream)).json
    assert ("seed", "dropped") in [(each["path"], each["action"]) for each in told["adaptations"]]
    assert all(each.keys() == {"path", "action", "reason"} for each in told["adaptations"])


def test_a_refusal_after_attempts_is_told_with_its_status(front: RunningGateway, fake: FakeProvider) -> None:
    fake.fail(Status(503), Status(401))
    answer = _chat(front)
    assert answer.status == 502
    told = _told(front, answer).json
    assert told["status"] == 502
    assert told["attempts"][1]["error"] == "AuthenticationFailed"
    assert "did not accept the credential" in told["attempts"][1]["message"]
    for_master = _told(front, answer, MASTER).json
    assert "did not accept the credential" not in for_master["attempts"][1]["message"]


def test_a_request_is_its_keys_and_its_teams_and_the_masters(front: RunningGateway) -> None:
    answer = _chat(front)
    assert [_told(front, answer, key).status for key in (ANNA, BERT, MASTER, CLEO)] == [200, 200, 200, 404]
    assert _told(front, answer, "sk-wrong-0123456789").status == 401


@pytest.mark.parametrize("request_id", ["req_0", "req_" + "0" * 32, "%2e%2e", "x" * 4000, "req_' OR 1=1"])
def test_what_is_no_request_is_not_found(front: RunningGateway, request_id: str) -> None:
    path = "/v1/requests/" + request_id.replace(" ", "%20")
    assert ask(front.url, "GET", path, MASTER).status == 404
