"""The gateway in front of the llama.cpp server, and the clients of four vendors' protocols that ask it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.tiny_model import MODEL_NAME

ROOT = Path(__file__).parent.parent
PYTHON = ".venv/bin/python"
PORT = 4000
KEY = "sk-of-your-own-gateway"
STOP_SECONDS = 30
CLIENT_SECONDS = 60
MOST_SHOWN = 300

CONFIG = """\
providers:
  llama_cpp: {{base_url: "{address}"}}
models:
  tiny: [llama_cpp/{model}]
keys:
  - {{name: you, key: {key}, limits: {{rpm: 600, concurrency: 20}}}}
"""
PLACES = """\
storage: {{database: "sqlite:///{folder}/dragoman.db"}}
spool: {{directory: "{folder}/spool", segment_bytes: 1048576}}
log: {{requests: {log}}}
"""

CURL = """\
curl {url}/v1/chat/completions -H "authorization: Bearer {key}" -H "content-type: application/json" \\
  -d '{{"model": "tiny", "max_tokens": {most}, "messages": [{{"role": "user", "content": "{question}"}}]}}'"""

OPENAI = """\
{python} -c '
from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="{key}")
answer = client.responses.create(model="tiny", input="{question}", max_output_tokens={most})
print(answer.output_text)'"""

ANTHROPIC = """\
{python} -c '
from anthropic import Anthropic
client = Anthropic(base_url="{url}", api_key="{key}")
answer = client.messages.create(model="tiny", max_tokens={most}, messages=[{{"role": "user", "content": "{question}"}}])
print(answer.content[0].text)'"""

GOOGLE = """\
{python} -c '
from google import genai
client = genai.Client(vertexai=False, api_key="{key}", http_options={{"base_url": "{url}"}})
answer = client.models.generate_content(
    model="tiny", contents="{question}", config={{"max_output_tokens": {most}}}
)
print(answer.text)'"""

CLIENTS = (
    ("curl", "by OpenAI's chat completions", CURL),
    ("openai", "by the Responses API", OPENAI),
    ("anthropic", "by Anthropic's messages", ANTHROPIC),
    ("google-genai", "by generateContent, which the model server does not speak", GOOGLE),
)


@dataclass(frozen=True)
class RunningGateway:
    """`url` is its address without a version, `config` what it was started with, `folder` where its records lie."""

    url: str
    config: str
    folder: Path
    process: subprocess.Popen[str]


@contextmanager
def running_gateway(address: str, *, on_terminal: bool) -> Generator[RunningGateway]:
    """`dragoman serve` before the model server at `address`, until the block ends.

    On a terminal it takes port 4000, if that is free, and its log of attempts goes there.

    Raises:
        RuntimeError: it ended before it served; the message carries what it wrote.
    """
    with TemporaryDirectory(prefix="dragoman-gateway-") as name:
        folder = Path(name)
        config = CONFIG.format(address=address, model=MODEL_NAME, key=KEY)
        places = PLACES.format(folder=folder, log="stderr" if on_terminal else "none")
        (folder / "dragoman.yaml").write_text(config + places, encoding="utf-8")
        port = PORT if on_terminal and _is_free(PORT) else 0
        command = [sys.executable, "-m", "dragoman.cli", "serve", "--config", str(folder / "dragoman.yaml")]
        with (folder / "said").open("w+b") as said:
            process = subprocess.Popen(
                [*command, "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if on_terminal else said,
                text=True,
                start_new_session=True,  # Ctrl-C is for the caller, who then tells it to end
            )
            try:
                assert process.stdout is not None
                first = process.stdout.readline()
                if " at http://" not in first:
                    process.wait(STOP_SECONDS)
                    raise RuntimeError(f"the gateway did not start:\n{(folder / 'said').read_text(errors='replace')}")
                yield RunningGateway(first.split(" at ")[1].split()[0], config, folder, process)
            finally:
                _stop(process)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def ask_once(gateway: RunningGateway, question: str, most_tokens: int) -> None:
    """Shows how each client asks, and what it is answered."""
    print("The gateway stands before the same server: any client by any of these protocols. Its configuration:\n")
    print("".join(f"  {line}\n" for line in gateway.config.splitlines()))
    for name, how, text in CLIENTS:
        command = text.format(python=PYTHON, url=gateway.url, key=KEY, question=question, most=most_tokens)
        print(f"{name}, {how}\n\n{command}\n")
        print(f"  {_answer(command)}\n", flush=True)
    print(f"What the ledger has of it (dragoman ledger tail):\n\n{_ledger(gateway.folder)}")


def _ledger(folder: Path) -> str:
    """One line an attempt; whether bytes passed or were translated stands in each."""
    command = [sys.executable, "-m", "dragoman.cli", "ledger", "tail", "--spool", str(folder / "spool")]
    command += ["--database", f"sqlite:///{folder}/dragoman.db"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return "".join(f"  {line}\n" for line in lines)


def _answer(command: str) -> str:
    program = command.split()[0]
    if program == "curl" and shutil.which(program) is None:
        return "(not asked: curl is not installed here)"
    # A pipe is no terminal: curl would draw its progress, which is no part of the answer.
    shown = command.replace("curl ", "curl --silent --show-error ", 1) if program == "curl" else command
    shown = shown.replace(PYTHON, f'"{sys.executable}"', 1)
    # What a vendor's package warns of is for its own developers.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(
        ["/bin/sh", "-c", shown], capture_output=True, text=True, cwd=ROOT, env=env, timeout=CLIENT_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{command}\nended with status {done.returncode}:\n{done.stderr}")
    told = " ".join(done.stdout.split())
    return told if len(told) <= MOST_SHOWN else told[:MOST_SHOWN] + "…"
