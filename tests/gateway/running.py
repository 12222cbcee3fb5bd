"""A whole gateway on a free port, in a thread of the test's process: what clients of any kind are pointed at."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from dragoman.gateway.assembly import Gateway
from dragoman.gateway.config.loading import read
from dragoman.ledger import Drain, DrainThread
from dragoman.storage import LedgerStore, open_database

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

__all__ = ["KEY", "RunningGateway", "running_gateway"]

T = TypeVar("T")
KEY = "sk-test-0123456789abcdefghij"
STORAGE = """
storage: {{database: "sqlite:///{folder}/ledger.db"}}
spool: {{directory: "{folder}/spool", segment_bytes: {segment_bytes}}}
log: {{requests: "{folder}/requests.log"}}
"""


def _writer_thread(folder: Path, database: str) -> DrainThread:
    """In this process, for a test has many gateways, each for a moment; `dragoman serve` starts a process."""
    return DrainThread(lambda: Drain(folder, LedgerStore(open_database(database))))


class RunningGateway:
    """`url` is its address without a version. Its parts may be looked at from the test's thread, and not changed."""

    def __init__(self, text: str, folder: Path, segment_bytes: int = 65536) -> None:
        self._segment_bytes = segment_bytes
        self._text = text + STORAGE.format(folder=folder, segment_bytes=segment_bytes)
        self.folder = folder
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(512)
        self._listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._loop = uvloop.new_event_loop()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self.gateway: Gateway | None = None
        self._thread = threading.Thread(target=self._run, name="gateway-under-test", daemon=True)

    def rewrite(self, text: str) -> None:
        """What the configuration says when it is read the next time."""
        self._text = text + STORAGE.format(folder=self.folder, segment_bytes=self._segment_bytes)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the gateway did not start"
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the gateway did not stop"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something on the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _run(self) -> None:
        with contextlib.closing(self._loop), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            self._stop = asyncio.Event()
            self.gateway = Gateway(
                lambda: read(self._text, "test.yaml", folder=self.folder, environ={}), writer=_writer_thread
            )
            await self.gateway.start([self._listening])
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._ready.set()
        await self._stop.wait()
        await self.gateway.drain()
        self.gateway.close()


@contextlib.contextmanager
def running_gateway(text: str, folder: Path, *, segment_bytes: int = 65536) -> Generator[RunningGateway]:
    """A gateway of this configuration (storage, spool and log are added), until the block ends."""
    running = RunningGateway(text, folder, segment_bytes)
    running.start()
    try:
        yield running
    finally:
        running.stop()
