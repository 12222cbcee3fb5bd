"""The headers of an answer: kept as the bytes that came, turned into text when asked for.

Answers carry twenty headers and more of which a call looks at three, so decoding is left to the look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ResponseHeaders", "shorter_keep"]

T = TypeVar("T")


@lru_cache(maxsize=256)  # a call asks for the same few names as the one before it
def _raw_name(name: str) -> bytes:
    return name.encode("latin-1")


class ResponseHeaders(Mapping[str, str]):
    """Lower-case names to values (Latin-1), in the order of arrival; a repeated header keeps its first value."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        try:
            return self._raw[_raw_name(name)].strip(b" \t").decode("latin-1")
        except (KeyError, UnicodeEncodeError):
            raise KeyError(name) from None

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str | T, /) -> str | T: ...

    def get(self, name: str, default: str | T | None = None, /) -> str | T | None:
        # Most names that are asked for are not there: an exception for each, as in a Mapping's own `get`, is dear.
        try:
            value = self._raw.get(_raw_name(name))
        except UnicodeEncodeError:
            return default
        return default if value is None else value.strip(b" \t").decode("latin-1")

    def first(self, names: tuple[str, ...]) -> str | None:
        """The value of the first of these names that is there and not empty."""
        raw = self._raw
        for name in names:
            value = raw.get(_raw_name(name))
            if value is not None and (value := value.strip(b" \t")):
                return value.decode("latin-1")
        return None

    def holds_any(self, names: frozenset[bytes]) -> bool:
        """Whether there is a header of one of these names, which are in lower case."""
        return not names.isdisjoint(self._raw)

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
