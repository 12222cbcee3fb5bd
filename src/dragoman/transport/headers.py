"""The headers of an answer: kept as the bytes that came, turned into text when asked for.

Answers carry twenty headers and more of which a call looks at three, so decoding is left to the look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ResponseHeaders", "shorter_keep"]


class ResponseHeaders(Mapping[str, str]):
    """Lower-case names to values (Latin-1), in the order of arrival; a repeated header keeps its first value."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        try:
            return self._raw[name.encode("latin-1")].strip(b" \t").decode("latin-1")
        except (KeyError, UnicodeEncodeError):
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        for name in self._raw:
            yield name.decode("latin-1")

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return f"ResponseHeaders({dict(self)!r})"


def shorter_keep(announced: bytes, idle_seconds: float) -> float:
    """Seconds to keep a connection whose server announced `Keep-Alive: timeout=N`: a second less than that."""
    for piece in announced.split(b","):
        name, _, value = piece.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return max(0.0, min(idle_seconds, int(value) - 1.0))
    return idle_seconds
