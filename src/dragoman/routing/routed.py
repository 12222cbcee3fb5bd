"""What is streamed by the plan, whatever its items are: events (`streamed`), or bytes that are passed on.

A stream is committed to its deployment when the first part of its answer is shown; until then another may take over,
and nothing of the attempt that was given up is ever shown. After that a failure is raised to the reader, with what
came. It pulls: between two calls of `anext` nothing runs, and no task exists that could be left behind. (A race of two
attempts, which is only held where a route asks for it, begins and ends within one `anext`.)
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, NoReturn, Protocol, TypeVar

from dragoman.errors import DragomanError
from dragoman.routing.dispatch import Dispatch, Held
from dragoman.routing.layers import close, truncated_by_layer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dragoman.routing.route import Candidate, Route
    from dragoman.routing.settings import CallSettings
    from dragoman.values import Attempt, Cost, Request, Response, Usage

__all__ = ["Routed", "Source"]

Item = TypeVar("Item")

MOST_HELD_ITEMS = 10_000


class Source(Protocol[Item]):
    """The items of one attempt, opened at the first `anext`."""

    def __aiter__(self) -> AsyncIterator[Item]: ...

    async def __anext__(self) -> Item: ...

    def take_ready(self) -> list[Item]:
        """The items that are there already."""
        ...

    @property
    def usage(self) -> Usage | None:
        """What the provider has reported so far."""
        ...

    def partial(self) -> Response | None:
        """The answer as far as it came; None before anything did."""
        ...

    async def aclose(self) -> None: ...


class _Attempting(Generic[Item]):
    """One attempt that is under way: what holds its permits, and where its items come from."""

    __slots__ = ("first", "held", "items", "record", "source")

    def __init__(self, held: Held, source: Source[Item], items: AsyncIterator[Item]) -> None:
        self.held = held
        self.source: Source[Item] | None = source
        self.items: AsyncIterator[Item] | None = items
        self.first: list[Item] = []
        self.record: Attempt | None = None

    async def failed(self, error: DragomanError) -> None:
        self.record = self.held.failed(error)
        await self.close()

    def cancelled(self) -> None:
        if not self.held.ended:
            self.held.cancelled(self.source.usage if self.source is not None else None)

    async def drop(self) -> None:
        """Gives it up: booked with what was seen, and its connection closed."""
        self.cancelled()
        await self.close()

    async def close(self) -> None:
        items, source = self.items, self.source
        self.items = self.source = None
        if source is not None:
            await source.aclose()
        if items is not None and items is not source:
            await close(items)


class Routed(Generic[Item]):
    """The items of one call. `aclose` closes the connection for certain; so does dropping it, on CPython.

    A subclass says how an attempt is opened (`_open`), what an item is worth (`_shows`, `_answer`), and how the last
    one is told (`_told`).
    """

    def __init__(
        self, route: Route, settings: CallSettings, *, acts_on_world: bool, request: Request | None = None
    ) -> None:
        """`request` as in `run_with`."""
        self._route = route
        self._settings = settings
        self._dispatch = Dispatch(route, settings, acts=acts_on_world, request=request, streamed=True)
        self._ready: deque[Item] = deque()
        self._now: _Attempting[Item] | None = None
        self._begun = False
        self._committed = False
        self._ended = False

    # -- what a subclass says ----------------------------------------------------------------------------------------

    def _open(self, candidate: Candidate, held: Held) -> tuple[Source[Item], AsyncIterator[Item]]:
        """One attempt: its source, and its items (the source's own, or what layers make of them)."""
        raise NotImplementedError

    def _commit_to(self, source: Source[Item]) -> None:
        """The answer will come from this source, which need not be the one that was opened last."""

    def _shows(self, item: Item) -> bool:
        """Whether an item shows a part of the answer."""
        raise NotImplementedError

    def _answer(self, item: Item) -> tuple[Usage, Cost | None] | None:
        """What the whole answer took, if this item ends it."""
        raise NotImplementedError

    def _told(self, item: Item) -> Item:
        """The item that ends the answer, as it is given."""
        return item

    def _taken_over(self, record: Attempt) -> Item | None:
        """What is given for an attempt that another one takes over from."""
        return None

    def _kept(self, held: list[Item]) -> list[Item]:
        """What of the items that were held until one shows something is given."""
        return held

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that have ended so far."""
        return tuple(self._dispatch.attempts)

    @property
    def committed(self) -> bool:
        """Whether something of an answer was given: from then on this answer or none."""
        return self._committed

    async def __anext__(self) -> Item:
        try:
            while not self._ready:
                if self._ended:
                    raise StopAsyncIteration
                if self._committed:
                    await self._read()
                else:
                    await self._commit()
        except (StopAsyncIteration, DragomanError):
            raise
        except BaseException:
            # Cancelled, or a layer of the caller's own failed: the connection closes now, not when this is collected.
            await self.aclose()
            raise
        return self._booked(self._ready.popleft())

    def take_ready(self) -> list[Item]:
        """The items that are there already, but for the last, which is booked when it is read.

        A reader that takes them spares each of them an await; `__anext__` alone gives the same items.
        """
        ready = self._ready
        last = ready.pop() if ready and self._answer(ready[-1]) is not None else None
        items = list(ready)
        ready.clear()
        if last is not None:
            ready.append(last)
        return items

    # -- until something is shown ------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        """Attempts, until one shows a part of its answer or the plan gives up."""
        if self._begun:
            raise StopAsyncIteration
        self._begun = True
        dispatch = self._dispatch
        try:
            command = dispatch.start() if dispatch.decided else await dispatch.begin()
            while True:
                if command.wait_seconds:
                    await self._settings.clock.sleep(command.wait_seconds)
                try:
                    held = await Held.acquire(dispatch, command)
                except DragomanError as error:
                    command = dispatch.refused(error)
                    continue
                try:
                    if self._route.hedging is None:
                        under_way = await self._attempt(command.target, held)
                    else:
                        under_way = await self._raced(held)
                except DragomanError as error:
                    failed = len(dispatch.attempts)
                    command = dispatch.after(error)
                    told = self._taken_over(dispatch.attempts[failed - 1]) if failed else None
                    if told is not None:
                        self._ready.append(told)
                else:
                    break
        except DragomanError:
            self._ended = True
            raise
        self._now = under_way
        self._committed = True
        dispatch.shown()
        if under_way.source is not None:
            self._commit_to(under_way.source)
        self._ready.extend(self._kept(under_way.first))

    async def _raced(self, held: Held) -> _Attempting[Item]:
        from dragoman.routing.racing import race

        return await race(self._dispatch, held, self._attempt_apart, _Attempting[Item].drop)

    async def _attempt_apart(self, target: int, held: Held) -> _Attempting[Item]:
        """An attempt in a task of its own, which gives up what it holds when it is cancelled."""
        return await self._attempt(target, held, apart=True)

    async def _attempt(self, target: int, held: Held, *, apart: bool = False) -> _Attempting[Item]:
        """One attempt, up to the first item that shows something."""
        try:
            opened = self._open(self._route.candidates[target], held)
        except DragomanError as error:
            held.failed(error)
            raise
        except BaseException:
            held.cancelled()
            raise
        under_way = _Attempting[Item](held, *opened)
        if not apart:
            self._now = under_way
        assert under_way.items is not None  # just opened
        try:
            async for item in under_way.items:
                under_way.first.append(item)
                if self._shows(item) or len(under_way.first) > MOST_HELD_ITEMS:
                    return under_way
            raise truncated_by_layer()
        except DragomanError as error:
            await under_way.failed(error)
            raise
        except BaseException:
            if apart:
                await under_way.drop()
            raise

    # -- after that --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        under_way = self._now
        assert under_way is not None  # committed streams have one
        items, source = under_way.items, under_way.source
        if items is None:
            self._ended = True
            return
        try:
            item = await anext(items, None)
        except DragomanError as error:
            await self._broke(under_way, error)
        if item is not None:
            self._ready.append(item)
            if source is not None and items is source:
                self._ready.extend(source.take_ready())
            return
        self._ended = True
        finished = under_way.held.ended
        await under_way.close()
        if not finished:
            await self._broke(under_way, truncated_by_layer())

    async def _broke(self, under_way: _Attempting[Item], error: DragomanError) -> NoReturn:
        self._ended = True
        await under_way.failed(error)
        error.attempts = tuple(self._dispatch.attempts)
        raise error

    def _booked(self, item: Item) -> Item:
        """Books the item that ends the answer, before it is given."""
        answer = self._answer(item)
        if answer is None:
            return item
        if self._now is not None:
            self._now.held.answered(*answer)
        return self._told(item)

    def partial(self) -> Response | None:
        """The answer as far as it came; None before anything did."""
        under_way = self._now
        return under_way.source.partial() if under_way is not None and under_way.source is not None else None

    async def aclose(self) -> None:
        """Closes the connection; an attempt that had not finished is booked as cancelled, with the usage seen."""
        self._ended = True
        self._ready.clear()
        if self._now is not None:
            await self._now.drop()

    def __del__(self) -> None:
        # Dropped without aclose: the permit is given back here, the connection by its own finaliser.
        under_way = getattr(self, "_now", None)
        if under_way is not None:
            under_way.cancelled()
