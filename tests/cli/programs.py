"""The command line as a process of its own: on pipes, and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import ROOT

DEADLINE_SECONDS = 30.0
PRESS_AGAIN_SECONDS = 2.0
COMMAND = [sys.executable, "-m", "dragoman.cli"]

# The terminal becomes the controlling one, so that a ^C written to it is a signal, as it is for people.
_ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def environment(**variables: str) -> dict[str, str]:
    """A bare environment with these variables, where warnings are errors: no key of this machine reaches a test."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONUTF8": "1", "PYTHONWARNINGS": "error", "TERM": "dumb", "HOME": "/nonexistent", **variables}


@dataclass(frozen=True)
class Finished:
    """What a run came to."""

    status: int
    out: str
    err: str


def run(
    *arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Finished:
    """Run the command line to its end, in a folder."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env=environment() if env is None else env,
        cwd=folder,
        timeout=DEADLINE_SECONDS,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started(*arguments: str, env: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Start the command line on pipes; it is killed at the end of the block if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=ROOT,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


class Terminal:
    """A terminal with the command line on it; `screen` is all that was written to it, what was typed included."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._process = process
        self._read = 0
        self.screen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, text: str) -> None:
        """Wait until `text` appears after what was last expected."""
        assert self._appears(text, DEADLINE_SECONDS), f"{text!r} did not appear; the screen holds {self.screen!r}"

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until `text` appears: Python loses one that comes just before it begins to wait for input."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            self.type("\x03")
            if self._appears(text, PRESS_AGAIN_SECONDS):
                return
        raise AssertionError(f"{text!r} did not appear; the screen holds {self.screen!r}")

    def _appears(self, text: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (found := self.screen.find(text, self._read)) < 0:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if not self._read_more(left):
                raise AssertionError(f"it ended before {text!r} appeared; the screen holds {self.screen!r}")
        self._read = found + len(text)
        return True

    def status(self) -> int:
        """Wait for the end and return the exit status."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._read_more(deadline - time.monotonic()):
            assert time.monotonic() < deadline, f"it does not end; the screen holds {self.screen!r}"
        return self._process.wait(DEADLINE_SECONDS)

    def _read_more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(seconds, 0.0))
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when nobody holds the other end any more
            return False
        self.screen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def on_terminal(*arguments: str, env: Mapping[str, str], command: Sequence[str] = COMMAND) -> Generator[Terminal]:
    """Start the command line, or another command, on a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_TERMINAL, *command, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(slave)
    with process:
        try:
            yield Terminal(master, process)
        finally:
            process.kill()
            os.close(master)
