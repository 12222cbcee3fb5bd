"""Ports at which something listens and nobody speaks."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def listener(*, accepting: bool = True) -> Generator[int]:
    """A port where connections are made by the kernel, or (its queue being full) not even that; nobody speaks."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port: int = server.getsockname()[1]
        fillers: list[socket.socket] = []
        for _ in range(0 if accepting else 8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        yield port
        for filler in fillers:
            filler.close()
