"""What an answer's headers say of it is one line each, whatever a client has called its members."""

from __future__ import annotations

import contextlib
from pathlib import Path

from dragoman.gateway.answers import LONGEST_PATH, adaptations_text
from dragoman.testing import FakeProvider
from dragoman.values import Adaptation
from tests.gateway.object_service import ask
from tests.gateway.running import KEY, running_gateway

CONFIG = """
providers:
  claude: {{dialect: anthropic, base_url: "{url}", api_key: "k"}}
models:
  m: [claude/fake-model]
keys:
  - {{name: ci, key: {key}}}
"""


def test_names_that_a_client_chose_end_no_header(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "Say: hello"}]
    odd = {"evil\r\nset-cookie: a=b": 1, "nul\0": 2, "é" * 5000: 3}
    body = {"model": "m", "messages": messages, **odd}
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(FakeProvider())
        text = CONFIG.format(url=fake.base_url("anthropic"), key=KEY)
        front = stack.enter_context(running_gateway(text, tmp_path))
        answer = ask(front.url, "POST", "/v1/chat/completions", KEY, body)
        assert answer.status == 200
        assert "set-cookie" not in answer.headers
        assert "evil??set-cookie: a=b" in answer.headers["x-dragoman-adaptations"]
        assert len(answer.headers["x-dragoman-adaptations"]) < 2000
        streamed = ask(front.url, "POST", "/v1/chat/completions", KEY, {**body, "stream": True})
        assert streamed.body.decode().count("\r") == 0


def test_many_adaptations_are_counted() -> None:
    many = [Adaptation(path="x" * 1000, action="dropped", reason="r")] * 30
    told = adaptations_text(many)
    assert told.endswith(", and 10 more")
    assert len(told) < 21 * (LONGEST_PATH + 20)
