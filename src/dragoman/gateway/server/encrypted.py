"""A connection over TLS: it counts before its protocol has it, and what its reader left is not all in one place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dragoman.gateway.server.protocol import GuardedProtocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["EncryptedProtocol", "unsent_bytes"]


class EncryptedProtocol(GuardedProtocol):
    """One connection, from when it was taken: one that stalls in its handshake counts as every other does."""

    arrived = False

    def come(self) -> None:
        """Its handshake begins; `depart` has to follow."""
        self.application.connections += 1

    def depart(self) -> None:
        """Its handshake is over, one way or the other; told again, nothing changes."""
        if not self.arrived:
            self.arrived = True
            self.application.connections -= 1

    @property
    def handshake_seconds(self) -> float:
        """How long its handshake may take: as a head, or as a refusal where there are too many connections."""
        crowded = self.application.connections > self._limits.connections
        return self._limits.linger_seconds if crowded else self._limits.head_seconds

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.depart()
        super().connection_made(transport)

    def unread_bytes(self, now: float) -> int:
        """What the reader has not taken, where that may matter.

        The transport counts what is not encrypted yet, which stands still while the rest, unseen below it, is read. So
        the kernel is asked too, as before a connection that closes would be cut: its answer may be on its way.
        """
        size = self.transport.get_write_buffer_size()
        lingers = self.transport.is_closing() and now - self._pace.since > self._limits.linger_seconds
        return size + unsent_bytes(self.transport) if size or lingers else 0


def unsent_bytes(transport: asyncio.BaseTransport) -> int:
    """Bytes that the kernel holds for the other side, which has not taken them; 0 where it cannot be asked.

    As long as a program's own buffer holds something, so does the kernel's.
    """
    held = transport.get_extra_info("socket")
    if held is None or sys.platform != "linux":
        return 0
    from fcntl import ioctl
    from termios import TIOCOUTQ  # SIOCOUTQ of tcp(7) is the same number

    answer = bytearray(4)
    try:
        ioctl(held.fileno(), TIOCOUTQ, answer)
    except (OSError, ValueError):  # closed meanwhile
        return 0
    return int.from_bytes(answer, sys.byteorder)
