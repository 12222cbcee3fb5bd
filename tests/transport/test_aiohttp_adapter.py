"""What is the adapter's own: the extra that it needs, and aiohttp's habits that it breaks."""

from __future__ import annotations

import sys

import pytest

from dragoman.errors import ConnectFailed, ConnectionLost, MissingExtra
from dragoman.transport import AiohttpTransport, Transport
from tests.transport.fault_server import Gone, Peer, Seen, running_fault_server
from tests.transport.scenarios import with_length
from tests.transport.talking import get, run


def test_without_aiohttp_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingExtra, match=r'pip install "dragoman\[aiohttp\]"'):
        AiohttpTransport()


def test_it_is_a_transport() -> None:
    assert isinstance(AiohttpTransport(), Transport)


def test_nothing_is_resent() -> None:
    """aiohttp itself repeats a GET whose kept connection had ended."""

    def answer_then_vanish(peer: Peer, seen: Seen) -> None:
        if peer.answered:
            raise Gone
        peer.send(with_length(b"once"))

    async def main() -> None:
        async with AiohttpTransport() as transport:
            await transport.send(get(server.url + "/x"))
            with pytest.raises(ConnectionLost) as caught:
                await transport.send(get(server.url + "/x"))
            assert caught.value.sent == "maybe"

    with running_fault_server({"x": answer_then_vanish}) as server:
        run(main)
        assert len(server.requests) == 2


def test_a_cookie_is_not_kept() -> None:
    def set_cookie(peer: Peer, seen: Seen) -> None:
        peer.send(with_length(b"fine", b"set-cookie: session=1; path=/"))

    async def main() -> None:
        async with AiohttpTransport() as transport:
            for _ in range(2):
                await transport.send(get(f"http://localhost:{server.port}/x"))

    with running_fault_server({"x": set_cookie}) as server:
        run(main)
        assert all("cookie" not in seen.headers for seen in server.requests)


def test_connecting_fails_with_the_phase() -> None:
    async def main() -> None:
        async with AiohttpTransport() as transport:
            with pytest.raises(ConnectFailed) as refused:
                await transport.send(get("http://127.0.0.1:1/"))
            assert (refused.value.phase, refused.value.sent) == ("connect", "no")
            with pytest.raises(ConnectFailed) as unknown:
                await transport.send(get("http://name.invalid/"))
            assert (unknown.value.phase, unknown.value.sent) == ("name", "no")

    run(main)
