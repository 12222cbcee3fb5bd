"""A provider refuses the gateway's own credential: to clients a fault behind the gateway, and none of their keys'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from dragoman.testing import FakeProvider, SlowHead, Status
from tests.gateway.running import KEY, running_gateway

if TYPE_CHECKING:
    from pathlib import Path

SAID = "Incorrect API key provided: sk-live-12345"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}),
    "openai-responses": ("/v1/responses", {"model": "m", "input": "Hi"}),
    "anthropic": (
        "/v1/messages",
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "gemini": ("/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
}


def config(url: str, deployments: str = "{model: p/one, name: one}") -> str:
    """`hasty` waits half a second for an answer's beginning, `p` as long as a busy machine may take."""
    limits = "connect: 5, idle: 5, total: 10"
    provider = f'dialect: openai-chat, base_url: "{url}/v1", api_key: key-of-p'
    return f"""\
server: {{hold_seconds: 0.1}}
providers:
  p: {{{provider}, timeout: {{first_byte: 10, {limits}}}}}
  hasty: {{{provider}, timeout: {{first_byte: 0.5, {limits}}}}}
models:
  m: {{deployments: [{deployments}], max_retries: 0}}
keys: [{{name: ci, key: {KEY}}}]
"""


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("dialect", ASKED)
def test_it_is_a_502_in_our_words_and_the_ledger_keeps_what_it_was(tmp_path: Path, dialect: str, status: int) -> None:
    path, body = ASKED[dialect]
    with FakeProvider() as fake, running_gateway(config(fake.url), tmp_path) as gateway:
        fake.fail(Status(status, SAID))
        headers = {"authorization": f"Bearer {KEY}"}
        answer = httpx2.post(gateway.url + path, json=body, headers=headers, timeout=20)
        assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
        assert "sk-live" not in answer.text
        assert "did not accept the credential or account" in answer.text
        told = httpx2.get(
            f"{gateway.url}/v1/requests/{answer.headers['x-dragoman-request-id']}", headers=headers, timeout=20
        ).json()
        kinds = {401: "AuthenticationFailed", 402: "QuotaExhausted", 403: "PermissionDenied"}
        assert (told["status"], [each["error"] for each in told["attempts"]]) == (502, [kinds[status]])


def test_openais_clients_read_a_code_for_it(tmp_path: Path) -> None:
    path, body = ASKED["openai-chat"]
    with FakeProvider() as fake, running_gateway(config(fake.url), tmp_path) as gateway:
        fake.fail(Status(401, SAID))
        error = httpx2.post(gateway.url + path, json=body, headers={"authorization": f"Bearer {KEY}"}).json()["error"]
        assert (error["type"], error["code"], error["param"]) == ("server_error", "upstream_credential_refused", None)


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_in_a_stream_that_has_begun_it_is_no_error_of_the_clients_key_either(tmp_path: Path, dialect: str) -> None:
    path, body = ASKED[dialect]
    deployments = "{model: hasty/one, name: one}, {model: p/two, name: two}"
    with FakeProvider() as fake, running_gateway(config(fake.url, deployments), tmp_path) as gateway:
        fake.fail(SlowHead(5), Status(401, SAID))  # the head goes out while the first one says nothing
        answer = httpx2.post(
            gateway.url + path, json={**body, "stream": True}, headers={"authorization": f"Bearer {KEY}"}, timeout=20
        )
        assert answer.status_code == 200
        assert "did not accept the credential or account" in answer.text
        for word in ("sk-live", "authentication_error", "invalid_api_key"):
            assert word not in answer.text
