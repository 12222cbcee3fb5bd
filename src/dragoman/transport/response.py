"""Answers: bytes of one connection to status, headers and body. No socket is touched here.

httptools (llhttp) does the parsing; what it leaves open is done around it: bounds on the head, on trailers and on
chunk extensions, interim answers, answers to HEAD, bodies that end with the connection, and the transfer codings that
it would pass through unread. Bytes after an answer make the connection unusable: they would be taken for the next one.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

import httptools

from dragoman.errors import ProtocolViolation
from dragoman.transport.headers import ResponseHeaders

if TYPE_CHECKING:
    from dragoman.transport.decoding import Decoder
    from dragoman.transport.limits import TransportLimits

__all__ = ["ResponseReader"]

Framing = Literal["none", "length", "chunked", "close"]

# A chunk costs its length line and two line breaks; sixteen bytes for each byte of body leave room for chunks of one.
_CHUNK_OVERHEAD: Final = 16
_CHUNK_OVERHEAD_FREE: Final = 64 * 1024
# Up to here pieces are joined in the end, in a fraction of a millisecond.
_LARGE_BYTES: Final = 1024 * 1024


class _SecondMessageError(Exception):
    """Raised out of the parser when something follows a complete answer."""


class ResponseReader:
    """Reads the answers of one connection, one after the other: `begin`, then `feed` until `complete`.

    `feed` and `end` raise `ProtocolViolation`; the connection is of no use after that. `body` collects decoded pieces
    until `take_body`. `keep_alive` tells, once complete, whether the connection may carry another exchange. `raw` are
    the headers, values as they came by their lower-case names.
    """

    __slots__ = (
        "_decoder",
        "_fed",
        "_framing",
        "_gathered",
        "_head_only",
        "_interim",
        "_limits",
        "_parser",
        "_raw_size",
        "_repeated",
        "_whole",
        "body",
        "body_size",
        "complete",
        "has_head",
        "keep_alive",
        "raw",
        "status",
    )

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._parser: httptools.HttpResponseParser | None = None
        self.begin()
        self.complete = True

    def begin(self, *, head_only: bool = False, whole: bool = False) -> None:
        """Expect a new answer: `head_only` for HEAD, `whole` to hold the body to `TransportLimits.body_bytes`."""
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self._whole = whole
        self.raw: dict[bytes, bytes] = {}
        self._repeated = 0
        self._interim = 0
        self._fed = 0
        self._raw_size = 0
        self._framing: Framing = "none"
        self._decoder: Decoder | None = None
        self._gathered: BytesIO | None = None
        self.status = 0
        self.has_head = False
        self.complete = False
        self.keep_alive = False
        self.body: list[bytes] = []
        self.body_size = 0

    @property
    def headers(self) -> ResponseHeaders:
        return ResponseHeaders(self.raw)

    @property
    def answered(self) -> bool:
        """Whether any byte of an answer has come."""
        return self._fed > 0

    @property
    def body_begun(self) -> bool:
        """Whether any byte of a body has come, told by a decoder or not."""
        return self._raw_size > 0

    def take_body(self) -> bytes:
        """The body that has come since the last call, as one piece."""
        self.body_size = 0
        gathered = self._gathered
        if gathered is not None:
            self._gathered = None
            return gathered.getvalue()
        pieces = self.body
        self.body = []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def feed(self, data: bytes | memoryview) -> None:
        """Read the next bytes of the connection; nothing of `data` is kept."""
        self._fed += len(data)
        parser = self._parser
        if parser is None:  # something follows an answer to HEAD
            self.keep_alive = False
            return
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._parser = None
            if self.complete:
                self.keep_alive = False
                return
            cause = error.__context__
            if isinstance(cause, ProtocolViolation):
                raise cause from None
            raise ProtocolViolation(f"The answer is not valid HTTP: {error}.") from error
        except httptools.HttpParserUpgrade:
            raise ProtocolViolation("The server switched protocols, which nobody had asked for.") from None
        if self._head_only and self.complete:
            # The parser waits for a body that will not come.
            self._parser = None
        if not self.has_head:
            if self._fed > self._limits.head_bytes:
                self._refuse_head()
        elif self._framing == "chunked":
            free = self._limits.head_bytes + _CHUNK_OVERHEAD_FREE
            if self._fed - self._raw_size > free + self._raw_size * _CHUNK_OVERHEAD:
                raise ProtocolViolation("The answer's chunks carry far more framing than body.")

    def end(self) -> bool:
        """The other side has finished writing; True if that completes the answer (a body without a length)."""
        if self.complete or not self.has_head or self._framing != "close":
            return False
        self.on_message_complete()
        return True

    # -- called by the parser ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            raise _SecondMessageError

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_head:
            # Trailers are read over; their size is bounded with that of the chunks.
            return
        name = name.lower()
        if name in self.raw:
            self._repeat(name)
        else:
            self.raw[name] = value

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        status = parser.get_status_code()
        raw = self.raw
        if self._fed > self._limits.head_bytes or len(raw) + self._repeated > self._limits.header_count:
            self._check_head()
        if status < 200:
            self._pass_interim(status)
            return
        self.status = status
        self.keep_alive = parser.should_keep_alive()
        self.has_head = True
        coding = raw.get(b"transfer-encoding")
        length = raw.get(b"content-length")
        if self._head_only:
            self.complete = True
        elif status in (204, 304):
            pass  # a length here is that of another answer
        elif coding is not None:
            self._read_transfer_coding(coding)
        elif length is not None:
            self._framing = "length"
            if self._whole and int(length) > self._limits.body_bytes:
                self._refuse_body()
        else:
            self._framing = "close"
        if b"content-encoding" in raw and not self.complete:
            # zlib is loaded when an answer needs it.
            from dragoman.transport.decoding import make_decoder

            self._decoder = make_decoder(raw[b"content-encoding"].decode("latin-1"), self._limits)

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self.keep_alive = False
            return
        self._raw_size += len(data)
        if self._decoder is not None:
            data = self._decoder.feed(data)
            if not data:
                return
        if self._whole and self.body_size > _LARGE_BYTES:
            self._gather(data)
        else:
            self.body.append(data)
        self.body_size += len(data)
        if self._whole and self.body_size > self._limits.body_bytes:
            self._refuse_body()

    def on_message_complete(self) -> None:
        if self.has_head and not self.complete:
            if self._decoder is not None:
                self._decoder.close()
            self.complete = True

    # ------------------------------------------------------------------------------------------------------------------

    def _gather(self, piece: bytes) -> None:
        """A further piece of a large body that is read whole: to join all at its end would stop the loop too long."""
        gathered = self._gathered
        if gathered is None:
            gathered = self._gathered = BytesIO()
            gathered.write(b"".join(self.body))
            self.body = []
        gathered.write(piece)

    def _repeat(self, name: bytes) -> None:
        self._repeated += 1
        if name in (b"transfer-encoding", b"content-encoding"):
            # The first value alone would not say how to read the body.
            raise ProtocolViolation(f"The answer has more than one {name.decode()} header.")

    def _pass_interim(self, status: int) -> None:
        if status == 101:
            raise ProtocolViolation("The server switched protocols, which nobody had asked for.")
        self._interim += 1
        if self._interim > self._limits.interim_responses:
            raise ProtocolViolation("The server sends interim answers without end.")
        self.raw = {}
        self._repeated = 0

    def _read_transfer_coding(self, coding: bytes) -> None:
        if coding.strip().lower() != b"chunked":
            raise ProtocolViolation(f"The answer's transfer-encoding {coding.decode('latin-1')!r} was not asked for.")
        self._framing = "chunked"

    def _check_head(self) -> None:
        size = sum(len(name) + len(value) for name, value in self.raw.items())
        if size > self._limits.head_bytes or len(self.raw) + self._repeated > self._limits.header_count:
            self._refuse_head()

    def _refuse_head(self) -> None:
        limits = self._limits
        raise ProtocolViolation(
            f"The answer's head is larger than {limits.head_bytes} bytes or {limits.header_count} headers; "
            "TransportLimits.head_bytes and header_count set these bounds."
        )

    def _refuse_body(self) -> None:
        raise ProtocolViolation(
            f"The answer's body is larger than {self._limits.body_bytes} bytes; "
            "TransportLimits.body_bytes sets this bound."
        )
