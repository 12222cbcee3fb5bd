"""The server behind the fakes: what HTTP it reads, what it refuses, and that it ends."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from dragoman import Request
from dragoman.testing import FakeProvider

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Say: hi"}]}'
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\nauthorization: Bearer k\r\n"
)


def exchanged(fake: FakeProvider, *pieces: bytes) -> bytes:
    """What comes back until the server closes; the pieces ask it to."""
    with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2])), timeout=5) as held:
        for piece in pieces:
            held.sendall(piece)
        return b"".join(iter(lambda: held.recv(65536), b""))


def test_bodies_in_chunks_and_in_drips_are_read() -> None:
    with FakeProvider() as fake:
        chunked = b"5;note=x\r\n" + BODY[:5] + b"\r\n" + b"%x\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\nt: 1\r\n\r\n"
        ending = b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        assert b'"content":"hi"' in exchanged(fake, *(bytes([byte]) for byte in HEAD + ending + chunked))
        assert fake.requests[0].body == json.loads(BODY)


def test_several_requests_on_one_connection_and_continue_is_said() -> None:
    with FakeProvider() as fake:
        first = HEAD + b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % len(BODY) + BODY
        last = HEAD + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(BODY) + BODY
        answer = exchanged(fake, first + last)
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
        assert answer.count(b'"content":"hi"') == 2


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"nonsense\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nno colon\r\n\r\n",
        HEAD + b"content-length: many\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=["request line", "header", "length", "chunk", "long head"],
)
def test_what_is_no_http_is_refused(bytes_sent: bytes) -> None:
    with FakeProvider() as fake:
        try:
            answer = exchanged(fake, bytes_sent)
        except ConnectionError:  # it closed before it had read all of a long head
            answer = b"HTTP/1.1 400 "
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert fake.requests == []
        assert fake.model().chat("Say: well").content == "well"


def test_it_ends_with_connections_open_and_leaves_no_thread() -> None:
    before = {thread.ident for thread in threading.enumerate()}
    fake = FakeProvider().start()
    port = int(fake.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as held:
        held.sendall(HEAD)  # a request that never ends
        fake.stop()
    assert {thread.ident for thread in threading.enumerate()} <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_what_goes_wrong_in_a_reply_of_the_tests_own_is_raised_at_the_end() -> None:
    def clumsy(_request: Request) -> str:
        raise LookupError("the test's own bug")

    broken = FakeProvider(say=clumsy).start()
    assert exchanged(broken, HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY) == b""
    with pytest.raises(LookupError, match="the test's own bug"):
        broken.stop()
