"""`dragoman route explain`: by the configuration alone, and as a running gateway would do it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dragoman.testing import FakeProvider
from tests.cli.programs import environment, run
from tests.gateway.running import running_gateway

if TYPE_CHECKING:
    from pathlib import Path

MASTER = "sk-master-0123456789-abcdef"
CONFIG = """
server: {{master_key: {master}}}
providers:
  near: {{dialect: openai-chat, base_url: "{url}/v1", api_key: none}}
  far: {{dialect: anthropic, base_url: "{url}/v1", api_key: none}}
models:
  fast:
    strategy: rule
    rules: [{{headers: {{x-plan: gold}}, use: [far/two]}}]
    deployments: [near/one, far/two]
  plain: [near/one, {{model: near/two, facts: {{tools: false}}}}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dragoman.yaml"
    path.write_text(CONFIG.format(master=MASTER, url="http://127.0.0.1:9"))
    return path


def test_a_configuration_tells_who_would_be_asked_and_nothing_is_sent(file: Path) -> None:
    done = run("route", "explain", "fast", "Hello", "--config", str(file), env=environment())
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "fast: near/one (strategy rule)",
        "  1  near/one  tier 1  rule, no rule holds  [relay]",
        "  2  far/two   tier 1  rule, no rule holds  [translate: the provider speaks anthropic]",
    ]


def test_headers_dialect_and_a_whole_body_are_gone_by(file: Path, tmp_path: Path) -> None:
    gold = ("--header", "X-Plan: gold", "--dialect", "anthropic", "--output", "json")
    told = json.loads(run("route", "explain", "fast", "--config", str(file), *gold, env=environment()).out)
    assert (told["chosen"], told["candidates"][0]["mode"]) == ("far/two", "relay")
    body = tmp_path / "body.json"
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body.write_text(json.dumps({"messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}))
    done = run("route", "explain", "plain", "--body", str(body), "--config", str(file), env=environment())
    assert done.out.splitlines()[0] == "plain: near/one (strategy order)"
    assert done.out.splitlines()[2].startswith(
        "  -  near/two  tier 1  does not fit: near/two, it is known to lack tools"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("slow",), "There is no model 'slow' here."),
        (("fast", "--key", "nobody"), "no key is called 'nobody'"),
        (("fast", "--header", "gold"), "a header is written as 'name: value', and not as 'gold'"),
        (("fast", "--dialect", "klingon"), "Invalid enum value 'klingon'"),
        (("fast", "--body", "absent.json"), "absent.json cannot be read: No such file or directory"),
        (("fast", "--gateway", "http://127.0.0.1:9"), "set DRAGOMAN_MASTER_KEY"),
    ],
)
def test_what_cannot_be_explained_is_said(file: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run("route", "explain", *arguments, "--config", str(file), env=environment())
    assert done.status in (1, 2)
    assert done.out == ""
    assert said in done.err


def test_a_gateway_tells_what_it_would_do(tmp_path: Path) -> None:
    with FakeProvider() as fake, running_gateway(CONFIG.format(master=MASTER, url=fake.url), tmp_path) as gateway:
        asked = ("route", "explain", "fast", "--gateway", gateway.url)
        done = run(*asked, env=environment(DRAGOMAN_MASTER_KEY=MASTER))
        assert (done.status, done.err) == (0, "")
        assert done.out.splitlines()[0] == "fast: near/one (strategy rule)"
        refused = run(*asked, env=environment(DRAGOMAN_MASTER_KEY="sk-another-0123456789-abcdef"))
        assert refused.status == 1
        assert f"{gateway.url} answered 401: send the master key" in refused.err
        assert not fake.requests
