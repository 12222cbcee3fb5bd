"""The conformance pack pointed at real servers as a stranger would: it finds what they can and cannot do.

The model of the llama.cpp server speaks noise, so that what only a model could do (calling a tool unasked) is looked
for under a bias that makes it call one. LiteLLM's mock models say the same words whatever they are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dragoman
from dragoman.testing.conformance import CHECKS, run_conformance
from examples.tiny_model import ONE_TOOL_CALL

if TYPE_CHECKING:
    from tests.servers.litellm_proxy import Proxy

TOOL_CALLS = ("tools", "tools on streams", "a named tool", "a tool without arguments", "a call's own round")
NOISE = (*TOOL_CALLS, "parallel tools")
PLAIN = ("chat", "stream", "async", "leaving a stream", "system", "several turns", "unicode", "sampling", "usage")
HISTORY = ("a tool's result", "parallel results")


def found_at(provider: str, address: str, dialect: str, model: str, **settings: Any) -> dict[str, str]:
    api_key = settings.pop("api_key", None)

    def make(**changes: Any) -> dragoman.ChatModel:
        given: dict[str, Any] = {"model": model, "base_url": address, "dialect": dialect, "api_key": api_key, **changes}
        return dragoman.ProviderRegistry.get_provider(provider, **given)

    report = run_conformance(make, **settings)
    assert {finding.check for finding in report} <= set(CHECKS)
    return {finding.check: finding.verdict for finding in report}


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_llama_cpp(llama_server: str, dialect: str) -> None:
    found = found_at(
        "llama_cpp", llama_server, dialect, "tiny", options={"max_tokens": 96}, embedding_model="tiny", skip=NOISE
    )
    assert {name: found[name] for name in (*PLAIN, "usage on streams", *HISTORY)} == dict.fromkeys(
        (*PLAIN, "usage on streams", *HISTORY), "works"
    )
    # It asks for no key, serves whatever model is named, and was started without eyes and without embeddings.
    assert found["a wrong key"] == found["an unknown model"] == found["image"] == "wrong"
    assert found["embeddings"] == "refused"
    # Only its chat endpoint follows a schema, and only anthropic's wire tells a tool's error apart.
    assert found["schema"] == ("works" if dialect == "openai-chat" else "wrong")
    assert found["a tool's error"] == ("works" if dialect == "anthropic" else "refused")
    assert found["stop"] == ("refused" if dialect == "openai-responses" else "works")
    # The finish of its Responses endpoint does not tell that the cap was met.
    assert found["max_tokens"] == ("wrong" if dialect == "openai-responses" else "works")


def test_llama_cpp_calls_tools_when_its_model_does(llama_server: str) -> None:
    biased = {"max_tokens": 400, "extra_body": {"logit_bias": ONE_TOOL_CALL}}
    found = found_at("llama_cpp", llama_server, "openai-chat", "tiny", options=biased, only=NOISE)
    # Of two tools it is the model that chooses, and this one's choice is noise: "a named tool" is not judged here.
    calling = [name for name in TOOL_CALLS if name != "a named tool"]
    assert {name: found[name] for name in calling} == dict.fromkeys(calling, "works")
    assert found["parallel tools"] == "refused"  # one call is what the bias allows


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_litellm(litellm_proxy_with_key: Proxy, dialect: str) -> None:
    proxy = litellm_proxy_with_key
    found = found_at("litellm", proxy.address, dialect, "mock-text", api_key=proxy.key)
    working = {"chat", "async", "sampling", "usage", "an unknown model", *HISTORY}
    assert {name for name in working if found[name] != "works"} == set()
    # Its mock counts the last words alone, says all of its own, and neither calls tools nor keeps to a form.
    assert {found[name] for name in ("system", "several turns", "max_tokens", "schema", "JSON object", *NOISE)} == {
        "wrong"
    }
    # Without a database it does not get as far as judging another key.
    assert found["a wrong key"] == "wrong"
    # It cannot begin a stream of Responses for a mock model.
    streams = ("stream", "usage on streams", "leaving a stream")
    assert {found[name] for name in streams} == {"wrong" if dialect == "openai-responses" else "works"}


def test_litellm_tools(litellm_proxy_with_key: Proxy) -> None:
    proxy = litellm_proxy_with_key
    checks = ("tools", "tools on streams", "no tool")
    found = found_at("litellm", proxy.address, "openai-chat", "mock-tools", api_key=proxy.key, only=checks)
    # Its mock calls the one tool that it knows, offered or not, and none in a stream.
    assert found == dict.fromkeys(checks, "wrong")
