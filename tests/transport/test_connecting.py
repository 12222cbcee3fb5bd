"""Names, addresses, refusals."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from dragoman.errors import ConnectFailed
from dragoman.transport import HttpTransport
from dragoman.transport.limits import Statistics
from tests.transport.fault_server import running_fault_server
from tests.transport.scenarios import says, with_length
from tests.transport.talking import get, run


async def expect_failure(url: str, phase: str, words: str) -> None:
    async with HttpTransport() as transport:
        with pytest.raises(ConnectFailed, match=words) as caught:
            await transport.send(get(url))
        assert (caught.value.phase, caught.value.sent) == (phase, "no")
        assert transport.statistics() == Statistics()


def test_a_name_that_does_not_exist() -> None:
    run(lambda: expect_failure("https://name.invalid/", "name", "'name.invalid' cannot be resolved"))


def test_a_port_where_nobody_listens() -> None:
    run(lambda: expect_failure("http://127.0.0.1:1/", "connect", "No connection to http://127.0.0.1:1"))


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a dead address first and a live one second is reached."""
    asked: list[str] = []

    async def main() -> None:
        async def resolve(host: str, port: int, **options: Any) -> list[Any]:
            asked.append(host)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1)),
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)),
            ]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        async with HttpTransport() as transport:
            assert (await transport.send(get(f"http://two.test:{server.port}/x"))).body == b"fine"

    with running_fault_server({"x": says(with_length(b"fine"))}) as server:
        run(main)
    assert asked == ["two.test"]


def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        def refuse(*arguments: Any, **options: Any) -> None:
            raise AssertionError("an address was looked up")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
        async with HttpTransport() as transport:
            assert (await transport.send(get(server.url + "/x"))).body == b"fine"

    with running_fault_server({"x": says(with_length(b"fine"))}) as server:
        run(main)
