"""The driver of the official JavaScript clients: cases in, outcomes out, one Node process for all of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tests.gateway.official_cases import IMAGE, PARAMETERS, RESULT, SCHEMA
from tests.gateway.running import KEY
from tests.servers.programs import required_program, skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["outcomes_of"]

FOLDER = Path(__file__).parent
SECONDS = 100


def outcomes_of(url: str, cases: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the JavaScript clients make of the cases (as `Case.told` gives them), by their ids."""
    node = required_program("node", "nodejs")
    if not (FOLDER / "node_modules").is_dir():
        skip_or_fail("the JavaScript clients are not installed: make tests/javascript/node_modules/.installed")
    task = {
        "url": url,
        "key": KEY,
        "wrongKey": "sk-wrong-0123456789abcdefghij",
        "cases": list(cases),
        "image": IMAGE,
        "parameters": PARAMETERS,
        "schema": SCHEMA,
        "result": RESULT,
    }
    done = subprocess.run(
        [node, "clients.mjs"],
        cwd=FOLDER,
        input=msgspec.json.encode(task),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env={"PATH": str(node.parent), "NODE_ENV": "production"},
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    lines = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    return {line["id"]: line["outcome"] for line in lines}
