"""Content encodings: gzip and deflate undone as the bytes come in, with a bound on what they may grow to."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from dragoman.transport.limits import TransportLimits

__all__ = ["Decoder", "make_decoder"]

_GZIP: Final = zlib.MAX_WBITS | 16
_RAW_DEFLATE: Final = -zlib.MAX_WBITS


class _Inflater(Protocol):
    """What `zlib.decompressobj` returns; the class itself has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def make_decoder(encoding: str, limits: TransportLimits) -> Decoder | None:
    """A decoder for a Content-Encoding value, None where there is nothing to undo.

    Raises `ProtocolViolation` for codings that were not asked for, as what they hold could not be read.
    """
    codings = [coding for coding in (piece.strip().lower() for piece in encoding.split(",")) if coding]
    codings = [coding for coding in codings if coding != "identity"]
    if not codings:
        return None
    if len(codings) == 1 and codings[0] in ("gzip", "x-gzip", "deflate"):
        return Decoder(codings[0], limits)
    raise ProtocolViolation(f"The answer's content-encoding {encoding!r} was not asked for and cannot be undone.")


class Decoder:
    """Undoes one coding: `feed` bytes as they come, `close` when there are no more. Raises `ProtocolViolation`."""

    __slots__ = ("_allowed", "_coding", "_fresh", "_inflater", "_ratio")

    def __init__(self, coding: str, limits: TransportLimits) -> None:
        self._coding = coding
        self._allowed = limits.expansion_free_bytes
        self._ratio = limits.expansion_ratio
        self._inflater: _Inflater | None = None
        self._fresh = True

    def feed(self, data: bytes) -> bytes:
        """What can be told from the bytes so far; nothing is held back that zlib can give."""
        self._allowed += len(data) * self._ratio
        pieces: list[bytes] = []
        while data:
            if self._inflater is None:
                self._inflater = self._begin(data)
                if self._inflater is None:
                    break
            piece, data = self._inflate(self._inflater, data)
            if piece:
                pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Say that the body has ended; an empty one is complete, one that stops within its data is not."""
        if self._inflater is not None and not self._inflater.eof:
            raise ProtocolViolation(f"The answer's {self._coding} data ended before it was complete.")

    def _begin(self, data: bytes) -> _Inflater | None:
        first_member, self._fresh = self._fresh, False
        if self._coding != "deflate":
            # RFC 1952: members may follow each other; zeros may pad the end.
            if not first_member and not data.strip(b"\0"):
                return None
            return zlib.decompressobj(_GZIP)
        if not first_member:
            raise ProtocolViolation("The answer's deflate data is followed by something else.")
        # "deflate" means the zlib format (RFC 9110 section 8.4.1.2), yet some servers send it bare; a zlib header's
        # low half is 8, which no bare stream that real encoders write begins with.
        return zlib.decompressobj(zlib.MAX_WBITS if data[0] & 0x0F == 8 else _RAW_DEFLATE)

    def _inflate(self, inflater: _Inflater, data: bytes) -> tuple[bytes, bytes]:
        try:
            piece = inflater.decompress(data, self._allowed + 1)
        except zlib.error as error:
            raise ProtocolViolation(f"The answer's {self._coding} data is damaged: {error}.") from error
        self._allowed -= len(piece)
        if self._allowed < 0:
            raise ProtocolViolation(
                f"The answer's {self._coding} data grows beyond {self._ratio} times what was sent; "
                "TransportLimits.expansion_ratio sets this bound."
            )
        if not inflater.eof:
            return piece, b""
        rest = inflater.unused_data
        self._inflater = None
        return piece, rest
