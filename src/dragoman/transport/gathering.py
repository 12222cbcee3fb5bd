"""Writes of one turn of the loop, sent together.

A write to a peer that sleeps wakes it, and where that takes an interrupt to another core (on virtual machines above
all) it is most of what the write costs: 10 to 20 µs. Writes that follow each other at once find the peer's core awake.
So the first word of a loop's turn goes out at once, and what follows it is held until the turn is over, or until there
is enough of it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

__all__ = ["Outbox"]

logger = logging.getLogger("dragoman.transport")

_MOST: Final = 8
"""So many are enough: the first is held up by no more than the work for these."""
_SMALL_BYTES: Final = 16 * 1024
"""What follows less than this on the same connection goes in one write with it."""


class Outbox:
    """One loop's held writes, in their order. For the loop's thread alone.

    Who writes to a transport without it, or closes one in peace, calls `flush` before. What is held for a transport
    that was aborted meanwhile is dropped.
    """

    __slots__ = ("_call_soon", "_held", "_spoken", "_turn_over", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._call_soon = loop.call_soon
        self._turn_over = self._end_turn  # bound once
        self._spoken = False
        self._held: list[tuple[asyncio.WriteTransport, bytes]] = []

    def put(self, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Writes it when the turn of the loop is over, at the latest."""
        if not self._spoken:
            self._spoken = True
            self._call_soon(self._turn_over)
            if not transport.is_closing():
                transport.write(data)
            return
        held = self._held
        if held and held[-1][0] is transport and len(held[-1][1]) < _SMALL_BYTES:
            held[-1] = (transport, held[-1][1] + data)
            return
        held.append((transport, data))
        if len(held) >= _MOST:
            self.flush()

    def _end_turn(self) -> None:
        self._spoken = False
        self.flush()

    def flush(self) -> None:
        """Writes everything now."""
        held = self._held
        if not held:
            return
        self._held = []
        for transport, data in held:
            if transport.is_closing():
                continue
            try:
                transport.write(data)
            except Exception as error:  # one that cannot be written to must not keep the others' answers
                logger.error("a connection could not be written to", exc_info=error)
                transport.abort()
