"""A model is asked for what none of its deployments can give: the client reads so, and nobody upstream is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.gateway.agreeable_upstream import agree
from tests.gateway.recorded_upstream import running_upstream
from tests.gateway.running import KEY, running_gateway
from tests.gateway.upstream_bytes import Sender

if TYPE_CHECKING:
    from collections.abc import Generator

_CONFIG = """
server: {{master_key: {key}}}
providers:
  talks: {{like: anthropic, base_url: "{url}/v1", api_key: k}}
  embeds: {{like: voyage, base_url: "{url}/v1", api_key: k}}
  both: {{dialect: openai-chat, base_url: "{url}/v1", api_key: k}}
  half: {{like: openai, dialect: openai-chat, base_url: "{url}/v1", api_key: k}}
models:
  talker: [talks/m]
  embedder: [embeds/m]
  mixed: [talks/m, both/m]
  mixed-too: [embeds/m, talks/m]
  counted: [half/m]
"""


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sender]:
    with running_upstream() as upstream:
        upstream.answers = agree
        text = _CONFIG.format(url=upstream.url, key=KEY)
        with running_gateway(text, tmp_path_factory.mktemp("gateway")) as gateway:
            made = Sender(gateway, upstream)
            yield made
            made.close()


_HI = [{"role": "user", "content": "Hi"}]


def _asked(sender: Sender, path: str, body: object) -> tuple[int, str, list[str]]:
    """Status, what is said of an error, and which paths were asked upstream."""
    before = len(sender.upstream.received)
    status, said = sender.send(path, msgspec.json.encode(body))
    told = msgspec.json.decode(said)
    error = told.get("error", {}).get("message", "")
    return status, error, [received.path for received in sender.upstream.received[before:]]


def test_a_model_without_embeddings_is_not_asked_for_them(sender: Sender) -> None:
    status, said, asked = _asked(sender, "/v1/embeddings", {"model": "talker", "input": "Hi"})
    assert (status, asked) == (400, [])
    assert "gives no embeddings" in said


def test_of_several_deployments_those_with_embeddings_are_asked(sender: Sender) -> None:
    status, _, asked = _asked(sender, "/v1/embeddings", {"model": "mixed", "input": "Hi"})
    assert (status, asked) == (200, ["/v1/embeddings"])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_model_that_embeds_alone_is_not_asked_for_answers(path: str, sender: Sender) -> None:
    body = {"model": "embedder", "messages": _HI, "input": "Hi", "max_tokens": 9}
    status, said, asked = _asked(sender, path, body)
    assert (status, asked) == (400, [])
    assert "embeddings alone" in said


def test_of_several_deployments_those_that_talk_are_asked(sender: Sender) -> None:
    status, _, asked = _asked(sender, "/v1/messages", {"model": "mixed-too", "messages": _HI, "max_tokens": 9})
    assert (status, asked) == (200, ["/v1/messages"])


def test_a_provider_held_to_one_dialect_is_not_asked_for_counts_in_another(sender: Sender) -> None:
    status, _, asked = _asked(sender, "/v1/messages/count_tokens", {"model": "counted", "messages": _HI})
    assert (status, asked) == (200, [])
