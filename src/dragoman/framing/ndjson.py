"""Newline-delimited JSON: bytes → one JSON text per line, and back."""

from __future__ import annotations

from dragoman.framing.lines import LineSplitter

__all__ = ["NdjsonDecoder", "encode_ndjson"]

MAX_LINE_BYTES = 32 * 1024 * 1024


class NdjsonDecoder:
    """`feed(bytes)` gives the non-empty lines that became complete; `close()` the last one, if its end is missing."""

    __slots__ = ("_lines",)

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._lines = LineSplitter(max_line_bytes, cr_ends_lines=False)

    def feed(self, data: bytes) -> list[bytes]:
        return [stripped for line in self._lines.feed(data) if (stripped := line.strip())]

    def close(self) -> list[bytes]:
        rest = self._lines.close().strip()
        return [rest] if rest else []


def encode_ndjson(data: bytes) -> bytes:
    """One line; `data` must hold no line end (JSON never does)."""
    return data + b"\n"
