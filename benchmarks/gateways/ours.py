"""`dragoman serve` on one core, with all that a deployment has: a key with limits, prices, metrics, the ledger."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateways.answers import MODEL, TRANSLATED_MODEL, chat
from benchmarks.gateways.machine import GATEWAY, children, on_core
from benchmarks.gateways.nginx import Upstream
from benchmarks.gateways.programs import free_port, running, wait_until

__all__ = ["KEY", "READING_MODEL", "READING_TRANSLATED", "ROUTED", "TLS_MODEL", "Ours", "running_ours"]

KEY = "sk-benchmark-0123456789abcdef"
TLS_MODEL, READING_MODEL, READING_TRANSLATED = "over-tls", "reading", "reading-translated"
ROUTED = {"order": "routed-in-order", "latency": "routed-by-latency"}
"""By strategy, models of four deployments."""
_DRAIN_SECONDS = 120.0
_RESTS_SECONDS = 1.2

_CONFIG = """
server: {{host: 127.0.0.1, port: {port}}}
providers:
  plain: {{dialect: openai-chat, base_url: "{upstream}/v1", api_key: "sk-upstream-0123456789"}}
  tls: {{dialect: openai-chat, base_url: "{tls}/v1", api_key: "sk-upstream-0123456789", ca_file: "{authority}"}}
  claude: {{dialect: anthropic, base_url: "{upstream}/v1", api_key: "sk-upstream-0123456789"}}
  reading: {{dialect: openai-chat, base_url: "{reading}/v1", api_key: "sk-upstream-0123456789"}}
  reading-claude: {{dialect: anthropic, base_url: "{reading}/v1", api_key: "sk-upstream-0123456789"}}
models:
  {relayed}: {{deployments: [{{model: plain/{relayed}, prices: {{input: 2.5, output: 10}}}}]}}
  {translated}: {{deployments: [{{model: claude/{translated}, prices: {{input: 3, output: 15}}}}]}}
  {over_tls}: {{deployments: [{{model: tls/{over_tls}, prices: {{input: 2.5, output: 10}}}}]}}
  {read}: {{deployments: [{{model: reading/{read}, prices: {{input: 2.5, output: 10}}}}]}}
  {read_translated}: {{deployments: [{{model: reading-claude/{read_translated}, prices: {{input: 3, output: 15}}}}]}}
{routed}
keys:
  - {{name: benchmark, team: load, key: "{key}", limits: {{rpm: 1000000, concurrency: 4096}}}}
storage: {{database: "sqlite:///{folder}/ledger.db"}}
spool: {{directory: "{folder}/spool"}}
log: {{requests: none}}
"""


@dataclass
class Ours:
    """A gateway of ours that runs: `process` is the one that serves, `start_seconds` its way to the first answer."""

    url: str
    process: int
    folder: Path
    start_seconds: float

    def answered(self) -> int:
        """Requests that it says to have answered with 200."""
        counted = re.findall(
            r'^dragoman_requests_total\{[^}]*status="200"[^}]*\} (\S+)$', self._metrics(), re.MULTILINE
        )
        return round(sum(map(float, counted)))

    def wait_for_writer(self) -> None:
        """Returns when the ledger's writer is at work, which starts after the first answer."""
        wait_until(lambda: "\ndragoman_ledger_drains 1.0\n" in self._metrics(), _DRAIN_SECONDS, "the ledger's writer")

    def wait_until_carried(self) -> None:
        """Returns when no row has been added for longer than the writer rests: all that was answered is carried over.

        The database is asked, which costs the gateway nothing.
        """
        with closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as database:
            last, since = -1, time.monotonic()
            while time.monotonic() - since < _RESTS_SECONDS:
                (now,) = database.execute("SELECT max(sequence) FROM attempts").fetchone()
                if now != last:
                    last, since = now, time.monotonic()
                time.sleep(0.05)

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def rows(self) -> dict[str, int]:
        """The ledger's rows by outcome."""
        with closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as database:
            return dict(database.execute("SELECT outcome, count(*) FROM attempts GROUP BY outcome").fetchall())

    def stop(self) -> None:
        """Ends it as an operator would, and returns when it has written everything down."""
        os.kill(self.process, signal.SIGTERM)
        wait_until(lambda: not _lives(self.process), _DRAIN_SECONDS, "the gateway's end")


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def running_ours(folder: Path, upstream: Upstream, reading_url: str) -> Generator[Ours]:
    """`dragoman serve`, for the length of the block."""
    folder.mkdir()
    port = free_port()
    config = folder / "dragoman.yaml"
    config.write_text(
        _CONFIG.format(
            port=port,
            folder=folder,
            upstream=upstream.url,
            tls=upstream.tls_url,
            authority=upstream.authority,
            reading=reading_url,
            key=KEY,
            relayed=MODEL,
            translated=TRANSLATED_MODEL,
            over_tls=TLS_MODEL,
            read=READING_MODEL,
            read_translated=READING_TRANSLATED,
            routed="\n".join(f"  {name}: {_four(name, strategy)}" for strategy, name in ROUTED.items()),
        )
    )
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with on_core(GATEWAY):
        began = time.monotonic()
        starting = running(
            [sys.executable, "-m", "dragoman.cli", "serve", "--config", config], _answers(url), env=environment
        )
        guard = starting.__enter__()
        took = time.monotonic() - began
    try:
        serving = next(each for each in children(guard.pid) if _serves(each))
        yield Ours(url, serving, folder, took)
    finally:
        starting.__exit__(None, None, None)


def _four(model: str, strategy: str) -> str:
    deployments = ", ".join(
        f"{{name: {name}, model: plain/{model}, prices: {{input: 2.5, output: 10}}}}" for name in "abcd"
    )
    return f"{{strategy: {strategy}, deployments: [{deployments}]}}"


def _serves(process: int) -> bool:
    command = Path(f"/proc/{process}/cmdline").read_bytes()
    return b"dragoman.cli" in command and b"guard.py" not in command


def _answers(url: str) -> Callable[[], bool]:
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        data=chat(),
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
    )

    def condition() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False

    return condition
