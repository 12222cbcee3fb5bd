"""What a fake provider and a fault proxy have in common: a server in a thread, faults to come, waiting for its log."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from dragoman.testing.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence
    from types import TracebackType
    from typing import Any

    from dragoman.testing.faults import Fault
    from dragoman.testing.http_server import Connection, Received

__all__ = ["FaultyServer"]


class FaultyServer:
    """A server on a free port of the loopback, from `start` (or `with`) to `stop`; a subclass keeps its log."""

    def __init__(self, serve: Callable[[Received, Connection], Coroutine[Any, Any, None]]) -> None:
        self._server = HttpServer(serve)
        self._changed = threading.Condition()
        self.faults: deque[Fault] = deque()

    def _log(self) -> Sequence[object]:
        """What was asked so far, for whoever waited in vain."""
        raise NotImplementedError

    def fail(self, *faults: Fault) -> None:
        """Adds faults, one for each of the next requests."""
        self.faults.extend(faults)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Waits until the condition holds; it is looked at whenever a request comes or ends. Raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise TimeoutError(f"after {seconds:g} s it is still not so; the log: {self._log()!r:.800}")

    @contextmanager
    def refusing_connections(self) -> Generator[None]:
        """Inside the block nobody listens: open connections end, new ones are refused."""
        self._server.refuse()
        try:
            yield
        finally:
            self._server.listen_again()

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        """Ends it. Raises what went wrong inside, if anything did."""
        self._server.stop()
        if self._server.failures:
            raise self._server.failures[0]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
