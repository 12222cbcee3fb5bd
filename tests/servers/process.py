"""Start a real server for a test, wait until it answers, and end it for certain."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parent.parent.parent
FIRST_PORT, FIRST_GIVEN_PORT = 20_000, 32_768
POLL_SECONDS = 0.02
STOP_SECONDS = 15
LOG_CHARACTERS = 4000
_DICE = random.SystemRandom()  # property tests seed the other ones, in each process alike


def free_port() -> int:
    """Return a port of the loopback that was free just now.

    Only for programs that cannot listen on port 0 and say which one they got. It lies below those that a system gives
    away by itself (Linux: from 32768 on), so neither a connection nor a server on port 0, of whatever process, takes it
    meanwhile or between two lives of a program; two callers at once choose among thousands.
    """
    while True:
        port = _DICE.randrange(FIRST_PORT, FIRST_GIVEN_PORT)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], bool], deadline_seconds: float, what: str) -> None:
    """Return once `condition` holds; raise TimeoutError naming `what` after `deadline_seconds`."""
    deadline = time.monotonic() + deadline_seconds
    pause = POLL_SECONDS / 64  # most conditions hold soon: thousands of tests wait for one
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {deadline_seconds} s")
        time.sleep(pause)
        pause = min(2 * pause, POLL_SECONDS)


def accepts_connections(port: int) -> Callable[[], bool]:
    """Return a condition: something listens on this port of the loopback."""

    def condition() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return condition


def answers_ok(url: str) -> Callable[[], bool]:
    """Return a condition: a GET of `url` is answered with a status of 2xx within a second."""

    def condition() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    return condition


@contextmanager
def running(
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    *,
    deadline_seconds: float = 30,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Run `command` with all that it starts, for the length of the `with` block, once `ready` holds.

    The process yielded is the guard's, which ends with the command. `env`, where given, is the whole environment.

    Raises:
        RuntimeError: the command ended, or was not ready in time; the message carries the end of its output.
    """
    with TemporaryFile() as output:
        guarded = [sys.executable, str(ROOT / "tests/servers/guard.py"), *map(str, command)]
        process = subprocess.Popen(
            guarded, stdin=subprocess.PIPE, stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True
        )
        try:
            _wait_until_ready(process, ready, deadline_seconds)
            yield process
        except TimeoutError as error:
            output.seek(0)
            said = output.read().decode(errors="replace")[-LOG_CHARACTERS:]
            raise RuntimeError(f"{command[0]}: {error}\n{said}") from error
        finally:
            _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], deadline_seconds: float) -> None:
    def settled() -> bool:
        return process.poll() is not None or ready()

    wait_until(settled, deadline_seconds, "ready")
    if process.poll() is not None:
        raise TimeoutError(f"ended with status {process.returncode} before it was ready")


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=STOP_SECONDS)  # closes the guard's standard input
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
