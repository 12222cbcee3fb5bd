"""A head that is recognised means what the parser would read in it; anything else goes to the parser."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.gateway.server import known_heads
from dragoman.gateway.server.app import App, Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.known_heads import KnownHead, KnownHeads
from dragoman.gateway.server.limits import ServerLimits
from dragoman.gateway.server.protocol import MUCH_BYTES, GuardedProtocol
from dragoman.gateway.server.serving import GatewayServer
from tests.gateway.serving import JSON, running, serving, until
from tests.gateway.test_server_framing import BAD

HEAD = b"POST /path?x=1 HTTP/1.1\r\nHost: here\r\n%b: %d\r\nAuthorization: Bearer one\r\nAccept: */*\r\n\r\n"
TITLED, LOWER = HEAD % (b"Content-Length", 5) + b"hello", HEAD % (b"content-length", 5) + b"hello"
PLAIN = b"GET /path HTTP/1.1\r\nhost: here\r\n\r\n"
GOOD = (TITLED, LOWER, PLAIN, b"POST /path HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\n\r\nabc")

Seen = list[tuple[str, str, str, dict[bytes, bytes], bool, bool, bytes]]


class _Wire(asyncio.Transport):
    """What the protocol does with its connection."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = False
        self.reading: list[bool] = []

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.ended

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.ended = True

    abort = close

    def pause_reading(self) -> None:
        self.reading.append(False)

    def resume_reading(self) -> None:
        self.reading.append(True)


class _Server:
    """Connections without sockets, and what the handlers behind them saw."""

    def __init__(self, limits: ServerLimits | None = None) -> None:
        self.seen: Seen = []
        self.app = App(limits)
        for path in ("/", "/path"):
            self.app.add("*", path, Route(self._answer))
        server = GatewayServer(self.app)
        server.config.load()
        self._made_of = server.config, server.server_state

    async def _answer(self, call: Call) -> None:
        body = await call.body()
        self.seen.append((call.method, call.path, call.query, call.fields, call.keep_alive, call.http11, body))
        await call.respond(200, [JSON], b"{}")

    def connect(self) -> tuple[GuardedProtocol, _Wire]:
        config, state = self._made_of
        protocol, wire = GuardedProtocol(self.app, config, state, {}, asyncio.get_running_loop()), _Wire()
        protocol.connection_made(wire)
        return protocol, wire

    async def answers(self, *pieces: bytes) -> tuple[Seen, bytes, bool]:
        """What is seen of, and said to, one connection that sends these pieces; whether it was ended."""
        self.seen.clear()
        protocol, wire = self.connect()
        for piece in pieces:
            protocol.data_received(piece)
            await self._quiet()
        written = re.sub(rb"date: [^\r]*\r\n", b"", wire.written)
        found = list(self.seen), written, wire.ended
        protocol.connection_lost(None)
        await self._quiet()
        assert self.app.bytes_in_flight == 0
        assert self.app.connections == 0
        return found

    async def _quiet(self) -> None:
        await asyncio.sleep(0)
        await until(lambda: not self.app.running)
        await asyncio.sleep(0)  # what a turn of the loop has to say is said at its end

    async def warmed(self) -> _Server:
        """The same, and it knows the good heads."""
        for good in GOOD:
            found = await self.answers(good)
            assert len(found[0]) == 1, found
        return self


@pytest.mark.parametrize("good", GOOD)
def test_a_known_head_is_the_same_request_with_another_body(good: bytes) -> None:
    async def test() -> None:
        warm = await _Server().warmed()
        other = good.replace(b"ength: 5", b"ength: 11").replace(b"hello", b"hello world")
        assert warm.app.heads.find(other) is not None
        assert await warm.answers(other) == await _Server().answers(other)
        for at in range(len(other)):
            assert await warm.answers(other[:at], other[at:]) == await _Server().answers(other)
        assert await warm.answers(other + good + other) == await _Server().answers(other + good + other)

    running(test)


@pytest.mark.parametrize("case", BAD)
def test_what_the_parser_refuses_is_refused_behind_known_heads_too(case: str) -> None:
    status, data = BAD[case]

    async def test() -> None:
        warm = await _Server().warmed()
        for before in (b"", *GOOD):
            found = await warm.answers(before + data)
            assert found == await _Server().answers(before + data)
            assert b"HTTP/1.1 %d " % status in found[1]

    running(test)


_PUT = (b"", b"0", b"7", b" ", b"\t", b"+", b",", b":", b"\r", b"\n", b"\r\n", b"\0", b"x")
_MEMBERS = (b"content-length: 3", b"Content-Length: 3", b"transfer-encoding: chunked", b"connection: close", b"host: b")
_PUT_LINES = tuple(member + end for member in _MEMBERS for end in (b"", b"\r\n"))
_EDITS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from((*_PUT, *_PUT_LINES))),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(GOOD), _EDITS, st.integers(0, 2**32))
def test_a_head_that_differs_anywhere_is_read_as_the_parser_reads_it(
    good: bytes, edits: list[tuple[int, int, bytes]], seed: int
) -> None:
    data = good
    for at, removed, put in edits:
        at %= len(data) + 1
        data = data[:at] + put + data[at + removed :]
    data += PLAIN
    cut = random.Random(seed).randrange(len(data))

    async def test() -> None:
        warm, cold = await _Server().warmed(), _Server()
        expected = await cold.answers(data)
        assert await warm.answers(data) == expected
        assert await warm.answers(data) == expected  # what was learned from it just now holds as well
        assert (await warm.answers(data[:cut], data[cut:]))[:2] == expected[:2]

    running(test)


@pytest.mark.parametrize("digits", [b"", b"+5", b"-5", b"5 ", b"0x5", b"5,5", b"5_0", b"1" * 13, "٥".encode()])
def test_a_length_that_is_not_plain_digits_is_left_to_the_parser(digits: bytes) -> None:
    async def test() -> None:
        warm = await _Server().warmed()
        lying = TITLED.replace(b"Length: 5", b"Length: " + digits)
        assert warm.app.heads.find(TITLED) is not None
        assert warm.app.heads.find(lying) is None

    running(test)


def test_a_length_within_another_header_is_not_one() -> None:
    async def test() -> None:
        server = _Server()
        shown = b"GET /path HTTP/1.1\r\nhost: here\r\nx-content-length: 5\r\n\r\n"
        await server.answers(shown)
        assert server.app.heads.find(shown) is None

    running(test)


def test_heads_whose_meaning_is_not_theirs_alone_are_not_remembered() -> None:
    async def test() -> None:
        server = _Server()
        for member in (b"expect: 100-continue", b"transfer-encoding: chunked", b"upgrade: h2c\r\nconnection: upgrade"):
            head = b"POST /path HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n%b\r\n\r\n" % member
            if b"chunked" in member:
                head = head.replace(b"content-length: 2\r\n", b"")
            await server.answers(head + b"hi")
            assert server.app.heads.find(head) is None
        long = b"GET /path HTTP/1.1\r\nhost: here\r\nx: %b\r\n\r\n" % (b"x" * known_heads.LONGEST)
        await server.answers(long)
        assert server.app.heads.find(long) is None
        await server.answers(b"\r\n" + PLAIN)
        assert server.app.heads.find(b"\r\n" + PLAIN) is None

    running(test)


def test_a_new_route_counts_for_heads_that_are_known() -> None:
    async def test() -> None:
        async def other(call: Call) -> None:
            await call.respond(202, [JSON], b"{}")

        warm = await _Server().warmed()
        warm.app.add("POST", "/path", Route(other))
        _, written, _ = await warm.answers(TITLED)
        assert written.startswith(b"HTTP/1.1 202 ")

    running(test)


def test_a_check_is_made_for_a_known_head_too() -> None:
    checked: list[str] = []

    async def test() -> None:
        server = _Server()
        server.app.add("GET", "/path", Route(server.app.find("GET", "/path").handler, check=_note))
        await server.answers(PLAIN)
        await server.answers(PLAIN)
        assert checked == ["/path", "/path"]

    def _note(call: Call) -> None:
        checked.append(call.path)

    running(test)


def test_no_more_heads_are_remembered_than_are_allowed() -> None:
    heads = KnownHeads(32 * 1024)
    head = KnownHead("GET", "/", "/", "", {}, Route(cast("Any", None)), True, True)
    texts = [b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(known_heads.MOST + 1)]
    for text in texts:
        heads.learn(text, head)
    assert heads.find(texts[-1]) is not None
    assert sum(heads.find(text) is not None for text in texts) <= known_heads.MOST


def test_a_large_body_comes_piece_by_piece_and_lets_others_have_their_turn() -> None:
    body = random.Random(1).randbytes(12 * MUCH_BYTES + 7)
    head = HEAD % (b"content-length", len(body))

    async def test() -> None:
        warm = await _Server().warmed()
        protocol, wire = warm.connect()
        protocol.data_received(head)
        for at in range(0, len(body), MUCH_BYTES):
            protocol.data_received(body[at : at + MUCH_BYTES])
            assert wire.reading[-1:] == [False] or len(body) - at < MUCH_BYTES
            assert warm.app.bytes_in_flight == min(at + MUCH_BYTES, len(body))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert wire.reading[-1] is True
        await until(lambda: not warm.app.running)
        assert warm.seen[-1][-1] == body
        assert warm.app.bytes_in_flight == 0
        protocol.connection_lost(None)

    running(test)


def test_a_large_body_is_whole_over_a_socket_whether_its_head_is_known_or_not() -> None:
    body = random.Random(2).randbytes(3_000_001)

    async def test() -> None:
        async with serving() as server:
            client = await server.connect()
            for _ in range(3):
                await client.send(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body))
                await client.send(body)
                assert (await client.answer())[2] == body

    running(test)


def test_a_known_head_with_a_body_beyond_the_bounds_is_refused() -> None:
    async def test() -> None:
        for limits in (ServerLimits(body_bytes=100), ServerLimits(bytes_in_flight=100)):
            warm = await _Server(limits).warmed()
            for size in (200, 200_000):
                large = TITLED.replace(b"Length: 5", b"Length: %d" % size)
                assert warm.app.heads.find(large) is not None
                assert await warm.answers(large) == await _Server(limits).answers(large)

    running(test)
