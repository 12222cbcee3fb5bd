"""The ledger's writer: the drain in a process of its own, one beside all that serve.

In a process that serves, the drain would take the interpreter from the event loop for a good part of each request, at
moments that nobody chooses. Here it takes what CPU time the others leave, and a little where they leave none, so that
spools do not grow for ever.

`python -m dragoman.gateway.workers.ledger_writer DIRECTORY DATABASE` is the writer of whoever started it. Its standard
input is the reading end of a pipe: when nobody holds the other end any more, everybody whose spool it carries over has
ended, and it ends, too, when all is carried over. On its standard output it reports. It may be killed at any moment,
for the drain goes on from the last commit; `WriterProcess` starts another.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from dragoman.gateway.workers.interpreter import LOG_FORMAT, quieten
from dragoman.gateway.workers.restarts import Restarts
from dragoman.gateway.workers.yielding import LOOK_SECONDS, Yielding, may_yield

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.ledger import DrainThread

__all__ = ["LedgerWriter", "WriterProcess"]

logger = logging.getLogger("dragoman.gateway")

NICENESS: Final = 5
"""A quarter of a core that everybody wants: enough to keep up with the requests that the other three quarters answer
(at 10 it would be a tenth, and spools would grow under a load that lasts)."""

EVERY_SECONDS: Final = 1.0
"""Rows come so late at most. Sooner would cost more: a commit costs the same for a thousand rows as for ten."""

FAREWELL_SECONDS: Final = 30.0
OTHERS_SECONDS: Final = 5.0
LAST_STARTS: Final = 3
_POLL_SECONDS: Final = 0.02
_LONGEST_PROBLEM: Final = 1000
"""A report fits into a pipe whole, or not at all."""
_NOT_ITS_OWN: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Report(msgspec.Struct, frozen=True):
    """What a writer tells: whether it is the elected one, what it added since it started, what is wrong."""

    elected: bool = False
    carried: int = 0
    problem: str | None = None


class LedgerWriter(Protocol):
    """Who carries the spools of a gateway into its store: a `WriterProcess`, or a thread (`ledger.DrainThread`)."""

    problem: str | None
    elected: bool
    carried: int

    def start(self) -> None: ...

    def stop(self, carried: Callable[[], bool] = ..., /) -> None:
        """Returns when what is there was carried over, within bounds; `carried` tells it of what matters to the caller.

        Without `start` it does nothing.
        """
        ...


# -- whoever starts it -------------------------------------------------------------------------------------------------


class WriterProcess:
    """A writer, started again when it ends unasked. `start`, then `stop`; both once, from any thread.

    `elected` and `problem` are as it reported last, `carried` is what all of its lives have added.
    """

    lifeline: int
    """The end of the pipe to hold. Other processes whose spools it carries over inherit it: while one of them lives the
    writer does, even if this process is killed."""

    def __init__(self, directory: str | Path, database: str) -> None:
        module = "dragoman.gateway.workers.ledger_writer"
        self._command = [sys.executable, "-m", module, str(directory), database]
        self._reading, self.lifeline = os.pipe()
        self._ending = threading.Event()
        self._over = threading.Event()
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="ledger writer", daemon=True)
        self._carried_before = 0
        self.pid: int | None = None
        self.problem: str | None = None
        self.elected = False
        self.carried = 0

    def start(self) -> None:
        """Starts it, and waits for nothing."""
        self._thread.start()

    def release(self) -> None:
        """Lets go of it: it ends when nobody else holds the lifeline, and all is carried over."""
        if not self._ending.is_set():
            self._ending.set()
            os.close(self.lifeline)

    def stop(self, carried: Callable[[], bool] = lambda: True) -> None:
        """Lets go of it, and waits for its end and until `carried`, within bounds; beyond them it goes on by itself.

        Where the elected writer is another gateway's, that may have begun with what this one's did not get to.
        """
        self.release()
        if self._thread.ident is None:
            os.close(self._reading)
            return
        ended = self._over.wait(FAREWELL_SECONDS)
        deadline = time.monotonic() + OTHERS_SECONDS
        while not (done := self._abandoned or carried()) and ended and not self.problem and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not (done and ended):
            problem = self.problem or "it takes too long"
            logger.error("the ledger is not all in its store, the spool holds the rest: %s", problem)

    def abandon(self) -> None:
        """Lets go of it, and whoever waits in `stop` waits no longer."""
        self._abandoned = True
        self.release()
        self._over.set()

    def _run(self) -> None:
        # The writer inherits what this thread holds back. Ctrl-C, and those who end a whole group or service, signal
        # all of its processes; this one has to outlive the others, and ends after them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_ITS_OWN)
        restarts, last_starts = Restarts(), LAST_STARTS
        try:
            while True:
                began = time.monotonic()
                failure = self._live()
                if self._ending.is_set():
                    last_starts -= 1
                    if failure is None:
                        return
                self.problem = f"the ledger's writer {failure or 'ended unasked'}"
                if not last_starts:
                    return
                delay = restarts.delay(time.monotonic() - began)
                logger.error("%s; started again in %.1f s", self.problem, delay)
                self._ending.wait(delay)
        finally:
            os.close(self._reading)
            self._over.set()

    def _live(self) -> str | None:
        """One life of it; how it failed, if it did."""
        try:
            process = subprocess.Popen(self._command, stdin=self._reading, stdout=subprocess.PIPE)  # noqa: S603 - our own
        except OSError as error:
            return f"cannot be started: {error.strerror or error}"
        with process:
            self.pid = process.pid
            assert process.stdout is not None
            for line in process.stdout:
                self._note(line)
        self.pid, self.elected, self._carried_before = None, False, self.carried
        return None if process.returncode == 0 else f"ended with status {process.returncode}"

    def _note(self, line: bytes) -> None:
        try:
            report = msgspec.json.decode(line, type=Report)
        except msgspec.DecodeError:
            return  # it was killed while it wrote
        self.elected, self.problem = report.elected, report.problem
        self.carried = self._carried_before + report.carried


# -- the writer itself -------------------------------------------------------------------------------------------------


class _Reporter:
    """Reports when there is news. Nobody may listen, or for a while: the drain never waits for that."""

    def __init__(self) -> None:
        self._last: Report | None = None
        os.set_blocking(sys.stdout.fileno(), False)

    def __call__(self, drain: DrainThread) -> None:
        problem = drain.problem
        report = Report(drain.elected, drain.carried, None if problem is None else problem[:_LONGEST_PROBLEM])
        if report == self._last:
            return
        try:
            os.write(sys.stdout.fileno(), msgspec.json.encode(report) + b"\n")
        except OSError:
            return
        self._last = report


def _main(directory: Path, database: str) -> None:
    os.nice(NICENESS)
    # After that, so that the gateway's first answers do not wait; and whoever starts a writer needs none of these.
    from dragoman.ledger import Drain, DrainThread, left_behind
    from dragoman.storage.database import bind_quickly, open_database
    from dragoman.storage.ledger_store import LedgerStore

    thread = DrainThread(
        lambda: Drain(directory, LedgerStore(open_database(database))), every_seconds=EVERY_SECONDS, told=_Reporter()
    )
    quieten()
    bind_quickly()
    thread.start()
    _wait_for_the_end(thread)
    thread.stop(lambda: not left_behind(directory))


def _wait_for_the_end(drain: DrainThread) -> None:
    """Until all are gone who could write; nobody writes anything to the pipe. The drain yields to others meanwhile."""
    lifeline = sys.stdin.fileno()
    thread = drain.native_id
    manners = Yielding(thread) if thread is not None and may_yield() else None
    while True:
        pause = None if manners is None else LOOK_SECONDS if drain.at_work else EVERY_SECONDS
        ended, _, _ = select.select([lifeline], [], [], pause)
        if ended and not os.read(lifeline, 1):
            break
        if manners is not None:
            manners.look(time.monotonic(), at_work=drain.at_work)
    if manners is not None:
        manners.end()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    _main(Path(sys.argv[1]), sys.argv[2])
