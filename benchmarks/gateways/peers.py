"""Other gateways, each as its makers install it: what starts it, and what a request to it looks like.

`make bench` installs them (`.venv-peers` and `.venv-litellm` by pip, `portkey` by npm). Who is not installed is left
out, and the report says so. Each has what it records or logs switched off where that is its default or one setting.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gateways.answers import MODEL
from benchmarks.gateways.machine import GATEWAY, on_core
from benchmarks.gateways.programs import ROOT, Missing, answers_ok, free_port, program, running

__all__ = ["PEERS", "Peer", "Running"]

_START_SECONDS = 90
_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
_FERROGW = ROOT / ".venv-peers" / "bin" / "ferrogw"
_LITELLM = ROOT / ".venv-litellm" / "bin" / "litellm"
_PORTKEY = Path(__file__).parent / "portkey" / "node_modules" / "@portkey-ai" / "gateway"
_KEY = "sk-benchmark-0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A gateway that runs: where its chat completions are, what it calls the model, and what it wants in headers."""

    url: str
    model: str
    process: int
    start_seconds: float
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def _environment(folder: Path, **more: str) -> dict[str, str]:
    """A bare environment: no provider's key and no proxy of this machine reaches a peer."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **more}


@contextmanager
def _started(
    command: list[str | Path], ready: str, folder: Path, environment: Mapping[str, str]
) -> Generator[tuple[int, float]]:
    with on_core(GATEWAY):
        began = time.monotonic()
        starting = running(command, answers_ok(ready), deadline_seconds=_START_SECONDS, env=environment, cwd=folder)
        process = starting.__enter__()
        took = time.monotonic() - began
    try:
        yield process.pid, took
    finally:
        starting.__exit__(None, None, None)


_TENSORZERO = """
import sys, threading, tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
open(sys.argv[2], "w").write(gateway.base_url)
threading.Event().wait()
"""


@contextmanager
def _tensorzero(folder: Path, upstream: str) -> Generator[Running]:
    if not _PYTHON.exists():
        raise Missing("the peers are not installed: make .venv-peers")
    configuration, address, script = folder / "tensorzero.toml", folder / "address", folder / "tensorzero_gateway.py"
    configuration.write_text(
        "[gateway.observability]\nenabled = false\n"
        f'[models.m]\nrouting = ["up"]\n[models.m.providers.up]\ntype = "openai"\nmodel_name = "{MODEL}"\n'
        f'api_base = "{upstream}/v1/"\napi_key_location = "none"\n'
    )
    script.write_text(_TENSORZERO)
    with on_core(GATEWAY):
        began = time.monotonic()
        starting = running(
            [_PYTHON, script, configuration, address],
            lambda: address.exists() and address.read_text().startswith("http"),
            deadline_seconds=_START_SECONDS,
            env=_environment(folder),
            cwd=folder,
        )
        process = starting.__enter__()
        took = time.monotonic() - began
    try:
        base = address.read_text().rstrip("/")
        yield Running(
            url=f"{base}/chat/completions", model="tensorzero::model_name::m", process=process.pid, start_seconds=took
        )
    finally:
        starting.__exit__(None, None, None)


@contextmanager
def _ferrogw(folder: Path, upstream: str) -> Generator[Running]:
    if not _FERROGW.exists():
        raise Missing("the peers are not installed: make .venv-peers")
    port = free_port()
    environment = _environment(
        folder,
        PORT=str(port),
        MASTER_KEY=_KEY + _KEY,
        OPENAI_API_KEY="sk-upstream",
        OPENAI_BASE_URL=upstream,
        RATE_LIMIT_RPS="1000000",  # its default lets 20 requests a second pass
        RATE_LIMIT_BURST="1000000",
        LOG_LEVEL="error",
    )
    with _started([_FERROGW, "serve"], f"http://127.0.0.1:{port}/health", folder, environment) as (process, took):
        yield Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            model=MODEL,
            process=process,
            start_seconds=took,
            headers={"authorization": f"Bearer {_KEY + _KEY}"},
        )


@contextmanager
def _portkey(folder: Path, upstream: str) -> Generator[Running]:
    if not _PORTKEY.exists():
        raise Missing("Portkey is not installed: make bench, with node and npm")
    port = free_port()
    environment = _environment(folder, TRUSTED_CUSTOM_HOSTS="127.0.0.1,localhost", NODE_ENV="production")
    command: list[str | Path] = [program("node", "nodejs"), _PORTKEY / "build/start-server.js", f"--port={port}"]
    command.append("--headless")
    with _started(command, f"http://127.0.0.1:{port}/", folder, environment) as (process, took):
        yield Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            model=MODEL,
            process=process,
            start_seconds=took,
            headers={
                "authorization": "Bearer sk-upstream",
                "x-portkey-provider": "openai",
                "x-portkey-custom-host": f"{upstream}/v1",
            },
        )


@contextmanager
def _litellm(folder: Path, upstream: str) -> Generator[Running]:
    if not _LITELLM.exists():
        raise Missing("the LiteLLM proxy is not installed: make .venv-litellm")
    port = free_port()
    parameters = {"model": f"openai/{MODEL}", "api_base": f"{upstream}/v1", "api_key": "sk-upstream"}
    configuration = folder / "litellm.yaml"
    configuration.write_text(  # JSON, which YAML contains
        json.dumps(
            {
                "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
                "general_settings": {"master_key": _KEY},
            }
        )
    )
    environment = _environment(
        folder, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_TELEMETRY="False", NO_DOCS="True", LITELLM_LOG="ERROR"
    )
    command: list[str | Path] = [_LITELLM, "--config", configuration, "--host", "127.0.0.1", "--port", str(port)]
    ready = f"http://127.0.0.1:{port}/health/readiness"
    with _started([*command, "--telemetry", "False"], ready, folder, environment) as (process, took):
        yield Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            model=MODEL,
            process=process,
            start_seconds=took,
            headers={"authorization": f"Bearer {_KEY}"},
        )


@dataclass(frozen=True)
class Peer:
    """`start` runs it in a folder in front of an upstream. `locked` tells which version, from the lock files."""

    name: str
    package: str
    start: Callable[[Path, str], AbstractContextManager[Running]]

    def version(self) -> str:
        """The locked version."""
        if self.package.startswith("@"):
            lock = json.loads((Path(__file__).parent / "portkey" / "package-lock.json").read_text())
            return lock["packages"][f"node_modules/{self.package}"]["version"]
        for name in ("peers.txt", "litellm.txt"):
            found = re.search(rf"^{self.package}==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)
            if found is not None:
                return found[1]
        return "?"


PEERS = (
    Peer("TensorZero (Rust)", "tensorzero", _tensorzero),
    Peer("ferrogw (Go)", "ferrogw", _ferrogw),
    Peer("Portkey (Node)", "@portkey-ai/gateway", _portkey),
    Peer("LiteLLM proxy (Python)", "litellm", _litellm),
)
"""In the order of the tables."""
