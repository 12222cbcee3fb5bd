"""What is no HTTP, or HTTP that two readers would understand differently: refused, and nothing after it is read."""

from __future__ import annotations

import pytest

from dragoman.gateway.server.call import Call
from tests.gateway.serving import JSON, running, serving

HOST = b"host: here\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: here\r\n\r\n"

BAD = {
    "both lengths": (400, POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    "both lengths, the other way": (400, POST + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc"),
    "a list of lengths": (400, POST + b"content-length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, POST + b"content-length: +3\r\n\r\nabc"),
    "a negative length": (400, POST + b"content-length: -3\r\n\r\nabc"),
    "an endless length": (400, POST + b"content-length: 99999999999999999999999\r\n\r\nabc"),
    "two hosts": (400, POST + HOST + b"\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "a host that is none": (400, b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"),
    "a host with a user": (400, b"GET / HTTP/1.1\r\nhost: me@here\r\n\r\n"),
    "two keys": (400, POST + b"authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
    "another host in the target": (400, b"GET http://there/ HTTP/1.1\r\nhost: here\r\n\r\n"),
    "a target that is no path": (400, b"OPTIONS * HTTP/1.1\r\nhost: here\r\n\r\n"),
    "a fragment": (400, b"GET /#a HTTP/1.1\r\nhost: here\r\n\r\n"),
    "a folded header": (400, POST + b"x: a\r\n b\r\n\r\n"),
    "a folded first header": (400, b"GET / HTTP/1.1\r\n host: here\r\n\r\n"),
    "bare LF": (400, b"GET / HTTP/1.1\nhost: here\n\n"),
    "bare LF in headers": (400, POST + b"x: a\ny: b\r\n\r\n"),
    "bare CR in a header": (400, POST + b"x: a\rb\r\n\r\n"),
    "NUL in a header": (400, POST + b"x: a\0b\r\n\r\n"),
    "space before the colon": (400, POST + b"content-length : 5\r\n\r\nabcde"),
    "a header without a name": (400, POST + b": a\r\n\r\n"),
    "chunked twice": (400, POST + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked, but not last": (400, POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    "a coding like chunked": (501, POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "a coding hidden by a control": (400, POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "another coding": (501, POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a chunk size in words": (400, CHUNKED + b"five\r\nabcde\r\n0\r\n\r\n"),
    "a negative chunk size": (400, CHUNKED + b"-1\r\n"),
    "a chunk size with 0x": (400, CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size with spaces": (400, CHUNKED + b" 3 \r\nabc\r\n0\r\n\r\n"),
    "a chunk size that overflows": (400, CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    "a chunk line with bare LF": (400, CHUNKED + b"3\nabc\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": (400, CHUNKED + b"3\r\nabcde\r\n0\r\n\r\n"),
    "a length among the trailers": (400, CHUNKED + b"0\r\ncontent-length: 4\r\n\r\n"),
    "an old version": (505, b"GET /\r\n\r\n"),
    "a new version": (505, b"GET / HTTP/2.0\r\nhost: here\r\n\r\n"),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "no HTTP at all": (400, b"\0\xff\xfe{}\r\n\r\n"),
    "a method in lower case": (400, b"get / HTTP/1.1\r\nhost: here\r\n\r\n"),
}


@pytest.mark.parametrize("dripped", [False, True], ids=["at once", "dripped"])
@pytest.mark.parametrize("case", BAD)
def test_bad_framing_is_refused_and_nothing_after_it_is_read(case: str, dripped: bool) -> None:
    status, data = BAD[case]
    entered: list[str] = []

    async def seen(call: Call) -> None:
        entered.append(call.path)
        await call.respond(200, [JSON], b"{}")

    async def test() -> None:
        async with serving(seen) as server:
            client = await server.connect()
            for piece in [bytes([byte]) for byte in data] if dripped else [data + SMUGGLED]:
                await client.send(piece)
            answer = await client.rest()
            assert answer.startswith(b"HTTP/1.1 %d " % status), answer
            assert answer.count(b"\r\ndate: ") == 1
            assert b"connection: close\r\n" in answer
            assert b'{"error":{"message":' in answer
            assert entered == []

    running(test)


def test_a_refusal_comes_after_the_answers_to_what_came_before_it() -> None:
    async def test() -> None:
        async with serving() as server:
            good = POST + b"content-length: 2\r\n\r\nhi"
            answer = await server.exchanged(good + good + b"nonsense\r\n\r\n" + good)
            assert [answer.count(b"HTTP/1.1 200 "), answer.count(b"HTTP/1.1 400 ")] == [2, 1]
            assert answer.index(b"400 Bad") > answer.rindex(b"200 OK")

    running(test)


def test_what_follows_a_request_that_closes_is_not_read() -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.exchanged(POST + b"connection: close\r\n\r\n" + SMUGGLED)
            assert answer.count(b"HTTP/1.1 ") == 1

    running(test)
