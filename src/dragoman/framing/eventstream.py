"""AWS event streams: bytes → messages and back (the `application/vnd.amazon.eventstream` encoding).

    total length (4) · headers' length (4) · CRC32 of these (4) · headers · payload · CRC32 of all before (4)

Numbers are big-endian. Both checksums are checked, the first before its lengths are believed, so that damage is told
from a message that has not come whole. Limits are those of the vendor's own clients: 128 KiB of headers, 24 MiB of
payload.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from dragoman.errors import ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["EventMessage", "EventStreamDecoder", "HeaderValue", "encode_event_headers", "encode_event_message"]

HeaderValue = bool | int | bytes | str
"""Of a header: also its time (milliseconds since 1970) as an int, and its UUID as 16 bytes."""

MAX_HEADERS_BYTES = 128 * 1024
MAX_PAYLOAD_BYTES = 24 * 1024 * 1024
_PRELUDE = struct.Struct(">III")
_WORD = struct.Struct(">I")
_AROUND = _PRELUDE.size + _WORD.size
_NUMBERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i"), 5: struct.Struct(">q")}
_NUMBERS[8] = _NUMBERS[5]
_LENGTH = struct.Struct(">H")
_KNOWN_HEADERS = 64


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One message: its headers by name, and its payload."""

    headers: Mapping[str, HeaderValue] = field(default_factory=dict[str, HeaderValue])
    payload: bytes = b""


class EventStreamDecoder:
    """`feed(bytes)` gives the messages that became complete, one by one; damage, or one too large, is a violation.

    The messages must be taken before the next piece is fed. Those before the damage are given before it is raised,
    so that it does not matter which pieces the bytes came in.
    """

    __slots__ = ("_buffer", "_headers", "_max_payload", "_needed")

    def __init__(self, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        self._max_payload = max_payload_bytes
        self._buffer = bytearray()
        self._needed = _PRELUDE.size
        self._headers: dict[bytes, Mapping[str, HeaderValue]] = {}

    def feed(self, data: bytes) -> Iterator[EventMessage]:
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._needed:  # a drip costs no more than this
            return
        start = 0
        try:
            while len(buffer) - start >= _PRELUDE.size:
                total, headers_length = self._prelude(start)
                if len(buffer) - start < total:
                    self._needed = total
                    break
                message = self._message(start, total, headers_length)
                start += total
                yield message
            else:
                self._needed = _PRELUDE.size
        finally:
            del buffer[:start]

    def close(self) -> list[EventMessage]:
        """Nothing: a message that the end of the body cuts off was never whole."""
        self._buffer.clear()
        self._needed = _PRELUDE.size
        return []

    def _prelude(self, start: int) -> tuple[int, int]:
        total, headers_length, checksum = _PRELUDE.unpack_from(self._buffer, start)
        if crc32(self._buffer[start : start + 8]) != checksum:
            raise ProtocolViolation("the checksum of a message's lengths is wrong: this is no event stream, or damaged")
        payload = total - headers_length - _AROUND
        if payload < 0 or headers_length > MAX_HEADERS_BYTES or payload > self._max_payload:
            raise ProtocolViolation(
                f"a message of the event stream says {headers_length} bytes of headers in {total}; at most "
                f"{MAX_HEADERS_BYTES} and {self._max_payload} of payload are taken"
            )
        return total, headers_length

    def _message(self, start: int, total: int, headers_length: int) -> EventMessage:
        raw = bytes(self._buffer[start : start + total])
        if crc32(raw[:-4]) != _WORD.unpack_from(raw, total - 4)[0]:
            raise ProtocolViolation("the checksum of a message of the event stream is wrong: it was damaged")
        payload_at = _PRELUDE.size + headers_length
        wire = raw[_PRELUDE.size : payload_at]
        # The headers of a stream are the same few byte strings again and again: parsing them would cost more than JSON.
        headers = self._headers.get(wire)
        if headers is None:
            headers = _decode_headers(wire)
            if len(self._headers) < _KNOWN_HEADERS:
                self._headers[wire] = headers
        return EventMessage(headers, raw[payload_at:-4])


def _decode_headers(wire: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    offset = 0
    try:
        while offset < len(wire):
            name, kind, offset = _name(wire, offset)
            value, offset = _value(wire, kind, offset)
            if name in headers:
                raise ProtocolViolation(f"a message of the event stream has the header {name!r} twice")
            headers[name] = value
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ProtocolViolation("the headers of a message of the event stream cannot be read") from None
    return headers


def _name(wire: bytes, offset: int) -> tuple[str, int, int]:
    end = offset + 1 + wire[offset]
    return wire[offset + 1 : end].decode(), wire[end], end + 1


def _value(wire: bytes, kind: int, offset: int) -> tuple[HeaderValue, int]:
    if kind in (0, 1):
        return kind == 0, offset
    if kind in _NUMBERS:
        number = _NUMBERS[kind]
        return number.unpack_from(wire, offset)[0], offset + number.size
    if kind in (6, 7):
        start = offset + _LENGTH.size
        end = start + _LENGTH.unpack_from(wire, offset)[0]
    elif kind == 9:
        start, end = offset, offset + 16
    else:
        raise ProtocolViolation(f"a header of the event stream is of type {kind}, which there is not")
    if end > len(wire):
        raise IndexError
    return wire[start:end].decode() if kind == 7 else wire[start:end], end


def encode_event_headers(headers: Mapping[str, str]) -> bytes:
    """Text headers, for as many messages as have the same."""
    pairs = ((name.encode(), value.encode()) for name, value in headers.items())
    return b"".join(bytes([len(name)]) + name + b"\x07" + _LENGTH.pack(len(value)) + value for name, value in pairs)


def encode_event_message(payload: bytes, headers: bytes) -> bytes:
    """One message; its headers are encoded already, by `encode_event_headers`."""
    lengths = struct.pack(">II", len(headers) + len(payload) + _AROUND, len(headers))
    message = b"".join((lengths, _WORD.pack(crc32(lengths)), headers, payload))
    return message + _WORD.pack(crc32(message))
