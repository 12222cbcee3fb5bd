"""The real LiteLLM proxy, from an environment of its own, with models that answer without any provider.

`make .venv-litellm` builds the environment. Names of the models tell what each does; see CONFIG.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.process import ROOT, answers_ok, free_port, running
from tests.servers.programs import skip_or_fail

PROGRAM = ROOT / ".venv-litellm" / "bin" / "litellm"
START_SECONDS = 90

MOCK_TEXT = "A dragoman stands between two courts."
MOCK_TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "calculator", "arguments": '{"expression": "6 * 7"}'},
}


def _model(name: str, **mock: object) -> dict[str, object]:
    return {"model_name": name, "litellm_params": {"model": "openai/gpt-4o-mini", "api_key": "unused", **mock}}


# Written as JSON, which YAML contains.
CONFIG: dict[str, object] = {
    "model_list": [
        _model("mock-text", mock_response=MOCK_TEXT),
        _model("mock-tools", mock_tool_calls=[MOCK_TOOL_CALL]),
        _model("mock-rate-limit", mock_response="litellm.RateLimitError"),
        _model("mock-context-window", mock_response="litellm.ContextWindowExceededError"),
        _model("mock-server-error", mock_response="litellm.InternalServerError"),
    ],
    "router_settings": {"num_retries": 0, "disable_cooldowns": True},
}


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its address (without `/v1`) and the key it demands, if any."""

    address: str
    key: str | None


@contextmanager
def running_litellm_proxy(key: str | None = None) -> Generator[Proxy]:
    """Run the proxy on a free port of the loopback; with `key` it answers only those who bring it (`sk-…`)."""
    if not PROGRAM.exists():
        skip_or_fail("the LiteLLM proxy is not installed: make .venv-litellm")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {"master_key": key} if key else {"dangerously_permit_weak_or_unset_master_key": True}
    with TemporaryDirectory(prefix="dragoman-litellm-") as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(CONFIG | {"general_settings": settings}))
        # A bare environment: no provider's key, no database and no proxy of this machine reaches it.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "NO_DOCS": "True",
        }
        command = [PROGRAM, "--config", config, "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        ready = answers_ok(f"{address}/health/readiness")
        with running(command, ready, deadline_seconds=START_SECONDS, env=environment, cwd=Path(folder)):
            yield Proxy(address, key)
