"""Large bodies that keep arriving, while something else is measured."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks.gateways.machine import LOAD, on_core

__all__ = ["Uploads", "uploads"]


class Uploads:
    """How many went through so far, and what went wrong."""

    def __init__(self) -> None:
        self.done = 0
        self.problem: str | None = None
        self.stopping = False


@contextmanager
def uploads(url: str, body: bytes, headers: Mapping[str, str], count: int) -> Generator[Uploads]:
    """So many clients send this body again and again, until the block ends. Raises RuntimeError if one was refused."""
    counted = Uploads()
    parts = urlsplit(url)
    sent = {"content-type": "application/json", **headers}

    def send() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        try:
            while not counted.stopping:
                connection.request("POST", parts.path, body, sent)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status != 200:
                    counted.problem = f"{answer.status} {said[:200]!r}"
                    return
                counted.done += 1
        except OSError as error:
            counted.problem = repr(error)
        finally:
            connection.close()

    with on_core(LOAD):
        threads = [threading.Thread(target=send) for _ in range(count)]
        for thread in threads:
            thread.start()
    try:
        yield counted
    finally:
        counted.stopping = True
        for thread in threads:
            thread.join()
    if counted.problem is not None:
        raise RuntimeError(f"a large body to {url} was refused: {counted.problem}")
