"""Run a command for as long as standard input stays open: `python -m tests.servers.guard COMMAND…`.

The test process holds the other end of the pipe, so a server never outlives the tests, even if they are killed.
The command leads a process group of its own and the whole group is ended, with what it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

TERMINATE_SECONDS = 3


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def main(command: list[str]) -> int:
    """Run `command` until it ends or standard input does; return its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        _end_group(process)

    threading.Thread(target=end_with_input, daemon=True).start()
    status = process.wait()
    _end_group(process)  # what the command started may still run
    return status


if __name__ == "__main__":
    # Not sys.exit: at shutdown the interpreter would wait for the lock of the stdin that the thread is reading.
    os._exit(main(sys.argv[1:]))
