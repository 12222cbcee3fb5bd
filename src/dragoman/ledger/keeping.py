"""The thread behind a spool: prepares the next segment, puts frames on the disk for who waits, closes what is full."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from dragoman.errors import SpoolFull
from dragoman.ledger.segments import Segment, segment_numbers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Keeper"]

RETRY_SECONDS = 0.25


class Keeper:
    """Shares with the writer: `next` (made here, taken there), `current` (set there), and what is retired.

    The thread makes `next` as soon as it was taken. Where it did not get its turn in time, the writer may make it.
    """

    def __init__(self, path: Path, segment_bytes: int, max_bytes: int, *, durable: bool) -> None:
        self._path = path
        self._segment_bytes = segment_bytes
        self._max_segments = max_bytes // segment_bytes
        self._durable = durable
        self._made = 0
        self._retired: deque[Segment] = deque()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.current: Segment | None = None
        self.next: Segment | None = None
        self.problem: str | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"spool {self._path.name}", daemon=True)
        self._thread.start()

    def take(self) -> Segment:
        """The prepared segment, which must be there, in the place of the current one, which is retired."""
        taken = self.next
        assert taken is not None
        if self.current is not None:
            self._retired.append(self.current)
        self.current, self.next = taken, None
        self._wake.set()
        return taken

    def prepare(self) -> None:
        """Makes the next segment if it is not there, or says in `problem` why it cannot be made now.

        For the thread and for the writer, who waits for the thread where that has begun.
        """
        with self._making:
            if self.next is None and not self._stopping:
                self._make()

    def _make(self) -> None:
        try:
            if len(segment_numbers(self._path)) >= self._max_segments:
                self.problem = f"{self._max_segments} segments wait to be drained, and no more are allowed"
                return
            made = Segment.create(self._path, self._made + 1, self._segment_bytes, durable=self._durable)
        except OSError as error:
            self.problem = f"the next segment cannot be made: {error.strerror or error}"
            return
        self._made += 1
        self.problem = None
        self.next = made

    async def synced(self) -> None:
        """Returns once all that is written now is on the disk; `SpoolFull` if it cannot be put there."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._waiting.append((loop, future))
        self._wake.set()
        await future

    def stop(self) -> None:
        """Ends the thread, and closes every segment. Those who wait for the disk are served first."""
        self._stopping = True
        self.problem = "it is closed"
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._serve()
        for segment in (self.current, self.next):
            if segment is not None:
                segment.close()
        self.current = self.next = None

    def forget(self) -> None:
        """In a forked child: the thread is not there, and nothing here is the child's to close or to write."""
        self._thread = None
        self.current = self.next = None
        self.problem = "the spool belongs to the process that this one was forked from"

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(RETRY_SECONDS if self.next is None else None)
            self._wake.clear()
            self._serve()
            if self.next is None and not self._stopping:
                self.prepare()

    def _serve(self) -> None:
        """Puts frames on the disk. Whoever waits wrote into what is current or retired by the time this looks."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        current = self.current
        retired = [self._retired.popleft() for _ in range(len(self._retired))]
        failure: SpoolFull | None = None
        if self._durable:
            try:
                for segment in retired:
                    segment.sync()
                if waiting and current is not None and current not in retired:
                    current.sync()
            except OSError as error:
                failure = SpoolFull(f"the ledger cannot be put on the disk: {error.strerror or error}")
        for segment in retired:
            segment.close()
        for loop, future in waiting:
            try:
                loop.call_soon_threadsafe(_resolve, future, failure)
            except RuntimeError:
                pass  # that loop is closed, and with it whoever waited


def _resolve(future: asyncio.Future[None], failure: SpoolFull | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
