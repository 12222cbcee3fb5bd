"""What `make run` shows."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import sys

from examples.first_gateway import CLIENTS, PORT
from examples.first_run import DIALECTS, NEXT
from tests.cli.programs import environment, on_terminal
from tests.servers.process import ROOT

RUN_SECONDS = 110


def test_it_talks_in_three_protocols_asks_through_the_gateway_and_says_what_to_type_next() -> None:
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
    told = done.stdout.split("The gateway stands before the same server")[1]
    for name, how, _ in CLIENTS:
        answered = told.split(f"\n{name}, {how}\n")[1].split("\n\n")[1]
        if name == "curl":
            assert '"object":"chat.completion"' in answered or shutil.which("curl") is None
        else:
            assert re.fullmatch(r"  \S.*", answered), f"{name}: {answered}"
    ledger = told.split("What the ledger has of it")[1].split("\n\n")[1]
    asked = len(CLIENTS) - (shutil.which("curl") is None)
    assert len(re.findall(r"^  .* you tiny -> llama_cpp/\S+ (?:relay|translate) .*: ok 200, ", ledger, re.M)) == asked


def test_on_a_terminal_it_serves_until_interrupted() -> None:
    command = [sys.executable, "-m", "examples.first_run"]
    with on_terminal(env=environment(), command=command) as terminal:
        for said in (
            "held to a JSON Schema",
            "openai, by",
            "google-genai, by",
            "The gateway serves at http://127.0.0.1:",
        ):
            terminal.expect(said)
        terminal.expect(" until Ctrl-C")
        port = int(re.findall(r"The gateway serves at http://127\.0\.0\.1:(\d+)", terminal.screen)[0])
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
        terminal.interrupt("draining")
        assert terminal.status() == 0
    with socket.socket() as probe:
        assert port == PORT or probe.connect_ex(("127.0.0.1", port)) != 0


def test_what_to_type_next_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"make (\w+)", NEXT)) <= set(targets)
    for module in re.findall(r"-m (examples\.\w+)", NEXT):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()
