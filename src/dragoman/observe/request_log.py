"""One attempt, one line of JSON: what was tried, why, what it came to, what it cost. Never a prompt, never a secret.

Lines are written by a thread from a bounded queue, many at a time, so that a slow disk or a full pipe keeps nobody
waiting: lines that find no room are dropped and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

import msgspec

__all__ = ["AttemptLine", "RequestLog"]

MOST_LINES = 10_000
BATCH_LINES = 500
GATHER_SECONDS = 0.05
"""How long lines are gathered after the first: waking the thread for each would cost more than writing it."""


class AttemptLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is logged of an attempt; there is no member that could hold what was said.

    `at` is Unix time in seconds; `cost` is decimal text in `currency`; `message` is our own short text of what went
    wrong.
    """

    at: float
    request_id: str
    attempt_id: str
    outcome: str
    route: str
    deployment: str
    provider: str
    model: str
    dialect_in: str
    dialect_out: str
    mode: str
    stream: bool = False
    number: int = 1
    reason: str = ""
    key: str | None = None
    team: str | None = None
    status: int | None = None
    error: str | None = None
    message: str | None = None
    sent: str = "yes"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: str | None = None
    currency: str | None = None
    basis: str | None = None
    first_byte_seconds: float | None = None
    duration_seconds: float | None = None
    adaptations: int = 0
    upstream_request_id: str | None = None
    cache_hit: bool = False
    worker: int | None = None


class RequestLog:
    """Writes to a file that it appends to, or to a stream that it is given, such as standard output.

    `write` may be called by any thread; it never waits. `dropped` counts lines that found no room or could not be
    written.
    """

    def __init__(self, destination: Path | BinaryIO, *, most_lines: int = MOST_LINES) -> None:
        self._destination = destination
        self._most = most_lines
        self._waiting: deque[AttemptLine] = deque()
        self._awake = threading.Event()
        self._reopen = False
        self._ending = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="dragoman-request-log", daemon=True)
        self._thread.start()

    def write(self, line: AttemptLine) -> None:
        if len(self._waiting) >= self._most:
            self.dropped += 1
            return
        self._waiting.append(line)
        if not self._awake.is_set():
            self._awake.set()

    def reopen(self) -> None:
        """Opens the file anew before the next line: it may have been moved away."""
        self._reopen = True

    def close(self, seconds: float = 5.0) -> None:
        """Writes what waits, for so long at most; what is left then is dropped, and counted."""
        self._ending.set()
        self._awake.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.dropped += len(self._waiting)

    def _run(self) -> None:
        encoder = msgspec.json.Encoder()
        stream = self._open()
        while True:
            self._awake.wait()
            ending = self._ending.wait(GATHER_SECONDS)
            self._awake.clear()
            while self._waiting:
                count = min(len(self._waiting), BATCH_LINES)
                if self._reopen:
                    self._reopen = False
                    stream = self._reopened(stream)
                batch = [self._waiting.popleft() for _ in range(count)]
                stream = self._written(stream, encoder.encode_lines(batch), count)
            if ending:
                self._end(stream)
                return

    def _written(self, stream: BinaryIO | None, text: bytes, count: int) -> BinaryIO | None:
        stream = stream or self._open()
        try:
            if stream is None:
                raise OSError("the log could not be opened")
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed by its owner
            self.dropped += count
        return stream

    def _open(self) -> BinaryIO | None:
        if not isinstance(self._destination, Path):
            return self._destination
        try:
            return self._destination.open("ab")
        except OSError:
            return None

    def _reopened(self, stream: BinaryIO | None) -> BinaryIO | None:
        self._end(stream)
        return self._open()

    def _end(self, stream: BinaryIO | None) -> None:
        if stream is not None and stream is not self._destination:
            stream.close()
