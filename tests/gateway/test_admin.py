"""What operators look at and do under `/admin`, and who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dragoman.testing import FakeProvider
from tests.gateway.fronts import PROVIDER_KEY
from tests.gateway.running import KEY, RunningGateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

MASTER = "sk-master-0123456789-abcdef"
PATHS = [("GET", "health"), ("GET", "generation"), ("POST", "health/reset"), ("POST", "reload")]


def config_of(url: str, *, more: str = "") -> str:
    return f"""
server: {{master_key: {MASTER}}}
providers:
  near: {{dialect: openai-chat, base_url: "{url}/v1", api_key: "{PROVIDER_KEY}"}}
models:
  fast:
    deployments: [{{model: near/one, name: first}}, near/two]
    max_retries: 0
    fallbacks: [slow]
  slow: [near/three]
  "any-*": ["near/*"]
keys: [{{name: ci, key: {KEY}, team: science, models: [fast]}}]
{more}"""


class Front:
    def __init__(self, fake: FakeProvider, gateway: RunningGateway) -> None:
        self.fake, self.gateway = fake, gateway
        self.client = httpx2.Client(base_url=gateway.url, timeout=20)

    def admin(self, method: str, path: str, key: str | None = MASTER, **more: Any) -> httpx2.Response:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return self.client.request(method, f"/admin/{path}", headers=headers, **more)

    def chat(self, model: str = "fast") -> httpx2.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "Say: hello"}]}
        return self.client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"})


@pytest.fixture
def front(tmp_path: Path) -> Generator[Front]:
    with FakeProvider(key=PROVIDER_KEY) as fake, running_gateway(config_of(fake.url), tmp_path) as gateway:
        made = Front(fake, gateway)
        with made.client:
            yield made


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_the_master_key_and_no_other_opens_it(front: Front, method: str, path: str) -> None:
    refused = [front.admin(method, path, key) for key in (None, "sk-somebody-elses", KEY)]
    assert [answer.status_code for answer in refused] == [401, 401, 403]
    assert refused[-1].json()["error"]["code"] == "master_key_needed"
    assert front.admin(method, path).status_code == 200


@pytest.mark.parametrize(("method", "path"), [*PATHS, ("POST", "explain")])
@pytest.mark.parametrize("keys", ["", f"keys: [{{name: ci, key: {KEY}}}]"], ids=["keyless", "keys"])
def test_without_a_master_key_nobody_may(tmp_path: Path, keys: str, method: str, path: str) -> None:
    text = f'providers: {{near: {{dialect: openai-chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}}}\n{keys}\n'
    with running_gateway(text, tmp_path) as gateway, httpx2.Client(base_url=gateway.url) as client:
        for key in ({}, {"authorization": f"Bearer {KEY}"}, {"x-api-key": MASTER}):
            answer = client.request(method, f"/admin/{path}", headers=key)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_master_key")


def test_a_key_in_the_address_is_no_key(front: Front) -> None:
    assert front.client.get(f"/admin/health?key={MASTER}").status_code == 401


def test_the_generation_tells_routes_and_deployments_and_no_secret(front: Front) -> None:
    answer = front.admin("GET", "generation")
    told = answer.json()
    routes = {route["name"]: [each["name"] for each in route["deployments"]] for route in told["routes"]}
    assert routes == {"fast": ["first", "near/two", "near/three"], "slow": ["near/three"], "any-*": ["near/*"]}
    first = told["routes"][0]["deployments"][0]
    assert (first["provider"], first["model"], first["host"]) == ("near", "one", "127.0.0.1")
    assert told["keys"] == [{"name": "ci", "team": "science", "models": ["fast"]}]
    assert told["number"] == 1
    for secret in (MASTER, KEY, PROVIDER_KEY):
        assert secret not in answer.text


def test_a_reload_takes_the_configuration_or_says_why_not(front: Front) -> None:
    before = front.admin("GET", "generation").json()
    front.gateway.rewrite(config_of(front.fake.url).replace("  slow: [near/three]", "  slow: [near/four]"))
    digest = front.admin("POST", "reload").json()["digest"]
    after = front.admin("GET", "generation").json()
    assert after["digest"] == digest != before["digest"]
    assert after["routes"][1]["deployments"][0]["name"] == "near/four"
    front.gateway.rewrite(config_of(front.fake.url, more="modles: {}"))
    refused = front.admin("POST", "reload")
    assert refused.status_code == 409
    assert "models" in refused.json()["error"]["message"]
    assert front.admin("GET", "generation").json() == after


def test_health_tells_of_each_process(front: Front) -> None:
    (worker,) = front.admin("GET", "health").json()["workers"]
    assert (worker["worker"], worker["status"], worker["generation"]) == (0, "ready", 1)


@pytest.mark.parametrize("body", ["[]", '{"deploymnet": "x"}', '{"deployment": 3}', "{"])
def test_a_reset_that_cannot_be_read_is_refused(front: Front, body: str) -> None:
    assert front.admin("POST", "health/reset", content=body).status_code == 400
