"""The two threads behind the synchronous face.

Our own code (the runner, the sockets) lives on one background loop, started at the first synchronous call. No user
code ever runs there: sync user code runs in the caller's thread, async user code (middleware) on a second thread's
loop, with a copy of the caller's context. After `fork` the child starts anew; the parent's threads do not exist there.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from dragoman.errors import StreamStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LoopThread", "engine_thread", "user_thread"]

_T = TypeVar("_T")
CANCEL_GRACE_SECONDS = 5.0


class LoopThread:
    """A daemon thread with an event loop of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, started if need be."""
        loop = self._loop
        if loop is not None:
            return loop
        with self._lock:
            if self._loop is None:
                self._start()
            assert self._loop is not None  # _start sets it
            return self._loop

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        ready = threading.Event()

        def serve() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            loop.run_forever()

        self._thread = threading.Thread(target=serve, name=self._name, daemon=True)
        self._thread.start()
        ready.wait()
        self._loop = loop

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this very thread."""
        return self._thread is threading.current_thread()

    def run(self, make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Runs a coroutine there and waits for it. Ctrl-C cancels it, and waits until it has let go of its things."""
        forbid_inside()
        call = _Call(self.loop, make)
        try:
            call.done.wait()
        except BaseException:
            call.cancel()
            call.done.wait(CANCEL_GRACE_SECONDS)
            raise
        return call.result()

    def stop(self) -> None:
        """Ends the thread: what still runs is cancelled first."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None or not thread.is_alive():
            return

        async def finish() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await loop.shutdown_asyncgens()  # what transports keep open ends here, as it does with asyncio.run
            loop.stop()

        asyncio.run_coroutine_threadsafe(finish(), loop)
        thread.join(CANCEL_GRACE_SECONDS)
        if not thread.is_alive():
            loop.close()

    def forget(self) -> None:
        """After a fork: the thread is the parent's, and so is the loop."""
        self._lock = threading.Lock()
        self._loop = self._thread = None


class _Call:
    """One coroutine on another thread's loop, in a copy of the calling context."""

    def __init__(self, loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.done = threading.Event()
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._make = make
        self._context = contextvars.copy_context()
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if self._cancelled:
            self.done.set()
            return
        self._task = self._loop.create_task(self._make(), context=self._context)
        self._task.add_done_callback(lambda _task: self.done.set())

    def cancel(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def result(self) -> Any:
        assert self._task is not None  # done without a task only after cancel()
        try:
            return self._task.result()
        finally:
            self._task = None  # the exception's traceback and this frame would keep each other alive


_engine = LoopThread("dragoman")
_user = LoopThread("dragoman-user")


def engine_thread() -> LoopThread:
    """The thread of our own code."""
    return _engine


def user_thread() -> LoopThread:
    """The thread of async user code that a synchronous call runs into."""
    return _user


def forbid_inside() -> None:
    """Raises when a synchronous call is made on a thread that would have to wait for itself."""
    if _engine.is_current or _user.is_current:
        raise StreamStateError(
            "a synchronous call was made from inside the library's own event loop, where it would wait for itself "
            "for ever; use the async verb (achat, astream) in middleware and async tools"
        )


def _stop() -> None:
    _user.stop()
    _engine.stop()


def _forget() -> None:
    _engine.forget()
    _user.forget()


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
