"""What the real LiteLLM proxy says on the wire with mock models."""

from __future__ import annotations

import json

import pytest

from tests.servers.litellm_proxy import MOCK_TEXT, Proxy
from tests.servers.plain_http import post

QUESTION = [{"role": "user", "content": "What is a dragoman?"}]


def test_text(litellm_proxy: Proxy) -> None:
    url = f"{litellm_proxy.address}/v1/chat/completions"
    answer = post(url, {"model": "mock-text", "messages": QUESTION})
    assert answer.json["choices"][0]["message"]["content"] == MOCK_TEXT
    stream = post(url, {"model": "mock-text", "messages": QUESTION, "stream": True})
    deltas = [event["choices"][0]["delta"].get("content") or "" for event in stream.events]
    assert "".join(deltas) == MOCK_TEXT
    assert stream.data_lines[-1] == "[DONE]"


def test_tool_call(litellm_proxy: Proxy) -> None:
    answer = post(f"{litellm_proxy.address}/v1/chat/completions", {"model": "mock-tools", "messages": QUESTION}).json
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"expression": "6 * 7"}


@pytest.mark.parametrize(
    ("model", "status"), [("mock-rate-limit", 429), ("mock-context-window", 400), ("mock-server-error", 500)]
)
def test_errors(litellm_proxy: Proxy, model: str, status: int) -> None:
    answer = post(f"{litellm_proxy.address}/v1/chat/completions", {"model": model, "messages": QUESTION})
    assert answer.status == status
    assert answer.json["error"]["code"] == str(status)


def test_a_key_is_demanded(litellm_proxy_with_key: Proxy) -> None:
    url = f"{litellm_proxy_with_key.address}/v1/chat/completions"
    body = {"model": "mock-text", "messages": QUESTION}
    assert post(url, body).status == 401
    assert post(url, body, {"authorization": f"Bearer {litellm_proxy_with_key.key}"}).status == 200
