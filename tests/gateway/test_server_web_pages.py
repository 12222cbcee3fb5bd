"""While no key is asked for: DNS rebinding, foreign origins, forms of web pages."""

from __future__ import annotations

import pytest

from dragoman.gateway.server.loopback import KeylessGuard
from tests.gateway.serving import running, serving

JSON = b"content-type: application/json\r\n"


def posted(host: bytes, *headers: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nhost: %b\r\n%bconnection: close\r\ncontent-length: 2\r\n\r\n{}" % (
        host,
        b"".join(headers),
    )


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (200, posted(b"localhost:4000", JSON)),
        (200, posted(b"127.0.0.1", JSON)),
        (200, posted(b"[::1]:4000", b"content-type: application/json; charset=utf-8\r\n")),
        (200, posted(b"gateway.lan:4000", JSON)),
        (200, posted(b"LocalHost:4000", JSON, b"origin: http://localhost:4000\r\n")),
        (403, posted(b"rebound.example", JSON)),
        (403, posted(b"rebound.example:4000", JSON)),
        (403, posted(b"localhost.rebound.example", JSON)),
        (403, posted(b"", JSON)),
        (403, posted(b"localhost:4000", JSON, b"origin: https://page.example\r\n")),
        (403, posted(b"localhost:4000", JSON, b"origin: http://localhost:3000\r\n")),
        (403, posted(b"localhost:4000", JSON, b"origin: null\r\n")),
        (415, posted(b"localhost:4000")),
        (415, posted(b"localhost:4000", b"content-type: text/plain\r\n")),
        (415, posted(b"localhost:4000", b"content-type: application/x-www-form-urlencoded\r\n")),
        (200, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
        (403, b"GET / HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n"),
        (400, b"GET / HTTP/1.0\r\nhost: localhost\r\nhost: rebound.example\r\n\r\n"),
        (403, b"GET / HTTP/1.0\r\n\r\n"),
    ],
)
def test_what_a_web_page_could_send_is_refused(status: int, request_bytes: bytes) -> None:
    async def test() -> None:
        async with serving(keyless=KeylessGuard(["gateway.lan"])) as server:
            answer = await server.exchanged(request_bytes)
            assert answer.startswith(b"HTTP/1.1 %d " % status), answer

    running(test)


def test_nobody_is_told_that_pages_may_read_the_answer() -> None:
    async def test() -> None:
        async with serving() as server:
            preflight = (
                b"OPTIONS / HTTP/1.1\r\nhost: here\r\norigin: https://page.example\r\nconnection: close\r\n"
                b"access-control-request-method: POST\r\n\r\n"
            )
            answer = await server.exchanged(preflight)
            assert answer.startswith(b"HTTP/1.1 405 ")
            assert b"access-control" not in answer

    running(test)
