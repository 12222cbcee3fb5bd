"""A request leaves no cycle of objects behind: each would wait for the garbage collector, which stops everything."""

from __future__ import annotations

import gc
import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Generator

import pytest

from dragoman.testing import FakeProvider
from tests.gateway.running import KEY, RunningGateway, running_gateway
from tests.servers.process import wait_until

CONFIG = """
providers:
  chat: {{dialect: openai-chat, base_url: "{url}/v1", api_key: sk-upstream-0123456789}}
  claude: {{dialect: anthropic, base_url: "{url}/v1", api_key: sk-upstream-0123456789}}
models: {{relayed: [chat/relayed], translated: [claude/translated]}}
keys: [{{name: tester, key: "{key}", limits: {{rpm: 1000, concurrency: 10}}}}]
"""
REQUESTS = 5


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """Return a gateway in front of a provider of two dialects."""
    with FakeProvider() as fake:
        text = CONFIG.format(url=fake.url, key=KEY)
        with running_gateway(text, tmp_path_factory.mktemp("cycles")) as running:
            yield running


def ask(gateway: RunningGateway, model: str, stream: bool) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    request = urllib.request.Request(
        f"{gateway.url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        answer.read()


def collect() -> None:
    """Collects all garbage, and leaves no collection under way in another thread.

    While one is, its finalizers let others run, `gc.collect` does nothing, and what it is about to free would be saved.
    """
    me = threading.get_ident()
    ended: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and threading.get_ident() == me:
            ended.append(info["generation"])

    def collected() -> bool:
        gc.collect()
        return bool(ended)

    gc.callbacks.append(note)
    try:
        wait_until(collected, 30, "a collection of our own")
    finally:
        gc.callbacks.remove(note)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["relayed", "translated"])
def test_a_request_leaves_no_cycle(gateway: RunningGateway, model: str, stream: bool) -> None:
    for _ in range(3):
        ask(gateway, model, stream)  # what is made once is made now
    gc.disable()
    collect()
    gc.freeze()  # what is older than these requests, garbage of other tests among it, is not theirs
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(REQUESTS):
            ask(gateway, model, stream)
        gc.collect()
        found = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    ours = {name: count for name, count in found.items() if _is_ours(name) and count >= REQUESTS}
    assert not ours, f"left behind by {REQUESTS} requests: {ours}"


def _is_ours(name: str) -> bool:
    return name.startswith("dragoman.") and not name.startswith("dragoman.testing")
