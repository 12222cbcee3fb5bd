"""Pools and the loops they belong to: made with the first call in a loop, ended with the loop, dropped after a fork.

`asyncio.run` and its like end a loop's asynchronous generators before they close it. One generator per loop is kept
waiting here for just that, so repeated `asyncio.run`, tests and notebooks leave no socket behind, with or without
`aclose`. A loop that was closed without it is noticed when the next one comes.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, cast
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

__all__ = ["Closing", "LoopBound", "LoopPools"]

_registries: Final[WeakSet[LoopPools[LoopBound]]] = WeakSet()
# Transports may be made in one thread while a loop ends in another, and a set does not bear both at once.
_lock = threading.Lock()
_closers: Final[dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]]] = {}
# What a forked child inherits and must not touch: ending it would speak to the parent's peers, or to the parent's
# selector, which both share. Kept for ever so that no finaliser does it.
_inherited: Final[list[object]] = []


class Closing(Protocol):
    """Something that was told to close."""

    async def wait_closed(self) -> None: ...


class LoopBound(Protocol):
    """What belongs to one loop: a pool of connections, a session of another client."""

    def close(self) -> Sequence[Closing]:
        """Close everything, from within the loop; returns what is about to close."""
        ...

    def retire(self) -> None:
        """Let go of what is idle, from within the loop: nobody will use this again."""
        ...

    def drop(self) -> Sequence[object]:
        """Drop sockets without touching loop or peer: the loop is closed, or this is a forked child.

        Returns what must not be finalised in a child.
        """
        ...


Bound = TypeVar("Bound", bound=LoopBound)


class LoopPools(Generic[Bound]):
    """One transport's pools, one for each running loop."""

    def __init__(self, make: Callable[[asyncio.AbstractEventLoop], Bound]) -> None:
        self._make = make
        self._pools: dict[asyncio.AbstractEventLoop, Bound] = {}
        with _lock:
            _registries.add(cast("LoopPools[LoopBound]", self))

    def get(self, loop: asyncio.AbstractEventLoop) -> Bound:
        """The running loop's pool, made if need be."""
        pool = self._pools.get(loop)
        if pool is None:
            _sweep()
            pool = self._pools[loop] = self._make(loop)
            _watch(loop)
        return pool

    def find(self, loop: asyncio.AbstractEventLoop) -> Bound | None:
        return self._pools.get(loop)

    def end(self, loop: asyncio.AbstractEventLoop) -> Sequence[Closing]:
        """Close a loop's pool, from within it; returns what is about to close."""
        pool = self._pools.pop(loop, None)
        return () if pool is None else pool.close()

    def let_go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close a loop's idle connections, from within it; exchanges at hand go on, and theirs close behind them."""
        pool = self._pools.pop(loop, None)
        if pool is not None:
            pool.retire()

    def sweep(self) -> None:
        """Forget the pools of loops that were closed without a farewell."""
        for loop in [loop for loop in list(self._pools) if loop.is_closed()]:
            pool = self._pools.pop(loop, None)
            if pool is not None:
                pool.drop()

    def disown(self) -> None:
        """In a forked child: drop everything that came with it."""
        for pool in self._pools.values():
            _inherited.append((pool, pool.drop()))
        self._pools.clear()

    def retire(self) -> None:
        """The transport is no longer referenced: let its idle connections go, on their own loops."""
        for loop, pool in list(self._pools.items()):
            if loop.is_closed():
                continue
            if _running_loop() is loop:
                pool.retire()
            else:
                try:
                    loop.call_soon_threadsafe(pool.retire)
                except RuntimeError:
                    continue  # closed in the meantime
        self.sweep()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _every_registry() -> list[LoopPools[LoopBound]]:
    with _lock:
        return list(_registries)


def _sweep() -> None:
    for loop in [loop for loop in list(_closers) if loop.is_closed()]:
        _closers.pop(loop, None)
    for registry in _every_registry():
        registry.sweep()


def _watch(loop: asyncio.AbstractEventLoop) -> None:
    if loop in _closers:
        return
    closer = _closers[loop] = _close_with(loop)
    try:
        # Runs to its yield, which is where the loop gets to know it.
        closer.__anext__().send(None)
    except StopIteration:
        pass


async def _close_with(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _closers.pop(loop, None)
        closing = [connection for registry in _every_registry() for connection in registry.end(loop)]
        for connection in closing:
            await connection.wait_closed()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held the old one
    _inherited.extend(_closers.values())
    _closers.clear()
    for registry in _every_registry():
        registry.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
