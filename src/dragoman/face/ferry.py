"""Events carried from one thread's loop to another, and from a loop to a thread without one.

`Ferry` lets an iterator live on another loop, in one task of its own there, so that what it sets in its context stays
set from one event to the next. `Intake` lets a thread without a loop take the events of an iterator that lives on one.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from dragoman.face.background import CANCEL_GRACE_SECONDS, forbid_inside
from dragoman.routing.layers import close, layered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dragoman.routing.route import Attempting, Layer
    from dragoman.values import Event, Request

__all__ = ["Ferry", "Intake", "elsewhere"]

_END = object()
MOST_WAITING_EVENTS = 256


class Ferry:
    """The events of an iterator that is made and run on `there`, for a consumer on the running loop."""

    def __init__(self, make: Callable[[], AsyncIterator[Event]], there: asyncio.AbstractEventLoop) -> None:
        self._make = make
        self._there = there
        self._here = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._asked: asyncio.Queue[asyncio.Future[Any]] | None = None
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._closing = False

    def __aiter__(self) -> Ferry:
        return self

    async def __anext__(self) -> Event:
        if self._ended.is_set():
            raise StopAsyncIteration
        answer: asyncio.Future[Any] = self._here.create_future()
        self._there.call_soon_threadsafe(self._ask, answer)
        self._begun = True
        event = await answer
        if event is _END:
            raise StopAsyncIteration
        return event

    def _ask(self, answer: asyncio.Future[Any]) -> None:
        if self._asked is None:
            self._asked = asyncio.Queue()
            self._task = self._there.create_task(self._serve(self._asked), context=self._context)
        self._asked.put_nowait(answer)

    async def _serve(self, asked: asyncio.Queue[asyncio.Future[Any]]) -> None:
        try:
            await self._carry(asked)
        finally:
            self._here.call_soon_threadsafe(self._ended.set)

    async def _carry(self, asked: asyncio.Queue[asyncio.Future[Any]]) -> None:
        answer: asyncio.Future[Any] | None = None
        events: AsyncIterator[Event] | None = None
        try:
            while True:
                answer = await asked.get()
                if events is None:
                    events = self._make()
                event: Any = await anext(events, _END)
                self._deliver(answer, event, None)
                answer = None
                if event is _END:
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the consumer on the other loop
            if answer is not None:
                self._deliver(answer, None, error)
        finally:
            self._closing = True  # from here on a cancellation would only cut the closing short
            if events is not None:
                await close(events)

    def _deliver(self, answer: asyncio.Future[Any], event: Any, error: BaseException | None) -> None:
        def settle() -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(event)
            elif isinstance(error, (asyncio.CancelledError, StopIteration)):
                answer.cancel()
            else:
                answer.set_exception(error)

        self._here.call_soon_threadsafe(settle)

    async def aclose(self) -> None:
        """Ends the iterator there, and returns when it has ended."""
        if not self._begun:
            self._ended.set()
            return
        self._there.call_soon_threadsafe(self._cancel)
        await self._ended.wait()

    def _cancel(self) -> None:
        if self._task is not None and not self._closing:
            self._task.cancel()

    def __del__(self) -> None:
        # Dropped without aclose, as an iterator is that a layer stopped reading: its task must not wait for ever.
        if self._begun and not self._ended.is_set() and not self._there.is_closed():
            self._there.call_soon_threadsafe(self._cancel)


class _Carried:
    """A layer's events where the layer runs, with the ferries that its `next` opened: they end together."""

    def __init__(self, layer: Layer, request: Request, inner: Attempting, home: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._home = home
        self._ferries: list[Ferry] = []
        self._events = layered([layer], self._back)(request)

    def _back(self, request: Request) -> AsyncIterator[Event]:
        ferry = Ferry(lambda: self._inner(request), self._home)
        self._ferries.append(ferry)
        return ferry

    def __aiter__(self) -> _Carried:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def aclose(self) -> None:
        await close(self._events)
        for ferry in self._ferries:
            await ferry.aclose()


def elsewhere(layer: Layer, there: asyncio.AbstractEventLoop) -> Layer:
    """The layer, run on `there`; what it calls as `next` runs where the layer itself is called from."""

    def carried(request: Request, inner: Attempting) -> AsyncIterator[Event]:
        home = asyncio.get_running_loop()
        return Ferry(lambda: _Carried(layer, request, inner, home), there)

    return carried


class Intake:
    """The events of an iterator that is made and run on `there`, for a thread without a loop.

    Events are taken ahead of the reader up to a bound; beyond it the iterator waits, and so does the provider.
    """

    def __init__(self, make: Callable[[], AsyncIterator[Event]], there: asyncio.AbstractEventLoop) -> None:
        self._make = make
        self._there = there
        self._context = contextvars.copy_context()
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        self._taken_over: deque[Event] = deque()
        self._put = 0
        self._taken = 0
        self._room: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._done = threading.Event()
        self._begun = False
        self._over = False
        self._closing = False

    def take(self) -> Event | None:
        """The next event; None at the end. Raises what the iterator raised."""
        if self._over:
            return None
        if self._taken_over:
            return self._taken_over.popleft()
        if not self._begun:
            forbid_inside()
            self._begun = True
            self._there.call_soon_threadsafe(self._begin)
        came: Any = self._waiting.get()
        if came is _END:
            self._over = True
            return None
        if isinstance(came, BaseException):
            self._over = True
            raise came
        self._take_over(came)
        return self._taken_over.popleft()

    def _take_over(self, came: list[Event]) -> None:
        self._taken_over.extend(came)
        self._taken += len(came)
        room = self._room
        if room is not None and self._put - self._taken < MOST_WAITING_EVENTS // 2:
            self._room = None
            self._there.call_soon_threadsafe(room.set)

    def _begin(self) -> None:
        if self._closing:
            self._done.set()
            return
        self._task = self._there.create_task(self._pump(), context=self._context)

    async def _pump(self) -> None:
        events = None
        try:
            events = self._make()
            take_ready: Callable[[], list[Event]] | None = getattr(events, "take_ready", None)
            async for event in events:
                # What came together crosses together: waking the other thread costs more than all the rest.
                together = [event] if take_ready is None else [event, *take_ready()]
                self._put += len(together)
                self._waiting.put(together)
                if self._put - self._taken >= MOST_WAITING_EVENTS:
                    room = self._room = asyncio.Event()
                    if self._put - self._taken >= MOST_WAITING_EVENTS:
                        await room.wait()
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the reader on the other thread
            await self._close(events)
            self._waiting.put(error if not isinstance(error, asyncio.CancelledError) else _END)
        else:
            await self._close(events)
            self._waiting.put(_END)
        finally:
            self._done.set()

    @staticmethod
    async def _close(events: AsyncIterator[Event] | None) -> None:
        if events is not None:
            await close(events)

    def abandon(self) -> None:
        """Ends the iterator without waiting for it."""
        self._closing = self._over = True
        if self._begun and not self._done.is_set() and not self._there.is_closed():
            self._there.call_soon_threadsafe(self._cancel)

    def close(self) -> None:
        """Ends the iterator and waits until it has: its connection is closed then."""
        self.abandon()
        if self._begun:
            self._done.wait(CANCEL_GRACE_SECONDS)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
