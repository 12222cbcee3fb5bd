"""The head of a streamed answer and its keep-alives: the first of the two commitments.

The head is held until a part of the answer is there. After `hold_seconds` it goes out alone, with a keep-alive of the
dialect, and another one whenever nothing was written for as long; another deployment may still take over then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.gateway.server.refusals import Disconnected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.gateway.server.call import Call

__all__ = ["HeldStream"]


class HeldStream:
    """One streamed answer being written. Use it as `async with`; leaving it stops its timer."""

    __slots__ = (
        "_beat",
        "_busy",
        "_call",
        "_headers",
        "_keep_alive",
        "_last",
        "_loop",
        "_seconds",
        "_task",
        "complete",
    )

    def __init__(
        self, call: Call, headers: Sequence[tuple[bytes, bytes]], keep_alive: bytes, hold_seconds: float
    ) -> None:
        self._call = call
        self._headers = headers
        self._keep_alive = keep_alive
        self._seconds = hold_seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._busy = False
        self._task: asyncio.Task[None] | None = None
        self._beat = self._loop.call_later(hold_seconds, self._due)
        self.complete = False

    @property
    def begun(self) -> bool:
        """Whether the head went out."""
        return self._call.started

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Writes a piece, the head before the first one; waits while the reader is slow. Raises `Disconnected`.

        With the `last` one the answer is `complete`, although the reader may still have to take it.
        """
        if self._task is not None:
            await self._settle()
        self._busy = True
        try:
            if not self._call.started:
                self._call.start_stream(200, self._headers)
            self.complete = self.complete or last
            if data:
                await self._call.write(data)
        finally:
            self._busy = False
            self._last = self._loop.time()

    def put(self, data: bytes) -> bool:
        """Writes a piece at once, behind the head. False: the reader wants time, or has gone; `write` sees to it."""
        self._last = self._loop.time()
        return self._call.put(data)

    async def end(self) -> None:
        """Ends the answer."""
        if self._task is not None:
            await self._settle()
        if not self._call.started:
            self._call.start_stream(200, self._headers)
        await self._call.end_stream()

    def _due(self) -> None:
        """The timer: a keep-alive is due unless something was written meanwhile, or is being written."""
        quiet = self._loop.time() - self._last
        if quiet >= self._seconds - 0.001 and not self._busy and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._tell())
            quiet = 0.0
        wait = self._seconds if self._busy else max(self._seconds - quiet, 0.001)
        self._beat = self._loop.call_later(wait, self._due)

    async def _tell(self) -> None:
        try:
            if not self._call.started:
                self._call.start_stream(200, self._headers)
            await self._call.write(self._keep_alive)
            self._last = self._loop.time()
        except Disconnected:
            pass  # whoever writes the answer is told so too

    async def _settle(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await task

    async def __aenter__(self) -> HeldStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._beat.cancel()
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
