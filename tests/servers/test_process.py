"""Servers end with the test that started them, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import programs
from tests.servers.process import ROOT, accepts_connections, free_port, running, wait_until

# A server that starts a child and, asked to end, refuses.
STUBBORN = """
import signal, subprocess, sys
from http.server import HTTPServer, BaseHTTPRequestHandler
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
open(sys.argv[2], "w").write(str(child.pid))
HTTPServer(("127.0.0.1", int(sys.argv[1])), BaseHTTPRequestHandler).serve_forever()
"""

HOLDER = """
import os, signal, sys
from pathlib import Path
from tests.servers.process import accepts_connections, running
port = int(sys.argv[1])
with running([sys.executable, "-c", sys.argv[3], sys.argv[1], sys.argv[2]], accepts_connections(port)):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that has ended and that nobody has collected yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc, which only Linux has")
def test_the_whole_group_ends(tmp_path: Path) -> None:
    port, child = free_port(), tmp_path / "child"
    command = [sys.executable, "-c", STUBBORN, str(port), child]
    with running(command, accepts_connections(port)):
        assert _is_alive(int(child.read_text()))
    assert not accepts_connections(port)()
    assert not _is_alive(int(child.read_text()))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc, which only Linux has")
def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    port, child = free_port(), tmp_path / "child"
    owner = subprocess.run([sys.executable, "-c", HOLDER, str(port), child, STUBBORN], cwd=ROOT, check=False)
    assert owner.returncode == -signal.SIGKILL
    wait_until(lambda: not accepts_connections(port)(), 15, "the server's end")
    wait_until(lambda: not _is_alive(int(child.read_text())), 15, "the end of what it started")


def test_a_server_that_fails_says_why() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such config')"]
    with pytest.raises(RuntimeError, match="no such config"), running(command, lambda: False):
        raise AssertionError("never ready")


def test_a_server_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    with (
        pytest.raises(RuntimeError, match="not within"),
        running(command, lambda: False, deadline_seconds=0.2, cwd=tmp_path),
    ):
        raise AssertionError("never ready")


def test_a_missing_program_is_a_skip_here_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="apt-get install frobnicator"):
        programs.required_program("frobnicate", "frobnicator")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install frobnicate"):
        programs.required_program("frobnicate")


def test_programs_are_found_beside_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    assert programs.required_program(os.path.basename(sys.executable)).exists()
