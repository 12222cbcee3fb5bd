"""The published description of the public paths is the gateway's own, and describes what is there."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import msgspec
import pytest

from scripts import openapi
from tests.gateway.object_service import ask
from tests.gateway.running import KEY, RunningGateway, running_gateway

CONFIG = """
providers:
  here: {{dialect: openai-chat, base_url: "http://127.0.0.1:9/v1", api_key: "k"}}
models:
  m: [here/m]
keys:
  - {{name: ci, key: {key}}}
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    with running_gateway(CONFIG.format(key=KEY), tmp_path_factory.mktemp("front")) as found:
        yield found


def test_the_published_description_is_current() -> None:
    assert openapi.PUBLISHED.read_text(encoding="utf-8") == openapi.text(), "run: python -m scripts.openapi"


def test_the_gateway_serves_it_to_everybody(front: RunningGateway) -> None:
    answer = ask(front.url, "GET", "/openapi.json", None)
    assert answer.status == 200
    assert answer.json == msgspec.json.decode(openapi.text())


def _operations() -> list[tuple[str, str]]:
    paths: dict[str, Any] = msgspec.json.decode(openapi.text())["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


@pytest.mark.parametrize(("method", "path"), _operations())
def test_what_is_described_is_there_and_asks_for_a_key(front: RunningGateway, method: str, path: str) -> None:
    path = path.replace("{model}", "m").replace("{response_id}", "resp_1").replace("{request_id}", "req_1")
    body: dict[str, Any] | None = {} if method == "POST" else None
    assert ask(front.url, method, path, None, body).status == 401
    answered = ask(front.url, method, path, KEY, body)
    assert answered.status in (200, 400, 404, 502)  # 502: nobody answers behind this gateway
    assert b"there is nothing" not in answered.body


def test_it_is_a_lawful_description() -> None:
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_dict(msgspec.json.decode(openapi.text()))
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(_operations())
