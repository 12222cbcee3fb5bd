"""What the fault server does, and how it has to end: one row per scenario, for our client and for aiohttp.

An `Ending` is what the caller sees. `aiohttp` holds aiohttp's where it differs by design, with the reason.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import Final

from dragoman.errors import ConnectionLost, ProtocolViolation, TimedOut, TransportError
from dragoman.transport import Timeout
from tests.transport.fault_server import Gone, Peer, Script, Seen

OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"transfer-encoding: chunked\r\n\r\n"
TEXT: Final = b"The quick brown fox jumps over the lazy dog. " * 40
ENDLESS_BYTES: Final = 2 * 1024 * 1024
PATIENT: Final = Timeout(connect=10, first_byte=10, idle=10, total=20)
HASTY: Final = Timeout(connect=10, first_byte=0.15, idle=0.15, total=1)
SHORT: Final = Timeout(connect=10, first_byte=10, idle=10, total=0.3)


@dataclass(frozen=True)
class Ending:
    """An answer (`status`, `body`), or an error with its `phase` and `sent` where those matter."""

    status: int = 200
    body: bytes = b""
    error: type[TransportError] | None = None
    phase: str | None = None
    sent: str | None = None


@dataclass(frozen=True)
class Scenario:
    """`reused` tells whether the connection may serve another request; None where that is not asked."""

    script: Script
    ending: Ending
    method: str = "GET"
    timeout: Timeout = PATIENT
    reused: bool | None = None
    aiohttp: Ending | None = None
    reason: str = ""
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        assert (self.aiohttp is None) == (self.reason == "")


def ok(body: bytes, *, status: int = 200) -> Ending:
    return Ending(status=status, body=body)


def fails(error: type[TransportError], *, phase: str | None = None, sent: str | None = None) -> Ending:
    return Ending(status=0, error=error, phase=phase, sent=sent)


def says(*pieces: bytes, then_close: bool = False) -> Script:
    """Send the pieces, each as a segment of its own."""

    def script(peer: Peer, seen: Seen) -> None:
        for number, piece in enumerate(pieces):
            if number:
                peer.pause(0.002)
            peer.send(piece)
        if then_close:
            peer.finish()

    return script


def with_length(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"content-length: %d\r\n\r\n" % len(body) + body


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def drip(data: bytes) -> Script:
    return says(*(data[index : index + 1] for index in range(len(data))))


def endless(opening: bytes, repeated: bytes) -> Script:
    """Go on until the client closes; a bound keeps a client that does not from being fed for ever."""

    def script(peer: Peer, seen: Seen) -> None:
        peer.send(opening)
        block = repeated * (16384 // len(repeated) + 1)
        for _ in range(ENDLESS_BYTES // len(block)):
            peer.send(block)
        raise Gone

    return script


def say_and_stall(data: bytes) -> Script:
    def script(peer: Peer, seen: Seen) -> None:
        if data:
            peer.send(data)
        peer.stall()

    return script


def say_and_reset(data: bytes) -> Script:
    def script(peer: Peer, seen: Seen) -> None:
        if data:
            peer.send(data)
            peer.pause(0.05)
        peer.reset()

    return script


def echo(peer: Peer, seen: Seen) -> None:
    peer.send(with_length(seen.body))


def answer_then_hang_up_at_the_next(peer: Peer, seen: Seen) -> None:
    if peer.answered:
        raise Gone
    peer.send(with_length(b"once"))


def slow_head_for_ever(peer: Peer, seen: Seen) -> None:
    peer.send(OK)
    while True:
        peer.send(b"x")
        peer.pause()


def drip_for_ever(peer: Peer, seen: Seen) -> None:
    peer.send(CHUNKED)
    while True:
        peer.send(chunks(b"tick"))
        peer.pause()


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


_GZIP: Final = b"content-encoding: gzip"
_BOMB: Final = gzip.compress(b"\0" * (16 * 1024 * 1024))
_LENIENT: Final = "aiohttp reads answers leniently; a provider whose framing is unclear is not one to be read on"
_UNBOUNDED: Final = "aiohttp has no such bound"

SCENARIOS: Final[dict[str, Scenario]] = {
    # Right answers in every framing.
    "length": Scenario(says(with_length(TEXT)), ok(TEXT), reused=True),
    "empty": Scenario(says(with_length(b"")), ok(b""), reused=True),
    "echo": Scenario(echo, ok(b"hello"), method="POST", body=b"hello", reused=True),
    "large-echo": Scenario(echo, ok(b"x" * 3_000_000), method="POST", body=b"x" * 3_000_000, reused=True),
    "no-reason": Scenario(says(b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi"), ok(b"hi"), reused=True),
    "chunked": Scenario(says(CHUNKED + chunks(b"one ", b"two", b"")), ok(b"one two"), reused=True),
    "chunked-in-pieces": Scenario(drip(CHUNKED + chunks(b"one ", b"two", b"")), ok(b"one two"), reused=True),
    "chunk-extensions": Scenario(says(CHUNKED + b'3;name="value"\r\none\r\n0;last\r\n\r\n'), ok(b"one"), reused=True),
    "trailers": Scenario(says(CHUNKED + b"3\r\none\r\n0\r\nx-sum: 1\r\n\r\n"), ok(b"one"), reused=True),
    "chunks-of-one": Scenario(says(CHUNKED + chunks(*[b"x"] * 5000, b"")), ok(b"x" * 5000), reused=True),
    "close-delimited": Scenario(says(OK + b"\r\n", TEXT, TEXT, then_close=True), ok(TEXT + TEXT), reused=False),
    "connection-close": Scenario(
        says(with_length(b"bye", b"connection: close"), then_close=True), ok(b"bye"), reused=False
    ),
    "http-1.0": Scenario(says(b"HTTP/1.0 200 OK\r\n\r\nold", then_close=True), ok(b"old"), reused=False),
    "http-1.0-keep-alive": Scenario(
        says(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 3\r\n\r\nold"), ok(b"old"), reused=True
    ),
    "no-content": Scenario(says(b"HTTP/1.1 204 No Content\r\n\r\n"), ok(b"", status=204), reused=True),
    "not-modified": Scenario(
        says(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n"), ok(b"", status=304), reused=True
    ),
    "head": Scenario(says(OK + b"content-length: 500\r\n\r\n"), ok(b""), method="HEAD", reused=True),
    "head-chunked": Scenario(says(CHUNKED), ok(b""), method="HEAD", reused=True),
    "redirect": Scenario(
        says(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /length\r\ncontent-length: 0\r\n\r\n"),
        ok(b"", status=307),
        reused=True,
    ),
    "error-body": Scenario(
        says(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 4\r\n\r\nwait"),
        ok(b"wait", status=429),
        reused=True,
    ),
    "interim-100": Scenario(says(b"HTTP/1.1 100 Continue\r\n\r\n", with_length(b"after")), ok(b"after"), reused=True),
    "interim-103": Scenario(
        says(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", with_length(b"after")),
        ok(b"after"),
        reused=True,
    ),
    "interim-103-in-one": Scenario(
        says(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 3 + with_length(b"after")), ok(b"after"), reused=True
    ),
    "slow-head": Scenario(drip(with_length(b"slow")), ok(b"slow"), reused=True),
    "dripped-body": Scenario(says(CHUNKED, *[chunks(b"x")] * 20, chunks(b"")), ok(b"x" * 20), reused=True),
    # Content encodings.
    "gzip": Scenario(says(with_length(gzip.compress(TEXT), _GZIP)), ok(TEXT), reused=True),
    "gzip-in-pieces": Scenario(drip(with_length(gzip.compress(b"hello"), _GZIP)), ok(b"hello"), reused=True),
    "gzip-empty": Scenario(says(with_length(b"", _GZIP)), ok(b""), reused=True),
    "gzip-close-delimited": Scenario(
        says(OK + _GZIP + b"\r\n\r\n" + gzip.compress(TEXT), then_close=True), ok(TEXT), reused=False
    ),
    "gzip-two-members": Scenario(
        says(with_length(gzip.compress(b"one ") + gzip.compress(b"two"), _GZIP)), ok(b"one two"), reused=True
    ),
    "deflate": Scenario(says(with_length(zlib.compress(TEXT), b"content-encoding: deflate")), ok(TEXT), reused=True),
    "deflate-bare": Scenario(says(with_length(raw_deflate(TEXT), b"content-encoding: deflate")), ok(TEXT), reused=True),
    "encoding-identity": Scenario(says(with_length(TEXT, b"content-encoding: identity")), ok(TEXT), reused=True),
    "gzip-damaged": Scenario(says(with_length(b"this is not gzip", _GZIP)), fails(ProtocolViolation, sent="yes")),
    "gzip-cut": Scenario(
        says(with_length(gzip.compress(TEXT)[:-4], _GZIP)),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(TEXT),
        reason="aiohttp does not ask whether the compressed data had come to its end",
    ),
    "gzip-bomb": Scenario(
        says(with_length(_BOMB, _GZIP)),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"\0" * (16 * 1024 * 1024)),
        reason=_UNBOUNDED + " but the transport's own on whole bodies",
    ),
    "encoding-unknown": Scenario(
        says(with_length(b"....", b"content-encoding: snappy")),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"...."),
        reason="aiohttp hands on what it cannot decode; nobody above the seam could read it either",
    ),
    # Silence.
    "silent": Scenario(
        say_and_stall(b""), fails(TimedOut, phase="first_byte", sent="maybe"), timeout=HASTY, reused=False
    ),
    "silent-in-head": Scenario(
        say_and_stall(OK),
        fails(TimedOut, phase="first_byte", sent="yes"),
        timeout=HASTY,
        aiohttp=fails(TimedOut, phase="first_byte", sent="maybe"),
        reason="aiohttp does not tell whether a part of the head had come",
    ),
    "silent-in-body": Scenario(
        say_and_stall(CHUNKED + chunks(b"one")), fails(TimedOut, phase="idle", sent="yes"), timeout=HASTY
    ),
    "head-without-end": Scenario(
        slow_head_for_ever,
        fails(TimedOut, phase="first_byte", sent="yes"),
        timeout=HASTY,
        aiohttp=fails(TimedOut, phase="total", sent="maybe"),
        reason="aiohttp's limit on a read starts anew with each byte",
    ),
    "too-long-in-all": Scenario(drip_for_ever, fails(TimedOut, phase="total", sent="yes"), timeout=SHORT),
    # Cuts.
    "hang-up": Scenario(says(then_close=True), fails(ConnectionLost, sent="maybe")),
    "reset": Scenario(say_and_reset(b""), fails(ConnectionLost, sent="maybe")),
    "cut-in-head": Scenario(
        says(OK + b"content-le", then_close=True),
        fails(ConnectionLost, sent="yes"),
        aiohttp=fails(ConnectionLost, sent="maybe"),
        reason="aiohttp does not tell whether a part of the head had come",
    ),
    "cut-in-body": Scenario(says(OK + b"content-length: 50\r\n\r\nshort", then_close=True), fails(ConnectionLost)),
    "cut-chunk": Scenario(says(CHUNKED + b"5\r\nab", then_close=True), fails(ConnectionLost, sent="yes")),
    "no-last-chunk": Scenario(says(CHUNKED + chunks(b"one"), then_close=True), fails(ConnectionLost, sent="yes")),
    "reset-in-body": Scenario(
        say_and_reset(OK + b"content-length: 50\r\n\r\nshort"), fails(ConnectionLost, sent="yes")
    ),
    "interim-and-cut": Scenario(
        says(b"HTTP/1.1 103 Early Hints\r\n\r\n", then_close=True),
        fails(ConnectionLost, sent="yes"),
        aiohttp=fails(ConnectionLost, sent="maybe"),
        reason="aiohttp does not tell whether an interim answer had come",
    ),
    # Wrong answers.
    "not-http": Scenario(says(b"SSH-2.0-OpenSSH_9.2\r\n"), fails(ProtocolViolation, sent="yes")),
    "length-and-chunked": Scenario(
        says(OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n" + chunks(b"one", b"")),
        fails(ProtocolViolation, sent="yes"),
        reused=False,
    ),
    "two-lengths": Scenario(
        says(OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nfour"), fails(ProtocolViolation, sent="yes")
    ),
    "length-negative": Scenario(says(OK + b"content-length: -1\r\n\r\n"), fails(ProtocolViolation, sent="yes")),
    "length-overflow": Scenario(
        says(OK + b"content-length: 99999999999999999999999\r\n\r\n"), fails(ProtocolViolation, sent="yes")
    ),
    "length-too-short": Scenario(
        says(OK + b"content-length: 3\r\n\r\nonetwo"),
        ok(b"one"),
        reused=False,
        aiohttp=fails(ProtocolViolation, sent="yes"),
        reason="aiohttp parses on before it hands out the answer; we give the answer and drop the connection",
    ),
    "chunk-size-wrong": Scenario(says(CHUNKED + b"zz\r\none\r\n"), fails(ProtocolViolation, sent="yes")),
    "chunk-end-wrong": Scenario(says(CHUNKED + b"3\r\noneXX0\r\n\r\n"), fails(ProtocolViolation, sent="yes")),
    "transfer-gzip": Scenario(
        says(OK + b"transfer-encoding: gzip\r\n\r\n" + gzip.compress(TEXT), then_close=True),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(gzip.compress(TEXT)),
        reason=_LENIENT,
    ),
    "transfer-twice": Scenario(
        says(OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + chunks(b"one", b"")),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"one"),
        reason=_LENIENT,
    ),
    "folded-header": Scenario(
        says(OK + b"x-long: one\r\n two\r\ncontent-length: 2\r\n\r\nhi"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"hi"),
        reason=_LENIENT,
    ),
    "bare-line-feeds": Scenario(
        says(b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"hi"),
        reason=_LENIENT,
    ),
    "switched-protocols": Scenario(
        says(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=ok(b"", status=101),
        reason="aiohttp is also a WebSocket client",
    ),
    # Too much.
    "endless-headers": Scenario(endless(OK, b"x-more: and more\r\n"), fails(ProtocolViolation, sent="yes")),
    "endless-header": Scenario(endless(OK + b"x-more: ", b"and more "), fails(ProtocolViolation, sent="yes")),
    "endless-interims": Scenario(
        endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=fails(TransportError),
        reason=_UNBOUNDED,
    ),
    "many-headers": Scenario(
        says(OK + b"".join(b"x-%d: 1\r\n" % number for number in range(1000)) + b"content-length: 0\r\n\r\n"),
        fails(ProtocolViolation, sent="yes"),
    ),
    "endless-chunk-extension": Scenario(
        endless(CHUNKED + b"3;", b"name=value;"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=fails(TransportError),
        reason=_UNBOUNDED,
    ),
    "endless-trailers": Scenario(
        endless(CHUNKED + b"0\r\n", b"x-more: and more\r\n"),
        fails(ProtocolViolation, sent="yes"),
        aiohttp=fails(TransportError),
        reason="aiohttp has a bound, and tells either error",
    ),
}
