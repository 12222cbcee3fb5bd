"""What `make run` shows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

from examples.first_run import DIALECTS, NEXT
from tests.cli.programs import environment
from tests.servers.process import ROOT

RUN_SECONDS = 90


def test_it_talks_in_three_protocols_and_says_what_to_type_next() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.first_run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for dialect in DIALECTS:
        told = done.stdout.split(f"\n{dialect}\n")[1].partition("\n\n")[0]
        assert re.search(r"^  chat +\S", told, re.MULTILINE)
        assert re.search(r"^  stream +\S", told, re.MULTILINE)
        assert len(re.findall(r"\d+ tokens in, \d+ out, finish: (?:stop|length)", told)) == 2
    schema = done.stdout.split("held to a JSON Schema")[1]
    shown = re.search(r"^  chat    (\{.*\})$", schema, re.MULTILINE)
    assert shown is not None
    assert ast.literal_eval(shown[1]).keys() == {"city", "bridges"}
    assert NEXT in done.stdout


def test_what_to_type_next_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"make (\w+)", NEXT)) <= set(targets)
    for module in re.findall(r"-m (examples\.\w+)", NEXT):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()
