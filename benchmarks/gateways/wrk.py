"""Load: wrk sends one request over and over on a number of connections, and counts in microseconds."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gateways.machine import LOAD, on_core
from benchmarks.gateways.programs import program

__all__ = ["Asked", "Load", "load"]

SLOW_SECONDS = 10.0
_SCRIPT = """
wrk.method = "POST"
local file = io.open({body}, "rb")
wrk.body = file:read("*a")
file:close()
{headers}
done = function(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\\n{{"requests": %d, "microseconds": %d, "failed": %d, "refused": %d, "p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration, failed, summary.errors.status,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: where it goes, and what it says."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Load:
    """What came of a run: answers, the time it took, and the times of single answers."""

    requests: int
    seconds: float
    p50_seconds: float
    p99_seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def load(asked: Asked, connections: int, seconds: float) -> Load:
    """Runs wrk on the core of the load, longer if nobody answered yet. Raises RuntimeError if a request was refused."""
    told = _run(asked, connections, seconds)
    if not told["requests"] and not told["failed"] and seconds < SLOW_SECONDS:
        told = _run(asked, connections, SLOW_SECONDS)
    if told["failed"] or told["refused"] or not told["requests"]:
        raise RuntimeError(f"{asked.url}: {told}")
    return Load(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        p50_seconds=told["p50"] / 1e6,
        p99_seconds=told["p99"] / 1e6,
    )


def _run(asked: Asked, connections: int, seconds: float) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(asked.body)
        headers = {"content-type": "application/json", **asked.headers}
        lines = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
        script = Path(folder) / "load.lua"
        script.write_text(_SCRIPT.format(body=json.dumps(str(body)), headers=lines))
        command = [
            str(program("wrk")),
            f"--connections={connections}",
            "--threads=1",
            f"--duration={max(1, round(seconds))}s",
            "--timeout=30s",
            f"--script={script}",
            asked.url,
        ]
        with on_core(LOAD):
            said = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 60).stdout.decode()
    return json.loads(said.splitlines()[-1])
