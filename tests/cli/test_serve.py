"""`dragoman serve` as a process: alone and with workers, told to reload and to stop; and what it refuses."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.cli.programs import COMMAND, environment, run
from tests.servers.process import ROOT, wait_until

DEADLINE_SECONDS = 20.0
CONFIG = """\
server: {{port: 0}}
spool: {{directory: "{folder}/spool"}}
storage: {{database: "sqlite:///{folder}/dragoman.db"}}
log: {{requests: none}}
providers:
  here: {{dialect: openai-chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models:
  first: [here/m]
"""


class Served:
    """A gateway that runs."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, config: Path) -> None:
        self.process, self.log, self.config = process, log, config

    def said(self, pattern: str) -> re.Match[str]:
        def found() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return re.search(pattern, self.log.read_text()) is not None

        wait_until(found, DEADLINE_SECONDS, pattern)
        match = re.search(pattern, self.log.read_text())
        assert match is not None
        return match

    @property
    def url(self) -> str:
        return self.said(r"at (http://127\.0\.0\.1:\d+)")[1]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()


@contextmanager
def served(tmp_path: Path, *arguments: str, tls: str = "") -> Generator[Served]:
    config, log = tmp_path / "dragoman.yaml", tmp_path / "log"
    text = CONFIG.format(folder=tmp_path)
    config.write_text(text.replace("{port: 0}", f"{{port: 0, tls: {tls}}}") if tls else text)
    command = [*COMMAND, "serve", "--config", str(config), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=output, stderr=output)
    try:
        yield Served(process, log, config)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("arguments", [(), ("--supervised",), ("--workers", "2")], ids=["alone", "supervised", "two"])
def test_it_serves_reloads_and_stops(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with served(tmp_path, *arguments) as gateway:
        assert gateway.get("/healthz") == b'{"status":"alive"}'
        assert gateway.get("/readyz") == b'{"status":"ready"}'
        assert b"dragoman_connections 1.0" in gateway.get("/metrics")
        good = gateway.config.read_text()
        gateway.config.write_text(good + "nonsense: 1\n")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.said("the old one serves on: .*nonsense")
        gateway.config.write_text(good + "  second: [here/m]\n")
        gateway.said("is in service")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(DEADLINE_SECONDS) == 0
        assert "Traceback" not in gateway.log.read_text()


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "two"])
def test_it_serves_tls_and_takes_a_renewed_certificate(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    authority: Any = trustme.CA()  # its signatures name types of a package that is not there
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def issue() -> bytes:
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(tmp_path / "key.pem")
        issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def shown() -> bytes:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", int(port)), timeout=5))

    first = issue()
    with served(tmp_path, *arguments, tls="{certificate_file: cert.pem, key_file: key.pem}") as gateway:
        port = gateway.said(r"at https://127\.0\.0\.1:(\d+)")[1]
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", timeout=5, context=trusting) as answer:
            assert answer.read() == b'{"status":"alive"}'
        assert shown() == first
        second = issue()
        wait_until(lambda: shown() == second, DEADLINE_SECONDS, "the renewed certificate")
        (tmp_path / "cert.pem").write_text("nonsense\n")
        gateway.said("the old one serves on: .*'cert.pem' holds no certificate")
        assert shown() == second
        gateway.config.write_text(CONFIG.format(folder=tmp_path))
        gateway.said("server.tls has changed: it takes effect when the gateway is started again")
        assert shown() == second
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(DEADLINE_SECONDS) == 0
        assert "Traceback" not in gateway.log.read_text()


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.yaml"
    config.write_text(CONFIG.format(folder=tmp_path))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        for more in ((), ("--workers", "2")):
            done = run("serve", "--config", str(config), "--port", port, *more)
            assert done.status == 2
            assert f"cannot listen on 127.0.0.1:{port}" in done.err
            assert "take another port with --port" in done.err
            assert "Traceback" not in done.err


def test_nobody_listens_beyond_this_machine_without_a_key(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.yaml"
    config.write_text(CONFIG.format(folder=tmp_path))
    done = run("serve", "--config", str(config), "--host", "0.0.0.0")
    assert done.status == 2
    assert "nobody would need a key" in done.err


def test_a_configuration_that_is_wrong_is_said_with_its_lines(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.yaml"
    config.write_text("servers: {port: 4000}\n")
    for more in ((), ("--workers", "2")):
        done = run("serve", "--config", str(config), *more)
        assert done.status == 2
        assert f"{config}:1" in done.err
        assert "server" in done.err


def test_with_nothing_to_serve_it_says_what_to_do(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("OLLAMA_HOST", "LLAMA_CPP_BASE_URL", "VLLM_BASE_URL"), "http://127.0.0.1:9")
    for more, told in (((), "take --discover"), (("--discover",), "no model server was found")):
        done = run("serve", *more, env=environment(**nowhere, LMSTUDIO_BASE_URL="http://127.0.0.1:9"), folder=tmp_path)
        assert done.status == 2
        assert "there is no dragoman.yaml here" in done.err
        assert "OPENAI_API_KEY" in done.err
        assert told in done.err
        assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())  # nothing was begun


def test_a_configuration_of_nothing_is_said_by_both_commands(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.yaml"
    config.write_text("server: {port: 0}\n")
    assert "names no provider and no model" in run("serve", "--config", str(config)).err
    assert "nothing could be answered" in run("config", "check", str(config)).out


def test_discovery_beside_a_configuration_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.yaml"
    config.write_text(CONFIG.format(folder=tmp_path))
    done = run("serve", "--config", str(config), "--discover")
    assert done.status == 2
    assert "--discover is for serving without a configuration" in done.err


def test_it_tells_people_what_it_serves_and_whom(tmp_path: Path) -> None:
    with served(tmp_path) as gateway:
        assert gateway.said("models     first")
        assert gateway.said("keys       none: whoever is on this machine may call")


@pytest.mark.parametrize("package", ["prometheus_client", "sqlalchemy", "uvicorn", "yaml"])
def test_without_the_extra_it_says_how_to_install_it(package: str) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv = ['dragoman', 'serve', '--port', '0'];"
        "from dragoman.cli import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 2
    assert f'not installed ({package}): pip install "dragoman[gateway]"' in done.stderr
    assert done.stderr.count("\n") == 1
