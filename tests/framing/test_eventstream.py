"""AWS event streams: messages come whole wherever the bytes are cut, and damage is told from what has not come."""

from __future__ import annotations

import struct
from importlib import import_module
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ProtocolViolation
from dragoman.framing import EventMessage, EventStreamDecoder, encode_event_headers, encode_event_message

_EVENT = {":event-type": "messageStop", ":content-type": "application/json", ":message-type": "event"}
_HEADERS = encode_event_headers(_EVENT)


def _framed(payload: bytes, headers: bytes) -> bytes:
    """A message written by hand."""
    lengths = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: str, kind: int, value: bytes) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


def _decoded(data: bytes, size: int) -> list[EventMessage]:
    decoder = EventStreamDecoder()
    messages = [message for start in range(0, len(data), size) for message in decoder.feed(data[start : start + size])]
    return messages + decoder.close()


def test_what_is_written_is_what_is_specified() -> None:
    assert encode_event_message(b'{"a":1}', _HEADERS) == _framed(b'{"a":1}', _HEADERS)
    # The vendor's own example of the smallest message: no headers, no payload.
    assert encode_event_message(b"", b"").hex() == "000000100000000005c248eb7d98c8ff"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 12, 13, 64, 10_000])
def test_cuts_change_nothing(size: int) -> None:
    payloads = [b"", b"{}", b"x" * 300, "Grüße".encode()]
    data = b"".join(encode_event_message(payload, _HEADERS) for payload in payloads)
    assert _decoded(data, size) == [EventMessage(_EVENT, payload) for payload in payloads]


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_random_cuts_change_nothing(payloads: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(encode_event_message(payload, _HEADERS) for payload in payloads)
    decoder = EventStreamDecoder()
    found: list[bytes] = []
    while wire:
        cut = data.draw(st.integers(1, len(wire)))
        found += [message.payload for message in decoder.feed(wire[:cut])]
        wire = wire[cut:]
    assert found == payloads


def test_every_type_of_header_is_read() -> None:
    wire = b"".join(
        (
            _header("yes", 0, b""),
            _header("no", 1, b""),
            _header("byte", 2, b"\xfe"),
            _header("short", 3, b"\x01\x00"),
            _header("int", 4, struct.pack(">i", -70_000)),
            _header("long", 5, struct.pack(">q", 1 << 40)),
            _header("bytes", 6, b"\x00\x02\x00\xff"),
            _header("text", 7, b"\x00\x03\xe2\x82\xac"),
            _header("time", 8, struct.pack(">q", 1_700_000_000_000)),
            _header("uuid", 9, bytes(range(16))),
        )
    )
    (message,) = EventStreamDecoder().feed(_framed(b"", wire))
    assert message.headers == {
        "yes": True,
        "no": False,
        "byte": -2,
        "short": 256,
        "int": -70_000,
        "long": 1 << 40,
        "bytes": b"\x00\xff",
        "text": "€",
        "time": 1_700_000_000_000,
        "uuid": bytes(range(16)),
    }


def test_a_message_that_is_cut_off_is_not_given() -> None:
    data = encode_event_message(b'{"a":1}', _HEADERS)
    for length in range(len(data)):
        decoder = EventStreamDecoder()
        assert list(decoder.feed(data[:length])) == []
        assert decoder.close() == []


def test_every_changed_byte_is_noticed() -> None:
    data = encode_event_message(b'{"a":1}', _HEADERS)
    for place in range(len(data)):
        damaged = data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]
        with pytest.raises(ProtocolViolation, match="checksum"):
            list(EventStreamDecoder().feed(damaged))


def test_messages_before_the_damage_are_given() -> None:
    decoder = EventStreamDecoder()
    messages = decoder.feed(encode_event_message(b"{}", _HEADERS) + b"data: [DONE]\n\n")
    assert next(messages).payload == b"{}"
    with pytest.raises(ProtocolViolation):
        next(messages)


def _prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", crc32(lengths))


@pytest.mark.parametrize(
    ("total", "headers"),
    [(15, 0), (0, 0), (40, 25), (16, 0xFFFFFFFF), (200_000, 131_073), (25_165_841, 0), (0xFFFFFFFF, 10)],
)
def test_lengths_that_cannot_be_are_refused_before_anything_is_kept(total: int, headers: int) -> None:
    with pytest.raises(ProtocolViolation, match="bytes of headers"):
        list(EventStreamDecoder().feed(_prelude(total, headers)))


def test_the_bound_can_be_lower() -> None:
    decoder = EventStreamDecoder(max_payload_bytes=10)
    assert len(list(decoder.feed(encode_event_message(b"x" * 10, _HEADERS)))) == 1
    with pytest.raises(ProtocolViolation, match="10 of payload"):
        list(decoder.feed(encode_event_message(b"x" * 11, _HEADERS)))


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05name",
        _header("text", 7, b"\x00\x09ab"),
        _header("int", 4, b"\x00"),
        _header("what", 10, b""),
        _header("bad", 7, b"\x00\x01\xff"),
        _header("uuid", 9, b"short"),
        _header("a", 0, b"") + _header("a", 1, b""),
    ],
)
def test_headers_that_cannot_be_read_are_refused(headers: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="header"):
        list(EventStreamDecoder().feed(_framed(b"", headers)))


def test_many_different_headers_do_not_fill_the_memory() -> None:
    decoder = EventStreamDecoder()
    for number in range(500):
        (message,) = decoder.feed(_framed(b"", encode_event_headers({"n": str(number)})))
        assert message.headers == {"n": str(number)}
    assert len(decoder._headers) <= 64  # pyright: ignore[reportPrivateUsage]


def test_the_vendors_own_reader_reads_the_same() -> None:
    buffer: Any = import_module("botocore.eventstream").EventStreamBuffer()
    for payload in (b"", b'{"a":1}', b"x" * 5000):
        buffer.add_data(encode_event_message(payload, _HEADERS))
    assert [(message.headers, message.payload) for message in buffer] == [
        (_EVENT, payload) for payload in (b"", b'{"a":1}', b"x" * 5000)
    ]
