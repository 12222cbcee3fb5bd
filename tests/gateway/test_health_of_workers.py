"""Health over two real workers: what one learns both show, a reset reaches both, and one probe is made for both."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2

from dragoman.testing import FakeProvider, SlowHead, Status
from tests.gateway.running import KEY
from tests.gateway.served import DEADLINE_SECONDS, Served
from tests.servers.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

MASTER = "sk-master-0123456789-abcdef"
PROBE_SECONDS = 1.5


class Machine:
    """A gateway of two workers before two providers, of which the first is asked first."""

    def __init__(self, served: Served, ill: FakeProvider, well: FakeProvider) -> None:
        self.served, self.ill, self.well = served, ill, well
        self.url = f"http://127.0.0.1:{served.port}"

    def chat(self) -> str:
        """One request on a connection of its own, so that the kernel deals them out; who answered."""
        body = {"model": "fast", "messages": [{"role": "user", "content": "Say: hello"}]}
        answer = httpx2.post(
            f"{self.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=20
        )
        assert answer.status_code == 200, answer.text
        return answer.headers["x-dragoman-deployment"]

    def chats(self, count: int) -> list[str]:
        with ThreadPoolExecutor(8) as threads:
            return [each.result() for each in [threads.submit(self.chat) for _ in range(count)]]

    def admin(self, method: str, path: str, **more: Any) -> list[dict[str, Any]]:
        answer = httpx2.request(
            method, f"{self.url}/admin/{path}", headers={"authorization": f"Bearer {MASTER}"}, timeout=20, **more
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["workers"]

    def states(self) -> dict[int, str]:
        """How the first deployment stands in each worker that knows of it."""
        return {
            told["worker"]: each["state"]
            for told in self.admin("GET", "health")
            for each in told["deployments"]
            if each["name"] == "A"
        }

    def all_are(self, state: str) -> None:
        wait_until(lambda: self.states() == {0: state, 1: state}, DEADLINE_SECONDS, f"{state}: {self.states()}")


@contextlib.contextmanager
def machine(folder: Path, health: str) -> Generator[Machine]:
    with FakeProvider(key="key-of-a") as ill, FakeProvider(key="key-of-b") as well:
        text = f"""\
server: {{master_key: {MASTER}, workers: 2}}
providers:
  a: {{dialect: openai-chat, base_url: "{ill.url}/v1", api_key: key-of-a}}
  b: {{dialect: openai-chat, base_url: "{well.url}/v1", api_key: key-of-b}}
models:
  fast: {{deployments: [{{model: a/m, name: A}}, {{model: b/m, name: B}}], max_retries: 0}}
keys: [{{name: ci, key: {KEY}}}]
health: {{{health}}}
storage: {{database: "sqlite:///{folder}/ledger.db"}}
spool: {{directory: "{folder}/spool", segment_bytes: 65536}}
log: {{requests: none}}
"""
        with Served(folder, text) as served:
            served.start()
            found = Machine(served, ill, well)
            wait_until(served.accepts, DEADLINE_SECONDS, "a gateway that accepts connections")
            wait_until(lambda: len(found.admin("GET", "health")) == 2, DEADLINE_SECONDS, "both workers")
            yield found
            assert "Traceback" not in served.log.read_text(), served.log.read_text()[-4000:]


def test_what_one_worker_learns_both_show_and_a_reset_reaches_both(tmp_path: Path) -> None:
    with machine(tmp_path, "failures_in_a_row: 3, cooldown_seconds: 600") as found:
        found.ill.fail(*[Status(500)] * 5)
        asked = 0
        while "open" not in found.states().values():
            assert found.chat() == "B"
            asked += 1
            assert asked <= 5, "three in a row at one of two workers take five at most"
        found.all_are("open")
        asked = len(found.ill.requests)
        found.ill.faults.clear()
        assert set(found.chats(20)) == {"B"}
        assert len(found.ill.requests) == asked

        told = found.admin("POST", "health/reset", json={"deployment": "A"})
        assert told == [{"worker": 0, "reset": 1}, {"worker": 1, "reset": 1}]
        assert found.states() == {0: "closed", 1: "closed"}
        assert set(found.chats(20)) == {"A"}


def test_two_workers_make_one_probe(tmp_path: Path) -> None:
    with machine(tmp_path, "failures_in_a_row: 1, cooldown_seconds: 1, slow_start_seconds: 0") as found:
        found.ill.fail(Status(500), SlowHead(PROBE_SECONDS))
        assert found.chat() == "B"
        found.all_are("half-open")
        assert len(found.ill.requests) == 1
        with ThreadPoolExecutor(1) as beside:
            probe = beside.submit(found.chats, 8)
            wait_until(lambda: len(found.ill.requests) > 1, DEADLINE_SECONDS, "a probe")
            while not probe.done() and set(found.states().values()) == {"half-open"}:
                found.chats(4)
                assert len(found.ill.requests) == 2 or "closed" in found.states().values()
            assert sorted(probe.result()) == ["A", *["B"] * 7]
        found.all_are("closed")
        assert set(found.chats(10)) == {"A"}


def test_a_worker_that_is_started_again_knows_what_the_other_does(tmp_path: Path) -> None:
    with machine(tmp_path, "failures_in_a_row: 1, cooldown_seconds: 600") as found:
        found.ill.fail(Status(500))
        found.chat()
        found.all_are("open")
        victim = found.served.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(
            lambda: victim not in found.served.workers() and len(found.admin("GET", "health")) == 2,
            DEADLINE_SECONDS,
            "a new worker",
        )
        found.all_are("open")
        assert len(found.ill.requests) == 1


def test_two_workers_ask_for_lists_of_models_as_one_would(tmp_path: Path) -> None:
    with machine(tmp_path, "probe_seconds: 1") as found:

        def asked(times: int) -> float:
            wait_until(lambda: len(found.well.requests) >= times, DEADLINE_SECONDS, f"{times} lists")
            return time.monotonic()

        began = asked(1)
        assert asked(4) - began > 2.5, "two that ask each second would take half of the time"
        assert {(each.method, each.path) for each in found.well.requests} == {("GET", "/v1/models")}
