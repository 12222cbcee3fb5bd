"""The drain as a thread. Of several processes that have the directory one is elected, the others stand by."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.ledger.drain import Drain

__all__ = ["DrainThread"]

_log = logging.getLogger("dragoman.ledger")
_LONGEST_WAIT_SECONDS = 30.0
_FAREWELL_SECONDS = 5.0
_POLL_SECONDS = 0.02


class DrainThread:
    """Runs a drain every `every_seconds`, and at once while there is more than a batch to carry over.

    A failing store (locked, its disk full) is logged once and tried again, less and less often; the spools hold what
    it has not taken. `problem` says what is wrong now. `told` is called, in the thread, whenever that may have changed.
    """

    def __init__(
        self,
        make: Callable[[], Drain],
        *,
        every_seconds: float = 0.25,
        told: Callable[[DrainThread], None] = lambda _thread: None,
    ) -> None:
        self._make = make
        self._every_seconds = every_seconds
        self._told = told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger drain", daemon=True)
        self._carried: Callable[[], bool] = lambda: True
        self.problem: str | None = None
        self.elected = False
        self.carried = 0
        self.at_work = False
        """Whether it carries something over now, or did so when it last looked."""

    @property
    def native_id(self) -> int | None:
        """The system's number of the thread, once it has started."""
        return self._thread.native_id

    def start(self) -> None:
        self._thread.start()

    def stop(self, carried: Callable[[], bool] = lambda: True) -> None:
        """Carries over what is there, unless the store fails, and ends the thread. Waits for it.

        Where another process is the elected one, it waits until `carried` says that that has done it, or until that has
        ended and this one is elected: of several that stop at once none leaves its spool to the others in vain.
        """
        self._carried = carried
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait, drain = self._every_seconds, None
        while True:
            stopping = self._stop.is_set()
            try:
                if drain is None:
                    drain = self._make()
                self.elected = drain.elect()
                if stopping:
                    self._finish(drain)
                else:
                    self.at_work = True
                    self.at_work = drain.step()
                    wait = 0.0 if self.at_work else self._every_seconds
                self.carried, self.problem = drain.carried, None
            except Exception as error:  # noqa: BLE001 - a supervisor: whatever the store says, the spools hold it all
                wait = self._failed(error, wait)
            self._told(self)
            if stopping:
                break
            self._stop.wait(wait)
        if drain is not None:
            drain.close()
        self.elected = False
        self._told(self)

    def _finish(self, drain: Drain) -> None:
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while not drain.elect():
            if self._carried() or time.monotonic() > deadline:
                return
            time.sleep(_POLL_SECONDS)
        drain.run_dry()

    def _failed(self, error: Exception, wait: float) -> float:
        problem = f"{type(error).__name__}: {error}"
        if self.problem is None:
            _log.error("the ledger's store does not take records, which stay in the spool: %s", problem)
        self.problem = problem
        return min(max(2 * wait, self._every_seconds), _LONGEST_WAIT_SECONDS)
